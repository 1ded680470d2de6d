"""Times as Joan's clients write them: ISO 8601; an offset wins, else the zone they name. Pure but for the tz database.

Source: Django REST framework's DateTimeField; local_time.py says what a wall-clock time means at clock changes.
"""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ..local_time import instant_of, local_of, minute_of_day

FIRST_YEAR, LAST_YEAR = 1970, 2999
WRONG = "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
TOO_FAR = f"Datetime has a year that is not from {FIRST_YEAR} to {LAST_YEAR}."
_TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6})\d*)?)? ?(Z|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII,
)


def read_time(text: str) -> datetime:
    """With its offset, or without one as it was sent. Raises ValueError in the words of the API."""
    found = _TIME.fullmatch(text.strip().upper())
    if found is None:
        raise ValueError(WRONG)
    year, month, day, hour, minute = (int(each) for each in found.groups()[:5])
    try:
        wall = datetime(year, month, day, hour, minute, int(found[6] or 0), int((found[7] or "0").ljust(6, "0")))
        time = datetime.fromisoformat(wall.isoformat() + _offset(found[8] or ""))
    except ValueError as error:
        raise ValueError(WRONG) from error
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(TOO_FAR)
    return time


def _offset(text: str) -> str:
    """`+05` and `+0530` as `+05:00` and `+05:30`."""
    return f"{text[:3]}:{text[3:].lstrip(':') or '00'}" if text not in ("", "Z") else text


def read_bound(text: str, zone: ZoneInfo, *, ends: bool) -> int:
    """A time, or a day of the zone's clocks: its beginning, or with `ends` its end. Raises ValueError."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) is None:
        return instant_of(read_time(text), zone)
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(WRONG) from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(TOO_FAR)
    return minute_of_day(day, 1_440 if ends else 0, zone)


def today(at: int, zone: ZoneInfo) -> int:
    """When the day of `at` has begun by the zone's clocks."""
    return minute_of_day(local_of(at, zone).date(), 0, zone)


def written(at: int, zone: ZoneInfo) -> str:
    """Such as `2026-03-16T09:00:00+00:00`."""
    return local_of(at, zone).isoformat()
