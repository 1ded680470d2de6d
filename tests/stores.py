"""Tables that misbehave on purpose, and a scheduler that lets threads take turns, one store call at a time."""

import itertools
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fingerpost.access.model import EVERYTHING, Principal
from fingerpost.caller import Caller
from fingerpost.local.table import local_tables
from fingerpost.ports.table import Key, Table, Tables
from fingerpost.resources import Kind, from_item, index_rows

NOON = 1_773_576_000_000  # 2026-03-15T12:00:00Z
READS = frozenset({"get", "get_many", "query", "count", "walk"})

type Method = Callable[..., Any]
type Around = Callable[[str, Method, Sequence[Any]], Any]  # a call's name, how to carry it out, and with what

_accounts = itertools.count(1)


class SettableClock:
    """Stands still until it is moved. Milliseconds since the epoch."""

    def __init__(self, now: int = NOON):
        self.now = now

    def __call__(self) -> int:
        return self.now


class Crash(BaseException):
    """The process ends here: nothing of the program catches it."""


class Hooked:
    """A table each of whose calls goes through `around`."""

    def __init__(self, table: Table, around: Around):
        self._table, self._around = table, around

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._table, name)
        return lambda *args, **named: self._around(name, lambda *args: method(*args, **named), args)


def hooked(tables: Tables, around: Around) -> Tables:
    return Tables(Hooked(tables.main, around), Hooked(tables.log, around))  # type: ignore[arg-type]


@contextmanager
def fresh_tables(clock: SettableClock) -> Iterator[Tables]:
    """Both tables of a new local store, in memory where there is a file system for that."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        tables = local_tables(folder, clock=clock)
        yield tables
        for table in (tables.main, tables.log):
            table.store.close()  # type: ignore[attr-defined]


def emptied(tables: Tables) -> Tables:
    """The same local store without a row: quicker than a new one."""
    for table in (tables.main, tables.log):
        with table.store.session() as connection:  # type: ignore[attr-defined]
            connection.execute("DELETE FROM rows")
    return tables


def new_account() -> str:
    """An account that no other test of this process has: a store can be shared by many examples."""
    return f"A{next(_accounts)}"


def caller_of(tables: Tables, account: str, at: int = NOON, **more: Any) -> Caller:
    principal = Principal(actor="operator", account=account, id="operator", rights=EVERYTHING)
    if project := more.pop("project", None):
        principal = Principal(actor="trustedApplication", account=account, id="application", project=project)
    return Caller(principal=principal, tables=tables.of(account), at=at, cause="test", **more)


def crashing(after: int) -> Around:
    """A process that ends at its store call number `after`; of a batch of puts half are done by then."""
    made = itertools.count()

    def around(name: str, method: Method, args: Sequence[Any]) -> Any:
        if next(made) < after:
            return method(*args)
        if name == "put_many":
            method(args[0][: len(args[0]) // 2])
        raise Crash

    return around


def counting(calls: Counter[str]) -> Around:
    def around(name: str, method: Method, args: Sequence[Any]) -> Any:
        calls[name] += 1
        return method(*args)

    return around


def rows_of(table: Table) -> set[Key]:
    return {row.key for row in table.walk()}


def documents_of(tables: Tables, kind: Kind) -> dict[str, Any]:
    """Every stored document of a kind, by id. `tables` are an account's."""
    found = {}
    for row in tables.main.walk():
        if row.key.sk == "doc":
            resource_id = row.key.pk.removeprefix("t#")
            if (stored := from_item(kind, resource_id, row.item)) is not None:
                found[resource_id] = stored
    return found


def missing_rows(tables: Tables, kind: Kind) -> set[Key]:
    """The index rows that documents lack: the one thing that must never be."""
    return _wanted_rows(tables, kind) - rows_of(tables.log)


def dangling_rows(tables: Tables, kind: Kind) -> set[Key]:
    """The index rows of a kind that lead to no document which has their value."""
    found = {key for key in rows_of(tables.log) if key.pk.split("#")[0] in "xn" and key.pk.split("#")[2] == kind.name}
    return found - _wanted_rows(tables, kind)


def _wanted_rows(tables: Tables, kind: Kind) -> set[Key]:
    documents = documents_of(tables, kind).values()
    return {row for each in documents for row in index_rows(kind, each.id, each.document)}


class Turns:
    """Runs several actors on threads of their own; each waits before every store call until it is its turn."""

    def __init__(self, actors: int):
        self._pools = [ThreadPoolExecutor(1) for _ in range(actors)]
        self._go = [threading.Semaphore(0) for _ in range(actors)]
        self._stopped = threading.Semaphore(0)
        self._ended: list[bool] = []

    def close(self) -> None:
        for pool in self._pools:
            pool.shutdown()

    def tables(self, tables: Tables, actor: int) -> Tables:
        def around(_name: str, method: Method, args: Sequence[Any]) -> Any:
            self._stopped.release()
            self._go[actor].acquire()
            return method(*args)

        return hooked(tables, around)

    def run(
        self, actors: Sequence[Callable[[], Any]], order: Sequence[int], check: Callable[[], None] = lambda: None
    ) -> list[Future[Any]]:
        """Let actors make one call at a time in this order, then each go on to its end. `check` runs between calls."""
        self._ended = [False] * len(actors)
        futures: list[Future[Any]] = []
        for number, actor in enumerate(actors):
            futures.append(self._pools[number].submit(self._whole, number, actor))
            self._stopped.acquire()
        for number in order:
            if not self._ended[number]:
                self._step(number)
                check()
        for number in range(len(actors)):
            while not self._ended[number]:
                self._step(number)
                check()
        return futures

    def _step(self, number: int) -> None:
        self._go[number].release()
        self._stopped.acquire()

    def _whole(self, number: int, actor: Callable[[], Any]) -> Any:
        try:
            return actor()
        finally:
            self._ended[number] = True
            self._stopped.release()


def interleavings(*lengths: int) -> Iterator[tuple[int, ...]]:
    """Every order in which actors with so many calls each can take their turns."""
    if not any(lengths):
        yield ()
        return
    for actor, length in enumerate(lengths):
        if length:
            rest = (*lengths[:actor], length - 1, *lengths[actor + 1 :])
            for order in interleavings(*rest):
                yield (actor, *order)
