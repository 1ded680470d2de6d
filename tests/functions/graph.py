"""A server on this machine that speaks as much of Facebook's Graph API as signing in needs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

APP = "fb-app-1"


class FakeGraph:
    """`tokens` are whom each token is of, and the Facebook app it was given to."""

    def __init__(self) -> None:
        self.tokens: dict[str, tuple[dict[str, Any], str]] = {}
        self.asked: list[str] = []
        self.answer: tuple[int, bytes] | None = None  # instead of any other
        self.url = ""

    def token(self, name: str, app: str = APP, **profile: Any) -> dict[str, Any]:
        """The body of a sign-in by somebody."""
        self.tokens[name] = ({"id": f"fb-{name}", **profile}, app)
        return {"access": {"token": name, "expires": 1_800_000_000_000}}

    def answered(self, path: str, authorization: str) -> tuple[int, bytes]:
        self.asked.append(path)
        if self.answer is not None:
            return self.answer
        known = self.tokens.get(authorization.removeprefix("Bearer "))
        if known is None:
            return 400, json.dumps({"error": {"message": "Invalid OAuth access token", "code": 190}}).encode()
        profile, app = known
        parts = urlsplit(path)
        if parts.path == "/app":
            return 200, json.dumps({"id": app, "name": "Guide"}).encode()
        assert parts.path == "/me", path
        wanted = parse_qs(parts.query)["fields"][0].split(",")
        return 200, json.dumps({name: profile[name] for name in wanted if name in profile}).encode()


@contextmanager
def serving() -> Iterator[FakeGraph]:
    graph = FakeGraph()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content = graph.answered(self.path, self.headers.get("authorization", ""))
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    graph.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield graph
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
