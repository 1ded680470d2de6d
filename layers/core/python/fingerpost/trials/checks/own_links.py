"""The account's own short links, as a check of loops follows them."""

from ... import keys
from ...access.store import ACCOUNT
from ...caller import Caller
from ...ports.table import Tables
from ...redirection.context import Context, Sources, context_of
from ...redirection.facts import Facts
from ...redirection.model import Link, from_item
from ...redirection.reading import Reading
from ...redirection.rulesets import CompiledRules
from ...redirection.visit import ACTION
from ...resources import Resources

OF_THINGS = ("thng", "product", "action")  # groups of fields that a link decides, whoever scans it


class OwnLinks:
    """Each link and its thing are read once. `tables` are unscoped."""

    def __init__(self, caller: Caller, tables: Tables, compiled: CompiledRules):
        account = Resources(caller.tables, ACCOUNT).read(caller.principal.account)
        self.domains = frozenset(each.lower() for each in account.document["shortDomains"])
        self._caller, self._main = caller, tables.main
        self._fields = [each for each in compiled.fields if each.partition(".")[0] in OF_THINGS]
        self._needs = compiled.needs
        self._links: dict[tuple[str, str], Link | None] = {}
        self._known: dict[str, Context] = {}

    def find(self, domain: str, short_id: str) -> Link | None:
        """A link that is in use; None of another account's too."""
        name = (domain, short_id)
        if name not in self._links:
            item = self._main.get(keys.link(domain, short_id))
            link = None if item is None else from_item(domain, short_id, item)
            usable = link is not None and link.account == self._caller.principal.account and link.deleted_at is None
            self._links[name] = link if usable else None
        return self._links[name]

    def known(self, link: Link) -> Context:
        """The fields that its thing decides; None for one that it does not have."""
        if link.name not in self._known:
            thng = link.evrythng_id if link.type == "thng" else None
            product = link.evrythng_id if link.type == "product" else link.product
            reading = Reading(self._caller.tables, Sources(facts=Facts(at=0), action=ACTION), thng, product)
            found = context_of(self._fields, reading.sources(self._needs))
            self._known[link.name] = {name: found.get(name) for name in self._fields}
        return self._known[link.name]
