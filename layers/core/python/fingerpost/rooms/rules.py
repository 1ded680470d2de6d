"""Whether the rules of a room allow a booking. Pure but for the tz database."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ..clock import DAY_MS
from ..errors import Invalid
from .errors import NotAllowed
from .local_time import local_of, minute_of_day, zone_of
from .model import MAX_BOOKING_MS, MINUTE_MS, BookingRules, Room

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def booking_rules_of(rules: Mapping[str, Any]) -> BookingRules:
    """The rules of a room's document."""
    return BookingRules(
        opens=minutes_of(rules.get("opens", "00:00")),
        closes=minutes_of(rules.get("closes", "24:00")),
        days=tuple(DAYS.index(day) + 1 for day in rules.get("days", DAYS)),
        horizon_days=rules.get("horizonDays"),
        min_minutes=rules.get("minMinutes"),
        max_minutes=rules.get("maxMinutes"),
        buffer_minutes=rules.get("bufferMinutes", 0),
    )


def minutes_of(text: str) -> int:
    """Minutes since midnight of `HH:MM`; `24:00` is the end of the day."""
    return int(text[:2]) * 60 + int(text[3:5])


def check_interval(start: int, end: int) -> None:
    """Raises Invalid."""
    if end <= start:
        raise Invalid("A booking ends after it starts")
    if end - start > MAX_BOOKING_MS:
        raise Invalid(f"A booking lasts at most {MAX_BOOKING_MS // DAY_MS} days")
    if not 0 <= start < end <= _LAST:
        raise Invalid("A booking lies between the years 1970 and 3000")


_LAST = 32_503_680_000_000  # the year 3000


def check_rules(room: Room, start: int, end: int, now: int) -> None:
    """Raises NotAllowed. What lies in the past is legal: a panel may report what took place."""
    rules, zone = room.rules, zone_of(room.zone)
    if not room.active:
        raise NotAllowed("active", "This room cannot be booked at present")
    if rules.min_minutes and end - start < rules.min_minutes * MINUTE_MS:
        raise NotAllowed("length", f"A booking of this room lasts at least {rules.min_minutes} minutes")
    if rules.max_minutes and end - start > rules.max_minutes * MINUTE_MS:
        raise NotAllowed("length", f"A booking of this room lasts at most {rules.max_minutes} minutes")
    if rules.horizon_days is not None and start > horizon(room, now):
        raise NotAllowed("horizon", f"This room can be booked at most {rules.horizon_days} days ahead")
    if not rules.any_time and not is_open(rules, zone, start, end):
        raise NotAllowed("hours", f"This room can be booked {hours_text(rules)}")


def horizon(room: Room, now: int) -> int:
    """The end of the last day, by the room's clocks, on which a booking may begin. For rooms with a horizon."""
    assert room.rules.horizon_days is not None
    zone = zone_of(room.zone)
    last = local_of(now, zone).date() + timedelta(days=room.rules.horizon_days)
    return minute_of_day(last, 1_440, zone) - 1


def is_open(rules: BookingRules, zone: ZoneInfo, start: int, end: int) -> bool:
    """Whether the room is open all the time from `start` to `end`."""
    reached = start
    day = local_of(start, zone).date() - timedelta(days=1)  # a clock change can make a day's hours end in the next
    while reached < end:
        if day > local_of(end, zone).date() + timedelta(days=1):
            return False
        opens, closes = open_hours(rules, zone, day) or (0, 0)
        if opens <= reached < closes:
            reached = closes
        elif opens > reached:
            return False
        day += timedelta(days=1)
    return True


def open_hours(rules: BookingRules, zone: ZoneInfo, day: date) -> tuple[int, int] | None:
    """From when to when the room is open on a day of its own, None when it is closed."""
    if day.isoweekday() not in rules.days:
        return None
    return minute_of_day(day, rules.opens, zone), minute_of_day(day, rules.closes, zone)


def open_until(rules: Mapping[str, Any], zone_name: str, at: int, end: int) -> int | None:
    """Until when a room with these `rules` of its document stays open, `end` at the most; None when it is closed."""
    hours, zone = booking_rules_of(rules), zone_of(zone_name)
    reached = at
    day = local_of(at, zone).date() - timedelta(days=1)
    while reached < end and day <= local_of(end, zone).date() + timedelta(days=1):
        opens, closes = open_hours(hours, zone, day) or (0, 0)
        if opens <= reached < closes:
            reached = closes
        day += timedelta(days=1)
    return min(reached, end) if reached > at else None


def hours_text(rules: BookingRules) -> str:
    """Such as `from 08:00 to 18:00 on Mon, Tue`."""
    hours = f"from {clock_text(rules.opens)} to {clock_text(rules.closes)}"
    if len(set(rules.days)) == 7:
        return hours
    names = [datetime(2024, 1, day).strftime("%a") for day in sorted(set(rules.days))]  # 1 January 2024 was a Monday
    return f"{hours} on {', '.join(names)}" if names else "on no day"


def clock_text(minutes: int) -> str:
    """Minutes after midnight as a clock shows them, 1,440 as 24:00."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
