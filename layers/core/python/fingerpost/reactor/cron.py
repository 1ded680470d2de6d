"""Cron expressions in Quartz's form: seconds, minutes, hours, day of month, month, day of week, and maybe a year. UTC.

Source: "Cron Expressions", Quartz 2.3, as far as EventBridge Scheduler can do the same: seconds are one number, and of
the ways to name a day `L`, `15W`, `6L` and `6#3` are known, `LW`, `L-3` and lists of such are not. Pure.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple, NoReturn

from ..errors import Finding, Invalid

MAX_LENGTH = 200
FIRST_YEAR, LAST_YEAR = 1970, 2199
FURTHEST_DAYS = 366 * 41  # 29 February on a Monday comes once in 28 years, and once in 40 around 2100

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_RANGE = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d{1,4}))?")
_NTH = re.compile(r"(\w+)#([1-5])")
_LAST = re.compile(r"(\w+)L")
_NEAREST = re.compile(r"(\d{1,2})W")


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: dict[str, int]


_SECONDS = _Field("seconds", 0, 59, {})
_MINUTES = _Field("minutes", 0, 59, {})
_HOURS = _Field("hours", 0, 23, {})
_DAY = _Field("day of month", 1, 31, {})
_MONTH = _Field("month", 1, 12, _MONTHS)
_WEEKDAY = _Field("day of week", 1, 7, _DAYS)  # 1 is Sunday
_YEAR = _Field("year", FIRST_YEAR, LAST_YEAR, {})


class LastOfMonth(NamedTuple):
    """`L` as a day of the month."""


class Nearest(NamedTuple):
    """`15W`: the weekday nearest to a day, within its month."""

    day: int


class NthWeekday(NamedTuple):
    """`6#3`: the third Friday of the month."""

    weekday: int
    nth: int


class LastWeekday(NamedTuple):
    """`6L`: the last Friday of the month."""

    weekday: int


type Days = frozenset[int] | LastOfMonth | Nearest
type Weekdays = frozenset[int] | NthWeekday | LastWeekday


@dataclass(frozen=True)
class Cron:
    """`days` or `weekdays` is None where the other decides, both where every day counts."""

    text: str
    second: int
    minutes: frozenset[int]
    hours: frozenset[int]
    days: Days | None
    months: frozenset[int]
    weekdays: Weekdays | None
    years: frozenset[int]

    @cached_property
    def for_eventbridge(self) -> str:
        """The expression as EventBridge Scheduler writes it, which knows no seconds."""
        days = "?" if self.days is None and self.weekdays is not None else _days_text(self.days)
        weekdays = "?" if self.weekdays is None else _days_text(self.weekdays)
        rest = [_text(self.minutes, _MINUTES), _text(self.hours, _HOURS), days, _text(self.months, _MONTH), weekdays]
        return f"cron({' '.join([*rest, _text(self.years, _YEAR)])})"

    def after(self, at: int) -> int | None:
        """The first time after a moment, both in milliseconds since the epoch; None when there is none in 40 years."""
        moment = datetime.fromtimestamp(at // 1000, UTC)
        for number in range(FURTHEST_DAYS):
            day = moment.date() + timedelta(days=number)
            if day.year > LAST_YEAR:
                return None
            if not self._is_on(day):
                continue
            for due in self._times(day):
                if due > at:
                    return due
        return None

    def is_at(self, at: int) -> bool:
        """Whether a moment is one of its times."""
        return self.after(at - 1) == at

    def _times(self, day: date) -> Iterator[int]:
        midnight = calendar.timegm(day.timetuple())
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                yield (midnight + hour * 3600 + minute * 60 + self.second) * 1000

    def _is_on(self, day: date) -> bool:
        if day.month not in self.months or day.year not in self.years:
            return False
        weekday = day.isoweekday() % 7 + 1
        last = calendar.monthrange(day.year, day.month)[1]
        match self.days:
            case LastOfMonth():
                return day.day == last
            case Nearest(wanted):
                return day.day == _nearest_weekday(day.year, day.month, min(wanted, last))
            case frozenset() as days:
                return day.day in days
        match self.weekdays:
            case NthWeekday(wanted, nth):
                return weekday == wanted and (day.day - 1) // 7 + 1 == nth
            case LastWeekday(wanted):
                return weekday == wanted and day.day + 7 > last
            case frozenset() as weekdays:
                return weekday in weekdays
        return True


def parse(text: str) -> Cron:
    """Raises Invalid, with a finding that names the part."""
    parts = text.upper().split()
    if len(text) > MAX_LENGTH or len(parts) not in (6, 7):
        _refuse(
            text, f"it has {len(parts)} parts; seconds, minutes, hours, day of month, month and day of week are six"
        )
    second, minutes, hours, day, month, weekday, *year = parts
    if not second.isascii() or not second.isdigit() or int(second[:4]) > 59:
        _refuse(
            text, f"seconds are one number from 0 to 59, not {second[:20]!r}: a schedule is for once a minute at most"
        )
    if day not in ("?", "*") and weekday not in ("?", "*"):
        _refuse(text, "day of month and day of week cannot both be said; write ? for one of them")
    if day == weekday == "?":
        _refuse(text, "day of month and day of week cannot both be ?")
    return Cron(
        text=text,
        second=int(second),
        minutes=_numbers(text, minutes, _MINUTES),
        hours=_numbers(text, hours, _HOURS),
        days=None if day in ("?", "*") else _days(text, day),
        months=_numbers(text, month, _MONTH),
        weekdays=None if weekday in ("?", "*") else _weekdays(text, weekday),
        years=_numbers(text, year[0], _YEAR) if year else frozenset(range(FIRST_YEAR, LAST_YEAR + 1)),
    )


def _days(text: str, part: str) -> Days:
    if part == "L":
        return LastOfMonth()
    if nearest := _NEAREST.fullmatch(part):
        return Nearest(_number(text, nearest[1], _DAY))
    return _numbers(text, part, _DAY)


def _weekdays(text: str, part: str) -> Weekdays:
    if part == "L":
        return frozenset({7})
    if nth := _NTH.fullmatch(part):
        return NthWeekday(_number(text, nth[1], _WEEKDAY), int(nth[2]))
    if (last := _LAST.fullmatch(part)) and part not in _DAYS:
        return LastWeekday(_number(text, last[1], _WEEKDAY))
    return _numbers(text, part, _WEEKDAY)


def _numbers(text: str, part: str, field: _Field) -> frozenset[int]:
    found: set[int] = set()
    for each in part.split(","):
        match = _RANGE.fullmatch(each)
        if match is None:
            _refuse(text, f"{field.name}: {each[:20]!r} is not understood")
        every, first, last, step = match.groups()
        low = field.low if every else _number(text, first, field)
        high = field.high if every or (step and not last) else _number(text, last or first, field)
        if step is not None and not int(step):
            _refuse(text, f"{field.name}: a step of 0 leads nowhere")
        if low > high and field is _YEAR:
            _refuse(text, f"{field.name}: {each[:20]!r} ends before it begins")
        span = range(low, high + 1) if low <= high else (*range(low, field.high + 1), *range(field.low, high + 1))
        found.update(span[:: int(step or 1)])
    return frozenset(found)


def _number(text: str, word: str, field: _Field) -> int:
    if word in field.names:
        return field.names[word]
    if not word.isascii() or not word.isdigit() or not field.low <= int(word[:6]) <= field.high:
        _refuse(text, f"{field.name}: {word[:20]!r} is not from {field.low} to {field.high}")
    return int(word)


def _nearest_weekday(year: int, month: int, day: int) -> int:
    weekday = date(year, month, day).isoweekday()
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 7:
        return day + 1 if day < calendar.monthrange(year, month)[1] else day - 2
    return day


def _days_text(days: Days | Weekdays | None) -> str:
    match days:
        case None:
            return "*"
        case LastOfMonth():
            return "L"
        case Nearest(day):
            return f"{day}W"
        case NthWeekday(weekday, nth):
            return f"{weekday}#{nth}"
        case LastWeekday(weekday):
            return f"{weekday}L"
        case _:
            return _text(days, None)


def _text(numbers: frozenset[int], field: _Field | None) -> str:
    """Numbers as ranges, `*` for all of them."""
    if field is not None and len(numbers) == field.high - field.low + 1:
        return "*"
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)


def _refuse(text: str, message: str) -> NoReturn:
    raise Invalid(f"cron: {text[:60]!r}: {message}", details=[Finding(field="cron", message=message, near=text[:60])])
