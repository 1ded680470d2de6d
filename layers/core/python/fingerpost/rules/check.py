"""What can be seen to be wrong in a list of rules without any scan: rules never reached, rules that never match.

Everything found is a warning. What is not found may still be wrong: this looks at simple cases, in linear time.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from ..errors import Finding
from .fields import Door, field_of
from .nodes import (
    NEGATIVE,
    NEVER,
    AllOf,
    AnyOf,
    Anything,
    Between,
    Exact,
    Negation,
    Node,
    Number,
    Op,
    Pattern,
    Prefix,
    Test,
    bound_of,
    tests,
)
from .printing import print_name

_OPPOSITE: dict[str, Op] = {"=": "!=", "!=": "=", "~": "!~", "!~": "~"}
_MAX_FINDINGS = 1_000
_MAX_COMPARED = 64  # earlier rules that one rule is held against for each of its terms
_MAX_WORK = 2_000_000  # comparisons of terms in one check; rules after that are only looked at alone
_INFINITE = float("inf")

type Kind = Literal["unreachable", "contradiction", "neverHolds", "overlap"]
type Term = tuple[str, Op, frozenset[Pattern]] | Node  # a test without the spelling of its literals, or what is no test
type Conjunction = dict[Term, None]  # in the order of the text


@dataclass(frozen=True, slots=True)
class Oddity:
    """A warning and what kind of thing it is about."""

    kind: Kind
    finding: Finding


def check_rules(
    matches: Sequence[Node | None], door: Door, *, field: str = "rules", passing: Collection[int] = ()
) -> tuple[Finding, ...]:
    """Warnings about rules in the order they are tried; None is a rule without `match`, which always matches.

    `passing` are the numbers of rules that may match and leave it to the next ones. Each warning stands at
    `rules[i].match`, i counted from 0. A rule that names an unknown field is skipped: it has one from `compile_match`.
    """
    return tuple([odd.finding for odd in oddities(matches, door, field=field, passing=passing)])


def oddities(
    matches: Sequence[Node | None], door: Door, *, field: str = "rules", passing: Collection[int] = ()
) -> Iterator[Oddity]:
    """The same warnings with their kinds."""
    return islice(_check(matches, door, field, passing), _MAX_FINDINGS)


def _check(matches: Sequence[Node | None], door: Door, field: str, passing: Collection[int]) -> Iterator[Oddity]:
    earlier = _Earlier()
    always: int | None = None
    for number, node in enumerate(matches):
        if node == NEVER:
            continue
        place = f"{field}[{number}].match"
        if always is not None:
            message = f"never reached: {field}[{always}] always matches"
            yield Oddity("unreachable", Finding(field=place, message=message))
            continue
        if node is None:
            always = None if number in passing else number
            continue
        alternatives = list(conjunctions(node))
        for kind, message in _about(node, alternatives, door):
            yield Oddity(kind, Finding(field=place, message=message))
        cover = earlier.cover(alternatives)
        if cover is None and number not in passing:
            earlier.add(number, alternatives)
        elif cover is not None:
            what = "asks the same" if node == matches[cover] else "matches whenever this one does"
            yield Oddity("unreachable", Finding(field=place, message=f"never reached: {field}[{cover}] {what}"))


# Rules as conjunctions ---------------------------------------------------------------------------------------------


def conjunctions(node: Node) -> Iterator[Conjunction]:
    """The conjunctions of which one has to hold; a deeper OR stays one term."""
    for each in node.nodes if isinstance(node, AnyOf) else (node,):
        yield dict.fromkeys(_terms(each))


def _terms(node: Node) -> Iterator[Term]:
    match node:
        case AllOf(nodes):
            for each in nodes:
                yield from _terms(each)
        case Negation(Negation(inner)):
            yield from _terms(inner)
        case Negation(Test(field, op, values)) if op in _OPPOSITE:
            yield field, _OPPOSITE[op], _plain(values)
        case Test(field, op, values):
            yield field, op, _plain(values)
        case _:
            yield node


def _plain(values: Iterable[Pattern]) -> frozenset[Pattern]:
    """Values without their spelling: `ie` and `IE` are one country."""
    return frozenset(Exact("", each.value, each.number) if isinstance(each, Exact) else each for each in values)


def _implies(stronger: Conjunction, weaker: Conjunction) -> bool:
    return all(term in stronger or any(_term_implies(each, term) for each in stronger) for term in weaker)


def _term_implies(one: Term, other: Term) -> bool:
    """Whether `one` can only hold when `other` does: a shorter list of =, a longer one of !=."""
    match one, other:
        case (str(field), op, values), (str(same), as_op, wider) if field == same:
            if op == as_op == "=":
                return Anything() in wider or all(_covered(value, wider) for value in values)
            return op == as_op and op in NEGATIVE and values >= wider
        case _:
            return False


def _covered(value: Pattern, wider: frozenset[Pattern]) -> bool:
    if value in wider:
        return True
    match value:
        case Exact(_, str(text)) | Prefix(text):
            if isinstance(value, Exact) and (value.number is not None or text in ("true", "false")):
                return False  # the stored value may be a number or a boolean, which has no beginning
            return any(isinstance(each, Prefix) and text.startswith(each.text) for each in wider)
        case _:
            return False


class _Earlier:
    """The conjunctions of earlier rules, found by one of their terms."""

    def __init__(self) -> None:
        self._by_key: dict[object, list[tuple[int, Conjunction]]] = {}
        self._work = 0

    def add(self, number: int, alternatives: list[Conjunction]) -> None:
        for conjunction in alternatives:
            keys = [list(_keys(term)) for term in conjunction]
            rarest = min(keys, key=lambda each: max(len(self._by_key.get(key, ())) for key in each))
            for key in rarest:
                self._by_key.setdefault(key, []).append((number, conjunction))

    def cover(self, alternatives: list[Conjunction]) -> int | None:
        """The last of the rules that together hold whenever one of `alternatives` does, None when there are none."""
        covers = [self._cover(conjunction) for conjunction in alternatives]
        return None if None in covers else max(number for number in covers if number is not None)

    def _cover(self, conjunction: Conjunction) -> int | None:
        for term in conjunction:
            for key in _lookups(term):
                for number, weaker in self._by_key.get(key, [])[:_MAX_COMPARED]:
                    self._work += len(conjunction) * len(weaker)
                    if self._work > _MAX_WORK:
                        return None
                    if _implies(conjunction, weaker):
                        return number
        return None


def _keys(term: Term) -> Iterator[object]:
    """Under what an earlier rule's term is filed: each value of a list, so that any shorter list finds it."""
    match term:
        case (str(field), "=", values):
            for value in values:
                yield field, "=", value if isinstance(value, Exact | Between) else None
        case (str(field), op, _) if op in NEGATIVE:
            yield field, op
        case _:
            yield term


