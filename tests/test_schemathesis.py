"""The described API, tried by schemathesis on a running server: nothing breaks, and every answer is as described."""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fingerpost.local.functions import EDGES
from tests.running import Server, running

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CONFIG = {"generation": {"with-security-parameters": False}}
# Who may do what an operator may not, by the kind of resource; and how often each operation is tried by whom.
MEANT_FOR = {
    "signIn": "application",
    "logout": "user",
    "userAccesses": "user",
    "self": "trustedApplication",
    "joan": "roomClient",
    "roomvox": "roomvox",
}
OTHERS = ("trustedApplication", "application", "user", "device", "nobody")
BY_WHO_MAY, BY_ANOTHER = 6, 1


@dataclass
class Cast:
    """An account with one of everything: what addresses name, and the keys of all who may ask."""

    server: Server
    known: dict[str, Any]
    keys: dict[str, str]
    role_of_operators: str

    def asked(self, operation: Any) -> dict[str, Any]:
        """What the query of an operation may name."""
        kind = operation.path.strip("/").removesuffix("s")
        known = {"project": self.known["projectId"], "evrythngId": self.known["thngId"], "context": "true"}
        known |= {"ids": self.known[f"{kind}Id"]} if f"{kind}Id" in self.known else {}
        return {each.name: known[each.name] for each in operation.query if each.name in known}

    def there(self, operation: Any) -> dict[str, Any]:
        """What the address of an operation may name."""
        named = {each.name for each in operation.path_parameters}
        known = {**self.known, "roleId": self.role_of_operators} if "permissionName" in named else self.known
        return {name: value for name, value in known.items() if name in named}


def joan_token(server: Server) -> str:
    client = server.ask("/rooms/credentials/joan", {"name": "Lobby"})
    form = {
        "grant_type": "client_credentials",
        "client_id": client["clientId"],
        "client_secret": client["clientSecret"],
    }
    token: str = httpx.post(f"{server.api}/api/token/", data=form).json()["access_token"]
    return token


ROLES: dict[str, dict[str, str]] = {"operator": {}, "userInApp": {"type": "userInApp"}}


def cast_of(server: Server) -> Cast:
    def made(path: str, body: Any, key: str | None = None, method: str = "POST", **more: str) -> Any:
        return server.ask(path, body, key=key, method=method, **more)

    account = server.ask("/access")["account"]
    project = made("/projects", {"name": "On show"})["id"]
    application = made(f"/projects/{project}/applications", {"name": "Guide"})
    base = f"/projects/{project}/applications/{application['id']}"
    secret = server.ask(f"{base}/secretKey")["secretApiKey"]
    product = made(f"/products?project={project}", {"name": "Painting", "properties": {"insured": True}})["id"]
    collection, child = (made(f"/collections?project={project}", {"name": each})["id"] for each in ("Oils", "Late"))
    place = made(f"/places?project={project}", {"name": "Pier", "latitude": 53.3, "longitude": -6.2})["id"]
    thing = {"name": "The Turf Cutters", "product": product, "properties": {"lit": 1}, "collections": [collection]}
    thng = made(f"/thngs?project={project}", thing)["id"]
    made(f"/collections/{collection}/collections", [child])
    made("/actions", {"name": "_lit"})
    made("/redirector", {"rules": [{"match": "country=IE", "redirectUrl": "https://x.example/"}]}, method="PUT")
    made(f"{base}/redirector", {"rules": [{"redirectUrl": "https://guide.example/"}]}, method="PUT")
    for each in ("", base):
        made(f"{each}/redirector/drafts/summer", {"rules": []}, method="PUT")
    sent = {"evrythngId": thng, "defaultRedirectUrl": "https://museum.example/"}
    link = made("/redirections", sent, accept="application/json")
    action = made("/actions/scans", {"thng": thng})["id"]
    made("/redirections", {**sent, "evrythngId": product}, accept="application/json")
    roles = {each: made("/roles", {"name": "guard", **more})["id"] for each, more in ROLES.items()}
    colleague = made(f"/accounts/{account}/accesses", {"email": "second@museum.example"})
    user = made("/auth/evrythng/users?anonymous=true", {}, key=application["appApiKey"])
    device = made("/auth/evrythng/thngs", {"thngId": thng})["thngApiKey"]
    erasure = made("/scans?before=2020-01-01", None, method="DELETE")["id"]
    room = made("/rooms", {"name": "Glass Room"})["email"]
    panel = made("/rooms/devices", {"uuid": "7b0d1f52", "room": server.ask("/rooms")[0]["id"]})["uuid"]
    known = {
        "room": room,
        "uuid": panel,
        "accountId": account,
        "projectId": project,
        "applicationId": application["id"],
        "productId": product,
        "thngId": thng,
        "collectionId": collection,
        "childId": child,
        "placeId": place,
        "type": "scans",
        "actionId": action,
        "shortId": link["shortId"],
        "key": "lit",
        "name": "summer",
        "number": 1,
        "roleId": roles["userInApp"],
        "permissionName": "global_read",
        "accessId": colleague["id"],
        "operatorId": colleague["operator"],
        "userId": user["evrythngUser"],
        "erasureId": erasure,
        **of_rooms(made),
    }
    vox = made("/rooms/credentials/roomvox", {"name": "Kiosk", "scope": "admin"})["token"]
    keys = {
        "operator": server.key,
        "trustedApplication": secret,
        "application": application["appApiKey"],
        "user": user["evrythngApiKey"],
        "device": device,
        "roomClient": f"Bearer {joan_token(server)}",
        "roomvox": f"Bearer {vox}",
        "nobody": "",
    }
    return Cast(server, known, keys, roles["operator"])


