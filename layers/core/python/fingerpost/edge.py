"""The edge of every management function: routes, keys, bodies, errors, idempotency, logs. One place for all of them.

Routing is ours (a table of templates): the Powertools resolver keeps the current event in a class attribute, so two
threads of the local server would answer each other's requests.
"""

import hmac
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, unquote

from aws_lambda_powertools import Logger
from pydantic import BaseModel

from . import wiring
from .access.decision import decide
from .access.model import NOBODY, Principal, Verb
from .access.rates import LIMITS, Rates, Standing, digest_of
from .body import json_name, parse_json, validated
from .caller import Caller
from .contract import Contract
from .dialect import OURS, Dialect
from .errors import (
    Conflict,
    FingerpostError,
    Invalid,
    MethodNotAllowed,
    NotFound,
    PreconditionFailed,
    TooLarge,
    TooManyRequests,
    Unavailable,
)
from .http import Event, Reply, body_bytes, header, reply
from .once import begin, packed
from .ports.table import ItemTooLarge, Table, Throttled, TransactionFailed, Uncertain, Unreachable
from .preconditions import entity_tag, is_known, match_of
from .reactor import chain
from .redirection.facts import client_address
from .resources import Stored

logger = Logger(service="fingerpost")
rates = Rates()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One authenticated request, taken apart."""

    event: Event
    method: str
    path: str
    parameters: Mapping[str, str]  # of the path template
    query: Mapping[str, str]  # first value of each
    caller: Caller
    standing: Standing | None = None  # of the key; None where none is needed

    @property
    def principal(self) -> Principal:
        return self.caller.principal

    def header(self, name: str) -> str:
        return header(self.event, name)

    def json(self) -> Any:
        """The body as JSON. Raises Invalid with line and column, UnsupportedMedia, TooLarge."""
        return parse_json(self.event)

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object. Raises as `json` does, Invalid for anything else."""
        content = self.json()
        if not isinstance(content, dict):
            raise Invalid(f"The body must be a JSON object, not {json_name(content)}")
        return content

    def read[M: BaseModel](self, model: type[M]) -> M:
        """The body as a document. Raises Invalid with a finding for each field."""
        return validated(model, self.json_object())

    def flag(self, name: str) -> bool:
        """A query parameter that is true or false. Raises Invalid."""
        match self.query.get(name, "false").lower():
            case "true" | "1" | "":
                return name in self.query
            case "false" | "0":
                return False
            case other:
                raise Invalid(f"{name} must be true or false, not {other[:40]!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a route answers. `document` becomes JSON; `content` (with its type) goes out as it is."""

    status: int = 200
    document: Any = None
    content: bytes | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] | None = None
    version: str | None = None  # of the document


