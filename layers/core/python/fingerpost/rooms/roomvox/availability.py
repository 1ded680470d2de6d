"""When a room is free and when it is taken, as slots that fill its open hours without a gap. Pure but for tz data."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from ..local_time import local_of
from ..model import BookingRules
from ..rules import open_hours
from .times import Range


@dataclass(frozen=True, slots=True)
class Busy:
    start: int
    end: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """A part of one day of the room's clocks; `day` is which."""

    start: int
    end: int
    day: date
    status: Literal["free", "busy"]
    title: str = ""


def slots_of(wanted: Range, rules: BookingRules, zone: ZoneInfo, taken: Sequence[Busy]) -> list[Slot]:
    """The open hours of a range, each moment of them in exactly one slot. `taken` does not overlap; by start."""
    found: list[Slot] = []
    for day, hours in _open(wanted, rules, zone):
        found += _filled(hours, day, taken)
    return found


def is_open_at(at: int, rules: BookingRules, zone: ZoneInfo) -> bool:
    return any(hours.start <= at < hours.end for _, hours in _open(Range(at, at + 1), rules, zone))


def open_ms(wanted: Range, rules: BookingRules, zone: ZoneInfo) -> int:
    """For how many milliseconds of a range a room is open."""
    return sum(hours.end - hours.start for _, hours in _open(wanted, rules, zone))


def _open(wanted: Range, rules: BookingRules, zone: ZoneInfo) -> Iterator[tuple[date, Range]]:
    """The open hours within a range, by day of the zone's clocks; they do not overlap."""
    day, last = local_of(wanted.start, zone).date(), local_of(wanted.end, zone).date()
    day -= timedelta(days=1)  # a clock change can make a day's hours end in the next
    reached = wanted.start
    while day <= last + timedelta(days=1):
        if (hours := open_hours(rules, zone, day)) is not None:
            start, end = max(hours[0], reached), min(hours[1], wanted.end)
            if start < end:
                yield day, Range(start, end)
                reached = end
        day += timedelta(days=1)


def _filled(hours: Range, day: date, taken: Iterable[Busy]) -> Iterator[Slot]:
    reached = hours.start
    for each in taken:
        start, end = max(each.start, reached), min(each.end, hours.end)
        if start >= end:
            continue
        if reached < start:
            yield Slot(reached, start, day, "free")
        yield Slot(start, end, day, "busy", each.title)
        reached = end
    if reached < hours.end:
        yield Slot(reached, hours.end, day, "free")
