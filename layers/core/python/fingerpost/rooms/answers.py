"""Rooms, what belongs to them and what opens them, as operators are shown it."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field

from ..answers import Answered, Id
from ..fields import Millis
from .documents import Custom, Facilities, Level, Settings
from .hubs import Privilege

type Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Kept(Answered):
    id: Id
    createdAt: Millis
    updatedAt: Millis


class RoomRules(Answered):
    opens: NotRequired[str]
    closes: NotRequired[str]
    days: NotRequired[list[Day]]
    horizonDays: NotRequired[int]
    minMinutes: NotRequired[int]
    maxMinutes: NotRequired[int]
    bufferMinutes: NotRequired[int]


class CheckInWindow(Answered):
    opensBefore: int
    grace: int


class RoomAddress(Answered):
    building: NotRequired[str]
    street: NotRequired[str]
    postalCode: NotRequired[str]
    city: NotRequired[str]


class RoomDocument(Kept):
    """A room. Its id is that of its thng; `joanId` and `evokoId` are what clients of those APIs know it by."""

    name: str
    description: NotRequired[str]
    product: NotRequired[Id]
    slug: str
    email: str
    joanId: int
    evokoId: str
    capacity: NotRequired[int]
    timezone: str
    active: bool
    structure: NotRequired[Id]
    type: NotRequired[str]
    number: NotRequired[str]
    address: NotRequired[RoomAddress]
    equipment: Facilities
    customEquipment: Custom
    rules: RoomRules
    approval: bool
    managers: NotRequired[list[str]]
    checkIn: NotRequired[CheckInWindow]
    auth: Settings
    showTitles: NotRequired[bool]
    shortDomain: str
    shortId: str
    shortUrl: str


class StructureDocument(Kept):
    name: str
    level: Level
    parent: NotRequired[Id]


class EquipmentDocument(Kept):
    name: str


class PersonDocument(Kept):
    """Somebody who uses rooms. Whether they have a PIN, an RFID, a password is all that is told of those."""

    name: str
    firstName: NotRequired[str]
    lastName: NotRequired[str]
    email: NotRequired[str]
    username: NotRequired[str]
    admin: NotRequired[bool]
    departments: NotRequired[list[str]]
    joanId: int
    hasPin: bool
    hasRfid: bool
    hasPassword: bool


class DeviceDocument(Kept):
    uuid: str
    room: Id
    timezone: NotRequired[str]
    model: NotRequired[str]
    size: NotRequired[str]
    battery: NotRequired[int]
    wifi: NotRequired[int]
    wifiQuality: NotRequired[int]
    interface: NotRequired[str]


class HubDocument(Kept):
    name: str
    area: Literal["private", "share", "public"]
    room: NotRequired[Id]


class MemberDocument(Kept):
    """Somebody in a hub. `key` is shown once, when they come in."""

    hub: Id
    name: str
    email: str
    privilege: Privilege
    key: NotRequired[str]


class JoanClientDocument(Kept):
    """`clientSecret` is shown once."""

    name: str
    clientId: str
    clientSecret: NotRequired[str]


class RoomvoxTokenDocument(Kept):
    """`token` is shown once; after that only its prefix. No `rooms` are all of them."""

    name: str
    scope: Literal["read", "book", "admin"]
    rooms: list[Id]
    prefix: str
    expiresAt: NotRequired[Millis]
    lastUsedAt: NotRequired[Millis]
    token: NotRequired[str]


class EvokoGroupDocument(Kept):
    """A client group. `groupToken` is shown once; it is the password of `defaultDevIntegrationUser`."""

    name: str
    groupToken: NotRequired[str]


class BookedBy(Answered):
    name: str
    email: str


class AttendeeDocument(BookedBy):
    partstat: Literal["needsAction", "accepted", "declined", "tentative"]


class BookingDocument(Answered):
    """A booking, an occurrence of a series (`series`, `recurrenceId`), or a series as a whole (`rrule`)."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{24}(_[0-9TZ]+)?$")]
    room: Id
    start: Millis
    end: Millis
    timezone: str
    title: str
    description: str
    organizer: BookedBy
    attendees: list[AttendeeDocument]
    state: Literal["tentative", "confirmed", "checkedIn", "ended", "cancelled", "declined", "released"]
    source: Literal["evoko", "joan", "roomvox", "hub", "door", "api"]
    checkedInAt: NotRequired[Millis]
    releaseAt: NotRequired[Millis]
    series: NotRequired[str]
    recurrenceId: NotRequired[Millis]
    rrule: NotRequired[str]
    createdAt: Millis
    updatedAt: Millis
