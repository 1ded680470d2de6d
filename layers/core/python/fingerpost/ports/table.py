"""The only door to rows, shaped like DynamoDB because that is the engine that must scale.

A row is an `Item` under a `Key`. Numbers come back as int when whole, else float; at most 38 digits. An item with
`expires_at` in the past is absent: to reads, to conditions, and to old images. Strings sort by their UTF-8 bytes.
Both adapters (aws/table.py, local/table.py) pass tests/ports/test_table.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ..frozen import Frozen

type Value = None | bool | int | float | str | bytes | list["Value"] | dict[str, "Value"]
type Item = dict[str, Any]  # of Values; Any, so that reading a row is not a cast at every field

MAX_ITEM_BYTES = 400 * 1024
MAX_PAGE_BYTES = 1024 * 1024
MAX_TRANSACTION_WRITES = 100
MAX_PK_BYTES = 2048
MAX_SK_BYTES = 1024
LAST = "\U0010ffff"  # sorts after every character we store


class Key(NamedTuple):
    pk: str
    sk: str


class Absent(Frozen):
    """There is no such row."""


class Present(Frozen):
    """There is such a row."""


class Equals(Frozen):
    """The row exists and its field equals `value`."""

    field: str
    value: str | int | float | bool


class AtMost(Frozen):
    """The row exists and its field is a number (or text, like `value`) of at most `value`."""

    field: str
    value: str | int | float


class AbsentOrBelow(Frozen):
    """The row or its field is absent, or the field is below `value`."""

    field: str
    value: str | int | float


type Condition = Absent | Present | Equals | AtMost | AbsentOrBelow


class Set(Frozen):
    field: str
    value: Value


class Remove(Frozen):
    field: str


class Add(Frozen):
    """Add to a number; an absent field counts as 0. Never retried after a lost answer (see `Uncertain`)."""

    field: str
    amount: int | float


type FieldChange = Set | Remove | Add


class Put(Frozen):
    key: Key
    item: Item
    when: tuple[Condition, ...] = ()
    expires_at: int | None = None  # milliseconds since the epoch, kept in whole seconds (rounded up)


class Update(Frozen):
    """An update of an expired row starts from nothing, as if the row were absent."""

    key: Key
    changes: tuple[FieldChange, ...]
    when: tuple[Condition, ...] = ()


class Delete(Frozen):
    key: Key
    when: tuple[Condition, ...] = ()


class Check(Frozen):
    key: Key
    when: tuple[Condition, ...]


type Write = Put | Update | Delete | Check


class Row(NamedTuple):
    key: Key
    item: Item


class Page(Frozen):
    """Some rows in order. `after` is the sort key to go on from, None at the end. A page may be short or empty and
    still have an `after`: a reader goes on until `after` is None or it has what it wants."""

    rows: tuple[Row, ...]
    after: str | None = None


class ConditionFailed(Exception):
    """A condition did not hold. `old` is the row as it was found, None when absent. Nothing was written."""

    def __init__(self, old: Item | None):
        super().__init__("condition failed")
        self.old = old


class Reason(Frozen):
    """Why one write of a transaction could not be done. `old` accompanies a failed condition."""

    kind: str  # "none" (this one was fine), "condition", "conflict", "throttled", "other"
    old: Item | None = None


class TransactionFailed(Exception):
    """Nothing was written. `reasons` has one entry for each write, in their order."""

    def __init__(self, reasons: Sequence[Reason]):
        super().__init__(", ".join(reason.kind for reason in reasons))
        self.reasons = tuple(reasons)

    @property
    def conditions_only(self) -> bool:
        """Whether a retry of the same transaction is pointless."""
        return all(reason.kind in ("none", "condition") for reason in self.reasons)


class ItemTooLarge(Exception):
    """The item exceeds 400 KB (or a key its limit). Nothing was written."""


class Throttled(Exception):
    """The store refused for now, even after the adapter's own retries. Nothing was written."""


class Uncertain(Exception):
    """No answer came to a write that must not be repeated blindly (an `Add`): it may or may not have happened."""


class Unreachable(Exception):
    """No answer came within the deadline. A read was not done; a conditional or fixed write may be sent again."""


class Table(Protocol):
    """One table. Keys as given are physical keys; tenants' code uses `AccountTable`, which prefixes the account."""

    def get(self, key: Key, *, consistent: bool = False) -> Item | None: ...

    def get_many(self, keys: Sequence[Key], *, consistent: bool = False) -> dict[Key, Item]:
        """The rows that exist. Any number of keys (in calls of 100, left-overs retried); duplicates allowed."""
        ...

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
        """Rows of one partition with `low <= sk <= high`, in sk order, beyond `after` in the reading direction.

        `after` need not name a row. At most `limit` rows and 1 MB. For a prefix: low=p, high=p + LAST.
        """
        ...

    def count(self, pk: str, *, low: str = "", high: str = LAST, at_most: int = 10_000) -> int:
        """How many rows the range holds, counting stops at `at_most`."""
        ...

    def put(
        self, key: Key, item: Item, *, when: tuple[Condition, ...] = (), expires_at: int | None = None
    ) -> Item | None:
        """Write the whole row; answers the old one. Raises ConditionFailed, ItemTooLarge."""
        ...

    def put_many(self, puts: Sequence[Put]) -> None:
        """Unconditional puts, each on its own, in calls of 25, left-overs retried. Keys are distinct.

        For rows whose replay is harmless: a failure may leave some written. Raises ValueError for a condition.
        """
        ...

    def update(
        self, key: Key, changes: tuple[FieldChange, ...], *, when: tuple[Condition, ...] = ()
    ) -> tuple[Item | None, Item]:
        """Change single fields; answers (old, new). Raises ConditionFailed; Uncertain when it holds an `Add`."""
        ...

    def delete(self, key: Key, *, when: tuple[Condition, ...] = ()) -> Item | None:
        """Remove the row; answers the old one. No row and no condition: nothing happens. Raises ConditionFailed."""
        ...

    def transact(self, writes: Sequence[Write]) -> None:
        """All or nothing, at most 100 writes on distinct keys of this table. Raises TransactionFailed, ValueError."""
        ...

    def walk(self, *, segment: int = 0, segments: int = 1) -> Iterator[Row]:
        """Every row (a whole-table scan, in no useful order). For migration and export only, never in a handler."""
        ...


