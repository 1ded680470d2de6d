"""What the ROOM service answers, for the description of the API. Edge only. Field names are the document's."""

from typing import Any, Literal, NotRequired

from pydantic import JsonValue

from ...answers import Answered
from ...fields import Millis


class HubRefusal(Answered):
    __ack__: str
    __status__: Literal["error"]
    __expiry__: int
    __timestamp__: Millis
    error: str
    error_code: int
    status: Literal["error"]
    reason: NotRequired[str]


class HubEnvelope(Answered):
    __ack__: str
    __status__: Literal["ok"]
    __expiry__: int
    __timestamp__: Millis


class HubNothing(Answered):
    """An empty object."""


class HubMember(Answered):
    id: str
    email: str
    name: str


class HubRecurrence(Answered):
    freq: Literal["daily", "weekly", "monthly"]
    until: NotRequired[int]


class HubSchedule(Answered):
    """`stime` and `etime` are seconds; null of a meeting whose date is no time."""

    attendees: list[HubMember]
    title: str
    message: str
    date: str
    stime: int | None
    etime: int | None
    recur: HubRecurrence | None


class HubContent(HubSchedule):
    created_by: str
    room_id: str


class HubMetadata(Answered):
    content: HubContent
    room_status: Literal["booked", "cancelled", "declined", "released", "ended"]


class HubReservation(Answered):
    """The booking of the room that the hub is tied to."""

    id: str
    room: str
    start: Millis
    end: Millis
    state: Literal["tentative", "confirmed", "checkedIn", "ended", "cancelled", "declined", "released"]


class HubNode(Answered):
    id: str
    nid: str
    hub_id: str
    owner_id: str
    filename: str
    category: Literal["schedule"]
    ext: Literal["schedule"]
    ctime: int
    mtime: int
    metadata: HubMetadata
    booking: HubReservation | None


class HubAttendee(Answered):
    uid: str
    user_id: str
    username: str
    socket_id: str
    device_id: str
    role: Literal["presenter", "listener"]
    endpointAddress: str
    endpointRoute: str


class HubRoom(Answered):
    """A live room as the caller has it. `ctime` is in seconds; `permission` 2 read, 4 write, 6 admin."""

    id: str
    room_id: str
    user_id: str
    username: str
    socket_id: str
    device_id: str
    presenter_id: str
    ctime: int
    hub_id: str
    role: Literal["presenter", "listener"]
    permission: int
    type: str
    status: Literal["waiting", "started"]
    parent_id: NotRequired[str]


class HubDetails(Answered):
    id: str
    name: str
    area: str
    room: str | None


class HubJoined(HubRoom):
    wicket_id: str
    area: str
    details: HubDetails
    attendees: list[HubAttendee]


class HubUser(Answered):
    avatar_id: str
    deviceId: str
    role: Literal["presenter", "listener"]
    room_id: str
    ssid: str
    uid: str
    uname: str
    username: str


class HubAccess(Answered):
    presenter: HubAttendee | None
    peers: list[HubAttendee]
    presenter_id: str
    room_id: str
    user: HubUser
    ssid: str
    status: int
    peer: HubAttendee | None


class HubMedia(Answered):
    id: str
    uid: str
    is_mic_enabled: int
    is_video_enabled: int
    is_share_enabled: int
    is_write_enabled: int
    metadata: JsonValue
    username: str


class HubLink(Answered):
    """`expires` is null of a link without an end."""

    link: str
    qr: str
    expires: Millis | None


class HubRemoved(Answered):
    nid: str


class HubScreenAsked(Answered):
    """Whom it was asked of; empty when nobody shares a screen."""

    room_id: NotRequired[str]
    presenter_id: NotRequired[str]


class HubConflict(Answered):
    nid: str
    title: str
    stime: int
    etime: int


class HubStanding(Answered):
    uid: str
    busy: bool
    conflicts: list[HubConflict]


class HubWelcome(Answered):
    """What a public link leads to. `regsid` is the guest's session, for clients that keep no cookies."""

    regsid: str
    hub_id: str
    room_id: str
    permission: int
    meeting: HubNode


class HubSaidNothing(HubEnvelope):
    data: HubNothing


class HubSaidNode(HubEnvelope):
    data: HubNode


class HubSaidNodes(HubEnvelope):
    data: list[HubNode]


class HubSaidMembers(HubEnvelope):
    data: list[HubMember]


class HubSaidRoom(HubEnvelope):
    data: HubRoom


class HubSaidJoined(HubEnvelope):
    data: HubJoined


class HubSaidMedia(HubEnvelope):
    data: list[HubMedia]


class HubSaidInvited(HubEnvelope):
    """The guest as they were named, then the signal that they were sent."""

    data: list[dict[str, Any]]


class HubSaidLink(HubEnvelope):
    data: HubLink


class HubSaidRemoved(HubEnvelope):
    data: HubRemoved


class HubSaidScreen(HubEnvelope):
    data: HubScreenAsked


class HubSaidPeople(HubEnvelope):
    data: list[HubAttendee]


class HubSaidAccess(HubEnvelope):
    data: HubAccess


class HubSaidSchedule(HubEnvelope):
    data: HubSchedule


class HubSaidStandings(HubEnvelope):
    data: list[HubStanding]


class HubSaidWelcome(HubEnvelope):
    data: HubWelcome
