"""The `Scheduler` of one machine: what is due stands in a file, and a thread of the worker looks at it.

What came due while nothing ran is not made up for: of a cron expression only the next time counts, and its task says
how many were `missed`. What was due once goes out late.
"""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..clock import Clock, now_ms
from ..ports.queue import Queue
from ..ports.scheduler import LATE_MS, Once, Timing
from ..reactor.cron import Cron, parse
from .log import log_failure
from .store import SqliteFile

LOOK_SECONDS = 0.5
COUNTED = 10_000  # missed times
AT_ONCE = 100
_SCHEMA = """
CREATE TABLE IF NOT EXISTS schedules(name TEXT PRIMARY KEY, due INTEGER NOT NULL, cron TEXT NOT NULL,
    task TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS schedules_by_time ON schedules(due);
"""


class LocalScheduler:
    """`cron` of a row is empty when it is due once. A row is changed after its task is on the queue: at least once."""

    def __init__(self, file: SqliteFile, queue: Queue, *, clock: Clock = now_ms):
        self._file, self._queue, self._clock = file, queue, clock

    def put(self, name: str, timing: Timing, task: Mapping[str, Any]) -> None:
        due = timing.at if isinstance(timing, Once) else timing.after(self._clock())
        if due is None:
            self.delete(name)
            return
        cron = "" if isinstance(timing, Once) else timing.text
        with self._file.session() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO schedules(name, due, cron, task) VALUES (?, ?, ?, ?)",
                (name, due, cron, json.dumps(task)),
            )

    def delete(self, name: str) -> None:
        with self._file.session() as connection:
            connection.execute("DELETE FROM schedules WHERE name = ?", (name,))

    def step(self) -> int:
        """Put what is due on the queue; how many schedules were."""
        now = self._clock()
        rows = self._file.session().connection.execute(
            "SELECT name, due, cron, task FROM schedules WHERE due <= ? ORDER BY due LIMIT ?", (now, AT_ONCE)
        )
        found = rows.fetchall()
        for name, due, cron, task in found:
            self._fire(name, due, cron, json.loads(task), now)
        return len(found)

    def _fire(self, name: str, due: int, cron: str, task: Mapping[str, Any], now: int) -> None:
        late = now - due > LATE_MS
        told: dict[str, Any] = {"due": due}
        following = None
        if cron:
            timing = parse(cron)
            following = timing.after(now if late else due)
            if late:
                told["missed"] = _count(timing, due, now)
        self._queue.send(json.dumps({**task, **told}), group=task.get("account", ""))
        with self._file.session() as connection:
            if following is None:
                connection.execute("DELETE FROM schedules WHERE name = ? AND due = ?", (name, due))
            else:
                connection.execute("UPDATE schedules SET due = ? WHERE name = ? AND due = ?", (following, name, due))


def _count(timing: Cron, first: int, now: int) -> int:
    """How many times from `first` on are over, at most COUNTED."""
    times, due = 0, timing.after(first - 1)
    while due is not None and due <= now and times < COUNTED:
        times, due = times + 1, timing.after(due)
    return times


def run_scheduler(scheduler: LocalScheduler, stop: threading.Event) -> None:
    """Look for what is due until `stop`."""
    while not stop.is_set():
        try:
            scheduler.step()
        except Exception as error:
            log_failure("the scheduler stumbled", error)
        stop.wait(LOOK_SECONDS)


def local_scheduler(folder: Path | str, queue: Queue, *, clock: Clock = now_ms) -> LocalScheduler:
    return LocalScheduler(SqliteFile(Path(folder, "schedules.sqlite"), _SCHEMA), queue, clock=clock)
