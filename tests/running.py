"""A real server in a process of its own, as `make run` starts it, for tests that look at it from outside."""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Server:
    """`home` holds the data folder. The process leads a group of its own, so that a kill takes the worker too."""

    def __init__(self, home: Path, **environment: str):
        self.home = home
        self.api_port, self.short_port = free_ports(2)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FINGERPOST_")},
            "FINGERPOST_API_PORT": str(self.api_port),
            "FINGERPOST_SHORT_PORT": str(self.short_port),
            "FINGERPOST_DATA_DIR": str(home / ".fingerpost"),
            "PYTHONPATH": str(ROOT / "layers/core/python"),
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def api(self) -> str:
        return f"http://localhost:{self.api_port}"

    @property
    def short(self) -> str:
        return f"http://localhost:{self.short_port}"

    @property
    def key(self) -> str:
        credentials = json.loads((self.home / ".fingerpost" / "demo.json").read_text())
        return str(credentials["operatorApiKey"])

    def start(self, *, scheme: str = "http", trust: Path | None = None) -> None:
        """Return when it answers. `trust` is the authority's file of a server that speaks TLS."""
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fingerpost.local"],
                cwd=self.home,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for _ in range(900):
            assert self.process.poll() is None, (self.home / "log").read_text()
            with contextlib.suppress(OSError):
                context = ssl.create_default_context(cafile=str(trust)) if trust else None
                address = f"{scheme}://localhost:{self.short_port}/health"
                with urllib.request.urlopen(address, timeout=1, context=context) as answer:
                    if answer.status == 200:
                        return
            time.sleep(0.05)
        raise AssertionError("the server did not become ready: " + (self.home / "log").read_text())

    def kill(self) -> None:
        """SIGKILL for everything at once."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def ask(
        self, path: str, body: Any = None, *, method: str | None = None, key: str | None = None, **more: str
    ) -> Any:
        """The JSON answer of the API; raises HTTPError."""
        headers = {"authorization": key or self.key, "content-type": "application/json", **more}
        sent = None if body is None else json.dumps(body).encode()
        address = path if path.startswith("http") else self.api + path
        request = urllib.request.Request(address, data=sent, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None


@contextlib.contextmanager
def running(home: Path, **environment: str) -> Iterator[Server]:
    server = Server(home, **environment)
    server.start()
    try:
        yield server
    finally:
        server.stop()
