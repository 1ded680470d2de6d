"""Tasks that are put on the work queue when their time comes, once or again and again.

At least once, and each time with the same `due`. Both adapters (aws/scheduler.py, local/scheduler.py) pass
tests/ports/test_scheduler.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..reactor.cron import Cron

LATE_MS = 60_000  # what comes longer than this after it was due is late


@dataclass(frozen=True, slots=True)
class Once:
    """At one moment, in milliseconds since the epoch; a whole second of it counts."""

    at: int


type Timing = Once | Cron


class Scheduler(Protocol):
    """May be shared by threads. Raises Throttled and Unreachable (of ports/table.py)."""

    def put(self, name: str, timing: Timing, task: Mapping[str, Any]) -> None:
        """From now on `task` goes to the work queue at these times and at no others that `name` had before.

        With it goes `due`, the moment it was meant for: milliseconds since the epoch, or an ISO date and time of UTC
        without the seconds of a cron expression. `name` is 1 to 64 letters, digits, `-`, `_` and `.`.
        """
        ...

    def delete(self, name: str) -> None:
        """Nothing more comes of `name`; nothing happens when there is none."""
        ...
