"""Lists of links: of all in an account, of those that a project sees, of those on one short domain.

A link has index rows as a document has (resources.py): written before it, removed after it, verified when read. A link
that was last written before there were such lists gets its rows when it is next written.
"""

from collections.abc import Callable, Iterable, Sequence

from .. import keys
from ..caller import Caller
from ..catalogue.model import COLLECTION, PLACE, PRODUCT, THNG
from ..listing import Found, Load
from ..ports.table import GlobalKey, Key, Row, Tables
from ..resources import Kind, Resources, Stored, index_rows
from ..resources import from_item as stored_of
from ..sight import Sight
from .model import Link, ResourceType, from_item

REDIRECTION = Kind("redirection", "redirections", indexed=("shortDomain",))
KINDS: dict[ResourceType, Kind] = {"thng": THNG, "product": PRODUCT, "collection": COLLECTION, "place": PLACE}
SWEEP_AFTER_MS = 3_600_000


def listed_rows(link: Link) -> frozenset[Key]:
    """Every index row of a link; a deleted one has none."""
    if link.deleted_at is not None:
        return frozenset()
    name = keys.listed_link(link.made, link.domain, link.short_id)
    return index_rows(REDIRECTION, name, {"shortDomain": link.domain, "scopes": {"projects": list(link.projects)}})


def relisted(tables: Tables, before: Link | None, after: Link, write: Callable[[], bool]) -> bool:
    """Write a link so that it is never missing from a list: `write` says whether it could. `tables` are its account's.

    All rows of the new version are put, those of the old one too: then a link from before there were lists is in them.
    """
    rows, wanted = Resources(tables, REDIRECTION), listed_rows(after)
    rows.put_rows(wanted, after.version)
    if not write():
        return False
    rows.remove_rows((listed_rows(before) if before else frozenset()) - wanted, after.version)
    return True


def unlisted(tables: Tables, link: Link) -> None:
    """Take back the rows of a link that was never made, for its short ID is taken for good: nobody relies on them."""
    Resources(tables, REDIRECTION).remove_rows(listed_rows(link), link.version)


def loads(main_and_log: Tables, caller: Caller, sight: Sight) -> Load[Link]:
    """Reads the links that index rows lead to, drops what `sight` does not see, sweeps rows that point nowhere.

    `main_and_log` are unscoped: a link's key is one of the few global look-ups.
    """
    rows_of_links = Resources(caller.tables, REDIRECTION)

    def load(rows: Sequence[Row]) -> dict[str, Found[Link]]:
        names = {row.key.sk: _key(row.key.sk) for row in rows}
        found = main_and_log.main.get_many(list(names.values()), consistent=True)
        links: dict[str, Link] = {}
        for row in rows:
            made, domain, short_id = row.key.sk.split("#", 2)
            item = found.get(names[row.key.sk])
            link = None if item is None else from_item(domain, short_id, item)
            if link is not None and (link.account, link.made) != (caller.principal.account, made):
                link = None  # the short ID was taken when that one was made
            if link is not None and link.deleted_at is None:
                links[row.key.sk] = link
            holds = link is not None and row.key in listed_rows(link)
            if not holds and row.item.get("at", caller.at) < caller.at - SWEEP_AFTER_MS:
                stored = None if link is None else Stored(id=row.key.sk, version=link.version, document={})
                rows_of_links.sweep(row.key, row.item, stored)
        seen = {link.name for link in seen_by(caller.tables, sight, links.values())}
        return {name: Found(link, {"shortDomain": link.domain}) for name, link in links.items() if link.name in seen}

    return load


def seen_by(tables: Tables, sight: Sight, links: Iterable[Link]) -> list[Link]:
    """Those that `sight` sees: by what a link's thing says now, by the hint once the thing is gone.

    `tables` are the account's own.
    """
    links = list(links)
    if sight.projects is None:
        return links
    things = tables.main.get_many([keys.document(link.evrythng_id) for link in links], consistent=True)

    def sees(link: Link) -> bool:
        thing = stored_of(KINDS[link.type], link.evrythng_id, things.get(keys.document(link.evrythng_id)))
        return sight.sees({"scopes": {"projects": link.projects}} if thing is None else thing.document)

    return [link for link in links if sees(link)]


def _key(name: str) -> GlobalKey:
    _, domain, short_id = name.split("#", 2)
    return keys.link(domain, short_id)