type Handle = Callable[[Request], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    template: str
    pattern: re.Pattern[str]
    permission: tuple[Verb, str] | None  # None: no key needed
    keeps: bool  # whether its answer may be kept for an Idempotency-Key: not when a key or a token is in it
    handle: Handle
    says: Contract


class Edge:
    """The routes of one function and the handler that Lambda, or the local gateway, calls."""

    def __init__(self, name: str, dialect: Dialect = OURS):
        self.name, self.dialect = name, dialect
        self._routes: list[Route] = []

    @property
    def registered(self) -> tuple[Route, ...]:
        """Every route, in order of registration."""
        return tuple(self._routes)

    @property
    def routes(self) -> tuple[tuple[str, str], ...]:
        """(method, path template) of each route, in order of registration."""
        return tuple((route.method, route.template) for route in self._routes)

    @property
    def at_gateway(self) -> tuple[tuple[str, str], ...]:
        """(method, path template) of what the gateway hands over: each route, or everything below the mounts."""
        return tuple(("ANY", each) for each in self.dialect.mounts) or self.routes

    def route(
        self, method: str, template: str, *, verb: Verb | None = None, of: str = "", keeps: bool = True, **says: Any
    ) -> Callable[[Handle], Handle]:
        """Register a route that needs the permission to `verb` resources `of` a kind; without `verb`, no key at all.

        An answer that is not to be kept is made again, with the same ids, when a request with an Idempotency-Key is
        repeated. `says` are the fields of its `Contract`.
        """
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template.rstrip("/").replace(".", r"\.")) + "/?")

        def register(handle: Handle) -> Handle:
            permission = None if verb is None else (verb, of)
            self._routes.append(Route(method, template, pattern, permission, keeps, handle, Contract(**says)))
            return handle

        return register

    def handler(self, event: Event, _context: object = None) -> Reply:
        """Answer one API Gateway event. Never raises for what a client sent."""
        started, cause = time.perf_counter(), new_cause(event)
        route: Route | None = None
        try:
            route, parameters = self._match(event)
            answer = self._answer(route, parameters, event, cause)
        except FingerpostError as error:
            answer = self._refused(error, event)
        except Exception as error:
            if (known := translated(error)) is not None:
                answer = self._refused(known, event)
            else:
                logger.exception("unexpected", cause=cause, function=self.name)
                message = f"Something went wrong on our side; it is in the log under {cause}"
                answer = self._refused(FingerpostError(message), event)
        logger.info(
            "answered",
            function=self.name,
            route=f"{route.method} {route.template}" if route else None,
            status=answer.status,
            cause=cause,
            ms=round((time.perf_counter() - started) * 1000, 1),
        )
        reply = as_reply(answer, cause)
        return {**reply, "body": ""} if event["requestContext"]["http"]["method"] == "HEAD" else reply

    def _refused(self, error: FingerpostError, event: Event) -> Answer:
        status, document = self.dialect.refuse(error, event)
        if isinstance(document, str):
            content_type = "text/html; charset=utf-8"
            return Answer(status=status, content=document.encode(), content_type=content_type, headers=error.headers)
        return Answer(status=status, document=document, headers=error.headers)

    def _match(self, event: Event) -> tuple[Route, dict[str, str]]:
        method, path = event["requestContext"]["http"]["method"], event["rawPath"]
        wanted = "GET" if method == "HEAD" else method
        allowed: list[str] = []
        for route in self._routes:
            if (parameters := _parameters(route, event)) is None:
                continue
            if route.method == wanted:
                return route, parameters
            allowed.append(route.method)
        if allowed:
            raise MethodNotAllowed(
                f"{path} does not take {method}; it takes {', '.join(sorted(set(allowed)))}",
                headers={"allow": ", ".join(sorted(set(allowed)))},
            )
        raise NotFound(f"There is nothing at {path[:200]}; {wiring.settings().api_url}/docs says what there is")

    def _answer(self, route: Route, parameters: dict[str, str], event: Event, cause: str) -> Answer:
        at = wiring.clock()
        tables = wiring.tables()
        standing: Standing | None = None
        if route.permission is None:
            principal = NOBODY
        else:
            authorization = header(event, "authorization")
            principal = self.dialect.who(tables, event, at)
            standing = _counted(principal, tables.of(principal.account).log, authorization, at)
            decide(principal, *route.permission, route.method, route.template, parameters)
        http = event["requestContext"]["http"]
        match = match_of(header(event, "if-match") if route.method in ("PUT", "DELETE") else "")
        if match.asks and not route.says.versioned:
            raise PreconditionFailed("What is at this address has no version; send the request without If-Match")
        request = Request(
            event=event,
            method=http["method"],
            path=event["rawPath"],
            parameters=parameters,
            query=query_of(event),
            standing=standing,
            caller=Caller(
                principal=principal,
                tables=tables.of(principal.account),
                at=at,
                cause=cause,
                address=address_of(event),
                chain=chain.read(principal.account, header(event, chain.HEADER)),
                match=match,
            ),
        )
        idempotency_key = header(event, "idempotency-key")
        if route.method != "POST" or not idempotency_key or route.permission is None:
            answer = _handled(request, route)
        else:
            answer = _once(request, route, idempotency_key)
        return (
            answer if standing is None else replace(answer, headers={**(answer.headers or {}), **standing.headers(at)})
        )


def _parameters(route: Route, event: Event) -> dict[str, str] | None:
    """The path's parameters when it is the route's; None when it is another's.

    The gateway's own word counts where it knows the template: it decodes a path before it hands it on, so that an
    encoded slash cannot be told from a real one any more.
    """
    if event.get("routeKey", "").partition(" ")[2] == route.template and "pathParameters" in event:
        return dict(event["pathParameters"])
    match = route.pattern.fullmatch(event["rawPath"])
    return None if match is None else {name: unquote(value) for name, value in match.groupdict().items()}


def _counted(principal: Principal, log: Table, authorization: str, at: int) -> Standing:
    """Where the key stands after this request. Raises TooManyRequests."""
    elsewhere = principal.actor == "roomClient" and principal.key  # a dialect need not have its keys in that header
    bearer = elsewhere or authorization.rsplit(maxsplit=1)[-1]
    standing = rates.hit(log, digest_of(bearer), LIMITS[principal.actor], at)
    if standing.exceeded:
        headers = standing.headers(at)
        raise TooManyRequests(
            f"This key has sent more than {standing.limit:,} requests in this minute",
            headers={**headers, "retry-after": headers["x-ratelimit-reset"]},
        )
    return standing


