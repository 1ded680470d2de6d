"""A match expression as data, and what it means. Standard library only: the redirect function imports it.

A context is a flat mapping from whole field names to values: `{"country": "IE", "thng.tags": ["Offer"],
"thng.customFields.size": 42}`. A field is absent when its key is missing or its value is None. Nothing here raises
on a value it did not expect: a test on it does not hold.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

type Op = Literal["=", "!=", ">", ">=", "<", "<=", "~", "!~"]
type Number = int | float
type Context = Mapping[str, Any]
type Predicate = Callable[[Context], bool]

LANGUAGE_VERSION = 1  # stored beside compiled nodes; a newer one recompiles from text when a rule is managed


@dataclass(frozen=True, slots=True)
class Exact:
    """One literal. `value` is `text` read as the field's declared type; of an untyped field it is the text itself.

    `number` is what an untyped field's text says as a number, None when it says none: stored numbers compare with it.
    """

    text: str
    value: str | Number
    number: Number | None = None


@dataclass(frozen=True, slots=True)
class Prefix:
    """Any text that starts with this one: `Smart*`."""

    text: str


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value at all: `field=*` says that the field is there."""


@dataclass(frozen=True, slots=True)
class Between:
    """A number, or text that says one, from `low` to `high`, both included."""

    low: Number
    high: Number


type Pattern = Exact | Prefix | Anything | Between


@dataclass(frozen=True, slots=True)
class Test:
    """One predicate. Several values mean any of them; `!=` and `!~` are the plain opposites of `=` and `~`."""

    __test__ = False  # pytest goes by the name

    field: str
    op: Op
    values: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    node: "Node"


@dataclass(frozen=True, slots=True)
class AllOf:
    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    nodes: tuple["Node", ...]


type Node = AnyOf | AllOf | Negation | Test

NEVER = AnyOf(())  # the whole of a rule that names an unknown field: false whatever surrounds it

NEGATIVE = frozenset({"!=", "!~"})
_NUMBER = re.compile(r"-?[0-9]{1,38}(?:\.[0-9]{1,38})?(?:[eE][+-]?[0-9]{1,3})?")


def number_of(text: str) -> Number | None:
    """The number that `text` says in JSON's manner (leading zeros allowed), whole ones as int; None for any other."""
    if _NUMBER.fullmatch(text) is None:
        return None
    if text.lstrip("-").isdigit():
        return int(text)
    number = float(text)
    return number if abs(number) != float("inf") else None


