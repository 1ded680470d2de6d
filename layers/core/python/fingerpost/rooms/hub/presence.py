"""Who is where just now: live rooms, who is in them and with what switched on, connections. All of it expires.

A connection lasts two hours at most, and so does what it left behind. Somebody whose connection is known to have ended
is dropped by whoever looks; a socket that is none of ours (a client that was told nothing by us) stays until it leaves.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from ...clock import Clock
from ...keys import ONLY, row_of
from ...live.store import LONGEST_MS
from ...ports.table import LAST, Absent, ConditionFailed, Equals, Item, Row, Set, Table, Tables
from ...shapes import stamp, upgraded
from .. import keys

LIVES_MS = 24 * 3_600_000  # a live room, whoever comes and goes
PAGE = 200
MAX_ATTENDEES = 200  # of one live room
MAX_ROOMS = 100  # live ones that a hub has listed


class LiveRoom(NamedTuple):
    """`presenter` is the socket of who leads; `parent` the room that a screen is shared from."""

    account: str
    hub: str
    id: str
    type: str
    presenter: str
    status: str  # waiting, started
    created_at: int
    parent: str = ""


class Attendee(NamedTuple):
    """`known` says whether the socket was a connection of ours when it came."""

    socket: str
    uid: str
    name: str
    device: str
    privilege: str
    address: str
    route: str
    joined_at: int
    known: bool


class Media(NamedTuple):
    """What somebody has switched on. `by` is the session that said so."""

    uid: str
    name: str
    mic: bool
    video: bool
    share: bool
    write: bool
    metadata: Any
    by: str


class Socket(NamedTuple):
    """A connection of somebody in a hub. `key` is the row that its key or its link has: without it this is closed."""

    id: str
    account: str
    hub: str
    uid: str
    name: str
    privilege: str
    key: str


class Gathering(NamedTuple):
    """A live room with everybody in it, who came first before the others."""

    room: LiveRoom | None
    attendees: tuple[Attendee, ...]
    media: tuple[Media, ...]

    def at(self, socket: str) -> Attendee | None:
        return next((each for each in self.attendees if each.socket == socket), None)

    @property
    def presenter(self) -> Attendee | None:
        return self.at(self.room.presenter) if self.room else None


class Presence:
    """The rows. `tables` are unscoped: hubs and connections are named by ids that are nobody else's."""

    def __init__(self, tables: Tables, clock: Clock):
        self._main: Table = tables.main
        self._log: Table = tables.log
        self._clock = clock

    # ---- live rooms

    def gathered(self, hub: str, room: str) -> Gathering:
        """Whoever is in a live room now; who has gone unnoticed is dropped."""
        rows = list(self._all(keys.live_room_rows(hub, room)))
        found = next((_room(hub, each.item) for each in rows if each.key.sk == ONLY), None)
        attendees = [_attendee(each) for each in rows if each.key.sk.startswith(keys.ATTENDEES)]
        open_ = self._open(each.socket for each in attendees if each.known)
        here = [each for each in attendees if not each.known or each.socket in open_]
        for each in attendees:
            if each not in here:
                self._log.delete(keys.attendee(hub, room, each.socket))
        here.sort(key=lambda each: (each.joined_at, each.socket))
        media = tuple(_media(each.item) for each in rows if each.key.sk.startswith(keys.MEDIA))
        return Gathering(found, tuple(here), media)

    def begin(self, room: LiveRoom) -> LiveRoom:
        """Open a live room; answers the one that is there already."""
        expires = self._clock() + LIVES_MS
        try:
            self._log.put(keys.live_room(room.hub, room.id), _room_item(room), when=(Absent(),), expires_at=expires)
        except ConditionFailed as failure:
            assert failure.old is not None
            return _room(room.hub, failure.old)
        listed = {**stamp("hubRoomOf"), "room": room.id}
        self._log.put(keys.live_room_of(room.hub, room.id), listed, expires_at=expires)
        return room

    def led_by(self, room: LiveRoom, socket: str) -> LiveRoom:
        """Hand the room over, unless somebody else has just done so; answers the room as it is."""
        return self._changed(room, Set("presenter", socket))

    def started(self, room: LiveRoom) -> LiveRoom:
        return self._changed(room, Set("status", "started"))

    def close_behind(self, room: LiveRoom) -> None:
        """Forget a live room that the last one has left, unless somebody else leads it by now."""
        try:
            self._log.delete(keys.live_room(room.hub, room.id), when=(Equals("presenter", room.presenter),))
        except ConditionFailed:
            return
        self._log.delete(keys.live_room_of(room.hub, room.id))

    def end(self, hub: str, room: str) -> None:
        """Forget a live room with everything in it."""
        for row in list(self._all(keys.live_room_rows(hub, room))):
            if row.key.sk.startswith(keys.ATTENDEES):
                self._log.delete(keys.hub_socket_in(row.key.sk.removeprefix(keys.ATTENDEES), room))
            self._log.delete(row.key)
        self._log.delete(keys.live_room_of(hub, room))

    def rooms(self, hub: str) -> list[str]:
        """The ids of a hub's live rooms."""
        page = self._log.query(keys.live_rooms(hub), limit=MAX_ROOMS, consistent=True)
        return [str(upgraded(each.item)["room"]) for each in page.rows]

    # ---- who is in them

    def enter(self, hub: str, room: str, attendee: Attendee) -> None:
        expires = attendee.joined_at + LONGEST_MS
        self._log.put(keys.attendee(hub, room, attendee.socket), _attendee_item(attendee), expires_at=expires)
        if attendee.known:
            inside = {**stamp("hubSocketIn"), "hub": hub, "room": room}
            self._log.put(keys.hub_socket_in(attendee.socket, room), inside, expires_at=expires)

    def leave(self, hub: str, room: str, socket: str) -> bool:
        """Whether they were there."""
        self._log.delete(keys.hub_socket_in(socket, room))
        return self._log.delete(keys.attendee(hub, room, socket)) is not None

    def media_of(self, hub: str, room: str, uid: str) -> Media | None:
        item = self._log.get(keys.media(hub, room, uid), consistent=True)
        return None if item is None else _media(item)

    def set_media(self, hub: str, room: str, media: Media) -> None:
        item = {**stamp("hubMedia"), **media._asdict(), "metadata": json.dumps(media.metadata, ensure_ascii=False)}
        self._log.put(keys.media(hub, room, media.uid), item, expires_at=self._clock() + LONGEST_MS)

    def clear_media(self, hub: str, room: str, uid: str) -> None:
        self._log.delete(keys.media(hub, room, uid))

    # ---- connections

    def open(self, socket: Socket) -> None:
        item = {**stamp("hubSocket"), **socket._asdict()}
        expires = self._clock() + LONGEST_MS
        self._log.put(keys.hub_socket(socket.id), item, expires_at=expires)
        of_hub = {**stamp("hubSocketOf"), "uid": socket.uid, "privilege": socket.privilege}
        self._log.put(keys.hub_socket_of(socket.hub, socket.id), of_hub, expires_at=expires)

    def sockets(self, ids: list[str]) -> dict[str, Socket]:
        """Those that are open, by id, and what opened them still stands."""
        items = self._log.get_many([keys.hub_socket(each) for each in dict.fromkeys(ids)], consistent=True)
        found = [_socket(item) for item in items.values()]
        standing = self._main.get_many([row_of(each.key) for each in found], consistent=True)
        return {each.id: each for each in found if row_of(each.key) in standing}

    def sockets_of(self, hub: str) -> list[Socket]:
        """Every open connection of a hub."""
        return list(self.sockets([row.key.sk for row in self._all(keys.hub_sockets(hub))]).values())

    def close(self, socket: Socket) -> list[tuple[str, str]]:
        """Forget a connection; answers the (hub, room) of each live room that it was in."""
        rows = list(self._all(keys.hub_socket_rows(socket.id)))
        inside = [upgraded(each.item) for each in rows if each.key.sk.startswith(keys.ATTENDEES)]
        for row in rows:
            self._log.delete(row.key)
        self._log.delete(keys.hub_socket_of(socket.hub, socket.id))
        return [(str(each["hub"]), str(each["room"])) for each in inside]

    # ---- how

    def _open(self, sockets: Iterator[str]) -> set[str]:
        return set(self.sockets(list(sockets)))

    def _all(self, partition: str) -> Iterator[Row]:
        after: str | None = None
        while True:
            page = self._log.query(partition, high=LAST, after=after, limit=PAGE, consistent=True)
            yield from page.rows
            if (after := page.after) is None:
                return

    def _changed(self, room: LiveRoom, change: Set) -> LiveRoom:
        when = (Equals("presenter", room.presenter),)
        try:
            _, new = self._log.update(keys.live_room(room.hub, room.id), (change,), when=when)
        except ConditionFailed as failure:
            return room if failure.old is None else _room(room.hub, failure.old)
        return _room(room.hub, new)


def _room_item(room: LiveRoom) -> Item:
    named = {name: value for name, value in room._asdict().items() if name != "hub"}
    return {**stamp("hubRoom"), **named}


def _room(hub: str, item: Item) -> LiveRoom:
    row = upgraded(item)
    return LiveRoom(hub=hub, **{name: row[name] for name in LiveRoom._fields if name != "hub"})


def _attendee_item(attendee: Attendee) -> Item:
    named = {name: value for name, value in attendee._asdict().items() if name != "socket"}
    return {**stamp("hubAttendee"), **named}


def _attendee(found: Row) -> Attendee:
    row = upgraded(found.item)
    named = {name: row[name] for name in Attendee._fields if name != "socket"}
    return Attendee(socket=found.key.sk.removeprefix(keys.ATTENDEES), **named)


def _media(item: Item) -> Media:
    row = upgraded(item)
    return Media(**{**{name: row[name] for name in Media._fields}, "metadata": json.loads(row["metadata"])})


def _socket(item: Item) -> Socket:
    row = upgraded(item)
    return Socket(**{name: row[name] for name in Socket._fields})
