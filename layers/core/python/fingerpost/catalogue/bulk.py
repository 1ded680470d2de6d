"""One update of many products or thngs: at once by their ids, or by a filter, after the answer.

What a filter matches when the request comes is what is updated. The ids and the fields lie in a row, and a task goes
through them, so many a message. Beside each document, in its transaction, goes a mark: however often a message comes, a
document is updated once, and what somebody has changed in it since stays.
"""

import json
from collections.abc import Sequence
from typing import Any

from .. import keys, scoping
from ..access.model import Principal, Rights
from ..caller import Caller
from ..clock import DAY_MS
from ..errors import Conflict, Finding, Invalid, NotFound, TooLarge
from ..fields import changed_list
from ..listing import Ask, Lister
from ..log import warning
from ..ports.queue import Queue
from ..ports.table import Absent, ConditionFailed, Put, Tables
from ..resources import Document, Kind, Resources, Stored
from ..shapes import stamp, upgraded
from ..together import Together
from .model import PRODUCT, THNG
from .service import change_of, check_product

MAX_MATCHES = 500
MAX_PAGES = 10  # of a read budget each, in which a filter has to find them
AT_ONCE = 50  # documents updated for one message
KEPT_MS = 30 * DAY_MS  # longer than a message can come back: two weeks in the queue, two among the dead letters
KINDS = {kind.name: kind for kind in (PRODUCT, THNG)}

type Task = dict[str, Any]


def update_by_ids(caller: Caller, kind: Kind, found: Sequence[Stored], fields: dict[str, Any]) -> list[Stored]:
    """Update these and answer them as they are then.

    Raises Invalid when one of them could not be so, Forbidden for one that the caller may not change.
    """
    for each in found:
        caller.changes(each.document)
    change, ids = change_of(caller, kind, fields), [each.id for each in found]
    together = Together(caller.tables, kind)
    together.update_many(ids, change)
    after = together.read_many(ids, consistent=True)
    return [after[each] for each in ids if each in after]


def matches(listed: Lister[Stored], ask: Ask) -> list[str]:
    """The ids of all that a filter matches. Raises TooLarge for more than 500, or for a filter that reads too much."""
    found: list[str] = []
    token: str | None = None
    for _ in range(MAX_PAGES):
        page = listed.page(Ask(per_page=MAX_MATCHES + 1, node=ask.node, filter_text=ask.filter_text, token=token))
        found += [each.id for each in page.items]
        if len(found) > MAX_MATCHES:
            raise TooLarge(
                f"This filter matches more than {MAX_MATCHES} {listed.kind.plural}; narrow it, nothing changed"
            )
        if page.token is None:
            return found
        token = page.token
    raise TooLarge(
        f"This filter has to read too many {listed.kind.plural}; narrow it by a tag, an identifier or a name"
    )


def begin(caller: Caller, kind: Kind, ids: Sequence[str], fields: dict[str, Any], queue: Queue) -> None:
    """Have these updated after the answer. Raises Invalid for what could be true of none of them."""
    _check(caller, kind, fields)
    if not ids or not fields:
        return
    principal, bulk_id = caller.principal, caller.new_id(caller.at)
    limits = principal.rights.resources if principal.actor == "operator" else None
    row = {
        **stamp("bulk"),
        "kind": kind.name,
        "ids": ",".join(ids),
        "fields": json.dumps(fields, ensure_ascii=False),
        "actor": principal.actor,
        "by": principal.id,
        "project": principal.project,
        "within": None if limits is None else ",".join(sorted(limits)),
        "at": caller.at,
        "cause": caller.cause,
    }
    caller.tables.main.put(keys.bulk(bulk_id), row, expires_at=caller.at + KEPT_MS)
    task = {"do": "change", "account": principal.account, "bulk": bulk_id, "from": 0}
    queue.send(json.dumps(task), group=principal.account)


def carry_out(tables: Tables, task: Task) -> Task | None:
    """Update some of them. Answers the task that goes on from there. `tables` are unscoped."""
    own = tables.of(task["account"])
    item = own.main.get(keys.bulk(task["bulk"]), consistent=True)
    if item is None:
        return None  # a month has gone by
    row = upgraded(item)
    within = None if row["within"] is None else frozenset(row["within"].split(","))
    rights = Rights(reads=within, resources=within)  # as they were when this was asked for
    principal = Principal(
        actor=row["actor"], account=task["account"], id=row["by"], project=row["project"], rights=rights
    )
    caller = Caller(principal=principal, tables=own, at=row["at"], cause=row["cause"])
    ids, end = row["ids"].split(","), task["from"] + AT_ONCE
    for each in ids[task["from"] : end]:
        _update_once(caller, KINDS[row["kind"]], task["bulk"], each, json.loads(row["fields"]))
    return {**task, "from": end} if end < len(ids) else None


def _update_once(caller: Caller, kind: Kind, bulk_id: str, resource_id: str, fields: dict[str, Any]) -> None:
    main, mark = caller.tables.main, keys.bulk_done(bulk_id, resource_id)
    if main.get(mark, consistent=True) is not None:
        return
    done = Put(mark, stamp("bulkDone") | {"at": caller.at}, (Absent(),), expires_at=caller.at + KEPT_MS)
    written = False

    def also(_before: Document, _after: Document) -> list[Put]:
        nonlocal written
        written = True
        return [done]

    try:
        Resources(caller.tables, kind).update(
            resource_id,
            change_of(caller, kind, fields),
            also=also,
            sees=caller.changes,
        )
        if not written:  # it is so already; a later message must not make it so again
            main.put(mark, done.item, when=done.when, expires_at=done.expires_at)
    except ConditionFailed:
        return
    except NotFound:
        return  # deleted meanwhile, or out of sight
    except Invalid as error:
        warning("a bulk update left one out", bulk=bulk_id, id=resource_id, cause=caller.cause, error=str(error))
    except Conflict:
        if main.get(mark, consistent=True) is None:  # else another delivery of the same message was faster
            raise


def _check(caller: Caller, kind: Kind, fields: dict[str, Any]) -> None:
    if "name" in fields and not fields["name"]:
        raise Invalid(f"name: a {kind.name} needs a name", details=[Finding(field="name", message="is missing")])
    check_product(caller, fields.get("product"))
    scopes = fields.get("scopes") or {}
    scoping.check(caller, changed_list([], scopes.get("projects") or []))
