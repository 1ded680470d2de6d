"""The room systems as their clients know them, on a running server: each books a slot and reads back what it holds."""

import base64
import hashlib
import itertools
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any, Literal

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.running import Server

type Outcome = Literal["booked", "taken", "silence"]
type Interval = tuple[int, int]  # epoch milliseconds

NO_ANSWER = (OSError, HTTPException, WebSocketException, EOFError)


class System(ABC):
    """`room` is the demo's `main`, as `demo.json` tells of it."""

    def __init__(self, server: Server):
        self.server = server
        self.demo = json.loads((server.home / ".fingerpost" / "demo.json").read_text())
        self.room = self.demo["rooms"]["main"]

    def book(self, start: int, end: int, title: str) -> tuple[Outcome, Any]:
        """How it went, and the system's own answer."""
        try:
            return self._book(start, end, title)
        except NO_ANSWER as error:
            return "silence", repr(error)

    @abstractmethod
    def _book(self, start: int, end: int, title: str) -> tuple[Outcome, Any]: ...

    @abstractmethod
    def booked(self, start: int, end: int) -> list[Interval]:
        """What the system shows of the room within a range."""


class Operators(System):
    def _book(self, start: int, end: int, title: str) -> tuple[Outcome, Any]:
        status, answer = _asked(
            f"{self.server.api}/rooms/{self.room['id']}/bookings",
            {"authorization": self.server.key},
            {"start": start, "end": end, "title": title},
        )
        return _outcome(status, answer, 201)

    def booked(self, start: int, end: int) -> list[Interval]:
        path = f"/rooms/{self.room['id']}/bookings?from={start}&to={end}"
        return [(each["start"], each["end"]) for each in self.server.ask(path)]


