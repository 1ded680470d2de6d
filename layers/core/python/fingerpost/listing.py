"""Pages of lists: index queries merged over scopes and shards, documents read and tested, a cursor for the rest.

A page costs what it returns, whatever the table holds: it examines at most READ_BUDGET index rows, and answers with a
cursor when the budget ends before the page is full, even with an empty page.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from . import keys
from .cursor import decode, encode, filter_digest
from .packed import entries
from .ports.table import LAST, Row, Tables
from .redirection.context import of_document
from .resources import Kind
from .rules.nodes import Node, fields, predicate
from .rules.plan import IndexQuery, Plan, index_fields, plan

READ_BUDGET = 2_000  # index rows of one page
BATCH = 100  # documents read at once
COUNTED = 10_000  # entries, where counting means reading them
SCOPES_OF_ONE_PROJECT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a client wants of a list."""

    per_page: int = 30
    ascending: bool = False
    token: str | None = None
    filter_text: str = ""
    node: Node | None = None


@dataclass(frozen=True, slots=True)
class Found[T]:
    """A document that an index row led to, and its fields as a filter sees them."""

    item: T
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PageOf[T]:
    items: tuple[T, ...]
    token: str | None  # for the next page; None on the last


type Load[T] = Callable[[Sequence[Row]], Mapping[str, Found[T]]]  # index rows -> what can be seen, by id


@dataclass(frozen=True, slots=True, kw_only=True)
class Lister[T]:
    """Lists of one kind for one caller. `tables` are the account's; `scopes` are those the list merges."""

    tables: Tables
    account: str
    kind: Kind
    load: Load[T]
    secret: bytes
    scopes: tuple[str, ...] = (keys.ACCOUNT_SCOPE,)
    times: tuple[str, ...] = ("createdAt",)  # fields that the id tells

    def page(self, ask: Ask) -> PageOf[T]:
        """One page. Raises InvalidCursor for a token of another list."""
        planned = plan(ask.node, index_fields(self.kind.indexed, times=self.times))
        by_name = planned.order == "name"
        ascending = by_name or ask.ascending
        digest = filter_digest(self.account, "+".join(self.scopes), self.kind.name, ask.filter_text, str(ascending))
        after = decode(self.secret, ask.token, digest) if ask.token else None
        test = None if planned.residue is None else test_of(planned.residue)
        items: list[T] = []
        last = after
        examined = 0
        rows = self._rows(planned, after, ascending=ascending, ask=ask)
        # What an index has narrowed is nearly always shown, so no more documents are read than the page and one beyond.
        size = BATCH if _searches(planned) else ask.per_page + 1
        while batch := list(islice(rows, size)):
            found = self.load([row for _, row in batch])
            for token, row in batch:
                each = found.get(_id_of(row))
                if each is None or (by_name and not _is_named(row, each.document)):
                    continue
                if test is None or test(each.document):
                    if len(items) == ask.per_page:
                        assert last is not None
                        return PageOf(tuple(items), encode(self.secret, last, digest))
                    items.append(each.item)
                    last = token
            examined += len(batch)
            if examined >= READ_BUDGET:
                return PageOf(tuple(items), encode(self.secret, batch[-1][0], digest))
            size = min(BATCH, READ_BUDGET - examined)
        return PageOf(tuple(items), None)

    def count(self, ask: Ask) -> int:
        """How many documents are listed, exact to 10,000; with a filter, as far as one read budget goes.

        Without a filter index rows are counted, so what a crash left behind counts until it is swept.
        """
        several = len(self.scopes) > SCOPES_OF_ONE_PROJECT  # a document can be in more than one
        if ask.node is None and (self.kind.paged or several):
            return sum(1 for _ in islice(self._rows(plan(None, {}), None, ascending=False, ask=ask), COUNTED))
        if ask.node is None:
            partitions = [
                keys.index(scope, self.kind.name, "", "", shard)
                for scope in self.scopes
                for shard in range(keys.shards_in(scope, self.kind.shards))
            ]
            return sum(self.tables.log.count(partition) for partition in partitions)
        return len(self.page(Ask(per_page=READ_BUDGET, node=ask.node)).items)

    def _rows(self, planned: Plan, after: str | None, *, ascending: bool, ask: Ask) -> Iterator[tuple[str, Row]]:
        """(token, row) over all queries, scopes and shards, each id once."""
        by_name = planned.order == "name"
        limit = BATCH if _searches(planned) else max(8, (ask.per_page + 1) // self.kind.shards + 4)
        streams = [
            self._stream(query, scope, shard, after, ascending=ascending, by_name=by_name, limit=limit)
            for query in planned.queries
            for scope in self.scopes
            for shard in range(keys.shards_in(scope, self.kind.shards))
        ]
        previous = None
        for token, row in heapq.merge(*streams, key=lambda pair: pair[0], reverse=not ascending):
            if token != previous:
                previous = token
                yield token, row

    def _stream(
        self,
        query: IndexQuery,
        scope: str,
        shard: int,
        after: str | None,
        *,
        ascending: bool,
        by_name: bool,
        limit: int,
    ) -> Iterator[tuple[str, Row]]:
        low, high = query.id_low, query.id_high
        prefix = ""
        match query.kind:
            case "list":
                partition = keys.index(scope, self.kind.name, "", "", shard)
            case "name" | "prefix":
                partition = keys.names(scope, self.kind.name, shard)
                prefix = keys.name_prefix(query.value)
                if query.kind == "name":
                    prefix += "\0"
                low, high = (prefix, prefix + LAST) if by_name else (prefix + low, prefix + high)
            case _:
                partition = keys.index(scope, self.kind.name, query.field, query.value, shard)
        position = after if after is None or by_name else prefix + after
        if self.kind.paged and query.kind not in ("name", "prefix"):
            rows = entries(
                self.tables.log,
                partition,
                low=low,
                high=high,
                after=after,
                descending=not ascending,
                limit=limit,
                then=BATCH,
            )
            yield from ((row.key.sk, row) for row in rows)
            return
        while True:
            page = self.tables.log.query(
                partition,
                low=low,
                high=high,
                after=position,
                descending=not ascending,
                limit=limit,
                consistent=True,
            )
            for row in page.rows:
                yield row.key.sk if by_name else _id_of(row), row
            if page.after is None:
                return
            position, limit = page.after, min(2 * limit, BATCH)


def _searches(planned: Plan) -> bool:
    """Whether most of what is read may be in vain: a filter that no index narrows."""
    return planned.residue is not None and planned.reads_everything


def _id_of(row: Row) -> str:
    """The id in an index row's sort key: all of it, or what follows the name."""
    return row.key.sk.rpartition("\0")[2]


def _is_named(row: Row, document: Mapping[str, Any]) -> bool:
    """Whether a row of a list by name is of the name its document has now: a renamed one has two for a while."""
    return row.key.sk == keys.name_row(str(document.get("name", "")), _id_of(row))


def test_of(node: Node) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a document is what a filter asks for."""
    holds, names = predicate(node), fields(node)

    def test(document: Mapping[str, Any]) -> bool:
        values = ((name, _value(document, name)) for name in names)
        return holds({name: value for name, value in values if value is not None})

    return test


def _value(document: Mapping[str, Any], name: str) -> Any:
    return document[name] if name in document else of_document(document, name)
