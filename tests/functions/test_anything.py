"""No 500 for any input: odd paths, queries, headers and bodies at every address, with every kind of key."""

import json
import re
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fingerpost.local.events import http_event
from fingerpost.local.functions import load_function
from tests.functions.contract import edge_at, edges
from tests.functions.world import DOMAIN, OPERATOR_KEY, World, answer_of, handler_of, is_error_document, router

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
HEADER = st.text(
    st.characters(max_codepoint=0x2FFF, exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=40
)
ODD = st.sampled_from(
    ["", "null", "0", "-1", "all", "x" * 300, "%00", "../..", "{}", "*", "a&b|c", "\x00", "é" * 80, "9" * 30, "1e400"]
)
WORDS = st.one_of(ODD, TEXT)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT, ODD),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)
FIELD_NAMES = """
    name fn description tags customFields identifiers scopes product properties location collections activatedAt type
    thng timestamp evrythngId defaultRedirectUrl shortId shortDomain rules projects users id errors body wholeAddresses
"""
DOCUMENTS = st.dictionaries(st.sampled_from(FIELD_NAMES.split()), VALUES, max_size=5)
URLS = st.sampled_from(["https://x.example/", "https://x.example/{thng.name}?{b}", "javascript:x"]) | TEXT
MATCHES = st.sampled_from(["thng.name=*", "country=IE", "a=b", "thng.tags=a|language=fr", "timeOfDay<10:00"]) | TEXT
RULES = st.fixed_dictionaries(
    {"redirectUrl": URLS}, optional={"match": MATCHES, "constants": VALUES, "name": VALUES, "delegates": VALUES}
)
BODIES = st.one_of(
    st.builds(lambda document: json.dumps(document).encode(), DOCUMENTS | VALUES),
    st.builds(lambda rules: json.dumps({"rules": rules}).encode(), st.lists(RULES, max_size=3)),
    st.binary(max_size=60),
)
PARAMETERS = "filter perPage sortOrder nextPageToken ids project withScopes context explain strict evrythngId w h"
FILTERS = st.sampled_from(
    [
        "tags=a",
        "name=*",
        "name=a*|!tags=b",
        "createdAt>5",
        "identifiers.a>1",
        "name~x",
        "createdAt=..",
        "timestamp=1..2",
    ]
)
METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"])
VIEWER = """
    cloudfront-viewer-address cloudfront-viewer-country cloudfront-viewer-country-region-name cloudfront-viewer-city
    cloudfront-viewer-latitude cloudfront-viewer-longitude cloudfront-viewer-time-zone
"""
OF_API = "accept accept-language user-agent referer idempotency-key if-none-match" + VIEWER
OF_VISIT = "accept accept-language user-agent referer purpose sec-purpose x-moz x-fingerpost-domain" + VIEWER
ANY_CASE = settings(deadline=None, suppress_health_check=list(HealthCheck))

_kept: dict[int, dict[str, list[str]]] = {}


def percent_encoded(text: str) -> str:
    return quote(text, safe="")


def templates() -> list[str]:
    return sorted({template for edge in edges() for _, template in edge.routes})


def known(world: World) -> dict[str, list[str]]:
    """Values that exist, by the names of path variables, and API keys; made once a store."""
    if id(world) not in _kept:
        _kept.clear()
        operator = world.operator
        product = world.product()["id"]
        thng = operator.made("/thngs", {"name": "x", "product": product, "tags": ["a"]}, project=world.project)["id"]
        operator.made("/actions", {"name": "_Custom"})
        operator.publish({"match": "thng.tags=a & language=fr", "redirectUrl": "https://x.example/{thng.name}"})
        _kept[id(world)] = {
            "apiKey": [OPERATOR_KEY, str(world.trusted.key), str(world.application.key), str(world.stranger.key)],
            "accountId": [world.account],
            "projectId": [world.project],
            "applicationId": [world.application_id],
            "productId": [product],
            "thngId": [thng],
            "type": ["scans", "all", "_Custom", "implicitScans"],
            "actionId": [operator.made("/actions/scans", {"thng": thng})["id"]],
            "shortId": [operator.link(thng)["shortId"]],
        }
    return _kept[id(world)]


def event_of(world: World, method: str, path: str, query: str, headers: dict[str, str], body: bytes = b"") -> Any:
    return http_event(
        method=method,
        raw_path=path,
        raw_query=query,
        headers={"host": DOMAIN, "x-fingerpost-domain": DOMAIN, **headers},
        cookies=None,
        source_ip="203.0.113.77",
        http_version="1.1",
        route_key="$default",
        parameters={},
        request_id="cause",
        at=world.clock(),
        body=body,
    )


@settings(ANY_CASE, max_examples=250)
@given(
    data=st.data(),
    method=METHODS,
    template=st.sampled_from(templates()),
    query=st.lists(st.tuples(st.sampled_from(PARAMETERS.split()) | TEXT, FILTERS | WORDS), max_size=3),
    headers=st.dictionaries(st.sampled_from(OF_API.split()), HEADER, max_size=3),
    media=st.just("application/json") | HEADER,
    body=BODIES,
)
def test_no_request_is_a_500(world: World, data, method, template, query, headers, media, body):
    values = known(world)

    def value(found: re.Match[str]) -> str:
        return data.draw(st.sampled_from(values.get(found[1], ["x"])) | WORDS.map(percent_encoded))

    path = re.sub(r"\{(\w+)\+?\}", value, template)
    key = data.draw(st.sampled_from(values["apiKey"]) | HEADER)
    match = router().match(method, path)
    function = match.function if match else router().owner(path) or load_function("access")
    raw_query = "&".join(f"{percent_encoded(name)}={percent_encoded(text)}" for name, text in query)
    sent = {"authorization": key, "content-type": media, **headers}
    answer = answer_of(function.handler(event_of(world, method, path, raw_query, sent, body), None))
    assert answer.status < 500, answer
    if method == "HEAD":
        assert answer.content == b""
    elif answer.status >= 400:
        assert edge_at(path) is not None or is_error_document(answer), answer
    elif answer.headers.get("content-type") == "application/json":
        assert answer.document is not None


@settings(ANY_CASE, max_examples=150)
@given(
    path=WORDS.map(percent_encoded) | st.none(),
    method=st.sampled_from(["GET", "HEAD"]),
    headers=st.dictionaries(st.sampled_from(OF_VISIT.split()), HEADER, max_size=6),
)
def test_no_visit_is_a_500(world: World, path, method, headers):
    short_id = known(world)["shortId"][0] if path is None else path
    answer = answer_of(handler_of("redirect")(event_of(world, method, f"/{short_id}", "", headers), None))
    assert answer.status in (200, 307, 404)
    if path is None and "x-fingerpost-domain" not in headers:
        assert answer.status in (200, 307)
