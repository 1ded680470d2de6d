"""The rule sets that a scan meets, one of them exchanged for another, and what they decide about it."""

from collections.abc import Mapping
from functools import cached_property

from .. import keys
from ..ports.table import Key, Tables
from ..redirection.context import Needs
from ..redirection.deciding import Decision, Reach, decide, decide_for, reach_of
from ..redirection.reading import Reading
from ..redirection.recorded import Recorded
from ..redirection.rulesets import CompiledRules, RuleSets, Target, Version
from ..rules.template import Hole, Template
from .comparison import Outcome

EXCHANGED = "exchanged"  # in the place of the id of a stored set

_sets = RuleSets()


class InForce:
    """The versions of an account by owner, with `compiled` in the place of what `owner` has among them."""

    def __init__(
        self,
        tables: Tables,
        account: str,
        versions: Mapping[str, Version],
        allowed_hosts: str,
        owner: str,
        compiled: CompiledRules,
        *,
        project: str = "",
    ):
        """`tables` are the account's own; `project` is that of the owner when it is an application."""
        self._tables, self._account, self.allowed_hosts = tables, account, allowed_hosts
        self.owner, self.compiled = owner, compiled
        application = "" if owner == keys.ACCOUNT_RULES else owner.removeprefix(keys.APPLICATION_RULES)
        self.version = Version(compiled.number, EXCHANGED, application, project, compiled.all_needs)
        self.versions = {**versions, owner: self.version}
        self._written: dict[tuple[int, int, str], str] = {}

    def load(self, version: Version | None) -> CompiledRules:
        """The rules of a version that `versions` holds."""
        if version is not None and version.set_id == EXCHANGED:
            return self.compiled
        return _sets.of(self._tables, self._account, version)

    @cached_property
    def account_rules(self) -> CompiledRules:
        return self.load(self.versions.get(keys.ACCOUNT_RULES))

    @cached_property
    def reach(self) -> Reach:
        return reach_of(self.account_rules, self.versions, self.allowed_hosts)

    @property
    def needs(self) -> Needs:
        """What any of these rules may have to read."""
        needs = self.reach.needs
        for version in self.versions.values():
            needs |= version.needs
        return needs

    @property
    def documents(self) -> tuple[Key, ...]:
        return self.reach.documents

    def decision(self, scan: Recorded, reading: Reading) -> Decision | None:
        """What the rules make of a scan: those of the application that posted it, else the account's.

        None when they yield no URL.
        """
        if (app := scan.posted_by) is not None:
            version = self.versions.get(keys.APPLICATION_RULES + app)
            return decide_for(version, self.allowed_hosts, reading, self.load)
        return decide(self.account_rules, self.reach, reading, self.load)

    def own_rule(self, decision: Decision) -> int | None:
        """Which of the exchanged rules decided, or asked the application that did. None: it was none of them."""
        decider = decision.decider
        if self.owner == keys.ACCOUNT_RULES:
            return decision.rule if decider is None else decision.by_rule
        return decision.rule if decider is not None and decider.app == self.version.app else None

    def outcome(self, decision: Decision) -> Outcome:
        return Outcome(decision.url, self._written_by(decision), self.own_rule(decision))

    def decider_of(self, decision: Decision) -> tuple[CompiledRules, int]:
        """The rules that decided, and the number (from 0) of the one that did."""
        assert decision.rule is not None, "the search for a decision ends at a rule"
        return self.account_rules if decision.decider is None else self.load(decision.decider), decision.rule - 1

    def target_of(self, decision: Decision) -> Target:
        """Where the rule that decided leads, or that of its variants which did."""
        compiled, place = self.decider_of(decision)
        split = compiled.split(place) if decision.variant else None
        target = compiled.target(place) if split is None else split.targets[split.names.index(decision.variant)]
        assert target is not None, "a rule without a URL decides nothing"
        return target

    def _written_by(self, decision: Decision) -> str:
        compiled, place = self.decider_of(decision)
        key = (id(compiled), place, decision.variant)
        if (known := self._written.get(key)) is None:
            template = self.target_of(decision).template
            known = self._written[key] = as_written(template, compiled.rules[place].get("constants"))
        return known


def as_written(template: Template, constants: Mapping[str, str] | None = None) -> str:
    """A template as text, with the names of its fields in braces and its rule's constants filled in."""
    values = {f"constants.{name}": value for name, value in (constants or {}).items()}
    return "".join(
        [
            values.get(piece.field, f"{{{piece.field}}}") if isinstance(piece, Hole) else piece
            for piece in template.pieces
        ]
    )
