"""The trials of an owner's rules, from a request's documents to its answers."""

import hashlib
import json

from .. import keys
from ..caller import Caller
from ..cursor import decode, encode, filter_digest
from ..ports.table import Item, Tables
from ..redirection import references
from ..redirection.references import Referenced, SentReference, resolve
from ..redirection.rulesets import live_versions
from ..redirection.telling import Document
from ..redirection.versions import Owner
from .backtest import Position, backtest
from .described import Described
from .documents import SentBacktest, SentSimulation
from .in_force import InForce
from .scans import Scans, Things, Wanted
from .simulate import named, simulate


class Trials:
    """One caller's trials of the rules of one owner. `tables` are unscoped; `secret` signs cursors."""

    def __init__(self, caller: Caller, tables: Tables, owner: Owner, secret: bytes):
        self._caller, self._tables, self._owner, self._secret = caller, tables, owner, secret

    def simulate(self, sent: SentSimulation, domain: str) -> Document:
        """What a scan would meet. Raises Invalid, NotFound."""
        referenced = resolve(self._caller, self._owner, sent)
        described = Described(self._caller, self._tables, sent.scan, sent.action, domain)
        rules = self._in_force(referenced, self._live())
        return simulate(self._caller, rules, referenced, described, first=sent.firstRule, limit=sent.ruleLimit)

    def backtest(self, sent: SentBacktest) -> Document:
        """What would change for recorded scans; with a `cursor` when there are more to ask about.

        Raises Invalid, InvalidCursor when the rules on either side are others than those of the cursor, NotFound.
        """
        caller = self._caller
        after = resolve(caller, self._owner, sent)
        before = (
            resolve(caller, self._owner, SentReference())
            if sent.against is None
            else references.version(caller, self._owner, sent.against)
        )
        wanted = Wanted.read(sent.filter, sent.since, sent.until)
        digest = filter_digest(
            caller.principal.account,
            "backtest",
            self._owner.name,
            _identity(before),
            _identity(after),
            str(sent.scans),
            wanted.text,
        )
        start = Position.read(decode(self._secret, sent.cursor, digest)) if sent.cursor else None
        live = self._live()
        tested = backtest(
            Scans(caller, self._secret, wanted),
            Things(caller.tables, self._tables.main),
            self._in_force(before, live),
            self._in_force(after, live),
            most=sent.scans,
            start=start,
        )
        document = {**named(after), "against": before.version.number, **tested.comparison.document()}
        document["robots"] = tested.robots
        if tested.further is not None:
            document["cursor"] = encode(self._secret, tested.further.text, digest)
        return document

    def _live(self) -> Item | None:
        return self._caller.tables.main.get(keys.LIVE, consistent=True)

    def _in_force(self, referenced: Referenced, live: Item | None) -> InForce:
        """All that is live in the account, with these rules in the place of their owner's."""
        return InForce(
            self._caller.tables,
            self._caller.principal.account,
            live_versions(live, self._caller.at),
            str(live.get("allowedHosts", "")) if live else "",
            self._owner.name,
            referenced.compiled(),
            project=self._owner.project,
        )


def _identity(referenced: Referenced) -> str:
    """Stands for rules: a version never changes, a draft does."""
    if referenced.version.number:
        return f"version {referenced.version.number}"
    return hashlib.sha256(json.dumps(referenced.sent, sort_keys=True).encode()).hexdigest()
