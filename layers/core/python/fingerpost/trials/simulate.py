"""A scan asked about without recording anything: what every rule says of it, where it goes, and what its URL is made of."""

import json
from collections.abc import Iterator
from typing import Any

from .. import keys
from ..caller import Caller
from ..redirection.context import Sources, context_of
from ..redirection.deciding import Decision
from ..redirection.hosts import may_lead_to
from ..redirection.reading import Reading
from ..redirection.recorded import Recorded
from ..redirection.references import Referenced
from ..redirection.rulesets import CompiledRules, Version, live_versions
from ..redirection.telling import Asked, Document, Teller
from .described import Described
from .documents import SentSimulation
from .in_force import InForce
from .origins import filled

MAX_BYTES_TOLD = 4_000_000  # of rules, in one answer: Lambda answers with at most 6 MB


def simulate(caller: Caller, referenced: Referenced, described: Described, sent: SentSimulation) -> Document:
    """The document of the answer. Raises Invalid when the rules have mistakes."""
    return _Simulation(caller, referenced, described).document(sent.firstRule, sent.ruleLimit)


class _Simulation:
    """One scan and the rules that are asked."""

    def __init__(self, caller: Caller, referenced: Referenced, described: Described):
        owner = referenced.owner
        live = caller.tables.main.get(keys.LIVE, consistent=True)
        self._referenced, self._link = referenced, described.link
        self._hosts = str(live.get("allowedHosts", "")) if live else ""
        self._rules = InForce(
            caller.tables,
            caller.principal.account,
            live_versions(live, caller.at),
            self._hosts,
            owner.name,
            referenced.compiled,
            project=owner.project,
        )
        self._own = self._rules.version if owner.application else None  # whose context the rules are asked in
        self._scan = described.scan(owner.application)
        self._reading = Reading(caller.tables, self._scan.sources(), *self._scan.things)
        self._decision = self._rules.decision(self._scan, self._reading)
        self._decided = None if self._decision is None else self._rules.own_rule(self._decision)
