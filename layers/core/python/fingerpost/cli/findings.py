"""What a check found, shown where it stands in the rule file."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import typer
from rich.text import Text

from .failure import Negative
from .rule_files import RuleFile, steps_of
from .terminal import STYLES, Terminal, as_text

MAX_EXCERPT = 100
LEVELS_OF_A_NO = ("error", "warning")
BEFORE = 60  # characters of a long text shown before the column

type FindingDocument = dict[str, Any]

_ADVICE = (  # what a message says, and what to do; the first that fits
    ("never reached", "move the rule above the one that is named, or remove it"),
    ("at once", "ask for either with a list, as in country=IE,GB, or remove one"),
    ("never matches", "remove one of the two conditions"),
    ("ends before it begins", "swap its two ends"),
    ("valid string", "put the value in quotes"),
    ("valid list", "write a list, each member below the other after '- '"),
    ("valid dictionary", "write names and values, each pair on a line"),
    ("a rule is an object", "write name: and the other keys below each other after '- '"),
    ("lower case", "write the key in lower case"),
    ("never decided any", "`fingerpost rules simulate` shows why; if nobody needs the rule, remove it"),
    ("which comes first and decides", "if this one is narrower, move it above that one"),
    ("in a circle", "lead to a page instead of a short link"),
    ("may come back to this rule", "lead to a page instead of a short link"),
    ("a short link that is not there", "correct the short link, or make it"),
    ("was empty in", "ask for the field in the match, as in thng.customFields.size=*"),
    ("does not answer", "open the page in a browser, and correct the address"),
    ("was not asked", "see by yourself whether the page answers"),
    ("no rule matches every scan", "end with a rule that has no match, if there is a page for everybody"),
)


def located(finding: FindingDocument, file: RuleFile) -> FindingDocument:
    """The finding with file, line and column of the file (from 1), and what to do about it."""
    line, column = file.spot(finding["field"], finding.get("column"))
    place = {"file": str(file.path), "line": line, "fileColumn": column}
    return {**finding, "message": _counted_from_one(finding["message"], file), **place, "advice": advice(finding)}


def _counted_from_one(message: str, file: RuleFile) -> str:
    """Other rules in a message as people count them, and by name: `rules[0]` is rule 1."""

    def rule(found: re.Match[str]) -> str:
        number = int(found[1])
        name = file.rules[number].get("name") if isinstance(file.rules[number], dict) else None
        return f"rule {number + 1} {name or ''}".strip()

    return re.sub(r"\brules\[(\d+)\]", rule, message)


def advice(finding: FindingDocument) -> str:
    """What to do about a finding: the name that was meant, what would be accepted, or what such a mistake asks for."""
    if finding.get("suggestion"):
        return f"write {finding['suggestion']}"
    if finding.get("expected"):
        return f"write {' or '.join(map(str, finding['expected']))} there"
    message = str(finding["message"])
    return next((text for words, text in _ADVICE if words in message), "")


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
    if finding.get("advice"):
        terminal.say(f"    suggestion: {finding['advice']}")


def answer_findings(terminal: Terminal, files: Sequence[RuleFile], findings: Sequence[FindingDocument]) -> None:
    """Answer a check of rule files. Ends with 1 when there are errors or warnings."""
    total = sum(len(file.rules) for file in files)
    says = f"{counted(findings)} in {total:,} rules of {', '.join(str(file.path) for file in files)}"

    def for_people() -> None:
        by_path = {str(file.path): file for file in files}
        for each in findings:
            show_finding(terminal, each, by_path[each["file"]].rules)
        terminal.say(says, "strong" if findings else "good")

    terminal.answer({"findings": findings, "rules": total, "says": says}, for_people)
    if any(each["level"] in LEVELS_OF_A_NO for each in findings):
        raise typer.Exit(Negative.exit_code)


def refuse_errors(terminal: Terminal, file: RuleFile, findings: Sequence[FindingDocument], outcome: str) -> None:
    """Show the errors in a file that is to be pushed, if there are any. Raises Negative then."""
    errors = [each for each in findings if each["level"] == "error"]
    if not errors:
        return
    says = f"{counted(errors)} in {file.path}; {outcome}"
    if terminal.as_json:
        raise Negative(says, findings=errors)
    for each in errors:
        show_finding(terminal, each, file.rules)
    raise Negative(says, then="Correct them and push again")


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
    value: Any = {"rules": rules}
    try:
        for step in steps_of(field):
            value = value[step]
    except (IndexError, KeyError, TypeError):
        return ""
    return value if isinstance(value, str) else ""


def _excerpt(text: str, at: int) -> tuple[str, int]:
    """A line's worth of the text, and where `at` is in it."""
    start = max(0, at - BEFORE)
    piece = text[start : start + MAX_EXCERPT].replace("\n", " ").replace("\t", " ")
    head = "…" if start else ""
    tail = "…" if start + MAX_EXCERPT < len(text) else ""
    return f"{head}{piece}{tail}", at - start + len(head)
