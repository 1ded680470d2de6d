"""Feed records that a consumer could not take, set aside so that the rest goes on; kept until they are replayed.

What is kept is the stream record itself (JSON), so that a replay needs nothing of the feed, which is trimmed meanwhile.
"""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fingerpost.clock import now_ms

FILE = "parked.sqlite"


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    consumer: str
    sequence: str
    record: dict[str, Any]
    parked_at: int


class ParkedRecords:
    """One SQLite file in the data folder. A connection of its own; used by one thread at a time."""

    def __init__(self, folder: Path):
        self._rows = sqlite3.connect(folder / FILE, isolation_level=None, check_same_thread=False, timeout=10)
        self._rows.execute("PRAGMA journal_mode=WAL")
        self._rows.execute("PRAGMA synchronous=FULL")
        self._rows.execute(
            "CREATE TABLE IF NOT EXISTS parked (consumer TEXT, sequence TEXT, record TEXT NOT NULL,"
            " parked_at INTEGER NOT NULL, due INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (consumer, sequence))"
        )

    def park(self, consumer: str, sequence: str, record: dict[str, Any]) -> None:
        """Durable when it returns. The same record again changes nothing."""
        self._rows.execute(
            "INSERT INTO parked (consumer, sequence, record, parked_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (consumer, sequence, json.dumps(record), now_ms()),
        )

    def request_replay(self) -> int:
        """Mark everything parked as due for another try by the running worker, or the next one; how many."""
        return self._rows.execute("UPDATE parked SET due = 1").rowcount

    def due(self, consumer: str, limit: int = 100) -> list[ParkedRecord]:
        """Records to try again, oldest first."""
        found = self._rows.execute(
            "SELECT consumer, sequence, record, parked_at FROM parked WHERE due = 1 AND consumer = ?"
            " ORDER BY parked_at, rowid LIMIT ?",
            (consumer, limit),
        )
        return [ParkedRecord(name, sequence, json.loads(record), at) for name, sequence, record, at in found]

    def replayed(self, record: ParkedRecord) -> None:
        """The consumer took it at last."""
        self._rows.execute("DELETE FROM parked WHERE consumer = ? AND sequence = ?", (record.consumer, record.sequence))

    def failed_again(self, record: ParkedRecord) -> None:
        """It stays parked until the next `request_replay`."""
        self._rows.execute(
            "UPDATE parked SET due = 0 WHERE consumer = ? AND sequence = ?", (record.consumer, record.sequence)
        )

    def count(self) -> int:
        return int(self._rows.execute("SELECT count(*) FROM parked").fetchone()[0])

    def close(self) -> None:
        self._rows.close()
