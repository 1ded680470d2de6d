"""A zone's clocks as iCalendar tells them. Pure but for the tz database. Source: RFC 5545, 3.6.5.

Onsets are told on the clocks that were in force before; icalendar's own `Timezone.from_tzinfo` (7.3) tells those of
clocks that go forward by an hour too late.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

from ...timezones import next_change, offset_at
from ..local_time import local_of, zone_of


class _Turn(NamedTuple):
    """From one offset to another, in milliseconds."""

    before: int
    after: int
    name: str


@lru_cache(maxsize=256)
def vtimezone(name: str, first_year: int, last_year: int) -> Timezone:
    """The clocks of a zone from the beginning of one year to the end of another."""
    start, end = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1_000 for year in (first_year, last_year + 1))
    onsets: dict[_Turn, list[datetime]] = {}
    for turn, at in _turns(name, start, end):
        onsets.setdefault(turn, []).append(
            datetime.fromtimestamp((at + turn.before) // 1_000, UTC).replace(tzinfo=None)
        )
    zone = Timezone()
    zone.add("tzid", name)
    for turn, walls in onsets.items():
        part = TimezoneDaylight() if turn.after > turn.before else TimezoneStandard()
        part.add("dtstart", walls[0])
        if walls[1:]:
            part.add("rdate", walls[1:])
        part.add("tzname", turn.name)
        part.add("tzoffsetfrom", timedelta(milliseconds=turn.before))
        part.add("tzoffsetto", timedelta(milliseconds=turn.after))
        zone.add_component(part)
    return zone


def _turns(name: str, start: int, end: int) -> Iterator[tuple[_Turn, int]]:
    """What is in force at the start, then each change."""
    zone = zone_of(name)
    before, at = offset_at(start, zone), start
    while True:
        after = offset_at(at, zone)
        yield _Turn(before, after, local_of(at, zone).tzname() or name), at
        before, following = after, next_change(at, zone)
        if following is None or following >= end:
            return
        at = following
