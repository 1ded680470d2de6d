"""What a check finds, as one document whatever found it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from ...errors import Finding

type Level = Literal["error", "warning", "note"]

LEVELS: tuple[Level, ...] = ("error", "warning", "note")  # the worst first


@dataclass(frozen=True, slots=True)
class Checked:
    """One finding. An error keeps a set from being published or harms scans; a note is worth knowing."""

    level: Level
    kind: str
    finding: Finding

    def document(self) -> dict[str, Any]:
        return {
            "level": self.level,
            "kind": self.kind,
            "rule": self.finding.rule,
            "name": self.finding.name,
            **self.finding.document(),
        }


def about(rule: int, name: str | None, part: str, message: str, **more: Any) -> Finding:
    """A finding about one rule (from 1) of a set; `part` is `match` or `redirectUrl`."""
    return Finding(field=f"rules[{rule - 1}].{part}", message=message, rule=rule, name=name, **more)


def about_set(message: str) -> Finding:
    return Finding(field="rules", message=message)


def documents(found: Iterable[Checked]) -> dict[str, Any]:
    """`{findings, says}`: in the order of the rules, what is about the whole set last, and a sentence."""
    ordered = sorted(found, key=lambda each: (each.finding.rule or 1_000_000, LEVELS.index(each.level)))
    return {"findings": [each.document() for each in ordered], "says": says(ordered)}


def says(found: Iterable[Checked]) -> str:
    levels = [each.level for each in found]
    counted = [(levels.count(level), level) for level in LEVELS]
    told = [f"{count:,} {level}{'' if count == 1 else 's'}" for count, level in counted if count]
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told) or "nothing was found"
