"""A small platform in one process: a fresh store, an account with its keys, and clients that call the handlers."""

import base64
import importlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from fingerpost import keys
from fingerpost.access import operators
from fingerpost.access import service as access
from fingerpost.access.secrets import RootSecrets
from fingerpost.aws.stream import stream_event
from fingerpost.ids import new_id
from fingerpost.local.blobs import FolderBlobs
from fingerpost.local.deliveries import queue_event
from fingerpost.local.events import http_event
from fingerpost.local.feed import SqliteFeed
from fingerpost.local.functions import EDGES, load_function
from fingerpost.local.queue import SqliteQueue
from fingerpost.local.routes import Router
from fingerpost.local.scheduler import LocalScheduler
from fingerpost.ports.table import Tables
from fingerpost.redirection.visit import Visits
from tests.functions.contract import edge_at, hold, route_key_at

EVENTS = Path(__file__).resolve().parents[2] / "events"
DOMAIN = "tn.example"
API_URL = "https://api.example"
DEFAULT = "https://museum.example/"
SUNDAY_NOON = 1_773_576_000_000  # 2026-03-15T12:00:00Z
OPERATOR_KEY = "operator" * 10
SECOND, HOUR, DAY = 1_000, 3_600_000, 86_400_000
NOTHING = object()
ROOTS = RootSecrets(1, {1: bytes(range(32))})

_router: Router | None = None


class SettableClock:
    """Stands still until it is moved. Milliseconds since the epoch."""

    def __init__(self, now: int = SUNDAY_NOON):
        self.now = now

    def __call__(self) -> int:
        return self.now


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def document(self) -> Any:
        """The body as strict JSON."""
        return json.loads(self.content, parse_constant=lambda name: pytest_fail(f"{name} is no JSON"))

    @property
    def error(self) -> str:
        """What a person is told; the answer must be an error."""
        assert self.status >= 400, self
        message: str = self.document["errors"][0]
        return message

    @property
    def location(self) -> str:
        return self.headers["location"]


def pytest_fail(message: str) -> None:
    raise AssertionError(message)


def rule(match: str | None = None, url: str = "https://x.example/", **more: Any) -> dict[str, Any]:
    """One redirector rule; without `match` it always matches."""
    return {**({} if match is None else {"match": match}), "redirectUrl": url, **more}


def router() -> Router:
    global _router  # noqa: PLW0603 - the routes are the same for every test
    _router = _router or Router([load_function(name) for name in EDGES])
    return _router


def handler_of(function: str) -> Any:
    return importlib.import_module(f"functions.{function}.app").handler


def answer_of(reply: Mapping[str, Any]) -> Answer:
    """A handler's reply as a client sees it. Whatever is refused is the one error document."""
    body = reply.get("body", "")
    content = base64.b64decode(body, validate=True) if reply.get("isBase64Encoded") else body.encode()
    answer = Answer(reply["statusCode"], dict(reply["headers"]), content)
    assert all(isinstance(value, str) and "\n" not in value for value in answer.headers.values()), answer
    assert all(name == name.lower() for name in answer.headers), answer
    return answer


def is_error_document(answer: Answer) -> bool:
    document = answer.document
    return (
        answer.headers["content-type"] == "application/json"
        and document["status"] == answer.status
        and all(isinstance(each, str) and each for each in document["errors"])
        and bool(document["errors"])
        and document["moreInfo"] == f"{API_URL}/errors#{document['code']}"
    )


