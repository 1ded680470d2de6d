"""The kinds of documents that rooms are set up with."""

from ..resources import Kind

ROOM = Kind("room", "rooms", indexed=("slug", "email", "structure", "type"), beside="room")
STRUCTURE = Kind("structure", "structures", indexed=("parent", "level"))
EQUIPMENT = Kind("equipment", "equipment", indexed=())
PERSON = Kind("person", "people", indexed=("email", "username"))
DEVICE = Kind("roomDevice", "roomDevices", indexed=("room",))
HUB = Kind("hub", "hubs", indexed=("room",))
HUB_MEMBER = Kind("hubMember", "hubMembers", indexed=("hub",))
HUB_MEETING = Kind("hubMeeting", "hubMeetings", indexed=("hub",))
JOAN_CLIENT = Kind("joanClient", "joanClients", indexed=())
ROOMVOX_TOKEN = Kind("roomvoxToken", "roomvoxTokens", indexed=())
EVOKO_GROUP = Kind("evokoGroup", "evokoGroups", indexed=())
EVOKO_USER = Kind("evokoUser", "evokoUsers", indexed=("group",))

SHARED_WITH_THNG = ("name", "description", "scopes", "product")  # what a room's document has of its thng's
