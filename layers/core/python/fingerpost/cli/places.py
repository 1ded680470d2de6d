"""JSON and YAML read with the place of every value, so that a mistake can be shown where it stands in the file."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from json.decoder import JSONDecoder
from typing import Any

import yaml

MAX_VALUES = 2_000_000  # an alias of aliases stands for any number of them
MAX_DEPTH = 100

type Path = tuple[str | int, ...]


class Unreadable(Exception):
    """The text is no JSON or YAML. `at` is the character where that shows."""

    def __init__(self, message: str, at: int):
        super().__init__(message)
        self.at = at


@dataclass(slots=True)
class Placed:
    """A value, and from where to where in the text each value in it stands, by its path."""

    value: Any
    text: str
    spans: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def spot(self, path: Path, inside: int | None = None) -> tuple[int, int]:
        """Line and column (from 1) of a value, or of what surrounds it; `inside` is one of the characters of its text.

        Escapes, quotes and folded lines are followed by looking for the same characters in the same order.
        """
        value = self.value
        while path not in self.spans:
            path, inside = path[:-1], None
        for step in path:
            value = value[step]
        start, end = self.spans[path]
        if isinstance(value, str) and inside is not None:
            start = _follow(self.text, start, end, value, inside)
        return line_and_column(self.text, start)


def line_and_column(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1


def _follow(text: str, start: int, end: int, value: str, inside: int) -> int:
    """The place of character number `inside` of `value` in the text that spells it."""
    at = start + 1 if text[start : start + 1] in "\"'" else start
    if text[start : start + 1] in "|>":
        at = text.find("\n", start, end) + 1
    for number, character in enumerate(value[: inside + 1]):
        found = _space(text, at, end) if character.isspace() else text.find(character, at, end)
        if found < 0:
            return min(at, end - 1)
        if number == inside:
            return found
        at = found + 1
    return at


def _space(text: str, at: int, end: int) -> int:
    return next((number for number in range(at, end) if text[number].isspace()), -1)


# ---- JSON ------------------------------------------------------------------------------------------------------------

_BLANK = re.compile(r"[ \t\n\r]*")
_SCALARS = JSONDecoder()


def read_json(text: str) -> Placed:
    """Raises Unreadable."""
    try:
        placed = Placed(json.loads(text), text)
    except json.JSONDecodeError as error:
        raise Unreadable(error.msg, error.pos) from error
    except RecursionError as error:
        raise Unreadable(f"nested more than {MAX_DEPTH} levels", 0) from error
    _place_json(placed, (), _blank(text, 0))
    return placed


def _blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _place_json(placed: Placed, path: Path, at: int) -> int:
    """Note where the value at `at` ends, and all within; the text is known to be JSON."""
    if len(path) > MAX_DEPTH:
        raise Unreadable(f"nested more than {MAX_DEPTH} levels", at)
    start, text = at, placed.text
    if text[at] in "{[":
        at, number = _blank(text, at + 1), 0
        keyed, close = text[start] == "{", "}" if text[start] == "{" else "]"
        seen: set[str] = set()
        while text[at] != close:
            step: str | int = number
            if keyed:
                name, after = _SCALARS.raw_decode(text, at)
                if name in seen:
                    raise Unreadable(f"{name!r} stands here twice", at)
                seen.add(name)
                step, at = name, _blank(text, _blank(text, after) + 1)
            at = _blank(text, _place_json(placed, (*path, step), at))
            at = _blank(text, at + 1) if text[at] == "," else at
            number += 1
        at += 1
    else:
        _, at = _SCALARS.raw_decode(text, at)
    placed.spans[path] = (start, at)
    return at


# ---- YAML ------------------------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """Plain scalars as in JSON: `no`, `12:30` and `2026-11-01` are text. Source: YAML 1.2, core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as PyYAML keeps it


def resolve_as_json(reads_or_writes: type[yaml.resolver.BaseResolver]) -> None:
    """Teach a loader, or a dumper, which plain scalars are no text."""
    for tag, pattern, first in (
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
        ("int", r"[-+]?[0-9]+", list("-+0123456789")),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ):
        reads_or_writes.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"(?:{pattern})\Z"), first)


resolve_as_json(_Loader)


def read_yaml(text: str) -> Placed:
    """Raises Unreadable."""
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        placed = Placed(None, text)
        if node is not None:
            budget = iter(range(MAX_VALUES))
            placed.value = _place_yaml(placed, (), node, budget)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(error.problem or "not YAML", mark.index if mark else 0) from error
    except yaml.reader.ReaderError as error:
        raise Unreadable("a character that YAML does not allow", error.position) from error
    except RecursionError as error:
        raise Unreadable(f"nested more than {MAX_DEPTH} levels", 0) from error
    finally:
        if loader is not None:
            loader.dispose()
    placed.spans.setdefault((), (0, len(text)))
    return placed


def _place_yaml(placed: Placed, path: Path, node: yaml.Node, budget: Iterator[int]) -> Any:
    at = node.start_mark.index
    if len(path) > MAX_DEPTH:
        raise Unreadable(f"nested more than {MAX_DEPTH} levels", at)
    if next(budget, None) is None:
        raise Unreadable(f"more than {MAX_VALUES:,} values; aliases count each time", at)
    placed.spans[path] = (at, node.end_mark.index)
    if not isinstance(node, yaml.ScalarNode) and not node.tag.endswith((":map", ":seq")):
        raise Unreadable(f"the tag {node.tag} means nothing here", at)
    match node:
        case yaml.MappingNode(value=pairs):
            return _place_mapping(placed, path, pairs, budget)
        case yaml.SequenceNode(value=items):
            return [_place_yaml(placed, (*path, number), item, budget) for number, item in enumerate(items)]
        case _:
            return _scalar(node)


def _place_mapping(
    placed: Placed, path: Path, pairs: list[tuple[yaml.Node, yaml.Node]], budget: Iterator[int]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if not isinstance(name, yaml.ScalarNode):
            raise Unreadable("a name has to be text", name.start_mark.index)
        if name.value in result:
            raise Unreadable(f"{name.value!r} stands here twice", name.start_mark.index)
        result[name.value] = _place_yaml(placed, (*path, name.value), value, budget)
    return result


def _scalar(node: yaml.Node) -> Any:
    kind, text = node.tag.rpartition(":")[2], node.value
    try:
        match kind:
            case "str":
                return text
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return int(text)
            case "float":
                return float(text)
    except ValueError as error:
        raise Unreadable(f"{text[:40]!r} is no {kind}", node.start_mark.index) from error
    raise Unreadable(f"the tag {node.tag} means nothing here", node.start_mark.index)
