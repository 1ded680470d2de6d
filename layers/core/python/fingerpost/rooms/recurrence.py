"""When a series takes place: a recurrence rule on the wall clock of its room. Pure but for the tz database.

Source: RFC 5545, 3.3.10; the rule is expanded by python-dateutil on local times, each of which is then a moment by
local_time.py: what does not exist takes the offset before the gap, of what comes twice it is the first.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from ..errors import Invalid
from .keys import days_of
from .local_time import local_of, moment_of

MAX_RULE = 500
MAX_YEARS = 10  # how far a rule is followed
CYCLE = 400  # years after which the calendar comes again, with its days of the week
PARTS = {  # of a rule; what counts less than a minute is for nobody's meeting
    "FREQ", "UNTIL", "COUNT", "INTERVAL", "WKST",
    "BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS", "BYHOUR", "BYMINUTE",
}  # fmt: skip
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")


@dataclass(frozen=True, slots=True)
class Occurrences:
    """When a series takes place; `rrule` is its rule as it is kept: with an end."""

    rrule: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]


def starts_of(
    rule: str, start: int, end: int, zone: ZoneInfo, *, max_days: int, latest: int | None = None, margin: int = 0
) -> Occurrences:
    """Expand `rule` from `start`, which is the first occurrence whether the rule has it or not (RFC 5545, 3.8.5.3).

    Every occurrence lasts as long as the first. A rule that ends has to end within `max_days` days of occurrences, and
    within as many days that these touch with a `margin` before and after; one that does not is cut there, or after
    `latest`. Raises Invalid.
    """
    parts = _parts(rule)
    if start % 1_000:
        raise Invalid("A series begins at a whole second")
    length, first = end - start, local_of(start, zone).replace(tzinfo=None)
    endless = "COUNT" not in parts and "UNTIL" not in parts
    starts: list[int] = []
    days = 0
    touched: set[str] = set()
    for moment in _moments(rule, parts, first, start, zone):
        if endless and latest is not None and moment > latest:
            break
        days += len(days_of(moment, moment + length))
        touched.update(days_of(moment - margin, moment + length + margin))
        if max(days, len(touched)) > max_days:
            if not endless:
                raise Invalid(f"A series lies on at most {max_days} days; end this one earlier")
            break
        starts.append(moment)
    if not starts:
        raise Invalid("This recurrence rule has no occurrence")
    kept = _with_count(parts, len(starts)) if endless else _text(parts)
    return Occurrences(kept, tuple(starts), tuple(each + length for each in starts))


def _moments(rule: str, parts: dict[str, str], first: datetime, start: int, zone: ZoneInfo) -> Iterator[int]:
    """Each once, in order, from `start` on."""
    until = _until(parts.get("UNTIL"), zone)
    count = int(parts["COUNT"]) if "COUNT" in parts else None
    text = _text({name: value for name, value in parts.items() if name not in ("UNTIL", "COUNT")})
    # dateutil looks for the next day that fits up to the year 9999, if it has to: there it has not far to go.
    later = (MAXYEAR - MAX_YEARS - 1 - first.year) // CYCLE * CYCLE
    then = first.replace(year=first.year + later)
    try:
        endless = rrulestr(text, dtstart=then)
        assert isinstance(endless, rrule)
        expanded = endless.replace(until=then + timedelta(days=366 * MAX_YEARS))
        yielded, last = 1, start
        yield start
        for found in expanded:
            local = found.replace(year=found.year - later)
            moment = moment_of(local, zone)
            if local == first or moment <= last:
                continue
            if (count is not None and yielded >= count) or (until is not None and moment > until):
                return
            yielded, last = yielded + 1, moment
            yield moment
        if count is not None and yielded < count:
            raise Invalid(f"rrule: this rule has {yielded} occurrences within {MAX_YEARS} years, not {count}")
    except IndexError as error:
        raise Invalid(f"rrule: no month or year has the day that BYDAY names in {rule[:80]!r}") from error
    except (ValueError, TypeError, OverflowError) as error:
        raise Invalid(f"rrule: {rule[:80]!r} is no recurrence rule ({error})") from error


def _parts(rule: str) -> dict[str, str]:
    """Raises Invalid."""
    text = rule.strip().removeprefix("RRULE:")
    if len(text) > MAX_RULE:
        raise Invalid(f"A recurrence rule has at most {MAX_RULE} characters")
    parts: dict[str, str] = {}
    for part in text.upper().split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value or name in parts or not re.fullmatch(r"[A-Z0-9,+\-:]+", value):
            raise Invalid(f"rrule: {part[:40]!r} is no part of a recurrence rule, such as FREQ=WEEKLY;COUNT=8")
        if name not in PARTS:
            raise Invalid(f"rrule: {name[:40]!r} is not among {', '.join(sorted(PARTS))}")
        parts[name] = value
    if parts.get("FREQ") not in FREQUENCIES:
        raise Invalid(f"rrule: FREQ is one of {', '.join(FREQUENCIES)}")
    if "COUNT" in parts and "UNTIL" in parts:
        raise Invalid("rrule: COUNT and UNTIL do not occur together")
    for name in ("COUNT", "INTERVAL"):
        if name in parts and not re.fullmatch(r"[1-9]\d{0,4}", parts[name]):
            raise Invalid(f"rrule: {name} is a number from 1 to 99999")
    return parts


def _until(text: str | None, zone: ZoneInfo) -> int | None:
    """The last moment; a date is the whole of that day on the room's clocks."""
    if text is None:
        return None
    try:
        if re.fullmatch(r"\d{8}", text):
            day = datetime.strptime(text, "%Y%m%d")
            return moment_of(day.replace(hour=23, minute=59, second=59), zone)
        if text.endswith("Z"):
            return int(datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()) * 1_000
        return moment_of(datetime.strptime(text, "%Y%m%dT%H%M%S"), zone)
    except ValueError as error:
        raise Invalid(f"rrule: UNTIL is a date, or a time such as 20261231T235959Z, not {text[:40]!r}") from error


def _with_count(parts: dict[str, str], count: int) -> str:
    return _text({**parts, "COUNT": str(count)})


def _text(parts: dict[str, str]) -> str:
    """FREQ first: some readers drop rules that begin otherwise."""
    return ";".join(f"{name}={parts[name]}" for name in sorted(parts, key=lambda name: name != "FREQ"))