@dataclass(frozen=True, slots=True)
class Client:
    """Calls the API with one key, as API Gateway would."""

    world: "World"
    key: str | None

    def call(
        self,
        method: str,
        path: str,
        body: Any = NOTHING,
        *,
        headers: Mapping[str, str] | None = None,
        raw_body: bytes | None = None,
        on_short: bool = False,
        **query: Any,
    ) -> Answer:
        path, _, raw_query = path.partition("?")
        raw_query = "&".join(filter(None, (raw_query, urlencode(query))))
        sent = {"host": DOMAIN if on_short else "api.example", "user-agent": "tests/1"}
        if self.key is not None:
            sent["authorization"] = self.key
        if on_short:
            sent["x-fingerpost-domain"] = DOMAIN
        content = raw_body or b""
        if body is not NOTHING:
            content = json.dumps(body).encode()
            sent["content-type"] = "application/json"
        sent |= headers or {}
        match = router().match(method, path)
        function = match.function if match else router().owner(path) or load_function("access")
        event = http_event(
            method=method,
            raw_path=path,
            raw_query=raw_query,
            headers=sent,
            cookies=[sent.pop("cookie")] if "cookie" in sent else None,
            source_ip="203.0.113.77",
            http_version="1.1",
            route_key=match.route_key if match else "$default",
            parameters=match.parameters if match else {},
            request_id=f"request-{next(self.world.numbers)}",
            at=self.world.clock(),
            body=content,
        )
        answer = answer_of(function.handler(event, None))
        if answer.status >= 400 and method != "HEAD" and edge_at(path) is None:
            assert is_error_document(answer), answer
        route_key = match and (match.route_key if edge_at(path) is None else route_key_at(method, path))
        if route_key and method != "HEAD":
            hold(route_key, answer.status, answer.headers, answer.content, dict(parse_qsl(raw_query, True)))
        return answer

    def get(self, path: str, **more: Any) -> Answer:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = NOTHING, **more: Any) -> Answer:
        return self.call("POST", path, body, **more)

    def put(self, path: str, body: Any = NOTHING, **more: Any) -> Answer:
        return self.call("PUT", path, body, **more)

    def delete(self, path: str, **more: Any) -> Answer:
        return self.call("DELETE", path, **more)

    def made(self, path: str, body: Any, **more: Any) -> Any:
        """POST something that has to succeed; the document."""
        answer = self.post(path, body, **more)
        assert answer.status == 201, answer
        return answer.document

    def read(self, path: str, **more: Any) -> Any:
        answer = self.get(path, **more)
        assert answer.status == 200, answer
        return answer.document

    def link(self, evrythng_id: str, url: str = DEFAULT, **more: Any) -> Any:
        """A redirection of a thing, as its document."""
        sent = {"evrythngId": evrythng_id, "defaultRedirectUrl": url, **more}
        return self.made("/redirections", sent, headers={"accept": "application/json"}, on_short=True)

    def publish(self, *rules: Mapping[str, Any]) -> Any:
        answer = self.put("/redirector", {"rules": rules})
        assert answer.status == 200, answer
        return answer.document


