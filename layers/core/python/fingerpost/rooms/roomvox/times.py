"""Times and ranges as clients of RoomVox write them: ISO 8601; one without an offset is by the room's clocks.

Pure but for the tz database. Source: wire-facts.
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ...clock import DAY_MS
from ...errors import Invalid
from ..local_time import day_bounds, instant_of, local_of

MAX_DAYS = 365  # between `from` and `to`
FIRST_YEAR, LAST_YEAR = 1971, 2999
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}([T ][0-9:.,]{2,15} ?(Z|[+-][0-9:]{2,5})?)?", re.IGNORECASE)
_BARE_PLUS = re.compile(r"(:[0-9.]+) ([0-9]{2}:?[0-9]{2})$")  # a `+` that the query turned into a space


class Range(NamedTuple):
    """Moments, without the last."""

    start: int
    end: int


def read_moment(text: str, zone: ZoneInfo) -> int:
    """A time, a day (its first moment), or milliseconds since the epoch. Raises ValueError."""
    text = _BARE_PLUS.sub(r"\1+\2", text.strip())
    if re.fullmatch(r"[0-9]{11,14}", text):
        return _bounded(int(text))
    if _TIME.fullmatch(text) is None:
        raise ValueError(f"no time: {text[:40]!r}")
    time = datetime.fromisoformat(text.upper().replace(" Z", "Z"))
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise ValueError(f"no time of these centuries: {text[:40]!r}")
    return instant_of(time, zone)


def _bounded(at: int) -> int:
    if not FIRST_YEAR <= (_EPOCH + timedelta(milliseconds=at)).year <= LAST_YEAR:
        raise ValueError("no time of these centuries")
    return at


def read_day(text: str) -> date:
    """Raises ValueError."""
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text.strip()) is None:
        raise ValueError(f"no day: {text[:40]!r}")
    day = date.fromisoformat(text.strip())
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"no day of these centuries: {text[:40]!r}")
    return day


def read_range(sent: tuple[str | None, str | None], default: Range, zone: ZoneInfo) -> Range:
    """From `from` to `to`; where one is not said, the default's, or as far from the other as the default is long.

    Raises Invalid in RoomVox's words.
    """
    start, end = (_bound(name, text, zone) for name, text in zip(("from", "to"), sent, strict=True))
    length = default.end - default.start
    if start is None:
        start = default.start if end is None or end > default.start else end - length
    if end is None:
        end = default.end if default.end > start else start + length
    return checked(Range(start, end), zone)


def checked(wanted: Range, zone: ZoneInfo) -> Range:
    """Raises Invalid unless it has an end after its start, at most 365 days on: in hours, or as clocks show it."""
    if wanted.end <= wanted.start:
        raise Invalid('"from" must be before "to"')
    walls = [local_of(each, zone).replace(tzinfo=None) for each in wanted]
    if wanted.end - wanted.start > MAX_DAYS * DAY_MS and walls[1] - walls[0] > timedelta(days=MAX_DAYS):
        raise Invalid(f"Date range must not exceed {MAX_DAYS} days")
    return wanted


def _bound(name: str, text: str | None, zone: ZoneInfo) -> int | None:
    if not text:
        return None
    try:
        return read_moment(text, zone)
    except ValueError as error:
        raise Invalid(f'Invalid "{name}" date format') from error


def today(at: int, zone: ZoneInfo) -> date:
    return local_of(at, zone).date()


def day_range(day: date, zone: ZoneInfo) -> Range:
    """All of a day by the zone's clocks: 23 to 25 hours."""
    return Range(*day_bounds(day, zone))


def written(at: int, zone: ZoneInfo) -> str:
    """Such as `2026-06-02T14:00:00+02:00`."""
    return local_of(at - at % 1_000, zone).isoformat()
