"""Scans per second of the local server, every one durable before its answer, against the floor of such a server.

The floor: the same HTTP server, and a handler of one look-up and one durable insert in bare SQLite. The load comes from
another process over 16 kept connections, each of which asks again as soon as it is answered.
"""

import contextlib
import os
import secrets
import selectors
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench.row import Row

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [path for path in (str(REPOSITORY), str(REPOSITORY / "layers/core/python")) if path not in sys.path]

CONNECTIONS = 16
SECONDS, WARM_UP_SECONDS, ROUNDS = 1.5, 0.4, 3
BUDGET = 0.6
FLOOR, PLAIN, MUSEUM = "floor", "redirect", "redirect with the demo's rules"
SHORT_ID = "BENCH00001"
DOMAIN = "bench.example"
AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1"
HEADERS = (
    f"Host: {DOMAIN}\r\nUser-Agent: {AGENT}\r\nAccept-Language: en-IE,en;q=0.9\r\n"
    "CloudFront-Viewer-Country: IE\r\nAccept: text/html\r\n\r\n"
)
SHORT_IDS = {FLOOR: SHORT_ID, PLAIN: SHORT_ID, MUSEUM: "TURF1891"}


class Load(NamedTuple):
    """What one burst of load saw: answers a second, and the 99th percentile of their times in milliseconds."""

    rate: float
    p99_ms: float
    answers: int


def rows() -> list[Row]:
    """Measure both servers in turns, so that what else the machine does touches both; medians."""
    seen: dict[str, list[Load]] = {FLOOR: [], PLAIN: [], MUSEUM: []}
    with contextlib.ExitStack() as stack:
        ports = {name: stack.enter_context(serving(name)) for name in seen}
        for name, port in ports.items():
            load(port, SHORT_IDS[name], WARM_UP_SECONDS)
        for _ in range(ROUNDS):
            for name, port in ports.items():
                seen[name].append(load(port, SHORT_IDS[name], SECONDS))
    rate = {name: statistics.median(each.rate for each in loads) for name, loads in seen.items()}
    p99 = {name: statistics.median(each.p99_ms for each in loads) for name, loads in seen.items()}
    told = {name: f"{rate[name]:,.0f}/s" for name in seen}
    return [
        *(
            Row(
                f"local {name}, {CONNECTIONS} connections, durable",
                told[name],
                told[FLOOR],
                rate[name] / rate[FLOOR],
                BUDGET,
                True,
            )
            for name in (PLAIN, MUSEUM)
        ),
        Row("the same, 99th percentile of the answers' times", f"{p99[MUSEUM]:.1f} ms", f"{p99[FLOOR]:.1f} ms"),
    ]


@contextlib.contextmanager
def serving(name: str) -> Iterator[int]:
    """Run one of the servers in a process of its own and a folder of its own; yields its port."""
    with tempfile.TemporaryDirectory(prefix="fingerpost-bench-") as folder:
        environment = {**os.environ, "FINGERPOST_DATA_DIR": folder, "FINGERPOST_SHORT_DOMAIN": DOMAIN}
        environment.pop("FINGERPOST_MAIN_TABLE", None)
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.local", "serve", name, folder],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"the {name} server did not start")
            yield int(line)
        finally:
            process.terminate()
            process.wait(20)
            process.stdout.close()


def load(port: int, short_id: str, seconds: float) -> Load:
    """Keep 16 connections asking for `seconds`. Raises RuntimeError for an answer other than 307."""
    request = f"GET /{short_id} HTTP/1.1\r\n{HEADERS}".encode()
    selector = selectors.DefaultSelector()
    connections = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(CONNECTIONS)]
    asked: dict[socket.socket, float] = {}
    times: list[float] = []
    try:
        start = time.perf_counter()
        for connection in connections:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ)
            asked[connection] = time.perf_counter()
            connection.sendall(request)
        now = start
        while now - start < seconds:
            for key, _ in selector.select(5):
                connection = key.fileobj  # type: ignore[assignment]
                answer = connection.recv(4096)
                if not answer.startswith(b"HTTP/1.1 307") or not answer.endswith(b"\r\n\r\n"):
                    raise RuntimeError(f"an unexpected answer: {answer[:300]!r}")
                now = time.perf_counter()
                times.append(now - asked[connection])
                asked[connection] = now
                connection.sendall(request)
        elapsed = now - start
    finally:
        selector.close()
        for connection in connections:
            connection.close()
    times.sort()
    return Load(len(times) / elapsed, times[int(len(times) * 0.99)] * 1000, len(times))


