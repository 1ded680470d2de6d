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
    """Where a backtest goes on: how many scans it has asked about, and the page after them."""

    asked: int
    token: str

    @property
    def text(self) -> str:
        return f"{self.asked} {self.token}"

    @staticmethod
    def read(text: str) -> "Position":
        asked, _, token = text.partition(" ")
        return Position(int(asked), token)


@dataclass(frozen=True, slots=True)
class Tested:
    """What became of some scans, how many others were left out, and where to go on when time ran out."""

    comparison: Comparison
    robots: int
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
    """Ask about scans, newest first, up to `most` in all, as far as one call's time goes. Raises InvalidCursor."""
    comparison = Comparison(before.compiled, after.compiled)
    needs = before.needs | after.needs
    asked, token = (start.asked, start.token) if start is not None else (0, None)
    robots, ends = 0, clock() + seconds
    while asked < most:
        page = scans.page(token, min(PAGE, most - asked))
        robots += page.robots
        things.fetch(page.scans, needs)
        for scan in page.scans:
            reading = things.reading(scan)
            old, new = (_outcome(each, scan, reading, things) for each in (before, after))
            comparison.add(scan.id, scan.at, scan.row.get("url"), old, new)
        asked, token = asked + len(page.scans), page.token
        if token is None:
            break
        if clock() >= ends and asked < most:
            return Tested(comparison, robots, Position(asked, token))
    return Tested(comparison, robots, None)


def _outcome(rules: InForce, scan: Recorded, reading: Reading, things: Things) -> Outcome:
    """Where the rules send a scan; to its link's default URL when they do not want it."""
    decision = rules.decision(scan, reading)
    if decision is not None:
        return rules.outcome(decision)
    link = things.link(scan)
    return Outcome(None) if link is None else Outcome(link.default_url(), as_written(link.url))
