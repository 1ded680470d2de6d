"""What holds a room on one UTC day: the one place where two bookings could meet. Pure; standard library only.

A day has 1,440 minutes whatever the room's clocks do. An entry stands, with its whole interval, in each day it touches.
"""

from collections.abc import Iterable, Iterator
from copy import replace
from dataclasses import dataclass

from ..ports.table import Item
from ..shapes import stamp, upgraded

MAX_ENTRIES = 1_440  # of one day: one a minute, and a row stays far below what it may hold
MAX_PAST = 400  # entries that hold nothing any more which a day remembers, the newest


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    start: int
    end: int
    booking: str
    due: int = 0  # when it stops to hold the slot unless somebody has checked in; 0: never

    def holds_at(self, at: int) -> bool:
        return not 0 < self.due <= at

    def meets(self, start: int, end: int) -> bool:
        """Half-open: what only touches does not meet."""
        return self.start < end and start < self.end


@dataclass(frozen=True, slots=True)
class Day:
    """One room's day. `past` has what was cancelled, declined, released or ended: it holds nothing."""

    version: int = 0  # 0: there is no row yet
    entries: tuple[Entry, ...] = ()
    past: tuple[Entry, ...] = ()

    def clash(self, start: int, end: int, *, but: str = "") -> Entry | None:
        """The first entry, other than `but`, that meets the interval."""
        return next((each for each in self.entries if each.booking != but and each.meets(start, end)), None)

    def with_entry(self, entry: Entry) -> "Day":
        return replace(self.without(entry.booking), entries=_ordered([*self._others(entry.booking), entry]))

    def without(self, booking: str) -> "Day":
        kept = tuple(each for each in self.past if each.booking != booking)
        return replace(self, entries=_ordered(self._others(booking)), past=kept)

    def let_go(self, entry: Entry) -> "Day":
        """The slot is free; the day remembers whose it was."""
        rest = self.without(entry.booking)
        return replace(rest, past=(*rest.past, entry)[-MAX_PAST:])

    def _others(self, booking: str) -> list[Entry]:
        return [each for each in self.entries if each.booking != booking]


def to_item(day: Day) -> Item:
    """The row of a day's next version."""
    return {
        **stamp("roomDay"),
        "v": day.version + 1,
        "iv": [_packed(each) for each in day.entries],
        "past": [_packed(each) for each in day.past],
    }


def from_item(item: Item | None) -> Day:
    if item is None:
        return Day()
    row = upgraded(item)
    return Day(row["v"], tuple(Entry(*each) for each in row["iv"]), tuple(Entry(*each) for each in row["past"]))


def distinct(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Each once, by start: one across midnight stands in two days."""
    yield from sorted(set(entries))


def _packed(entry: Entry) -> list[int | str]:
    return [entry.start, entry.end, entry.booking, entry.due]


def _ordered(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries))