class Change(Frozen, kw_only=True):
    """One entry of the change feed: what happened to one row of `main`. Order holds per row, never globally."""

    sequence: str  # unique within the feed; grows per row
    key: Key
    old: Item | None
    new: Item | None
    at: int = 0  # milliseconds since the epoch, approximate
    expired: bool = False  # the store removed it because its time was up


class Tables(Frozen):
    """The two tables. `main` has a change feed, `log` has none; no transaction spans both."""

    main: Table
    log: Table
    account: str = ""  # whose rows alone they reach

    def of(self, account: str) -> "Tables":
        """What tenants' code sees: both tables with the account in front of every partition key."""
        return Tables(AccountTable(self.main, account), AccountTable(self.log, account), account)


class AccountTable:
    """A table that can reach one account's rows only: `<account>#` stands before every partition key."""

    __slots__ = ("account", "prefix", "table")

    def __init__(self, table: Table, account: str):
        self.table, self.account, self.prefix = table, account, f"{account}#"

    def get(self, key: Key, *, consistent: bool = False) -> Item | None:
        return self.table.get(self._own(key), consistent=consistent)

    def get_many(self, keys: Sequence[Key], *, consistent: bool = False) -> dict[Key, Item]:
        found = self.table.get_many([self._own(key) for key in keys], consistent=consistent)
        return {self._bare(key): item for key, item in found.items()}

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
        page = self.table.query(
            self.prefix + pk,
            low=low,
            high=high,
            after=after,
            descending=descending,
            limit=limit,
            consistent=consistent,
        )
        return Page(tuple(Row(self._bare(row.key), row.item) for row in page.rows), page.after)

    def count(self, pk: str, *, low: str = "", high: str = LAST, at_most: int = 10_000) -> int:
        return self.table.count(self.prefix + pk, low=low, high=high, at_most=at_most)

    def put(
        self, key: Key, item: Item, *, when: tuple[Condition, ...] = (), expires_at: int | None = None
    ) -> Item | None:
        return self.table.put(self._own(key), item, when=when, expires_at=expires_at)

    def put_many(self, puts: Sequence[Put]) -> None:
        self.table.put_many([Put(self._own(put.key), put.item, put.when, put.expires_at) for put in puts])

    def update(
        self, key: Key, changes: tuple[FieldChange, ...], *, when: tuple[Condition, ...] = ()
    ) -> tuple[Item | None, Item]:
        return self.table.update(self._own(key), changes, when=when)

    def delete(self, key: Key, *, when: tuple[Condition, ...] = ()) -> Item | None:
        return self.table.delete(self._own(key), when=when)

    def transact(self, writes: Sequence[Write]) -> None:
        """`Elsewhere` writes go to the global row they name; every other write stays in the account."""
        self.table.transact([self._write(write) for write in writes])

    def walk(self, *, segment: int = 0, segments: int = 1) -> Iterator[Row]:
        for row in self.table.walk(segment=segment, segments=segments):
            if row.key.pk.startswith(self.prefix):
                yield Row(self._bare(row.key), row.item)

    def _own(self, key: Key) -> Key:
        return Key(self.prefix + key.pk, key.sk)

    def _bare(self, key: Key) -> Key:
        return Key(key.pk[len(self.prefix) :], key.sk)

    def _write(self, write: Write) -> Write:
        key = write.key if isinstance(write.key, GlobalKey) else self._own(write.key)
        match write:
            case Put(_, item, when, expires_at):
                return Put(key, item, when, expires_at)
            case Update(_, changes, when):
                return Update(key, changes, when)
            case Delete(_, when):
                return Delete(key, when)
            case Check(_, when):
                return Check(key, when)


class GlobalKey(Key):
    """A key without an account: one of the few look-ups named in keys.py. Reaches past `AccountTable.transact`."""


def item_size(key: Key, item: Mapping[str, Value]) -> int:
    """Bytes as DynamoDB counts them: names and values in UTF-8, numbers by digits, 3 + 1 a member for containers."""
    return len(b"pk") + len(b"sk") + len(key.pk.encode()) + len(key.sk.encode()) + _size_of_map(item)


def _size_of_map(item: Mapping[str, Value]) -> int:
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Value) -> int:
    match value:
        case None | bool():
            return 1
        case str():
            return len(value.encode())
        case bytes():
            return len(value)
        case int() | float():
            digits = len(repr(value).strip("-").replace(".", "").strip("0"))
            return 1 + (digits + 1) // 2 + (value < 0)
        case list():
            return 3 + sum(1 + _size(member) for member in value)
        case dict():
            return 3 + len(value) + _size_of_map(value)
