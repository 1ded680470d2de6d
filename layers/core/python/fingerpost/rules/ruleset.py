"""Many rules as one: which of them is the first to match, without asking each. Standard library only.

Rules become terms (conjunctions; an OR gives several), and terms become bits, in the rules' order. For each field an
index answers which terms one value leaves possible; these answers are ANDed, and the lowest bit left is the candidate.
An index may say "possible" too often, never too seldom: what is awkward (`!`, `!=`, `~`, a second test on one field)
simply leaves its bits on. A candidate counts only when the plain predicate of its rule says so, so the answer is the
plain evaluator's by construction.

It reads the stored form of nodes (`nodes.to_json`) as it is. Nodes, predicates and most masks are made when a scan
first needs them: loading ten thousand rules makes none.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .field_index import FieldIndex, Range, Wanted
from .nodes import (
    NEVER,
    AllOf,
    AnyOf,
    Context,
    Negation,
    Node,
    Predicate,
    Test,
    from_json,
    holds,
    predicate,
    to_json,
)

MAX_TERMS = 32  # a rule with more alternatives is one term that tests nothing, and so is asked itself

_CONSTANT = "constants."

type Document = list[Any]  # a node in its stored form
type Constants = Mapping[str, Any] | None
type Term = dict[str, Wanted]  # what one term asks of each field it tests, as far as an index can tell


class RuleSet:
    """Rules compiled together, from their stored form. A rule without one always matches.

    With `constants`, one mapping (or None) a rule, tests on `constants.*` ask the rule's own and not the context.
    """

    __slots__ = ("_all", "_constants", "_documents", "_indexes", "_last_bits", "_owners", "_predicates", "fields")

    fields: frozenset[str]  # the context fields the rules mention; a scan reads only these

    def __init__(self, documents: Sequence[Document | None], constants: Sequence[Constants] | None = None) -> None:
        self._documents = documents
        self._constants = constants
        self._predicates: list[Predicate | None] = [None] * len(documents)
        self._owners: list[int] = []  # bit -> rule
        self._last_bits: list[int] = []  # rule -> its last bit, or that of the last rule before it that has one
        indexes: dict[str, FieldIndex] = {}
        mentioned: set[str] = set()
        for number, document in enumerate(documents):
            for term in [{}] if document is None else _terms(document, mentioned):
                for field, wanted in term.items():
                    index = indexes.get(field)
                    if index is None:
                        index = indexes[field] = FieldIndex()
                    index.add(len(self._owners), wanted)
                self._owners.append(number)
            self._last_bits.append(len(self._owners) - 1)
        if constants is not None:
            mentioned = {field for field in mentioned if not field.startswith(_CONSTANT)}
        self.fields = frozenset(mentioned)
        self._all = (1 << len(self._owners)) - 1
        for index in indexes.values():
            index.close(self._all)
        self._indexes = sorted(indexes.items(), key=lambda item: item[1].free.bit_count())  # most selective first

    @staticmethod
    def build(rules: Sequence[Node | None], constants: Sequence[Constants] | None = None) -> "RuleSet":
        """Compile nodes; None is a rule that always matches."""
        return RuleSet([None if node is None else to_json(node) for node in rules], constants)

    @staticmethod
    def load(documents: Sequence[Document | None], constants: Sequence[Constants] | None = None) -> "RuleSet":
        """Compile nodes in their stored form, exactly what `nodes.to_json` wrote."""
        return RuleSet(documents, constants)

    def __len__(self) -> int:
        return len(self._documents)

    def first_match(self, context: Context) -> int | None:
        """The number (from 0) of the first rule that matches, None when none does."""
        mask = self._possible(context)
        if not mask:
            return None
        number = self._owners[(mask & -mask).bit_length() - 1]
        return number if self._holds(number, context) else self._next(mask, number, context)

    def next_match(self, context: Context, after: int) -> int | None:
        """The number of the first rule beyond number `after` that matches, None when none does."""
        return self._next(self._possible(context), after, context)

    def matches_all(self, context: Context) -> list[int]:
        """The numbers of all rules that match, in order."""
        return list(self._matching(self._possible(context), 0, context))

    def _possible(self, context: Context) -> int:
        mask = self._all
        for field, index in self._indexes:
            mask &= index.possible(context.get(field))
            if not mask:
                break
        return mask

    def _next(self, mask: int, after: int, context: Context) -> int | None:
        return next(self._matching(mask, self._last_bits[after] + 1, context), None)

    def _matching(self, mask: int, start: int, context: Context) -> Iterator[int]:
        """The rules that have a bit in `mask`, from bit `start` on, and do match."""
        digits = bin(mask)[:1:-1]  # finding the next 1 in a text beats shifting a long number
        bit = digits.find("1", start)
        while bit >= 0:
            number = self._owners[bit]
            if self._holds(number, context):
                yield number
            bit = digits.find("1", self._last_bits[number] + 1)

    def _holds(self, number: int, context: Context) -> bool:
        test = self._predicates[number]
        if test is None:
            test = self._predicates[number] = self._predicate(number)
        return test(context)

    def _predicate(self, number: int) -> Predicate:
        document = self._documents[number]
        if document is None:
            return lambda context: True
        node = from_json(document)
        if self._constants is not None:
            node = with_constants(node, self._constants[number] or {})
        return predicate(node)


def with_constants(node: Node, constants: Mapping[str, Any]) -> Node:
    """`node` with every test on `constants.*` decided by one rule's own constants."""
    match node:
        case AllOf(nodes):
            return AllOf(tuple([with_constants(each, constants) for each in nodes]))
        case AnyOf(nodes):
            return AnyOf(tuple([with_constants(each, constants) for each in nodes]))
        case Negation(inner):
            return Negation(with_constants(inner, constants))
        case Test(field) if field.startswith(_CONSTANT):
            return AllOf(()) if holds(node, constants.get(field[len(_CONSTANT) :])) else NEVER
        case Test():
            return node


