"""What RoomVox's clients do with rooms: the verbs of the API over the one booking core."""

from dataclasses import dataclass
from datetime import timedelta
from typing import get_args

from ...caller import Caller
from ...clock import DAY_MS, Clock
from ...errors import Invalid, NotFound
from ...log import warning
from ...resources import Document
from .. import plain
from ..bookings import Bookings
from ..credentials import SCOPES, Scope
from ..errors import Unknown
from ..kinds import STRUCTURE
from ..local_time import zone_of
from ..model import HOLDING, SHOWN, Booking, By, Room, State
from ..records import stamp_of
from ..rooms import Rooms
from .availability import Busy, slots_of
from .documents import SentRoomvoxBooking
from .feed import calendar_of
from .shown import STATUS, availability_document, location_of, organizer_of, room_document, status_document
from .statistics import period_of, statistics_document
from .times import Range, checked, day_range, read_day, read_moment, read_range, today
from .words import no_room, no_scope, not_this_room

LISTED_DAYS = 30  # of bookings, where no end is given
FED_BEFORE, FED_AFTER = 7, 350  # days of the feed before and after now
COUNTED_DAYS = 30  # of statistics
STATES: tuple[State, ...] = get_args(State.__value__)


@dataclass(frozen=True, slots=True)
class RoomVox:
    """One token's view of its account. `clock` is the core's."""

    caller: Caller
    clock: Clock

    @property
    def rooms(self) -> Rooms:
        return Rooms(self.caller.tables)

    @property
    def bookings(self) -> Bookings:
        return Bookings(self.caller.tables, self.clock)

    @property
    def by(self) -> By:
        return By.of(self.caller, "roomvox")

    def places(self, rooms: list[Room]) -> list[str]:
        """Where each of the rooms is."""
        wanted = any(not room.address for room in rooms)
        stored = plain.all_of(self.caller.tables, STRUCTURE) if wanted else []
        structures = {each.id: each.document for each in stored}
        return [location_of(room, structures) for room in rooms]

    def needs(self, scope: Scope) -> None:
        """Raises Forbidden."""
        if SCOPES.index(self.caller.principal.role) < SCOPES.index(scope):
            raise no_scope(scope)

    def room(self, name: str) -> Room:
        """By its slug, or any other name that it has. Raises NotFound, Forbidden for one that the token is not for."""
        try:
            room = self.rooms.named(name)
        except NotFound as error:
            raise no_room() from error
        if not self.reaches(room):
            raise not_this_room()
        return room

    def reaches(self, room: Room) -> bool:
        rooms = self.caller.principal.rooms
        return rooms is None or room.id in rooms

    def all_rooms(self) -> list[Room]:
        """Those that the token is for, oldest first."""
        return [room for room in self.rooms.all() if self.reaches(room)]

    def shown(self, rooms: list[Room]) -> list[Document]:
        return [room_document(room, place) for room, place in zip(rooms, self.places(rooms), strict=True)]

    def status(self, room: Room) -> Document:
        at, zone, bookings = self.clock(), zone_of(room.zone), self.bookings
        of_today = bookings.of_room(room.id, *day_range(today(at, zone), zone))
        return status_document(room, self.places([room])[0], of_today, bookings.next(room.id, at), at)

    def availability(self, room: Room, day: str | None, sent: tuple[str | None, str | None]) -> Document:
        """Of a day, or from a moment to another. Raises Invalid."""
        zone = zone_of(room.zone)
        try:
            date = read_day(day) if day else today(self.clock(), zone)
        except ValueError as error:
            raise Invalid("Invalid date format") from error
        wanted = read_range(sent, day_range(date, zone), zone) if any(sent) else day_range(date, zone)
        taken = [
            Busy(each.start, each.end, each.title) for each in self.bookings.of_room(room.id, *wanted, states=HOLDING)
        ]
        slots = slots_of(wanted, room.rules, zone, taken) if room.active else []
        return availability_document(room, today(wanted.start, zone), slots)

    def listed(self, room: Room, sent: tuple[str | None, str | None], status: str | None) -> list[Booking]:
        """By their start: from today on for thirty days, unless a range is given. Raises Invalid."""
        zone = zone_of(room.zone)
        start = day_range(today(self.clock(), zone), zone).start
        wanted = read_range(sent, Range(start, start + LISTED_DAYS * DAY_MS), zone)
        states: frozenset[State] = frozenset(each for each in STATES if STATUS[each] == status) if status else SHOWN
        if not states:
            raise Invalid(f"Invalid status: {', '.join(dict.fromkeys(STATUS.values()))}")
        return self.bookings.of_room(room.id, *wanted, states=states)

    def book(self, room: Room, sent: SentRoomvoxBooking, key: str | None) -> Booking:
        """Raises Taken, NotAllowed, Invalid, Conflict, Unavailable."""
        title = sent.summary or sent.title
        if not title or not sent.start or not sent.end:
            raise Invalid("title, start, and end are required")
        zone = zone_of(room.zone)
        try:
            start, end = read_moment(sent.start, zone), read_moment(sent.end, zone)
        except ValueError as error:
            raise Invalid("Invalid date format for start or end") from error
        if end <= start:
            raise Invalid("End time must be after start time")
        return self.bookings.book(
            room,
            start,
            end,
            by=self.by,
            title=title,
            description=sent.description or "",
            organizer=organizer_of(sent.organizerEmail, sent.organizer),
            rrule=sent.rrule or None,
            key=key,
        )

    def cancel(self, room: Room, uid: str, occurrence: str | None) -> None:
        """A booking, a series, or the occurrence of it that began then by its rule. Raises NotFound, NotAllowed."""
        record = self.bookings.record(uid)
        booking = record.get(uid)
        if occurrence and record.is_series:
            try:
                booking = record.get(f"{record.whole.id}_{stamp_of(read_moment(occurrence, zone_of(room.zone)))}")
            except ValueError as error:
                raise Invalid("Invalid recurrenceId format") from error
        elif occurrence:
            warning("recurrenceId of a booking that does not recur", cause=self.caller.cause, booking=booking.id)
        if booking.room != room.id:
            raise Unknown(f"There is no booking {uid[:80]}")
        self.bookings.cancel(booking.id, by=self.by)

    def feed(self, room: Room, sent: tuple[str | None, str | None]) -> bytes:
        """What is accepted and meets a range, which is from a week ago to nearly a year ahead unless it is given."""
        at = self.clock()
        wanted = read_range(sent, Range(at - FED_BEFORE * DAY_MS, at + FED_AFTER * DAY_MS), zone_of(room.zone))
        records = self.bookings.records_of(room.id, *wanted)
        return calendar_of(room, self.places([room])[0], records)

    def statistics(self, room: Room | None, sent: tuple[str | None, str | None]) -> Document:
        """Of the rooms that the token is for, by days of each room's clocks. Raises Invalid."""
        rooms = [room] if room else self.all_rooms()
        utc = zone_of("UTC")
        now = today(self.clock(), zone_of(rooms[0].zone) if rooms else utc)
        days = []
        for name, text, default in (("from", sent[0], now - timedelta(days=COUNTED_DAYS)), ("to", sent[1], now)):
            try:
                days.append(read_day(text[:10]) if text else default)
            except ValueError as error:
                raise Invalid(f'Invalid "{name}" date format') from error
        first, last = days
        checked(Range(day_range(first, utc).start, day_range(last, utc).start + (first == last)), utc)
        bookings = self.bookings
        booked = {each.id: bookings.of_room(each.id, *period_of(each, first, last), states=STATES) for each in rooms}
        return statistics_document(rooms, booked, first, last)
