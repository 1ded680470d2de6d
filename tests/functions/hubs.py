"""Hubs of a world, and who asks the ROOM service with which key."""

import importlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fingerpost.ports.connections import ConnectionGone
from fingerpost.rooms.hubs import COOKIE, SELECTED
from tests.functions.world import Answer, World

live = importlib.import_module("functions.live.app").handler
SERVICES = "/-/svc/room."


@dataclass(frozen=True)
class HubClient:
    """Somebody with a key of a hub; without one anybody at all."""

    world: World
    hub: str
    key: str | None
    id: str = ""

    def ask(self, service: str, **sent: Any) -> Answer:
        return self.world.nobody.post(SERVICES + service, sent, headers=self.headers)

    def by_query(self, service: str, **sent: Any) -> Answer:
        """As one URL-encoded object that is the whole query."""
        return self.world.nobody.get(f"{SERVICES}{service}?{quote(json.dumps(sent))}", headers=self.headers)

    def said(self, service: str, **sent: Any) -> Any:
        """What a call that has to succeed answers."""
        answer = self.ask(service, **sent)
        assert answer.status == 200, answer
        assert answer.document["__ack__"] == f"room.{service}"
        return answer.document["data"]

    def refused(self, service: str, **sent: Any) -> tuple[int, str]:
        answer = self.ask(service, **sent)
        document = answer.document
        assert answer.status == document["error_code"] >= 400, answer
        assert (document["__status__"], document["status"]) == ("error", "error")
        return answer.status, document["error"]

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.key is None else {SELECTED: COOKIE, f"x-param-{COOKIE}": self.key}


@dataclass(frozen=True)
class Hub:
    """A hub with an administrator, a writer and a reader. `room` is the room's document that it is tied to."""

    world: World
    id: str
    room: Any
    admin: HubClient
    writer: HubClient
    reader: HubClient

    @property
    def nobody(self) -> HubClient:
        return HubClient(self.world, self.id, None)

    def guest(self, key: str) -> HubClient:
        return HubClient(self.world, self.id, key)

    def opened(self, link: str, **sent: Any) -> HubClient:
        """Whoever has come by a link."""
        answer = self.world.nobody.post(link.removeprefix("https://api.example"), sent)
        assert answer.status == 200, answer
        return self.guest(answer.document["data"]["regsid"])


def hub_of(world: World, room: Any = None, *, area: str = "share") -> Hub:
    tied = {} if room is None else {"room": room["id"]}
    hub = world.operator.made("/rooms/hubs", {"name": "Harbour meetings", "area": area, **tied})["id"]
    members = {}
    for privilege, name in (("admin", "Clare Roche"), ("write", "Nora Byrne"), ("read", "Ben Doyle")):
        sent = {"name": name, "email": f"{privilege}@museum.example", "privilege": privilege}
        made = world.operator.made(f"/rooms/hubs/{hub}/members", sent)
        members[privilege] = HubClient(world, hub, made["key"], made["id"])
    return Hub(world, hub, room, members["admin"], members["write"], members["read"])


class Wires:
    """The WebSocket connections of a world: what was written to each; those in `gone` have ended unnoticed."""

    def __init__(self) -> None:
        self.told: dict[str, list[Any]] = {}
        self.gone: set[str] = set()

    def send(self, connection_id: str, text: str) -> None:
        if connection_id in self.gone:
            raise ConnectionGone(connection_id)
        self.told.setdefault(connection_id, []).append(json.loads(text))

    def open(self, connection_id: str, client: HubClient) -> int:
        return self._event("$connect", connection_id, headers={"Cookie": f"{COOKIE}={client.key}"})

    def say(self, connection_id: str, **content: Any) -> Any:
        """What the connection is answered."""
        assert self._event("$default", connection_id, body=json.dumps(content)) == 200
        return self.told[connection_id].pop()

    def close(self, connection_id: str) -> int:
        return self._event("$disconnect", connection_id)

    def heard(self, connection_id: str) -> list[Any]:
        """What it was told since it was asked last."""
        return self.told.pop(connection_id, [])

    def _event(self, route: str, connection_id: str, **more: Any) -> int:
        context = {"routeKey": route, "connectionId": connection_id, "requestId": f"request of {connection_id}"}
        status: int = live({"requestContext": context, **more})["statusCode"]
        return status
