"""How a list answers a filter: which index queries to read, and what to test on the documents they lead to. Pure.

The queries together name every document that satisfies the filter, and others too; the whole filter is the residue
that each document read is tested with. An index row holds the text of a value (`resources.values_of`), so a query may
find a text where the filter means a number; the residue decides.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from json import dumps
from math import ceil, floor
from typing import Literal

from ..ids import first_id
from ..ports.table import LAST
from .nodes import AllOf, AnyOf, Between, Exact, Negation, Node, Number, Pattern, Prefix, Test, bound_of

MAX_QUERIES = 10  # by terms: a shard, or a second spelling of one number, is not counted

type IndexKind = Literal["identifier", "reference", "tag", "name", "time"]
type IndexFields = Mapping[str, IndexKind]  # `identifiers.*` is one for each key
type QueryKind = Literal["identifier", "reference", "tag", "name", "prefix", "list"]

_COST: Mapping[QueryKind, int] = {"identifier": 0, "reference": 1, "tag": 2, "name": 3, "prefix": 4, "list": 5}
_END_OF_TIME = 50**8 - 1  # the last millisecond an id can say


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexQuery:
    """One range of index rows: ids from `id_low` to `id_high`, both included.

    identifier, reference, tag: of the documents whose `field` has `value` as text. name: whose name is `value`.
    prefix: whose name starts with `value`; its rows are in the order of names, and the ids only a hint to skip rows.
    list: all of them, `field` and `value` empty.
    """

    kind: QueryKind
    field: str
    value: str
    id_low: str = ""
    id_high: str = LAST


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to read. The rows of all queries are merged by id, or by name and then id, and each counts once.

    No query at all: nothing can satisfy the filter. `residue` is None when there was no filter. `reads_everything`
    is whether rows are read that no index narrows but time; then `note` says why, for people.
    """

    queries: tuple[IndexQuery, ...]
    residue: Node | None
    order: Literal["id", "name"] = "id"
    reads_everything: bool = False
    note: str | None = None


def index_fields(indexed: Iterable[str], *, times: Iterable[str] = ("createdAt",)) -> IndexFields:
    """The kinds of the fields a resource indexes (`resources.Kind.indexed`), its name, and those its id tells."""
    kinds: dict[str, IndexKind] = {"name": "name"}
    for field in indexed:
        kinds[field] = "tag" if field == "tags" else "identifier" if field == "identifiers.*" else "reference"
    return {**kinds, **dict.fromkeys(times, "time")}


def plan(node: Node | None, indexes: IndexFields) -> Plan:
    """The reads that find everything `node` can be true of; None is every document."""
    if node is None:
        return Plan(queries=(_query(_Reach("list")),), residue=None, reads_everything=True)
    cover = _cover(node, indexes)
    queries = tuple(query for reach in cover.reaches for query in _queries(reach))
    by_name = any(reach.kind == "prefix" for reach in cover.reaches)
    everything = any(reach.kind == "list" for reach in cover.reaches)
    return Plan(
        queries=tuple(dict.fromkeys(queries)),
        residue=node,
        order="name" if by_name else "id",
        reads_everything=everything,
        note=cover.note if everything else None,
    )


def time_span(node: Node | None, field: str) -> tuple[int, int]:
    """The first and the last millisecond at which `field` can be when `node` holds; the first is later when it never
    does."""
    if node is None:
        return 0, _END_OF_TIME
    cover = _cover(node, {field: "time"})
    return cover.low, cover.high


@dataclass(frozen=True, slots=True)
class _Reach:
    """What one term reaches, made between `low` and `high` (milliseconds, both included)."""

    kind: QueryKind
    field: str = ""
    texts: tuple[str, ...] = ("",)  # the spellings of one value
    low: int = 0
    high: int = _END_OF_TIME

    @property
    def unbounded(self) -> bool:
        return self.kind == "list" and self.low == 0 and self.high == _END_OF_TIME


@dataclass(frozen=True, slots=True)
class _Cover:
    """Reaches that together hold all a node can be true of; none when it is true of nothing."""

    reaches: tuple[_Reach, ...]
    note: str | None = None  # why it is the whole list

    @property
    def cost(self) -> tuple[int, bool, int]:
        dearest = max((_COST[reach.kind] for reach in self.reaches), default=-1)
        return dearest, any(reach.unbounded for reach in self.reaches), len(self.reaches)

    @property
    def low(self) -> int:
        return min((reach.low for reach in self.reaches), default=_END_OF_TIME)

    @property
    def high(self) -> int:
        return max((reach.high for reach in self.reaches), default=0)


def _everything(note: str, low: int = 0, high: int = _END_OF_TIME) -> _Cover:
    return _Cover((_Reach("list", low=low, high=high),), note)


def _cover(node: Node, indexes: IndexFields) -> _Cover:
    match node:
        case Test():
            return _cover_test(node, indexes)
        case AllOf(nodes):
            covers = [_cover(each, indexes) for each in nodes]
            if not covers:
                return _everything("an empty filter holds everywhere")
            best = min(covers, key=lambda cover: cover.cost)
            return _within(best, max(cover.low for cover in covers), min(cover.high for cover in covers))
        case AnyOf(nodes):
            return _union([_cover(each, indexes) for each in nodes])
        case Negation():
            return _everything("no index tells what a negation holds for")


