"""The change feed that `SqliteTable` writes, read by named consumers whose positions are in a small file beside it.

Positions are committed without waiting for the disk: a power failure may bring back a few entries already done, which
"at least once" allows.
"""

from collections.abc import Sequence
from pathlib import Path

from ..clock import Clock, now_ms
from ..ports.feed import BEGINNING
from ..ports.table import Change, Key
from .items import decode
from .store import SqliteFile, SqliteStore

_POSITIONS = "CREATE TABLE IF NOT EXISTS positions(consumer TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;"
_READ = "SELECT n, at, pk, sk, old, new, expired FROM feed WHERE n > ? ORDER BY n LIMIT ?"
_TRIMMED_AT_ONCE = 500  # rows: writers of the table wait meanwhile


class SqliteFeed:
    """Implements `Feed` over a `SqliteStore` with a feed.

    It opens the store's file anew: a reader must never see what another part of its thread holds but has not committed.
    """

    def __init__(self, path: Path | str, *, consumers: Sequence[str] = (), clock: Clock = now_ms):
        """`consumers` are known, and hold back `trim`, before their first read."""
        path = Path(path)
        self._store = SqliteStore(path, feed=True)
        self._positions = SqliteFile(path.with_suffix(".positions.sqlite"), _POSITIONS, synchronous="NORMAL")
        self._clock = clock
        for consumer in consumers:
            self._position(consumer)

    def read(self, consumer: str, limit: int = 100) -> list[Change]:
        rows = self._store.session().connection.execute(_READ, (self._position(consumer), limit))
        return [
            Change(
                sequence=f"{n:020d}",
                key=Key(pk, sk),
                old=None if old is None else decode(old),
                new=None if new is None else decode(new),
                at=at,
                expired=bool(expired),
            )
            for n, at, pk, sk, old, new, expired in rows
        ]

    def commit(self, consumer: str, sequence: str) -> None:
        n = int(sequence)
        self._position(consumer)
        with self._positions.session() as connection:
            connection.execute("UPDATE positions SET n = max(n, ?) WHERE consumer = ?", (n, consumer))

    def lag(self, consumer: str) -> int:
        oldest, newest = (
            self._store.session()
            .connection.execute("SELECT coalesce(min(n), 1), coalesce(max(n), 0) FROM feed")
            .fetchone()
        )
        return max(int(newest) - max(self._position(consumer), int(oldest) - 1), 0)  # numbers have no gaps

    def rewind(self, consumer: str, sequence: str = BEGINNING) -> None:
        n = int(sequence or 0)
        self._position(consumer)
        with self._positions.session() as connection:
            connection.execute("UPDATE positions SET n = ? WHERE consumer = ?", (n, consumer))

    def trim(self, keep_ms: int, keep_records: int) -> int:
        (newest,) = self._store.session().connection.execute("SELECT coalesce(max(n), 0) FROM feed").fetchone()
        (committed,) = self._positions.session().connection.execute("SELECT min(n) FROM positions").fetchone()
        # The newest entry stays: from it SQLite takes the next number, and numbers must grow for ever.
        last = min(newest - max(keep_records, 1), newest if committed is None else committed)
        with self._store.session() as connection:
            return connection.execute(
                "DELETE FROM feed WHERE n IN (SELECT n FROM feed WHERE n <= ? ORDER BY n LIMIT ?) AND at < ?",
                (last, _TRIMMED_AT_ONCE, self._clock() - keep_ms),
            ).rowcount

    def close(self) -> None:
        self._store.close()
        self._positions.close()

    def _position(self, consumer: str) -> int:
        """Where the consumer stands; a new one is noted down at the beginning."""
        found = self._find(consumer)
        if found is None:
            with self._positions.session() as connection:
                connection.execute("INSERT OR IGNORE INTO positions(consumer, n) VALUES (?, 0)", (consumer,))
            found = self._find(consumer)
        assert found is not None
        return found

    def _find(self, consumer: str) -> int | None:
        row = (
            self._positions.session()
            .connection.execute("SELECT n FROM positions WHERE consumer = ?", (consumer,))
            .fetchone()
        )
        return None if row is None else int(row[0])


def local_feed(folder: Path | str, *, consumers: Sequence[str] = (), clock: Clock = now_ms) -> SqliteFeed:
    """The feed of `local_tables(folder).main`."""
    return SqliteFeed(Path(folder, "main.sqlite"), consumers=consumers, clock=clock)
