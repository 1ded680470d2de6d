"""What one request costs on a DynamoDB engine: read units, and time beside them."""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from bench.row import Row

REPEATS = 25


class Cost(NamedTuple):
    units: float  # read units of one request; they are the same each time
    ms: float  # the least of REPEATS requests, engine included: what others do on the machine only adds


def cost_of(tables: Any, ask: Callable[[], object]) -> Cost:
    """`ask` answers the same each time. The first time is the one whose units are counted, and no time."""
    before = tables.main.consumed.read + tables.log.consumed.read
    ask()
    units = float(tables.main.consumed.read + tables.log.consumed.read - before)
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1_000)
    return Cost(units, min(times))


def beside(what: str, large: Cost, small: Cost, budget: float) -> Iterator[Row]:
    """Units are held to a budget. Time is a machine's, and only told."""
    yield Row(what, f"{large.units:.1f} RU", f"{small.units:.1f} RU", large.units / small.units, budget)
    yield Row("  its time", f"{large.ms:.1f} ms", f"{small.ms:.1f} ms", large.ms / small.ms)
