"""What keeps hints and references true after a thing changed or went: which tasks follow, and what they do."""

import json
from contextlib import suppress
from copy import replace
from typing import Any

from .. import keys
from ..access.store import APPLICATION
from ..catalogue.erase import END, tasks_of
from ..catalogue.model import COLLECTION, PLACE, PRODUCT, THNG, without
from ..catalogue.properties import current
from ..errors import Conflict, NotFound
from ..ports.table import Change, ConditionFailed, Equals, FieldChange, GlobalKey, Remove, Set, Tables
from ..resources import Document, Resources
from ..resources import from_item as stored_of
from ..retry import attempts
from ..shapes import upgraded
from ..sight import projects_of
from .listed import relisted
from .model import from_item as link_of

LINKED = {kind.name: kind for kind in (THNG, PRODUCT, COLLECTION, PLACE)}  # what has links, with hints in them
REFERENCES = {  # by task: the kind of what was deleted, and where its id stands
    "unlink": (PRODUCT.name, ((THNG, "product"),)),
    "disband": (COLLECTION.name, ((THNG, "collections"), (COLLECTION, "collections"))),
}
PAGE = 50
HINT_ATTEMPTS = 8

type Task = dict[str, Any]


def work_of(change: Change) -> list[Task]:
    """The tasks that one change of a document makes necessary."""
    old, new = change.old, change.new
    if change.key.sk == "now":
        return _forgotten(change)
    kind = (new or old or {}).get("k")
    if kind == APPLICATION.name and change.key.sk == "doc" and new is None:
        account, _, application = change.key.pk.split("#", 2)
        return [{"do": "dismiss", "account": account, "app": application}]
    if kind not in LINKED or change.key.sk != "doc" or old is None:
        return []
    account, _, resource_id = change.key.pk.split("#", 2)
    if new is None:
        gone = [(name, what) for name, (what, _) in REFERENCES.items() if what == kind]
        return [{"do": name, "account": account, what: resource_id} for name, what in gone]
    before, after = json.loads(upgraded(old)["doc"]), json.loads(upgraded(new)["doc"])
    if _hints(before) == _hints(after):
        return []
    return [{"do": "hint", "account": account, "id": resource_id}]


def _forgotten(change: Change) -> list[Task]:
    """The histories to remove of a thing that is gone: its current values went with it."""
    if change.old is None or change.new is not None:
        return []
    account, _, resource_id = change.key.pk.split("#", 2)
    floors = {each.key: END for each in current(change.old)}
    return [{**task, "account": account} for task in tasks_of(resource_id, floors, gone=True)]


def refresh_hints(tables: Tables, account: str, resource_id: str) -> None:
    """Write into a thing's links which product and projects it has now."""
    own = tables.of(account)
    after: str | None = None
    while True:
        page = own.main.query(keys.links_of(resource_id), after=after, limit=PAGE, consistent=True)
        for row in page.rows:
            _, domain, short_id = row.key.sk.split("#", 2)
            _set_hints(tables, keys.link(domain, short_id), account, resource_id)
        if page.after is None:
            return
        after = page.after


def unlink_page(task: Task, tables: Tables, at: int) -> Task | None:
    """Remove what refers to something deleted, on one page. Answers the task that goes on from there."""
    part, shard = task.get("part", 0), task.get("shard", 0)
    what, parts = REFERENCES[task["do"]]
    gone, (kind, field) = task[what], parts[part]
    own = tables.of(task["account"])
    referring = Resources(own, kind)

    def change(document: Document) -> Document:
        rest = without(document, field, gone)
        return rest if rest == document else {**rest, "updatedAt": max(at, document["updatedAt"])}

    partition = keys.index(keys.ACCOUNT_SCOPE, kind.name, field, gone, shard)
    page = own.log.query(partition, after=task.get("after"), limit=PAGE, consistent=True)
    found = referring.read_many([row.key.sk for row in page.rows], consistent=True)
    for row in page.rows:
        stored = found.get(row.key.sk)
        if stored is None:
            continue  # deleted, or just being created
        if without(stored.document, field, gone) != stored.document:
            with suppress(NotFound):  # deleted meanwhile
                referring.update(row.key.sk, change)
        else:
            referring.sweep(row.key, row.item, stored)
    if page.after is not None:
        return {**task, "part": part, "shard": shard, "after": page.after}
    if shard + 1 < kind.shards:
        return {**task, "part": part, "shard": shard + 1, "after": None}
    if part + 1 < len(parts):
        return {**task, "part": part + 1, "shard": 0, "after": None}
    return None


def _set_hints(tables: Tables, key: GlobalKey, account: str, resource_id: str) -> None:
    """The link is read before the thing, so that of two that write hints at once the later one writes the later."""
    for _ in attempts(HINT_ATTEMPTS):
        item = tables.main.get(key, consistent=True)
        document = _document(tables, account, resource_id)
        if item is None or document is None:
            return
        _, domain, short_id = key.pk.split("#")
        link = link_of(domain, short_id, item)
        hints = _hints(document)
        if link.evrythng_id != resource_id or link.deleted_at is not None or (link.product, link.projects) == hints:
            return
        product, projects = hints
        after = replace(link, product=product, projects=projects, version=link.version + 1)
        changes: tuple[FieldChange, ...] = (
            Set("v", after.version),
            Set("projects", ",".join(projects)),
            Set("product", product) if product else Remove("product"),
        )

        def written(changes: tuple[FieldChange, ...] = changes, before: int = link.version) -> bool:
            try:
                tables.main.update(key, changes, when=(Equals("v", before),))
            except ConditionFailed:
                return False
            return True

        if relisted(tables.of(account), link, after, written):
            return
    raise Conflict(f"The link {key.pk} keeps changing")


def _document(tables: Tables, account: str, resource_id: str) -> Document | None:
    item = tables.of(account).main.get(keys.document(resource_id), consistent=True)
    found = (stored_of(kind, resource_id, item) for kind in LINKED.values())
    return next((stored.document for stored in found if stored is not None), None)


def _hints(document: Document) -> tuple[str | None, tuple[str, ...]]:
    return document.get("product"), projects_of(document)
