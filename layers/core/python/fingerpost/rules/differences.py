"""Says in English what became of a match expression: "Sunday added". Standard library only."""

from collections.abc import Iterable, Iterator, Sequence

from .explain import wanted
from .nodes import NEGATIVE, AllOf, AnyOf, Exact, Negation, Node, Pattern, Test, fields
from .printing import print_match

DAYS = {
    "mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "fri": "Friday", "sat": "Saturday",
    "sun": "Sunday",
}  # fmt: skip
MAX_SHOWN = 200  # characters of one expression
ANOTHER_ORDER = "asks the same in another order"
WRITTEN_DIFFERENTLY = "is written differently and asks the same"


def differences(before: Node | None, after: Node | None) -> list[str]:
    """What tells one expression from the other, a clause for each change; none when they are the same tree.

    None is no expression, which always holds. A change that is only one of writing or order is said to be that.
    """
    if before == after:
        return []
    if before is None or after is None:
        return [f"now asks {shown(after)}" if after is not None else "asks nothing any more, so it always matches"]
    return list(_between(before, after))


def shown(node: Node) -> str:
    """The text of an expression, cut when it is long."""
    text = print_match(node)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def _between(before: Node, after: Node) -> Iterator[str]:
    was, now = _parts(before, AnyOf), _parts(after, AnyOf)
    if len(was) == len(now) == 1:
        yield from _between_parts(_parts(before, AllOf), _parts(after, AllOf), "no longer asks", "also asks")
    else:
        yield from _between_parts(was, now, "no longer matches", "also matches")


def _between_parts(before: Sequence[Node], after: Sequence[Node], gone: str, come: str) -> Iterator[str]:
    """Of the parts of two ANDs, or of two ORs; `gone` and `come` say what it means that one is not there any more."""
    was, now = _without_common(before, after)
    if not was and not now:
        yield ANOTHER_ORDER
    for one, other in _paired(was, now):
        match one, other:
            case Test(field), Test(same) if field == same:
                yield from _between_tests(one, other)
            case Negation(inner), Negation(other_inner):
                yield from (f"in what it excludes: {words}" for words in _between(inner, other_inner))
            case _:
                yield from (f"where it asked {shown(one)}: {words}" for words in _between(one, other))
        was.remove(one)
        now.remove(other)
    for one in was:
        yield f"{gone} {shown(one)}"
    for one in now:
        yield f"{come} {shown(one)}"


def _parts(node: Node, kind: type[AllOf | AnyOf]) -> tuple[Node, ...]:
    return node.nodes if isinstance(node, AllOf | AnyOf) and type(node) is kind else (node,)


def _without_common(before: Iterable[Node], after: Iterable[Node]) -> tuple[list[Node], list[Node]]:
    """Both lists without what stands in either, as often as it does."""
    was, now = list(before), []
    for each in after:
        if each in was:
            was.remove(each)
        else:
            now.append(each)
    return was, now


def _paired(before: Sequence[Node], after: Sequence[Node]) -> list[tuple[Node, Node]]:
    """Which part became which: of the same kind, with the most fields in common."""
    left, pairs = list(before), []
    for each in after:
        best = max(left, key=lambda one: _likeness(one, each), default=None)
        if best is not None and _likeness(best, each):
            left.remove(best)
            pairs.append((best, each))
    return pairs


def _likeness(one: Node, other: Node) -> int:
    match one, other:
        case Test(), Test():
            return 2 * (one.field == other.field) + (one.field == other.field and one.op == other.op)
        case _ if type(one) is type(other) or (not isinstance(one, Negation) and not isinstance(other, Negation)):
            return len(fields(one) & fields(other))
        case _:
            return 0


def _between_tests(before: Test, after: Test) -> Iterator[str]:
    """Of two tests of one field."""
    if before.op != after.op:
        yield f"asks {shown(after)} instead of {shown(before)}"
        return
    was, now = {_meaning(each): each for each in before.values}, {_meaning(each): each for each in after.values}
    added = [each for meaning, each in now.items() if meaning not in was]
    removed = [each for meaning, each in was.items() if meaning not in now]
    excluding = after.op in NEGATIVE
    if not added and not removed:
        yield WRITTEN_DIFFERENTLY if list(was) == list(now) else ANOTHER_ORDER
    elif len(was) == len(now) == 1:
        other = "not " if excluding else ""
        yield f"{other}{_named(after, added)} instead of {other}{_listed(before, removed)}"
    else:
        if added:
            yield f"{_named(after, added)} {'excluded too' if excluding else 'added'}"
        if removed:
            yield f"{_named(before, removed)} {'no longer excluded' if excluding else 'removed'}"


def _meaning(pattern: Pattern) -> object:
    """A pattern without its spelling: `ie` and `IE` are one country."""
    return (pattern.value, pattern.number) if isinstance(pattern, Exact) else pattern


def _named(test: Test, values: Sequence[Pattern]) -> str:
    """Some values of a test behind the name of its field, which days of the week do without."""
    listed = _listed(test, values)
    return listed if test.field == "dayOfWeek" else f"{test.field} {listed}"


def _listed(test: Test, values: Sequence[Pattern]) -> str:
    words = [DAYS.get(each, each) if test.field == "dayOfWeek" else each for each in (wanted(test, v) for v in values)]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
