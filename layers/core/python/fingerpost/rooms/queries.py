"""What is booked: reads of bookings and of the days of rooms. Consistent: whoever made a change sees it."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from ..clock import DAY_MS, Clock
from ..errors import TooLarge
from ..ids import is_id
from ..ports.table import LAST, Key, Table, Tables
from . import keys
from .errors import Unknown
from .keys import days_of
from .ledger import Day, Entry, distinct, from_item
from .model import HOLDING, MINUTE_MS, SHOWN, Booking, Room, State
from .records import Record, row_id
from .records import from_item as record_of

DAYS_AT_ONCE = 100
DAYS_TOGETHER = 10  # of several rooms; for more days each room is a query
MAX_LISTED = 10_000  # bookings in one answer that has no pages: some 4 MB, and Lambda answers with 6 MB at most
MAX_AHEAD_DAYS = 400  # how far the next booking of a room is looked for


class Calendar:
    """The bookings of an account's rooms. `tables` are the account's own."""

    def __init__(self, tables: Tables, clock: Clock):
        self._main: Table = tables.main
        self._clock = clock

    def get(self, booking_id: str) -> Booking:
        """A booking, an occurrence or a series as a whole, as it has to be taken now. Raises Unknown."""
        return self.record(booking_id).get(booking_id).seen_at(self._clock())

    def record(self, booking_id: str) -> Record:
        """The row of a booking with all of its occurrences. Raises Unknown."""
        own_id = row_id(booking_id)
        item = self._main.get(keys.booking(own_id), consistent=True) if is_id(own_id) else None
        if item is None:
            raise Unknown(f"There is no booking {booking_id[:80]}")
        return record_of(own_id, item)

    def by_external(self, system: str, external_id: str) -> Booking:
        """The booking that another system knows by this id. Raises Unknown."""
        item = self._main.get(keys.booking_of(system, external_id), consistent=True)
        if item is None:
            raise Unknown(f"There is no booking {external_id[:80]}")
        return self.get(str(item["id"]))

    def by_externals(self, system: str, external_ids: Sequence[str]) -> dict[str, Booking]:
        """The same of many at once, by the ids of that system; without those that are none."""
        found = self._main.get_many([keys.booking_of(system, each) for each in external_ids], consistent=True)
        ids = {each: found.get(keys.booking_of(system, each)) for each in external_ids}
        bookings = {each: str(item["id"]) for each, item in ids.items() if item is not None}
        records, now = self._records(bookings.values()), self._clock()
        return {
            each: records[row_id(booking)].get(booking).seen_at(now)
            for each, booking in bookings.items()
            if row_id(booking) in records
        }

    def of_room(
        self, room_id: str, start: int, end: int, *, states: Collection[State] = SHOWN, bounded: bool = False
    ) -> list[Booking]:
        """The bookings of a room that meet an interval, by start; occurrences one by one.

        By default those that take place or took place; what was cancelled, declined or released on demand.
        `bounded`: raises TooLarge for more than one answer holds, before they are read.
        """
        return self.of_rooms([room_id], start, end, states=states, bounded=bounded)[room_id]

    def of_rooms(
        self,
        room_ids: Sequence[str],
        start: int,
        end: int,
        *,
        states: Collection[State] = SHOWN,
        bounded: bool = False,
    ) -> dict[str, list[Booking]]:
        """The same of several rooms, by room: for a few days all are read in batches together."""
        entries: set[Entry] = set()
        for days in self._days_of_rooms(room_ids, start, end).values():
            for day in days:
                entries.update(each for each in (*day.entries, *day.past) if each.meets(start, end))
                if bounded and len(entries) > MAX_LISTED:
                    raise TooLarge(f"There are more than {MAX_LISTED:,} bookings in this time; ask for less of it")
        bookings = self._bookings(distinct(entries))
        found: dict[str, list[Booking]] = {room_id: [] for room_id in room_ids}
        for booking in sorted(bookings, key=lambda each: (each.start, each.id)):
            if booking.state in states and booking.room in found:
                found[booking.room].append(booking)
        return found

    def records_of(self, room_id: str, start: int, end: int) -> list[Record]:
        """The rows of the bookings of a room that meet an interval: series whole, as calendars want them."""
        entries: list[Entry] = []
        for day in self._days(room_id, start, end):
            entries += [each for each in (*day.entries, *day.past) if each.meets(start, end)]
        return list(self._records(each.booking for each in distinct(entries)).values())

    def ahead(self, room_id: str, *, limit: int) -> list[Booking]:
        """What holds the room now or later, however far ahead, by start: occurrences one by one."""
        now = self._clock()
        low = days_of(now, now + 1)[0]
        found: list[Booking] = []
        position: str | None = None
        while True:
            page = self._main.query(
                keys.room_days(room_id), low=low, after=position, limit=DAYS_AT_ONCE, consistent=True
            )
            entries = [each for row in page.rows for each in from_item(row.item).entries if each.end > now]
            known = {each.id for each in found}
            found += [
                each
                for each in self._bookings(distinct(entries))
                if each.state in HOLDING and each.room == room_id and each.end > now and each.id not in known
            ]
            if page.after is None or len(found) >= limit:
                return sorted(found, key=lambda each: (each.start, each.id))[:limit]
            position = page.after

    def running(self, room_id: str, at: int) -> Booking | None:
        """Who has the room at a moment."""
        return next(iter(self.of_room(room_id, at, at + 1, states=HOLDING)), None)

    def next(self, room_id: str, at: int) -> Booking | None:
        """The first booking that begins after a moment, within the next 400 days."""
        position: str | None = None
        low = days_of(at, at + 1)[0]
        high = days_of(at + MAX_AHEAD_DAYS * DAY_MS, at + MAX_AHEAD_DAYS * DAY_MS + 1)[0]
        while True:
            page = self._main.query(
                keys.room_days(room_id), low=low, high=high, after=position, limit=7, consistent=True
            )
            for row in page.rows:
                later = [each for each in from_item(row.item).entries if each.start > at]
                for booking in self._bookings(later):
                    if booking.state in HOLDING and booking.room == room_id and booking.start > at:
                        return booking
            if page.after is None:
                return None
            position = page.after

    def busy(self, rooms: Sequence[Room], start: int, end: int) -> Mapping[str, list[tuple[int, int]]]:
        """When each of the rooms is taken between two moments, by start; nothing of what for."""
        now = self._clock()
        days = {room.id: self._wanted(room, start, end) for room in rooms}
        rows = self._main.get_many([key for wanted in days.values() for key in wanted], consistent=True)
        taken: dict[str, list[tuple[int, int]]] = {}
        for room in rooms:
            entries = (each for key in days[room.id] for each in from_item(rows.get(key)).entries)
            margin = room.rules.buffer_minutes * MINUTE_MS
            taken[room.id] = [
                (each.start, each.end)
                for each in distinct(entries)
                if each.holds_at(now) and each.meets(start - margin, end + margin)
            ]
        return taken

    def free(self, rooms: Sequence[Room], start: int, end: int) -> set[str]:
        """The ids of those rooms that nobody has between two moments. Rooms that cannot be booked at all are not."""
        taken = self.busy([room for room in rooms if room.active], start, end)
        return {room_id for room_id, intervals in taken.items() if not intervals}

    def _wanted(self, room: Room, start: int, end: int) -> list[Key]:
        margin = room.rules.buffer_minutes * MINUTE_MS
        return [keys.room_day(room.id, day) for day in days_of(start - margin, end + margin)]

    def _days_of_rooms(self, room_ids: Sequence[str], start: int, end: int) -> dict[str, Iterable[Day]]:
        days = days_of(start, end)
        if len(room_ids) == 1 or len(days) > DAYS_TOGETHER:
            return {room_id: self._days(room_id, start, end) for room_id in room_ids}
        keys_of = {room_id: [keys.room_day(room_id, day) for day in days] for room_id in room_ids}
        rows = self._main.get_many([key for each in keys_of.values() for key in each], consistent=True)
        return {room_id: [from_item(rows[key]) for key in wanted if key in rows] for room_id, wanted in keys_of.items()}

    def _days(self, room_id: str, start: int, end: int) -> Iterable[Day]:
        days = days_of(start, end)
        position: str | None = None
        while True:
            page = self._main.query(
                keys.room_days(room_id),
                low=days[0],
                high=days[-1] + LAST,
                after=position,
                limit=DAYS_AT_ONCE,
                consistent=True,
            )
            yield from (from_item(row.item) for row in page.rows)
            if page.after is None:
                return
            position = page.after

    def _bookings(self, entries: Iterable[Entry]) -> list[Booking]:
        wanted = list(dict.fromkeys(each.booking for each in entries))
        records, now = self._records(wanted), self._clock()
        return [records[row_id(each)].get(each).seen_at(now) for each in wanted if row_id(each) in records]

    def _records(self, booking_ids: Iterable[str]) -> dict[str, Record]:
        ids = list(dict.fromkeys(row_id(each) for each in booking_ids))
        items = self._main.get_many([keys.booking(each) for each in ids], consistent=True)
        return {each: record_of(each, items[keys.booking(each)]) for each in ids if keys.booking(each) in items}
