"""A visit of a short URL: find the link, decide, record. Standard library only; this is the sacred path.

Reads: the link (with the live row of the account that the domain served last, when the kept copy is too old), then at
most one batch of what rules or the chosen template mention. Writes: one action, once.
"""

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .. import keys
from ..clock import DAY_MS
from ..errors import Gone, NotFound, Unavailable
from ..ids import NewId, new_id
from ..log import warning
from ..ports.table import Absent, ConditionFailed, Item, Key, Table, Tables, Throttled, Unreachable
from ..shapes import stamp, upgraded
from .context import Document, Needs, Sources
from .facts import Facts, truncated, visitor_hash
from .model import Link, from_item
from .rulesets import Decision, RuleSets, Version, decide, live_versions

LIVE_MS = 4_000  # a change of the rules shows within five seconds, the read's own lag included
SALT_KEPT_MS = 2 * DAY_MS
RETRY_AFTER = {"retry-after": "2"}

ACTION = {"type": "implicitScans"}

type Spill = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Live:
    """What an account has in force: its rule-set versions and whether it keeps whole addresses."""

    read_at: int
    versions: dict[str, Version]
    whole_addresses: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """One answered visit."""

    link: Link
    decision: Decision
    action_id: str


@dataclass(slots=True)
class Visits:
    """Answers visits. `tables` are unscoped. What it keeps in memory is only ever a few seconds old, or immutable."""

    tables: Tables
    recorder: Table  # `main`, for the one write
    spill: Spill
    new_id: NewId = new_id
    _live: dict[str, Live] = field(default_factory=dict)
    _last_account: dict[str, str] = field(default_factory=dict)
    _salt: tuple[str, str] = ("", "")
    _sets: RuleSets = field(default_factory=RuleSets)

    def visit(self, domain: str, short_id: str, facts: Facts, *, mark: str = "", cause: str = "") -> Visit:
        """Decide and record. `mark` is `head` or `prefetch` for a visit that nobody looks at.

        Raises NotFound, Gone, Unavailable (nothing was recorded, and the visitor should come back).
        """
        try:
            link = self.find(domain, short_id, facts.at)
            live = self._live_of(link.account, facts.at)
            compiled = self._sets.of(self.tables.of(link.account), link.account, live.versions.get(keys.ACCOUNT_RULES))
            begun = Sources(facts=facts, action=ACTION)
            decision, sources = decide(compiled, lambda needs: self._read(link, needs, facts), begun)
        except (Throttled, Unreachable) as failure:
            raise Unavailable("The store is busy; try again in a moment", headers=RETRY_AFTER) from failure
        if decision is None:
            decision = Decision(link.default_url(), version=compiled.number)
        action_id = self.new_id(facts.at)
        item = self._action(link, decision, sources, live, mark=mark, cause=cause)
        self._record(link.account, action_id, item)
        return Visit(link, decision, action_id)

    def find(self, domain: str, short_id: str, at: int) -> Link:
        """The link, live or not yet deleted. Raises NotFound, Gone."""
        link_key = keys.link(domain, short_id)
        wanted: list[Key] = [link_key]
        account, day = self._last_account.get(domain), _day(at)
        if account is not None and not self._is_fresh(account, at):
            wanted.append(keys.owned(account, keys.LIVE))
        if self._salt[0] != day:
            wanted.append(keys.salt(day))
        rows = self.tables.main.get_many(wanted)
        item = rows.get(link_key) or self.tables.main.get(link_key, consistent=True)
        if len(wanted) > 1:
            if account is not None and wanted[1].sk == keys.LIVE.sk:
                self._keep_live(account, rows.get(wanted[1]), at)
            if self._salt[0] != day:
                self._salt = (day, self._salt_of(day, rows.get(keys.salt(day)), at))
        if item is None:
            raise NotFound(f"There is no link {domain}/{short_id}")
        link = from_item(domain, short_id, item)
        if link.deleted_at is not None:
            raise Gone(f"The link {domain}/{short_id} was deleted")
        self._last_account[domain] = link.account
        return link

    def _read(self, link: Link, needs: Needs, facts: Facts) -> Sources:
        """One batch of what is needed; the product hint is verified against the thng, and read again if it is old."""
        main = self.tables.of(link.account).main
        thng_id = link.evrythng_id if link.type == "thng" else None
        product_id = link.evrythng_id if link.type == "product" else link.product
        wanted: list[Key] = []
        if thng_id:
            wanted += keys_of(thng_id, needs.thng_properties)
        if product_id and needs.product:
            wanted += keys_of(product_id, needs.product_properties)
        rows = main.get_many(wanted)
        thng = resource_of(rows, thng_id)
        if thng is not None and needs.product and thng.get("product") != product_id:
            product_id = thng.get("product")
            if product_id:
                rows |= main.get_many(keys_of(product_id, needs.product_properties))
        return Sources(facts=facts, action=ACTION, thng=thng, product=resource_of(rows, product_id))

    def _action(self, link: Link, decision: Decision, sources: Sources, live: Live, *, mark: str, cause: str) -> Item:
        facts, thng = sources.facts, sources.thng
        product = thng.get("product") if thng is not None else link.product
        projects = thng.get("scopes", {}).get("projects", ()) if thng is not None else link.projects
        item: Item = {
            **stamp("action"),
            "type": "implicitScans",
            "ts": facts.at,
            "link": link.name,
            "url": decision.url[:2048],
            "projects": list(projects),
            "visitor": visitor_hash(self._salt[1], link.account, facts.address, facts.agent),
        }
        if link.type == "product":
            product = link.evrythng_id
        optional: dict[str, Any] = {
            link.type: link.evrythng_id,
            "product": product,
            "rules": decision.version,
            "rule": decision.rule,
            "mark": mark,
            "cause": cause,
            **context_item(facts, whole_address=live.whole_addresses),
        }
        item.update({name: value for name, value in optional.items() if value})
        return item

    def _record(self, account: str, action_id: str, item: Item) -> None:
        """Durably: a put that keeps being refused goes to the spill queue; if that fails too, nobody is redirected."""
        key = keys.owned(account, keys.action(action_id))
        try:
            self.recorder.put(key, item, when=(Absent(),))
        except ConditionFailed:
            return  # an id is ours alone: this is our own first attempt
        except (Throttled, Unreachable) as refused:
            try:
                self.spill(json.dumps({"key": list(key), "item": item}))
            except Exception as failure:  # whatever keeps the queue from taking it, the answer is the same
                raise Unavailable("The store is busy; try again in a moment", headers=RETRY_AFTER) from failure
            warning("spilled a scan", why=repr(refused), cause=item.get("cause"))

    def _live_of(self, account: str, at: int) -> Live:
        if not self._is_fresh(account, at):
            self._keep_live(account, self.tables.main.get(keys.owned(account, keys.LIVE)), at)
        return self._live[account]

    def _is_fresh(self, account: str, at: int) -> bool:
        live = self._live.get(account)
        return live is not None and 0 <= at - live.read_at < LIVE_MS

    def _keep_live(self, account: str, item: Item | None, at: int) -> None:
        whole = bool(item and item.get("wholeAddresses"))
        self._live[account] = Live(at, live_versions(item), whole)

    def _salt_of(self, day: str, item: Item | None, at: int) -> str:
        if item is None:
            row: Item = {**stamp("salt"), "salt": secrets.token_hex(16)}
            try:
                self.tables.main.put(keys.salt(day), row, when=(Absent(),), expires_at=at + SALT_KEPT_MS)
                item = row
            except ConditionFailed as failure:
                item = failure.old or row
        return str(upgraded(item)["salt"])


