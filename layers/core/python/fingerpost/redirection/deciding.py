"""Which rule decides a scan: the account's, or those of an application that one of them asks. On the scan path.

An account's rule that matches asks its delegates in their order, each with the application's own rules in its own
context, then takes its own URL; when none of that yields one, the search goes on to the account's next rule. The first
answer counts, always. Standard library only.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from copy import replace
from typing import Any

from .. import keys
from ..frozen import Frozen
from ..ports.table import Item, Key
from ..rules.template import fill
from .context import Context, Needs, context_of
from .hosts import may_lead_to
from .reading import Reading, scope_keys
from .rulesets import CompiledRules, Delegate, Target, Version

MAX_CONTEXT = 4_096  # characters of an action's redirection context; fields that do not fit are left out

type Load = Callable[[Version | None], CompiledRules]


class Decision(Frozen):
    """Where a scan goes and why. `rule` counts from 1; None means the default URL."""

    url: str
    rule: int | None = None
    version: int = 0
    decider: Version | None = None  # of the application whose rule it is; None for the account's
    context: str = ""  # of an application's decision: the fields that its rule mentions, as JSON
    by_rule: int | None = None  # the account's rule that asked the application, and its version
    by_version: int | None = None
    variant: str = ""  # of the rule, which one this visitor got
    limit: str = ""  # of the link, which one was in the way: no rules were asked, and without a URL it leads nowhere


class Reach(Frozen):
    """How far an account's rules reach: whom they ask, and what has to be read before they and those have decided."""

    versions: Mapping[str, Version]
    allowed_hosts: str
    needs: Needs
    documents: tuple[Key, ...]  # of projects and applications that rules of applications mention

    def asked_by(self, delegates: Iterable[Delegate]) -> list[Version]:
        """The applications that stand for `delegates`, in order, each once; one without rules has nothing to say."""
        found = [each for delegate in delegates for each in versions_of(delegate, self.versions)]
        return list({each.app: each for each in found}.values())


def reach_of(compiled: CompiledRules, versions: Mapping[str, Version], allowed_hosts: str = "") -> Reach:
    """What the account's compiled rules reach while these versions are live."""
    needs, documents = compiled.all_needs, dict[Key, None]()
    for each in {each: None for named in compiled.delegates.values() for each in named}:
        for version in versions_of(each, versions):
            needs |= version.needs
            documents |= dict.fromkeys(scope_keys(version.needs, version))
    return Reach(versions, allowed_hosts, needs, tuple(documents))


def versions_of(delegate: Delegate, versions: Mapping[str, Version]) -> list[Version]:
    """The live rules that a delegate stands for: of one application, or of all in a project, the oldest first."""
    if delegate.app is not None:
        version = versions.get(keys.APPLICATION_RULES + delegate.app)
        return [version] if version is not None and delegate.project in (None, version.project) else []
    if not delegate.project:
        return []
    # Ids are in the order of their making.
    return sorted([each for each in versions.values() if each.project == delegate.project], key=lambda each: each.app)


def decide(compiled: CompiledRules, reach: Reach, reading: Reading, load: Load) -> Decision | None:
    """What the account's rules make of a scan; None when they yield no URL."""
    reading.expect(reach.needs, reach.documents)

    def delegated(number: int) -> Decision | None:
        for version in reach.asked_by(compiled.delegates[number]):
            found = _search(load(version), reading, version, reach.allowed_hosts)
            if found is not None:
                return _asked(found, number + 1, compiled.number)
        return None

    return _search(compiled, reading, None, "", delegated if compiled.delegates else None)


def decide_for(version: Version | None, allowed_hosts: str, reading: Reading, load: Load) -> Decision | None:
    """What one application's rules alone make of a scan; None when they yield no URL."""
    if version is None:
        return None
    compiled = load(version)
    reading.expect(compiled.all_needs, tuple(scope_keys(compiled.all_needs, version)))
    return _search(compiled, reading, version, allowed_hosts)


def _search(
    compiled: CompiledRules,
    reading: Reading,
    asked: Version | None,
    allowed_hosts: str,
    delegated: Callable[[int], Decision | None] | None = None,
) -> Decision | None:
    """The first rule that matches and yields a URL, its delegates' before its own."""
    context = context_of(compiled.fields, reading.sources(compiled.needs, asked))
    number = compiled.first_match(context)
    while number is not None:
        if delegated is not None and number in compiled.delegates and (found := delegated(number)) is not None:
            return found
        target, variant = compiled.aim(number, reading.account, reading.facts)
        if target is not None and (not allowed_hosts or may_lead_to(target.host, allowed_hosts)):
            if target.more_fields:
                context |= context_of(target.more_fields, reading.sources(target.needs, asked))
            constants = compiled.rules[number].get("constants")
            if (url := fill(target.template, context, constants)) is not None:
                told = "" if asked is None else _told(compiled, number, target, context)
                return Decision(url, number + 1, compiled.number, asked, told, variant=variant)
        number = compiled.next_match(context, number)
    return None


def _asked(found: Decision, rule: int, version: int) -> Decision:
    return replace(found, by_rule=rule, by_version=version)


def _told(compiled: CompiledRules, number: int, target: Target, context: Context) -> str:
    """The redirection context of an application's rule: its constants, and each field it mentions that has a value."""
    constants = compiled.rules[number].get("constants")
    found: dict[str, Any] = {"constants": constants} if constants else {}
    found |= {name: context[name] for name in compiled.mentioned(number, target) if name in context}
    told: list[str] = []
    length = 2
    for name, value in found.items():
        text = f"{_json(name)}:{_json(value)}"
        if length + len(text) + 1 <= MAX_CONTEXT:
            told.append(text)
            length += len(text) + 1
    return "{" + ",".join(told) + "}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def reaction_item(decision: Decision) -> Item:
    """A decision as its action's row keeps it. `app` and `project` are those of the application that decided."""
    if decision.limit:
        return {"url": decision.url[:2048], "limit": decision.limit}
    item: Item = {"url": decision.url[:2048], "rules": decision.version}
    if decision.rule is not None:
        item["rule"] = decision.rule
    if decision.variant:
        item["variant"] = decision.variant
    if (decider := decision.decider) is not None:
        item |= {"app": decider.app, "project": decider.project, "seen": decision.context}
        if decision.by_rule is not None:
            item |= {"byRule": decision.by_rule, "byRules": decision.by_version}
    return item
