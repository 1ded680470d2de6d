"""Rules asked one by one, and of each why it matched or did not: what explanations and simulations have in common."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..rules.explain import explain
from ..rules.nodes import from_json
from ..rules.ruleset import with_constants
from .context import Context, context_of
from .deciding import Load
from .reading import Reading
from .rulesets import CompiledRules, Version

type Document = dict[str, Any]

MAX_RULES_SHOWN = 100  # of one owner, before the one that decided
MAX_APPLICATIONS_SHOWN = 20


_LIMITS = {
    "before": ("the redirection was not valid yet (validFrom)", "beforeUrl"),
    "after": ("the redirection was not valid any more (validUntil)", "afterUrl"),
    "exhausted": ("the redirection had had all its scans (maxScans)", "exhaustedUrl"),
}


def told_by_limit(limit: str, url: str | None) -> str:
    """Of a scan that met a limit of its redirection, and of where it went then."""
    met, fallback = _LIMITS[limit]
    where = f"it went to the {fallback}" if url else "a page said so"
    return f"{met}, so no rules were asked; {where}"


@dataclass(frozen=True, slots=True)
class Asked:
    """The rules of an application that a rule of the account asks; `decided` is its rule that yielded the URL."""

    version: Version
    decided: int | None = None


type Whom = Callable[[CompiledRules, int], Iterable[Asked]]  # a set, a rule's number from 0 -> in order, whom it asks


@dataclass(frozen=True, slots=True)
class Told:
    """What one owner's rules said. `decided` is the rule that yielded the URL, or asked who did."""

    rules: list[Document]
    decided: int | None

    @property
    def decider(self) -> Document | None:
        """Of the rules told, the one that decided."""
        return next((each for each in self.rules if each["rule"] == self.decided), None)

    def says(self) -> str:
        """Of the rule that decided."""
        decider = self.decider
        if decider is None:
            return "no rule matched"
        if decider["matched"]:
            return f"rule {self.decided} {decider['says']}"
        return f"rule {self.decided} decided; as things are now it {decider['says']}"


class Teller:
    """Asks rules about one scan."""

    def __init__(self, reading: Reading, load: Load, whom: Whom):
        self._reading, self._load, self._whom = reading, load, whom
        self._shown = 0  # applications

    def told(self, compiled: CompiledRules, decided: int | None, asked: Version | None = None) -> Told:
        """The last hundred rules up to the one that decided, or of all.

        `asked` is the application whose rules they are, None for the account's own.
        """
        last = decided or len(compiled.rules)
        places = range(max(0, last - MAX_RULES_SHOWN), last)
        return Told(list(self.each(compiled, decided, places, asked)), decided)

    def each(
        self, compiled: CompiledRules, decided: int | None, places: Iterable[int], asked: Version | None = None
    ) -> Iterator[Document]:
        """The rules at `places` (numbers from 0), one by one."""
        context = self.context(compiled, asked)
        for place in places:
            told = rule_told(compiled, place, context)
            if place in compiled.delegates and (told["matched"] or place + 1 == decided):
                told["delegates"] = self._delegates_told(compiled, place)
            yield told

    def context(self, compiled: CompiledRules, asked: Version | None = None) -> Context:
        """The values of all fields that the rules test."""
        return context_of(compiled.fields, self._reading.sources(compiled.needs, asked))

    def _delegates_told(self, compiled: CompiledRules, place: int) -> list[Document]:
        """What each application said that the rule asks. The one that decided is always among them."""
        told = []
        for asked in self._whom(compiled, place):
            if self._shown >= MAX_APPLICATIONS_SHOWN and asked.decided is None:
                continue
            self._shown += 1
            version = asked.version
            answer = self.told(self._load(version), asked.decided, version)
            told.append(
                {
                    "app": version.app,
                    "project": version.project,
                    "version": version.number,
                    "rules": answer.rules,
                    "says": answer.says(),
                }
            )
        return told


def rule_told(compiled: CompiledRules, place: int, context: Context) -> Document:
    rule = compiled.rules[place]
    node = None if rule.get("nodes") is None else from_json(rule["nodes"])
    if node is not None and rule.get("constants"):
        node = with_constants(node, rule["constants"])
    told = explain(node, context)
    return {
        "rule": place + 1,
        "name": rule.get("name"),
        "match": rule["sent"].get("match"),
        "matched": told.held,
        "says": told.sentence(),
        "why": told.document(),
    }
