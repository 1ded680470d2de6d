"""A server that speaks the services' JSON protocol and misbehaves on order.

Each request takes the next fault of the script; when the script is over, requests are simply done. `done` holds what
the backend really did, in order, so a test can tell what was applied from what was merely answered.
"""

import json
import socketserver
import threading
import urllib.request
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

type Document = dict[str, Any]
type Backend = Callable[[str, bytes], tuple[int, bytes]]  # action, body -> status, body


@dataclass(frozen=True)
class Done:
    """No fault: the request is done and answered."""

    chunked: bool = False
    closes: bool = False  # afterwards the connection is closed without a word about it
    crc: int | None = None  # what x-amz-crc32 says in place of the truth


@dataclass(frozen=True)
class Says:
    """An answer without doing anything (or after doing it)."""

    status: int
    code: str
    after: bool = False
    message: str = ""
    date: str | None = None


@dataclass(frozen=True)
class Cuts:
    """The connection ends without an answer, before or after the request was done, or after half of the answer."""

    after: bool = False
    half: bool = False


@dataclass(frozen=True)
class Stalls:
    """The request may be done, but no answer ever comes."""

    after: bool = False


@dataclass(frozen=True)
class Babbles:
    """Bytes of the test's choosing; the connection is closed behind them."""

    raw: bytes


type Fault = Done | Says | Cuts | Stalls | Babbles


@dataclass
class Request:
    action: str
    body: bytes
    headers: dict[str, str]
    connection: int

    @property
    def document(self) -> Document:
        parsed: Document = json.loads(self.body)
        return parsed


@dataclass
class FaultyServer:
    url: str
    backend: Backend
    script: list[Fault] = field(default_factory=list)
    seen: list[Request] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, *faults: Fault) -> None:
        """What becomes of the next requests; forgets what was seen before."""
        with self.lock:
            self.script, self.seen, self.done = list(faults), [], []

    def do(self, request: Request) -> tuple[int, bytes]:
        with self.lock:
            self.done.append(request.action)
        return self.backend(request.action, request.body)


class _Handler(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        faulty = self.server.faulty
        with faulty.lock:
            faulty.connections += 1
            number = faulty.connections
        for request in self._requests(number):
            with faulty.lock:
                faulty.seen.append(request)
                fault = faulty.script.pop(0) if faulty.script else Done()
            if not self._answered(faulty, request, fault):
                return

    def _requests(self, number: int) -> Iterator[Request]:
        while self.rfile.readline().strip():
            headers = {}
            while line := self.rfile.readline().strip().decode("latin-1"):
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            body = self.rfile.read(int(headers.get("content-length", 0)))
            yield Request(headers.get("x-amz-target", "").rpartition(".")[2], body, headers, number)

    def _answered(self, faulty: FaultyServer, request: Request, fault: Fault) -> bool:
        """Whether the connection goes on."""
        match fault:
            case Done(chunked, closes, crc):
                status, body = faulty.do(request)
                self._send(status, body, chunked=chunked, crc=crc)
                return not closes
            case Says(status, code, after, message, date):
                if after:
                    faulty.do(request)
                self._send(status, json.dumps({"__type": f"com.example#{code}", "message": message}).encode(), date)
                return True
            case Cuts(after, half):
                if after:
                    faulty.do(request)
                if half:
                    status, body = faulty.do(request)
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(body) + 1) + body)
                return False
            case Stalls(after):
                if after:
                    faulty.do(request)
                faulty.over.wait()
                return False
            case Babbles(raw):
                self.wfile.write(raw)
                return False

    def _send(
        self, status: int, body: bytes, date: str | None = None, *, chunked: bool = False, crc: int | None = None
    ) -> None:
        lines = [f"HTTP/1.1 {status} .", "Content-Type: application/x-amz-json-1.0"]
        lines.append(f"x-amz-crc32: {zlib.crc32(body) if crc is None else crc}")
        if date:
            lines.append(f"Date: {date}")
        if chunked:
            lines.append("Transfer-Encoding: chunked")
            middle = len(body) // 2
            parts = [part for part in (body[:middle], body[middle:]) if part]
            body = b"".join(b"%x;x=y\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\nX-After: z\r\n\r\n"
        else:
            lines.append(f"Content-Length: {len(body)}")
        self.wfile.write("\r\n".join([*lines, "", ""]).encode() + body)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    faulty: FaultyServer


@contextmanager
def faulty_server(backend: Backend | None = None, script: Iterable[Fault] = ()) -> Iterator[FaultyServer]:
    """Listens on a free port until the block ends. Without a backend every request answers `{"done": <action>}`."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.faulty = FaultyServer(f"http://127.0.0.1:{server.server_address[1]}", backend or _echo, list(script))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server.faulty
        finally:
            server.faulty.over.set()
            server.shutdown()
            thread.join()


def _echo(action: str, _body: bytes) -> tuple[int, bytes]:
    return 200, json.dumps({"done": action}).encode()


def forward_to(endpoint: str) -> Backend:
    """A backend that lets a real engine at `endpoint` do the work."""

    def forward(action: str, body: bytes) -> tuple[int, bytes]:
        request = urllib.request.Request(endpoint, body, {"X-Amz-Target": f"DynamoDB_20120810.{action}", **SIGNED})
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    return forward


SIGNED = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Date": "20250101T000000Z",
    "Authorization": "AWS4-HMAC-SHA256 Credential=contract/20250101/eu-west-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0",
}
