"""A match expression as data, and what it means. Standard library only: the redirect function imports it.

A context is a flat mapping from whole field names to values: `{"country": "IE", "thng.tags": ["Offer"],
"thng.customFields.size": 42}`. A field is absent when its key is missing or its value is None. Nothing here raises
on a value it did not expect: a test on it does not hold.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from typing import Any

from ..frozen import Frozen
from .patterns import (
    COMPARE,
    ORDER,
    Anything,
    Between,
    Exact,
    Number,
    Op,
    Pattern,
    Prefix,
    bound_of,
    elements,
    number_of,
    pattern_holds,
)

__all__ = [
    "LANGUAGE_VERSION",
    "NEGATIVE",
    "NEVER",
    "AllOf",
    "AnyOf",
    "Anything",
    "Between",
    "Context",
    "Exact",
    "Negation",
    "Node",
    "Number",
    "Op",
    "Pattern",
    "Predicate",
    "Prefix",
    "Test",
    "bound_of",
    "elements",
    "fields",
    "from_json",
    "holds",
    "matches",
    "number_of",
    "pattern_holds",
    "predicate",
    "tests",
    "to_json",
]

type Context = Mapping[str, Any]
type Predicate = Callable[[Context], bool]

LANGUAGE_VERSION = 1  # stored beside compiled nodes; a newer one recompiles from text when a rule is managed


class Test(Frozen):
    """One predicate. Several values mean any of them; `!=` and `!~` are the plain opposites of `=` and `~`."""

    __test__ = False  # pytest goes by the name

    field: str
    op: Op
    values: tuple[Pattern, ...]


class Negation(Frozen):
    node: "Node"


class AllOf(Frozen):
    nodes: tuple["Node", ...]


class AnyOf(Frozen):
    nodes: tuple["Node", ...]


type Node = AnyOf | AllOf | Negation | Test

NEVER = AnyOf(())  # the whole of a rule that names an unknown field: false whatever surrounds it

NEGATIVE = frozenset({"!=", "!~"})


def holds(test: Test, stored: object) -> bool:
    """Whether `test` holds for what its field has, None when the context lacks the field."""
    compare = COMPARE[test.op]
    found = any(compare(pattern, element) for element in elements(stored) for pattern in test.values)
    return found is not (test.op in NEGATIVE)


def matches(node: Node, context: Context) -> bool:
    """Whether `context` satisfies `node`: the meaning of the language, which everything faster agrees with."""
    match node:
        case AnyOf(nodes):
            return any(matches(each, context) for each in nodes)
        case AllOf(nodes):
            return all(matches(each, context) for each in nodes)
        case Negation(inner):
            return not matches(inner, context)
        case Test(field):
            return holds(node, context.get(field))


def tests(node: Node) -> Iterator[Test]:
    """Every predicate, in the order of the text."""
    match node:
        case AnyOf(nodes) | AllOf(nodes):
            for each in nodes:
                yield from tests(each)
        case Negation(inner):
            yield from tests(inner)
        case Test():
            yield node


def fields(node: Node) -> frozenset[str]:
    """The names of the fields that `node` asks the context for."""
    return frozenset(test.field for test in tests(node))


# The hot path: nodes as closures -----------------------------------------------------------------------------------
# Each closure answers the common kind of stored value at once and leaves the others (arrays, text for a number) to
# `holds`. `type(stored) is str` is the cheapest question there is, and keeps True apart from 1.


def predicate(node: Node) -> Predicate:
    """`matches` with the looking up of cases done beforehand; it agrees with it on every context."""
    match node:
        case AnyOf(nodes):
            return _any([predicate(each) for each in nodes])
        case AllOf(nodes):
            return _all([predicate(each) for each in nodes])
        case Negation(inner):
            return _not(predicate(inner))
        case Test(op="=", values=(Exact(value=str()) as only,)):
            return _equals_text(node, only) if only.number is None else _equals_text_or_number(node, only)
        case Test(op="!=", values=(Exact(value=str()) as only,)):
            return _differs_from_text(node, only)
        case Test(op="=", values=(Exact(value=int() | float() as number),)):
            return _compares(node, operator.eq, number)
        case Test(op=">" | ">=" | "<" | "<=" as op, values=(only,)) if (bound := bound_of(only)) is not None:
            return _compares(node, ORDER[op], bound)
        case Test(op="=", values=(Between(low, high),)):
            return _is_between(node, low, high)
        case Test(op="=", values=(Prefix(text),)):
            return _starts(node, text)
        case Test(op="=", values=values) if values and all(_is_text(each) for each in values):
            return _is_among(node, values)
        case Test(field, "!=", values):
            return _not(predicate(Test(field, "=", values)))
        case Test(field):
            return lambda context: holds(node, context.get(field))


def _is_text(pattern: Pattern) -> bool:
    return isinstance(pattern, Exact) and isinstance(pattern.value, str)


def _text_only(pattern: Exact) -> bool:
    """Whether nothing but the text itself equals it: no number, no boolean."""
    return pattern.number is None and pattern.text not in ("true", "false")


def _not(inner: Predicate) -> Predicate:
    return lambda context: not inner(context)


def _all(inner: list[Predicate]) -> Predicate:
    return reduce(_both, inner) if inner else lambda _context: True


def _any(inner: list[Predicate]) -> Predicate:
    return reduce(_either, inner) if inner else lambda _context: False


def _both(first: Predicate, second: Predicate) -> Predicate:
    return lambda context: first(context) and second(context)


def _either(first: Predicate, second: Predicate) -> Predicate:
    return lambda context: first(context) or second(context)


def _equals_text(test: Test, only: Exact) -> Predicate:
    field, text, text_only = test.field, only.value, _text_only(only)

    def equals(context: Context) -> bool:
        stored = context.get(field)
        if stored == text:
            return True
        if type(stored) is str or stored is None:
            return False
        return text in stored if type(stored) is list and text_only else holds(test, stored)

    return equals


def _equals_text_or_number(test: Test, only: Exact) -> Predicate:
    field, text, number = test.field, only.value, only.number

    def equals(context: Context) -> bool:
        stored = context.get(field)
        if type(stored) is str:
            return stored == text
        if type(stored) is int or type(stored) is float:
            return stored == number
        return stored is not None and holds(test, stored)

    return equals


def _differs_from_text(test: Test, only: Exact) -> Predicate:
    field, text, text_only = test.field, only.value, _text_only(only)

    def differs(context: Context) -> bool:
        stored = context.get(field)
        if stored == text:
            return False
        if type(stored) is str or stored is None:
            return True
        if type(stored) is list and text_only:
            return text not in stored
        return holds(test, stored)

    return differs


def _compares(test: Test, compare: Callable[[Any, Any], bool], bound: Number) -> Predicate:
    field = test.field

    def compares(context: Context) -> bool:
        stored = context.get(field)
        if type(stored) is int or type(stored) is float:
            return compare(stored, bound)
        return stored is not None and holds(test, stored)

    return compares


def _is_between(test: Test, low: Number, high: Number) -> Predicate:
    field = test.field

    def between(context: Context) -> bool:
        stored = context.get(field)
        if type(stored) is int or type(stored) is float:
            return low <= stored <= high
        return stored is not None and holds(test, stored)

    return between


def _starts(test: Test, text: str) -> Predicate:
    field = test.field

    def starts(context: Context) -> bool:
        stored = context.get(field)
        if type(stored) is str:
            return stored.startswith(text)
        return stored is not None and holds(test, stored)

    return starts


def _is_among(test: Test, values: tuple[Pattern, ...]) -> Predicate:
    field = test.field
    exact = [each for each in values if isinstance(each, Exact)]
    texts, text_only = frozenset(str(each.value) for each in exact), all(_text_only(each) for each in exact)

    def among(context: Context) -> bool:
        stored = context.get(field)
        if type(stored) is str:
            return stored in texts
        if type(stored) is list and text_only:
            return any(type(each) is str and each in texts for each in stored)
        return stored is not None and holds(test, stored)

    return among


# The stored form ---------------------------------------------------------------------------------------------------
# any of: ["|", node, ...]   all of: ["&", node, ...]   negation: ["!", node]   test: [op, field, pattern, ...]
# text: "x"   any other literal: [text, value, number]   prefix: ["x"]   between: [low, high]   anything: null


def to_json(node: Node) -> list[Any]:
    """Plain lists that JSON and the table can hold; `from_json` reads them back."""
    match node:
        case AnyOf(nodes):
            return ["|", *map(to_json, nodes)]
        case AllOf(nodes):
            return ["&", *map(to_json, nodes)]
        case Negation(inner):
            return ["!", to_json(inner)]
        case Test(field, op, values):
            return [op, field, *map(_pattern_to_json, values)]


def from_json(document: list[Any]) -> Node:
    """The inverse of `to_json`. Raises ValueError for what `to_json` never wrote."""
    match document:
        case ["|", *nodes]:
            return AnyOf(tuple(map(from_json, nodes)))
        case ["&", *nodes]:
            return AllOf(tuple(map(from_json, nodes)))
        case ["!", inner]:
            return Negation(from_json(inner))
        case [op, str(field), *values] if op in COMPARE:
            return Test(field, op, tuple(map(_pattern_from_json, values)))
        case _:
            raise ValueError(f"not a stored match expression: {document!r:.100}")


def _pattern_to_json(pattern: Pattern) -> Any:
    match pattern:
        case Exact(text, value, None) if text == value:
            return text
        case Exact(text, value, number):
            return [text, value, number]
        case Prefix(text):
            return [text]
        case Anything():
            return None
        case Between(low, high):
            return [low, high]


def _pattern_from_json(document: Any) -> Pattern:
    match document:
        case str():
            return Exact(document, document)
        case [text, value, number]:
            return Exact(text, value, number)
        case [str(text)]:
            return Prefix(text)
        case [low, high]:
            return Between(low, high)
        case None:
            return Anything()
        case _:
            raise ValueError(f"not a stored pattern: {document!r:.100}")
