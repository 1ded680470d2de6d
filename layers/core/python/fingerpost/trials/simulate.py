"""A scan asked about without recording anything: what every rule says, where it goes, what its URL is made of."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from ..caller import Caller
from ..redirection.context import context_of
from ..redirection.hosts import may_lead_to
from ..redirection.limits import Limit
from ..redirection.reading import Reading
from ..redirection.references import Referenced
from ..redirection.rulesets import CompiledRules
from ..redirection.telling import Asked, Document, Teller, Told, told_by_limit
from ..rules.template import MAX_URL_CHARACTERS
from .described import Described
from .in_force import InForce
from .origins import filled, of_redirection, origin

MAX_BYTES_TOLD = 4_000_000  # of rules, in one answer: Lambda answers with at most 6 MB


def simulate(
    caller: Caller, rules: InForce, referenced: Referenced, described: Described, *, first: int, limit: int
) -> Document:
    """The document of the answer, with at most `limit` rules from number `first` (from 1) on.

    `rules` are all in force, those that were `referenced` among them.
    """
    return _Simulation(caller, rules, referenced, described).document(first, limit)


def named(referenced: Referenced) -> Document:
    """Which rules were asked; nothing of rules that were sent along."""
    if referenced.draft is not None:
        return {"draft": referenced.draft}
    sent_along = not referenced.version.number and referenced.stored
    return {} if sent_along else {"version": referenced.version.number}


class _Simulation:
    """One scan and the rules that are asked about it."""

    def __init__(self, caller: Caller, rules: InForce, referenced: Referenced, described: Described):
        owner = referenced.owner
        self._rules, self._referenced, self._link = rules, referenced, described.link
        self._compiled = self._rules.compiled
        self._asked = self._rules.version if owner.application else None  # in whose context the rules are asked
        scan = described.scan(owner.application)
        self._reading = Reading(caller.tables, scan.sources(), *scan.things)
        self._decision = self._rules.decision(scan, self._reading)
        self._decided = None if self._decision is None else self._rules.own_rule(self._decision)
        self._teller = Teller(self._reading, self._rules.load, self._whom)
        self._context = self._teller.context(self._compiled, self._asked)
        self._limit = None if self._link is None else self._link.limit(scan.at)

    def document(self, first: int, limit: int) -> Document:
        rules, further = self._rules_told(first, limit)
        document: Document = {
            **named(self._referenced),
            **(self._by_rules() if self._limit is None else self._by_limit(self._limit)),
            "rules": rules,
            "ruleCount": len(self._compiled.rules),
            "context": self._context,
        }
        if further is not None:
            document["nextRule"] = further
        if self._referenced.warnings:
            document["warnings"] = [each.document() for each in self._referenced.warnings]
        return document

    def _by_limit(self, limit: Limit) -> Document:
        """What a limit of the redirection decides; what the rules say is what they would have said without it."""
        assert self._link is not None
        url = self._link.url_at(limit)
        template = self._link.limits.urls[limit][1] if url and self._link.limits else None
        return {
            "redirectUrl": url or None,
            "decidedBy": "limit",
            "limit": limit,
            "rule": None,
            "name": None,
            "says": told_by_limit(limit, url),
            "template": [] if template is None else filled(template, self._link.names(), {}, of_redirection),
        }

    def _by_rules(self) -> Document:
        decision, compiled = self._decision, self._compiled
        document: Document = {
            "redirectUrl": decision.url if decision else self._link.default_url() if self._link else None,
            "decidedBy": self._decided_by(),
            "rule": self._decided,
            "name": None if self._decided is None else compiled.rules[self._decided - 1].get("name"),
            "says": self._says(),
            "template": self._template(),
        }
        if self._decided_by() == "application":
            assert decision is not None and decision.decider is not None
            decider, place = self._rules.decider_of(decision)
            document["application"] = {
                "id": decision.decider.app,
                "project": decision.decider.project,
                "version": decider.number,
                "rule": decision.rule,
                "name": decider.rules[place].get("name"),
            }
        if decision is not None and decision.variant:
            document["variant"] = decision.variant
        return document

    def _decided_by(self) -> str:
        decision = self._decision
        if decision is None:
            return "default" if self._link is not None else "nothing"
        return "application" if decision.by_rule is not None else "variant" if decision.variant else "rule"

    def _says(self) -> str:
        decision = self._decision
        if decision is None or self._decided is None:
            passed = self._passed()
            says = f"rule {passed[0] + 1} matched but led nowhere" if passed else "no rule matched"
            return f"{says}; it goes to the default URL" if self._link is not None else says
        place = self._decided - 1
        told = Told(list(self._teller.each(self._compiled, self._decided, [place], self._asked)), self._decided)
        if decision.by_rule is None:
            got = f"; this visitor gets variant {decision.variant}" if decision.variant else ""
            return told.says() + got
        assert decision.decider is not None
        answer = told.rules[0]["delegates"][-1]
        return f"{told.says()}, and asked the application {decision.decider.app}: its {answer['says']}"

    def _rules_told(self, first: int, limit: int) -> tuple[list[Document], int | None]:
        """What the rules say, and the number of the first that was left out when there are more."""
        last = min(first - 1 + limit, len(self._compiled.rules))
        passed = set(self._passed())
        told: list[Document] = []
        size = 0
        for each in self._teller.each(self._compiled, self._decided, range(first - 1, last), self._asked):
            if each["rule"] - 1 in passed:
                each["ledNowhere"] = self._why_nowhere(each["rule"] - 1)
            size += len(json.dumps(each, ensure_ascii=False).encode())
            if told and size > MAX_BYTES_TOLD:
                return told, each["rule"]
            told.append(each)
        return told, last + 1 if last < len(self._compiled.rules) else None

    def _passed(self) -> list[int]:
        """The rules (from 0) that matched ahead of the one that decided, and led nowhere."""
        matching = self._compiled.all_matches(self._context)
        return [place for place in matching if self._decided is None or place < self._decided - 1]

    def _why_nowhere(self, place: int) -> str:
        target, _ = self._compiled.aim(place, self._reading.account, self._reading.facts)
        if target is None:
            return "no application that it asks has an answer"
        if self._asked is not None and not may_lead_to(target.host, self._rules.allowed_hosts):
            return f"the account does not allow applications to lead to {target.host}"
        return f"its URL would be longer than {MAX_URL_CHARACTERS:,} characters"

    def _whom(self, compiled: CompiledRules, place: int) -> Iterator[Asked]:
        """The applications that a rule asks, up to the one that decided."""
        decision = self._decision
        for version in self._rules.reach.asked_by(compiled.delegates[place]):
            if decision is not None and decision.by_rule == place + 1 and decision.decider == version:
                yield Asked(version, decision.rule)
                return
            yield Asked(version)

    def _template(self) -> list[Any]:
        """Where each field of the URL came from."""
        decision = self._decision
        if decision is None:
            return [] if self._link is None else filled(self._link.url, self._link.names(), {}, of_redirection)
        asked = decision.decider
        compiled, place = self._rules.decider_of(decision)
        target = self._rules.target_of(decision)
        sources = self._reading.sources(compiled.needs | target.needs, asked)
        context = context_of(target.template.fields, sources)
        constants = compiled.rules[place].get("constants") or {}
        return filled(target.template, context, constants, partial(origin, sources=sources))
