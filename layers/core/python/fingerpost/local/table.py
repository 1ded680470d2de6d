"""The `Table` of one machine: rows in SQLite, conditions judged in Python, the feed written in the same transaction.

Enforces DynamoDB's limits, so that nothing works only here. Reads are always consistent.
"""

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from sqlite3 import Connection
from typing import NamedTuple

from ..clock import Clock, now_ms
from ..ports.table import (
    LAST,
    MAX_PAGE_BYTES,
    MAX_TRANSACTION_WRITES,
    Check,
    Condition,
    ConditionFailed,
    Delete,
    FieldChange,
    Item,
    Key,
    Page,
    Put,
    Reason,
    Row,
    Tables,
    TransactionFailed,
    Update,
    Write,
)
from .items import changed, check_key, decode, encode, hold, is_storable, same_text
from .store import SqliteStore

MAX_TRANSACTION_BYTES = 4 * 1024 * 1024  # source: TransactWriteItems
_WALKED_AT_ONCE = 500
_SWEPT_AT_ONCE = 500

_GET = "SELECT item, expires FROM rows WHERE pk = ? AND sk = ?"
_PUT = "INSERT OR REPLACE INTO rows(pk, sk, item, expires) VALUES (?, ?, ?, ?)"
_DELETE = "DELETE FROM rows WHERE pk = ? AND sk = ?"
_FEED = "INSERT INTO feed(at, pk, sk, old, new, expired) VALUES (?, ?, ?, ?, ?, ?)"
_RANGE = "SELECT sk, item, expires FROM rows WHERE pk = ? AND sk {} ? AND sk {} ? ORDER BY sk {} LIMIT ?"
_FROM, _BEHIND = _RANGE.format(">=", "<=", "ASC"), _RANGE.format(">", "<=", "ASC")
_DOWN_FROM, _DOWN_BEHIND = _RANGE.format("<=", ">=", "DESC"), _RANGE.format("<", ">=", "DESC")
_COUNT = """SELECT count(*) FROM (SELECT 1 FROM rows WHERE pk = ? AND sk >= ? AND sk <= ?
    AND (expires IS NULL OR expires > ?) LIMIT ?)"""
_WALK = "SELECT pk, sk, item, expires FROM rows WHERE (pk, sk) > (?, ?) ORDER BY pk, sk LIMIT ?"
_EXPIRED = "SELECT pk, sk, item FROM rows WHERE expires <= ? ORDER BY expires LIMIT ?"


class _Found(NamedTuple):
    """A live row as it is kept; `expires` in seconds since the epoch."""

    text: str
    expires: int | None


class _Effect(NamedTuple):
    """What one write does to one row. `new` is None when it goes; `old` None when it was not there, or expired."""

    key: Key
    old: _Found | None
    new: _Found | None


