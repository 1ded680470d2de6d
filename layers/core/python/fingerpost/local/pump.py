"""What the stream's event source mapping does on AWS: batches, partial failures, retries, bisecting, setting aside.

A step reads a batch, calls the consumer's handler, and commits up to the first record that failed. A failing batch is
tried again from there, later and later; while nobody says which record it is, the batch is halved until it is one
record. A record that fails on its own, or by name, too often is parked and the rest goes on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from fingerpost.local.log import log, log_failure
from fingerpost.local.parked import ParkedRecord
from fingerpost.ports.feed import Feed
from fingerpost.ports.table import Change

type StreamEvent = dict[str, Any]  # {"Records": [...]}, as Lambda gets it
type Consume = Callable[[StreamEvent], Mapping[str, Any] | None]
type ToEvent = Callable[[Sequence[Change]], StreamEvent]

BATCH = 200
MAX_ATTEMPTS = 8
FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 50, 5_000
_IDLE_MS, _MOST_IDLE_MS = 5, 100


class Parking(Protocol):
    def park(self, consumer: str, sequence: str, record: dict[str, Any]) -> None: ...
    def due(self, consumer: str, limit: int = 100) -> list[ParkedRecord]: ...
    def replayed(self, record: ParkedRecord) -> None: ...
    def failed_again(self, record: ParkedRecord) -> None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How a consumer goes on: the size of its next batch, how its head failed so far, when to look again."""

    limit: int = BATCH
    suspect: str | None = None  # sequence of the record at the head of the failing batch
    failures: int = 0  # in a row with this head
    attempts: int = 0  # those of them in which the head itself failed: alone, or by name
    pause_ms: int = 0


def after_success(pace: Pace, read: int) -> Pace:
    """Everything was taken: back to full batches by doubling; an empty feed is looked at less and less often."""
    if read:
        return Pace(limit=min(BATCH, pace.limit * 2))
    return Pace(limit=BATCH, pause_ms=min(_MOST_IDLE_MS, max(_IDLE_MS, pace.pause_ms * 2)))


def after_failure(pace: Pace, head: str, *, named: bool, read: int) -> Pace:
    """The batch failed at `head`, by name or somewhere from there on among `read` records."""
    same = pace.suspect == head
    failures = pace.failures + 1 if same else 1
    itself = named or read == 1
    return Pace(
        limit=pace.limit if named else max(1, read // 2),
        suspect=head,
        failures=failures,
        attempts=(pace.attempts if same else 0) + itself,
        pause_ms=min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS << min(failures - 1, 16)),
    )


@dataclass(slots=True)
class Pump:
    """One named consumer of the feed. `step` does one batch; `pace.pause_ms` says how long to rest before the next."""

    name: str
    feed: Feed
    consume: Consume
    to_event: ToEvent
    parked: Parking
    max_attempts: int = MAX_ATTEMPTS
    pace: Pace = field(default_factory=Pace)

    def step(self) -> int:
        """Read and consume one batch; how many records are done with. Raises what the feed or the parking raises."""
        changes = self.feed.read(self.name, self.pace.limit)
        if not changes:
            self.pace = after_success(self.pace, 0)
            return 0
        event = self.to_event(changes)
        failed, named = self._first_failure(event)
        if failed > 0:
            self.feed.commit(self.name, changes[failed - 1].sequence)
        if failed == len(changes):
            self.pace = after_success(self.pace, len(changes))
            return failed
        head = changes[failed].sequence
        self.pace = after_failure(self.pace, head, named=named, read=len(changes) - failed)
        if self.pace.attempts < self.max_attempts:
            return failed
        self.parked.park(self.name, head, event["Records"][failed])
        self.feed.commit(self.name, head)
        log("error", "a feed record is parked", consumer=self.name, sequence=head, attempts=self.pace.attempts)
        self.pace = Pace(limit=self.pace.limit)
        return failed + 1

    def replay(self) -> int:
        """Try parked records that are due once more, each alone; how many were taken."""
        taken = 0
        for record in self.parked.due(self.name):
            failed, _ = self._first_failure({"Records": [record.record]})
            if failed:
                self.parked.replayed(record)
                taken += 1
            else:
                self.parked.failed_again(record)
        return taken

    def _first_failure(self, event: StreamEvent) -> tuple[int, bool]:
        """(index of the first record not taken, whether the handler named it). As many as there are when all were."""
        sequences = [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
        try:
            answer = self.consume(event)
            failures = (answer or {}).get("batchItemFailures") or []
            names = {failure.get("itemIdentifier") for failure in failures}
        except Exception as error:
            log_failure("a feed consumer failed", error, consumer=self.name, first=sequences[0], records=len(sequences))
            return 0, False
        if not names:
            return len(sequences), False
        if not names <= set(sequences):
            log("error", "a feed consumer named a record it was not given", consumer=self.name, first=sequences[0])
            return 0, False
        first = min(sequences.index(name) for name in names)
        log("warning", "a feed record failed", consumer=self.name, sequence=sequences[first])
        return first, True
