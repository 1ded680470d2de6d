"""Two rule sets asked about the same scans: how many go elsewhere, from where to where, by which rules. Pure."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..redirection.pairing import paired_rules
from ..redirection.rulesets import CompiledRules

MAX_GROUPS = 200
MAX_PAIRS = 20  # of rules responsible, in one group
MAX_EXAMPLES = 3
RECORDED_CHARACTERS = 2_048  # as much of a URL as an action's row keeps

type Document = dict[str, Any]


class Outcome(NamedTuple):
    """Where rules send a scan. `written` is the URL as its operator wrote it, with the names of fields in it."""

    url: str | None  # None: nowhere
    written: str | None = None
    rule: int | None = None  # of the compared rules, from 1; None when none of them decided


class Pair(NamedTuple):
    """The rules that decided, before and after."""

    before: int | None
    after: int | None


@dataclass(slots=True)
class _Group:
    """The scans that would go from one URL to another."""

    scans: int = 0
    rules: Counter[Pair] = field(default_factory=Counter)
    examples: list[Document] = field(default_factory=list)


class Comparison:
    """Grows with each scan that is added, newest first."""

    def __init__(self, before: CompiledRules, after: CompiledRules):
        self._before, self._after = before, after
        self.scans = self.changed = self.recorded_elsewhere = 0
        self.since: int | None = None
        self.until: int | None = None
        self._groups: dict[tuple[str | None, str | None], _Group] = defaultdict(_Group)
        self._decided: tuple[Counter[int], Counter[int]] = (Counter(), Counter())

    def add(self, action_id: str, at: int, recorded: str | None, before: Outcome, after: Outcome) -> None:
        """One scan: where it was sent when it was recorded, where the one set sends it today, and the other."""
        self.scans += 1
        self.since = at if self.since is None else min(at, self.since)
        self.until = at if self.until is None else max(at, self.until)
        if recorded != (None if before.url is None else before.url[:RECORDED_CHARACTERS]):
            self.recorded_elsewhere += 1
        for outcome, decided in zip((before, after), self._decided, strict=True):
            if outcome.rule is not None:
                decided[outcome.rule] += 1
        if before.url == after.url:
            return
        self.changed += 1
        group = self._groups[before.written, after.written]
        group.scans += 1
        group.rules[Pair(before.rule, after.rule)] += 1
        if len(group.examples) < MAX_EXAMPLES:
            group.examples.append({"action": action_id, "timestamp": at, "from": before.url, "to": after.url})

    def document(self) -> Document:
        """`changed` is the sum of the scans in `groups`, largest first, and in `otherGroups` when there are too many
        to be told apart.
        """
        groups = sorted(self._groups.items(), key=lambda each: -each[1].scans)
        shown, others = groups[:MAX_GROUPS], groups[MAX_GROUPS:]
        document: Document = {
            "scans": self.scans,
            "changed": self.changed,
            "unchanged": self.scans - self.changed,
            "groups": [self._group(*urls, group) for urls, group in shown],
            "rules": self._rules(),
            "since": self.since,
            "until": self.until,
            "recordedElsewhere": self.recorded_elsewhere,
            "says": self.says(),
        }
        if others:
            document["otherGroups"] = {"groups": len(others), "scans": sum(group.scans for _, group in others)}
        return document

    def says(self) -> str:
        if not self.scans:
            return "there are no recorded scans to ask about"
        assert self.since is not None
        day = datetime.fromtimestamp(self.since / 1000, UTC)
        of_all = f"of {_counted(self.scans)} since {day.day} {day:%B %Y}"
        if not self.changed:
            return f"{of_all}, none would go elsewhere"
        share = 100 * self.changed / self.scans
        percent = "under 1%" if share < 1 else f"{share:.0f}%"
        says = f"{of_all}, {self.changed:,} would go elsewhere ({percent})"
        (before, after), largest = max(self._groups.items(), key=lambda each: each[1].scans)
        most = "" if largest.scans == self.changed else f"{largest.scans:,} of them "
        return f"{says}: {most}from {before or 'nowhere'} to {after or 'nowhere'}"

    def _group(self, before: str | None, after: str | None, group: _Group) -> Document:
        return {
            "from": before,
            "to": after,
            "scans": group.scans,
            "rules": [
                {
                    "from": pair.before,
                    "fromName": _name(self._before, pair.before),
                    "to": pair.after,
                    "toName": _name(self._after, pair.after),
                    "scans": scans,
                }
                for pair, scans in group.rules.most_common(MAX_PAIRS)
            ],
            "examples": group.examples,
        }

    def _rules(self) -> list[Document]:
        """The rules that decided any scan, in the order of the new set and then those that are only in the old one."""
        before, after = ([rule["sent"] for rule in each.rules] for each in (self._before, self._after))
        was = {now + 1: then + 1 for now, then in paired_rules(before, after)}
        decided_before, decided_after = self._decided
        told = [
            {
                "rule": number,
                "was": was.get(number),
                "name": _name(self._after, number),
                "before": decided_before[was[number]] if number in was else 0,
                "after": decided_after[number],
            }
            for number in range(1, len(self._after.rules) + 1)
        ]
        gone = set(range(1, len(self._before.rules) + 1)) - set(was.values())
        told += [
            {
                "rule": None,
                "was": number,
                "name": _name(self._before, number),
                "before": decided_before[number],
                "after": 0,
            }
            for number in sorted(gone)
        ]
        return [each for each in told if each["before"] or each["after"]]


def _name(compiled: CompiledRules, rule: int | None) -> str | None:
    return None if rule is None else compiled.rules[rule - 1].get("name")


def _counted(scans: int) -> str:
    return f"{scans:,} scan{'' if scans == 1 else 's'}"
