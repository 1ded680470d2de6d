"""Rooms, bookings and the rules that a room sets, as frozen values and what follows from them alone.

Pure; standard library only. Moments are milliseconds since the epoch; an interval holds its start and not its end.
"""

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, Self, get_args

if TYPE_CHECKING:
    from ..caller import Caller

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
DAY_MINUTES = 1_440
MAX_BOOKING_MS = 31 * 24 * HOUR_MS  # of one booking, and of one occurrence of a series

type State = Literal["tentative", "confirmed", "checkedIn", "ended", "cancelled", "declined", "released"]
type Source = Literal["evoko", "joan", "roomvox", "hub", "door", "api"]
type PartStat = Literal["needsAction", "accepted", "declined", "tentative"]
type Event = Literal[
    "_RoomBooked",
    "_RoomChanged",
    "_RoomApproved",
    "_RoomDeclined",
    "_RoomCancelled",
    "_RoomCheckedIn",
    "_RoomFinished",
    "_RoomReleased",
    "_EquipmentReported",
]
EVENTS: tuple[Event, ...] = get_args(Event.__value__)

HOLDING = frozenset[State]({"tentative", "confirmed", "checkedIn"})  # what nobody else can have
SHOWN: frozenset[State] = HOLDING | {"ended"}  # what took place, takes place or will


class Told(NamedTuple):
    """Something about a room has changed. `booking` is empty when the room itself has: its equipment, its rules."""

    account: str
    room: str
    booking: str
    event: str  # an Event; `_RoomSetUp` of a change of the room itself


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRules:
    """When a room can be booked. Hours and days are those of its own clocks; None and 0 are no limit."""

    opens: int = 0  # minutes after midnight
    closes: int = DAY_MINUTES
    days: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)  # ISO: Monday is 1
    horizon_days: int | None = None  # how far ahead a booking may begin
    min_minutes: int | None = None
    max_minutes: int | None = None
    buffer_minutes: int = 0  # between two bookings

    @property
    def any_time(self) -> bool:
        return (self.opens, self.closes, len(set(self.days))) == (0, DAY_MINUTES, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
    """Who has booked has to come: from `opens_before_min` before the start to `grace_min` after it."""

    opens_before_min: int = 10
    grace_min: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A room, which is a thng with a door; `id` is the thng's."""

    id: str
    account: str
    name: str
    slug: str
    zone: str  # IANA, such as Europe/Dublin
    email: str = ""
    capacity: int = 0
    active: bool = True
    structure: str | None = None  # the floor (or whatever is known) that it is on
    facilities: Mapping[str, bool | None] = field(default_factory=dict)  # True works, False is broken, None is absent
    custom: Mapping[str, bool | None] = field(
        default_factory=dict
    )  # the same, by the id of a custom piece of equipment
    rules: BookingRules = BookingRules()
    approval: bool = False  # whether a booking waits for one of `managers`
    check_in: CheckIn | None = None
    auth: Mapping[str, bool] = field(default_factory=dict)  # by setting of the panel, such as bookMeetingSettings
    show_titles: bool = False  # whether the pages at the door say what a meeting is about, and whose it is
    joan_id: int = 0
    evoko_id: str = ""
    short: tuple[str, str] | None = None  # the short domain and id of its code
    managers: tuple[str, ...] = ()  # e-mail addresses
    kind: str = ""  # what sort of room: meeting room, studio, boat
    number: str = ""
    description: str = ""
    address: Mapping[str, str] = field(default_factory=dict)  # building, street, postalCode, city
    product: str | None = None  # of the thng
    projects: tuple[str, ...] = ()  # of the thng


class FindsRooms(Protocol):
    """Where a service finds a room by its id."""

    def get(self, room_id: str) -> Room:
        """Raises NotFound."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who booked: whatever of it is known."""

    name: str = ""
    email: str = ""
    user: str = ""  # the id of one of the account's people


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendee:
    email: str
    name: str = ""
    partstat: PartStat = "needsAction"
    token: str = ""  # of the link in the invitation


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Through what, with which credential and for whom a change is made; `cause` and `chain` are the request's."""

    source: Source
    client: str = ""  # the credential's id: two requests are repeats of one another within one client only
    user: str = ""  # the id of one of the account's people
    cause: str = ""
    chain: tuple[str, ...] = ()  # the runs of scripts that led to it, so that none sets itself off for ever

    @classmethod
    def of(cls, caller: "Caller", source: Source, client: str = "") -> Self:
        """Who asks, as `client` where the caller's own credential is not it."""
        return cls(source=source, client=client or caller.principal.id, cause=caller.cause, chain=caller.chain)

    def __str__(self) -> str:
        return ":".join(part for part in (self.source, self.user or self.client) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """One booking, or one occurrence of a series (`series` and `recurrence_id` say which), or a series as a whole.

    A series as a whole (`rrule`) has the start and end of its first occurrence, and nothing but its occurrences holds
    a slot.
    """

    id: str
    room: str
    start: int
    end: int
    zone: str
    title: str = ""
    description: str = ""
    organizer: Person = Person()
    attendees: tuple[Attendee, ...] = ()
    state: State
    checked_in_at: int | None = None
    release_at: int | None = None  # when the slot is free again unless somebody has checked in
    source: Source
    external: Mapping[str, str] = field(default_factory=dict)  # ids in other systems, by API
    series: str | None = None  # the id of the series as a whole
    recurrence_id: int | None = None  # when this occurrence began as the rule has it
    rrule: str | None = None
    sequence: int = 0  # grows with each change (RFC 5545)
    version: int = 1  # of the row
    created_by: str = ""
    created_at: int
    updated_at: int

    @property
    def holds(self) -> bool:
        """Whether nobody else can have this slot."""
        return self.state in HOLDING

    def overdue(self, at: int) -> bool:
        """Whether nobody has come in time: such a booking holds nothing, even before that is written down."""
        return self.state == "confirmed" and self.release_at is not None and self.release_at <= at

    def seen_at(self, at: int) -> "Booking":
        """As a reader at that moment has to take it."""
        return replace(self, state="released") if self.overdue(at) else self

    def runs_at(self, at: int) -> bool:
        return self.start <= at < self.end


def release_moment(check_in: CheckIn | None, start: int, end: int, since: int) -> int | None:
    """When a booking that was made (or approved, or moved) at `since` is released unless somebody checks in.

    None when nobody has to, when it was over already, and when there would be nothing left to release.
    """
    if check_in is None:
        return None
    moment = max(start, since) + check_in.grace_min * MINUTE_MS
    return moment if moment < end else None
