"""Rule files: what `PUT /redirector` takes, as YAML or JSON, kept in git. Read with places, written to be read."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .failure import Usage
from .places import Placed, Unreadable, line_and_column, read_json, read_yaml, resolve_as_json

BASED_ON = "basedOn"
MAX_BYTES = 16 * 1024 * 1024
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_BASED_ON_LINE = re.compile(rb"""^(\s*["']?basedOn["']?\s*:\s*)\d+""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RuleFile:
    """`based_on` is the version that the file was pulled from, when it says so."""

    path: Path
    placed: Placed
    rules: list[Any]
    based_on: int | None = None

    def spot(self, field: str, column: int | None) -> tuple[int, int]:
        """Line and column in the file of `rules[2].match`, column 17 of its text."""
        return self.placed.spot(steps_of(field), None if column is None else column - 1)


def steps_of(field: str) -> tuple[str | int, ...]:
    """The way to a field from the root of its document: `rules[2].match`."""
    return tuple(name or int(number) for name, number in _STEP.findall(field))


def read_rule_file(path: Path) -> RuleFile:
    """A file with `rules`, or with nothing but their list. Raises Usage that says where it cannot be read."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Usage(f"{path} is larger than {MAX_BYTES:,} bytes, more than any rule set may have")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Usage(f"{path} is not UTF-8 text: byte {error.start + 1}", then="Save it as UTF-8") from error
    except OSError as error:
        raise Usage(f"{path} cannot be read: {error.strerror}", then="Check the name of the rule file") from error
    try:
        placed = read_json(text) if path.suffix.lower() == ".json" else read_yaml(text)
    except Unreadable as error:
        line, column = line_and_column(text, error.at)
        kind = "JSON" if path.suffix.lower() == ".json" else "YAML"
        raise Usage(f"{path}:{line}:{column}: this is no {kind}: {error}", then="Correct the file there") from error
    match placed.value:
        case {"rules": list(rules)}:
            return RuleFile(path, placed, rules, _based_on(path, placed.value.get(BASED_ON)))
        case list(rules):
            placed.spans = {("rules", *each): span for each, span in placed.spans.items()} | {(): (0, len(text))}
            placed.value = {"rules": rules}
            return RuleFile(path, placed, rules)
    raise Usage(
        f"{path} holds no list of rules",
        then="Begin it with `rules:` and a list below, or get what is live with `fingerpost rules pull`",
    )


def _based_on(path: Path, number: Any) -> int | None:
    if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
        raise Usage(f"{path}: {BASED_ON} is the number of a version, not {number!r}")
    return number


def with_based_on(file: RuleFile, version: int) -> bytes | None:
    """The file's content with another `basedOn` and nothing else changed; None for a file that has none."""
    changed, count = _BASED_ON_LINE.subn(rb"\g<1>%d" % version, file.path.read_bytes(), count=1)
    return changed if count and file.based_on is not None else None


def rule_text(rules: list[dict[str, Any]], *, suffix: str, based_on: int | None = None) -> str:
    """Rules as the text of a file with this suffix."""
    document: dict[str, Any] = {} if based_on is None else {BASED_ON: based_on}
    document["rules"] = rules
    if suffix.lower() == ".json":
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000)


class _Dumper(yaml.SafeDumper):
    """Lists stand indented below their name, and each text on one line."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


resolve_as_json(_Dumper)  # beside YAML 1.1's, so that every reader finds the text that was meant
