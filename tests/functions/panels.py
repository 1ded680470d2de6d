"""Panels at the DDP server, one message at a time, as API Gateway and the queue of messages bring them."""

import importlib
import itertools
import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from fingerpost import wiring
from fingerpost.caller import Caller
from fingerpost.ports.connections import ConnectionGone
from fingerpost.rooms import logins, people, setup
from fingerpost.rooms.bookings import Bookings
from fingerpost.rooms.documents import NewRoom
from fingerpost.rooms.model import Booking, By, Room
from fingerpost.rooms.rooms import Rooms
from tests.functions.world import DOMAIN, HOUR, ROOTS, World
from tests.stores import caller_of

handler = importlib.import_module("functions.evoko.app").handler
JOAN = By(source="joan", client="c1")


class Wires:
    """What was written to each connection; those in `gone` are closed."""

    def __init__(self) -> None:
        self.told: dict[str, list[Any]] = defaultdict(list)
        self.gone: set[str] = set()
        self.closed: list[str] = []

    def send(self, connection_id: str, text: str) -> None:
        if connection_id in self.gone:
            raise ConnectionGone(connection_id)
        self.told[connection_id].append(json.loads(text))

    def close(self, connection_id: str) -> None:
        self.closed.append(connection_id)


class Panel:
    """One connection. What it was told is in `documents`, as a client merges it, and in `heard`, as it came."""

    def __init__(self, house: "House", name: str):
        self.house, self.id = house, name
        self.documents: dict[str, dict[str, Any]] = defaultdict(dict)
        self._calls = itertools.count(1)
        assert self._event("$connect") == 200

    def hear(self) -> list[Any]:
        """All that has come since it was asked last; each `added` is of a document that was not there."""
        told = self.house.wires.told[self.id]
        heard, told[:] = list(told), []
        for each in heard:
            documents = self.documents[each.get("collection", "")]
            match each["msg"]:
                case "added":
                    assert each["id"] not in documents, each
                    documents[each["id"]] = each["fields"]
                case "changed":
                    documents[each["id"]] |= each.get("fields", {})
                    for name in each.get("cleared", ()):
                        del documents[each["id"]][name]
                case "removed":
                    del documents[each["id"]]
        return heard

    def say(self, message: Any) -> list[Any]:
        """A message, and what comes of it at once."""
        text = message if isinstance(message, str) else json.dumps(message)
        assert self._event("$default", body=text) == 200
        return self.hear()

    def open(self) -> "Panel":
        (answer,) = self.say({"msg": "connect", "version": "1", "support": ["1", "pre2", "pre1"]})
        assert answer["msg"] == "connected" and answer["session"]
        return self

    def call(self, method: str, *params: Any) -> list[Any]:
        return self.say({"msg": "method", "id": str(next(self._calls)), "method": method, "params": list(params)})

    def result(self, method: str, *params: Any) -> Any:
        """What a method answers; it has to succeed."""
        answers = self.call(method, *params)
        (answer,) = (each for each in answers if each["msg"] == "result")
        assert "error" not in answer, answer
        assert {"msg": "updated", "methods": [answer["id"]]} in answers
        return answer.get("result")

    def error(self, method: str, *params: Any) -> Any:
        answers = self.call(method, *params)
        (answer,) = (each for each in answers if each["msg"] == "result")
        assert {"msg": "updated", "methods": [answer["id"]]} in answers
        error = answer["error"]
        assert error["isClientSafe"] is True and error["errorType"] == "Meteor.Error"
        return error

    def refused(self, method: str, *params: Any) -> tuple[Any, Any]:
        """Code and reason."""
        error = self.error(method, *params)
        assert error["message"] == f"{error['reason']} [{error['error']}]"
        return error["error"], error["reason"]

    def log_in(self, username: str = logins.DEFAULT_USER, password: str | None = None) -> Any:
        secret = self.house.token if password is None else password
        digest = {"digest": logins.digest_of(secret), "algorithm": "sha-256"}
        return self.result("login", {"user": {"username": username}, "password": digest})

    def subscribe(self, name: str, *params: Any, sub: str = "") -> list[Any]:
        sub = sub or name
        answers = self.say({"msg": "sub", "id": sub, "name": name, "params": list(params)})
        assert answers[-1] == {"msg": "ready", "subs": [sub]}, answers
        return answers[:-1]

    def unsubscribe(self, sub: str) -> list[Any]:
        answers = self.say({"msg": "unsub", "id": sub})
        assert answers[-1] == {"msg": "nosub", "id": sub}
        return answers[:-1]

    def leave(self) -> None:
        assert self._event("$disconnect") == 200

    def _event(self, route: str, **more: Any) -> int:
        context = {"routeKey": route, "connectionId": self.id, "requestId": f"m{next(self.house.world.numbers)}"}
        status: int = handler({"requestContext": context, **more})["statusCode"]
        return status


class House:
    """Rooms of the world's account, and a client group that opens the panels' server."""

    def __init__(self, world: World, wires: Wires):
        self.world, self.wires = world, wires
        self._names = itertools.count(1)
        self.group, self.token = logins.create_group(self.caller, ROOTS, "Panels")

    @property
    def caller(self) -> Caller:
        return caller_of(self.world.tables, self.world.account, self.world.clock())

    @property
    def bookings(self) -> Bookings:
        return Bookings(self.caller.tables, wiring.clock)

    @property
    def rooms(self) -> Rooms:
        return Rooms(self.caller.tables)

    def room(self, name: str = "Fika room", **more: Any) -> Room:
        sent = NewRoom.model_validate({"name": name, "timezone": "Europe/Stockholm", **more})
        made = setup.create(self.caller, self.world.tables, sent, DOMAIN, None)
        return self.rooms.get(made.id)

    def person(self, name: str = "Ann", **more: Any) -> str:
        return people.create(self.caller, ROOTS, {"name": name, **more}).id

    def book(self, room: Room, start: int = HOUR, minutes: int = 30, **more: Any) -> Booking:
        """Through another API; `start` is in milliseconds from now."""
        at = self.world.clock() + start
        return self.bookings.book(room, at, at + minutes * 60_000, **{"by": JOAN, "title": "Stand-up", **more})

    def panel(self) -> Panel:
        """One that is connected."""
        return Panel(self, f"c{next(self._names)}").open()

    def at_the_door(self) -> Panel:
        """One that is connected and logged in."""
        panel = self.panel()
        panel.log_in()
        return panel

    def rows(self, *kinds: str) -> list[Mapping[str, Any]]:
        return [row for row in self.world.rows().values() if row["k"] in kinds]


def at(hours: int, minutes: int = 0) -> str:
    """A moment of the day on which the tests take place."""
    return f"2026-03-15T{hours:02d}:{minutes:02d}:00+00:00"
