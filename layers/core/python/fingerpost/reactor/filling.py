"""Templates in the values of declarative rules: `{thng.name} is at {propertyChangeNew.temperature}`. Pure.

A text that is nothing but one `{field}` becomes the field's value as it is: a number stays a number, an absent one is
null. In a longer text values are written out: numbers and booleans as in JSON, lists joined with commas, absent ones
as nothing. `{{` and `}}` stand for the braces themselves. URLs have templates of their own: rules/template.py.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ..body import bytes_of
from ..errors import Finding, TooLarge
from ..rules.fields import REACTOR, field_of, suggestion

MAX_FILLED_CHARACTERS = 100_000  # of one text
MAX_FILLED_BYTES = 1_000_000  # of all that is put into one value: more than any step may have
OF_EVENT = (  # beside the fields of the filter language
    "action.id",
    "action.collection",
    "user.id",
    "event.id",
    "event.type",
    "application.id",
    "project.id",
    "rule.name",
)

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class Hole(NamedTuple):
    field: str
    column: int  # of its brace, from 1


type Pieces = list[str | Hole]
type ValueOf = Callable[[str], Any]  # a field -> its value, None when it has none


class InvalidText(Exception):
    """A text is no template: `column`, from 1, is where."""

    def __init__(self, message: str, column: int):
        super().__init__(message)
        self.column = column


def pieces_of(text: str) -> Pieces:
    """The texts and holes of a template. Raises InvalidText."""
    pieces: Pieces = []
    end = 0
    for token in _TOKEN.finditer(text):
        pieces.append(text[end : token.start()])
        end, column = token.end(), token.start() + 1
        match token[0]:
            case "{{" | "}}":
                pieces.append(token[0][0])
            case "{" | "}":
                raise InvalidText(f"a '{token[0]}' by itself: write {token[0] * 2} for the character", column)
            case _ if not token[1].strip():
                raise InvalidText("an empty placeholder: write a field's name, as in {thng.name}", column)
            case _:
                pieces.append(Hole(_named(token[1].strip()), column))
    pieces.append(text[end:])
    return [each for each in pieces if each != ""]


def _named(name: str) -> str:
    return "time" if name == "timestamp" else name


def is_known(name: str) -> bool:
    """Whether a template of a declarative rule may name this field."""
    return name in OF_EVENT or (field_of(REACTOR, name) is not None and not name.startswith("constants."))


def mistakes_in(value: Any, field: str, wrong: Callable[[str], str | None] = lambda _: None) -> Iterator[Finding]:
    """What is wrong with the templates in a JSON value; `field` is where it stands in its document.

    `wrong` says why a known field has no place there.
    """
    match value:
        case str():
            yield from _mistakes_in_text(value, field, wrong)
        case dict():
            for name, each in value.items():
                yield from mistakes_in(each, f"{field}.{name}", wrong)
        case list():
            for number, each in enumerate(value):
                yield from mistakes_in(each, f"{field}[{number}]", wrong)


def _mistakes_in_text(text: str, field: str, wrong: Callable[[str], str | None]) -> Iterator[Finding]:
    try:
        pieces = pieces_of(text)
    except InvalidText as error:
        yield Finding(field=field, message=str(error), column=error.column, near=text[error.column - 1 :][:24])
        return
    for hole in pieces:
        if isinstance(hole, str):
            continue
        name, near = hole.field, hole.field[:60]
        if not is_known(name):
            meant = suggestion(REACTOR, name)
            message = f"there is no field '{near}'"
            yield Finding(field=field, message=message, column=hole.column, near=near, suggestion=meant)
        elif (message_of := wrong(name)) is not None:
            yield Finding(field=field, message=message_of, column=hole.column, near=near)


def fields_in(value: Any) -> frozenset[str]:
    """Every field that the templates of a checked JSON value name."""
    match value:
        case str():
            return frozenset(each.field for each in pieces_of(value) if isinstance(each, Hole))
        case dict():
            return frozenset[str]().union(*map(fields_in, value.values()))
        case list():
            return frozenset[str]().union(*map(fields_in, value))
        case _:
            return frozenset()


def filled(value: Any, value_of: ValueOf) -> Any:
    """A checked JSON value with every template in it filled. The names in it are not templates. Raises TooLarge."""
    left = MAX_FILLED_BYTES

    def counted(found: Any) -> Any:
        nonlocal left
        if (left := left - bytes_of(found)) < 0:
            raise TooLarge(f"Filled, the templates would have more than {MAX_FILLED_BYTES:,} bytes")
        return found

    def within(value: Any) -> Any:
        match value:
            case str():
                return counted(_filled_text(pieces_of(value), value_of))
            case dict():
                return {name: within(each) for name, each in value.items()}
            case list():
                return [within(each) for each in value]
            case _:
                return value

    return within(value)


def _filled_text(pieces: Pieces, value_of: ValueOf) -> Any:
    match pieces:
        case [Hole(field)]:
            return _plain(value_of(field))
        case _:
            return _written(pieces, value_of)


def _written(pieces: Pieces, value_of: ValueOf) -> str:
    """A template as text, cut at 100,000 characters."""
    texts: list[str] = []
    left = MAX_FILLED_CHARACTERS
    for piece in pieces:
        text = piece if isinstance(piece, str) else _shown(value_of(piece.field))
        texts.append(text[:left])
        left -= len(texts[-1])
    return "".join(texts)


def _shown(value: Any) -> str:
    """A value within a longer text."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value) if value.bit_length() < 1_024 else ""
        case float():
            if not math.isfinite(value):
                return ""
            return str(int(value)) if value.is_integer() and abs(value) < 2**53 else json.dumps(value)
        case list() | tuple() | set() | frozenset():
            return ",".join(map(_shown, value))
        case _:
            return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:
    """A value of a context as JSON has it."""
    match value:
        case tuple() | set() | frozenset() | list():
            return [_plain(each) for each in value]
        case Mapping():
            return {str(name): _plain(each) for name, each in value.items()}
        case float() if not math.isfinite(value):
            return None
        case _:
            return value
