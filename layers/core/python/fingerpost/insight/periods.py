"""Spans of time as clients write them: milliseconds since the epoch, or days of UTC."""

from datetime import UTC, date, datetime

from ..clock import DAY_MS
from ..errors import Finding, Invalid

MAX_MOMENT = 253_402_300_799_999  # the end of the year 9999


def moment(text: str, field: str, *, last: bool = False) -> int:
    """Milliseconds since the epoch, as sent or of a day `2026-11-28`: its first moment, or its last. Raises Invalid."""
    if text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= MAX_MOMENT:
        return int(text)
    start = day_start(day(text, field))
    return start + DAY_MS - 1 if last else start


def day(text: str, field: str) -> date:
    """A day `2026-11-28`. Raises Invalid."""
    try:
        if len(text) == len("2026-11-28"):
            return date.fromisoformat(text)
    except ValueError:
        pass  # told below, with everything else that is no day
    finding = Finding(field=field, message="a day of UTC such as 2026-11-28", near=text[:40])
    raise Invalid(f"{field} takes a day of UTC such as 2026-11-28, not {text[:40]!r}", details=[finding])


def day_of(at: int) -> date:
    """The day of UTC in which a moment lies."""
    return datetime.fromtimestamp(at / 1000, UTC).date()


def day_start(each: date) -> int:
    """The first moment of a day of UTC, in milliseconds since the epoch."""
    return (each - date(1970, 1, 1)).days * DAY_MS


def compact(each: date) -> str:
    """A day as keys have it, `20261128`."""
    return f"{each.year:04d}{each.month:02d}{each.day:02d}"


def expanded(text: str) -> str:
    """The inverse of `compact`, as documents have days: `2026-11-28`."""
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}"
