"""What Joan's clients do with rooms: the verbs of the API over the one booking core."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ...access.secrets import RootSecrets
from ...access.store import ACCOUNT
from ...caller import Caller
from ...clock import DAY_MS, Clock
from ...errors import Finding, FingerpostError, Invalid, NotFound
from ...resources import Resources
from .. import devices, plain
from ..bookings import Bookings
from ..errors import NotAllowed, Unknown
from ..kinds import DEVICE, EQUIPMENT, JOAN_CLIENT, PERSON, STRUCTURE
from ..local_time import instant_of, zone_of
from ..model import MINUTE_MS, Attendee, Booking, By, PartStat, Person, Room
from ..rooms import Rooms, number_of
from ..rules import check_rules
from .documents import (
    SentJoanBooking,
    SentJoanCheckIn,
    SentJoanExtension,
    SentJoanInvitation,
    SentJoanMove,
    SentJoanSearch,
    SentJoanTermination,
)
from .invitations import Invitation, mark_of, signed
from .shown import House
from .times import read_bound, today

DAYS_SHOWN, MAX_DAYS = 7, 366  # of events: where no end is given, and at most
SEARCH_MINUTES = 30

type Found = tuple[Booking, Room]


@dataclass(frozen=True, slots=True)
class Joan:
    """One client's view of its account. `clock` is the core's."""

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
        return By.of(self.caller, "joan")

    @property
    def house(self) -> House:
        tables = self.caller.tables
        structures = {each.id: each for each in plain.all_of(tables, STRUCTURE)}
        return House(structures, {each.id: each.document["name"] for each in plain.all_of(tables, EQUIPMENT)})

    @property
    def company(self) -> dict[str, Any]:
        account = self.caller.principal.account
        return {"id": number_of(account), "name": Resources(self.caller.tables, ACCOUNT).read(account).document["name"]}

    @property
    def name(self) -> str:
        """The client's."""
        return str(Resources(self.caller.tables, JOAN_CLIENT).read(self.caller.principal.id).document["name"])

    def people(self) -> list[dict[str, Any]]:
        return [each.document for each in plain.all_of(self.caller.tables, PERSON)]

    def devices(self) -> list[tuple[dict[str, Any], Room | None]]:
        """Each with its room."""
        found = [each.document for each in plain.all_of(self.caller.tables, DEVICE)]
        rooms = self.rooms.get_many([each["room"] for each in found])
        return [(each, rooms.get(each["room"])) for each in found]

    def device(self, uuid: str) -> tuple[dict[str, Any], Room | None]:
        """Raises NotFound."""
        found = devices.by_uuid(self.caller.tables, uuid).document
        return found, self.rooms.get_many([found["room"]]).get(found["room"])

    def schedule(self, start: str | None, end: str | None, zone: str | None) -> list[tuple[Room, list[Booking]]]:
        """The rooms that can be booked, each with its events: of today and the six days after it, if nothing is said.

        Times without an offset are of `zone`, else of each room's own. Raises Invalid.
        """
        rooms = [room for room in self.rooms.all() if room.active]
        together: dict[tuple[int, int], list[str]] = {}
        for room in rooms:
            together.setdefault(self._range(start, end, zone_of(zone or room.zone)), []).append(room.id)
        events: dict[str, list[Booking]] = {}
        for (first, last), ids in together.items():
            events |= self.bookings.of_rooms(ids, first, last, bounded=True)
        return [(room, events[room.id]) for room in rooms]

    def book(self, sent: SentJoanBooking, key: str | None) -> Found:
        """Raises Taken, NotAllowed, Invalid, Conflict, Unavailable."""
        room = self._source(sent.source)
        zone = zone_of(sent.timezone or room.zone)
        start, end = instant_of(sent.start, zone), instant_of(sent.end, zone)
        if end <= start:
            raise field_error("end", "The end must be later than the start.")
        organizer = Person(name=self._name_of(sent.organizer), email=sent.organizer) if sent.organizer else Person()
        booking = self.bookings.book(
            room,
            start,
            end,
            by=self.by,
            title=sent.title or "",
            organizer=organizer,
            walk_in=bool(sent.auto_confirm),
            key=key,
        )
        return booking, room

    def terminate(self, sent: SentJoanTermination) -> Found:
        """Raises NotFound, NotAllowed, Unavailable."""
        booking, room = self._event(sent.event_id, sent.room_id)
        verb = self.bookings.finish if sent.finish else self.bookings.cancel
        return verb(booking.id, by=self.by), room

    def check_in(self, sent: SentJoanCheckIn) -> Found:
        """Raises NotFound, NotAllowed, Unavailable."""
        booking, room = self._event(sent.event_id, sent.room_id)
        return self.bookings.check_in(booking.id, by=self.by), room

    def extend(self, sent: SentJoanExtension) -> Found:
        """Raises NotFound, Taken, NotAllowed, Invalid, Unavailable."""
        booking, room = self._event(sent.event_id, sent.room_id)
        until = instant_of(sent.extend_until, zone_of(room.zone))
        if until < booking.end:
            raise field_error("extend_until", "An event is not extended to a time before its end.")
        return self.bookings.change(booking.id, end=until, by=self.by), room

    def move(self, sent: SentJoanMove) -> Found:
        """A move that was made already is answered as if it were the first. Raises NotFound, Taken, NotAllowed."""
        old, new = self.rooms.named(sent.old_calendar_id), self.rooms.named(sent.new_calendar_id)
        booking = self.bookings.get(sent.event_id)
        if booking.room == new.id:
            return booking, new
        if booking.room != old.id:
            raise Unknown("The event is in another room")
        return self.bookings.change(booking.id, room=new, by=self.by), new

    def search(self, sent: SentJoanSearch) -> list[Room]:
        """The rooms that can be booked then and that nobody has. Raises Invalid."""
        length = (SEARCH_MINUTES if sent.duration is None else sent.duration) * MINUTE_MS
        by_start: dict[int, list[Room]] = {}
        for room in self.rooms.all():
            start = self._start(sent.eventStart, zone_of(sent.timezone or room.zone))
            if _can_be_booked(room, start, start + length, self.caller.at):
                by_start.setdefault(start, []).append(room)
        free: set[str] = set()
        for start, some in by_start.items():
            free |= self.bookings.free(some, start, start + length)
        return [room for some in by_start.values() for room in some if room.id in free]

    def invite(self, sent: SentJoanInvitation, roots: RootSecrets) -> tuple[Booking, Room, Attendee, str]:
        """The attendee, and what their links are signed with; the same for somebody who is invited again.

        Raises NotFound, NotAllowed, Invalid, Unavailable.
        """
        booking, room = self._event(sent.event_id, sent.room_id)
        mark = mark_of(booking.id, sent.email)
        known = next((each for each in booking.attendees if each.email.casefold() == sent.email.casefold()), None)
        guest = (
            replace(known, token=mark)
            if known
            else Attendee(email=sent.email, name=self._name_of(sent.email), token=mark)
        )
        if guest != known:
            booking = self.bookings.invite(booking.id, guest, by=self.by)
        return booking, room, guest, signed(roots, Invitation(self.caller.principal.account, booking.id, mark))

    # ---- how

    def _event(self, event: str, room_name: str) -> Found:
        """Raises NotFound: no such event, or in another room."""
        booking, room = self.bookings.get(event), self.rooms.named(room_name)
        if booking.room != room.id:
            raise Unknown("The event is in another room")
        return booking, room

    def _source(self, source: str) -> Room:
        """A room by any name that it has, or by the device at its door. Raises Invalid."""
        attempts: tuple[Callable[[], Room], ...] = (
            lambda: self.rooms.named(source),
            lambda: self.rooms.get(devices.by_uuid(self.caller.tables, source).document["room"]),
        )
        for attempt in attempts:
            try:
                return attempt()
            except NotFound:
                continue
        raise field_error("source", f"There is no room and no device {source[:80]}.")

    def _name_of(self, email: str) -> str:
        """What somebody with this address is called, if it is known."""
        found = plain.all_of(self.caller.tables, PERSON, "email", email)
        return str(found[0].document["name"]) if found else ""

    def _start(self, start: datetime | None, zone: ZoneInfo) -> int:
        return self.caller.at if start is None else instant_of(start, zone)

    def _range(self, start: str | None, end: str | None, zone: ZoneInfo) -> tuple[int, int]:
        first = _bound("start", start, zone, ends=False) or today(self.caller.at, zone)
        last = _bound("end", end, zone, ends=True) or first + DAYS_SHOWN * DAY_MS
        if last <= first:
            raise field_error("end", "The end must be later than the start.")
        if last - first > MAX_DAYS * DAY_MS:
            raise field_error("end", f"The end must be within {MAX_DAYS} days of the start.")
        return first, last


def answer(bookings: Bookings, invitation: Invitation, said: PartStat | None, by: By) -> tuple[Booking, Attendee]:
    """What somebody who was invited says, None to look only; the last word counts.

    Raises NotFound, NotAllowed for an event that takes place no more, Unavailable.
    """
    booking = bookings.get(invitation.booking)
    if not booking.holds and booking.state != "ended":
        raise NotAllowed("state", "This event does not take place")
    if said is not None:
        booking = bookings.respond(invitation.booking, invitation.mark, said, by=by)
    for each in booking.attendees:
        if each.token == invitation.mark:
            return booking, each
    raise NotFound("There is no such invitation")


def field_error(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", details=[Finding(field=field, message=message)])


def _bound(field: str, text: str | None, zone: ZoneInfo, *, ends: bool) -> int | None:
    if not text:
        return None
    try:
        return read_bound(text, zone, ends=ends)
    except ValueError as error:
        raise field_error(field, str(error)) from error


def _can_be_booked(room: Room, start: int, end: int, now: int) -> bool:
    try:
        check_rules(room, start, end, now)
    except FingerpostError:
        return False
    return True
