"""Connections of members and guests of a hub: they open with the hub's key, and tell and are told over them.

A message is `{"service": …}`. `socket.info` answers the connection's own id, which clients name as `socket_id`;
`signaling.message` goes on to the `target`, or to everybody else in the live room that it names.
"""

import json
from collections.abc import Mapping
from typing import Any

from ... import wiring
from ...access.secrets import RootSecrets
from ...body import json_of
from ...clock import Clock
from ...errors import FingerpostError, NotFound, Unauthenticated
from ...ports.connections import MAX_MESSAGE_BYTES, Connections
from ...ports.table import Tables
from ...resources import Document
from .asking import Asked
from .presence import Gathering, Presence, Socket
from .sessions import Session, session_of
from .signals import Signals, signal
from .words import envelope, refusal

INFO, MESSAGE = "socket.info", "signaling.message"


class Departures:
    """What it means for everybody else that a connection has ended."""

    def __init__(self, presence: Presence, connections: Connections):
        self._presence = presence
        self.signals = Signals(presence, connections, self.departed)

    def departed(self, socket: Socket) -> None:
        """Safe to repeat: who is gone is forgotten before anybody is told."""
        for hub, room in self._presence.close(socket):
            self.left(hub, room, socket.id, socket.uid)

    def left(self, hub: str, room: str, socket: str, uid: str) -> Gathering:
        """Take a socket out of a live room, hand that over or close it behind the last one, and tell the others."""
        self._presence.leave(hub, room, socket)
        rest = self._presence.gathered(hub, room)
        if uid not in {each.uid for each in rest.attendees}:
            self._presence.clear_media(hub, room, uid)
        if not rest.attendees:
            if rest.room is not None:
                self._presence.close_behind(rest.room)
            return rest
        if rest.room is not None and rest.presenter is None:
            rest = rest._replace(room=self._presence.led_by(rest.room, rest.attendees[0].socket))
        presenter = rest.presenter.uid if rest.presenter else ""
        said = {"room_id": room, "hub_id": hub, "socket_id": socket, "uid": uid, "presenter_id": presenter}
        self.signals.tell(hub, [each.socket for each in rest.attendees], signal("room.leave", said))
        return rest


class HubSockets:
    """The connections of all hubs. `tables` are unscoped."""

    def __init__(self, tables: Tables, roots: RootSecrets, connections: Connections, clock: Clock):
        self._tables, self._roots, self._connections, self._clock = tables, roots, connections, clock
        self._presence = Presence(tables, clock)
        self._departures = Departures(self._presence, connections)

    def connect(self, connection_id: str, key: str) -> None:
        """Raises Unauthenticated: also for a guest who has come by no link."""
        session = session_of(self._tables, self._roots, key, self._clock())
        if not session.hub:
            raise Unauthenticated("This needs the key of a member, or a public link")
        self._presence.open(_socket(connection_id, session))

    def disconnect(self, connection_id: str) -> None:
        """Forget a connection, if it is one of a hub; safe to repeat."""
        socket = self._presence.sockets([connection_id]).get(connection_id)
        if socket is not None:
            self._departures.departed(socket)

    def message(self, connection_id: str, content: Mapping[str, Any]) -> None:
        """Do what a message asks for, and answer it on the connection."""
        service = str(content["service"])[:80]
        at = self._clock()
        answer: Document
        try:
            socket = self._presence.sockets([connection_id]).get(connection_id)
            if socket is None:
                raise Unauthenticated("This connection was opened without the key of a member of a hub")
            answer = envelope(service, at, self._answer(socket, service, content))
        except FingerpostError as error:
            _, answer = refusal(error, service, at)
        self._connections.send(connection_id, json.dumps(answer, ensure_ascii=False))

    def _answer(self, socket: Socket, service: str, content: Mapping[str, Any]) -> Document:
        match service:
            case "socket.info":
                return {"socket_id": socket.id, "hub_id": socket.hub, "uid": socket.uid, "username": socket.name}
            case "signaling.message":
                return {"told": self._pass_on(socket, content)}
            case _:
                raise NotFound(f"There is no service {service}; over a connection there are {INFO} and {MESSAGE}")

    def _pass_on(self, socket: Socket, content: Mapping[str, Any]) -> int:
        """To the peers that share a live room with the sender; to how many."""
        room = Asked(content).name("room_id")
        gathering = self._presence.gathered(socket.hub, room)
        if gathering.at(socket.id) is None:
            raise NotFound("You are not in this room")
        target = Asked(content).object("target")
        wanted = [
            each.socket
            for each in gathering.attendees
            if each.socket != socket.id and all(target.get(name) in (None, "", at) for name, at in _named(each))
        ]
        if target and not wanted:
            raise NotFound("Nobody in this room is the target")
        origin = {"socket_id": socket.id, "uid": socket.uid, "username": socket.name}
        return self._departures.signals.tell(socket.hub, wanted, {**content, "service": MESSAGE, "origin": origin})


def _named(attendee: Any) -> tuple[tuple[str, str], ...]:
    return ("socket_id", attendee.socket), ("uid", attendee.uid), ("device_id", attendee.device)


def content_of(text: str) -> Mapping[str, Any] | None:
    """A message to a hub, by its `service`; None for one that is meant for somebody else."""
    if len(text) > MAX_MESSAGE_BYTES:
        return None
    content = json_of(text)
    return content if isinstance(content, dict) and "service" in content else None


def hub_sockets() -> HubSockets:
    """The connections of this deployment."""
    return HubSockets(wiring.tables(), wiring.root_secrets(), wiring.connections(), wiring.clock)


def _socket(connection_id: str, session: Session) -> Socket:
    return Socket(
        id=connection_id,
        account=session.account,
        hub=session.hub,
        uid=session.id,
        name=session.name,
        privilege=session.privilege or "",
        key=session.key,
    )
