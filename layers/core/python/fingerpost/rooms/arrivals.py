"""Slots of those who do not come: written down as free soon after the grace of their rooms is over.

Readers take an overdue booking as released from that moment on, so that a late sweep does no harm; it frees the day for
whoever only looks, and makes the event. An account has at most one sweep on its way through the work queue: it comes
when the first booking is due, within 15 minutes at the latest, and as long as there is one.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from .. import wiring
from ..clock import DAY_MS, Clock
from ..errors import NotFound
from ..keys import moment
from ..ports.queue import MAX_DELAY_MS, Queue
from ..ports.table import LAST, Absent, ConditionFailed, Equals, Put, Table, Tables
from ..retry import attempts
from ..shapes import stamp
from . import keys
from .bookings import Bookings
from .errors import NotAllowed
from .model import Booking, By, FindsRooms, Told
from .queries import Calendar

AT_ONCE = 100
LOST_MS = 5 * 60_000  # a sweep that is so late is taken as lost
KEPT_MS = 7 * DAY_MS
TRIES = 12
SWEEPER = By(source="api", client="check-in")


class Arrivals:
    """The bookings of one account that somebody has to come to. `tables` are its own."""

    def __init__(self, tables: Tables, queue: Queue, clock: Clock, rooms: FindsRooms | None = None):
        self._tables, self._queue, self._clock, self._rooms = tables, queue, clock, rooms
        self._log: Table = tables.log

    def expect(self, bookings: Iterable[Booking]) -> None:
        """Have those looked at that somebody still has to check in to. Doing it again does no harm."""
        due = [(each.release_at, each.id) for each in bookings if each.state == "confirmed" and each.release_at]
        if due:
            row = stamp("arrival")
            puts = [Put(keys.arrival(until, each), row, expires_at=until + KEPT_MS) for until, each in due]
            self._log.put_many(puts)
            self._wake_at(min(until for until, _ in due))

    def sweep(self, planned: int) -> None:
        """Release what is overdue, and have the next ones looked at. `planned` is when this sweep was to come."""
        bookings = Bookings(self._tables, self._clock, self._rooms)
        while overdue := self._log.query(
            keys.ARRIVALS, high=moment(self._clock()) + LAST, limit=AT_ONCE, consistent=True
        ).rows:
            for row in overdue:
                _, _, booking_id = row.key.sk.partition("#")
                with suppress(NotAllowed, NotFound):  # somebody came, it was moved, or it is gone
                    bookings.release(booking_id, by=SWEEPER)
                self._log.delete(row.key)
        try:
            self._log.delete(keys.SWEEP, when=(Equals("at", planned),))
        except ConditionFailed as failure:
            if failure.old is not None:
                return  # another sweep is on its way; without a row this one has been cut off here before
        for row in self._log.query(keys.ARRIVALS, limit=1, consistent=True).rows:
            self._wake_at(int(row.key.sk.partition("#")[0]))

    def _wake_at(self, due: int) -> None:
        """Have a sweep come by then, unless one does already."""
        for _ in attempts(TRIES):
            now = self._clock()
            wake = min(due, now + MAX_DELAY_MS)
            row = self._log.get(keys.SWEEP, consistent=True)
            if row is not None and now - LOST_MS <= row["at"] <= max(wake, now):
                return
            task = {"do": "sweep", "account": self._tables.account, "at": wake}
            self._queue.send(json.dumps(task), group=self._tables.account, delay_ms=max(0, wake - now))
            try:
                when = (Equals("at", row["at"]),) if row is not None else (Absent(),)
                self._log.put(keys.SWEEP, {**stamp("sweep"), "at": wake}, when=when)
            except ConditionFailed:
                continue  # the message that was sent sweeps too, and ends there
            return


def expect(told: Told, own: Tables) -> None:
    """A listener (telling.py): whoever booked has to come."""
    if not told.booking:
        return
    record = Calendar(own, wiring.clock).record(told.booking)
    subject = record.get(told.booking)
    arrivals = Arrivals(own, wiring.queue("work"), wiring.clock)
    arrivals.expect(record.occurrences() if subject.rrule is not None else [subject])


def sweep(task: Mapping[str, Any], tables: Tables) -> None:
    """Carry out a task `sweep`. `tables` are unscoped."""
    Arrivals(tables.of(task["account"]), wiring.queue("work"), wiring.clock).sweep(task["at"])
