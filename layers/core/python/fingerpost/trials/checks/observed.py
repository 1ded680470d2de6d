"""What recorded scans show of a rule set: rules that wanted none of them, URLs with holes that stay empty."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ...redirection.context import context_of
from ...redirection.deciding import Decision
from ...redirection.reading import Reading
from ...redirection.recorded import Recorded
from ..in_force import InForce
from .findings import Checked, about
from .leads import part_of

OFTEN = 0.1  # of the scans that a rule decided
FEWEST = 5  # scans that a rule must have decided before a share of them says anything


@dataclass(slots=True)
class Observed:
    """Counts over some scans, by the numbers of rules (from 1). `urls` are where scans would have been sent."""

    rules: InForce
    scans: int = 0
    since: int | None = None
    matched: Counter[int] = field(default_factory=Counter)
    decided: Counter[int] = field(default_factory=Counter)
    empty: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    urls: dict[tuple[int, str], str] = field(default_factory=dict)  # of a rule, by the field its URL stands in

    def add(self, scan: Recorded, reading: Reading) -> None:
        """Ask the rules about one scan. One that these rules would never have been asked about is passed over."""
        own = self.rules.version
        asked = own if own.app else None
        if not (scan.posted_by is None if asked is None else own.project in scan.row.get("projects", ())):
            return
        self.scans += 1
        self.since = scan.at if self.since is None else min(self.since, scan.at)
        decision = self.rules.decision(scan, reading)
        compiled = self.rules.compiled
        context = context_of(compiled.fields, reading.sources(compiled.needs, asked))
        self.matched.update([place + 1 for place in compiled.all_matches(context)])
        if decision is None or (rule := self.rules.own_rule(decision)) is None:
            return
        self.decided[rule] += 1
        if decision.by_rule is None:
            self._look_at(rule, decision, reading)

    def _look_at(self, rule: int, decision: Decision, reading: Reading) -> None:
        self.urls.setdefault((rule, part_of(self.rules.compiled, rule, decision.variant)), decision.url)
        target = self.rules.target_of(decision)
        template = target.template
        sources = reading.sources(self.rules.compiled.needs | target.needs, decision.decider)
        context = context_of(template.fields, sources)
        self.empty[rule].update([name for name in template.fields if context.get(name) in (None, "", [])])

    def findings(self, known: set[int]) -> Iterator[Checked]:
        """`known` are the rules of which it has been told already that they never match."""
        if self.since is None:
            return
        since = datetime.fromtimestamp(self.since / 1000, UTC)
        of_all = f"the {self.scans:,} recorded scan{'' if self.scans == 1 else 's'} since {since.day} {since:%B %Y}"
        for rule, stored in enumerate(self.rules.compiled.rules, 1):
            name, matched, decided = stored.get("name"), self.matched[rule], self.decided[rule]
            if not decided and rule not in known:
                why = f"it matched {matched:,}, and an earlier rule decided each" if matched else "it matched none"
                message = f"never decided any of {of_all}: {why}"
                yield Checked("warning", "neverMatched", about(rule, name, "match", message))
            for each, times in sorted(self.empty[rule].items()):
                if decided >= FEWEST and times >= OFTEN * decided:
                    message = f"{{{each}}} was empty in {times:,} of the {decided:,} scans that this rule decided"
                    yield Checked("warning", "oftenEmpty", about(rule, name, "redirectUrl", message, near=each))
