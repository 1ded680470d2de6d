"""A script's `@filter(onActionCreated) action.type=scans`: found in its comments, read as the rule language."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ..errors import Finding, Invalid
from ..rules.compile import InvalidMatch, compile_match
from ..rules.fields import REACTOR
from ..rules.nodes import Node, fields, to_json
from .comments import comments
from .events import FILTERED, HANDLERS
from .fields import foreign
from .published import Filter

MAX_WARNINGS = 50

_ANNOTATION = re.compile(  # it never goes back, however many blanks there are
    r"@filter\b[ \t]*+(?:\([ \t]*+(?P<function>[\w$]*+)[ \t]*+\))?+[ \t]*+:?(?P<text>[^\n\r]*)"
)
_ENCODED_OR = re.compile("%7c", re.IGNORECASE)  # the platform's documents tell to write the pipe so


class Duplicate(Invalid):
    """A function has a second filter."""

    code: ClassVar[str] = "duplicate"


@dataclass(frozen=True, slots=True)
class Filters:
    """By function those that can be read; what is wrong with the others, whose functions run on every event."""

    by_function: Mapping[str, Filter] = field(default_factory=dict)
    warnings: tuple[Finding, ...] = ()


def filters_in(source: str) -> Filters:
    """The filters of a main.js. Raises Duplicate."""
    found: dict[str, Filter] = {}
    first: dict[str, int] = {}
    warnings: list[Finding] = []
    for comment in comments(source):
        line, counted = comment.line, 0
        for annotation in _ANNOTATION.finditer(comment.text):
            line += comment.text.count("\n", counted, annotation.start())
            counted = annotation.start()
            function = annotation["function"] or ""
            if function in first:
                message = f"{function} has a filter in line {first[function]} and another in line {line}"
                finding = Finding(field=_field(function), message=message)
                raise Duplicate(f"duplicate: {message}; a function has at most one", details=[finding])
            if function not in FILTERED:
                warnings.append(_nameless(function, line))
                continue
            first[function] = line
            text = _ENCODED_OR.sub("|", annotation["text"].strip())
            try:
                node = compile_match(text, REACTOR, field=_field(function), strict=True).node
            except InvalidMatch as error:
                warnings += [_in_line(each, line) for each in error.details]
            else:
                found[function] = Filter(text, to_json(node))
                warnings += _never(function, node, line)
    return Filters(found, tuple(warnings[:MAX_WARNINGS]))


def functions_in(sources: list[str]) -> tuple[str, ...]:
    """The events' functions that a script may have: those whose names stand in it, all when none does."""
    named = [name for name in HANDLERS if any(re.search(rf"\b{name}\b", source) for source in sources)]
    return tuple(named or HANDLERS)


def _field(function: str) -> str:
    return f"@filter({function})"


def _nameless(function: str, line: int) -> Finding:
    known = ", ".join(FILTERED)
    message = f"line {line}: " + (
        f"{function[:60]} is no function that a filter can be for; ignored" if function else "it names no function"
    )
    return Finding(field=_field(function[:60]), message=f"{message}. There are {known}", expected=FILTERED)


def _never(function: str, node: Node, line: int) -> list[Finding]:
    """Fields that this function's events do not have. The filter counts all the same: they have no value in it."""
    event = function[2].lower() + function[3:]
    found = [(name, message) for name in sorted(fields(node)) if (message := foreign(name, event))]
    return [Finding(field=_field(function), message=f"line {line}: {message}", near=name) for name, message in found]


def _in_line(finding: Finding, line: int) -> Finding:
    ignored = "the filter is ignored, so the function runs on every event"
    return Finding(
        field=finding.field,
        message=f"line {line}: {finding.message}; {ignored}",
        column=finding.column,
        near=finding.near,
        expected=finding.expected,
        suggestion=finding.suggestion,
    )
