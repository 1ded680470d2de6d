"""Connections of the panels' server as rows: who is logged in, what is subscribed to, which documents are there.

One thing at a time happens to a connection: whoever works on it holds it, a message of its own or the news of a change.
All rows end by themselves soon after a connection can last.
"""

import hashlib
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ...clock import Clock
from ...errors import Unavailable
from ...ports.table import AtMost, ConditionFailed, Equals, Item, Present, Put, Set, Tables
from ...retry import attempts
from ...shapes import stamp, upgraded
from .. import keys
from ..logins import EvokoUser
from ..records import row_id
from .merging import Sent, packed, unpacked

LONGEST_MS = 130 * 60_000  # API Gateway ends a connection after two hours
HOLD_MS = 40_000  # longer than a function may take
PATIENCE = 60  # tries, some ten seconds
PING_EVERY_MS = 180_000  # at most so often: a task that comes twice sends one ping
LANES = 16
PAGE = 100


class Closed(Exception):
    """There is no such connection any more."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """`room` is the id of the room it is limited to, `*` for all rooms, empty while nobody is logged in who has one.

    `param` is the first parameter as it was sent.
    """

    name: str
    param: str
    room: str = ""


@dataclass(slots=True)
class Session:
    """One connection while it is held."""

    id: str
    ends: int
    open: bool = False  # whether its `connect` has come
    user: EvokoUser | None = None
    token: str = ""  # the partition of the row that the token of this login opens with
    subscriptions: dict[str, Subscription] = field(default_factory=dict)

    @property
    def account(self) -> str:
        return self.user.account if self.user else ""


class Sessions:
    """The rows of connections. `tables` are unscoped: a message names nothing but its connection."""

    def __init__(self, tables: Tables, clock: Clock):
        self._tables, self._log, self._clock = tables, tables.log, clock

    def begin(self, connection_id: str) -> None:
        ends = self._clock() + LONGEST_MS
        item = {**stamp("panel"), **_fields(Session(connection_id, ends)), "ends": ends, "held": 0, "pinged": 0}
        self._log.put(keys.panel(connection_id), item, expires_at=ends)

    @contextmanager
    def held(self, connection_id: str) -> Iterator[Session]:
        """The connection, for as long as the block lasts; what the block made of it is kept, unless it failed.

        Raises Closed, Unavailable when others hold it all the time.
        """
        holder = secrets.token_hex(8)
        session = self._hold(connection_id, holder)
        before = _fields(session)
        try:
            yield session
        except BaseException:
            self._release(connection_id, holder, {})
            raise
        after = _fields(session)
        self._release(connection_id, holder, after if after != before else {})

    def has(self, connection_id: str, collection: str, lanes: Collection[int]) -> dict[int, dict[str, Sent]]:
        """What a connection has of a collection, by lane and id."""
        wanted = {lane: keys.panel_documents(connection_id, collection, lane) for lane in lanes}
        rows = self._log.get_many(list(wanted.values()), consistent=True)
        return {lane: unpacked(upgraded(rows[key])["has"]) if key in rows else {} for lane, key in wanted.items()}

    def keep(self, session: Session, collection: str, lanes: Mapping[int, Mapping[str, Sent]]) -> None:
        self._log.put_many(
            [
                Put(
                    keys.panel_documents(session.id, collection, lane),
                    {**stamp("panelDocuments"), "has": packed(has)},
                    expires_at=session.ends,
                )
                for lane, has in lanes.items()
            ]
        )

    def watch(self, session: Session, topics: Collection[str]) -> None:
        """From now on a connection is told of these."""
        own = self._tables.of(session.account).log
        row = stamp("panelWatcher")
        own.put_many([Put(keys.panel_watcher(each, session.id), row, expires_at=session.ends) for each in topics])

    def unwatch(self, account: str, connection_id: str, topics: Collection[str]) -> None:
        for each in topics:
            self._tables.of(account).log.delete(keys.panel_watcher(each, connection_id))

    def watchers(self, account: str, topic: str, *, after: str | None, limit: int) -> tuple[list[str], str | None]:
        """Connections that are told of a topic, and where to go on."""
        page = self._tables.of(account).log.query(keys.panel_watchers(topic), after=after, limit=limit, consistent=True)
        return [row.key.sk for row in page.rows], page.after

    def due_for_ping(self, connection_id: str) -> bool:
        """Whether it is this task's turn to ping an open connection; False also when it is closed."""
        now = self._clock()
        try:
            self._log.update(
                keys.panel(connection_id), (Set("pinged", now),), when=(AtMost("pinged", now - PING_EVERY_MS),)
            )
        except ConditionFailed:
            return False
        return True

    def end(self, connection_id: str) -> Session | None:
        """Forget a connection; answers what it was. Its watchers are the caller's business."""
        item = self._log.delete(keys.panel(connection_id))
        after: str | None = None
        while True:
            page = self._log.query(keys.panel_rows(connection_id), after=after, limit=PAGE, consistent=True)
            for row in page.rows:
                self._log.delete(row.key)
            if page.after is None:
                return None if item is None else _session(connection_id, upgraded(item))
            after = page.after

    def _hold(self, connection_id: str, holder: str) -> Session:
        key = keys.panel(connection_id)
        for _ in attempts(PATIENCE, base_ms=20, cap_ms=300):
            now = self._clock()
            try:
                _, item = self._log.update(
                    key,
                    (Set("held", now + HOLD_MS), Set("holder", holder)),
                    when=(Present(), AtMost("held", now)),
                )
            except ConditionFailed as failure:
                if failure.old is None:
                    raise Closed(connection_id) from failure
                continue
            return _session(connection_id, upgraded(item))
        raise Unavailable("This connection is busy; send the message again")

    def _release(self, connection_id: str, holder: str, fields: Mapping[str, Any]) -> None:
        changes = (Set("held", 0), *(Set(name, value) for name, value in fields.items()))
        try:
            self._log.update(keys.panel(connection_id), changes, when=(Equals("holder", holder),))
        except ConditionFailed:
            return  # it has ended meanwhile


def lane_of(document_id: str) -> int:
    """All occurrences of a series lie in one."""
    return hashlib.sha256(row_id(document_id).encode()).digest()[0] % LANES


def _fields(session: Session) -> Item:
    user = session.user
    return {
        "open": session.open,
        "user": None
        if user is None
        else {
            "account": user.account,
            "id": user.id,
            "kind": user.kind,
            "username": user.username,
            "name": user.name,
            "group": user.group,
        },
        "token": session.token,
        "subs": {each: [sub.name, sub.param, sub.room] for each, sub in session.subscriptions.items()},
    }


def _session(connection_id: str, row: Item) -> Session:
    return Session(
        connection_id,
        row["ends"],
        row["open"],
        None if row["user"] is None else EvokoUser(**row["user"]),
        row["token"],
        {each: Subscription(*fields) for each, fields in row["subs"].items()},
    )
