"""Displays at doors: WebSocket connections that are told when something of their room has changed.

What they are told is that, and nothing of it: a display reads its page anew. So the ticket that opens a connection
opens nothing else, and one that is lost costs a display no more than the time until it looks by itself.
"""

import json

from ... import wiring
from ...access.secrets import RootSecrets
from ...clock import Clock
from ...errors import Forbidden, TooManyRequests
from ...log import warning
from ...ports.connections import ConnectionGone
from ...ports.table import Table, Tables
from ...resources import Document
from ...shapes import stamp
from .. import credentials, keys
from ..model import Told
from . import tickets

LASTING_MS = 130 * 60_000  # API Gateway ends a connection after two hours
MAX_DISPLAYS = 25  # of one room
DISPLAY = "door"  # the query parameter that has the room and its ticket, `<room id>.<ticket>`


def connect(tables: Tables, roots: RootSecrets, clock: Clock, connection_id: str, sent: str) -> None:
    """`tables` are unscoped. Raises Forbidden, TooManyRequests."""
    room, _, ticket = sent.partition(".")
    row = credentials.look_up(tables, keys.door(room))
    if row is None:
        raise Forbidden("There is no such door")
    at = clock()
    tickets.check(roots, ticket, tickets.Holder("display", row["account"], room), at)
    main = tables.of(row["account"]).main
    if _is_full(main, room):
        _tell(main, room, {"ping": 1})  # some may have gone without a word
        if _is_full(main, room):
            raise TooManyRequests(f"A room has at most {MAX_DISPLAYS} displays that listen")
    main.put(keys.display(room, connection_id), stamp("display"), expires_at=at + LASTING_MS)


def hear(told: Told, own: Tables) -> None:
    """A listener of rooms. Raises Unreachable: then all are told again."""
    _tell(own.main, told.room, {"changed": told.room})


def _is_full(main: Table, room: str) -> bool:
    return len(main.query(keys.displays(room), limit=MAX_DISPLAYS, consistent=True).rows) >= MAX_DISPLAYS


def _tell(main: Table, room: str, document: Document) -> None:
    """Those that have gone are forgotten."""
    message = json.dumps(document)
    for row in main.query(keys.displays(room), limit=2 * MAX_DISPLAYS, consistent=True).rows:
        connection_id = row.key.sk
        try:
            wiring.connections().send(connection_id, message)
        except ConnectionGone:
            main.delete(keys.display(room, connection_id))
            warning("a display has gone", room=room, connection=connection_id)