@dataclass(slots=True)
class World:
    """One store with one account in it, and the clock by which everything runs."""

    folder: Path
    tables: Tables
    clock: SettableClock
    queues: dict[str, SqliteQueue]
    feed: SqliteFeed
    account: str = ""
    operator: Client = None  # type: ignore[assignment]
    numbers: Any = None
    bundles: FolderBlobs = None  # type: ignore[assignment]
    scheduler: LocalScheduler = None  # type: ignore[assignment]
    _project: dict[str, Any] = field(default_factory=dict)

    def begin(self) -> None:
        self.account = self.new_account(OPERATOR_KEY, DOMAIN)
        self.operator = Client(self, OPERATOR_KEY)

    def new_account(self, key: str, *domains: str) -> str:
        at = self.clock()
        account, operator = new_id(at), new_id(at)
        access.create_account(self.tables, account=account, name="Harbour Museum", domain=domains[0], at=at)
        operators.create_first(
            self.tables, account=account, operator=operator, key=key, email="op@museum.example", at=at
        )
        return account

    @property
    def stranger(self) -> Client:
        """The operator of another account, on the same domain."""
        key = "stranger" * 10
        if self.tables.main.get(keys.api_key(key)) is None:
            self.new_account(key, DOMAIN)
        return Client(self, key)

    @property
    def nobody(self) -> Client:
        return Client(self, None)

    @property
    def project(self) -> str:
        """A project with an application, made when it is first asked for."""
        if not self._project:
            project = self.operator.made("/projects", {"name": "On show"})["id"]
            application = self.operator.made(f"/projects/{project}/applications", {"name": "Guide"})
            secret = self.operator.read(f"/projects/{project}/applications/{application['id']}/secretKey")
            self._project = {"id": project, "application": application, "secret": secret["secretApiKey"]}
        identifier: str = self._project["id"]
        return identifier

    @property
    def application(self) -> Client:
        assert self.project
        return Client(self, self._project["application"]["appApiKey"])

    @property
    def application_id(self) -> str:
        assert self.project
        identifier: str = self._project["application"]["id"]
        return identifier

    @property
    def trusted(self) -> Client:
        assert self.project
        return Client(self, self._project["secret"])

    def product(self, **more: Any) -> Any:
        return self.operator.made("/products", {"name": "Painting", **more})

    def thng(self, **more: Any) -> Any:
        return self.operator.made("/thngs", {"name": "The Turf Cutters", **more})

    def scan(self, short_id: str, *, method: str = "GET", query: str = "", **headers: str) -> Answer:
        """A visit of a short link; `country="IE"` stands for CloudFront's header, `accept_language` for its own."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for short in ("country", "latitude", "longitude", "time-zone", "city", "address"):
            if short in named:
                named[f"cloudfront-viewer-{short}"] = named.pop(short)
        sent = {"host": DOMAIN, "user-agent": "Mozilla/5.0", **named, "x-fingerpost-domain": DOMAIN}
        event = http_event(
            method=method,
            raw_path=f"/{short_id}",
            raw_query=query,
            headers=sent,
            cookies=[sent.pop("cookie")] if "cookie" in sent else None,
            source_ip="203.0.113.77",
            http_version="1.1",
            route_key="$default",
            parameters={},
            request_id=f"request-{next(self.numbers)}",
            at=self.clock(),
        )
        return answer_of(handler_of("redirect")(event, None))

    def story(self, name: str, **values: str) -> Any:
        """Call the function of `events/<function>/<story>.json` with that event, its placeholders filled in."""
        known = {"OPERATOR_KEY": OPERATOR_KEY, "DOMAIN": DOMAIN, "ACCOUNT": self.account, **values}
        text = (EVENTS / f"{name}.json").read_text(encoding="utf-8")
        event = json.loads(re.sub(r"\$([A-Z_]+)", lambda found: known[found[1]], text))
        return handler_of(name.partition("/")[0])(event, None)

    def answered(self, name: str, **values: str) -> Answer:
        return answer_of(self.story(name, **values))

    def settle(self) -> None:
        """Let everything happen that hangs off the feed and the work queue."""
        for reader in ("derive", "dispatch"):
            while changes := self.feed.read(reader):
                assert handler_of(reader)(stream_event(changes), None) == {"batchItemFailures": []}
                self.feed.commit(reader, changes[-1].sequence)
        for name in ("work", "spill", "install"):
            while messages := self.queues[name].receive():
                assert handler_of(name)(queue_event(name, messages), None) == {"batchItemFailures": []}
                for each in messages:
                    self.queues[name].delete(each.receipt)

    def recorded(self) -> list[dict[str, Any]]:
        """Every action's row, in order of time."""
        rows = [row for row in self.rows().values() if row.get("k") == "action"]
        return sorted(rows, key=lambda row: int(row["ts"]))

    def keep_whole_addresses(self) -> None:
        assert self.operator.put(f"/accounts/{self.account}", {"wholeAddresses": True}).status == 200

    def fresh_visits(self, tables: Tables | None = None) -> Visits:
        """As a new execution environment begins: nothing kept in memory."""
        tables = tables or self.tables
        return Visits(tables, tables.main, self.queues["spill"].send)

    def rows(self) -> dict[Any, Any]:
        """Every row of both tables but the counts of requests, to show that nothing was stored."""
        named = (("main", self.tables.main), ("log", self.tables.log))
        rows = ((name, row) for name, table in named for row in table.walk())
        return {(name, row.key): row.item for name, row in rows if row.item["k"] != "rate"}
