"""WebSocket connections as API Gateway's events: `$connect`, a message, `$disconnect`.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html
A connection's events are handled one after the other, in a pool of threads; a connection lasts two hours at most.
"""

import asyncio
import secrets
from collections.abc import Callable, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from fingerpost.clock import now_ms
from fingerpost.local.events import Event, LocalContext, event_headers, joined_query
from fingerpost.local.functions import Function
from fingerpost.local.log import log_failure
from fingerpost.ports.connections import MAX_MESSAGE_BYTES

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Any]
type Send = Callable[[MutableMapping[str, Any]], Any]

MAX_SECONDS = 2 * 3_600
IDLE_SECONDS = 600
MAX_CONNECTIONS = 1_000
TIME_LIMIT_MS = 29_000
_GOING_AWAY, _TOO_BIG, _TRY_LATER = 1001, 1009, 1013


class Sockets:
    """The open connections of one server, by id; `functions` answer by path."""

    def __init__(self, functions: dict[str, Function], threads: int = 4):
        self._functions = functions
        self._open: dict[str, Send] = {}
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="socket")
        self._handling: set[Future[Any]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection, from its handshake to its end."""
        function = self._functions.get(scope["path"])
        await receive()  # the handshake
        if function is None or len(self._open) >= MAX_CONNECTIONS:
            await send({"type": "websocket.close", "code": _TRY_LATER})  # before it was accepted: 403
            return
        connection = _Connection(scope)
        if not await self._handled(function, connection.event("$connect", "CONNECT")):
            await send({"type": "websocket.close", "code": 1008})
            return
        self._open[connection.id] = send
        try:
            await send({"type": "websocket.accept"})
            await self._serve(function, connection, receive, send)
        finally:
            del self._open[connection.id]
            await self._handled(function, connection.event("$disconnect", "DISCONNECT"))

    async def deliver(self, connection_id: str, text: str | None) -> bool:
        """Write to a connection, or close it; False when there is none."""
        send = self._open.get(connection_id)
        if send is None:
            return False
        message = (
            {"type": "websocket.close", "code": 1000} if text is None else {"type": "websocket.send", "text": text}
        )
        try:
            await send(message)
        except (OSError, RuntimeError):  # it is just closing
            return False
        return True

    def close(self) -> None:
        """Take no more work for threads. Running handlers go on; `idle` says whether any does."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def idle(self) -> bool:
        return not self._handling

    async def _serve(self, function: Function, connection: "_Connection", receive: Receive, send: Send) -> None:
        ends = asyncio.get_running_loop().time() + MAX_SECONDS
        while True:
            try:
                left = ends - asyncio.get_running_loop().time()
                message = await asyncio.wait_for(receive(), min(IDLE_SECONDS, max(left, 0)))
            except TimeoutError:
                await send({"type": "websocket.close", "code": _GOING_AWAY})
                return
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None or len(text.encode()) > MAX_MESSAGE_BYTES:
                await send({"type": "websocket.close", "code": _TOO_BIG if text else 1003})
                return
            await self._handled(function, connection.event("$default", "MESSAGE", text))

    async def _handled(self, function: Function, event: Event) -> bool:
        """Whether the function took the event. What it raises is logged: the connection goes on."""
        context = LocalContext(function.name, event["requestContext"]["requestId"], now_ms() + TIME_LIMIT_MS)
        try:
            thread = self._pool.submit(function.handler, event, context)
            self._handling.add(thread)
            thread.add_done_callback(self._handling.discard)
            reply = await asyncio.wrap_future(thread)
        except Exception as error:
            log_failure("a handler failed", error, function=function.name)
            return False
        return int((reply or {}).get("statusCode", 500)) < 300


class _Connection:
    """What all events of one connection say."""

    def __init__(self, scope: Scope):
        self.id = secrets.token_urlsafe(11) + "="  # as API Gateway's look
        peer = scope["client"][0] if scope["client"] else ""
        self._headers, cookies = event_headers(scope["headers"], trust_viewer=False)
        if cookies:  # which stay among the headers in this kind of event
            self._headers["cookie"] = "; ".join(cookies)
        self._query = joined_query(scope["query_string"].decode("latin-1"))
        self._connected_at = now_ms()
        self._peer = peer.removeprefix("::ffff:")

    def event(self, route: str, kind: str, body: str | None = None) -> Event:
        event: Event = {
            "requestContext": {
                "routeKey": route,
                "eventType": kind,
                "connectionId": self.id,
                "connectedAt": self._connected_at,
                "requestTimeEpoch": now_ms(),
                "requestId": secrets.token_hex(8),
                "domainName": self._headers.get("host", ""),
                "stage": "live",
                "apiId": "local",
                "identity": {"sourceIp": self._peer, "userAgent": self._headers.get("user-agent", "")},
            },
            "isBase64Encoded": False,
        }
        if route == "$connect":
            event |= {"headers": self._headers, "queryStringParameters": self._query or None}
        if body is not None:
            event["body"] = body
        return event
