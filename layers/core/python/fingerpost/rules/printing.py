"""Nodes as the text of an expression. Compiling that text at the same door gives the same nodes."""

import re

from .nodes import AllOf, AnyOf, Anything, Between, Exact, Negation, Node, Pattern, Prefix, Test

_OPERATOR_CHARACTER = re.compile(r"[\\&|!<>=~(),]")
_STRUCTURAL = re.compile(r"[\\&|(),]")
_SPACE = " \t\r\n"


def print_match(node: Node) -> str:
    """The shortest plain text of `node`. Raises ValueError for a tree that no text has, such as NEVER."""
    match node:
        case AnyOf(nodes) | AllOf(nodes) if len(nodes) < 2:
            raise ValueError("an AND or OR of fewer than two parts has no text")
        case AnyOf(nodes):
            return "|".join(_enclosed(each) if isinstance(each, AnyOf) else print_match(each) for each in nodes)
        case AllOf(nodes):
            return "&".join(_term(each) for each in nodes)
        case Negation(inner):
            return "!" + _term(inner)
        case Test(field, op, values):
            return print_name(field) + op + ",".join(map(print_pattern, values))


def _enclosed(node: Node) -> str:
    return f"({print_match(node)})"


def _term(node: Node) -> str:
    return _enclosed(node) if isinstance(node, AnyOf | AllOf) else print_match(node)


def print_name(name: str) -> str:
    """A field name with a backslash before whatever would end it."""
    escaped = _OPERATOR_CHARACTER.sub(r"\\\g<0>", name)
    if escaped[:1] in _SPACE:
        escaped = "\\" + escaped
    if len(name) > 1 and escaped[-1] in _SPACE + ".":  # after a dot, "~" would belong to the name
        escaped = escaped[:-1] + "\\" + escaped[-1]
    return escaped


def print_pattern(pattern: Pattern) -> str:
    match pattern:
        case Exact(text):
            return _quoted(text) if _needs_quotes(text) else text
        case Prefix(text):
            escaped = _STRUCTURAL.sub(r"\\\g<0>", text)
            return ("\\" + escaped if escaped[:1] in _SPACE + '"=~' and escaped else escaped) + "*"
        case Anything():
            return "*"
        case Between(low, high):
            return f"{low}..{high}"


def _needs_quotes(text: str) -> bool:
    return (
        not text
        or text[0] in _SPACE + '"=~'
        or text[-1] in _SPACE + "*"
        or ".." in text
        or _STRUCTURAL.search(text) is not None
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