class SqliteTable:
    """Implements `Table`. One operation is one transaction, or part of the held one (see `SqliteStore.hold`)."""

    def __init__(self, store: SqliteStore, *, clock: Clock = now_ms):
        self.store = store
        self._clock = clock

    def get(self, key: Key, *, consistent: bool = False) -> Item | None:
        if not is_storable(key):
            return None
        row = self.store.session().connection.execute(_GET, key).fetchone()
        if row is None:
            return None
        text, expires = row
        return None if expires is not None and expires <= self._clock() // 1000 else decode(text)

    def get_many(self, keys: Sequence[Key], *, consistent: bool = False) -> dict[Key, Item]:
        found = {}
        for key in dict.fromkeys(keys):
            item = self.get(key)
            if item is not None:
                found[key] = item
        return found

    def query(
        self,
        pk: str,
        *,
        low: str = "",
        high: str = LAST,
        after: str | None = None,
        descending: bool = False,
        limit: int = 100,
        consistent: bool = False,
    ) -> Page:
        """As in DynamoDB, expired rows count towards `limit` and 1 MB, so a page can be short and have an `after`.

        The megabyte is of text as kept: never less than DynamoDB counts, lists of short numbers apart.
        """
        if limit < 1:
            raise ValueError(f"a page holds at least one row, not {limit}")
        if not is_storable(Key(pk, "-")):
            return Page(())
        now, taken, last = self._clock() // 1000, 0, None
        rows: list[Row] = []
        cursor = self.store.session().connection.execute(*_range(pk, low, high, after, descending, limit + 1))
        try:
            for seen, (sk, text, expires) in enumerate(cursor):
                taken += len(text) if text.isascii() else len(text.encode())
                if seen == limit or (taken > MAX_PAGE_BYTES and seen):
                    return Page(tuple(rows), last)
                if expires is None or expires > now:
                    rows.append(Row(Key(pk, sk), decode(text)))
                last = sk
        finally:
            cursor.close()
        return Page(tuple(rows))

    def count(self, pk: str, *, low: str = "", high: str = LAST, at_most: int = 10_000) -> int:
        if not is_storable(Key(pk, "-")):
            return 0
        arguments = (pk, low, high, self._clock() // 1000, at_most)
        (counted,) = self.store.session().connection.execute(_COUNT, arguments).fetchone()
        return int(counted)

    def put(
        self, key: Key, item: Item, *, when: tuple[Condition, ...] = (), expires_at: int | None = None
    ) -> Item | None:
        return self._one(Put(key, item, when, expires_at))[0]

    def put_many(self, puts: Sequence[Put]) -> None:
        """All in one transaction, which DynamoDB does not promise."""
        if any(put.when for put in puts):
            raise ValueError("put_many takes no conditions")
        _check_distinct(puts)
        ready = [(put.key, _kept(put)) for put in puts]
        if not ready:
            return
        with self.store.session() as connection:
            now = self._clock()
            for key, new in ready:
                self._make(connection, _Effect(key, self._find(connection, key, now // 1000), new), now)

    def update(
        self, key: Key, changes: tuple[FieldChange, ...], *, when: tuple[Condition, ...] = ()
    ) -> tuple[Item | None, Item]:
        old, new = self._one(Update(key, changes, when))
        assert new is not None
        return old, decode(new.text)

    def delete(self, key: Key, *, when: tuple[Condition, ...] = ()) -> Item | None:
        return self._one(Delete(key, when))[0]

    def transact(self, writes: Sequence[Write]) -> None:
        if len(writes) > MAX_TRANSACTION_WRITES:
            raise ValueError(f"a transaction has at most {MAX_TRANSACTION_WRITES} writes, not {len(writes)}")
        _check_distinct(writes)
        ready = [_checked(write) for write in writes]
        if sum(len(new.text) for new in ready if new) > MAX_TRANSACTION_BYTES:
            raise ValueError(f"a transaction holds at most {MAX_TRANSACTION_BYTES} bytes")
        with self.store.session() as connection:
            now = self._clock()
            effects, reasons = [], []
            for write, new in zip(writes, ready, strict=True):
                effect, reason = self._judged(connection, write, new, now)
                reasons.append(reason)
                if effect:
                    effects.append(effect)
            if any(reason.kind != "none" for reason in reasons):
                raise TransactionFailed(reasons)
            for effect in effects:
                self._make(connection, effect, now)

    def walk(self, *, segment: int = 0, segments: int = 1) -> Iterator[Row]:
        if not 0 <= segment < segments:
            raise ValueError(f"no segment {segment} of {segments}")
        pk = sk = ""
        while rows := self.store.session().connection.execute(_WALK, (pk, sk, _WALKED_AT_ONCE)).fetchall():
            now = self._clock() // 1000
            for pk, sk, text, expires in rows:
                if zlib.crc32(pk.encode()) % segments == segment and (expires is None or expires > now):
                    yield Row(Key(pk, sk), decode(text))

    def sweep(self, now: int, *, limit: int = _SWEPT_AT_ONCE) -> int:
        """Delete up to `limit` rows that have expired by `now` (ms); the feed marks them so. Answers how many."""
        with self.store.session() as connection:
            expired = connection.execute(_EXPIRED, (now // 1000, limit)).fetchall()
            connection.executemany(_DELETE, [(pk, sk) for pk, sk, _ in expired])
            if self.store.feed:
                connection.executemany(_FEED, [(now, pk, sk, text, None, True) for pk, sk, text in expired])
        return len(expired)

    def _one(self, write: Put | Update | Delete) -> tuple[Item | None, _Found | None]:
        """Do one write; answers the old item and the new row as kept."""
        check_key(write.key)
        new = _kept(write) if isinstance(write, Put) else None
        with self.store.session() as connection:
            now = self._clock()
            found = self._find(connection, write.key, now // 1000)
            old = None if found is None else decode(found.text)
            if not hold(write.when, old):
                raise ConditionFailed(old)
            if isinstance(write, Update):
                new = _updated(write, found, old)
            self._make(connection, _Effect(write.key, found, new), now)
        return old, new

    def _judged(
        self, connection: Connection, write: Write, new: _Found | None, now: int
    ) -> tuple[_Effect | None, Reason]:
        """What one write of a transaction would do, or why it cannot. Raises ItemTooLarge."""
        found = self._find(connection, write.key, now // 1000)
        old = None if found is None else decode(found.text)
        if not hold(write.when, old):
            return None, Reason("condition", old)
        match write:
            case Check():
                return None, Reason("none")
            case Update():
                try:
                    new = _updated(write, found, old)
                except ValueError:  # an `Add` to what is no number: DynamoDB's ValidationError
                    return None, Reason("other")
        return _Effect(write.key, found, new), Reason("none")

    def _find(self, connection: Connection, key: Key, seconds: int) -> _Found | None:
        """The row, unless it has expired by `seconds`."""
        row = connection.execute(_GET, key).fetchone()
        return None if row is None or (row[1] is not None and row[1] <= seconds) else _Found(*row)

    def _make(self, connection: Connection, effect: _Effect, now: int) -> None:
        key, old, new = effect
        if new is None:
            if old is None:
                return  # an expired row, if there is one, is left to `sweep`, which says that it expired
            connection.execute(_DELETE, key)
        else:
            if old is not None and old.expires == new.expires and same_text(old.text, new.text):
                return
            connection.execute(_PUT, (*key, *new))
        if self.store.feed:
            images = (None if old is None else old.text, None if new is None else new.text)
            connection.execute(_FEED, (now, *key, *images, False))


def local_tables(folder: Path | str, *, clock: Clock = now_ms) -> Tables:
    """Both tables in two files, so that readers of the feed who write `log` do not hold up writers of `main`."""
    return Tables(
        main=SqliteTable(SqliteStore(Path(folder, "main.sqlite"), feed=True), clock=clock),
        log=SqliteTable(SqliteStore(Path(folder, "log.sqlite"), feed=False), clock=clock),
    )


def _range(
    pk: str, low: str, high: str, after: str | None, descending: bool, limit: int
) -> tuple[str, tuple[str, str, str, int]]:
    """Statement and arguments. One bound a side: SQLite seeks to one only, and would step over what the other cuts."""
    if descending:
        return (
            (_DOWN_FROM, (pk, high, low, limit))
            if after is None or after > high
            else (_DOWN_BEHIND, (pk, after, low, limit))
        )
    return (_FROM, (pk, low, high, limit)) if after is None or after < low else (_BEHIND, (pk, after, high, limit))


def _kept(put: Put) -> _Found:
    """The row as it will be kept. Raises ValueError and ItemTooLarge."""
    expires_at = put.expires_at
    return _Found(encode(put.key, put.item), None if expires_at is None else -(-expires_at // 1000))


def _checked(write: Write) -> _Found | None:
    """What a put of a transaction will keep. Raises ValueError and ItemTooLarge for what could be done to no row."""
    match write:
        case Put():
            return _kept(write)
        case Update(key, changes, _):
            encode(key, changed(None, changes))
        case Check(_, when) if not when:
            raise ValueError("a check has a condition")
    return None


def _updated(update: Update, found: _Found | None, old: Item | None) -> _Found:
    return _Found(encode(update.key, changed(old, update.changes)), None if found is None else found.expires)


def _check_distinct(writes: Sequence[Put] | Sequence[Write]) -> None:
    if len({(write.key.pk, write.key.sk) for write in writes}) < len(writes):
        raise ValueError("a row is written once in one call")
    for write in writes:
        check_key(write.key)
