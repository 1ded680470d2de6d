"""Published rule sets as they are read: the live row of an account, and compiled sets kept in memory.

Standard library only; on the scan path. Publishing is in publish.py.
"""

import json
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .. import keys
from ..frozen import Frozen
from ..ports.table import Item, Table, Tables
from ..rules.ruleset import RuleSet
from ..rules.template import Template, fill, from_json
from ..shapes import upgraded
from .context import Context, Needs, Sources, context_of, needs_of

type StoredRule = Mapping[str, Any]  # name, match, nodes, redirectUrl, template, constants; see publish.py

MAX_KEPT_RULES = 40_000  # rules kept in memory over all accounts; the least recently used sets go first


class Version(Frozen):
    """A live version: its number and the partition of its rows."""

    number: int
    set_id: str


class Target(Frozen):
    """A rule's URL template, the fields it wants beyond those that the rules test, and whether any has to be read."""

    template: Template
    more_fields: frozenset[str]
    reads: bool


class CompiledRules:
    """One version of an owner's rules, ready to decide. Rules stay as they are stored until one of them is needed."""

    def __init__(self, number: int, rules: Sequence[StoredRule], template_fields: Iterable[str] = ()):
        self.number, self.rules = number, rules
        self._set = RuleSet.load([rule.get("nodes") for rule in rules], [rule.get("constants") for rule in rules])
        self.fields: frozenset[str] = self._set.fields
        self.needs: Needs = needs_of(self.fields)
        self.all_needs: Needs = self.needs | needs_of(template_fields)
        self._targets: dict[int, Target] = {}

    def first_match(self, context: Context) -> int | None:
        """The number, from 0, of the first rule that matches."""
        return self._set.first_match(context)

    def next_match(self, context: Context, after: int) -> int | None:
        """The next rule that matches, for when one yields no URL."""
        return self._set.next_match(context, after)

    def target(self, number: int) -> "Target | None":
        """Where a rule leads; None when it has no redirectUrl."""
        kept = self._targets.get(number)
        if kept is None and (pieces := self.rules[number].get("template")) is not None:
            template = from_json(pieces)
            kept = Target(template, template.fields - self.fields, bool(needs_of(template.fields)))
            self._targets[number] = kept
        return kept


NO_RULES = CompiledRules(0, ())


class Decision(Frozen):
    """Where a scan goes and why. `rule` counts from 1; None means the default URL."""

    url: str
    rule: int | None = None
    version: int = 0


def pack(rules: Sequence[StoredRule], template_fields: Iterable[str]) -> bytes:
    """Rules as their rows keep them, before they are cut into chunks."""
    document = {"rules": rules, "fields": sorted(template_fields)}
    return zlib.compress(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(), 6)


def unpack(number: int, chunks: Sequence[bytes]) -> CompiledRules:
    document = json.loads(zlib.decompress(b"".join(chunks)))
    return CompiledRules(number, document["rules"], document["fields"])


def live_versions(item: Item | None) -> dict[str, Version]:
    """Every live version of an account by owner, from its live row."""
    if item is None:
        return {}
    return {
        owner.removeprefix("live:"): Version(int(text.partition(":")[0]), text.partition(":")[2])
        for owner, text in upgraded(item).items()
        if owner.startswith("live:") and isinstance(text, str)
    }


def read_chunks(main: Table, set_id: str) -> list[bytes]:
    """The rows of one set. `main` is the account's own table."""
    chunks: list[bytes] = []
    after: str | None = None
    while True:
        page = main.query(keys.rules_chunks(set_id), after=after, consistent=True)
        chunks += [row.item["z"] for row in page.rows if isinstance(row.item["z"], bytes)]
        if page.after is None:
            return chunks
        after = page.after


class RuleSets:
    """Compiled sets in memory. Sets are immutable, so what is kept never grows stale."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], CompiledRules] = OrderedDict()
        self._rules = 0

    def of(self, tables: Tables, account: str, version: Version | None) -> CompiledRules:
        """The compiled set of a version. `tables` are the account's own."""
        if version is None:
            return NO_RULES
        key = (account, version.set_id)
        if (compiled := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return compiled
        compiled = unpack(version.number, read_chunks(tables.main, version.set_id))
        self._kept[key] = compiled
        self._rules += len(compiled.rules)
        while self._rules > MAX_KEPT_RULES and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._rules -= len(dropped.rules)
        return compiled


def decide(
    compiled: CompiledRules, sources_of: Callable[[Needs], Sources], begun: Sources
) -> tuple[Decision | None, Sources]:
    """The first rule that matches and yields a URL; None when none does. Answers also what was read for it.

    `sources_of` reads what it is told to; it is asked once at the most. `begun` is what is known without reading.
    """
    sources = sources_of(compiled.all_needs) if compiled.needs else begun
    context = context_of(compiled.fields, sources)
    number = compiled.first_match(context)
    while number is not None:
        if (target := compiled.target(number)) is not None:
            if target.reads and sources is begun:
                sources = sources_of(compiled.all_needs)
            if target.more_fields:
                context |= context_of(target.more_fields, sources)
            if (url := fill(target.template, context, compiled.rules[number].get("constants"))) is not None:
                return Decision(url, number + 1, compiled.number), sources
        number = compiled.next_match(context, number)
    return None, sources
