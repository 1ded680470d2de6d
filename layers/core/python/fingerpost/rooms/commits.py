"""One change of one booking as one transaction: its row, the days it holds, its event. All or nothing, exactly once.

Every row names the version that was read, so of two changes that meet, one is made again from what the other left.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import replace
from dataclasses import dataclass, field

from ..clock import Clock
from ..errors import Invalid, NotFound, TooLarge, Unavailable
from ..keys import LIVE
from ..ports.table import (
    MAX_TRANSACTION_WRITES,
    Absent,
    Check,
    Equals,
    ItemTooLarge,
    Key,
    Present,
    Put,
    Table,
    Throttled,
    TransactionFailed,
    Write,
)
from ..retry import attempts
from . import keys
from .errors import NotAllowed, Taken
from .events import about, told
from .keys import days_of
from .kinds import ROOM
from .ledger import MAX_ENTRIES, Day, Entry, from_item, to_item
from .model import MINUTE_MS, Booking, By, Event, Room
from .records import Record
from .records import to_item as row_of

TRIES = 24  # with pauses of up to 400 ms: forty at once who want different hours of one day all get theirs


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What shall be: `record` as it becomes, of which `moved` are the bookings whose slots change.

    `before` is the record as it was read, None when there was none. `also` stands in the same transaction; it is asked
    once the slot is known to be free, so that what is refused has written nothing.
    """

    record: Record
    before: Record | None
    moved: tuple[Booking, ...]
    event: Event
    subject: Booking  # what the event is about
    more: Mapping[str, object] = field(default_factory=dict)  # what it says besides
    also: Callable[[], Iterable[Write]] = tuple


type RoomOf = Callable[[str], Room]


class OverdueInTheWay(Exception):
    """The slot is only held by a booking that nobody has come for."""

    def __init__(self, booking_id: str):
        super().__init__(booking_id)
        self.booking_id = booking_id


class Committer:
    """Carries out commits in one account."""

    def __init__(self, main: Table, clock: Clock):
        self._main, self._clock = main, clock

    def run[T](self, attempt: Callable[[], T], release: Callable[[str], None]) -> T:
        """Try until it is through; `attempt` reads all anew.

        Raises Unavailable when others always came first, TooLarge.
        """
        for _ in attempts(TRIES, base_ms=20, cap_ms=400):
            try:
                return attempt()
            except OverdueInTheWay as overdue:
                release(overdue.booking_id)
            except TransactionFailed as failure:
                if any(reason.kind == "other" for reason in failure.reasons):
                    raise
            except ItemTooLarge as error:
                raise TooLarge("This booking, or its series, holds more than the 400 KB of a row") from error
            except Throttled:
                continue
        raise Unavailable(
            "Others are booking this room all the time; send the request again", headers={"retry-after": "1"}
        )

    def write(self, commit: Commit, by: By, room_of: RoomOf) -> Booking:
        """One attempt; `room_of` is asked time and again.

        Raises Taken, OverdueInTheWay, Invalid, TransactionFailed, NotFound for a room that has been removed since.
        """
        now = self._clock()
        room = room_of(commit.subject.room)
        before = {each.id: each for each in commit.before.occurrences()} if commit.before else {}
        wanted = _wanted(commit.moved, before, room_of)
        rows = self._main.get_many([*wanted, LIVE], consistent=True)
        days = {key: from_item(rows.get(key)) for key in wanted}
        after = _after(days, commit.moved, before, room_of, now)
        version = commit.before.whole.version if commit.before else 0
        record = replace(commit.record, whole=replace(commit.record.whole, version=version + 1))
        rooms = dict.fromkeys([room.id, *(old.room for old in before.values() if old.id == commit.subject.id)])
        row = row_of(record, commit.event, commit.subject.id, list(rooms))
        writes: list[Write] = [
            Put(keys.booking(record.whole.id), row, _unchanged(version)),
            told(commit.event, room, {**about(commit.subject), **commit.more}, by, now, rows.get(LIVE)),
            *commit.also(),
        ]
        for key, day in days.items():
            if after[key] != day:
                writes.append(Put(key, to_item(after[key]), _unchanged(day.version)))
            else:
                writes.append(Check(key, _unchanged(day.version)))
        held = list(dict.fromkeys(each.room for each in commit.moved if each.holds))
        others = len(writes) - len(days) + len(held)
        if len(days) + others > MAX_TRANSACTION_WRITES:
            raise Invalid(
                f"This would change {len(days)} days at once; the limit is {MAX_TRANSACTION_WRITES - others}. "
                "Change the occurrences one by one."
            )
        try:
            self._main.transact([*writes, *(Check(ROOM.key(each), (Present(),)) for each in held)])
        except TransactionFailed as failure:
            for each, reason in zip(held, failure.reasons[len(writes) :], strict=True):
                if reason.kind == "condition":
                    raise NotFound(f"There is no room {each}") from failure
            raise
        return record.get(commit.subject.id)


def _wanted(moved: Iterable[Booking], before: Mapping[str, Booking], room_of: RoomOf) -> list[Key]:
    """The days that have to be read: those that change, and those that a buffer reaches into."""
    wanted: dict[Key, None] = {}
    for booking in moved:
        old = before.get(booking.id)
        if old is not None:
            wanted |= dict.fromkeys(keys.room_day(old.room, day) for day in days_of(old.start, old.end))
        margin = _margin(booking, room_of) if booking.holds else 0
        days = days_of(booking.start - margin, booking.end + margin)
        wanted |= dict.fromkeys(keys.room_day(booking.room, day) for day in days)
    return list(wanted)


def _margin(booking: Booking, room_of: RoomOf) -> int:
    return room_of(booking.room).rules.buffer_minutes * MINUTE_MS


def _after(
    days: Mapping[Key, Day], moved: Sequence[Booking], before: Mapping[str, Booking], room_of: RoomOf, now: int
) -> dict[Key, Day]:
    """The days as they become. Raises Taken, OverdueInTheWay."""
    after = dict(days)
    for booking in moved:  # everything lets go before anything takes hold
        old = before.get(booking.id)
        if old is not None:
            for key in (keys.room_day(old.room, day) for day in days_of(old.start, old.end)):
                after[key] = after[key].without(booking.id)
    for booking in moved:
        entry = Entry(booking.start, booking.end, booking.id, booking.release_at or 0)
        touched = [keys.room_day(booking.room, day) for day in days_of(booking.start, booking.end)]
        if not booking.holds:
            for key in touched:
                after[key] = after[key].let_go(entry)
            continue
        margin = _margin(booking, room_of)
        for day in days_of(booking.start - margin, booking.end + margin):
            key = keys.room_day(booking.room, day)
            clash = after[key].clash(booking.start - margin, booking.end + margin, but=booking.id)
            if clash is not None and not clash.holds_at(now):
                raise OverdueInTheWay(clash.booking)
            if clash is not None:
                raise Taken(clash.start, clash.end)
        for key in touched:
            after[key] = after[key].with_entry(entry)
            if len(after[key].entries) > MAX_ENTRIES:
                raise NotAllowed("full", f"A room takes at most {MAX_ENTRIES:,} bookings a day")
    return after


def _unchanged(version: int) -> tuple[Absent] | tuple[Equals]:
    return (Equals("v", version),) if version else (Absent(),)
