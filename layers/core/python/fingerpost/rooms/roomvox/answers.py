"""What RoomVox's clients are answered: the fields of the document and those of the product side by side.

`title` is `summary`, `organizer` is `organizerEmail`; times are ISO 8601 with the offset of the room's clocks.
"""

from typing import Annotated, Literal, NotRequired, TypedDict

from pydantic import ConfigDict, Field, with_config

from ...answers import Answered

type BookingStatus = Literal["accepted", "pending", "declined", "cancelled"]
type RoomStatus = Literal["available", "reserved", "unavailable"]
type Count = Annotated[int, Field(ge=0)]


class Upload(Answered):
    """Where a file that is too large for a request is put: a PUT with this Content-Type; then its name is sent."""

    url: str
    method: Literal["PUT"]
    contentType: str
    name: str
    expiresIn: int


class RoomvoxRefusal(Answered):
    error: str
    upload: NotRequired[Upload]


class RoomvoxRoom(Answered):
    """`id` is the room's slug; `facilities` are those that work."""

    id: str
    name: str
    email: str
    capacity: Count
    roomNumber: str
    roomType: str
    facilities: list[str]
    description: str
    location: str
    autoAccept: bool
    active: bool
    timezone: str


class RoomvoxRoomName(Answered):
    id: str
    name: str


class RoomvoxBooking(Answered):
    """`uid` is the series' for each of its occurrences, which `recurrenceId` tells apart, as in iCalendar."""

    uid: str
    title: str
    summary: str
    start: str
    end: str
    organizer: str
    organizerEmail: str
    description: str
    status: BookingStatus
    room: RoomvoxRoomName
    recurrenceId: NotRequired[str]
    rrule: NotRequired[str]


class RoomvoxCurrent(RoomvoxBooking):
    minutesRemaining: int


class RoomvoxStatus(Answered):
    """`until` is when the status changes as far as it is known: the end of a booking, or the start of the next."""

    id: str
    name: str
    room: RoomvoxRoom
    status: RoomStatus
    until: str | None
    freeUntil: str | None
    currentBooking: RoomvoxCurrent | None
    nextBooking: RoomvoxBooking | None
    todayBookings: list[RoomvoxBooking]


class RoomvoxHours(Answered):
    start: str
    end: str
    days: list[str]


class RoomvoxSlot(Answered):
    """A part of `date`: `start` and `end` by the room's clocks, `startsAt` and `endsAt` with their offsets."""

    start: str
    end: str
    date: str
    startsAt: str
    endsAt: str
    status: Literal["free", "busy"]
    title: NotRequired[str]
    summary: NotRequired[str]


class RoomvoxAvailability(Answered):
    """The slots fill the open hours of the day or the range, each moment once. A room that is not active has none.

    `from` and `to` are what was asked for.
    """

    room: RoomvoxRoomName
    date: str
    timezone: str
    availabilityRules: RoomvoxHours | None
    slots: list[RoomvoxSlot]


class RoomvoxDone(Answered):
    status: Literal["ok"]


RoomvoxPeriod = TypedDict("RoomvoxPeriod", {"from": str, "to": str})  # days, the last included
with_config(ConfigDict(extra="forbid", strict=True))(RoomvoxPeriod)


class RoomvoxRooms(Answered):
    total: Count
    active: Count
    byType: dict[str, Count]


class RoomvoxBookings(Answered):
    total: Count
    accepted: Count
    declined: Count
    pending: Count
    cancelled: Count


class RoomvoxUse(Answered):
    roomId: str
    roomName: str
    totalHoursBooked: float
    totalHoursAvailable: float
    utilizationPercent: float
    bookingCount: Count


class RoomvoxStatistics(Answered):
    """Of bookings that lie in the period; hours are those of accepted bookings, and those in which rooms are open."""

    period: RoomvoxPeriod
    rooms: RoomvoxRooms
    bookings: RoomvoxBookings
    utilization: list[RoomvoxUse]


class RoomvoxLine(Answered):
    """What would come of a line. `matchedId` is the slug of the room that it is about."""

    line: int
    data: dict[str, str]
    action: Literal["create", "update"]
    matchedId: str | None
    matchedName: str | None
    errors: list[str]


class RoomvoxPreview(Answered):
    """`rows` are the first 5,000 of `total`."""

    columns: list[str]
    rows: list[RoomvoxLine]
    total: Count
    detected_format: Literal["roomvox", "ms365"]


class RoomvoxMistake(Answered):
    line: int
    name: str
    errors: list[str]


class RoomvoxImported(Answered):
    """`remaining` are lines that the time of one request was too short for: send the same file again."""

    created: Count
    updated: Count
    skipped: Count
    errors: list[RoomvoxMistake]
    remaining: Count
