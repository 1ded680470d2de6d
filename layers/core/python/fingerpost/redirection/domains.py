"""The short domains of an account: further ones are taken, and given back when nothing is on them any more.

The deployment's own domain is every account's, from the start and for good. Any other is one account's: a row without
an account in its key says whose. To give one back, a row of the account says that it is closing, which every new link
looks for in its transaction; then links are looked for, projects let go of it, and it goes. The row stays for an hour,
for requests that read the account before that. Who is interrupted sends the request again.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from .. import audit, keys, wiring
from ..access import accounts
from ..access.store import ACCOUNT, PROJECT
from ..caller import Caller
from ..errors import Conflict, Finding, Invalid, NotFound
from ..frozen import Frozen
from ..ports.table import LAST, Absent, Check, ConditionFailed, Delete, Equals, Put, Tables, Write
from ..resources import Document, Resources, Stored
from ..shapes import stamp
from ..sight import WHOLE_ACCOUNT
from .listed import REDIRECTION, loads
from .model import Link

MAX_DOMAINS = 100
PAGE = 100
NAMED = 5  # of those in the way, in a message
CLOSING_MS = 3_600_000  # longer than any request takes


class Hosts(Frozen):
    """Which hosts lead to this deployment: its own domain, and those that accounts may take; None is any."""

    own: str
    further: tuple[str, ...] | None


def claim(account: str, domain: str, at: int) -> Put:
    """That a domain is this account's and no other's."""
    return Put(keys.short_domain(domain), {**stamp("shortDomain"), "account": account, "at": at}, (Absent(),))


def still_open(domain: str) -> Check:
    """What has to hold when a link is made on a domain of the account's list."""
    return Check(keys.closing(domain), (Absent(),))


