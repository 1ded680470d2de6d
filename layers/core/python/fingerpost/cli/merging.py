"""One backtest that took several requests: their answers, each about its own scans, as one."""

from typing import Any

MAX_EXAMPLES = 10  # of one group

COUNTS = ("scans", "changed", "unchanged", "recordedElsewhere", "robots", "limited")
LAST = 1_000_000  # a number that no rule has

type Document = dict[str, Any]


class Merged:
    """Answers of `POST /redirector/backtest`, added one after the other."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(COUNTS, 0)
        self._groups: dict[tuple[Any, Any], Document] = {}
        self._rules: dict[tuple[Any, Any], Document] = {}
        self._others = 0  # scans in groups that an answer did not tell apart
        self._answers: list[Document] = []

    @property
    def scans(self) -> int:
        return self._counts["scans"]

    def add(self, answer: Document) -> None:
        self._answers.append(answer)
        for name in COUNTS:
            self._counts[name] += answer.get(name) or 0
        self._others += (answer.get("otherGroups") or {}).get("scans", 0)
        for group in answer["groups"]:
            self._add_group(group)
        for rule in answer.get("rules") or ():
            known = self._rules.setdefault((rule["rule"], rule.get("was")), {**rule, "before": 0, "after": 0})
            known["before"] += rule["before"]
            known["after"] += rule["after"]

    def _add_group(self, group: Document) -> None:
        known = self._groups.setdefault(
            (group["from"], group["to"]), {**group, "scans": 0, "rules": [], "examples": []}
        )
        known["scans"] += group["scans"]
        known["examples"] = (known["examples"] + group["examples"])[:MAX_EXAMPLES]
        for pair in group["rules"]:
            who = {name: value for name, value in pair.items() if name != "scans"}
            same = next((each for each in known["rules"] if {**each, "scans": 0} == {**who, "scans": 0}), None)
            if same is None:
                known["rules"].append({**pair})
            else:
                same["scans"] += pair["scans"]

    def whole(self) -> Document:
        """The document of an answer about all of the scans."""
        if len(self._answers) == 1:
            return self._answers[0]
        times = {
            "since": min((each["since"] for each in self._answers if each.get("since") is not None), default=None),
            "until": max((each["until"] for each in self._answers if each.get("until") is not None), default=None),
        }
        others = {"otherGroups": {"scans": self._others}} if self._others else {}
        named: Document = {
            name: self._answers[0][name] for name in ("version", "draft", "against") if name in self._answers[0]
        }
        return {
            **named,
            **self._counts,
            **times,
            "groups": sorted(self._groups.values(), key=lambda each: -each["scans"]),
            **others,
            "rules": [self._rules[each] for each in sorted(self._rules, key=_place)],
            "says": f"of {self.scans:,} scans, {self._counts['changed']:,} would go elsewhere",
        }


def _place(rule: tuple[int | None, int | None]) -> tuple[int, int]:
    """In the order of the rules; those that are gone have no number any more, and stand last."""
    number, was = rule
    return number or LAST, was or 0
