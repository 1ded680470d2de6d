"""The `Queue` of one machine: several queues in one SQLite file, every message on disk before `send` answers."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from sqlite3 import Connection

from ..clock import Clock, now_ms
from ..ports.queue import MAX_RECEIVED, Message, check_message, check_receive
from .store import SqliteFile

DEAD_AFTER = 5  # attempts
_MAX_ROUNDS = 10  # of one `receive` that finds dead messages in place of live ones

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages(id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, grp TEXT NOT NULL,
    dead INTEGER NOT NULL, visible_at INTEGER NOT NULL, attempts INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS messages_in_turn ON messages(queue, dead, grp, visible_at, id);
CREATE TABLE IF NOT EXISTS turns(queue TEXT NOT NULL, grp TEXT NOT NULL, turn INTEGER NOT NULL,
    PRIMARY KEY(queue, grp)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS turns_in_order ON turns(queue, turn);
"""
_VISIBLE = """SELECT id, body, attempts FROM messages
    WHERE queue = ? AND dead = 0 AND grp = ? AND visible_at <= ? ORDER BY visible_at, id LIMIT ?"""
_WAITING_GROUPS = """SELECT grp FROM turns WHERE queue = :queue AND EXISTS (SELECT 1 FROM messages
    WHERE queue = :queue AND dead = 0 AND grp = turns.grp AND visible_at <= :now) ORDER BY turn LIMIT :limit"""
_FREE = """ AND NOT EXISTS (SELECT 1 FROM messages
    WHERE queue = :queue AND dead = 0 AND grp = turns.grp AND visible_at > :now AND attempts > 0)"""
_FREE_GROUPS = _WAITING_GROUPS.replace(" ORDER BY turn", _FREE + " ORDER BY turn")
_TAKE_TURN = """INSERT OR {} INTO turns(queue, grp, turn)
    VALUES (:queue, :grp, (SELECT coalesce(max(turn), 0) + 1 FROM turns WHERE queue = :queue))"""
_JOIN, _GO_LAST = _TAKE_TURN.format("IGNORE"), _TAKE_TURN.format("REPLACE")


class SqliteQueue:
    """Implements `Queue` and `DeadLetters`. A group that was served goes to the end of the line; so does a new one.

    A receipt is `<id>:<attempts>`, so that of an earlier delivery deletes nothing.
    """

    def __init__(
        self,
        file: SqliteFile,
        name: str,
        *,
        ordered: bool = False,
        dead_after: int = DEAD_AFTER,
        clock: Clock = now_ms,
    ):
        self.file, self.name = file, name
        self._ordered = ordered
        self._dead_after, self._clock = dead_after, clock

    def send(self, body: str, *, group: str = "", delay_ms: int = 0) -> None:
        check_message(body, group, delay_ms, ordered=self._ordered)
        with self.file.session() as connection:
            connection.execute(
                "INSERT INTO messages(queue, grp, dead, visible_at, attempts, body) VALUES (?, ?, 0, ?, 0, ?)",
                (self.name, group, self._clock() + delay_ms, body),
            )
            connection.execute(_JOIN, {"queue": self.name, "grp": group})

    def receive(self, limit: int = MAX_RECEIVED, visibility_ms: int = 30_000) -> list[Message]:
        check_receive(limit, visibility_ms)
        messages: list[Message] = []
        with self.file.session() as connection:
            now = self._clock()
            for _ in range(_MAX_ROUNDS):
                waiting = self._waiting(connection, now, limit - len(messages))
                for group, (id_, body, attempts) in _in_turns(waiting, limit - len(messages)):
                    connection.execute(_GO_LAST, {"queue": self.name, "grp": group})
                    if attempts >= self._dead_after:
                        connection.execute("UPDATE messages SET dead = 1 WHERE id = ?", (id_,))
                        self._leave(connection, group)
                        continue
                    connection.execute(
                        "UPDATE messages SET attempts = attempts + 1, visible_at = ? WHERE id = ?",
                        (now + visibility_ms, id_),
                    )
                    messages.append(Message(str(id_), body, f"{id_}:{attempts + 1}", attempts + 1))
                if not waiting or len(messages) == limit or not visibility_ms:  # 0: these are visible again
                    break
        return messages

    def delete(self, receipt: str) -> None:
        id_, _, attempts = receipt.partition(":")
        with self.file.session() as connection:
            found = connection.execute(
                "DELETE FROM messages WHERE id = ? AND queue = ? AND attempts = ? AND dead = 0 RETURNING grp",
                (id_, self.name, attempts),
            ).fetchall()
            for (group,) in found:
                self._leave(connection, group)

    def take_back(self) -> int:
        """Make what was received and not deleted visible at once: for when no receiver is left; how many messages."""
        with self.file.session() as connection:
            return connection.execute(
                "UPDATE messages SET visible_at = :now WHERE queue = :queue AND attempts > 0 AND visible_at > :now",
                {"queue": self.name, "now": self._clock()},
            ).rowcount

    def dead(self, limit: int = MAX_RECEIVED) -> list[Message]:
        check_receive(limit, 0)
        rows = self.file.session().connection.execute(
            "SELECT id, body, attempts FROM messages WHERE queue = ? AND dead = 1 ORDER BY id LIMIT ?",
            (self.name, limit),
        )
        return [Message(str(id_), body, f"{id_}:{attempts}", attempts) for id_, body, attempts in rows]

    def redrive(self) -> int:
        with self.file.session() as connection:
            groups = connection.execute(
                "SELECT DISTINCT grp FROM messages WHERE queue = ? AND dead = 1", (self.name,)
            ).fetchall()
            for (group,) in groups:
                connection.execute(_JOIN, {"queue": self.name, "grp": group})
            return connection.execute(
                "UPDATE messages SET dead = 0, attempts = 0, visible_at = ? WHERE queue = ? AND dead = 1",
                (self._clock(), self.name),
            ).rowcount

    def _waiting(self, connection: Connection, now: int, limit: int) -> Mapping[str, Sequence[tuple[int, str, int]]]:
        """Visible messages of each of the `limit` groups whose turn comes next, in turn order.

        Up to `limit` of each; one of an ordered queue's, and none while one is in somebody's hands.
        """
        groups, each = (_FREE_GROUPS, 1) if self._ordered else (_WAITING_GROUPS, limit)
        line = connection.execute(groups, {"queue": self.name, "now": now, "limit": limit}).fetchall()
        return {group: connection.execute(_VISIBLE, (self.name, group, now, each)).fetchall() for (group,) in line}

    def _leave(self, connection: Connection, group: str) -> None:
        """A group without messages leaves the line."""
        connection.execute(
            """DELETE FROM turns WHERE queue = :queue AND grp = :grp AND NOT EXISTS
                (SELECT 1 FROM messages WHERE queue = :queue AND dead = 0 AND grp = :grp)""",
            {"queue": self.name, "grp": group},
        )


def local_queue(folder: Path | str, name: str, *, ordered: bool = False, clock: Clock = now_ms) -> SqliteQueue:
    """A named queue. All of a folder's queues share a file."""
    return SqliteQueue(SqliteFile(Path(folder, "queues.sqlite"), _SCHEMA), name, ordered=ordered, clock=clock)


def _in_turns[T](waiting: Mapping[str, Sequence[T]], limit: int) -> Iterator[tuple[str, T]]:
    """One of each group, then a second one of each, ..., at most `limit` in all."""
    rounds = max(map(len, waiting.values()), default=0)
    line = ((group, mine[turn]) for turn in range(rounds) for group, mine in waiting.items() if turn < len(mine))
    for _, each in zip(range(limit), line, strict=False):
        yield each
