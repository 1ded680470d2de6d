"""Book a room, change, cancel, check in, finish: what every room API does, whatever it calls it.

No two bookings that hold a slot ever overlap; a change that is refused leaves everything as it was; one key is one
booking; every change is one transaction and one event. Reads are in queries.py.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from copy import replace
from functools import cache
from typing import Any

from ..clock import Clock
from ..errors import Conflict, Invalid
from ..ids import new_id
from ..ports.table import Absent, Item, Put, Tables, TransactionFailed, Write
from ..shapes import stamp
from . import keys
from .commits import Commit, Committer, RoomOf
from .errors import NotAllowed, Taken, Unknown
from .local_time import zone_of
from .model import (
    MINUTE_MS,
    Attendee,
    Booking,
    By,
    Event,
    FindsRooms,
    PartStat,
    Person,
    Room,
    State,
)
from .queries import Calendar
from .records import Record, stamp_of
from .recurrence import starts_of
from .repeats import Request, request_of
from .rooms import Rooms
from .rules import check_interval, check_rules, horizon
from .slots import awaiting, check_texts, moved_to, slot_of

MAX_SERIES_DAYS = 90  # days that the occurrences of a series lie on: a transaction has 100 writes
NOBODY = Person()

# (the booking as it is, now, where rooms are found) -> the booking as it becomes, None to leave it
type Decide = Callable[[Booking, int, RoomOf], tuple[Booking, Event] | None]


class Bookings(Calendar):
    """The verbs. `tables` are the account's own; `rooms` finds its rooms, by default every one."""

    def __init__(self, tables: Tables, clock: Clock, rooms: FindsRooms | None = None):
        super().__init__(tables, clock)
        self._rooms = rooms or Rooms(tables)
        self._committer = Committer(self._main, clock)

    def book(
        self,
        room: Room,
        start: int,
        end: int,
        *,
        by: By,
        title: str = "",
        description: str = "",
        organizer: Person = NOBODY,
        attendees: tuple[Attendee, ...] = (),
        walk_in: bool = False,
        rrule: str | None = None,
        external: Mapping[str, str] | None = None,
        key: str | None = None,
        also: Callable[[], Iterable[Write]] = tuple,
    ) -> Booking:
        """Reserve a room; with `rrule` (RFC 5545, such as `FREQ=WEEKLY;COUNT=8`) all of the occurrences or none.

        `walk_in`: who books is there already. A repeat with the same `key` of the same client answers what the first
        made; of clients that know no keys, the same request from two seconds later on, for a minute. `also` is written
        in the same transaction: asked when nothing is in the way any more, and not for a repeat.
        Raises Taken, NotAllowed, Invalid, Conflict (the key belongs to another request), Unavailable.
        """
        check_interval(start, end)
        emails = [each.email for each in attendees]
        sent = [room.id, start, end, title, description, organizer.email, organizer.name, emails, walk_in, rrule]
        request = request_of(by, key, sent)
        at, booking_id = self._clock(), new_id(self._clock())
        whole = Booking(
            id=booking_id,
            room=room.id,
            start=start,
            end=end,
            zone=room.zone,
            title=title,
            description=description,
            organizer=organizer,
            attendees=attendees,
            state="tentative" if room.approval else "confirmed",
            source=by.source,
            external=dict(external or {}),
            rrule=rrule,
            created_by=str(by),
            created_at=at,
            updated_at=at,
        )
        check_texts(whole)

        def attempt() -> Booking:
            row = request.first(self._main) if request else None
            if (first := self._made_by(row, request, whole)) is not None:
                return first
            claims = [*self._external_claims(whole), *([request.claim(booking_id, at, row)] if request else ())]
            try:
                return self._create(room, whole, by, lambda: [*claims, *also()], walk_in=walk_in)
            except (Taken, TransactionFailed) as failure:
                # perhaps by the first of the same request, which came through after we had looked
                if request and (first := self._made_by(request.first(self._main), request, whole)) is not None:
                    return first
                if isinstance(failure, TransactionFailed):
                    if failure.reasons[0].old is not None:  # it is ours: only its answer was lost
                        return self.get(booking_id)
                    _check_claims(failure, whole)
                raise

        return self._committer.run(attempt, self._release_overdue)

    def change(
        self,
        booking_id: str,
        *,
        by: By,
        room: Room | None = None,
        start: int | None = None,
        end: int | None = None,
        title: str | None = None,
        description: str | None = None,
        organizer: Person | None = None,
        attendees: tuple[Attendee, ...] | None = None,
    ) -> Booking:
        """Move (to another room or time), extend, shorten, rename; what is not given stays.

        Raises Taken, NotAllowed, Invalid, Unknown, Unavailable.
        """
        sent = {"title": title, "description": description, "organizer": organizer, "attendees": attendees}
        fields: dict[str, Any] = {name: value for name, value in sent.items() if value is not None}

        def decide(before: Booking, now: int, room_of: RoomOf) -> tuple[Booking, Event] | None:
            _must_hold(before, "changed")
            target = room or room_of(before.room)
            after = replace(
                before,
                room=target.id,
                zone=before.zone if target.id == before.room else target.zone,
                start=before.start if start is None else start,
                end=before.end if end is None else end,
                **fields,
            )
            if after == before:
                return None
            check_texts(after)
            if (after.room, after.start, after.end) != (before.room, before.start, before.end):
                if before.rrule is not None:
                    raise Invalid("A series keeps its room and its times; move its occurrences one by one")
                after = moved_to(before, after, target, now)
            return after, "_RoomChanged"

        return self._alter(booking_id, decide, by)

    def cancel(self, booking_id: str, *, by: By, recurrence_id: int | None = None) -> Booking:
        """Give the slot back; of a series all occurrences, or the one that began at `recurrence_id` as the rule has it.

        Cancelling again changes nothing. Raises NotAllowed, Unknown, Unavailable.
        """
        if recurrence_id is not None and (starts := self.record(booking_id).starts):
            if recurrence_id not in starts:
                raise Unknown(f"The series {booking_id[:80]} has no such occurrence")
            booking_id = f"{booking_id}_{stamp_of(recurrence_id)}"

        def decide(before: Booking, _now: int, _room_of: RoomOf) -> tuple[Booking, Event] | None:
            if before.state == "cancelled":
                return None
            _must_hold(before, "cancelled")
            return replace(before, state="cancelled"), "_RoomCancelled"

        return self._alter(booking_id, decide, by)

    def approve(self, booking_id: str, *, by: By) -> Booking:
        """Raises NotAllowed for what does not wait for it, Unknown, Unavailable."""

        def decide(before: Booking, now: int, room_of: RoomOf) -> tuple[Booking, Event] | None:
            if before.state == "confirmed":
                return None
            if before.state != "tentative":
                raise NotAllowed("state", f"This booking is {_words(before.state)} and waits for nobody's approval")
            return awaiting(replace(before, state="confirmed"), now, room_of(before.room)), "_RoomApproved"

        return self._alter(booking_id, decide, by)

    def decline(self, booking_id: str, *, by: By) -> Booking:
        """Raises NotAllowed for what does not wait for approval, Unknown, Unavailable."""

        def decide(before: Booking, _now: int, _room_of: RoomOf) -> tuple[Booking, Event] | None:
            if before.state == "declined":
                return None
            if before.state != "tentative":
                raise NotAllowed("state", f"This booking is {_words(before.state)} and waits for nobody's approval")
            return replace(before, state="declined"), "_RoomDeclined"

        return self._alter(booking_id, decide, by)

    def check_in(self, booking_id: str, *, by: By) -> Booking:
        """Somebody has come. Raises NotAllowed (too early, released, waits for approval), Unknown, Unavailable."""

        def decide(before: Booking, now: int, room_of: RoomOf) -> tuple[Booking, Event] | None:
            if before.rrule is not None:
                raise Invalid("Occurrences of a series are checked in one by one")
            if before.state == "checkedIn":
                return None
            if before.state != "confirmed":
                raise NotAllowed("state", f"This booking is {_words(before.state)} and cannot be checked in")
            window = room_of(before.room).check_in
            if window is not None and now < before.start - window.opens_before_min * MINUTE_MS:
                minutes = window.opens_before_min
                raise NotAllowed("checkIn", f"Check-in opens {minutes} minutes before the start")
            return replace(before, state="checkedIn", checked_in_at=now, release_at=None), "_RoomCheckedIn"

        return self._alter(booking_id, decide, by)

    def finish(self, booking_id: str, *, by: By) -> Booking:
        """End a running booking now. What is over already ends as it had. Raises NotAllowed, Unknown, Unavailable."""

        def decide(before: Booking, now: int, room_of: RoomOf) -> tuple[Booking, Event] | None:
            if before.rrule is not None:
                raise Invalid("Occurrences of a series are finished one by one")
            if before.state == "ended":
                return None
            _must_hold(before, "finished")
            if now < before.start:
                raise NotAllowed("running", "This booking has not begun; cancel it instead")
            end = min(before.end, max(now, before.start + 1))
            return replace(before, state="ended", end=end, release_at=None), "_RoomFinished"

        return self._alter(booking_id, decide, by)

    def release(self, booking_id: str, *, by: By) -> Booking:
        """Free a slot for which nobody has checked in. Raises NotAllowed when it is not time, Unknown, Unavailable."""

        def decide(before: Booking, now: int, room_of: RoomOf) -> tuple[Booking, Event] | None:
            if before.state == "released" and not before.overdue(now):
                return None
            if not before.overdue(now):
                raise NotAllowed("state", f"This booking is {_words(before.state)} and not overdue")
            return replace(before, state="released"), "_RoomReleased"

        return self._alter(booking_id, decide, by, as_stored=True)

    def invite(self, booking_id: str, attendee: Attendee, *, by: By) -> Booking:
        """Add somebody, or tell of them anew, by e-mail address. Raises NotAllowed, Invalid, Unknown, Unavailable."""

        def decide(before: Booking, _now: int, _room_of: RoomOf) -> tuple[Booking, Event] | None:
            _must_hold(before, "changed")
            others = [each for each in before.attendees if each.email.casefold() != attendee.email.casefold()]
            after = replace(before, attendees=(*others, attendee))
            check_texts(after)
            return None if attendee in before.attendees else (after, "_RoomChanged")

        return self._alter(booking_id, decide, by)

    def respond(self, booking_id: str, token: str, partstat: PartStat, *, by: By) -> Booking:
        """What somebody who was invited says, known by the token of the invitation. Raises Unknown, Unavailable."""

        def decide(before: Booking, _now: int, _room_of: RoomOf) -> tuple[Booking, Event] | None:
            sent = token.encode()
            invited = (each for each in before.attendees if each.token)
            who = next((each for each in invited if hmac.compare_digest(each.token.encode(), sent)), None)
            if who is None:
                raise Unknown("There is no such invitation")
            if who.partstat == partstat:
                return None
            told = tuple(replace(each, partstat=partstat) if each is who else each for each in before.attendees)
            return replace(before, attendees=told), "_RoomChanged"

        return self._alter(booking_id, decide, by)

    # ---- how

    def _create(
        self, room: Room, whole: Booking, by: By, also: Callable[[], Iterable[Write]], *, walk_in: bool
    ) -> Booking:
        now = self._clock()
        record = Record(whole)
        if whole.rrule is not None:
            found = starts_of(
                whole.rrule,
                whole.start,
                whole.end,
                zone_of(room.zone),
                max_days=MAX_SERIES_DAYS - len(whole.external),
                latest=horizon(room, now) if room.rules.horizon_days is not None else None,
                margin=room.rules.buffer_minutes * MINUTE_MS,
            )
            record = Record(replace(whole, rrule=found.rrule, start=found.starts[0], end=found.ends[0]), found.starts)
        for each in record.occurrences():
            check_rules(room, each.start, each.end, now)
            record = record.with_booking(awaiting(each, now, room))
        if walk_in and whole.state == "confirmed":  # of a series, to its first occurrence
            first = replace(record.occurrences()[0], state="checkedIn", checked_in_at=now, release_at=None)
            record = record.with_booking(first)
        moved = tuple(record.occurrences())
        commit = Commit(record=record, before=None, moved=moved, event="_RoomBooked", subject=record.whole, also=also)
        return self._committer.write(commit, by, {room.id: room}.__getitem__)

    def _alter(self, booking_id: str, decide: Decide, by: By, *, as_stored: bool = False) -> Booking:
        """Carry out what `decide` makes of the booking as it is, again when somebody else was faster."""

        def attempt() -> Booking:
            record, now, room_of = self.record(booking_id), self._clock(), cache(self._rooms.get)
            stored = record.get(booking_id)
            before = stored if as_stored else stored.seen_at(now)
            decided = decide(before, now, room_of)
            if decided is None:
                return before
            changed, event = decided
            after = replace(changed, sequence=before.sequence + 1, updated_at=now)
            if after.rrule is not None and after.state != before.state:
                new = record.with_state(after)
                if after.state == "confirmed":
                    for each in new.occurrences():
                        new = new.with_booking(awaiting(each, now, room_of(each.room)))
                old = {each.id: each for each in record.occurrences()}
                moved = tuple(each for each in new.occurrences() if slot_of(each) != slot_of(old[each.id]))
            else:
                new = record.with_booking(after)
                moved = () if after.rrule is not None or slot_of(after) == slot_of(stored) else (after,)
            more = {"fromRoom": before.room} if before.room != after.room else {}
            commit = Commit(record=new, before=record, moved=moved, event=event, subject=after, more=more)
            return self._committer.write(commit, by, room_of)

        return self._committer.run(attempt, self._release_overdue)

    def _release_overdue(self, booking_id: str) -> None:
        with suppress(NotAllowed, Unknown):  # somebody has come after all, or it has gone
            self.release(booking_id, by=By(source="api", client="check-in"))

    def _made_by(self, row: Item | None, request: Request | None, asked: Booking) -> Booking | None:
        """What the first one of a request has made that comes again, for what is `asked`."""
        if row is None or request is None:
            return None
        first = self.get(str(row["id"]))
        return first if request.repeats(first, asked) else None

    def _external_claims(self, whole: Booking) -> list[Put]:
        return [
            Put(keys.booking_of(system, external_id), {**stamp("bookingOf"), "id": whole.id}, (Absent(),))
            for system, external_id in whole.external.items()
        ]


def _check_claims(failure: TransactionFailed, whole: Booking) -> None:
    """They come right after the booking and its event. Raises Conflict for an id that another booking has."""
    for reason, system in zip(failure.reasons[2:], whole.external, strict=False):
        if reason.kind == "condition":
            raise Conflict(f"Another booking has this id of {system}") from failure


def _must_hold(booking: Booking, verb: str) -> None:
    if not booking.holds:
        raise NotAllowed("state", f"This booking is {_words(booking.state)} and cannot be {verb}")


def _words(state: State) -> str:
    return {"checkedIn": "checked in"}.get(state, state)
