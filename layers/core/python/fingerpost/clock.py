"""The one clock. Tests replace it; nothing else asks the machine for the time of day."""

import time
from collections.abc import Callable

type Clock = Callable[[], int]

DAY_MS = 86_400_000


def now_ms() -> int:
    """Milliseconds since the epoch. Wall clock, so that ages stay true across a frozen Lambda environment."""
    return time.time_ns() // 1_000_000


def moment_text(at: int) -> str:
    """A moment for people to read, to the second, such as `2026-03-15 12:00:00 UTC`."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at // 1000))