def _within(cover: _Cover, low: int, high: int) -> _Cover:
    """What of `cover` was made in a span of time."""
    cut = [
        _Reach(reach.kind, reach.field, reach.texts, max(reach.low, low), min(reach.high, high))
        for reach in cover.reaches
    ]
    return _Cover(tuple([reach for reach in cut if reach.low <= reach.high]), cover.note)


def _union(covers: list[_Cover]) -> _Cover:
    """All that any of `covers` holds: each value once, nothing beside what includes it."""
    note = next((cover.note for cover in covers if cover.note), None)
    merged: dict[tuple[QueryKind, str, tuple[str, ...]], _Reach] = {}
    for reach in [reach for cover in covers for reach in cover.reaches]:
        key = (reach.kind, reach.field, reach.texts)
        known = merged.get(key, reach)
        merged[key] = _Reach(*key, min(reach.low, known.low), max(reach.high, known.high))
    reaches = [reach for reach in merged.values() if not any(_includes(other, reach) for other in merged.values())]
    low, high = _Cover(tuple(reaches)).low, _Cover(tuple(reaches)).high
    if len(reaches) > MAX_QUERIES:
        return _everything(f"more than {MAX_QUERIES} values are asked for", low, high)
    kinds = {reach.kind for reach in reaches}
    if "prefix" in kinds and not kinds <= {"prefix", "name"}:
        return _everything("names that start with a text are in another order than the rest of the filter", low, high)
    return _Cover(tuple(reaches), note)


def _includes(whole: _Reach, part: _Reach) -> bool:
    """Whether all that `part` reaches is among what another one reaches."""
    if whole is part or whole.low > part.low or whole.high < part.high:
        return False
    if whole.kind == "prefix":
        return part.kind in ("name", "prefix") and part.texts[0].startswith(whole.texts[0])
    return whole.kind == "list"


def _cover_test(test: Test, indexes: IndexFields) -> _Cover:
    kind = indexes.get(test.field) or indexes.get(test.field.partition(".")[0] + ".*")
    if kind == "time":
        return _cover_time(test)
    if kind is None or test.op != "=":
        return _everything(f"no index answers {test.field:.100}{test.op}")
    reaches = [_reach(kind, test.field, pattern) for pattern in test.values]
    found = [reach for reach in reaches if reach is not None]
    if len(found) < len(reaches):
        return _everything(f"no index answers every value asked of {test.field:.100}")
    return _union([_Cover((reach,)) for reach in found])


def _reach(kind: Literal["identifier", "reference", "tag", "name"], field: str, pattern: Pattern) -> _Reach | None:
    """What one value reaches, None when its field's index cannot tell."""
    match pattern:
        case Exact(_, value, number):
            if kind == "name":
                return _Reach("name", field, (value,)) if isinstance(value, str) and value else None
            return _Reach(kind, field, _spellings(value, number))
        case Prefix(text) if kind == "name" and text:
            return _Reach("prefix", field, (text,))
        case _:
            return None


def _spellings(value: str | Number, number: Number | None) -> tuple[str, ...]:
    """Each text that an index row can have for a stored value which equals this literal."""
    spellings: list[str] = []
    if isinstance(value, str):
        spellings.append(value)
    else:
        number = value
    if number is not None:
        spellings += [dumps(number), *([dumps(int(number))] if number == floor(number) else [])]
        if abs(number) < 1e308:  # a larger integer is no float
            spellings += [dumps(each) for each in (float(number), -0.0) if each == number]
    return tuple(dict.fromkeys(spellings))


def _cover_time(test: Test) -> _Cover:
    """The span of time that a test on when something was made leaves; several values give the span around them."""
    spans = [span for pattern in test.values if (span := _span(test.op, pattern)) is not None]
    if test.op not in ("=", "<", "<=", ">", ">="):
        return _everything(f"no index answers {test.field:.100}{test.op}")
    spans = [(max(low, 0), min(high, _END_OF_TIME)) for low, high in spans if low <= high]
    spans = [(low, high) for low, high in spans if low <= high]
    if not spans:
        return _Cover(())
    return _everything("only time narrows what is read", min(low for low, _ in spans), max(high for _, high in spans))


def _span(op: str, pattern: Pattern) -> tuple[int, int] | None:
    """The whole milliseconds that one value allows; None when it allows none."""
    bound = bound_of(pattern)
    match op, pattern:
        case "=", Between(low, high):
            return ceil(low), floor(high)
        case "=", Exact():
            return None if bound is None else (ceil(bound), floor(bound))
        case "=", _:
            return 0, _END_OF_TIME
        case _ if bound is None:
            return None
        case ">", _:
            return floor(bound) + 1, _END_OF_TIME
        case ">=", _:
            return ceil(bound), _END_OF_TIME
        case "<", _:
            return 0, ceil(bound) - 1
        case "<=", _:
            return 0, floor(bound)
        case _:
            return None


def _queries(reach: _Reach) -> list[IndexQuery]:
    return [_query(reach, text) for text in reach.texts]


def _query(reach: _Reach, text: str = "") -> IndexQuery:
    return IndexQuery(
        kind=reach.kind,
        field=reach.field,
        value=text,
        id_low=first_id(reach.low) if reach.low > 0 else "",
        id_high=first_id(reach.high) + LAST if reach.high < _END_OF_TIME else LAST,
    )
