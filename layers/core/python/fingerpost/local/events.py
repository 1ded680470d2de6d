"""HTTP requests as API Gateway's payload 2.0 events, and replies back. Pure; ASGI's shapes on one side.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import binascii
import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from fingerpost.clock import now_ms

type Event = dict[str, Any]
type RawHeaders = Iterable[tuple[bytes, bytes]]  # names in lower case, as ASGI has them

DOMAIN_HEADER = "x-fingerpost-domain"
CAUSE_HEADER = b"x-fingerpost-cause"
_TEXT_TYPES = frozenset(("application/json", "application/xml", "application/javascript", "application/ecmascript"))
_HOP_BY_HOP = frozenset(
    (b"connection", b"content-length", b"keep-alive", b"transfer-encoding", b"upgrade", b"te", b"trailer")
)
_BODILESS = frozenset((204, 304))
_BAD_IN_NAME = re.compile(rb"[^!#$%&'*+.^_`|~0-9A-Za-z-]")
_BAD_IN_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class LocalContext:
    """What Lambda hands a handler beside the event."""

    function_name: str
    aws_request_id: str
    deadline_at: int  # milliseconds since the epoch
    memory_limit_in_mb: str = "512"
    function_version: str = "$LATEST"

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:local:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self.deadline_at - now_ms())


def http_event(
    *,
    method: str,
    raw_path: str,
    raw_query: str,
    headers: Mapping[str, str],
    cookies: list[str] | None,
    source_ip: str,
    http_version: str,
    route_key: str,
    parameters: dict[str, str],
    request_id: str,
    at: int,
    body: bytes = b"",
) -> Event:
    """The event of one request. What is empty is left out, as API Gateway leaves it out.

    `raw_path` stays percent-encoded, as a function URL's does: whoever takes a path apart decodes it, once. (An HTTP
    API hands out a decoded one, in which an encoded slash is lost.) `pathParameters` are decoded.
    """
    host = headers.get("host", "")
    event: Event = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": raw_path,
        "rawQueryString": raw_query,
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "local",
            "domainName": _without_port(host),
            "domainPrefix": "local",
            "http": {
                "method": method,
                "path": raw_path,
                "protocol": "HTTP/" + http_version,
                "sourceIp": source_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request_id,
            "routeKey": route_key,
            "stage": "$default",
            "time": _clf_time(at // 1000),
            "timeEpoch": at,
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if raw_query:
        event["queryStringParameters"] = joined_query(raw_query)
    if parameters:
        event["pathParameters"] = parameters
    if body:
        event["body"], event["isBase64Encoded"] = event_body(body, headers.get("content-type", ""))
    return event


def event_headers(raw: RawHeaders, *, trust_viewer: bool) -> tuple[dict[str, str], list[str] | None]:
    """Headers by lower-case name, repeated ones joined by a comma; and the cookies, which leave the headers.

    Our own header is dropped, and CloudFront's too unless `trust_viewer`: a client could have written them itself.
    """
    headers: dict[str, str] = {}
    cookies: list[str] | None = None
    for raw_name, raw_value in raw:
        name, value = _text(raw_name), _text(raw_value)
        if name == "cookie":
            cookies = (cookies or []) + [each for part in value.split(";") if (each := part.strip())]
        elif name == DOMAIN_HEADER or (not trust_viewer and name.startswith("cloudfront-")):
            continue
        elif name in headers:
            headers[name] += "," + value
        else:
            headers[name] = value
    return headers, cookies


def event_body(body: bytes, content_type: str) -> tuple[str, bool]:
    """(body, isBase64Encoded): text types travel as text when they are UTF-8, everything else as base64."""
    media = content_type.partition(";")[0].strip().lower()
    if media.startswith("text/") or media in _TEXT_TYPES or media.endswith(("+json", "+xml")):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True


def joined_query(raw_query: str) -> dict[str, str]:
    """Decoded parameters; the values of a repeated one joined by a comma."""
    joined: dict[str, str] = {}
    for name, value in parse_qsl(raw_query, keep_blank_values=True, max_num_fields=None):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


class HttpReply(NamedTuple):
    """What goes out. Content-Length is part of the headers; `body` is empty where the status allows none."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class BadReply(Exception):
    """A handler answered something that API Gateway would answer 500 for."""


def http_reply(result: Any) -> HttpReply:
    """A handler's result by payload 2.0's rules: a document with `statusCode`, or any other value as the body.

    As on AWS, a repeated header other than `cookies` cannot be said, and `multiValueHeaders` is not read.
    Raises BadReply.
    """
    if not isinstance(result, dict) or "statusCode" not in result:
        text = result if isinstance(result, str) else _json(result)
        return _reply(200, [(b"content-type", b"application/json")], text.encode("utf-8", "replace"))
    try:
        status = int(result["statusCode"])
    except (TypeError, ValueError) as error:
        raise BadReply(f"statusCode is {result['statusCode']!r}") from error
    if not 200 <= status <= 599:
        raise BadReply(f"statusCode is {status}")
    headers = [
        (known, _header_value(name, value))
        for name, value in (result.get("headers") or {}).items()
        if (known := _header_name(name)) not in _HOP_BY_HOP
    ]
    headers += [(b"set-cookie", _header_value("set-cookie", cookie)) for cookie in result.get("cookies") or ()]
    body = _reply_body(result)
    if body and not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", b"text/plain;charset=utf-8"))
    return _reply(status, headers, body)


def _reply(status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> HttpReply:
    if status in _BODILESS:
        return HttpReply(status, headers, b"")
    headers.append((b"content-length", b"%d" % len(body)))
    return HttpReply(status, headers, body)


def _reply_body(result: dict[str, Any]) -> bytes:
    match result.get("body"):
        case None | "":
            return b""
        case str() as text if result.get("isBase64Encoded"):
            try:
                return base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError) as error:
                raise BadReply("body is not base64") from error
        case str() as text:
            return text.encode("utf-8", "replace")
        case other:
            raise BadReply(f"body is of type {type(other).__name__}, not str")


@lru_cache(512)
def _header_name(name: str) -> bytes:
    raw = name.lower().encode("utf-8", "replace")
    if not raw or _BAD_IN_NAME.search(raw):
        raise BadReply(f"{name!r} is no header name")
    return raw


def _header_value(name: str, value: Any) -> bytes:
    raw = str(value).encode("utf-8", "replace")
    if _BAD_IN_VALUE.search(raw):
        raise BadReply(f"the header {name} holds characters that HTTP does not allow")
    return raw


def _json(value: Any) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError) as error:
        raise BadReply(f"the result is not JSON: {error}") from error


def _text(raw: bytes) -> str:
    """Header text is UTF-8 where it can be, else ISO 8859-1."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


@lru_cache(256)
def _without_port(host: str) -> str:
    return re.sub(r":[0-9]*$", "", host).lower()


@lru_cache(4)
def _clf_time(second: int) -> str:
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(second))
