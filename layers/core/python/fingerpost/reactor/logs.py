"""The log of an application's scripts and rules: a row an entry, newest last, gone after seven days."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import batched, islice
from typing import Any

from .. import cursor, keys
from ..body import bytes_of
from ..clock import DAY_MS
from ..ids import first_id, ordered_id, time_of
from ..listing import Ask, PageOf, test_of
from ..ports.runner import MAX_LINE_BYTES, Level
from ..ports.table import LAST, Delete, Item, Key, Put, Row, Tables
from ..rules.nodes import Node, from_json
from ..rules.plan import time_span
from ..shapes import stamp, upgraded

KEPT_MS = 7 * DAY_MS
READ_BUDGET = 2_000  # rows that one request looks at
AT_ONCE = 100
MAX_PAGE_BYTES = 3 * 1024 * 1024  # of the messages in one answer, as JSON: Lambda sends 6 MB
CUT = " ... (cut)"

type Document = dict[str, Any]
type Task = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """`at` is the time it tells of, in milliseconds since the epoch. A message is cut after 16 KB."""

    level: Level
    message: str
    at: int


def append(tables: Tables, app: str, entries: Sequence[Entry], *, now: int = 0, run: str = "") -> list[Document]:
    """Write entries; answers their documents. `tables` are the account's own.

    Entries of one millisecond keep their order. `now` is when they are written; left out, the time of the newest.
    `run` names what they are of: the same entries of the same run are the same rows, however often they are written.
    """
    seed = run or secrets.token_hex(16)
    now = now or max([entry.at for entry in entries], default=0)
    puts, documents = [], []
    for number, entry in enumerate(entries):
        message = cut(entry.message)
        key = Key(keys.reactor_logs(app), ordered_id(entry.at, seed, number))
        item = {**stamp("reactorLog"), "level": entry.level, "message": message, "created": now}
        puts.append(Put(key, item, expires_at=now + KEPT_MS))
        documents.append(_document(app, key.sk, item))
    tables.log.put_many(puts)
    return documents


def page(tables: Tables, account: str, app: str, ask: Ask, secret: bytes) -> PageOf[Document]:
    """Entries that match, newest first unless `ask` says otherwise. Raises InvalidCursor."""
    digest = cursor.filter_digest(account, "reactorLog", app, ask.filter_text, str(ask.ascending))
    after = cursor.decode(secret, ask.token, digest) if ask.token else None
    test = None if ask.node is None else test_of(ask.node)
    found: list[Document] = []
    size = examined = 0
    last: str | None = None
    for row in _rows(tables, app, ask.node, after=after, ascending=ask.ascending):
        document = _document(app, row.key.sk, upgraded(row.item))
        if test is None or test(document):
            size += bytes_of(document["message"])
            if len(found) == ask.per_page or (found and size > MAX_PAGE_BYTES):
                break
            found.append(document)
        last, examined = row.key.sk, examined + 1
        if examined >= READ_BUDGET:
            break
    else:
        last = None
    return PageOf(tuple(found), cursor.encode(secret, last, digest) if last else None)


def delete_page(task: Task, tables: Tables) -> Task | None:
    """Delete entries that match `nodes` and were written at `until` or before, as many as one request can.

    Answers the task that goes on from there. `tables` are unscoped.
    """
    own, app = tables.of(task["account"]), task["app"]
    node = None if task["nodes"] is None else from_json(task["nodes"])
    test = None if node is None else test_of(node)
    rows = list(islice(_rows(own, app, node, after=task.get("after"), ascending=True), READ_BUDGET))
    going: list[Key] = []
    for row in rows:
        item = upgraded(row.item)
        if item["created"] <= task["until"] and (test is None or test(_document(app, row.key.sk, item))):
            going.append(row.key)
    for some in batched(going, AT_ONCE, strict=False):
        own.log.transact([Delete(key) for key in some])
    return {**task, "after": rows[-1].key.sk} if len(rows) == READ_BUDGET else None


def cut(message: str) -> str:
    """A message as it is kept: at most 16 KB, with a word at its end when there was more."""
    raw = message.encode(errors="replace")
    if len(raw) <= MAX_LINE_BYTES:
        return raw.decode()
    return raw[: MAX_LINE_BYTES - len(CUT)].decode(errors="ignore") + CUT


def _rows(tables: Tables, app: str, node: Node | None, *, after: str | None, ascending: bool) -> Iterator[Row]:
    first, final = time_span(node, "timestamp")
    if first > final:
        return
    position = after
    while True:
        read = tables.log.query(
            keys.reactor_logs(app),
            low=first_id(first),
            high=first_id(final) + LAST,
            after=position,
            descending=not ascending,
            limit=AT_ONCE,
            consistent=True,
        )
        yield from read.rows
        if read.after is None:
            return
        position = read.after


def _document(app: str, entry_id: str, row: Item) -> Document:
    return {
        "id": entry_id,
        "app": app,
        "logLevel": row["level"],
        "createdAt": row["created"],
        "timestamp": time_of(entry_id),
        "message": row["message"],
    }
