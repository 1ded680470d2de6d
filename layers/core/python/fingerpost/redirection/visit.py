"""A visit of a short URL: find the link, decide, record. Standard library only; this is the sacred path.

Reads: the link (with the live row of the account that the domain served last, when the kept copy is too old), then at
most one batch of what the account's rules, those of the applications they ask, or the chosen template mention. When
another account's live row has to be read, what its rules mentioned last comes in the same batch.
Writes: one action, once.
"""

import json
import os
import time
from collections.abc import Callable
from copy import replace
from functools import lru_cache
from typing import Any

from .. import keys
from ..actions.sums import expiry_of
from ..clock import DAY_MS
from ..errors import Gone, NotFound, Unavailable
from ..frozen import Frozen
from ..ids import NewId, new_id
from ..log import warning
from ..ports.table import Absent, ConditionFailed, Item, Key, Table, Tables, Throttled, Unreachable
from ..shapes import stamp, upgraded
from .context import ROOM, THINGS, Document, Needs, Sources
from .deciding import Decision, Reach, decide, reach_of, reaction_item
from .facts import Facts, truncated, visitor_hash
from .model import Link, from_item
from .reading import Reading, Rows, room_keys, thing_keys
from .rulesets import CompiledRules, RuleSets, Version, live_versions, steady

LIVE_MS = 4_000  # a change of the rules shows within five seconds, the read's own lag included
SALT_KEPT_MS = 2 * DAY_MS
RETRY_AFTER = {"retry-after": "2"}
MAX_KEPT_ACCOUNTS = 1_000
MAX_SHORT_ID = 64
EVERYTHING = THINGS | ROOM

ACTION = {"type": "implicitScans"}

type Spill = Callable[[str], None]


class Live(Frozen):
    """What an account has in force: its rule-set versions, whether it keeps whole addresses, the hosts it allows."""

    read_at: int
    row: Item | None
    versions: dict[str, Version]  # from `since` to before `until`, None for good
    since: int = 0
    until: int | None = None
    whole_addresses: bool = False
    allowed_hosts: str = ""
    reach: Reach | None = None  # of its rules; None before they are known
    # What its rules made necessary last; everything before they are known.
    needs: Needs = EVERYTHING
    documents: tuple[Key, ...] = ()
    kept: int = 0  # days that scans are kept; 0: for good


class Visit(Frozen):
    """One answered visit."""

    link: Link
    decision: Decision
    action_id: str