def of_rooms(made: Callable[..., Any]) -> dict[str, str]:
    """A room, and one of everything that belongs to rooms."""
    room = made("/rooms", {"name": "Harbour Room"})["id"]
    hub = made("/rooms/hubs", {"name": "Harbour", "room": room})["id"]
    member = {"name": "Ann", "email": "a@museum.example", "privilege": "read"}
    hour = {"start": "2999-01-01T10:00:00Z", "end": "2999-01-01T11:00:00Z"}
    return {
        "roomId": room,
        "bookingId": made(f"/rooms/{room}/bookings", hour)["id"],
        "structureId": made("/rooms/structures", {"name": "Ground", "level": "floor"})["id"],
        "equipmentId": made("/rooms/equipment", {"name": "Lectern"})["id"],
        "personId": made("/rooms/people", {"name": "Ann", "pin": "4711"})["id"],
        "deviceId": made("/rooms/devices", {"uuid": "7b0d", "room": room})["id"],
        "hubId": hub,
        "memberId": made(f"/rooms/hubs/{hub}/members", member)["id"],
        "clientId": made("/rooms/credentials/joan", {"name": "Lobby"})["id"],
        "tokenId": made("/rooms/credentials/roomvox", {"name": "Lobby", "scope": "read"})["id"],
        "groupId": made("/rooms/credentials/evoko", {"name": "panels"})["id"],
        "slug": "harbour-room",
        "uid": made(f"/rooms/{room}/bookings", {"start": 1_000, "end": 2_000, "rrule": "FREQ=DAILY;COUNT=3"})["id"],
    }


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    with running(tmp_path_factory.mktemp("described"), FINGERPOST_DEMO="0") as server:
        yield cast_of(server)


@cache
def meant_for() -> dict[tuple[str, str], str]:
    """Who may do it, by method and path."""
    routes = (each for name in EDGES for each in importlib.import_module(f"functions.{name}.app").edge.registered)
    kinds = {(each.method, each.template): each.permission for each in routes}
    return {key: MEANT_FOR.get(kind[1] if kind else "", "operator") for key, kind in kinds.items()}


def in_order(operation: Any) -> tuple[bool, int]:
    """What is deleted goes last, and what others are in after these."""
    deletes = operation.method.lower() == "delete"
    return deletes, -operation.path.count("/") if deletes else 0


def test_nothing_breaks_and_answers_are_as_described(cast):
    config = SchemathesisConfig.from_dict(CONFIG)
    schema = schemathesis.openapi.from_url(f"{cast.server.api}/openapi.json", config=config)
    others = cycle(OTHERS)
    for operation in sorted((each.ok() for each in schema.get_all_operations()), key=in_order):
        who = meant_for()[operation.method.upper(), operation.path]
        attempt(cast, operation, who, BY_WHO_MAY)
        attempt(cast, operation, next(others), BY_ANOTHER)


def attempt(cast: Cast, operation: Any, who: str, examples: int) -> None:
    """Ask for an operation with what fits its description and with what does not, of things that are there or not."""
    there = cast.there(operation)
    cases = [
        operation.as_strategy(GenerationMode.POSITIVE, path_parameters=there),
        operation.as_strategy(GenerationMode.POSITIVE),
    ]
    if asked := cast.asked(operation):
        cases.append(operation.as_strategy(GenerationMode.POSITIVE, path_parameters=there, query=asked))
    if operation.body or operation.query or operation.path_parameters:
        cases.append(operation.as_strategy(GenerationMode.NEGATIVE, path_parameters=there))

    @given(st.one_of(cases))
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def hold(case: Any) -> None:
        response = case.call(headers={"authorization": cast.keys[who]})
        case.validate_response(response, checks=CHECKS)

    hold()
