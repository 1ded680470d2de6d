"""How many requests a key may send in a minute. Counted across environments, at a write for many requests.

Each environment counts by itself and tells the shared row of the key now and then, so a key can go over its limit by
what the environments have not told yet: a two-hundredth of it each.
"""

import hashlib
from dataclasses import dataclass
from threading import Lock

from .. import keys
from ..frozen import Frozen
from ..ports.table import (
    AbsentOrBelow,
    Add,
    ConditionFailed,
    Equals,
    Table,
    Throttled,
    TransactionFailed,
    Uncertain,
    Unreachable,
)
from ..resources import Document
from ..shapes import stamp
from .model import Actor

WINDOW_MS = 60_000
LIMITS: dict[Actor, int] = {
    "operator": 60_000,
    "trustedApplication": 60_000,
    "application": 60_000,
    "user": 60_000,
    "device": 60_000,
    "roomClient": 60_000,
}
TOLD_EVERY = 200  # parts of a limit
KEPT_MS = 60 * WINDOW_MS
MAX_COUNTED = 10_000  # keys in memory


class Standing(Frozen):
    """Where a key stands in its minute."""

    limit: int
    hits: int
    reset_at: int  # milliseconds since the epoch

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.hits)

    @property
    def exceeded(self) -> bool:
        return self.hits > self.limit

    def headers(self, at: int) -> dict[str, str]:
        """For every answer; the reset in seconds from now."""
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-reset": str(max(1, -((at - self.reset_at) // 1000))),
        }


@dataclass(slots=True)
class _Count:
    window: int
    known: int = 0  # of all environments, as the row said last
    untold: int = 0


def digest_of(key: str) -> str:
    """What tells a key's count from others'."""
    return hashlib.sha256(b"rate/" + key.encode()).hexdigest()[:32]


class Rates:
    """The counts of one environment. Threads may share it."""

    def __init__(self) -> None:
        self._counts: dict[str, _Count] = {}
        self._lock = Lock()

    def hit(self, log: Table, bearer: str, limit: int, at: int) -> Standing:
        """Count one request of a key. `log` is its account's own; `bearer` tells its keys apart."""
        window = at // WINDOW_MS
        with self._lock:
            count = self._counts.get(bearer)
            if count is None or count.window != window:
                if len(self._counts) >= MAX_COUNTED:
                    self._counts.clear()
                count = self._counts[bearer] = _Count(window)
            count.untold += 1
            telling = count.untold if count.known == 0 or count.untold >= max(1, limit // TOLD_EVERY) else 0
            count.untold -= telling
            count.known += telling
        if telling:
            total = _tell(log, bearer, window, telling, at)
            with self._lock:
                count.known = max(count.known, total)
        return Standing(limit, count.known + count.untold, (window + 1) * WINDOW_MS)


def rates_document(actor: Actor, standing: Standing) -> list[Document]:
    """Source: wire-facts, `GET /rateLimits`."""
    limit = {
        "rate": standing.limit,
        "timeFrame": WINDOW_MS,
        "warningMaxHits": standing.limit,
        "blockingMaxHits": standing.limit,
    }
    rate = {
        "url": {"path": "/", "depth": 0},
        "access": "ALL",
        "limit": limit,
        "hits": standing.hits,
        "hitsRemaining": standing.remaining,
        "reset": standing.reset_at,
    }
    return [{"name": actor, "rateLimits": [rate]}]


def _tell(log: Table, bearer: str, window: int, hits: int, at: int) -> int:
    """Add to the row of the key; answers the hits of all environments. A store that is busy stops no request."""
    key = keys.rate(bearer)
    for _ in range(3):
        try:
            _, new = log.update(key, (Add("n", hits),), when=(Equals("minute", window),))
            return int(new["n"])
        except ConditionFailed:
            pass  # the first of this minute
        except (Throttled, Unreachable, Uncertain, TransactionFailed):
            return hits
        row = {**stamp("rate"), "minute": window, "n": hits}
        try:
            log.put(key, row, when=(AbsentOrBelow("minute", window),), expires_at=at + KEPT_MS)
            return hits
        except ConditionFailed:
            continue  # another environment was first
        except (Throttled, Unreachable):
            return hits
    return hits
