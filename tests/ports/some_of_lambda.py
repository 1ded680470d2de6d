"""As much of Lambda as the runner meets: environments that take one invocation at a time, and bundles behind links."""

import io
import json
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fingerpost.local.runner import built_runner
from fingerpost.local.sandbox import find_sandbox

PROGRAM = """
const { handler } = require(process.argv[1] + '/lambda.js');
const lines = require('readline').createInterface({ input: process.stdin });
lines.on('line', async (line) => console.log(JSON.stringify(await handler(JSON.parse(line)))));
lines.on('close', () => process.exit(0));
"""


class Environments:
    """Stands for boto3's client: a process an environment, each of one tenant, another when all are busy."""

    def __init__(self, folder: str) -> None:
        self._folder = folder  # stands for /tmp
        self.all: list[subprocess.Popen[str]] = []
        self._free: dict[str, list[subprocess.Popen[str]]] = {}

    def invoke(self, *, FunctionName: str, TenantId: str, Payload: bytes) -> dict[str, Any]:
        free = self._free.setdefault(TenantId, [])
        process = free.pop() if free else self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(json.loads(Payload)) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        free.append(process)
        return {"StatusCode": 200, "Payload": io.BytesIO(answer.encode())}

    def _start(self) -> subprocess.Popen[str]:
        secret = {"AWS_SECRET_ACCESS_KEY": "of the function", "TMPDIR": self._folder}
        command = [find_sandbox().node, "-e", PROGRAM, str(built_runner())]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=secret)
        self.all.append(process)
        return process


@contextmanager
def some_of_lambda(bundles: Mapping[str, bytes]) -> Iterator[tuple[Environments, Callable[[str], str]]]:
    """A client, and what gives the link of a bundle."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = bundles.get(self.path.lstrip("/"))
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        environments = Environments(folder)
        try:
            yield environments, lambda name: f"http://127.0.0.1:{server.server_address[1]}/{name}"
        finally:
            for process in environments.all:
                process.communicate(timeout=30)  # the end of its input ends it
            server.shutdown()
            server.server_close()
