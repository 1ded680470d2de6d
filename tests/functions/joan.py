"""A client of Joan's API: its token, its requests, and rooms to book."""

import base64
from dataclasses import dataclass
from itertools import count
from typing import Any

from tests.functions.rooms import room
from tests.functions.world import SECOND, Answer, Client, World

V1 = "/api/v1.0"
_made = count()
FORM = {"content-type": "application/x-www-form-urlencoded"}


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


@dataclass(frozen=True)
class JoanClient:
    world: World
    client_id: str
    secret: str
    token: str

    def get(self, path: str, **query: Any) -> Answer:
        return self._client.get(f"{V1}/{path}", **query)

    def read(self, path: str, **query: Any) -> Any:
        answer = self.get(path, **query)
        assert answer.status == 200, answer
        return answer.document

    def post(self, path: str, body: Any, **more: Any) -> Answer:
        return self._client.post(f"{V1}/{path}", body, **more)

    def call(self, method: str, path: str, *body: Any) -> Answer:
        return self._client.call(method, f"{V1}/{path}", *body)

    def book(self, source: Any, start: str = "2026-03-16T09:00", end: str = "2026-03-16T10:00", **more: Any) -> Any:
        answer = self.post("events/book/", {"source": source, "start": start, "end": end, **more})
        assert answer.status == 201, answer
        return answer.document

    @property
    def _client(self) -> Client:
        return Client(self.world, f"Bearer {self.token}")


def token_answer(world: World, body: str, headers: dict[str, str] | None = None) -> Answer:
    return world.nobody.post("/api/token/", raw_body=body.encode(), headers={**FORM, **(headers or {})})


def joan_client(world: World) -> JoanClient:
    made = world.operator.made("/rooms/credentials/joan", {"name": "Lobby scripts"})
    client_id, secret = made["clientId"], made["clientSecret"]
    answer = token_answer(world, "grant_type=client_credentials", basic(client_id, secret))
    assert answer.status == 200, answer
    return JoanClient(world, client_id, secret, answer.document["access_token"])


def dublin_room(world: World, name: str = "Glass Room", **more: Any) -> Any:
    """Rooms of one moment have no order: each is made a little after the one before."""
    now, world.clock.now = world.clock.now, world.clock.now - SECOND + next(_made)
    try:
        return room(world, name, timezone="Europe/Dublin", **more)
    finally:
        world.clock.now = now
