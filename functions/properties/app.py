"""Properties and locations of thngs, properties of products: set, read, looked up in their history, erased."""

from fingerpost import wiring
from fingerpost.body import parse_json
from fingerpost.catalogue import updates
from fingerpost.catalogue.answers import Location, PastValue, Property
from fingerpost.catalogue.documents import SentLocation, SentProperty, own_key, property_key
from fingerpost.catalogue.model import PRODUCT, THNG
from fingerpost.catalogue.properties import LOCATION
from fingerpost.catalogue.updates import Opened, Span
from fingerpost.edge import Answer, Edge, Request, no_content
from fingerpost.errors import Finding, Invalid
from fingerpost.insight.periods import MAX_MOMENT, moment
from fingerpost.paging import ask_of, listed
from fingerpost.resources import Kind

PAGES = ("filter", "perPage", "nextPageToken")
HISTORY = ("from", "to", "sortOrder", *PAGES)
type Readings = SentProperty | list[SentProperty]
type Positions = SentLocation | list[SentLocation]

edge = Edge("properties")
handler = edge.handler


@edge.route("POST", "/thngs/{thngId}/properties", verb="create", of="properties", body=Readings, answers=list[Property])
@edge.route(
    "POST", "/products/{productId}/properties", verb="create", of="properties", body=Readings, answers=list[Property]
)
def create_properties(request: Request) -> Answer:
    """Set several properties, new ones or others."""
    kind, resource_id = _named(request)
    sent = updates.sent_properties(parse_json(request.event))
    return Answer(document=updates.set_properties(request.caller, kind, resource_id, sent))


@edge.route("PUT", "/thngs/{thngId}/properties", verb="update", of="properties", body=Readings, answers=list[Property])
@edge.route(
    "PUT", "/products/{productId}/properties", verb="update", of="properties", body=Readings, answers=list[Property]
)
def update_properties(request: Request) -> Answer:
    """Set several properties, new ones or others."""
    return create_properties(request)


@edge.route("GET", "/thngs/{thngId}/properties", verb="read", of="properties", answers=list[Property], query=PAGES)
@edge.route(
    "GET", "/products/{productId}/properties", verb="read", of="properties", answers=list[Property], query=PAGES
)
def list_properties(request: Request) -> Answer:
    """The last value of each property, by key."""
    opened = Opened.of(request.caller, *_named(request))
    page = updates.current_properties(request.caller, opened, ask_of(request, "property"), _secret())
    return listed(request, page, [updates.shown_property(each) for each in page.items])


@edge.route("DELETE", "/thngs/{thngId}/properties", verb="delete", of="properties", answers=None)
@edge.route("DELETE", "/products/{productId}/properties", verb="delete", of="properties", answers=None)
def delete_properties(request: Request) -> Answer:
    """Remove every property with its history, but those that the platform sets."""
    updates.erase_all(request.caller, Opened.of(request.caller, *_named(request), to_change=True))
    return no_content()


@edge.route(
    "PUT", "/thngs/{thngId}/properties/{key}", verb="update", of="properties", body=Readings, answers=list[Property]
)
@edge.route(
    "PUT",
    "/products/{productId}/properties/{key}",
    verb="update",
    of="properties",
    body=Readings,
    answers=list[Property],
)
def update_property(request: Request) -> Answer:
    """Set one property, or add to its history what a device has kept."""
    kind, resource_id = _named(request)
    key = _key(request, own=True)
    sent = updates.sent_properties(parse_json(request.event), key)
    return Answer(document=updates.set_properties(request.caller, kind, resource_id, sent, key))


@edge.route(
    "GET", "/thngs/{thngId}/properties/{key}", verb="read", of="properties", answers=list[PastValue], query=HISTORY
)
@edge.route(
    "GET",
    "/products/{productId}/properties/{key}",
    verb="read",
    of="properties",
    answers=list[PastValue],
    query=HISTORY,
)
def read_property(request: Request) -> Answer:
    """What a property has been, newest first."""
    opened = Opened.of(request.caller, *_named(request))
    page = updates.history(
        request.caller, opened, _key(request), ask_of(request, "property"), _span(request), _secret()
    )
    return listed(request, page, [updates.shown_property(each, key=False) for each in page.items])


@edge.route("DELETE", "/thngs/{thngId}/properties/{key}", verb="delete", of="properties", answers=None, query=("to",))
@edge.route(
    "DELETE", "/products/{productId}/properties/{key}", verb="delete", of="properties", answers=None, query=("to",)
)
def delete_property(request: Request) -> Answer:
    """Remove what a property was before a time, or all that it has been."""
    opened = Opened.of(request.caller, *_named(request), to_change=True)
    updates.erase(request.caller, opened, _key(request, own=True), _moment(request, "to"))
    return no_content()


@edge.route("PUT", "/thngs/{thngId}/location", verb="update", of="locations", body=Positions, answers=list[Location])
def update_location(request: Request) -> Answer:
    """Say where a thng is, or the way it has come."""
    sent = updates.sent_locations(parse_json(request.event))
    return Answer(document=updates.set_locations(request.caller, *_named(request), sent))


@edge.route("GET", "/thngs/{thngId}/location", verb="read", of="locations", answers=list[Location], query=HISTORY)
def read_location(request: Request) -> Answer:
    """Where a thng has been, newest first."""
    opened = Opened.of(request.caller, *_named(request))
    page = updates.history(request.caller, opened, LOCATION, ask_of(request, "location"), _span(request), _secret())
    return listed(request, page, [updates.shown_location(each, opened.stored) for each in page.items])


@edge.route("DELETE", "/thngs/{thngId}/location", verb="delete", of="locations", answers=None, query=("to",))
def delete_location(request: Request) -> Answer:
    """Remove where a thng was before a time, or everywhere it has been."""
    opened = Opened.of(request.caller, *_named(request), to_change=True)
    updates.erase(request.caller, opened, LOCATION, _moment(request, "to"))
    return no_content()


def _named(request: Request) -> tuple[Kind, str]:
    """The kind and the id of the thing in the address."""
    parameters = request.parameters
    return (THNG, parameters["thngId"]) if "thngId" in parameters else (PRODUCT, parameters["productId"])


def _key(request: Request, *, own: bool = False) -> str:
    """The property in the address; `own` for one that clients may change. Raises Invalid."""
    try:
        return (own_key if own else property_key)(request.parameters["key"])
    except ValueError as error:
        raise Invalid(f"key: {error}", details=[Finding(field="key", message=str(error))]) from error


def _secret() -> bytes:
    return wiring.root_secrets().for_purpose("cursor")


def _span(request: Request) -> Span:
    first, last = _moment(request, "from"), _moment(request, "to", last=True)
    return Span(first or 0, MAX_MOMENT if last is None else last)


def _moment(request: Request, name: str, *, last: bool = False) -> int | None:
    """A time in a query parameter; of a day its first moment, or its last. Raises Invalid."""
    return moment(text, name, last=last) if (text := request.query.get(name, "")) else None