def _handled(request: Request, route: Route) -> Answer:
    """What the route answers; a document that has a version with its entity tag, or not at all when it is known."""
    answer = route.handle(request)
    if answer.version is None:
        return answer
    tag = entity_tag(answer.version, _json(answer.document).encode())
    headers = {**(answer.headers or {}), "etag": tag}
    if route.method == "GET" and is_known(tag, request.header("if-none-match")):
        return Answer(status=304, headers=headers)
    return replace(answer, headers=headers)


def _once(request: Request, route: Route, key: str) -> Answer:
    address = f"{request.method} {request.path}?{request.event.get('rawQueryString', '')}"
    parts = [address.encode(errors="replace"), body_bytes(request.event)]
    begun = begin(request.caller, key, b"\0".join(parts))
    if begun.answer is not None:
        first = json.loads(begun.answer)
        return Answer(status=first["status"], document=first["document"], headers=first["headers"])
    answer = _handled(replace(request, caller=begun.caller), route)
    if answer.content is None and route.keeps:
        begun.keep(packed(answer.status, answer.document, dict(answer.headers or {})))
    return answer


def query_of(event: Event) -> dict[str, str]:
    """The query parameters, the first value of each. Decoded once, from the raw text."""
    query: dict[str, str] = {}
    for name, value in parse_qsl(event.get("rawQueryString", ""), keep_blank_values=True, max_num_fields=None):
        query.setdefault(name, value)
    return query


def created(document: Any, location: str, *, version: str | None = None) -> Answer:
    return Answer(status=201, document=document, headers={"location": location}, version=version)


def shown(stored: Stored, shape: Callable[[Stored], Any]) -> Answer:
    """One resource, with its version."""
    return Answer(document=shape(stored), version=stored.tag)


def no_content() -> Answer:
    """The answer of a DELETE: 200 without a body, as the platform's clients insist."""
    return Answer(status=200)


def translated(error: Exception) -> FingerpostError | None:
    """A fact of the store as a client should see it; None for a bug."""
    match error:
        case ItemTooLarge():
            return TooLarge("This is larger than a row of the store can be (400 KB)")
        case TransactionFailed(conditions_only=True):
            return Conflict("This changed while the request was carried out; send it again")
        case Throttled() | Unreachable() | Uncertain() | TransactionFailed():
            return Unavailable(
                "The store is busy; send the request again (with an Idempotency-Key a repeat does nothing twice)",
                headers={"retry-after": "1"},
            )
        case _:
            return None


def as_reply(answer: Answer, cause: str) -> Reply:
    headers = {"x-fingerpost-cause": cause, **(answer.headers or {})}
    if answer.content is not None:
        return reply(answer.status, answer.content, {"content-type": answer.content_type, **headers})
    if answer.document is None:
        return reply(answer.status, "", headers)
    return reply(answer.status, _json(answer.document), {"content-type": answer.content_type, **headers})


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def short_domain_of(event: Event) -> str:
    """The short domain that a request came to: the one CloudFront names, else the deployment's own.

    On AWS clients reach the HTTP API past CloudFront as well, so its word counts only beside the secret that it adds.
    On one machine the gateway has dropped what a client wrote there.
    """
    believed = not wiring.on_aws() or _is_from_cloudfront(event)
    return (header(event, "x-fingerpost-domain") if believed else "") or wiring.settings().short_domain


def address_of(event: Event) -> str:
    """The client's address. Of a request that came through CloudFront the gateway knows CloudFront's alone."""
    if wiring.on_aws() and _is_from_cloudfront(event):
        return client_address(event)
    address: str = event["requestContext"]["http"].get("sourceIp", "")
    return address


def link_domain_of(request: Request) -> str:
    """The short domain of the link that a path names: `?shortDomain=`, else the one that is asked."""
    return request.query.get("shortDomain") or short_domain_of(request.event)


def _is_from_cloudfront(event: Event) -> bool:
    secret = os.environ.get("FINGERPOST_EDGE_SECRET", "")
    sent = header(event, "x-fingerpost-edge")
    return bool(secret) and hmac.compare_digest(secret.encode(), sent.encode(errors="replace"))


def new_cause(event: Event) -> str:
    """The id that connects what follows from one request: the gateway's own, or a new one."""
    given = event.get("requestContext", {}).get("requestId", "")
    return given if isinstance(given, str) and given else secrets.token_hex(8)
