"""Create, read, update, delete and list links. A link outlives what it stands for."""

from collections.abc import Callable
from copy import replace
from functools import partial
from typing import Any

from .. import audit, keys, wiring
from ..access.store import ACCOUNT, PROJECT
from ..caller import Caller
from ..errors import Conflict, Finding, Gone, Invalid, NotFound
from ..ids import is_id
from ..ports.table import LAST, Absent, Delete, Equals, Key, Put, Tables, TransactionFailed, Write
from ..resources import Document, Resources, Stored
from ..resources import from_item as stored_of
from ..retry import attempts
from ..rules.template import parse_default_url
from ..shapes import stamp
from ..sight import projects_of
from .documents import SentRedirection
from .domains import still_open
from .hits import Hits
from .limiting import limits_after
from .limits import Limits
from .listed import KINDS, relisted, seen_by, unlisted
from .model import Link, ResourceType, from_item, to_item

TRIES = 8
PAGE = 10


class Links:
    """One caller's links. `tables` are unscoped: a link's key is one of the few global look-ups."""

    def __init__(self, tables: Tables, caller: Caller):
        self._main, self._caller = tables.main, caller

    def read(self, domain: str, short_id: str, *, also_deleted: bool = False) -> Link:
        """Raises NotFound (also for another account's link), Gone unless a deleted one will do."""
        link = find_link(self._main.get, domain, short_id)
        if link.account != self._caller.principal.account or not self._sees(link):
            raise missing(domain, short_id)
        if link.deleted_at is not None and not also_deleted:
            raise Gone(f"The link {link.name} was deleted")
        return link

    def create(self, sent: SentRedirection, domain: str) -> Link:
        """Raises Invalid, Conflict for a short ID that is taken."""
        caller = self._caller
        domain = self._domain(sent.shortDomain, domain)
        if sent.evrythngId is None:
            raise _invalid("evrythngId", "needs the id of the thng, product, collection or place that the link is for")
        if sent.defaultRedirectUrl is None:
            raise _invalid("defaultRedirectUrl", "needs the URL to go to when no rule says otherwise")
        kind, target = self._target(sent.evrythngId, sent.type)
        made = caller.new_id(caller.at)
        url, limits = parse_default_url(sent.defaultRedirectUrl), limits_after(None, sent.limits)
        for _ in range(TRIES):
            link = Link(
                account=caller.principal.account,
                domain=domain,
                short_id=sent.shortId or caller.new_short_id(),
                type=kind,
                evrythng_id=target.id,
                url_text=sent.defaultRedirectUrl,
                url=url,
                created_at=caller.at,
                updated_at=caller.at,
                made=made,
                product=target.document.get("product"),
                projects=projects_of(target.document),
                limits=limits,
            )
            last = [] if domain == wiring.settings().short_domain else [still_open(domain)]
            writes: list[Write] = [
                Put(keys.link(link.domain, link.short_id), to_item(link), (Absent(),)),
                Put(_row_of(link), stamp("linkOf")),
                *audit.entry(caller, "create", "link", link.name, after=_audited(link)),
                *last,
            ]
            try:
                relisted(caller.tables, None, link, partial(self._transact, writes))
            except TransactionFailed as failure:
                old = failure.reasons[0].old
                if old is None and last and failure.reasons[-1].kind == "condition":
                    unlisted(caller.tables, link)
                    raise Conflict(f"The account gives its short domain {domain} back; choose another") from failure
                if old is None:
                    raise
                if old.get("made") == made:
                    return from_item(link.domain, link.short_id, old)
                unlisted(caller.tables, link)
                if sent.shortId is not None:
                    raise Conflict(f"The short ID {sent.shortId} is taken on {domain}; choose another") from failure
                continue  # one in 10^16
            return link
        raise Conflict("No free short ID was found; send the request again")

    def update(self, domain: str, short_id: str, sent: SentRedirection) -> Link:
        """A new default URL, another resource behind the same code, or both.

        Raises Invalid, NotFound, Gone, PreconditionFailed.
        """
        for _ in attempts(TRIES):
            before = after = self._read_to_change(domain, short_id)
            self._caller.match.check(before.tag, f"link {before.name}")
            if sent.defaultRedirectUrl is not None and sent.defaultRedirectUrl != before.default_url():
                url = parse_default_url(sent.defaultRedirectUrl)
                after = replace(after, url_text=sent.defaultRedirectUrl, url=url)
            moved = sent.evrythngId is not None and sent.evrythngId != before.evrythng_id
            if sent.evrythngId is not None and moved:
                kind, target = self._target(sent.evrythngId, sent.type)
                after = replace(
                    after,
                    type=kind,
                    evrythng_id=target.id,
                    product=target.document.get("product"),
                    projects=projects_of(target.document),
                )
            if "limits" in sent.model_fields_set:
                after = self._limited(after, limits_after(before.limits, sent.limits))
            if after == before:
                return before
            after = replace(after, updated_at=max(self._caller.at, before.updated_at), version=before.version + 1)
            rows: list[Write] = [Delete(_row_of(before)), Put(_row_of(after), stamp("linkOf"))] if moved else []
            if self._replace("update", before, after, rows):
                return after
        raise Conflict(f"The link {domain}/{short_id} keeps changing; send the request again")

    def delete(self, domain: str, short_id: str) -> None:
        """Leave a tombstone: the code answers 410 from now on, and its short ID is never given out again."""
        for _ in attempts(TRIES):
            before = self._read_to_change(domain, short_id)
            self._caller.match.check(before.tag, f"link {before.name}")
            after = replace(before, deleted_at=self._caller.at, version=before.version + 1)
            if self._replace("delete", before, after, [Delete(_row_of(before))]):
                return
        raise Conflict(f"The link {domain}/{short_id} keeps changing; send the request again")

    def of(self, evrythng_id: str, *, after: str | None, limit: int) -> tuple[list[Link], str | None]:
        """The links of one thing, oldest first, and where to go on."""
        main = self._caller.tables.main
        page = main.query(keys.links_of(evrythng_id), high=LAST, after=after, limit=limit, consistent=True)
        names = [row.key.sk.split("#", 2)[1:] for row in page.rows]
        rows = self._main.get_many([keys.link(domain, short_id) for domain, short_id in names], consistent=True)
        links = []
        for domain, short_id in names:
            if (item := rows.get(keys.link(domain, short_id))) is not None:
                link = from_item(domain, short_id, item)
                if link.deleted_at is None and link.evrythng_id == evrythng_id and self._sees(link):
                    links.append(link)
        return links, page.after

    def oldest(self, evrythng_id: str, type_: ResourceType) -> Link:
        """The first link that a thing was given and still has. Raises NotFound."""
        after: str | None = None
        while is_id(evrythng_id):
            links, after = self.of(evrythng_id, after=after, limit=PAGE)
            for link in links:
                if link.type == type_:
                    return link
            if after is None:
                break
        raise NotFound(f"There is no redirection of a {type_} {evrythng_id[:60]}")

    def check_thing(self, resource_id: str, type_: ResourceType) -> None:
        """Raises NotFound for a thing that an address names and the caller does not see."""
        stored = Resources(self._caller.tables, KINDS[type_]).read(resource_id)
        if not self._caller.sees(stored.document):
            raise NotFound(f"There is no {type_} {resource_id[:60]}")

    def _limited(self, link: Link, limits: Limits | None) -> Link:
        """The link with these limits; whether it is used up follows from the scans it has had so far."""
        most = limits.max_scans if limits else None
        used_up = most is not None and Hits(self._caller.tables).total(link.domain, link.short_id) >= most
        return replace(link, limits=limits, exhausted_at=(link.exhausted_at or self._caller.at) if used_up else None)

    def _replace(self, verb: str, before: Link, after: Link, rows: list[Write]) -> bool:
        put = Put(keys.link(before.domain, before.short_id), to_item(after), (Equals("v", before.version),))
        entry = audit.entry(self._caller, verb, "link", before.name, _audited(before), _audited(after))

        def written() -> bool:
            try:
                return self._transact([put, *rows, *entry])
            except TransactionFailed:
                return False

        return relisted(self._caller.tables, before, after, written)

    def _transact(self, writes: list[Write]) -> bool:
        self._caller.tables.main.transact(writes)
        return True

    def _domain(self, named: str | None, asked: str) -> str:
        """The domain of a new link: the one named, else the one the request came to.

        A project's keys have the project's own domains; when the request came to none of them, the first. Raises
        Invalid.
        """
        principal = self._caller.principal
        whose, kind = (principal.project, PROJECT) if principal.project else (principal.account, ACCOUNT)
        known: list[str] = Resources(self._caller.tables, kind).read(whose).document["shortDomains"]
        if kind is PROJECT:
            account = Resources(self._caller.tables, ACCOUNT).read(principal.account)
            known = [each for each in known if each in account.document["shortDomains"]]
        domain = named or (known[0] if kind is PROJECT and known and asked not in known else asked)
        if domain not in known:
            finding = Finding(field="shortDomain", message=f"unknown domain {domain}", expected=tuple(known))
            raise Invalid(f"{domain} is not a short domain of this {kind.name}", details=[finding])
        return domain

    def _target(self, resource_id: str, kind: str | None) -> tuple[ResourceType, Stored]:
        found: dict[ResourceType, Stored] = {}
        item = self._caller.tables.main.get(keys.document(resource_id), consistent=True)
        for name, each in KINDS.items():
            stored = stored_of(each, resource_id, item)
            if stored is not None and self._caller.changes(stored.document):
                found[name] = stored
        for name, stored in found.items():
            if kind not in (None, name):
                raise _invalid("type", f"{resource_id} is a {name}, not a {kind}")
            return name, stored
        raise _invalid("evrythngId", f"there is no {kind or 'thng, product, collection or place'} {resource_id[:60]}")

    def _read_to_change(self, domain: str, short_id: str) -> Link:
        """Raises Forbidden for a link that the caller may see, not change."""
        link = self.read(domain, short_id)
        if not self._caller.principal.changes({}):  # not whatever its scopes are
            self._caller.changes(self._scoped(link))
        return link

    def _sees(self, link: Link) -> bool:
        return bool(seen_by(self._caller.tables, self._caller.principal.sight, [link]))

    def _scoped(self, link: Link) -> Document:
        """What a link's scopes are read from: its thing as it is now, the hint once the thing is gone."""
        item = self._caller.tables.main.get(keys.document(link.evrythng_id), consistent=True)
        stored = stored_of(KINDS[link.type], link.evrythng_id, item)
        return {"scopes": {"projects": link.projects}} if stored is None else stored.document


def find_link(get: Callable[..., Any], domain: str, short_id: str) -> Link:
    """A link by its name, deleted or not. Raises NotFound."""
    item = get(keys.link(domain, short_id), consistent=True)
    if item is None:
        raise missing(domain, short_id)
    return from_item(domain, short_id, item)


def missing(domain: str, short_id: str) -> NotFound:
    return NotFound(f"There is no link {domain}/{short_id}")


def _row_of(link: Link) -> Key:
    return keys.link_of(link.evrythng_id, link.created_at, link.domain, link.short_id)


def _audited(link: Link) -> Document:
    told = {"evrythngId": link.evrythng_id, "defaultRedirectUrl": link.url_text, "deletedAt": link.deleted_at}
    return told if link.limits is None else {**told, "limits": link.limits.document()}


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", details=[Finding(field=field, message=message)])
