"""Finds the comments of a JavaScript source. What looks like one in a string, a template or a regular expression is none.

It reads tokens, not grammar: whether a `/` begins a regular expression is told from what stands before it. Source:
ECMA-262, "Lexical Grammar". Linear in the length of the text.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<space>[\s\ufeff]++)
  | (?P<line>//[^\n\r\u2028\u2029]*+)
  | (?P<block>/\*(?:[^*]|\*(?!/))*+\*/)
  | (?P<string>"(?:[^"\\\n\r]|\\(?:\r\n|[\s\S]))*+"|'(?:[^'\\\n\r]|\\(?:\r\n|[\s\S]))*+')
  | (?P<word>(?:[\w$]|\\u)++)
  | (?P<step>\+\+|--)
  | (?P<mark>[\s\S])
    """,
    re.VERBOSE,
)
_REGEX = re.compile(r"/(?![*/])(?:[^/\\\[\n\r]|\\[^\n\r]|\[(?:[^\]\\\n\r]|\\[^\n\r])*+\])++/\w*+")
_TEMPLATE = re.compile(r"(?:[^`\\$]|\\[\s\S]|\$(?!\{))*+(?P<end>`|\$\{)?")
_HASHBANG = re.compile(r"\ufeff?#![^\n\r\u2028\u2029]*+")
# After these words a value begins, so that a `/` begins a regular expression.
_BEFORE_A_VALUE = frozenset(
    "return typeof instanceof in of new delete void throw case do else yield await default extends".split()
)
_BEFORE_A_CONDITION = frozenset(("if", "while", "for", "with"))
_IN_TEMPLATE = "${"


class Comment(NamedTuple):
    """`text` is without its marks; `line` is that of its beginning, counted from 1."""

    text: str
    line: int


def comments(source: str) -> Iterator[Comment]:
    """Every comment in order. What is no JavaScript yields what can be told of it, and never an error."""
    line, counted = 1, 0
    for start, text in _comments(source):
        line += source.count("\n", counted, start)
        counted = start
        yield Comment(text, line)


def _comments(source: str) -> Iterator[tuple[int, str]]:
    hashbang = _HASHBANG.match(source)
    at = hashbang.end() if hashbang else 0
    open_: list[tuple[str, bool]] = []  # each bracket, and whether a value stands where it has closed
    after_value = False  # whether what was read last ends a value, so that a `/` divides
    word = ""  # the word that was read last, if nothing came after it
    dotted = False  # whether that word is the name of a property
    while at < len(source):
        if source[at] == "/" and not after_value and (literal := _REGEX.match(source, at)):
            at, after_value, word = literal.end(), True, ""
            continue
        token = _TOKEN.match(source, at)
        assert token is not None  # its last alternative is any character
        kind, text, at = token.lastgroup, token[0], token.end()
        match kind:
            case "space":
                continue
            case "line":
                yield token.start(), text[2:]
                continue
            case "block":
                yield token.start(), text[2:-2]
                continue
            case "step":
                continue
            case "word":
                dotted = source[token.start() - 1 : token.start()] == "."
                word, after_value = text, dotted or text not in _BEFORE_A_VALUE
                continue
            case "string":
                after_value = True
            case _ if text == "`":
                at, after_value = _template(source, at, open_)
            case _ if text == "(":
                open_.append(("(", dotted or word not in _BEFORE_A_CONDITION))
                after_value = False
            case _ if text == "[":
                open_.append(("[", True))
                after_value = False
            case _ if text == "{":
                open_.append(("{", _begins_a_value(source, token.start(), word)))
                after_value = False
            case _ if text in ")]}":
                bracket, after_value = open_.pop() if open_ else ("", text != "}")
                if bracket == _IN_TEMPLATE:
                    at, after_value = _template(source, at, open_)
            case _:
                after_value = False
        word = ""


def _template(source: str, at: int, open_: list[tuple[str, bool]]) -> tuple[int, bool]:
    """Read on in a template's text. Answers where it stops, and whether the template is over there."""
    chunk = _TEMPLATE.match(source, at)
    assert chunk is not None  # it can be empty
    if chunk["end"] == _IN_TEMPLATE:
        open_.append((_IN_TEMPLATE, True))
        return chunk.end(), False
    return chunk.end(), True


def _begins_a_value(source: str, at: int, word: str) -> bool:
    """Whether a `{` begins an object rather than a block, by what stands before it."""
    if word:
        return word in _BEFORE_A_VALUE and word not in ("do", "else")
    before = source[max(at - 200, 0) : at].rstrip()
    return before.endswith(tuple("(,=:[!&|?+-*%<~^")) and not before.endswith("=>")
