"""Says in English why a match expression held for a context, or did not. Standard library only."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ..clock import moment_text
from .nodes import (
    AllOf,
    AnyOf,
    Anything,
    Between,
    Context,
    Exact,
    Negation,
    Node,
    Pattern,
    Prefix,
    Test,
    elements,
    holds,
    matches,
    pattern_holds,
)

type Kind = Literal["test", "allOf", "anyOf", "not"]

_MAX_SHOWN = 80
_INSTANTS = frozenset({"time", "timestamp", "createdAt"})
_ORDER_WORDS = {">": "above", ">=": "at least", "<": "below", "<=": "at most"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One part of an expression and whether it held. `decided` is whether the whole turned on it."""

    kind: Kind
    held: bool
    decided: bool = True
    field: str | None = None  # of a test, as all that follows
    found: Any = None  # what the context has, None when the field is absent
    wanted: tuple[str, ...] = ()  # what would have matched; for != and !~ what must not be there
    says: str = ""
    parts: tuple["Explanation", ...] = ()

    def document(self) -> dict[str, Any]:
        """`{kind, held, decided}` with `field found wanted says` for a test, else with `parts`."""
        document: dict[str, Any] = {"kind": self.kind, "held": self.held, "decided": self.decided}
        if self.kind == "test":
            found = _plain(self.found)
            return document | {"field": self.field, "found": found, "wanted": list(self.wanted), "says": self.says}
        return document | {"parts": [part.document() for part in self.parts]}

    def sentence(self) -> str:
        """One line: "matched because country is IE and thng.tags has Offer"."""
        reasons = " and ".join(dict.fromkeys(_deciding(self)))
        verdict = "matched" if self.held else "did not match"
        if not reasons:
            return "matched because nothing was asked" if self.held else "did not match because nothing can match it"
        return f"{verdict} because {reasons}"


def explain(node: Node | None, context: Context) -> Explanation:
    """Why `node` holds for `context`, or not. None, a rule without a match expression, always holds."""
    return _explain(AllOf(()) if node is None else node, context, decided=True)


def _explain(node: Node, context: Context, *, decided: bool) -> Explanation:
    match node:
        case Test(field):
            return _explain_test(node, context.get(field), decided)
        case Negation(inner):
            part = _explain(inner, context, decided=decided)
            return Explanation(kind="not", held=not part.held, decided=decided, parts=(part,))
        case AllOf(nodes):
            held = [matches(each, context) for each in nodes]
            whole = all(held)
            parts = [
                _explain(each, context, decided=decided and one is whole) for each, one in zip(nodes, held, strict=True)
            ]
            return Explanation(kind="allOf", held=whole, decided=decided, parts=tuple(parts))
        case AnyOf(nodes):
            held = [matches(each, context) for each in nodes]
            first = held.index(True) if True in held else None
            parts = [
                _explain(each, context, decided=decided and first in (None, number))
                for number, each in enumerate(nodes)
            ]
            return Explanation(kind="anyOf", held=first is not None, decided=decided, parts=tuple(parts))


def _deciding(explanation: Explanation) -> Iterator[str]:
    if not explanation.decided:
        return
    if explanation.kind == "test":
        yield explanation.says
    for part in explanation.parts:
        yield from _deciding(part)


# One test ----------------------------------------------------------------------------------------------------------


def _explain_test(test: Test, stored: object, decided: bool) -> Explanation:
    held = holds(test, stored)
    return Explanation(
        kind="test",
        held=held,
        decided=decided,
        field=test.field,
        found=stored,
        wanted=tuple(wanted(test, pattern) for pattern in test.values),
        says=_says(test, stored),
    )


def _says(test: Test, stored: object) -> str:
    """A clause about what the context has, true whether or not a negation stands around the test."""
    field, found = test.field, list(elements(stored))
    if all(isinstance(pattern, Anything) for pattern in test.values):
        return f"{field} is there" if found else f"{field} is absent"
    if not found:
        return f"{field} is {'empty' if stored is not None else 'absent'}"
    hits = [each for each in found if any(pattern_holds(test.op, pattern, each) for pattern in test.values)]
    if isinstance(stored, list | tuple | set | frozenset):
        return _says_of_array(test, found, hits)
    value = _shown(field, found[0])
    if hits:
        return f"{field} is {value}{_which_is(test, found[0])}"
    return f"{field} is {value}{_which_is_not(test)}"


def _says_of_array(test: Test, found: list[object], hits: list[object]) -> str:
    if hits:
        return f"{test.field} has {_listed(test.field, hits)}"
    return f"{test.field} lacks {_alternatives(test)}; it has {_listed(test.field, found)}"


def _which_is(test: Test, stored: object) -> str:
    """What follows a value that one of the patterns covers; nothing when the pattern is the value itself."""
    if test.op in ("=", "!=") and len(test.values) == 1 and isinstance(test.values[0], Exact):
        return ""
    if test.op in ("=", "!=") and all(isinstance(pattern, Exact) for pattern in test.values):
        return f", one of {', '.join(wanted(test, pattern) for pattern in test.values)}"
    hit = next(pattern for pattern in test.values if pattern_holds(test.op, pattern, stored))
    match hit:
        case Prefix(text):
            return f", which begins with {_short(text)}"
        case Exact(text) if test.op in ("~", "!~"):
            return f", which contains {_short(text)}"
        case _:
            return f", {wanted(test, hit)}"


def _which_is_not(test: Test) -> str:
    match test.values:
        case (Prefix(text),):
            return f", which does not begin with {_short(text)}"
        case (Exact(text),) if test.op in ("~", "!~"):
            return f", which does not contain {_short(text)}"
        case _:
            return f", not {_alternatives(test)}"


def _alternatives(test: Test) -> str:
    return " or ".join(wanted(test, pattern) for pattern in test.values)


def wanted(test: Test, pattern: Pattern) -> str:
    """One pattern as words that fit after "is" and after "not"."""
    match pattern:
        case Exact(text) if test.op in ("~", "!~"):
            return f"text with {_short(text)} in it"
        case Exact(text) if test.op in _ORDER_WORDS:
            return f"{_ORDER_WORDS[test.op]} {_short(text)}"
        case Exact(text, value):
            return _short(value if isinstance(value, str) else text) if text else "empty text"
        case Prefix(text):
            return f"text that begins with {_short(text)}"
        case Anything():
            return "anything"
        case Between(low, high):
            return f"from {_shown(test.field, low)} to {_shown(test.field, high)}"


def _listed(field: str, values: list[object]) -> str:
    return ", ".join(_shown(field, each) for each in values[:10]) + (", …" if len(values) > 10 else "")


def _shown(field: str, value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() if field in _INSTANTS and 0 <= value < 253_402_300_800_000:
            return moment_text(value)
        case int() if field == "timeOfDay" and 0 <= value <= 86_400_000:
            return f"{value // 3_600_000:02}:{value // 60_000 % 60:02}"
        case "":
            return "empty text"
        case _:
            return _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"


def _plain(value: Any) -> Any:
    return (
        sorted(map(str, value))
        if isinstance(value, set | frozenset)
        else list(value)
        if isinstance(value, tuple)
        else value
    )