def _terms(document: Document, mentioned: set[str]) -> list[Term]:
    """The terms of one rule, none when it can never match; adds every field it tests to `mentioned`."""
    match document[0]:
        case "&":
            common: Term = {}
            choices = []
            for each in document[1:]:
                alternatives = _terms(each, mentioned)
                if len(alternatives) == 1:
                    _narrow(common, alternatives[0])
                else:
                    choices.append(alternatives)
            terms = [common]
            for alternatives in choices:
                if len(terms) * len(alternatives) <= MAX_TERMS:
                    terms = [_both(term, alternative) for term in terms for alternative in alternatives]
            return terms
        case "|":
            union = [term for each in document[1:] for term in _terms(each, mentioned)]
            return union if len(union) <= MAX_TERMS else [{}]
        case "!":
            _terms(document[1], mentioned)
            return [{}]
        case op:
            field = document[1]
            mentioned.add(field)
            wanted = None if field.startswith(_CONSTANT) else _wanted(op, document[2:])
            return [{}] if wanted is None else [{field: wanted}]


def _wanted(op: str, patterns: list[Any]) -> Wanted | None:
    """What an index can tell about one test; None when it cannot."""
    if op == "=":
        only = patterns[0] if len(patterns) == 1 else None
        return Range(only[0], high=only[1]) if isinstance(only, list) and len(only) == 2 else patterns
    if len(patterns) != 1 or not isinstance(patterns[0], list) or len(patterns[0]) != 3:
        return None
    _, value, number = patterns[0]
    bound = number if isinstance(value, str) else value
    if bound is None:
        return None
    match op:
        case ">":
            return Range(low=bound, low_open=True)
        case ">=":
            return Range(low=bound)
        case "<":
            return Range(high=bound, high_open=True)
        case "<=":
            return Range(high=bound)
        case _:
            return None


def _both(one: Term, other: Term) -> Term:
    term = dict(one)
    _narrow(term, other)
    return term


def _narrow(term: Term, other: Term) -> None:
    """Make `term` ask what `other` asks too: ranges are cut, else the narrower of two tests on a field is kept."""
    for field, wanted in other.items():
        known = term.get(field)
        term[field] = wanted if known is None else _narrower(known, wanted)


def _narrower(one: Wanted, other: Wanted) -> Wanted:
    if isinstance(one, Range) and isinstance(other, Range):
        low, low_open = max(one[:2], other[:2])
        high, closed = min((one.high, not one.high_open), (other.high, not other.high_open))
        return Range(low, low_open, high, not closed)
    return min(one, other, key=_width)


def _width(wanted: Wanted) -> int:
    """Exact values before prefixes before ranges before `*`."""
    if isinstance(wanted, Range):
        return 2
    if None in wanted:
        return 3
    return max([len(each) == 1 if isinstance(each, list) else 0 for each in wanted], default=0)