# ---- the servers ---------------------------------------------------------------------------------------------------


def serve(name: str, folder: Path) -> None:
    """Serve on a free port of loopback until SIGTERM, the port printed first."""
    import asyncio
    import signal

    import uvloop

    from fingerpost.local.server import HttpServer, listen

    sockets = listen("127.0.0.1", 0, "PORT")
    port = sockets[0].getsockname()[1]

    async def run() -> None:
        app: Any = floor(folder) if name == FLOOR else platform(port, folder, museum=name == MUSEUM)
        server = HttpServer(app, "http://localhost", lambda: print(port, flush=True))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
        await server.serve(sockets)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def floor(folder: Path) -> Any:
    """The least a durable redirect can be: no rules, no event, no feed; a row of 600 bytes, committed with fsync."""
    rows = sqlite3.connect(folder / "floor.sqlite", isolation_level=None)
    rows.execute("PRAGMA journal_mode=WAL")
    rows.execute("PRAGMA synchronous=FULL")
    rows.execute("CREATE TABLE links(id TEXT PRIMARY KEY, url TEXT) WITHOUT ROWID")
    rows.execute("CREATE TABLE scans(id TEXT PRIMARY KEY, scan TEXT) WITHOUT ROWID")
    rows.execute("INSERT INTO links VALUES (?, ?)", (f"/{SHORT_ID}", "https://target.example/page"))
    filler = "x" * 600

    async def app(scope: Any, receive: Any, send: Any) -> None:
        (url,) = rows.execute("SELECT url FROM links WHERE id = ?", (scope["path"],)).fetchone()
        rows.execute("INSERT INTO scans VALUES (?, ?)", (f"{time.time_ns()}{secrets.token_hex(6)}", filler))
        headers = [(b"location", url.encode()), (b"cache-control", b"no-store"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 307, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    app.close = lambda: None  # type: ignore[attr-defined]
    return app


def platform(port: int, folder: Path, *, museum: bool) -> Any:
    """The whole gateway with the redirect function and one link, without rules or with the demo's."""
    from fingerpost import keys, wiring
    from fingerpost.clock import now_ms
    from fingerpost.ids import new_id
    from fingerpost.local import demo
    from fingerpost.local.config import Settings
    from fingerpost.local.functions import Function, load_function
    from fingerpost.local.gateway import Gateway, GatewaySettings
    from fingerpost.local.held import HeldAnswers
    from fingerpost.redirection.model import Link, to_item
    from fingerpost.rules.template import parse_default_url

    main: Any = wiring.tables().main
    if museum:
        demo.prepare(Settings(data_dir=folder, short_domain=DOMAIN))
    at, url = now_ms(), "https://target.example/page?thng={evrythngId}"
    link = Link(
        account=new_id(at),
        domain=DOMAIN,
        short_id=SHORT_ID,
        type="thng",
        evrythng_id=new_id(at),
        url_text=url,
        url=parse_default_url(url),
        created_at=at,
        updated_at=at,
    )
    main.put(keys.link(DOMAIN, SHORT_ID), to_item(link))
    main.store.hold()
    nothing = Function("nothing", lambda event, context: {"statusCode": 404})
    return Gateway(
        GatewaySettings(short_port=port, short_domain=DOMAIN, api_url="http://localhost"),
        redirect=load_function("redirect"),
        redirections=nothing,
        edges=(),
        default=nothing,
        held=HeldAnswers(main.store),
        ready=lambda: True,
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", name, folder]:
            serve(name, Path(folder))
        case _:
            sys.exit("usage: python -m bench local")
