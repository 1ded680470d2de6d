"""The time in a zone, and when its offset changes next, from the machine's tz database (else the tzdata package's).

Pure but for the database.
"""

from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from .clock import DAY_MS
from .errors import Finding, Invalid

AHEAD_MS = 3_653 * DAY_MS  # ten years: a zone that changes at all does so sooner
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_in(at: int, zone: ZoneInfo) -> dict[str, Any]:
    """The platform's TimeInfoDocument: `at` in that zone. `nextChange` is left out when there is none to be seen."""
    offset = offset_at(at, zone)
    local = _moment(at).astimezone(zone).isoformat(timespec="milliseconds")
    document = {
        "timestamp": at,
        "offset": offset,
        "localTime": local if offset else local.removesuffix("+00:00") + "Z",
    }
    change = next_change(at, zone)
    return document if change is None else {**document, "nextChange": change}


def offset_at(at: int, zone: ZoneInfo) -> int:
    """Milliseconds that the zone's clocks are ahead of UTC."""
    offset = _moment(at).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // timedelta(milliseconds=1)


def next_change(at: int, zone: ZoneInfo) -> int | None:
    """The first moment after `at` with another offset, within ten years.

    Looks day by day: since 2020 no zone has changed its offset twice within a day, nor is one to.
    """
    now = offset_at(at, zone)
    for same in range(at, at + AHEAD_MS, DAY_MS):
        if offset_at(same + DAY_MS, zone) != now:
            low, high = same, same + DAY_MS
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset_at(middle, zone) == now else (low, middle)
            return high
    return None


def zone_named(name: str) -> ZoneInfo:
    """A zone by its name in the database, such as `Europe/Zurich`. Raises Invalid with the nearest known one."""
    if name in zone_names():
        return ZoneInfo(name)
    near = get_close_matches(name[:60], zone_names(), n=1, cutoff=0.6)
    message = f"there is no time zone {name[:60]!r}" + (f"; did you mean {near[0]}?" if near else "")
    raise Invalid(
        f"tz: {message}", details=[Finding(field="tz", message=message, suggestion=near[0] if near else None)]
    )


@cache
def zone_names() -> frozenset[str]:
    return frozenset((files("tzdata") / "zones").read_text(encoding="utf-8").split())


def _moment(at: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=at)
