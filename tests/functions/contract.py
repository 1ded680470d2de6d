"""Every answer that a test gets, held to what its route says it answers."""

import importlib
from collections.abc import Iterable, Mapping
from functools import cache
from operator import itemgetter
from typing import Any

from pydantic import TypeAdapter, ValidationError

from fingerpost.edge import Edge, Route
from fingerpost.local.functions import EDGES

NOT_MODIFIED = 304


@cache
def edges() -> tuple[Edge, ...]:
    return tuple(importlib.import_module(f"functions.{name}.app").edge for name in EDGES)


@cache
def _routes() -> dict[str, Route]:
    """By route key, as the gateway names them."""
    return {key_of(route): route for edge in edges() for route in edge.registered}


@cache
def _refusals() -> dict[str, Any]:
    return {key_of(route): edge.dialect.refusal for edge in edges() for route in edge.registered}


def key_of(route: Route) -> str:
    return f"{route.method} {route.template}"


def edge_at(path: str) -> Edge | None:
    """Whose path it is of the edges that the gateway hands paths to whole."""
    mounts = ((edge, mount.partition("{")[0]) for edge in edges() for mount in edge.dialect.mounts)
    found = ((len(mount), edge) for edge, mount in mounts if path.startswith(mount))
    return max(found, key=itemgetter(0), default=(0, None))[1]


def route_key_at(method: str, path: str) -> str | None:
    """The route that such an edge finds by itself; None where it refuses."""
    edge = edge_at(path)
    routes = edge.registered if edge else ()
    return next((key_of(each) for each in routes if each.method == method and each.pattern.fullmatch(path)), None)


@cache
def _shape(route_key: str, status: int) -> Any:
    """What JSON of this route and status has to be."""
    said = _routes()[route_key].says.answered[status]
    return next(TypeAdapter(each) for each in said if not isinstance(each, str))


def hold(route_key: str, status: int, headers: Mapping[str, str], content: bytes, asked: Iterable[str] = ()) -> None:
    """Raises AssertionError for an answer that its route does not announce, also to a parameter that it does not.

    `asked` are the names in the query.
    """
    media = headers.get("content-type", "").partition(";")[0]
    if status >= 400 and isinstance(refusal := _refusals()[route_key], str):
        assert media == refusal
        return None
    if status >= 400 and media not in _routes()[route_key].says.answered.get(status, ()):  # which may name a page
        return _fits(TypeAdapter(_refusals()[route_key]), route_key, content)
    if status == NOT_MODIFIED:
        assert not content
        return None
    names = {each for each in asked if not each.startswith("{")}  # else the whole query is one object
    unsaid = names - {each.partition(":")[0] for each in _routes()[route_key].says.query}
    assert not unsaid, f"{route_key} answers when asked for {sorted(unsaid)}, and says nothing of it"
    said = _routes()[route_key].says.answered
    assert status in said, f"{route_key} answers {status}, and says {sorted(said)}"
    unsaid = ({"link", "x-result-count"} & headers.keys()) - _routes()[route_key].says.headers
    assert not unsaid, f"{route_key} answers with {sorted(unsaid)}, and says nothing of it"
    kinds = {each if isinstance(each, str) else "application/json" for each in said[status]}
    assert media in (kinds or {""}), f"{route_key} answers {media or 'nothing'}, and says {kinds or 'nothing'}"
    if media != "application/json":
        return None
    assert ("etag" in headers) == _routes()[route_key].says.versioned, f"{route_key}: has {dict(headers)}"
    return _fits(_shape(route_key, status), route_key, content)


def _fits(shape: TypeAdapter[Any], route_key: str, content: bytes) -> None:
    try:
        shape.validate_json(content)
    except ValidationError as error:
        raise AssertionError(f"{route_key} answers what it does not say: {error}\n{content[:2000]!r}") from None
