"""The server process: two ports, one event loop, one writer of `main` whose answers wait for its commit."""

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import Callable, Generator, Sequence
from urllib.parse import urlsplit

import uvicorn

from fingerpost.local.config import Settings
from fingerpost.local.gateway import Gateway
from fingerpost.local.protocol import protocol_class
from fingerpost.local.tls import Certificate, certificate
from fingerpost.ports.connections import MAX_MESSAGE_BYTES

KEEP_ALIVE_SECONDS = 30
GRACE_SECONDS = 10


class PortTaken(Exception):
    """A port cannot be listened on; the message says which and what to do."""


def listen(host: str, port: int, variable: str) -> list[socket.socket]:
    """Sockets that listen on `port`, and hold it from now on. `localhost` is both loopback addresses.

    Raises PortTaken.
    """
    addresses = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")] if host == "localhost" else [_family(host)]
    sockets: list[socket.socket] = []
    for family, address in addresses:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address != "::"))
        try:
            listener.bind((address, port))
            listener.listen(1024)
        except OSError as error:
            listener.close()
            if family == socket.AF_INET6 and sockets and error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                continue  # a machine without IPv6 loopback
            for each in sockets:
                each.close()
            raise PortTaken(_why(error, address, port, variable)) from error
        listener.setblocking(False)
        sockets.append(listener)
        port = listener.getsockname()[1]
    return sockets


def _family(host: str) -> tuple[socket.AddressFamily, str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise PortTaken(f"FINGERPOST_HOST is {host!r}, which is no address of this machine.") from error
    return found[0][0], str(found[0][4][0])


def _why(error: OSError, address: str, port: int, variable: str) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} is taken by another program. Stop that program, or set {variable} to a free port."
        case errno.EACCES:
            return f"Port {port} needs more rights than this user has. Set {variable} to a port above 1023."
        case _:
            return f"Cannot listen on {address} port {port}: {error.strerror}. Set {variable} or FINGERPOST_HOST."


class HttpServer(uvicorn.Server):
    """uvicorn without its signal handling, which would end the process before the store is closed."""

    def __init__(
        self, gateway: Gateway, api_url: str, on_started: Callable[[], None], certificate: Certificate | None = None
    ):
        """With a `certificate` every connection speaks TLS."""
        super().__init__(
            uvicorn.Config(
                gateway,
                http=protocol_class(api_url),
                ws="websockets-sansio",
                ws_max_size=MAX_MESSAGE_BYTES,
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
                ssl_certfile=certificate.server if certificate else None,
            )
        )
        self._on_started = on_started

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    def stop(self) -> None:
        """Stop accepting and finish what is under way; a second call does not wait for it."""
        self.force_exit = self.should_exit
        self.should_exit = True


async def serve(
    gateway: Gateway, settings: Settings, sockets: Sequence[socket.socket], *, started: Callable[[], None]
) -> None:
    """Answer requests until SIGTERM or SIGINT, then finish those under way (10 seconds at most)."""
    server = HttpServer(gateway, settings.api_url, started, _certificate(settings))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    try:
        await server.serve(list(sockets))
    finally:
        gateway.close()


def _certificate(settings: Settings) -> Certificate | None:
    if not settings.tls:
        return None
    urls = (f"//{settings.short_domain}", settings.api_url, f"//{settings.host}")
    return certificate(settings.data_dir, [host for url in urls if (host := urlsplit(url).hostname)])
