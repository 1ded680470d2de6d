"""What one value of a test asks for, and whether a stored value is that. Standard library only; nothing raises."""

import operator
import re
from collections.abc import Callable
from typing import Any, Literal

from ..frozen import Frozen

type Op = Literal["=", "!=", ">", ">=", "<", "<=", "~", "!~"]
type Number = int | float


class Exact(Frozen):
    """One literal. `value` is `text` read as the field's declared type; of an untyped field it is the text itself.

    `number` is what an untyped field's text says as a number, None when it says none: stored numbers compare with it.
    """

    text: str
    value: str | Number
    number: Number | None = None


class Prefix(Frozen):
    """Any text that starts with this one: `Smart*`."""

    text: str


class Anything(Frozen):
    """Any value at all: `field=*` says that the field is there."""


class Between(Frozen):
    """A number, or text that says one, from `low` to `high`, both included."""

    low: Number
    high: Number


type Pattern = Exact | Prefix | Anything | Between


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


ORDER: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
COMPARE: dict[str, Callable[[Pattern, object], bool]] = {
    "=": _equal,
    "!=": _equal,
    "~": _contains,
    "!~": _contains,
    **{op: _ordered(compare) for op, compare in ORDER.items()},
}


def elements(stored: object) -> tuple[object, ...] | list[object]:
    """What a test looks at: the elements of an array, one value, or nothing when the field is absent."""
    if isinstance(stored, list | tuple | set | frozenset):
        return [each for each in stored if each is not None]
    return () if stored is None else (stored,)


def pattern_holds(op: Op, pattern: Pattern, stored: object) -> bool:
    """Whether one element satisfies one pattern; for `!=` and `!~`, whether it is what they exclude."""
    return COMPARE[op](pattern, stored)
