"""That each run takes place once, although its message may come twice: claimed, run, marked as over.

A worker that dies leaves a claim whose lease runs out, or is not waited for where it is known that the worker is gone;
the run is begun once more then, and no third time.
"""

from dataclasses import dataclass
from typing import Literal

from .. import keys, wiring
from ..clock import DAY_MS
from ..ports.table import Absent, ConditionFailed, Equals, Item, Key, Set, Table
from ..shapes import stamp, upgraded
from .runs import Run

LEASE_MS = 115_000  # longer than any run: its time limit, a start, and writing its log
MAX_STARTS = 2
KEPT_MS = 15 * DAY_MS  # longer than a dead letter can be sent back

type Taken = Literal["first", "again", "over", "busy", "spent"]


@dataclass(slots=True)
class Claim:
    """The claim of one run. `log` is the account's own table."""

    log: Table
    run: Run
    starts: int = 0  # with this one

    def take(self, now: int) -> Taken:
        """`first` and `again` are ours to carry out; `spent` was begun twice and never ended: it is ours to mark."""
        self.starts = 1
        try:
            self.log.put(self._key, self._row(now), when=(Absent(),), expires_at=now + KEPT_MS)
        except ConditionFailed as failure:
            return "busy" if failure.old is None else self._after(upgraded(failure.old), now)
        return "first"

    def end(self, now: int) -> None:
        """The run is over, whatever came of it."""
        self.log.update(self._key, (Set("ended", now),))

    def release(self, now: int) -> None:
        """Nothing ran: whoever gets the message next begins this same start."""
        self.log.update(self._key, (Set("starts", self.starts - 1), Set("lease", now)))

    def _after(self, row: Item, now: int) -> Taken:
        """Of a run that somebody has begun."""
        if row["ended"]:
            return "over"
        if row["lease"] > now and row["lease"] - LEASE_MS >= wiring.alone_since:
            return "busy"
        self.starts = row["starts"] + 1
        unchanged = (Equals("starts", row["starts"]), Equals("lease", row["lease"]), Equals("ended", 0))
        try:
            self.log.put(self._key, self._row(now), when=unchanged, expires_at=now + KEPT_MS)
        except ConditionFailed:
            return "busy"  # another was quicker
        if self.starts > MAX_STARTS:
            return "spent"
        return "first" if self.starts == 1 else "again"

    @property
    def _key(self) -> Key:
        return keys.run(self.run.event, self.run.app, self.run.name)

    def _row(self, now: int) -> Item:
        return {**stamp("run"), "starts": self.starts, "lease": now + LEASE_MS, "ended": 0}
