"""Rules that want some of the same scans, where only their order decides who gets them.

Two rules that ask about different things nearly always could both hold (country=IE, dayOfWeek=sun), and a narrow rule
before a wide one is how rules are written. What is told is neither: two rules that ask about the same fields, and whose
values there cross, as country=IE,GB and country=GB,FR do.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import Finding
from .check import Conjunction, Oddity, Span, conjunctions, span_of
from .nodes import Exact, Node, Pattern
from .printing import print_name

MAX_OVERLAPS = 100  # told
MAX_COMPARED = 200_000  # pairs of conjunctions in one check

type _Relation = Literal["same", "inside", "around", "crossing", "apart"]
type _Asked = dict[str, Span | frozenset[Pattern]]  # field -> the numbers or the values it may have


@dataclass(frozen=True, slots=True)
class _Rule:
    number: int
    asked: _Asked


def overlaps(matches: Sequence[Node | None], targets: Sequence[Hashable], *, field: str = "rules") -> Iterator[Oddity]:
    """A note on the later of two rules that overlap and lead to different `targets`; one for each such rule.

    Only conjunctions of simple tests are looked at. Rules that match nothing, or everything, have no overlap.
    """
    groups: dict[frozenset[str], list[_Rule]] = defaultdict(list)
    told = work = 0
    for number, node in enumerate(matches):
        if node is None:
            continue
        found: tuple[int, str] | None = None
        mine = [asked for each in conjunctions(node) if (asked := _asked(each))]
        for asked in mine:
            for earlier in groups[frozenset(asked)]:
                work += 1
                if work > MAX_COMPARED:
                    return
                if found is None and targets[earlier.number] != targets[number]:
                    crossing = _crossing(earlier.asked, asked)
                    found = None if crossing is None else (earlier.number, crossing)
        for asked in mine:
            groups[frozenset(asked)].append(_Rule(number, asked))
        if found is not None and told < MAX_OVERLAPS:
            told += 1
            other, what = found
            message = f"some scans match {field}[{other}] as well, which comes first and decides: {what}"
            yield Oddity("overlap", Finding(field=f"{field}[{number}].match", message=message))


def _asked(conjunction: Conjunction) -> _Asked | None:
    """What a conjunction asks of each field; None when that is more than a list of values or one range."""
    asked: _Asked = {}
    for term in conjunction:
        match term:
            case (str(name), op, values):
                span = span_of(op, values)
                mine: Span | frozenset[Pattern]
                if span is not None:
                    mine = span
                elif op == "=" and all(isinstance(value, Exact) for value in values):
                    mine = values
                else:
                    return None
                if name not in asked:
                    asked[name] = mine
                elif isinstance(mine, Span) and isinstance(known := asked[name], Span):
                    asked[name] = known.narrowed(mine)
                else:
                    return None
            case _:
                return None
    return asked


def _crossing(one: _Asked, other: _Asked) -> str | None:
    """What both ask for of the first field where they cross; None when one is as narrow as the other everywhere."""
    relations = {name: _relation(one[name], other[name]) for name in one}
    kinds = set(relations.values())
    if "apart" in kinds or not ("crossing" in kinds or {"inside", "around"} <= kinds):
        return None
    name = next(name for name, relation in relations.items() if relation != "same")
    return f"{print_name(name)} may be {_common(one[name], other[name])}"


def _relation(one: Span | frozenset[Pattern], other: Span | frozenset[Pattern]) -> _Relation:
    match one, other:
        case Span(), Span():
            common = one.narrowed(other)
            if common.is_empty:
                return "apart"
            inside, around = common == one, common == other
        case frozenset(), frozenset():
            if not one & other:
                return "apart"
            inside, around = one <= other, one >= other
        case _:
            return "apart"  # a range and a list: whether a value is in the range is not looked at
    return "same" if inside and around else "inside" if inside else "around" if around else "crossing"


def _common(one: Span | frozenset[Pattern], other: Span | frozenset[Pattern]) -> str:
    if isinstance(one, Span) and isinstance(other, Span):
        return "in both ranges"
    assert isinstance(one, frozenset) and isinstance(other, frozenset)
    return " or ".join(sorted(str(each.value) for each in one & other if isinstance(each, Exact))[:5])
