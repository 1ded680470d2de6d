"""The trials of an owner's rules, from a request's documents to its answers."""

import hashlib
import json

from .. import keys
from ..caller import Caller
from ..clock import DAY_MS
from ..cursor import decode, encode, filter_digest
from ..outgoing import Outgoing
from ..ports.table import Item, Tables
from ..redirection import references
from ..redirection.publish import examined_for
from ..redirection.references import Referenced, SentReference, resolve
from ..redirection.rulesets import CompiledRules, live_versions
from ..redirection.telling import Document
from ..redirection.versions import Owner
from .backtest import Position, backtest
from .checks.findings import documents
from .checks.leads import leads_of
from .checks.loops import authority, looping
from .checks.observed import Observed
from .checks.own_links import OwnLinks
from .checks.static import checked
from .checks.targets import unanswered
from .described import Described
from .documents import SentBacktest, SentCheck, SentSimulation
from .in_force import InForce
from .scans import Scans, Things, Wanted
from .simulate import named, simulate

NEVER_MATCHED_MS = 30 * DAY_MS
CHECK_SECONDS = 8.0  # of a check's time for recorded scans; asking targets takes its own
NEVER_MATCH = ("unreachable", "contradiction", "match", "redirectUrl")  # kinds of findings about rules that cannot


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
        document |= {"robots": tested.robots, "limited": tested.limited}
        if tested.further is not None:
            document["cursor"] = encode(self._secret, tested.further.text, digest)
        return document

    def check(self, sent: SentCheck, outgoing: Outgoing) -> Document:
        """What is wrong or odd, as far as text, recorded scans and, when they are to be asked, targets show.

        Rules with mistakes are not asked anything. Raises Invalid, NotFound, TooLarge.
        """
        caller, owner = self._caller, self._owner
        rules = sent.rules if sent.rules is not None else resolve(caller, owner, sent).sent
        document = owner.read({"rules": rules})
        examined = examined_for(caller, owner, document)
        found = list(checked(document, examined))
        answer: Document = {}
        if not examined.mistakes:
            delegating = not owner.application
            compiled = CompiledRules(0, examined.rules, examined.template_fields, delegating=delegating)
            observed = self._observed(self._in_force_with(compiled, self._live()), sent.scans)
            never = {each.finding.rule for each in found if each.kind in NEVER_MATCH}
            found += observed.findings({each for each in never if each is not None})
            own = OwnLinks(caller, self._tables, compiled)
            found += looping(compiled, own.domains, own.find, own.known, asked_first=not owner.application)
            if sent.targets:
                leads = [each for each in leads_of(compiled) if authority(each.url) not in own.domains]
                found += unanswered(leads, observed.urls, outgoing)
            answer = {"scans": observed.scans, "since": observed.since}
        return {**documents(found), **answer}

    def _observed(self, rules: InForce, most: int) -> Observed:
        """The rules on the newest recorded scans of the last thirty days."""
        observed = Observed(rules)
        scans = Scans(self._caller, self._secret, Wanted.read("", self._caller.at - NEVER_MATCHED_MS, None))
        things = Things(self._caller.tables, self._tables.main)
        for page in scans.pages(most, CHECK_SECONDS):
            things.fetch(page.scans, rules.needs)
            for scan in page.scans:
                observed.add(scan, things.reading(scan))
        return observed

    def _live(self) -> Item | None:
        return self._caller.tables.main.get(keys.LIVE, consistent=True)

    def _in_force(self, referenced: Referenced, live: Item | None) -> InForce:
        return self._in_force_with(referenced.compiled(), live)

    def _in_force_with(self, compiled: CompiledRules, live: Item | None) -> InForce:
        """All that is live in the account, with these rules in the place of their owner's."""
        return InForce(
            self._caller.tables,
            self._caller.principal.account,
            live_versions(live, self._caller.at),
            str(live.get("allowedHosts", "")) if live else "",
            self._owner.name,
            compiled,
            project=self._owner.project,
        )


def _identity(referenced: Referenced) -> str:
    """Stands for rules: a version never changes, a draft does."""
    if referenced.version.number:
        return f"version {referenced.version.number}"
    return hashlib.sha256(json.dumps(referenced.sent, sort_keys=True).encode()).hexdigest()
