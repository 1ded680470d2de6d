"""Published rule sets as they are read: the live row of an account, and compiled sets kept in memory.

Standard library only; on the scan path. Publishing is in publish.py.
"""

import json
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Any

from .. import keys
from ..frozen import Frozen
from ..ports.table import Item, Table, Tables
from ..rules.nodes import from_json as from_nodes
from ..rules.nodes import tests
from ..rules.ruleset import RuleSet
from ..rules.template import Template, from_json
from ..shapes import upgraded
from .context import Context, Needs, needs_of
from .facts import Facts
from .variants import chosen, visitor_of

type StoredRule = Mapping[str, Any]  # sent, name, nodes, template, constants, variants, until; see publish.py

MAX_KEPT_RULES = 40_000  # rules kept in memory over all accounts; the least recently used sets go first


class Version(Frozen):
    """A live version: its number and the partition of its rows; of an application also its project and its needs.

    With them the live row says which applications of a project have rules, and what those rules will have to read,
    before any of them is loaded.
    """

    number: int
    set_id: str
    app: str = ""  # whose rules they are; empty for the account's
    project: str = ""
    needs: Needs = 0

    @property
    def text(self) -> str:
        """As an attribute of the live row."""
        own = f"{self.number}:{self.set_id}"
        return f"{own}:{self.project}:{self.needs}" if self.app else own


class Delegate(Frozen):
    """Whom a rule of the account asks: one application, or all of a project when it names none."""

    app: str | None
    project: str | None


class Target(Frozen):
    """A rule's URL template, its host, the fields it wants beyond those that the rules test, and what they need."""

    template: Template
    host: str
    more_fields: frozenset[str]
    needs: Needs


class Split(Frozen):
    """The variants of a rule, each with its weight and where it leads; from `until` on the rule's own URL is used."""

    rule: str  # what tells the rule from others in every version: its name, else its match expression
    names: tuple[str, ...]
    weights: tuple[int, ...]
    targets: tuple[Target, ...]
    until: int | None


class CompiledRules:
    """One version of an owner's rules, ready to decide. Rules stay as they are stored until one of them is needed."""

    def __init__(
        self, number: int, rules: Sequence[StoredRule], template_fields: Iterable[str] = (), *, delegating: bool = True
    ):
        """`delegating` unless they are an application's, which ask nobody."""
        self.number, self.rules = number, rules
        self._set = RuleSet.load([rule.get("nodes") for rule in rules], [rule.get("constants") for rule in rules])
        self.fields: frozenset[str] = self._set.fields
        self.needs: Needs = needs_of(self.fields)
        self.all_needs: Needs = self.needs | needs_of(template_fields)
        self.delegates: dict[int, tuple[Delegate, ...]] = {}
        for place, rule in enumerate(rules if delegating else ()):
            if named := rule["sent"].get("delegates"):
                self.delegates[place] = tuple([Delegate(each.get("app"), each.get("project")) for each in named])
        self._targets: dict[int, Target] = {}
        self._splits: dict[int, Split] = {}

    def first_match(self, context: Context) -> int | None:
        """The number, from 0, of the first rule that matches."""
        return self._set.first_match(context)

    def next_match(self, context: Context, after: int) -> int | None:
        """The next rule that matches, for when one yields no URL."""
        return self._set.next_match(context, after)

    def all_matches(self, context: Context) -> list[int]:
        """The numbers of all rules that match, whichever of them decides."""
        return self._set.matches_all(context)

    def aim(self, number: int, account: str, facts: Facts) -> tuple[Target | None, str]:
        """Where a rule leads this scan, and the name of the variant that does, empty when it is the rule's own URL."""
        split = self.split(number)
        if split is None or (split.until is not None and facts.at >= split.until):
            return self.target(number), ""
        if facts.variant in split.names:
            place = split.names.index(facts.variant)
        else:
            place = chosen(split.weights, account, split.rule, visitor_of(facts))
        return split.targets[place], split.names[place]

    def target(self, number: int) -> Target | None:
        """Where a rule's own URL leads; None when it has no redirectUrl."""
        kept = self._targets.get(number)
        if kept is None and (pieces := self.rules[number].get("template")) is not None:
            kept = self._targets[number] = self._target(pieces)
        return kept

    def split(self, number: int) -> Split | None:
        """The variants of a rule; None when it has none."""
        rule = self.rules[number]
        if "variants" not in rule:
            return None
        kept = self._splits.get(number)
        if kept is None:
            names, weights, templates = zip(*rule["variants"], strict=True)
            told_by = rule.get("name") or rule["sent"].get("match") or ""
            targets = tuple([self._target(each) for each in templates])
            kept = self._splits[number] = Split(told_by, names, weights, targets, rule.get("until"))
        return kept

    def _target(self, pieces: list[Any]) -> Target:
        template = from_json(pieces)
        fields = template.fields
        return Target(template, template.host, fields - self.fields, needs_of(fields))

    def as_version(self, number: int) -> "CompiledRules":
        """The same rules under another number."""
        same = copy(self)
        same.number = number
        return same

    def mentioned(self, number: int, target: Target) -> list[str]:
        """The fields that a rule tests or puts into the URL of `target`, in the order of their names."""
        nodes = self.rules[number].get("nodes")
        tested = {test.field for test in tests(from_nodes(nodes))} if nodes is not None else set()
        return sorted(tested | target.template.fields)


