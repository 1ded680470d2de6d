"""The local API Gateway and CloudFront: an ASGI application that calls the handlers Lambda calls.

The API port serves every function's routes. The short port serves what CloudFront serves on the short domain: scans, QR
codes, and `/redirections`. The redirect runs inline in the event loop; all else runs in a bounded pool of threads.
"""

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from concurrent.futures import Future as ThreadFuture
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count
from typing import Any

from fingerpost.clock import now_ms
from fingerpost.errors import FingerpostError, Invalid, MethodNotAllowed, Unavailable
from fingerpost.local.cors import is_preflight, preflight, readable
from fingerpost.local.events import DOMAIN_HEADER, Event, HttpReply, LocalContext, event_headers, http_event, http_reply
from fingerpost.local.functions import Function
from fingerpost.local.held import HeldAnswers
from fingerpost.local.log import log, log_failure
from fingerpost.local.refusals import (
    BodyTooLarge,
    TimedOut,
    TooSlow,
    error_reply,
    not_stored,
    overloaded,
    unexpected,
)
from fingerpost.local.routes import Match, Router
from fingerpost.local.websockets import Sockets

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_BODY_BYTES = 10 * 1024 * 1024
MAX_DRAINED_BYTES = 64 * 1024 * 1024  # of a refused body, so that its sender reads the answer before the reset
_SCAN_METHODS = frozenset(("GET", "HEAD"))
_IMAGE_SUFFIXES = (".qr", ".png", ".svg", ".pdf")
_HOST = re.compile(r"[a-z0-9._-]+(:[0-9]{1,5})?|\[[0-9a-f:.]+\](:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Ports as bound; times in seconds; `max_pending` counts requests waiting for a thread or in one."""

    short_port: int
    short_domain: str
    api_url: str
    threads: int = 8
    max_pending: int = 128
    time_limit: float = 29.0
    body_time_limit: float = 30.0
    access_log: bool = False


class _ClientGone(Exception):
    """The client closed the connection before its request was whole; nobody is left to answer."""


def _on_short(edge: Function) -> Function:
    """What of a function the short domain reaches: the paths that CloudFront sends to the API."""
    return replace(edge, routes=tuple(route for route in edge.routes if route[1].startswith(("/redirections", "/{"))))


class Gateway:
    """One ASGI application for both ports. `ready` says what `/health` answers."""

    def __init__(
        self,
        settings: GatewaySettings,
        *,
        redirect: Function,
        redirections: Function,
        edges: Iterable[Function],
        default: Function,
        held: HeldAnswers,
        ready: Callable[[], bool],
        sockets: Sockets | None = None,
    ):
        self._settings = settings
        self._redirect, self._redirections, self._default = redirect, redirections, default
        self._scan_match = Match(redirect, "$default", {})  # behind a function URL there are no routes
        edges = tuple(edges)
        self._api, self._short = Router(edges), Router(_on_short(each) for each in edges)
        self._held, self._ready, self._sockets = held, ready, sockets
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="handler")
        self._pending = 0
        self._causes = (f"{secrets.token_hex(6)}{number:06x}" for number in count())
        port = settings.short_port
        self._loopback_names = {f"{name}:{port}" for name in ("localhost", "127.0.0.1", "[::1]")} | {""}
        if port == 80:
            self._loopback_names |= {"localhost", "127.0.0.1", "[::1]"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and self._sockets is not None:
            await self._sockets(scope, receive, send)
        if scope["type"] != "http":
            return
        started, cause = time.perf_counter(), next(self._causes)
        try:
            reply = await self._answer(scope, receive, cause)
        except FingerpostError as error:
            reply = error_reply(error, self._settings.api_url, cause)
        except _ClientGone:
            return
        except Exception as error:
            log_failure("the gateway failed", error, cause=cause)
            reply = error_reply(unexpected(cause), self._settings.api_url, cause)
        reply = readable(reply, scope["headers"])
        if self._settings.access_log:
            ms = round((time.perf_counter() - started) * 1000, 1)
            log("info", "answered", method=scope["method"], path=scope["path"], status=reply.status, cause=cause, ms=ms)
        await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
        await send({"type": "http.response.body", "body": reply.body})

    def close(self) -> None:
        """Take no more work for threads. Running handlers go on; `idle` says whether any does."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def idle(self) -> bool:
        return self._pending == 0

    # ---- where a request goes ------------------------------------------------------------------------------------

    def _answer(self, scope: Scope, receive: Receive, cause: str) -> Awaitable[HttpReply]:
        method, raw_path = scope["method"], scope["raw_path"].decode("latin-1")
        if raw_path == "/health" and method in _SCAN_METHODS:
            return self._health()
        if method == "OPTIONS" and is_preflight(scope["headers"]):
            return _ready(preflight())
        if scope["server"][1] != self._settings.short_port:
            return self._call(self._api_route(method, raw_path), scope, receive, raw_path, cause)
        short_id = raw_path[1:].removesuffix("/")
        if match := self._short.match(method, raw_path):
            return self._call(match, scope, receive, raw_path, cause, on_short=True)
        if "/" in short_id or not short_id:
            beside = self._redirections if short_id.startswith("redirections/") else self._default
            target = self._short.owner(raw_path) or beside
            return self._call(Match(target, "$default", {}), scope, receive, raw_path, cause, on_short=True)
        if short_id.endswith(_IMAGE_SUFFIXES) or short_id == "redirections":
            match = Match(self._redirections, "$default", {})
            return self._call(match, scope, receive, raw_path, cause, on_short=True)
        if method not in _SCAN_METHODS:
            allow = {"allow": "GET, HEAD"}
            raise MethodNotAllowed(f"{raw_path} does not take {method}; it takes GET, HEAD", headers=allow)
        return self._scan(scope, raw_path, cause)

    def _api_route(self, method: str, raw_path: str) -> Match:
        """The route; else the function that knows the path with another method (its 405); else the default (404)."""
        paths = (raw_path, raw_path.removesuffix("/")) if len(raw_path) > 1 else (raw_path,)
        for path in paths:
            if match := self._api.match(method, path):
                return match
        owner = next((owner for path in paths if (owner := self._api.owner(path))), self._default)
        return Match(owner, "$default", {})

    async def _health(self) -> HttpReply:
        if not self._ready():
            raise Unavailable("The server is starting or stopping", headers={"retry-after": "1"})
        return http_reply(
            {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"status":"ok"}'}
        )

    # ---- quick: inline, held until the turn's commit ----------------------------------------------------------------

    async def _scan(self, scope: Scope, raw_path: str, cause: str) -> HttpReply:
        event, at = self._event(scope, self._scan_match, raw_path, cause, b"", on_short=True)
        reply = self._invoke(self._redirect, event, LocalContext("redirect", cause, at + 10_000))
        if self._held.needed and not await self._held.committed():
            raise not_stored()
        return reply

    # ---- all else: a thread, with limits ----------------------------------------------------------------------------

    async def _call(
        self, match: Match, scope: Scope, receive: Receive, raw_path: str, cause: str, *, on_short: bool = False
    ) -> HttpReply:
        if self._pending >= self._settings.max_pending:
            raise overloaded()
        self._pending += 1
        handed_over = False
        try:
            body = await self._body(scope, receive)
            event, at = self._event(scope, match, raw_path, cause, body, on_short=on_short)
            limit = self._settings.time_limit
            context = LocalContext(match.function.name, cause, at + round(limit * 1000))
            thread = self._pool.submit(self._invoke, match.function, event, context)
            loop = asyncio.get_running_loop()
            thread.add_done_callback(lambda done: self._leave(loop, done))
            handed_over = True
            done, _ = await asyncio.wait((asyncio.wrap_future(thread),), timeout=limit)
        finally:
            if not handed_over:
                self._pending -= 1
        if not done:
            log("error", "a function ran out of time", function=match.function.name, cause=cause, seconds=limit)
            raise TimedOut(f"No answer within {limit:g} seconds; what was asked for may still happen ({cause})")
        return next(iter(done)).result()

    def _leave(self, loop: asyncio.AbstractEventLoop, _done: "ThreadFuture[HttpReply]") -> None:
        """A thread is free again; runs in that thread, or in the one that cancels."""
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._count_out)

    def _count_out(self) -> None:
        self._pending -= 1

    def _invoke(self, function: Function, event: Event, context: LocalContext) -> HttpReply:
        """Run a handler. What it raises is logged under the cause and answered without details."""
        try:
            return http_reply(function.handler(event, context))
        except Exception as error:
            cause = context.aws_request_id
            log_failure("a handler failed", error, function=function.name, cause=cause)
            return error_reply(unexpected(cause), self._settings.api_url, cause)

    # ---- requests taken apart ---------------------------------------------------------------------------------------

    def _event(
        self, scope: Scope, match: Match, raw_path: str, cause: str, body: bytes, *, on_short: bool
    ) -> tuple[Event, int]:
        peer = scope["client"][0] if scope["client"] else ""
        headers, cookies = event_headers(scope["headers"], trust_viewer=_is_loopback(peer))
        if on_short:
            headers[DOMAIN_HEADER] = self._short_domain(headers.get("host", ""))
        at = now_ms()
        event = http_event(
            method=scope["method"],
            raw_path=raw_path,
            raw_query=scope["query_string"].decode("latin-1"),
            headers=headers,
            cookies=cookies,
            source_ip=peer.removeprefix("::ffff:"),
            http_version=scope["http_version"],
            route_key=match.route_key,
            parameters=match.parameters,
            request_id=cause,
            at=at,
            body=body,
        )
        return event, at

    def _short_domain(self, host: str) -> str:
        """The short domain a request came to; a loopback name stands for the configured one. Raises Invalid."""
        host = host.lower()
        if host in self._loopback_names:
            return self._settings.short_domain
        if len(host) > 253 or not _HOST.fullmatch(host):
            raise Invalid("The Host header is not a host name")
        return host

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """The whole body. Raises BodyTooLarge (after reading on for a while), TooSlow, _ClientGone."""
        try:
            async with asyncio.timeout(self._settings.body_time_limit):
                return await _read_body(receive, dict(scope["headers"]))
        except TimeoutError as error:
            raise TooSlow("The body did not arrive in time", headers={"connection": "close"}) from error


async def _ready(reply: HttpReply) -> HttpReply:
    return reply


async def _read_body(receive: Receive, headers: Mapping[bytes, bytes]) -> bytes:
    """A body that is too large is read on and dropped: its sender would meet a reset before the answer otherwise."""
    refusal = BodyTooLarge(f"The body is larger than {MAX_BODY_BYTES:,} bytes (10 MB)", headers={"connection": "close"})
    announced = int(headers.get(b"content-length", b"0"))  # the parser has refused what is no number
    if announced > MAX_DRAINED_BYTES or (announced > MAX_BODY_BYTES and b"expect" in headers):
        raise refusal
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _ClientGone
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
        if size <= MAX_BODY_BYTES:
            parts.append(message.get("body", b""))
        elif size > MAX_DRAINED_BYTES:
            break
        else:
            parts.clear()
    if size > MAX_BODY_BYTES:
        raise refusal
    return b"".join(parts)


@lru_cache(1024)
def _is_loopback(peer: str) -> bool:
    return peer == "::1" or peer.removeprefix("::ffff:").startswith("127.")
