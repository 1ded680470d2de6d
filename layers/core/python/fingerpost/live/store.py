"""Connections and what they watch, as rows. All of them end by themselves soon after a connection can last."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from .. import keys
from ..clock import Clock
from ..ports.table import ConditionFailed, Equals, Item, Set, Tables
from ..shapes import stamp, upgraded
from .model import Topic, topic_of

LONGEST_MS = 130 * 60_000  # API Gateway ends a connection after two hours
PAGE = 100


class Connected(NamedTuple):
    """One open connection. `bearer` is the hash of its key, so that a revoked key is told nothing more."""

    id: str
    account: str
    bearer: str
    actor: str
    principal: str
    project: str | None
    topics: tuple[Topic, ...]
    version: int
    expires_at: int


class Connections:
    """The rows of connections. `tables` are unscoped: a message names nothing but its connection."""

    def __init__(self, tables: Tables, clock: Clock):
        self._tables, self._clock = tables, clock

    def open(self, connected: Connected) -> None:
        self._tables.main.put(keys.connection(connected.id), _item(connected), expires_at=connected.expires_at)
        if connected.actor == "device":
            own = self._tables.of(connected.account)
            row = keys.presence(connected.principal, connected.id)
            own.main.put(row, stamp("presence"), expires_at=connected.expires_at)

    def find(self, connection_id: str) -> Connected | None:
        item = self._tables.main.get(keys.connection(connection_id), consistent=True)
        return None if item is None else _connected(connection_id, item)

    def watch(self, connected: Connected, topic: Topic) -> bool:
        """Begin to tell a connection of a topic. False when the connection changed or closed meanwhile."""
        main = self._tables.of(connected.account).main
        main.update(keys.current(topic.id), (*_marks("now"), Set("watched", connected.expires_at)))
        main.put(keys.watcher(topic.id, connected.id, topic.path), stamp("watcher"), expires_at=connected.expires_at)
        return self._keep(connected, (*connected.topics, topic))

    def unwatch(self, connected: Connected, topic: Topic) -> bool:
        own = self._tables.of(connected.account)
        own.main.delete(keys.watcher(topic.id, connected.id, topic.path))
        return self._keep(connected, tuple(each for each in connected.topics if each != topic))

    def close(self, connected: Connected) -> bool:
        """Forget a connection. Answers whether it was the last one of its device."""
        own = self._tables.of(connected.account)
        for topic in connected.topics:
            own.main.delete(keys.watcher(topic.id, connected.id, topic.path))
        self._tables.main.delete(keys.connection(connected.id))
        if connected.actor != "device":
            return False
        own.main.delete(keys.presence(connected.principal, connected.id))
        return not self.is_present(connected.account, connected.principal)

    def is_present(self, account: str, thng_id: str) -> bool:
        """Whether a device has an open connection."""
        page = self._tables.of(account).main.query(keys.presences(thng_id), limit=1, consistent=True)
        return bool(page.rows)

    def watchers(self, account: str, resource_id: str) -> Iterator[tuple[str, Topic]]:
        """(connection, topic) of all that is to be told of a thing's changes."""
        after: str | None = None
        while True:
            page = self._tables.of(account).main.query(
                keys.watchers(resource_id), after=after, limit=PAGE, consistent=True
            )
            for row in page.rows:
                connection_id, _, path = row.key.sk.partition("#")
                if (topic := topic_of(path)) is not None:
                    yield connection_id, topic
            if page.after is None:
                return
            after = page.after

    def _keep(self, connected: Connected, topics: tuple[Topic, ...]) -> bool:
        changed = connected._replace(topics=topics, version=connected.version + 1)
        item, when = _item(changed), (Equals("v", connected.version),)
        try:
            self._tables.main.put(keys.connection(connected.id), item, when=when, expires_at=connected.expires_at)
        except ConditionFailed:
            return False
        return True


def _item(connected: Connected) -> Item:
    item: Item = {
        **stamp("connection"),
        "v": connected.version,
        "account": connected.account,
        "bearer": connected.bearer,
        "actor": connected.actor,
        "id": connected.principal,
        "topics": [topic.path for topic in connected.topics],
        "ends": connected.expires_at,
    }
    return item if connected.project is None else {**item, "project": connected.project}


def _connected(connection_id: str, item: Item) -> Connected:
    row: dict[str, Any] = upgraded(item)
    topics = tuple(topic for path in row["topics"] if (topic := topic_of(path)) is not None)
    return Connected(
        connection_id,
        row["account"],
        row["bearer"],
        row["actor"],
        row["id"],
        row.get("project"),
        topics,
        row["v"],
        row["ends"],
    )


def _marks(kind: str) -> tuple[Set, ...]:
    return tuple(Set(name, value) for name, value in stamp(kind).items())
