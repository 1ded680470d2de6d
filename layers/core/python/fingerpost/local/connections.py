"""Messages to the local server's connections, from its own process or from the worker's.

The server listens on a loopback port that only this user can learn of, with a token: `connections.json` in the data
folder (mode 600). One line of JSON asks, one word answers.
"""

import asyncio
import contextlib
import hmac
import json
import os
import secrets
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from pathlib import Path

from fingerpost.ports.connections import MAX_MESSAGE_BYTES, ConnectionGone
from fingerpost.ports.table import Unreachable

type Deliver = Callable[[str, str | None], Awaitable[bool]]  # connection id, text (None: close it) -> is it there

FILE = "connections.json"
SECONDS = 5.0
_MAX_LINE = 8 * MAX_MESSAGE_BYTES  # JSON may write a byte as six characters


class LocalConnections:
    """Speaks to the server whose data lie in `folder`."""

    def __init__(self, folder: Path):
        self._file = folder / FILE

    def send(self, connection_id: str, text: str) -> None:
        if (size := len(text.encode())) > MAX_MESSAGE_BYTES:
            raise ValueError(f"a message has at most {MAX_MESSAGE_BYTES:,} bytes; this one has {size:,}")
        if self._ask({"id": connection_id, "text": text}) == b"gone\n":
            raise ConnectionGone(connection_id)

    def close(self, connection_id: str) -> None:
        self._ask({"id": connection_id, "text": None})

    def _ask(self, asked: Mapping[str, str | None]) -> bytes:
        try:
            told = json.loads(self._file.read_text())
            with socket.create_connection(("127.0.0.1", told["port"]), timeout=SECONDS) as stream:
                stream.sendall(json.dumps({"token": told["token"], **asked}).encode() + b"\n")
                answer = stream.makefile("rb").readline()
        except (OSError, ValueError) as error:
            raise Unreachable(f"the server takes no messages: {error}") from error
        if answer not in (b"sent\n", b"gone\n"):
            raise Unreachable("the server did not take a message")
        return answer


@contextlib.asynccontextmanager
async def taking_messages(folder: Path, deliver: Deliver) -> AsyncGenerator[None]:
    """Take messages for connections while the server runs."""
    token = secrets.token_hex(24)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, TimeoutError):
            async with asyncio.timeout(SECONDS):
                asked = json.loads(await reader.readline())
                if hmac.compare_digest(str(asked["token"]), token):
                    text = None if asked["text"] is None else str(asked["text"])
                    writer.write(b"sent\n" if await deliver(str(asked["id"]), text) else b"gone\n")
                    await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=_MAX_LINE)
    path = folder / FILE
    _write(path, json.dumps({"port": server.sockets[0].getsockname()[1], "token": token}))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        server.close()


def _write(path: Path, text: str) -> None:
    made = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    made.replace(path)
