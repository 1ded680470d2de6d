"""The one clock. Tests replace it; nothing else asks the machine for the time of day."""

import time
from collections.abc import Callable

type Clock = Callable[[], int]

DAY_MS = 86_400_000


def now_ms() -> int:
    """Milliseconds since the epoch. Wall clock, so that ages stay true across a frozen Lambda environment."""
    return time.time_ns() // 1_000_000
