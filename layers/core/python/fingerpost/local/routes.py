"""Which function answers which path: API Gateway's routing, most specific first, over path segments as sent."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote

from fingerpost.local.functions import Function


class Match(NamedTuple):
    function: Function
    route_key: str  # "GET /thngs/{thngId}", or "$default"
    parameters: dict[str, str]  # decoded


@dataclass(frozen=True, slots=True)
class _Leaf:
    function: Function
    route_key: str
    names: tuple[str, ...]


@dataclass(slots=True)
class _Node:
    fixed: dict[str, "_Node"] = field(default_factory=dict)
    variable: dict[str, "_Node"] = field(default_factory=dict)  # by what follows the variable: "" or such as ".qr"
    methods: dict[str, _Leaf] = field(default_factory=dict)
    greedy: dict[str, _Leaf] = field(default_factory=dict)  # `{name+}`: this and every segment after it


type _Choose = Callable[[dict[str, _Leaf]], _Leaf | None]


class Router:
    """Templates such as `/thngs/{thngId}`, `/{shortId}.qr` and `/files/{path+}`.

    Method `ANY` takes what no other method's route does. A fixed segment wins over a variable one, that over a greedy
    one, as in API Gateway. Raises ValueError for two functions that claim the same method and path.
    """

    def __init__(self, functions: Iterable[Function]):
        self._root = _Node()
        for function in functions:
            for method, template in function.routes:
                self._add(function, method, template)

    def match(self, method: str, raw_path: str) -> Match | None:
        """`raw_path` is still percent-encoded, so that an encoded slash stays inside its segment."""
        values: list[str] = []
        leaf = _find(
            self._root, raw_path.split("/")[1:], lambda leaves: leaves.get(method) or leaves.get("ANY"), values
        )
        if leaf is None:
            return None
        decoded = [unquote(value) for value in values]
        return Match(leaf.function, leaf.route_key, dict(zip(leaf.names, decoded, strict=True)))

    def owner(self, raw_path: str) -> Function | None:
        """The function with a route at this path, whatever the method."""
        leaf = _find(self._root, raw_path.split("/")[1:], lambda leaves: next(iter(leaves.values()), None), [])
        return leaf.function if leaf else None

    def _add(self, function: Function, method: str, template: str) -> None:
        node, names = self._root, []
        segments = template.split("/")[1:]
        for segment in segments:
            if not segment.startswith("{"):
                node = node.fixed.setdefault(segment, _Node())
                continue
            name, _, suffix = segment[1:].partition("}")
            names.append(name.removesuffix("+"))
            if name.endswith("+"):
                break
            behind = node.variable.setdefault(suffix, _Node())
            node.variable = dict(sorted(node.variable.items(), key=lambda pair: -len(pair[0])))
            node = behind
        leaves = node.greedy if segments[-1].endswith("+}") else node.methods
        if method in leaves and leaves[method].function is not function:
            raise ValueError(f"{function.name} and {leaves[method].function.name} both claim {method} {template}")
        leaves.setdefault(method, _Leaf(function, f"{method} {template}", tuple(names)))


def _find(node: _Node, segments: list[str], choose: _Choose, values: list[str]) -> _Leaf | None:
    """The most specific leaf that `choose` picks; the segments its variables stand for are added to `values`."""
    if not segments:
        return choose(node.methods)
    segment, rest = segments[0], segments[1:]
    fixed = node.fixed.get(segment) or (node.fixed.get(unquote(segment)) if "%" in segment else None)
    if fixed is not None and (leaf := _find(fixed, rest, choose, values)):
        return leaf
    if not segment:
        return None
    for suffix, behind in node.variable.items():
        value = segment.removesuffix(suffix)
        if not value or not segment.endswith(suffix):
            continue
        values.append(value)
        if leaf := _find(behind, rest, choose, values):
            return leaf
        values.pop()
    if leaf := choose(node.greedy):
        values.append("/".join(segments))
    return leaf
