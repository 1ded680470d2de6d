"""Cuts a match expression into tokens, in one pass, and keeps its limits. rules/language/match.lark says the shape."""

import re
from collections.abc import Iterator
from typing import Any

from lark.lexer import Lexer, Token

MAX_LENGTH = 8_192
MAX_NESTING = 32
MAX_PREDICATES = 200
MAX_VALUES = 100

_SPACE = " \t\r\n"
_PUNCTUATION = {"&": "AMPERSAND", "|": "VBAR", "!": "BANG", "(": "LPAR", ")": "RPAR", ",": "COMMA"}  # lark's names
_OPERATOR = re.compile(r"!=|!~|>=|<=|=|>|<|~")
_NAME = re.compile(r"(?:[^\\&|!<>=~(),]|\\.|(?<=[^\\]\.)~)+", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Unreadable(Exception):
    """The text cannot be an expression: `message`, at `at` characters from its start."""

    def __init__(self, message: str, at: int, expected: tuple[str, ...] = ()):
        super().__init__(message)
        self.message, self.at, self.expected = message, at, expected


def refuse_unstorable(text: str) -> None:
    """Raises Unreadable for a text over the limit, or one with a character that is no text."""
    if len(text) > MAX_LENGTH:
        raise Unreadable(f"an expression may have {MAX_LENGTH:,} characters, this one has {len(text):,}", MAX_LENGTH)
    if (found := _UNSTORABLE.search(text)) is not None:
        raise Unreadable(f"the character U+{ord(found.group()):04X} cannot stand in an expression", found.start())


class Scanner(Lexer):
    """The lexer that lark drives. A value is expected after an operator and after a comma, a name elsewhere."""

    def __init__(self, _conf: Any):
        pass

    def lex(self, text: str) -> Iterator[Token]:  # type: ignore[override]  # lark hands over what parse() was given
        limits = _Limits()
        at, previous = 0, ""
        while True:
            while at < len(text) and text[at] in _SPACE:
                at += 1
            if at == len(text):
                return
            kind, end = _next(text, at, previous)
            limits.count(kind, at)
            yield Token(kind, _trimmed(text[at:end]), start_pos=at)
            at, previous = end, kind


def _next(text: str, at: int, previous: str) -> tuple[str, int]:
    """The kind of the token that starts at `at`, and where it ends."""
    if previous in ("OPERATOR", "COMMA"):
        if text[at] == '"':
            return "QUOTED", _end_of_quoted(text, at)
        if (end := _end_of_bare(text, at)) > at:
            return "BARE", end
    if previous == "NAME" and (operator := _OPERATOR.match(text, at)) is not None:
        return "OPERATOR", operator.end()
    if (kind := _PUNCTUATION.get(text[at])) is not None:
        return kind, at + 1
    if (name := _NAME.match(text, at)) is not None:
        return "NAME", name.end()
    if text[at] == "\\":
        raise _nothing_escaped(at)
    return "OPERATOR", at + 1


def _end_of_quoted(text: str, at: int) -> int:
    quoted = _QUOTED.match(text, at)
    if quoted is None:
        raise Unreadable("the quotation mark is never closed", at, ('"',))
    return quoted.end()


def _end_of_bare(text: str, at: int) -> int:
    depth = 0
    while at < len(text):
        match text[at]:
            case "&" | "|" | ",":
                break
            case "(":
                depth += 1
                at += 1
            case ")" if depth == 0:
                break
            case ")":
                depth -= 1
                at += 1
            case "\\" if at + 1 == len(text):
                raise _nothing_escaped(at)
            case "\\":
                at += 2
            case _:
                at += 1
    return at


def _trimmed(token: str) -> str:
    """Without the spaces at its end, but with one that a backslash made part of it."""
    short = token.rstrip(_SPACE)
    escaped = (len(short) - len(short.rstrip("\\"))) % 2
    return token[: len(short) + escaped]


def _nothing_escaped(at: int) -> Unreadable:
    return Unreadable("expected a character after '\\'", at + 1, ("character",))


class _Limits:
    """Counts while scanning, so that nothing deep or long is ever built."""

    def __init__(self) -> None:
        self._groups: list[int] = []  # negations in front of each open parenthesis
        self._negations = 0  # in front of what comes next
        self._depth = 0
        self._predicates = 0
        self._values = 0

    def count(self, kind: str, at: int) -> None:
        match kind:
            case "BANG":
                self._negations += 1
                self._deepen(at)
            case "LPAR":
                self._groups.append(self._negations)
                self._negations = 0
                self._deepen(at)
            case "RPAR" if self._groups:
                self._depth -= 1 + self._groups.pop()
            case "NAME":
                self._depth -= self._negations
                self._negations = 0
                self._predicates += 1
                self._values = 0
                if self._predicates > MAX_PREDICATES:
                    raise Unreadable(f"an expression may have {MAX_PREDICATES} predicates", at)
            case "BARE" | "QUOTED":
                self._values += 1
                if self._values > MAX_VALUES:
                    raise Unreadable(f"a list may have {MAX_VALUES} values", at)

    def _deepen(self, at: int) -> None:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise Unreadable(f"parentheses and negations may nest {MAX_NESTING} deep", at)


# What a token says -------------------------------------------------------------------------------------------------

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED_IN_QUOTES = re.compile(r'\\(["\\])')


def unescaped(raw: str) -> str:
    """A name or a bare value as it is meant: each backslash makes the next character literal."""
    return _ESCAPED.sub(r"\1", raw)


def unquoted(raw: str) -> str:
    """The text of a quoted value; a backslash before anything but a quotation mark or a backslash is one."""
    return _ESCAPED_IN_QUOTES.sub(r"\1", raw[1:-1])