# What each operator asks of one pattern and one element ------------------------------------------------------------


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_number(value: object) -> Number | None:
    """A stored number, or the number a stored text says. True and False are no numbers."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    return number_of(value) if isinstance(value, str) else None


def bound_of(pattern: Pattern) -> Number | None:
    """The number that an order compares with; None when the literal says none, and then no order holds."""
    match pattern:
        case Exact(_, str(), number):
            return number
        case Exact(_, int() | float() as value):
            return value
        case _:
            return None


def _equal(pattern: Pattern, stored: object) -> bool:
    match pattern:
        case Exact(text, value, number):
            match stored:
                case str():
                    return stored == value
                case bool():
                    return isinstance(value, str) and text == ("true" if stored else "false")
                case int() | float():
                    return (number if isinstance(value, str) else value) == stored
                case _:
                    return False
        case Prefix(text):
            return isinstance(stored, str) and stored.startswith(text)
        case Anything():
            return True
        case Between(low, high):
            found = _as_number(stored)
            return found is not None and low <= found <= high


def _contains(pattern: Pattern, stored: object) -> bool:
    return isinstance(pattern, Exact) and isinstance(stored, str) and pattern.text.casefold() in stored.casefold()


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Pattern, object], bool]:
    def holds_between(pattern: Pattern, stored: object) -> bool:
        bound, found = bound_of(pattern), _as_number(stored)
        return bound is not None and found is not None and compare(found, bound)

    return holds_between


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_COMPARE: dict[str, Callable[[Pattern, object], bool]] = {
    "=": _equal,
    "!=": _equal,
    "~": _contains,
    "!~": _contains,
    **{op: _ordered(compare) for op, compare in _ORDER.items()},
}


def elements(stored: object) -> tuple[object, ...] | list[object]:
    """What a test looks at: the elements of an array, one value, or nothing when the field is absent."""
    if isinstance(stored, list | tuple | set | frozenset):
        return [each for each in stored if each is not None]
    return () if stored is None else (stored,)


def pattern_holds(op: Op, pattern: Pattern, stored: object) -> bool:
    """Whether one element satisfies one pattern; for `!=` and `!~`, whether it is what they exclude."""
    return _COMPARE[op](pattern, stored)


def holds(test: Test, stored: object) -> bool:
    """Whether `test` holds for what its field has, None when the context lacks the field."""
    compare = _COMPARE[test.op]
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


def predicate(node: Node) -> Predicate:
    """`matches` with the looking up of cases done beforehand; it agrees with it on every context."""
    match node:
        case AnyOf(nodes):
            return _any([predicate(each) for each in nodes])
        case AllOf(nodes):
            return _all([predicate(each) for each in nodes])
        case Negation(inner):
            return _not(predicate(inner))
        case Test(op="="):
            return _equality(node)
        case Test(field, "!=", values):
            return _not(_equality(Test(field, "=", values)))
        case Test(op=">" | ">=" | "<" | "<="):
            return _order(node)
        case Test():
            return _general(node)


def _not(inner: Predicate) -> Predicate:
    return lambda context: not inner(context)


def _all(inner: list[Predicate]) -> Predicate:
    if len(inner) == 2:
        first, second = inner
        return lambda context: first(context) and second(context)

    def every(context: Context) -> bool:
        for each in inner:  # noqa: SIM110  a generator would cost more than the tests
            if not each(context):
                return False
        return True

    return every


def _any(inner: list[Predicate]) -> Predicate:
    if len(inner) == 2:
        first, second = inner
        return lambda context: first(context) or second(context)

    def some(context: Context) -> bool:
        for each in inner:  # noqa: SIM110  a generator would cost more than the tests
            if each(context):
                return True
        return False

    return some


def _general(test: Test) -> Predicate:
    field = test.field
    return lambda context: holds(test, context.get(field))


def _equality(test: Test) -> Predicate:
    """Text is compared at once; an array, a number or a boolean takes the way round through `holds`."""
    field, values = test.field, test.values
    match values:
        case (Exact(_, str() as text),):

            def equals(context: Context) -> bool:
                stored = context.get(field)
                return stored == text or (stored.__class__ is not str and stored is not None and holds(test, stored))

            return equals
        case (Exact(_, int() | float() as number),):

            def equals_number(context: Context) -> bool:
                stored: Any = context.get(field)
                kind = stored.__class__
                return stored == number if kind is int or kind is float else holds(test, stored)

            return equals_number
        case (Between(low, high),):

            def between(context: Context) -> bool:
                stored: Any = context.get(field)
                kind = stored.__class__
                return low <= stored <= high if kind is int or kind is float else holds(test, stored)

            return between
        case (Prefix(text),):

            def starts(context: Context) -> bool:
                stored = context.get(field)
                return stored.startswith(text) if stored.__class__ is str else holds(test, stored)

            return starts
        case _ if all(isinstance(each, Exact) and isinstance(each.value, str) for each in values):
            texts = frozenset(each.value for each in values if isinstance(each, Exact))

            def among(context: Context) -> bool:
                stored = context.get(field)
                return stored in texts if stored.__class__ is str else stored is not None and holds(test, stored)

            return among
        case _:
            return _general(test)


def _order(test: Test) -> Predicate:
    field, compare = test.field, _ORDER[test.op]
    bound = bound_of(test.values[0]) if len(test.values) == 1 else None
    if bound is None:
        return _general(test)

    def ordered(context: Context) -> bool:
        stored: Any = context.get(field)
        kind = stored.__class__
        return compare(stored, bound) if kind is int or kind is float else holds(test, stored)

    return ordered


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
        case [op, str(field), *values] if op in _COMPARE:
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