class Joan(System):
    def __init__(self, server: Server):
        super().__init__(server)
        client = self.demo["joan"]
        basic = base64.b64encode(f"{client['clientId']}:{client['clientSecret']}".encode()).decode()
        request = urllib.request.Request(
            f"{server.api}/api/token/", b"grant_type=client_credentials", {"authorization": f"Basic {basic}"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            self._headers = {"authorization": f"Bearer {json.load(answer)['access_token']}"}

    def _book(self, start: int, end: int, title: str) -> tuple[Outcome, Any]:
        body = {"source": self.room["email"], "start": _text(start), "end": _text(end), "title": title}
        return _outcome(*_asked(f"{self.server.api}/api/v1.0/events/book/", self._headers, body), 201)

    def booked(self, start: int, end: int) -> list[Interval]:
        query = urllib.parse.urlencode({"start": _text(start), "end": _text(end)})
        status, answer = _asked(f"{self.server.api}/api/v1.0/events/?{query}", self._headers)
        assert status == 200, answer
        (events,) = [each["events"] for each in answer if each["room"]["email"] == self.room["email"]]
        return [(_moment(each["start"]), _moment(each["end"])) for each in events]


class RoomVox(System):
    def __init__(self, server: Server):
        super().__init__(server)
        self._headers = {"authorization": f"Bearer {self.demo['roomvox']['book']}"}
        self._bookings = f"{server.api}/apps/roomvox/api/v1/rooms/{self.room['roomvoxId']}/bookings"

    def _book(self, start: int, end: int, title: str) -> tuple[Outcome, Any]:
        body = {"summary": title, "start": _text(start), "end": _text(end), "organizerEmail": "walkin@museum.example"}
        return _outcome(*_asked(self._bookings, self._headers, body), 201)

    def booked(self, start: int, end: int) -> list[Interval]:
        query = urllib.parse.urlencode({"from": _text(start), "to": _text(end)})
        status, answer = _asked(f"{self._bookings}?{query}", self._headers)
        assert status == 200, answer
        listed = answer["bookings"] if isinstance(answer, dict) else answer
        return [(_moment(each["start"]), _moment(each["end"])) for each in listed]


class Hub(System):
    """The demo's hub, which is tied to the room. It lists its own meetings, and nothing that others have booked."""

    def __init__(self, server: Server):
        super().__init__(server)
        self._headers = self.demo["roomService"]["adminHeaders"]

    def _book(self, start: int, end: int, title: str) -> tuple[Outcome, Any]:
        return _outcome(*self._asked("book", {"title": title, "stime": start // 1000, "etime": end // 1000}), 200)

    def booked(self, start: int, end: int) -> list[Interval]:
        status, answer = self._asked("list", {"stime": start // 1000, "etime": end // 1000})
        assert status == 200, answer
        held = [each["metadata"]["content"] for each in answer["data"] if each["metadata"]["room_status"] == "booked"]
        return [(each["stime"] * 1000, each["etime"] * 1000) for each in held]

    def _asked(self, service: str, parameters: dict[str, Any]) -> tuple[int, Any]:
        body = {"hub_id": self.demo["roomService"]["hubId"], **parameters}
        return _asked(f"{self.server.api}/-/svc/room.{service}", self._headers, body)


class Evoko(System):
    def _book(self, start: int, end: int, title: str) -> tuple[Outcome, Any]:
        with self.opened() as panel:
            self.log_in(panel)
            answer = _called(
                panel,
                "createBooking",
                {
                    "roomId": self.room["evokoId"],
                    "startDate": _text(start),
                    "endDate": _text(end),
                    "subject": title,
                    "metadata": {"demoMode": False},
                },
            )
        if "error" in answer:
            assert (answer["error"]["error"], answer["error"]["reason"]) == (400, "MeetingSuccessExists"), answer
            return "taken", answer
        assert answer["result"]["message"] == "MeetingSuccessCreated", answer
        return "booked", answer

    def booked(self, start: int, end: int) -> list[Interval]:
        with self.opened() as panel:
            self.log_in(panel)
            fields = self.subscribe(panel)
        found = [(_moment(each["booking"]["startDate"]), _moment(each["booking"]["endDate"])) for each in fields]
        return [each for each in found if start <= each[0] < end]

    def opened(self) -> AbstractContextManager[ClientConnection]:
        return connect(f"ws://localhost:{self.server.api_port}/websocket", open_timeout=20)

    def log_in(self, panel: ClientConnection) -> None:
        panel.send(json.dumps({"msg": "connect", "version": "1", "support": ["1"]}))
        ddp = self.demo["ddp"]
        digest = hashlib.sha256(ddp["password"].encode()).hexdigest()
        answer = _called(
            panel,
            "login",
            {"user": {"username": ddp["username"]}, "password": {"digest": digest, "algorithm": "sha-256"}},
        )
        assert "result" in answer, answer

    def subscribe(self, panel: ClientConnection) -> list[dict[str, Any]]:
        """The room's bookings until the subscription is ready."""
        panel.send(json.dumps({"msg": "sub", "id": "s", "name": "allBookings", "params": [self.room["evokoId"]]}))
        added = []
        while (message := json.loads(panel.recv(20))).get("msg") != "ready":
            if message.get("msg") == "added" and message["collection"] == "bookings":
                added.append(message["fields"])
        return added


_calls = itertools.count()


def _called(panel: ClientConnection, method: str, parameter: dict[str, Any]) -> dict[str, Any]:
    wanted = str(next(_calls))
    panel.send(json.dumps({"msg": "method", "method": method, "id": wanted, "params": [parameter]}))
    while True:
        message: dict[str, Any] = json.loads(panel.recv(20))
        if message.get("msg") == "result" and message["id"] == wanted:
            return message


def _asked(address: str, headers: dict[str, str], body: Any = None) -> tuple[int, Any]:
    sent = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, sent, {"content-type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read())


def _outcome(status: int, answer: Any, booked: int) -> tuple[Outcome, Any]:
    assert status in (booked, 409), (status, answer)
    return ("booked" if status == booked else "taken"), answer


def _text(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat()


def _moment(text: str | int) -> int:
    return text if isinstance(text, int) else int(datetime.fromisoformat(text).timestamp() * 1000)


def hour_ahead(hours: int) -> int:
    """A whole hour, so many hours from now."""
    hour = 3_600_000
    return time.time_ns() // 1_000_000 // hour * hour + hours * hour
