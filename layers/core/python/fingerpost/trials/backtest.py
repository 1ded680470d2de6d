"""Rules tried on recorded scans: where they would have sent each, beside where the rules they would replace send it.

Both sets are asked with the same facts. Things are read as they are now, so the older set may answer differently from
what it answered at the time: `recordedElsewhere` counts those scans.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..redirection.reading import Reading
from ..redirection.recorded import Recorded
from .comparison import Comparison, Outcome
from .in_force import InForce, as_written
from .scans import PAGE, Scans, Things

MAX_SCANS = 10_000
SECONDS = 15.0  # of one call; the gateway waits for 30, and the page that has begun is brought to its end


@dataclass(frozen=True, slots=True)
class Position:
    """Where a backtest goes on: how many scans are left to ask about, and the page where they begin."""

    left: int
    token: str

    @property
    def text(self) -> str:
        return f"{self.left} {self.token}"

    @staticmethod
    def read(text: str) -> "Position":
        left, _, token = text.partition(" ")
        return Position(int(left), token)


@dataclass(frozen=True, slots=True)
class Tested:
    """What became of some scans, how many others were left out, and where to go on when time ran out."""

    comparison: Comparison
    robots: int
    limited: int
    further: Position | None


def backtest(
    scans: Scans,
    things: Things,
    before: InForce,
    after: InForce,
    *,
    most: int = MAX_SCANS,
    start: Position | None = None,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Tested:
    """Ask about scans, newest first, as far as one call's time goes.

    At most `most`, and no more than the call that `start` comes from has left over. Raises InvalidCursor.
    """
    comparison = Comparison(before.compiled, after.compiled)
    needs = before.needs | after.needs
    left, token = (most, None) if start is None else (min(most, start.left), start.token)
    robots, limited, ends = 0, 0, clock() + seconds
    while left > 0:
        page = scans.page(token, min(PAGE, left))
        robots, limited = robots + page.robots, limited + page.limited
        things.fetch(page.scans, needs)
        for scan in page.scans:
            reading = things.reading(scan)
            old, new = (_outcome(each, scan, reading, things) for each in (before, after))
            comparison.add(scan.id, scan.at, scan.row.get("url"), old, new)
        left, token = left - len(page.scans), page.token
        if token is None:
            break
        if clock() >= ends and left > 0:
            return Tested(comparison, robots, limited, Position(left, token))
    return Tested(comparison, robots, limited, None)


def _outcome(rules: InForce, scan: Recorded, reading: Reading, things: Things) -> Outcome:
    """Where the rules send a scan; to its link's default URL when they do not want it."""
    decision = rules.decision(scan, reading)
    if decision is not None:
        return rules.outcome(decision)
    link = things.link(scan)
    return Outcome(None) if link is None else Outcome(link.default_url(), as_written(link.url))
