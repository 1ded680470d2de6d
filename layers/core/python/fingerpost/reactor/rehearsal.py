"""An API that stands in for the platform while a script is tried: it answers plausibly and notes what it was asked.

It keeps what is created in memory and knows the documents of the event. It checks nothing: no key, no scope, no rule.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..clock import now_ms
from ..ids import new_id

MAX_BODY_BYTES = 4 * 1024 * 1024
_COLLECTIONS = ("thngs", "products", "places", "collections", "actions", "properties", "logs", "bulk", "schedules")

type Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `chain` is its X-Evrythng-Reactor."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    key: str
    chain: str
    status: int


class Rehearsal:
    """`app` is the application's document; `payload` the event, whose thng, product and place can be read."""

    def __init__(self, app: Mapping[str, Any], payload: Mapping[str, Any]):
        self.asked: list[Asked] = []
        self.url = ""
        self._app = dict(app)
        self._lock = threading.Lock()
        self._kept: dict[str, Document] = {}
        for kind in ("thng", "product", "place"):
            document = payload.get(kind)
            if isinstance(document, dict) and isinstance(document.get("id"), str):
                self._kept[f"/{kind}s/{document['id']}"] = document

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> tuple[int, Any]:
        """Status and document."""
        segments = [each for each in path.split("/") if each]
        with self._lock:
            match method, segments:
                case "GET", ["access"]:
                    return 200, {"actor": {"type": "app", "id": self._app["id"]}, "project": self._app["project"]}
                case "GET", ["applications", "me"]:
                    return 200, self._app
                case "GET", _:
                    return 200, self._found(path, segments)
                case "POST", _:
                    return 201, self._created(path, segments, body)
                case "DELETE", _:
                    self._kept.pop(path, None)
                    return 200, None
                case _:
                    return 200, self._updated(path, segments, body)

    def _found(self, path: str, segments: list[str]) -> Any:
        if not _is_list(segments):
            return self._kept.get(path) or {"id": segments[-1] if segments else ""}
        below = (document for place, document in self._kept.items() if place.rpartition("/")[0] == path)
        return list(below)

    def _created(self, path: str, segments: list[str], body: Any) -> Any:
        if not isinstance(body, dict):
            return body
        made = {"id": new_id(now_ms()), "createdAt": now_ms(), **body}
        if segments[-2:-1] == ["actions"] and segments[-1] != "all":
            made = {"type": segments[-1], **made}
        self._kept[f"{path}/{made['id']}"] = made
        return made

    def _updated(self, path: str, segments: list[str], body: Any) -> Any:
        if not isinstance(body, dict) or _is_list(segments):
            return body
        self._kept[path] = {"id": segments[-1] if segments else "", **self._kept.get(path, {}), **body}
        return self._kept[path]


def _is_list(segments: list[str]) -> bool:
    """Whether a path names many: /thngs, /thngs/{id}/properties, /actions/all, /actions/scans."""
    return bool(segments) and (segments[-1] in _COLLECTIONS or segments[-2:-1] == ["actions"])


@contextmanager
def rehearsing(app: Mapping[str, Any], payload: Mapping[str, Any]) -> Iterator[Rehearsal]:
    """A rehearsal that answers on a port of this machine, at `url`."""
    rehearsal = Rehearsal(app, payload)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            size = min(int(self.headers.get("content-length") or 0), MAX_BODY_BYTES)
            body = _body(self.rfile.read(size))
            url = urlsplit(self.path)
            query = dict(parse_qsl(url.query))
            status, document = rehearsal.answer(self.command, url.path.rstrip("/"), query, body)
            key, chain = self.headers.get("authorization") or "", self.headers.get("x-evrythng-reactor") or ""
            rehearsal.asked.append(Asked(self.command, url.path, query, body, key, chain, status))
            content = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: `asked` is the log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    rehearsal.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield rehearsal
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _body(content: bytes) -> Any:
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")