NO_RULES = CompiledRules(0, ())


def pack(rules: Sequence[StoredRule], template_fields: Iterable[str]) -> bytes:
    """Rules as their rows keep them, before they are cut into chunks."""
    document = {"rules": rules, "fields": sorted(template_fields)}
    return zlib.compress(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(), 6)


def unpacked(chunks: Sequence[bytes]) -> tuple[list[StoredRule], list[str]]:
    """The rules of a set's rows and the fields of their templates: the inverse of `pack`."""
    document = json.loads(zlib.decompress(b"".join(chunks)))
    return document["rules"], document["fields"]


def unpack(number: int, chunks: Sequence[bytes], *, delegating: bool = True) -> CompiledRules:
    rules, fields = unpacked(chunks)
    return CompiledRules(number, rules, fields, delegating=delegating)


class Stint(Frozen):
    """A version that is live for a while: from `starts` to before `ends`, None for good. Milliseconds."""

    version: Version
    starts: int
    ends: int | None = None

    def covers(self, at: int) -> bool:
        return self.starts <= at and (self.ends is None or at < self.ends)

    @property
    def text(self) -> str:
        return f"{self.starts}-{'' if self.ends is None else self.ends}={self.version.text}"


class Timeline(Frozen):
    """Which version of an owner's rules is live when: of the stints that last at a moment, the one that began last.

    While none lasts it is `base`. So what was live before is live again when a stint is over.
    """

    base: Version | None = None
    stints: tuple[Stint, ...] = ()

    def at(self, moment: int) -> Version | None:
        lasting = [each for each in self.stints if each.covers(moment)]
        return max(lasting, key=lambda each: (each.starts, each.version.number)).version if lasting else self.base


def live_versions(item: Item | None, at: int) -> dict[str, Version]:
    """Every version of an account that is live at a moment by owner, from its live row."""
    if item is None:
        return {}
    versions: dict[str, Version] = {}
    planned: list[str] = []
    for name, text in upgraded(item).items():
        if name.startswith("live:"):
            versions[name[5:]] = _version(name[5:], text)
        elif name.startswith("then:"):
            planned.append(name[5:])
    for owner in planned:
        version = Timeline(versions.get(owner), _stints(owner, item[f"then:{owner}"])).at(at)
        if version is not None:
            versions[owner] = version
    return versions


def steady(item: Item | None, at: int) -> tuple[int, int | None]:
    """From when to before when (None: for good) an account's live versions are those of the moment `at`."""
    since, until = 0, None
    for name, text in (item or {}).items():
        if not name.startswith("then:"):
            continue
        for stint in _stints(name[5:], text):
            for moment in (stint.starts, stint.ends):
                if moment is not None and moment <= at:
                    since = max(since, moment)
                elif moment is not None:
                    until = moment if until is None else min(until, moment)
    return since, until


def timeline_of(item: Item | None, owner: str) -> Timeline:
    """One owner's timeline, from the live row of its account."""
    row = {} if item is None else upgraded(item)
    base, planned = row.get(f"live:{owner}"), row.get(f"then:{owner}")
    return Timeline(_version(owner, base) if base else None, _stints(owner, planned) if planned else ())


def _stints(owner: str, text: str) -> tuple[Stint, ...]:
    stints = []
    for each in text.split(";"):
        span, _, version = each.partition("=")
        starts, _, ends = span.partition("-")
        stints.append(Stint(_version(owner, version), int(starts), int(ends) if ends else None))
    return tuple(stints)


def _version(owner: str, text: str) -> Version:
    number, set_id, *more = text.split(":")
    app = owner.removeprefix(keys.APPLICATION_RULES) if owner.startswith(keys.APPLICATION_RULES) else ""
    project, needs = more if more else ("", "0")
    return Version(int(number), set_id, app, project, int(needs))


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
            if compiled.number != version.number:  # one of two was rolled back to the other
                compiled = self._kept[key] = compiled.as_version(version.number)
            self._kept.move_to_end(key)
            return compiled
        compiled = unpack(version.number, read_chunks(tables.main, version.set_id), delegating=not version.app)
        self._kept[key] = compiled
        self._rules += len(compiled.rules)
        while self._rules > MAX_KEPT_RULES and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._rules -= len(dropped.rules)
        return compiled
