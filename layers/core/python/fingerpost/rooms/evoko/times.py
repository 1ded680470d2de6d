"""Moments as the panels' clients write them. Pure but for the tz database.

The vendor's own examples have two fields of seconds (`2019-01-01T15:00:00:00+00:00`); EJSON has moments of its own. A
text without an offset is by the room's clocks.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from ..local_time import instant_of
from ..model import MINUTE_MS
from .ejson import Moment

QUARTER_MS = 15 * MINUTE_MS
_LAST = 32_503_680_000_000  # the year 3000
_DIGITS = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2}))?(?::\d{2})?(?:[.,](\d{1,9}))?\s*(Z|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE | re.ASCII,
)


def moment_in(value: Any, zone: ZoneInfo) -> int:
    """Milliseconds since the epoch. Raises ValueError for what is no moment between the years 1970 and 3000."""
    at = value.at if isinstance(value, Moment) else _in_text(value, zone) if isinstance(value, str) else -1
    if not 0 <= at <= _LAST:
        raise ValueError("write it as in 2026-03-15T12:00:00+00:00")
    return at


def is_quarter(at: int) -> bool:
    """Whether it is on 00, 15, 30 or 45 minutes: every offset in use is a multiple of a quarter hour from UTC."""
    return at % QUARTER_MS // MINUTE_MS == 0


def iso(at: int) -> str:
    """In UTC, as JavaScript writes it."""
    moment = datetime.fromtimestamp(at // 1_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1_000:03d}Z"


def _in_text(text: str, zone: ZoneInfo) -> int:
    found = _DIGITS.fullmatch(text.strip())
    if found is None:
        return -1
    year, month, day, hour, minute = (int(each) for each in found.groups()[:5])
    local = datetime(year, month, day, hour, minute, int(found[6] or 0), int((found[7] or "0").ljust(6, "0")[:6]))
    return instant_of(local if found[8] is None else local.replace(tzinfo=_offset(found[8])), zone)


def _offset(text: str) -> timezone:
    if text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 23 or minutes > 59:
        raise ValueError("an offset is less than a day")
    return timezone(timedelta(hours=hours, minutes=minutes) * (-1 if text[0] == "-" else 1))
