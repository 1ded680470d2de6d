"""What keeps hints and references true after a thng or product changed. Runs from the work queue, not in requests."""

import json
from typing import Any

from .. import keys
from ..catalogue.model import PRODUCT, THNG
from ..log import warning
from ..ports.queue import Queue
from ..ports.table import Change, ConditionFailed, Equals, FieldChange, GlobalKey, Item, Set, Tables
from ..resources import Document, Resources, projects_of
from ..retry import attempts

PAGE = 50


def work_of(change: Change) -> list[dict[str, Any]]:
    """The tasks that one change of a document makes necessary."""
    old, new = change.old, change.new
    kind = (new or old or {}).get("k")
    if kind not in (THNG.name, PRODUCT.name) or change.key.sk != "doc" or old is None:
        return []
    account, _, resource_id = change.key.pk.split("#", 2)
    if new is None:
        return [{"do": "unlink", "account": account, "product": resource_id}] if kind == PRODUCT.name else []
    before, after = json.loads(old["doc"]), json.loads(new["doc"])
    if _hints(before) == _hints(after):
        return []
    return [{"do": "hint", "account": account, "id": resource_id}]


def dispatch(changes: list[Change], queue: Queue) -> list[str]:
    """Put what changes make necessary on the queue. Answers the sequence numbers of records that must come again."""
    for number, change in enumerate(changes):
        try:
            for task in work_of(change):
                queue.send(json.dumps(task), group=task["account"])
        except Exception as error:  # the queue did not take it: this record and those after it come again
            warning("dispatch stopped", sequence=change.sequence, error=repr(error))
            return [each.sequence for each in changes[number:]]
    return []


def perform(task: dict[str, Any], tables: Tables, queue: Queue, at: int) -> None:
    """Carry out one task; doing it again does no harm. `tables` are unscoped."""
    match task["do"]:
        case "hint":
            refresh_hints(tables, task["account"], task["id"])
        case "unlink":
            if unlink_page(tables, task["account"], task["product"], at):
                queue.send(json.dumps(task), group=task["account"])
        case unknown:
            raise ValueError(f"no such task: {unknown!r}")


def refresh_hints(tables: Tables, account: str, resource_id: str) -> None:
    """Write into a thing's links which product and projects it has now."""
    own = tables.of(account)
    found = [Resources(own, kind).read_many([resource_id], consistent=True) for kind in (THNG, PRODUCT)]
    stored = next((each[resource_id] for each in found if resource_id in each), None)
    if stored is None:
        return
    after: str | None = None
    while True:
        page = own.main.query(keys.links_of(resource_id), after=after, limit=PAGE, consistent=True)
        for row in page.rows:
            _, domain, short_id = row.key.sk.split("#", 2)
            _set_hints(tables, keys.link(domain, short_id), stored.document)
        if page.after is None:
            return
        after = page.after


def unlink_page(tables: Tables, account: str, product_id: str, at: int) -> bool:
    """Remove a deleted product's reference from some of its thngs. Answers whether there may be more."""
    own = tables.of(account)
    thngs = Resources(own, THNG)

    def change(document: Document) -> Document:
        if document.get("product") != product_id:
            return document
        rest = {name: value for name, value in document.items() if name != "product"}
        return {**rest, "updatedAt": max(at, document["updatedAt"])}

    more = False
    for shard in range(THNG.shards):
        partition = keys.index(keys.ACCOUNT_SCOPE, THNG.name, "product", product_id, shard)
        page = own.log.query(partition, limit=PAGE, consistent=True)
        found = thngs.read_many([row.key.sk for row in page.rows], consistent=True)
        for row in page.rows:
            stored = found.get(row.key.sk)
            if stored is None or stored.document.get("product") != product_id:
                thngs.sweep(row.key, row.item, stored)
            else:
                thngs.update(row.key.sk, change)
        more = more or page.after is not None
    return more


def _set_hints(tables: Tables, key: GlobalKey, document: Document) -> None:
    for _ in attempts(8):
        item: Item | None = tables.main.get(key, consistent=True)
        if item is None:
            return
        product = document.get("product")
        changes: tuple[FieldChange, ...] = (Set("v", item["v"] + 1), Set("projects", list(projects_of(document))))
        if product or "product" in item:
            changes = (*changes, Set("product", product))
        try:
            tables.main.update(key, changes, when=(Equals("v", item["v"]),))
            return
        except ConditionFailed:
            continue


def _hints(document: Document) -> tuple[Any, ...]:
    return document.get("product"), projects_of(document)