def _lookups(term: Term) -> Iterator[object]:
    match term:
        case (str(field), "=", values):
            yield field, "=", None  # a prefix, or anything at all
            yield field, "=", next(iter(values))
        case _:
            yield from _keys(term)


# One rule ----------------------------------------------------------------------------------------------------------


def _about(node: Node, alternatives: list[Conjunction], door: Door) -> Iterator[tuple[Kind, str]]:
    for test in tests(node):
        for message in _about_test(test):
            yield "neverHolds", message
    reasons = [next(_contradictions(conjunction, door), None) for conjunction in alternatives]
    for reason in reasons:
        if reason is not None:
            part = "" if None not in reasons else "a part "
            yield "contradiction", f"{part}never matches: {reason}"


def _about_test(test: Test) -> Iterator[str]:
    name = print_name(test.field)
    for value in test.values:
        match value:
            case Between(low, high) if low > high and test.field == "timeOfDay":
                yield f"the range of {name} ends before it begins; over midnight, ask for its two sides with '|'"
            case Between(low, high) if low > high:
                yield f"the range {low}..{high} of {name} ends before it begins, so nothing is in it"
            case Exact(text) if test.op in (">", ">=", "<", "<=") and bound_of(value) is None:
                yield f"{name}{test.op} never holds: '{text:.60}' is no number, and order is of numbers"
            case Exact(text) if test.op == "=" and text.startswith("="):
                yield f"{name} is compared with '{text:.60}', equals sign included; one '=' is enough"
            case Exact(_, "UK") if test.field == "country":
                yield f"{name} is never UK; the code of the United Kingdom is GB"
    key = test.field.partition("properties.")[2]
    if key != key.lower():
        yield f"{name} is never there: property keys are lower case"


def _contradictions(conjunction: Conjunction, door: Door) -> Iterator[str]:
    spans: dict[str, Span] = {}
    words: dict[str, frozenset[str | Number]] = {}
    for term in conjunction:
        match term:
            case (str(field), op, values):
                if op in _OPPOSITE and (field, _OPPOSITE[op], values) in conjunction:
                    yield f"{print_name(field)} is asked to hold and not to hold the same"
                if not _is_single(door, field):
                    continue
                span = span_of(op, values)
                if span is not None:
                    spans[field] = spans.get(field, Span()).narrowed(span)
                    if spans[field].is_empty:
                        yield f"no {print_name(field)} is in all the ranges asked for"
                if op == "=" and all(isinstance(value, Exact) for value in values):
                    asked = frozenset(value.value for value in values if isinstance(value, Exact))
                    if field in words and not words[field] & asked:
                        both = " and ".join(sorted(map(str, {*words[field], *asked})))
                        yield f"{print_name(field)} cannot be {both} at once"
                    words[field] = words.get(field, asked) & asked
            case _:
                if Negation(term) in conjunction:
                    yield "it asks for something and for its opposite"


def _is_single(door: Door, field: str) -> bool:
    """Whether the field has at most one value: not an array, and no custom field, which may be one."""
    known = field_of(door, field)
    return known is not None and known.type not in ("tags", "open")


@dataclass(frozen=True, slots=True)
class Span:
    """The numbers from `low` to `high`, without the ends that are open."""

    low: Number = -_INFINITE
    high: Number = _INFINITE
    low_open: bool = False
    high_open: bool = False

    def narrowed(self, other: "Span") -> "Span":
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, high_closed = min((self.high, not self.high_open), (other.high, not other.high_open))
        return Span(low, high, low_open, not high_closed)

    @property
    def is_empty(self) -> bool:
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))


def span_of(op: Op, values: frozenset[Pattern]) -> Span | None:
    """The numbers a test of one value allows; None when it is no test of numbers."""
    if len(values) != 1:
        return None
    (value,) = values
    bound = bound_of(value)
    match op, value:
        case "=", Between(low, high) if low <= high:
            return Span(low, high)
        case "=", Exact(_, int() | float() as number):
            return Span(number, number)
        case (">" | ">=", _) if bound is not None:
            return Span(low=bound, low_open=op == ">")
        case ("<" | "<=", _) if bound is not None:
            return Span(high=bound, high_open=op == "<")
        case _:
            return None
