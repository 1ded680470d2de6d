"""SQLite files: a connection a thread, one writer at a time, writes on disk (WAL, fsync) before a commit answers.

Within a process writers queue on a lock, which wakes the next at once; between processes SQLite's own lock and its busy
timeout arbitrate. Connections must not cross a fork.
"""

import logging
import sqlite3
import threading
import weakref
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from ..ports.table import Throttled
from ..retry import attempts

BUSY_MS = 15_000  # how long a writer waits for its turn before it is told Throttled
CHECKPOINT_MS = 250
_CHECKPOINT_PAGES = 4_096  # 16 MB of log: the commit that fills it writes it back, where no `Checkpointer` has
_MAX_LOG_PAGES = 16_384  # 64 MB: a log that grew longer is written back whole, for which writers wait

_ROWS = """
CREATE TABLE IF NOT EXISTS rows(pk TEXT NOT NULL, sk TEXT NOT NULL, item TEXT NOT NULL, expires INTEGER,
    PRIMARY KEY(pk, sk)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS rows_by_expiry ON rows(expires) WHERE expires IS NOT NULL;
"""
_FEED = """
CREATE TABLE IF NOT EXISTS feed(n INTEGER PRIMARY KEY, at INTEGER NOT NULL, pk TEXT NOT NULL, sk TEXT NOT NULL,
    old TEXT, new TEXT, expired INTEGER NOT NULL);
"""
_log = logging.getLogger(__name__)


class Session:
    """One thread's connection. As a context it is a write transaction that yields the connection.

    Holding, the transaction stays open at the end of the context and is committed by `flush`. A context that fails
    before its first write leaves what is held untouched; one that fails later takes everything held with it, which
    `flush` and every write before it then report.
    """

    def __init__(self, path: Path, writing: threading.Lock, *, synchronous: str):
        self._writing = writing
        self.connection = sqlite3.connect(
            path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        self.connection.execute(f"PRAGMA synchronous={synchronous}")
        self.connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        self.connection.execute("PRAGMA cache_size=-16000")
        self.holding = False
        self.open = False
        self.failure: Exception | None = None
        self._writes_before: int  # of the context that is entered, as the next
        self._began_here: bool

    def __enter__(self) -> sqlite3.Connection:
        if self.failure is not None:
            raise RuntimeError("the held transaction has failed and is not flushed") from self.failure
        self._began_here = not self.open
        if not self.open:
            self._begin()
        self._writes_before = self.connection.total_changes
        return self.connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            if not self.holding:
                self._commit()
        elif not self.holding or (self._began_here and self.connection.total_changes == self._writes_before):
            self._roll_back()
        elif self.connection.total_changes != self._writes_before or not self.connection.in_transaction:
            self._roll_back()
            self.failure = error if isinstance(error, Exception) else RuntimeError(f"interrupted by {error!r}")

    def flush(self) -> None:
        """Commit what is held. Raises when none of it was stored; after that a new transaction can begin."""
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure
        if self.open:
            self._commit()

    def close(self) -> None:
        """What is held and not flushed is lost, as if the process had ended."""
        self.connection.close()
        if self.open:
            self.open = False
            self._writing.release()

    def __del__(self) -> None:  # the thread has ended
        if hasattr(self, "open"):
            self.close()

    def _begin(self) -> None:
        if not self._writing.acquire(timeout=BUSY_MS / 1000):
            raise Throttled("other writers of this process kept the store")
        try:
            self.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            self._writing.release()
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise Throttled("another process kept the store") from error
            raise
        self.open = True

    def _commit(self) -> None:
        try:
            self.connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        self.open = False
        self._writing.release()

    def _roll_back(self) -> None:
        try:
            if self.connection.in_transaction:  # SQLite itself has rolled back after some failures, a full disk for one
                self.connection.execute("ROLLBACK")
        finally:
            self.open = False
            self._writing.release()


class SqliteFile:
    """One database file and the connections of this process to it. `schema` is run when it is opened, so idempotent."""

    def __init__(self, path: Path | str, schema: str, *, synchronous: str = "FULL"):
        self.path = Path(path)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._synchronous = synchronous
        self._writing = threading.Lock()
        self._threads = threading.local()
        self._sessions: weakref.WeakSet[Session] = weakref.WeakSet()
        self._switch_to_log()
        self.session().connection.executescript(schema)  # no write, and no wait for a writer, when all is there

    def session(self) -> Session:
        """This thread's connection."""
        try:
            return self._threads.session  # type: ignore[no-any-return]
        except AttributeError:
            session = self._threads.session = Session(self.path, self._writing, synchronous=self._synchronous)
            self._sessions.add(session)
            return session

    def hold(self) -> None:
        """From here on this thread's writes join one open transaction, which `flush` commits.

        No commit of this thread writes the log back any more, so a `Checkpointer` must.
        """
        session = self.session()
        session.connection.execute("PRAGMA wal_autocheckpoint=0")
        session.holding = True

    def flush(self) -> None:
        """Commit what this thread holds. Raises when nothing of it was stored; the next write starts afresh."""
        self.session().flush()

    @property
    def dirty(self) -> bool:
        """Whether this thread holds an open transaction, or one that failed and has not been flushed."""
        session = self.session()
        return session.holding and (session.open or session.failure is not None)

    def checkpoint(self) -> None:
        """Move what is committed from the log into the file; waits for nobody unless the log has grown past 64 MB."""
        connection = self.session().connection
        _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if pages > _MAX_LOG_PAGES and self._writing.acquire(timeout=BUSY_MS / 1000):
            try:
                connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
            finally:
                self._writing.release()

    def close(self) -> None:
        """Close every thread's connection; the last one of all processes writes the log back.

        None may be in use: SQLite frees what a statement of another thread still reads, and the process dies of it.
        """
        for session in list(self._sessions):
            session.close()
        self._threads = threading.local()

    def _switch_to_log(self) -> None:
        """Two processes that open a new file at once can meet here, where SQLite's busy timeout does not help."""
        connection = self.session().connection
        for attempt in attempts(20):
            try:
                connection.execute("PRAGMA journal_mode=WAL").fetchone()
                return
            except sqlite3.OperationalError:
                if attempt == 19:
                    raise


class SqliteStore(SqliteFile):
    """The file of one table: its rows and, with `feed`, what happened to them."""

    def __init__(self, path: Path | str, *, feed: bool):
        self.feed = feed
        super().__init__(path, _ROWS + _FEED if feed else _ROWS)


class Checkpointer(threading.Thread):
    """Checkpoints files in the background, so that no commit has to. `stop` ends it, after a last round."""

    def __init__(self, files: Iterable[SqliteFile], *, every_ms: int = CHECKPOINT_MS):
        super().__init__(name="checkpointer", daemon=True)
        self._files, self._every_ms = tuple(files), every_ms
        self._stopping = threading.Event()

    def run(self) -> None:
        stopping = False
        while not stopping:
            stopping = self._stopping.wait(self._every_ms / 1000)
            for file in self._files:
                try:
                    file.checkpoint()
                except sqlite3.Error:  # a full disk, say: the log keeps everything, and the next round tries again
                    _log.exception("cannot checkpoint %s", file.path)

    def stop(self) -> None:
        self._stopping.set()
        if self.is_alive():
            self.join()