def context_item(facts: Facts, *, whole_address: bool) -> dict[str, Any]:
    """A request's context as an action's row keeps it; empty values included."""
    return {
        "ip": facts.address if whole_address else truncated(facts.address),
        "ua": facts.agent,
        "lang": facts.language,
        "ref": facts.referer,
        "country": facts.country,
        "region": facts.region,
        "city": facts.city,
        "lat": facts.latitude,
        "lon": facts.longitude,
        "zone": facts.zone,
        "source": facts.source,
    }


def _day(at: int) -> str:
    return time.strftime("%Y%m%d", time.gmtime(at / 1000))


def keys_of(resource_id: str, properties: bool) -> list[Key]:
    wanted = [keys.document(resource_id)]
    return [*wanted, keys.current(resource_id)] if properties else wanted


def resource_of(rows: dict[Key, Item], resource_id: str | None) -> Document | None:
    """A thng or product from its rows, with its `id` and, when they were read, its `properties`."""
    if resource_id is None or (row := rows.get(keys.document(resource_id))) is None:
        return None
    document: dict[str, Any] = {**json.loads(str(upgraded(row)["doc"])), "id": resource_id}
    if (current := rows.get(keys.current(resource_id))) is not None:
        document["properties"] = {
            name[2:]: json.loads(text)
            for name, text in current.items()
            if len(name) > 2 and name.startswith("v:") and isinstance(text, str)
        }
    return document
