"""Finds the comments of a JavaScript source. What looks like one in a string, template or regular expression is none.

It reads tokens, not grammar: whether a `/` begins a regular expression is told from what stands before it. Source:
ECMA-262, "Lexical Grammar". Linear in the length of the text, also of one that was made to take long.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<space>[\s\ufeff]++)
  | (?P<line>//[^\n\r\u2028\u2029]*+)
  | (?P<word>(?:[\w$]|\\u)++)
  | (?P<step>\+\+|--)
  | (?P<mark>[\s\S])
    """,
    re.VERBOSE,
)
_IN_STRING = {quote: re.compile(rf"(?:[^{quote}\\\n\r]|\\(?:\r\n|[\s\S]))*+") for quote in "\"'"}
_LINE = re.compile(r"[^\n\r]*+")
_REGEX = re.compile(r"/(?![*/])(?:[^/\\\[\n\r]|\\[^\n\r]|\[(?:[^\]\\\n\r]|\\[^\n\r])*+\])++/\w*+")
_TEMPLATE = re.compile(r"(?:[^`\\$]|\\[\s\S]|\$(?!\{))*+(?P<end>`|\$\{)?")
_HASHBANG = re.compile(r"\ufeff?#![^\n\r\u2028\u2029]*+")
# After these words a value begins, so that a `/` begins a regular expression.
_BEFORE_A_VALUE = frozenset(
    {
        "return", "typeof", "instanceof", "in", "of", "new", "delete", "void", "throw", "case", "do", "else", "yield",
        "await", "default", "extends",
    }
)  # fmt: skip
_BEFORE_A_CONDITION = frozenset(("if", "while", "for", "with"))
_IN_TEMPLATE = "${"
_MAX_VAIN = 5_000_000  # characters that are looked through for the end of regular expressions that have none


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
    reader = _Reader(source)
    while reader.at < len(source):
        yield from reader.step()


class _Reader:
    """How far a source has been read, and what the next `/` would mean."""

    def __init__(self, source: str):
        self.source = source
        hashbang = _HASHBANG.match(source)
        self.at = hashbang.end() if hashbang else 0
        self._open: list[tuple[str, bool]] = []  # each bracket, and whether a value stands where it has closed
        self._after_value = False  # whether what was read last ends a value, so that a `/` divides
        self._word = ""  # the word that was read last, if nothing came after it
        self._dotted = False  # whether that word is the name of a property
        self._unclosed: dict[str, int] = {}  # up to where a quote, or a block comment, is known to have no end
        self._line_end, self._vain = 0, 0

    def step(self) -> Iterator[tuple[int, str]]:
        """Read one token; yields it when it is a comment."""
        start = self.at
        mark = self.source[start]
        if mark == "/" and self.source.startswith("/*", start):
            if (end := self._end_of_block(start)) is not None:
                yield start, self.source[start + 2 : end]
                self.at = end + 2
                return
        elif mark == "/" and not self._after_value:
            if (end := self._end_of_regex(start)) is not None:
                self.at, self._after_value, self._word = end, True, ""
                return
        elif mark in _IN_STRING and (end := self._end_of_string(start, mark)) is not None:
            self.at, self._after_value, self._word = end, True, ""
            return
        token = _TOKEN.match(self.source, start)
        assert token is not None  # its last alternative is any character
        text, self.at = token[0], token.end()
        match token.lastgroup:
            case "line":
                yield start, text[2:]
            case "word":
                self._dotted = self.source[start - 1 : start] == "."
                self._word, self._after_value = text, self._dotted or text not in _BEFORE_A_VALUE
            case "mark":
                self._read_mark(text, start)
                self._word = ""

    def _end_of_block(self, start: int) -> int | None:
        if "/*" in self._unclosed:
            return None
        if (end := self.source.find("*/", start + 2)) < 0:
            self._unclosed["/*"] = len(self.source)
        return end if end >= 0 else None

    def _end_of_string(self, start: int, quote: str) -> int | None:
        """Where a string ends. What has no end holds no such quote but escaped ones, from which none ends either."""
        if start < self._unclosed.get(quote, 0):
            return None
        inside = _IN_STRING[quote].match(self.source, start + 1)
        assert inside is not None  # it can be empty
        if self.source.startswith(quote, inside.end()):
            return inside.end() + 1
        self._unclosed[quote] = inside.end()
        return None

    def _end_of_regex(self, start: int) -> int | None:
        if self._vain > _MAX_VAIN:
            return None
        if (literal := _REGEX.match(self.source, start)) is not None:
            return literal.end()
        if start >= self._line_end:
            line = _LINE.match(self.source, start)
            assert line is not None  # it can be empty
            self._line_end = line.end()
        self._vain += self._line_end - start
        return None

    def _read_mark(self, mark: str, start: int) -> None:
        self._after_value = False
        match mark:
            case "`":
                self._read_template()
            case "(":
                self._open.append((mark, self._dotted or self._word not in _BEFORE_A_CONDITION))
            case "[":
                self._open.append((mark, True))
            case "{":
                self._open.append((mark, _begins_a_value(self.source, start, self._word)))
            case ")" | "]" | "}":
                bracket, self._after_value = self._open.pop() if self._open else ("", mark != "}")
                if bracket == _IN_TEMPLATE:
                    self._read_template()

    def _read_template(self) -> None:
        """Read on in a template's text, to its end or to an expression in it."""
        chunk = _TEMPLATE.match(self.source, self.at)
        assert chunk is not None  # it can be empty
        self.at, self._after_value = chunk.end(), chunk["end"] != _IN_TEMPLATE
        if chunk["end"] == _IN_TEMPLATE:
            self._open.append((_IN_TEMPLATE, True))


def _begins_a_value(source: str, at: int, word: str) -> bool:
    """Whether a `{` begins an object rather than a block, by what stands before it."""
    if word:
        return word in _BEFORE_A_VALUE and word not in ("do", "else")
    before = source[max(at - 200, 0) : at].rstrip()
    return before.endswith(tuple("(,=:[!&|?+-*%<~^")) and not before.endswith("=>")