class Visits:
    """Answers visits. What it keeps in memory is only ever a few seconds old, or immutable."""

    def __init__(self, tables: Tables, recorder: Table, spill: Spill, new_id: NewId = new_id):
        """`tables` are unscoped; `recorder` is `main`, for the one write."""
        self.tables, self.recorder, self.spill, self.new_id = tables, recorder, spill, new_id
        self._live: dict[str, Live] = {}
        self._last_account: dict[str, str] = {}
        self._owned: dict[str, Tables] = {}
        self._salt = ("", "")  # of which day, and the salt
        self._sets = RuleSets()

    def visit(self, domain: str, short_id: str, facts: Facts, *, mark: str = "", cause: str = "") -> Visit:
        """Decide and record. `mark` is `head` or `prefetch` for a visit that nobody looks at.

        Raises NotFound, Gone, Unavailable (nothing was recorded, and the visitor should come back).
        """
        try:
            link = self.find(domain, short_id, facts.at)
            live, ahead = self._live_of(link, facts.at)
            if link.limits is not None and (limit := link.limit(facts.at)) is not None:
                decision, thng = Decision(link.url_at(limit), limit=limit), None
            else:
                decision, thng = self._decide(link, facts, live, ahead)
        except (Throttled, Unreachable) as failure:
            raise Unavailable("The store is busy; try again in a moment", headers=RETRY_AFTER) from failure
        action_id = self.new_id(facts.at)
        item = self._action(link, decision, facts, thng, live, mark=mark, cause=cause)
        self._record(link.account, action_id, item)
        return Visit(link, decision, action_id)

    def _decide(self, link: Link, facts: Facts, live: Live, ahead: Rows) -> tuple[Decision, Document | None]:
        """What the rules say, else the default URL; and the thng, when it was read."""
        own = self._own(link.account)
        compiled = self._sets.of(own, link.account, live.versions.get(keys.ACCOUNT_RULES))
        reach = live.reach or self._reach(link.account, live, compiled)
        reading = Reading(own, Sources(facts=facts, action=ACTION), *_targets(link), ahead)
        decision = decide(compiled, reach, reading, lambda version: self._sets.of(own, link.account, version))
        return decision or Decision(link.default_url(), version=compiled.number), reading.thng

    def _own(self, account: str) -> Tables:
        """The account's own tables, made once."""
        own = self._owned.get(account)
        if own is None:
            if len(self._owned) >= MAX_KEPT_ACCOUNTS:
                self._owned.clear()
            own = self._owned[account] = self.tables.of(account)
        return own

    def find(self, domain: str, short_id: str, at: int) -> Link:
        """The link. Raises NotFound, Gone."""
        if not 0 < len(short_id) <= MAX_SHORT_ID:
            raise NotFound(f"There is no link of {len(short_id)} characters")
        link_key = keys.link(domain, short_id)
        wanted: list[Key] = [link_key]
        account, day = self._last_account.get(domain), _day(at)
        if account is not None and not self._is_fresh(account, at):
            wanted.append(keys.owned(account, keys.LIVE))
        if self._salt[0] != day:
            wanted.append(keys.salt(day))
        main = self.tables.main
        rows: dict[Key, Item] = {}
        if len(wanted) == 1:
            item = main.get(link_key)
        else:
            rows = main.get_many(wanted)
            item = rows.get(link_key)
        if item is None:
            item = main.get(link_key, consistent=True)
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
        if len(self._last_account) >= MAX_KEPT_ACCOUNTS:
            self._last_account.clear()
        self._last_account[domain] = link.account
        return link

    def _reach(self, account: str, live: Live, compiled: CompiledRules) -> Reach:
        """How far the account's rules reach, kept until its live row is read again."""
        reach = reach_of(compiled, live.versions, live.allowed_hosts)
        kept = replace(live, reach=reach, needs=reach.needs, documents=reach.documents)
        self._live[account] = kept
        return reach

    def _action(
        self, link: Link, decision: Decision, facts: Facts, thng: Document | None, live: Live, *, mark: str, cause: str
    ) -> Item:
        product = thng.get("product") if thng is not None else link.product
        projects = list(thng.get("scopes", {}).get("projects", ()) if thng is not None else link.projects)
        decider = decision.decider
        if decider is not None and decider.project not in projects:
            projects.append(decider.project)
        item: Item = {
            **stamp("action"),
            "type": "implicitScans",
            "ts": facts.at,
            "link": link.name,
            "projects": projects,
            "visitor": visitor_hash(self._salt[1], link.account, facts.address, facts.agent),
        }
        if link.type == "product":
            product = link.evrythng_id
        optional: dict[str, Any] = {
            link.type: link.evrythng_id,
            "product": product,
            "kept": live.kept,
            "max": link.limits.max_scans if link.limits is not None and not decision.limit else None,
            "mark": mark,
            "cause": cause,
            **reaction_item(decision),
            **context_item(facts, whole_address=live.whole_addresses),
        }
        item.update({name: value for name, value in optional.items() if value or isinstance(value, float)})
        return item

    def _record(self, account: str, action_id: str, item: Item) -> None:
        """Durably: a put that keeps being refused goes to the spill queue; if that fails too, nobody is redirected."""
        key = keys.owned(account, keys.action(action_id))
        try:
            self.recorder.put(key, item, when=(Absent(),), expires_at=expiry_of(item))
        except ConditionFailed:
            return  # an id is ours alone: this is our own first attempt
        except (Throttled, Unreachable) as refused:
            try:
                self.spill(json.dumps({"key": list(key), "item": item}))
            except Exception as failure:  # whatever keeps the queue from taking it, the answer is the same
                raise Unavailable("The store is busy; try again in a moment", headers=RETRY_AFTER) from failure
            warning("spilled a scan", why=repr(refused), cause=item.get("cause"))

    def _live_of(self, link: Link, at: int) -> tuple[Live, Rows]:
        """What is in force in the link's account; and, when that had to be read, what its rules will need with it."""
        account = link.account
        ahead: Rows = {}
        if not self._is_fresh(account, at):
            known = self._live.get(account)
            needs, targets = known.needs if known else EVERYTHING, _targets(link)
            wanted = [*thing_keys(needs, *targets), *room_keys(needs, targets[0], at)]
            wanted += known.documents if known else ()
            rows = self._own(account).main.get_many([keys.LIVE, *wanted])
            ahead = {key: rows.get(key) for key in wanted}
            self._keep_live(account, rows.get(keys.LIVE), at)
        live = self._live[account]
        if at < live.since or (live.until is not None and at >= live.until):  # a planned version begins or ends
            self._keep_live(account, live.row, at, live.read_at)
            live = self._live[account]
        return live, ahead

    def _is_fresh(self, account: str, at: int) -> bool:
        live = self._live.get(account)
        return live is not None and 0 <= at - live.read_at < LIVE_MS

    def _keep_live(self, account: str, item: Item | None, at: int, read_at: int | None = None) -> None:
        """`read_at` when it is not `at` itself."""
        known = self._live.get(account)
        if known is None and len(self._live) >= MAX_KEPT_ACCOUNTS:
            self._live.clear()
        self._live[account] = Live(
            at if read_at is None else read_at,
            item,
            live_versions(item, at),
            *steady(item, at),
            bool(item and item.get("wholeAddresses")),
            str(item.get("allowedHosts", "")) if item else "",
            None,
            known.needs if known else EVERYTHING,
            known.documents if known else (),
            int(item.get(keys.RETENTION, 0)) if item else 0,
        )

    def _salt_of(self, day: str, item: Item | None, at: int) -> str:
        if item is None:
            row: Item = {**stamp("salt"), "salt": os.urandom(16).hex()}
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
        "q": facts.query,
        "country": facts.country,
        "region": facts.region,
        "city": facts.city,
        "lat": facts.latitude,
        "lon": facts.longitude,
        "zone": facts.zone,
        "source": facts.source,
    }


def _targets(link: Link) -> tuple[str | None, str | None]:
    """The thng and the product of a link; the product of a thng's link is a hint."""
    if link.type == "product":
        return None, link.evrythng_id
    return link.evrythng_id if link.type == "thng" else None, link.product


def _day(at: int) -> str:
    return _day_text(at // DAY_MS)


@lru_cache(maxsize=4)
def _day_text(days: int) -> str:
    return time.strftime("%Y%m%d", time.gmtime(days * DAY_MS // 1000))
