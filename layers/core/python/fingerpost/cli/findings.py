"""What a check found, shown where it stands in the rule file."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.text import Text

from .rule_files import RuleFile
from .terminal import STYLES, Terminal, as_text

MAX_EXCERPT = 100
BEFORE = 60  # characters of a long text shown before the column

type FindingDocument = dict[str, Any]


def located(finding: FindingDocument, file: RuleFile) -> FindingDocument:
    """The finding with file, line and column of the file (from 1)."""
    line, column = file.spot(finding["field"], finding.get("column"))
    return {**finding, "file": str(file.path), "line": line, "fileColumn": column}


def show_finding(terminal: Terminal, finding: FindingDocument, rules: Sequence[Any]) -> None:
    """Level, place and reason; then the text with a mark under the column, what would do, and what was meant."""
    level = finding["level"]
    place = f"{finding['file']}:{finding['line']}:{finding['fileColumn']}: " if "file" in finding else ""
    about = f" in {_about(finding)}" if _about(finding) else ""
    head = Text.assemble(as_text(place), (level, STYLES[level]), as_text(f"{about}: {finding['message']}"))
    terminal.say(head)
    text = _text_of(finding["field"], rules)
    if text and finding.get("column"):
        excerpt, mark = _excerpt(text, finding["column"] - 1)
        terminal.say(f"    {excerpt}")
        terminal.say(as_text(" " * (4 + mark) + "^", level))
    if finding.get("expected"):
        terminal.say(f"    accepted: {', '.join(map(str, finding['expected']))}")
    if finding.get("suggestion"):
        terminal.say(f"    suggestion: {finding['suggestion']}")


def counted(findings: Sequence[FindingDocument]) -> str:
    counts = Counter(each["level"] for each in findings)
    parts = [f"{counts[level]:,} {level}{'s' if counts[level] != 1 else ''}" for level in STYLES if counts[level]]
    return ", ".join(parts) or "nothing wrong was found"


def _about(finding: FindingDocument) -> str:
    if not finding.get("rule"):
        return ""
    name = f" {finding['name']}" if finding.get("name") else ""
    part = str(finding["field"]).partition("].")[2]
    where = f", {part}" if part else ""
    column = f", column {finding['column']}" if finding.get("column") else ""
    return f"rule {finding['rule']}{name}{where}{column}"


def _text_of(field: str, rules: Sequence[Any]) -> str:
    """The text that a finding's column counts in."""
    number, _, part = field.removeprefix("rules[").partition("].")
    try:
        value = rules[int(number)][part]
    except (ValueError, IndexError, KeyError, TypeError):
        return ""
    return value if isinstance(value, str) else ""


def _excerpt(text: str, at: int) -> tuple[str, int]:
    """A line's worth of the text, and where `at` is in it."""
    start = max(0, at - BEFORE)
    piece = text[start : start + MAX_EXCERPT].replace("\n", " ").replace("\t", " ")
    head = "…" if start else ""
    tail = "…" if start + MAX_EXCERPT < len(text) else ""
    return f"{head}{piece}{tail}", at - start + len(head)
