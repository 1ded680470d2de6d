"""Forgetting: the recorded scans of a thing, or of all days before one; the statistics of a redirection.

An erasure has a row that says how far it has come. Tasks of the work queue carry it out, some rows each; doing one
again does no harm. A deleted action leaves the lists and the visits by the change feed.
"""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from .. import audit, keys
from ..actions.folding import fold
from ..actions.model import ACTION, SCANS
from ..caller import Caller
from ..errors import NotFound
from ..ids import first_id, is_id
from ..packed import entries
from ..ports.queue import Queue
from ..ports.table import Add, ConditionFailed, Item, Key, Present, Put, Set, Table, Tables
from ..resources import Document
from ..shapes import stamp, upgraded
from .periods import compact, day_of

SCANS_OF_THNG, SCANS_BEFORE, STATISTICS = "thng", "before", "redirection"  # what is erased, and by what it is named
AT_ONCE = 50  # actions that one task deletes
ROWS_AT_ONCE = 200  # rows of statistics that one task deletes
MAX_FOLDS = 100  # in one task

type Task = dict[str, Any]


def begin(caller: Caller, queue: Queue, what: str, name: str, *, until: int) -> Document:
    """Have it erased after the answer, as far as it was recorded before `until`. Answers the erasure's document."""
    erasure_id = caller.new_id(caller.at)
    row: Item = {
        **stamp("erasure"),
        "what": what,
        "name": name,
        "until": until,
        "erased": 0,
        "at": caller.at,
        "by": caller.principal.id,
    }
    told = audit.entry(caller, "erase", "statistics" if what == STATISTICS else "scans", name, after={what: name})
    caller.tables.main.transact([Put(keys.erasure(erasure_id), row), *told])
    task = {"do": "forget", "account": caller.principal.account, "erasure": erasure_id}
    queue.send(json.dumps(task), group=caller.principal.account)
    return _document(erasure_id, row)


def read(caller: Caller, erasure_id: str) -> Document:
    """How far it has come. Raises NotFound."""
    item = caller.tables.main.get(keys.erasure(erasure_id), consistent=True) if is_id(erasure_id) else None
    if item is None:
        raise NotFound(f"There is no erasure {erasure_id[:60]}")
    return _document(erasure_id, upgraded(item))


def carry_out(tables: Tables, task: Task, at: int) -> Task | None:
    """Erase some of it. Answers the task that goes on from there; None when it is done. `tables` are unscoped."""
    own, key = tables.of(task["account"]), keys.erasure(task["erasure"])
    item = own.main.get(key, consistent=True)
    if item is None:
        return None
    row = upgraded(item)
    if row["what"] == STATISTICS:
        erased, rest = _statistics(tables.log, task["account"], row["name"], task)
    else:
        erased, rest = _scans(tables.log, own, row, task)
    ended = () if rest is not None else (Set("ended", at),)
    try:
        own.main.update(key, (Add("erased", erased), *ended), when=(Present(),))
    except ConditionFailed:
        return None
    return rest


def _scans(log: Table, own: Tables, row: Item, task: Task) -> tuple[int, Task | None]:
    """Delete the scans of a page; of days before one also what the days were summed up to."""
    lanes = range(keys.COUNT_LANES) if row["what"] == SCANS_BEFORE and "shard" not in task else ()
    if not all(_settled(log, task["account"], lane) for lane in lanes):
        return 0, task
    shard, high = task.get("shard", 0), first_id(row["until"])
    field, value = ("thng", row["name"]) if row["what"] == SCANS_OF_THNG else ("", "")
    partition = keys.index(keys.ACCOUNT_SCOPE, ACTION.name, field, value, shard)
    listed = entries(own.log, partition, high=high, after=task.get("after"), limit=AT_ONCE, then=AT_ONCE)
    ids = [each.key.sk for each in islice(listed, AT_ONCE)]
    found = own.main.get_many([keys.action(each) for each in ids], consistent=True)
    wanted = {key: item for key, item in found.items() if item["type"] in SCANS and item["ts"] < row["until"]}
    if row["what"] == SCANS_BEFORE:
        _forget_days(own.log, {str(item["link"]) for item in wanted.values() if "link" in item}, row["until"])
    for key in wanted:
        own.main.delete(key)
    if len(ids) == AT_ONCE:
        return len(wanted), {**task, "shard": shard, "after": ids[-1]}
    if shard + 1 < ACTION.shards:
        return len(wanted), {**task, "shard": shard + 1, "after": None}
    if row["what"] == SCANS_BEFORE:
        partitions = [keys.account_hits(lane) for lane in range(keys.COUNT_LANES)]
        for key in _keys(own.log, [*partitions, keys.visitors(keys.ACCOUNT_SCOPE, "").pk], row["until"]):
            own.log.delete(key)
    return len(wanted), None


def _forget_days(log: Table, links: set[str], until: int) -> None:
    """Delete the sums of a link's days before one, and how many visitors they had."""
    for link in links:
        domain, _, short_id = link.partition("/")
        for key in _keys(log, [keys.hits(domain, short_id), keys.visitors(f"{domain}#{short_id}", "").pk], until):
            log.delete(key)


def _keys(log: Table, partitions: list[str], until: int) -> Iterator[Key]:
    """The rows of days before one, of sums and of visitors."""
    last = compact(day_of(until))
    for partition in partitions:
        position: str | None = None
        low, high = ("", last) if partition.startswith("u#") else ("day#", f"day#{last}")
        while True:
            page = log.query(partition, low=low, high=high, after=position, consistent=True)
            yield from (row.key for row in page.rows if row.key.sk.removeprefix("day#")[:8] < last)
            if page.after is None:
                break
            position = page.after


def _statistics(log: Table, account: str, link: str, task: Task) -> tuple[int, Task | None]:
    """Delete a link's sums, visits and visitors. What waits goes into the sums first, so that it goes with them."""
    domain, _, short_id = link.partition("/")
    if not _settled(log, account, keys.count_lane(domain, short_id)):
        return 0, task
    erased = 0
    for partition in (
        keys.visits(domain, short_id),
        keys.visitors(f"{domain}#{short_id}", "").pk,
        keys.hits(domain, short_id),
    ):
        while erased < ROWS_AT_ONCE:
            rows = log.query(f"{account}#{partition}", limit=ROWS_AT_ONCE, consistent=True).rows
            if not rows:
                break
            for row in rows:
                log.delete(row.key)
            erased += len(rows)
        else:
            return erased, task
    return erased, None


def _settled(log: Table, account: str, lane: int) -> bool:
    """Move what waits in a lane into the sums; whether that is all of it."""
    return any(not fold(log, account, lane) for _ in range(MAX_FOLDS))


def _document(erasure_id: str, row: Item) -> Document:
    return {
        "id": erasure_id,
        "createdAt": row["at"],
        row["what"]: row["name"],
        "state": "done" if "ended" in row else "running",
        "erased": row["erased"],
        **({"endedAt": row["ended"]} if "ended" in row else {}),
    }