class ShortDomains:
    """Of one caller's account. `tables` are unscoped: whose a domain is, is one of the few global look-ups.

    Every method raises NotFound for another account than the caller's.
    """

    def __init__(self, tables: Tables, caller: Caller, hosts: Hosts):
        self._tables, self._caller, self._hosts = tables, caller, hosts

    def listed(self, account_id: str) -> list[str]:
        domains: list[str] = accounts.read(self._caller, account_id).document["shortDomains"]
        return domains

    def documents(self, account_id: str) -> list[Document]:
        """Source: wire-facts, `GET /accounts/:id/domains`."""
        begun = accounts.read(self._caller, account_id).document["createdAt"]
        found = []
        domains = self.listed(account_id)
        rows = self._tables.main.get_many([keys.short_domain(each) for each in domains])
        for domain in domains:
            at = rows.get(keys.short_domain(domain), {}).get("at", begun)
            named = {"id": keys.access_of(domain), "accountId": account_id, "domain": domain}
            found.append({**named, "createdAt": at, "updatedAt": at})
        return found

    def take(self, account_id: str, domain: str) -> list[str]:
        """The domains with this one at the end. Raises Invalid for a host that does not lead here, Conflict."""
        accounts.read(self._caller, account_id)
        if domain == self._hosts.own:
            raise Conflict(f"{domain} is the short domain of this installation, which every account has")
        if self._hosts.further is not None and domain not in self._hosts.further:
            message = "does not lead here; who runs this installation adds it to its short domains first"
            raise Invalid(f"{domain} {message}", details=[Finding(field="shortDomain", message=message)])

        def change(document: Document) -> Document:
            known = document["shortDomains"]
            if domain in known:
                raise Conflict(f"This account has the short domain {domain} already")
            if len(known) >= MAX_DOMAINS:
                raise Invalid(f"An account has at most {MAX_DOMAINS} short domains; give one back first")
            return self._changed(document, [*known, domain])

        def also(before: Document, after: Document) -> list[Write]:
            mine = claim(account_id, domain, self._caller.at)
            return [mine, Delete(keys.closing(domain)), *self._told("account", account_id, before, after)]

        try:
            stored = Resources(self._caller.tables, ACCOUNT).update(account_id, change, also=also)
        except Conflict as error:
            if self._owner(domain) in (None, account_id):
                raise
            raise Conflict(f"The short domain {domain} is taken; choose another") from error
        domains: list[str] = stored.document["shortDomains"]
        return domains

    def give_back(self, account_id: str, domain: str) -> None:
        """Raises NotFound; Conflict while links are on it, or a project has no other."""
        if domain not in self.listed(account_id):
            raise NotFound(f"This account has no short domain {domain[:60]}")
        if domain == self._hosts.own:
            raise Conflict(f"{domain} is the short domain of this installation, which every account keeps")
        main, by = self._caller.tables.main, self._caller.new_id(self._caller.at)
        closing, this_one = keys.closing(domain), (Equals("by", by),)
        main.put(closing, {**stamp("closing"), "by": by}, expires_at=wiring.clock() + CLOSING_MS)
        try:
            self._check_unused(domain)
            self._leave_projects(domain)
        except Conflict:
            with suppress(ConditionFailed):  # another request closes it now, and will decide
                main.delete(closing, when=this_one)
            raise

        def also(before: Document, after: Document) -> list[Write]:
            claimed = self._owner(domain) == account_id
            gone = [Delete(keys.short_domain(domain), (Equals("account", account_id),))] if claimed else []
            return [Check(closing, this_one), *gone, *self._told("account", account_id, before, after)]

        Resources(self._caller.tables, ACCOUNT).update(account_id, partial(self._without, domain), also=also)

    def _owner(self, domain: str) -> str | None:
        """The account whose a domain is, None of the deployment's own, now or earlier, and of one that is free."""
        row = self._tables.main.get(keys.short_domain(domain), consistent=True)
        return None if row is None else str(row["account"])

    def _check_unused(self, domain: str) -> None:
        """Raises Conflict, which says how many links are in the way."""
        load = loads(self._tables, self._caller, WHOLE_ACCOUNT)
        partition = keys.index(keys.ACCOUNT_SCOPE, REDIRECTION.name, "shortDomain", domain, 0)
        after: str | None = None
        while True:
            page = self._caller.tables.log.query(partition, high=LAST, after=after, limit=PAGE, consistent=True)
            found: list[Link] = [each.item for each in load(page.rows).values()]
            if found:
                number = f"{len(found)} links or more" if page.after else _number(len(found), "link")
                names = ", ".join(link.name for link in found[:NAMED])
                raise Conflict(f"{domain} has {number}, such as {names}; delete them first")
            if (after := page.after) is None:
                return

    def _leave_projects(self, domain: str) -> None:
        """Take a domain out of every project. Raises Conflict when one has no other, before any is changed."""
        having = [each for each in self._projects() if domain in each.document["shortDomains"]]
        if only := [each for each in having if each.document["shortDomains"] == [domain]]:
            number = _number(len(only), "project")
            names = ", ".join(each.document["name"] for each in only[:NAMED])
            raise Conflict(f"{domain} is the only short domain of {number}, such as {names}; give it another first")
        for each in having:
            Resources(self._caller.tables, PROJECT).update(
                each.id, partial(self._without, domain), also=partial(self._told, "project", each.id)
            )

    def _projects(self) -> Iterator[Stored]:
        partition = keys.index(keys.ACCOUNT_SCOPE, PROJECT.name, "", "", 0)
        projects = Resources(self._caller.tables, PROJECT)
        after: str | None = None
        while True:
            page = self._caller.tables.log.query(partition, after=after, limit=PAGE, consistent=True)
            yield from projects.read_many([row.key.sk for row in page.rows], consistent=True).values()
            if (after := page.after) is None:
                return

    def _without(self, domain: str, document: Document) -> Document:
        return self._changed(document, [each for each in document["shortDomains"] if each != domain])

    def _changed(self, document: Document, domains: list[str]) -> Document:
        return {**document, "shortDomains": domains, "updatedAt": max(self._caller.at, document["updatedAt"])}

    def _told(self, kind: str, resource: str, before: Document, after: Document) -> list[Put]:
        return audit.entry(self._caller, "update", kind, resource, before, after)


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
