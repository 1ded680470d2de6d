"""Queues of an application that its rules fill and its own programs empty, through the API.

Messages come oldest first and stay until they are deleted, two weeks at the most. Nothing is leased: who reads together
with others from one queue may get what they get. A message put twice by one event is one message.
"""

import json
from typing import Any

from .. import cursor
from ..clock import DAY_MS
from ..errors import NotFound
from ..ids import is_id, time_of
from ..listing import PageOf
from ..ports.table import ConditionFailed, Item, Key, Present, Put, Tables
from ..resources import Document
from ..shapes import stamp, upgraded
from . import keys

KEPT_MS = 14 * DAY_MS
MAX_BODY_BYTES = 256 * 1024


def put(tables: Tables, app: str, queue: str, message_id: str, body: Any, *, rule: str, event: str) -> None:
    """Put a message on a queue, once. `message_id` has its time. `tables` are the account's own."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    item: Item = {**stamp("ruleMessage"), "rule": rule, "event": event, "body": text}
    key = Key(keys.queue(app, queue), message_id)
    tables.log.put_many([Put(key, item, expires_at=time_of(message_id) + KEPT_MS)])


def page(tables: Tables, app: str, queue: str, *, token: str | None, limit: int, secret: bytes) -> PageOf[Document]:
    """Messages, oldest first, a megabyte of them at the most. Raises InvalidCursor."""
    digest = cursor.filter_digest(tables.account, "ruleQueue", app, queue)
    after = cursor.decode(secret, token, digest) if token else None
    found = tables.log.query(keys.queue(app, queue), after=after, limit=limit, consistent=True)
    documents = [_document(row.key.sk, upgraded(row.item)) for row in found.rows]
    return PageOf(tuple(documents), cursor.encode(secret, found.after, digest) if found.after else None)


def delete(tables: Tables, app: str, queue: str, message_id: str) -> None:
    """The message is done with. Raises NotFound when it is not there (any more)."""
    gone = NotFound(f"There is no message {message_id[:60]} on the queue {queue}")
    if not is_id(message_id):
        raise gone
    try:
        tables.log.delete(Key(keys.queue(app, queue), message_id), when=(Present(),))
    except ConditionFailed as failure:
        raise gone from failure


def _document(message_id: str, row: Item) -> Document:
    return {
        "id": message_id,
        "createdAt": time_of(message_id),
        "rule": row["rule"],
        "event": row["event"],
        "body": json.loads(row["body"]),
    }
