"""Requests of pages from other origins, answered as the HTTP API's CorsConfiguration in template.yaml has it.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
"""

from collections.abc import Iterable

from fingerpost.local.events import HttpReply

ALLOW_HEADERS = (
    *("accept", "authorization", "content-type", "idempotency-key", "if-match", "if-none-match"),
    *("x-param-keysel", "x-param-regsid"),  # the session of a hub
)
EXPOSE_HEADERS = (
    *("content-disposition", "etag", "link", "location", "x-fingerpost-cause"),
    *("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-result-count"),
)
MAX_AGE_SECONDS = 3_600

_ORIGIN = (b"access-control-allow-origin", b"*")  # keys travel in a header, never in cookies
_EXPOSE = (b"access-control-expose-headers", ",".join(EXPOSE_HEADERS).encode())
_PREFLIGHT = [
    (b"access-control-allow-methods", b"*"),
    (b"access-control-allow-headers", ",".join(ALLOW_HEADERS).encode()),
    (b"access-control-max-age", b"%d" % MAX_AGE_SECONDS),
]


type RawHeaders = Iterable[tuple[bytes, bytes]]  # names in lower case, as ASGI has them


def is_preflight(headers: RawHeaders) -> bool:
    """Whether an OPTIONS request is a browser's that asks if it may send another."""
    return {b"origin", b"access-control-request-method"} <= {name for name, _ in headers}


def preflight() -> HttpReply:
    return HttpReply(204, list(_PREFLIGHT), b"")


def readable(reply: HttpReply, headers: RawHeaders) -> HttpReply:
    """The reply as a page of another origin may read it; unchanged for who names no origin."""
    if all(name != b"origin" for name, _ in headers):
        return reply
    return HttpReply(reply.status, [*reply.headers, _ORIGIN, _EXPOSE], reply.body)
