"""Wall-clock times as moments. Pure but for the tz database.

Source: RFC 5545, 3.3.5: a local time that does not exist takes the offset before the gap; one that comes twice is the
first. `fold=0` is exactly that.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def zone_of(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def moment_of(local: datetime, zone: ZoneInfo) -> int:
    """The moment of a wall-clock time without an offset, in milliseconds since the epoch."""
    return (local.replace(tzinfo=zone, fold=0) - _EPOCH) // timedelta(milliseconds=1)


def instant_of(sent: datetime, zone: ZoneInfo) -> int:
    """The moment of a time as it was sent, in milliseconds since the epoch: its offset wins, else the zone's clocks."""
    return moment_of(sent, zone) if sent.tzinfo is None else (sent - _EPOCH) // timedelta(milliseconds=1)


def local_of(at: int, zone: ZoneInfo) -> datetime:
    """What the zone's clocks show at a moment; with the offset."""
    return (_EPOCH + timedelta(milliseconds=at)).astimezone(zone)


def minute_of_day(day: date, minutes: int, zone: ZoneInfo) -> int:
    """The moment so many minutes after midnight on a day's clocks; 1,440 is the next midnight."""
    return moment_of(datetime.combine(day, time()) + timedelta(minutes=minutes), zone)


def day_bounds(day: date, zone: ZoneInfo) -> tuple[int, int]:
    """The moments at which a day of the zone begins and ends: 23 to 25 hours apart, as its clocks have it."""
    return minute_of_day(day, 0, zone), minute_of_day(day, 1_440, zone)
