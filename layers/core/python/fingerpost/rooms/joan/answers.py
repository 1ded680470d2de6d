"""What Joan's clients are shown. Field names are the document's and those that published clients read."""

from typing import Annotated, Literal

from pydantic import Field

from ...answers import Answered

type Moment = Annotated[str, Field(description="ISO 8601, by the clocks of the room, with their offset")]


class JoanToken(Answered):
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str


class JoanCompany(Answered):
    id: int
    name: str


class JoanProfile(Answered):
    picture_id: None
    picture: None
    job_title: str
    job_role: str
    use_case: list[str]
    discovery: str


class JoanUser(Answered):
    id: int
    first_name: str
    last_name: str
    email: str
    admin: bool
    permissions: list[str]
    company: JoanCompany
    departments: list[str]
    profile: JoanProfile


class JoanLocation(Answered):
    id_str: str
    type: Literal["country", "city", "building", "floor"]
    name: str


class JoanResource(Answered):
    """A room as devices have it."""

    name: str
    email: str
    locations: list[JoanLocation]
    status: Literal["active", "inactive"]
    amenities: list[str]
    capacity: int
    sync: bool
    first_failed_sync: None


class JoanRoom(JoanResource):
    """`key` is the id of the room's thng."""

    id: int
    key: str
    manualEntry: bool
    timezone: str


class JoanPerson(Answered):
    email: str
    displayName: str


class JoanAttendee(JoanPerson):
    responseStatus: Literal["needsAction", "accepted", "declined", "tentative"]


class JoanEvent(Answered):
    """`resource` is the room's e-mail address; `confirmed` is whether somebody has checked in."""

    id: str
    summary: str
    start: Moment
    end: Moment
    timezone: str
    organizer: JoanPerson
    attendees: list[JoanAttendee]
    resource: str
    status: Literal["confirmed", "tentative", "cancelled"]
    confirmed: bool
    created: Moment
    updated: Moment


class JoanSchedule(Answered):
    """A room with its events."""

    room: JoanRoom
    events: list[JoanEvent]


class JoanDevice(Answered):
    """`calendar` is the e-mail address of its room."""

    uuid: str
    calendar: str
    calendar_name: str
    timezone: str
    wifi: int | None
    battery: int | None
    model: str
    size: str
    roomResources: list[JoanResource]
    interface: str
    wifi_quality: int | None


class JoanInvitation(Answered):
    """`id` opens the two addresses, which need no token."""

    id: str
    event_id: str
    event_name: str
    room_name: str
    start: Moment
    end: Moment
    email: str
    status: Literal["needsAction", "accepted", "declined", "tentative"]
    confirm: str
    reject: str


class JoanPage(Answered):
    count: int
    next: str | None
    previous: str | None


class JoanUsers(JoanPage):
    results: list[JoanUser]


class JoanRooms(JoanPage):
    results: list[JoanRoom]


class JoanDevices(JoanPage):
    results: list[JoanDevice]
