"""Turns the text of a match expression into nodes, when it is saved; the scan path never loads this module."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, NoReturn, cast

from lark import Lark, Token, Transformer, UnexpectedToken, v_args

from ..errors import Finding, Invalid
from .fields import Door, Field, field_of, suggestion
from .literals import Misfit, bare, beyond, decoded_again, quoted, read, shown
from .nodes import NEVER, AllOf, AnyOf, Anything, Negation, Node, Op, Pattern, Test
from .patterns import ORDER
from .scanner import Scanner, Unreadable, refuse_unstorable, unescaped

MAX_FINDINGS = 50  # of one expression; the first ones say enough

_NEAR = 10  # characters of the text shown on each side of a column
_WORDS = {
    "NAME": "field name",
    "OPERATOR": "operator",
    "BARE": "value",
    "QUOTED": "value",
    "LPAR": "'('",
    "BANG": "'!'",
    "COMMA": "','",
    "AMPERSAND": "'&'",
    "VBAR": "'|'",
    "RPAR": "')'",
    "$END": "end",
}


class InvalidMatch(Invalid):
    """A match expression that does not parse, type or keep the limits; `details` hold one finding per problem."""

    code: ClassVar[str] = "invalidMatch"


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression with unknown fields has a warning for each, and a node that never matches."""

    node: Node
    warnings: tuple[Finding, ...] = ()


def compile_match(
    text: str, door: Door, *, field: str = "match", strict: bool = False, from_query: bool = False
) -> Compiled:
    """Read `text` as an expression of `door`. Raises InvalidMatch, whose findings name `field`.

    An unknown field is a warning, or an error when `strict`. `from_query` decodes values that still hold %XX.
    """
    to_node = _ToNode(text, door, field, from_query)
    try:
        refuse_unstorable(text)
        node: Node = to_node.transform(parser().parse(text))
    except Unreadable as error:
        _refuse([_finding(text, field, error.at, error.message, expected=error.expected)], error)
    except UnexpectedToken as error:
        _refuse([_syntax_finding(text, field, error)], error)
    problems = to_node.problems + (to_node.unknown if strict else [])
    if problems:
        _refuse(sorted(problems, key=lambda each: each.column or 0)[:MAX_FINDINGS], None)
    if to_node.unknown:
        return Compiled(NEVER, tuple(to_node.unknown[:MAX_FINDINGS]))
    return Compiled(node)


@cache
def parser() -> Lark:
    """The LALR parser of rules/language/match.lark; its tables cost more than any parse, so it is built once."""
    grammar = rules_home() / "language" / "match.lark"
    return Lark(grammar.read_text(encoding="utf-8"), parser="lalr", lexer=Scanner, start="any_of")


def rules_home() -> Path:
    """The folder of the rule language: RULES_HOME, or `rules` at the top of the repository."""
    return Path(os.environ.get("RULES_HOME") or Path(__file__).parents[5] / "rules")


@v_args(inline=True)
class _ToNode(Transformer[Token, Any]):
    """One method per rule of the grammar, by the same name. What does not fit its field is gathered, not raised."""

    def __init__(self, text: str, door: Door, field: str, from_query: bool):
        super().__init__()
        self._text, self._door, self._field, self._from_query = text, door, field, from_query
        self.problems: list[Finding] = []
        self.unknown: list[Finding] = []

    def any_of(self, *nodes: Node) -> Node:
        return AnyOf(nodes)

    def all_of(self, *nodes: Node) -> Node:
        return AllOf(nodes)

    def negation(self, node: Node) -> Node:
        return Negation(node)

    def predicate(self, name_token: Token, op_token: Token, *values: Token) -> Node:
        name, op = unescaped(name_token), cast(Op, str(op_token))
        if op in ("~", "!~") and not self._door.allows_like:
            message = f"'{op}' cannot be used in {self._door.title}; '=' with a star at the end finds a beginning"
            self._problem(op_token, message, expected=("'='", "'!='"))
        known = field_of(self._door, name)
        if known is None:
            self._unknown(name_token, name)
            known = Field(name, "open")
        patterns = tuple(self._pattern(known, name, op, each) for each in values)
        if known.ranked and op in ORDER and (found := beyond(known, op, patterns)):
            return Test(name, "=", found)  # where nothing is beyond, the order of words, which is never true
        return Test(name, op, patterns)

    def _pattern(self, known: Field, name: str, op: Op, token: Token) -> Pattern:
        raw = decoded_again(token) if self._from_query else str(token)
        try:
            return read(known, name, op, quoted(raw) if token.type == "QUOTED" else bare(raw))
        except Misfit as misfit:
            self._problem(token, misfit.message, expected=misfit.expected, suggestion=misfit.suggestion)
            return Anything()  # of a tree that is thrown away

    def _problem(self, token: Token, message: str, **more: Any) -> None:
        self.problems.append(_finding(self._text, self._field, token.start_pos or 0, message, **more))

    def _unknown(self, token: Token, name: str) -> None:
        if len(self.unknown) == MAX_FINDINGS:
            return
        near = suggestion(self._door, name)
        message = f"'{shown(name)}' is no field of {self._door.title}" + (f"; did you mean '{near}'?" if near else "")
        self.unknown.append(
            _finding(self._text, self._field, token.start_pos or 0, message, expected=("field name",), suggestion=near)
        )


def _syntax_finding(text: str, field: str, error: UnexpectedToken) -> Finding:
    at = len(text) if error.token.type == "$END" else error.token.start_pos or 0
    before = parser().parse_interactive(text[:at])
    before.exhaust_lexer()
    accepted: set[str] = before.accepts()  # type: ignore[no-untyped-call]  # asked before the wrong token, on which LALR may already have reduced
    expected = tuple(dict.fromkeys(word for kind, word in _WORDS.items() if kind in accepted))
    return _finding(text, field, at, _syntax_message(text, at, error.token, expected), expected=expected)


def _syntax_message(text: str, at: int, token: Token, expected: tuple[str, ...]) -> str:
    before = shown(text[:at].rstrip()[-20:])
    match expected:
        case ("value",):
            return f"expected a value after '{_last_operator(before)}'"
        case ("operator",):
            return f"expected an operator after '{before}'"
        case ("field name", *_):
            return f"expected a field name after '{before}'" if before else "expected a field name"
        case _ if token.type == "$END":
            return "expected ')': a parenthesis is not closed"
        case _ if token.type == "RPAR":
            return "this ')' closes nothing"
        case _:
            return f"expected {' or '.join(expected)}, found '{shown(token)}'"


def _last_operator(before: str) -> str:
    end = before[-2:]
    return end if end in ("!=", ">=", "<=", "!~") else end[-1:]


def _finding(text: str, field: str, at: int, message: str, **more: Any) -> Finding:
    near = shown(text[max(0, at - _NEAR) : at + _NEAR + 1])
    return Finding(field=field, message=message, column=at + 1, near=near, **more)


def _refuse(findings: list[Finding], cause: Exception | None) -> NoReturn:
    first = findings[0]
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    raise InvalidMatch(f"{first.field}, column {first.column}: {first.message}{more}", details=findings) from cause
