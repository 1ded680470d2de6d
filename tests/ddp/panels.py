"""Panels over real WebSockets, and Joan's API beside them, at a server that runs."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from contextlib import ExitStack
from hashlib import sha256
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.running import Server

DAY_MS = 86_400_000


class Panel:
    """One connection that is logged in; `subscribe` and `call` wait for their answer."""

    def __init__(self, server: Server):
        self.demo = demo_of(server)
        self._open = ExitStack()
        address = f"ws://localhost:{server.api_port}/websocket"
        self.socket: ClientConnection = self._open.enter_context(connect(address, max_size=None))
        self._calls = 0
        self.say({"msg": "connect", "version": 1, "support": ["1", "pre2", "pre1"]})
        self.until("connected")
        digest = sha256(self.demo["ddp"]["password"].encode()).hexdigest()
        password = {"digest": digest, "algorithm": "sha-256"}
        answer = self.call("login", {"user": {"username": self.demo["ddp"]["username"]}, "password": password})
        assert answer["result"]["type"] == "password"

    def say(self, message: Any) -> None:
        self.socket.send(json.dumps(message))

    def until(self, *kinds: str) -> Any:
        """The next message of one of these kinds; answers pings."""
        while True:
            message = json.loads(self.socket.recv(timeout=60))
            if message["msg"] == "ping":
                self.say({"msg": "pong"})
            if message["msg"] in kinds:
                return message

    def call(self, method: str, *params: Any) -> Any:
        self._calls += 1
        self.say({"msg": "method", "id": str(self._calls), "method": method, "params": list(params)})
        return self.until("result")

    def subscribe(self, name: str, *params: Any) -> None:
        self.say({"msg": "sub", "id": name, "name": name, "params": list(params)})
        assert self.until("ready", "nosub")["msg"] == "ready"

    def close(self) -> None:
        self._open.close()


class Joan:
    """A client of Joan's API, with a token."""

    def __init__(self, server: Server):
        self._api, self.demo = server.api, demo_of(server)
        client = f"{self.demo['joan']['clientId']}:{self.demo['joan']['clientSecret']}"
        form = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
        basic = {"authorization": f"Basic {b64encode(client.encode()).decode()}"}
        status, answer = self._ask("/api/token/", form, basic)
        assert status == 200, answer
        self._bearer = {"authorization": f"Bearer {answer['access_token']}", "content-type": "application/json"}

    def book(self, start: str, end: str, title: str = "Stand-up", room: str = "main") -> tuple[int, Any]:
        sent = {"source": self.demo["rooms"][room]["email"], "start": start, "end": end, "title": title}
        return self._ask("/api/v1.0/events/book/", json.dumps(sent).encode(), self._bearer)

    def _ask(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(urllib.request.Request(self._api + path, body, headers), timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.loads(refusal.read())


def demo_of(server: Server) -> Any:
    return json.loads((server.home / ".fingerpost" / "demo.json").read_text())


def slot(days: int) -> tuple[str, str]:
    """Half an hour at noon, so many days from now."""
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * DAY_MS / 1_000))
    return f"{day}T12:00:00+00:00", f"{day}T12:30:00+00:00"
