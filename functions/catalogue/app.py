"""Products, thngs, collections and places: create, read, list, update, delete."""

from dataclasses import replace
from typing import Any

from fingerpost import wiring
from fingerpost.answers import Id
from fingerpost.body import parse_json
from fingerpost.catalogue import bulk, members, service
from fingerpost.catalogue.answers import Collection, Place, Product, Thng
from fingerpost.catalogue.documents import (
    NewCollection,
    NewPlace,
    NewProduct,
    NewThng,
    SentCollection,
    SentPlace,
    SentProduct,
    SentThng,
)
from fingerpost.catalogue.model import COLLECTION, PLACE, PRODUCT, THNG
from fingerpost.catalogue.nearby import Near, point_asked_for
from fingerpost.edge import Answer, Edge, Request, created, no_content
from fingerpost.errors import Invalid
from fingerpost.paging import ask_of, by_ids, listed, lister, loads, sight_of
from fingerpost.resources import Document, Kind, Resources, Stored, tag_of

SCOPES = ("withScopes",)
LIST = ("filter", "perPage", "sortOrder", "nextPageToken", "project", "withScopes")
MANY = ("ids", *LIST)
ALIKE = ("ids", "filter", "project", "withScopes")
ONE_COLLECTION = "/collections/{collectionId}"
MEMBERS, CHILDREN = f"{ONE_COLLECTION}/thngs", f"{ONE_COLLECTION}/collections"

edge = Edge("catalogue")
handler = edge.handler


@edge.route(
    "POST",
    "/products",
    verb="create",
    of="products",
    body=NewProduct,
    answers=Product,
    status=201,
    query=("project",),
    versioned=True,
)
def create_product(request: Request) -> Answer:
    return _created(
        PRODUCT, service.create_product(request.caller, request.read(NewProduct), request.query.get("project"))
    )


@edge.route("GET", "/products", verb="read", of="products", answers=list[Product], query=MANY)
def list_products(request: Request) -> Answer:
    return _list(request, PRODUCT)


@edge.route(
    "PUT",
    "/products",
    verb="update",
    of="products",
    body=SentProduct,
    answers=None,
    status=204,
    also={200: list[Product]},
    query=ALIKE,
)
def update_products(request: Request) -> Answer:
    """Update several products alike: at once by `ids`, after the answer by `filter`."""
    return _updated(request, PRODUCT, service.product_fields(request.read(SentProduct)))


@edge.route("GET", "/products/{productId}", verb="read", of="products", answers=Product, query=SCOPES, versioned=True)
def read_product(request: Request) -> Answer:
    return _shown(request, PRODUCT, service.read(request.caller, PRODUCT, request.parameters["productId"]))


@edge.route(
    "PUT",
    "/products/{productId}",
    verb="update",
    of="products",
    body=SentProduct,
    answers=Product,
    query=SCOPES,
    versioned=True,
)
def update_product(request: Request) -> Answer:
    product_id = request.parameters["productId"]
    return _shown(request, PRODUCT, service.update_product(request.caller, product_id, request.read(SentProduct)))


@edge.route("DELETE", "/products/{productId}", verb="delete", of="products", answers=None, versioned=True)
def delete_product(request: Request) -> Answer:
    service.delete(request.caller, PRODUCT, request.parameters["productId"])
    return no_content()


@edge.route(
    "POST",
    "/thngs",
    verb="create",
    of="thngs",
    body=NewThng,
    answers=Thng,
    status=201,
    query=("project",),
    versioned=True,
)
def create_thng(request: Request) -> Answer:
    return _created(THNG, service.create_thng(request.caller, request.read(NewThng), request.query.get("project")))


@edge.route("GET", "/thngs", verb="read", of="thngs", answers=list[Thng], query=MANY)
def list_thngs(request: Request) -> Answer:
    return _list(request, THNG)


@edge.route(
    "PUT",
    "/thngs",
    verb="update",
    of="thngs",
    body=SentThng,
    answers=None,
    status=204,
    also={200: list[Thng]},
    query=ALIKE,
)
def update_thngs(request: Request) -> Answer:
    """Update several thngs alike: at once by `ids`, after the answer by `filter`."""
    return _updated(request, THNG, request.read(SentThng).sent())


@edge.route("GET", "/thngs/{thngId}", verb="read", of="thngs", answers=Thng, query=SCOPES, versioned=True)
def read_thng(request: Request) -> Answer:
    return _shown(request, THNG, service.read(request.caller, THNG, request.parameters["thngId"]))


@edge.route(
    "PUT", "/thngs/{thngId}", verb="update", of="thngs", body=SentThng, answers=Thng, query=SCOPES, versioned=True
)
def update_thng(request: Request) -> Answer:
    thng_id = request.parameters["thngId"]
    return _shown(request, THNG, service.update_thng(request.caller, thng_id, request.read(SentThng)))


@edge.route("DELETE", "/thngs/{thngId}", verb="delete", of="thngs", answers=None, versioned=True)
def delete_thng(request: Request) -> Answer:
    service.delete(request.caller, THNG, request.parameters["thngId"])
    return no_content()


@edge.route(
    "POST",
    "/collections",
    verb="create",
    of="collections",
    body=NewCollection,
    answers=Collection,
    status=201,
    query=("project",),
    versioned=True,
)
def create_collection(request: Request) -> Answer:
    return _created(
        COLLECTION, service.create_collection(request.caller, request.read(NewCollection), request.query.get("project"))
    )


@edge.route("GET", "/collections", verb="read", of="collections", answers=list[Collection], query=MANY, counted=True)
def list_collections(request: Request) -> Answer:
    return _list(request, COLLECTION)


@edge.route("GET", ONE_COLLECTION, verb="read", of="collections", answers=Collection, query=SCOPES, versioned=True)
def read_collection(request: Request) -> Answer:
    return _shown(request, COLLECTION, service.read(request.caller, COLLECTION, request.parameters["collectionId"]))


@edge.route(
    "PUT",
    ONE_COLLECTION,
    verb="update",
    of="collections",
    body=SentCollection,
    answers=Collection,
    query=SCOPES,
    versioned=True,
)
def update_collection(request: Request) -> Answer:
    collection_id = request.parameters["collectionId"]
    return _shown(
        request, COLLECTION, service.update_collection(request.caller, collection_id, request.read(SentCollection))
    )


@edge.route("DELETE", ONE_COLLECTION, verb="delete", of="collections", answers=None, versioned=True)
def delete_collection(request: Request) -> Answer:
    service.delete(request.caller, COLLECTION, request.parameters["collectionId"])
    return no_content()


@edge.route("PUT", MEMBERS, verb="update", of="collections", body=list[Id], answers=Collection, query=SCOPES)
def add_thngs(request: Request) -> Answer:
    """Put thngs into a collection. Answers the collection."""
    collection_id = request.parameters["collectionId"]
    stored = members.add_thngs(request.caller, collection_id, parse_json(request.event))
    return _shown(request, COLLECTION, stored, versioned=False)


@edge.route("GET", MEMBERS, verb="read", of="collections", answers=list[Thng], query=LIST)
def list_members(request: Request) -> Answer:
    """The thngs in a collection, newest first."""
    return _list(request, THNG, within=service.read(request.caller, COLLECTION, request.parameters["collectionId"]))


@edge.route("DELETE", MEMBERS, verb="update", of="collections", answers=None, query=("filter",), counted=True)
def remove_thngs(request: Request) -> Answer:
    """Take all thngs out of a collection, at most 500 a call; `x-result-count` says how many."""
    return _emptied(request, THNG)


@edge.route("DELETE", "/collections/{collectionId}/thngs/{thngId}", verb="update", of="collections", answers=None)
def remove_thng(request: Request) -> Answer:
    """Take a thng out of a collection."""
    members.remove(request.caller, THNG, request.parameters["collectionId"], request.parameters["thngId"])
    return no_content()


@edge.route("POST", CHILDREN, verb="update", of="collections", body=list[Id], answers=Collection, query=SCOPES)
def add_collections(request: Request) -> Answer:
    """Put collections into another. Answers that."""
    collection_id = request.parameters["collectionId"]
    stored = members.add_collections(request.caller, collection_id, parse_json(request.event))
    return _shown(request, COLLECTION, stored, versioned=False)


@edge.route("GET", CHILDREN, verb="read", of="collections", answers=list[Collection], query=LIST, counted=True)
def list_children(request: Request) -> Answer:
    """The collections in a collection, newest first."""
    within = service.read(request.caller, COLLECTION, request.parameters["collectionId"])
    return _list(request, COLLECTION, within=within)


@edge.route("DELETE", CHILDREN, verb="update", of="collections", answers=None, query=("filter",), counted=True)
def remove_children(request: Request) -> Answer:
    """Take all collections out of another, at most 500 a call; `x-result-count` says how many."""
    return _emptied(request, COLLECTION)


@edge.route(
    "DELETE", "/collections/{collectionId}/collections/{childId}", verb="update", of="collections", answers=None
)
def remove_child(request: Request) -> Answer:
    """Take a collection out of another."""
    members.remove(request.caller, COLLECTION, request.parameters["collectionId"], request.parameters["childId"])
    return no_content()


@edge.route(
    "POST",
    "/places",
    verb="create",
    of="places",
    body=NewPlace,
    answers=Place,
    status=201,
    query=("project",),
    versioned=True,
)
def create_place(request: Request) -> Answer:
    return _created(PLACE, service.create_place(request.caller, request.read(NewPlace), request.query.get("project")))


@edge.route(
    "GET",
    "/places",
    verb="read",
    of="places",
    answers=list[Place],
    query=(*MANY, "lat", "lon", "maxDist"),
    counted=True,
)
def list_places(request: Request) -> Answer:
    """All places, newest first; with `lat` and `lon` those near that point, nearest first."""
    if (asked := point_asked_for(request.query)) is None or "ids" in request.query:
        return _list(request, PLACE)
    point, within_m = asked
    ask = ask_of(request, PLACE.name)
    near = Near(
        caller=request.caller,
        sight=sight_of(request),
        point=point,
        within_m=within_m,
        secret=wiring.root_secrets().for_purpose("cursor"),
    )
    page = near.page(ask)
    documents = service.show(request.caller, PLACE, list(page.items), with_scopes=request.flag("withScopes"))
    return listed(request, page, documents, count=near.count(ask))


@edge.route("GET", "/places/{placeId}", verb="read", of="places", answers=Place, query=SCOPES, versioned=True)
def read_place(request: Request) -> Answer:
    return _shown(request, PLACE, service.read(request.caller, PLACE, request.parameters["placeId"]))


@edge.route(
    "PUT", "/places/{placeId}", verb="update", of="places", body=SentPlace, answers=Place, query=SCOPES, versioned=True
)
def update_place(request: Request) -> Answer:
    place_id = request.parameters["placeId"]
    return _shown(request, PLACE, service.update_place(request.caller, place_id, request.read(SentPlace)))


@edge.route("DELETE", "/places/{placeId}", verb="delete", of="places", answers=None, versioned=True)
def delete_place(request: Request) -> Answer:
    service.delete(request.caller, PLACE, request.parameters["placeId"])
    return no_content()


def _created(kind: Kind, document: Document) -> Answer:
    address = f"{wiring.settings().api_url}/{kind.plural}/{document['id']}"
    return created(document, address, version=tag_of(document["id"]))


def _list(request: Request, kind: Kind, *, within: Stored | None = None) -> Answer:
    """One page, of what is within a collection or of all; with a count for the kinds whose clients read one."""
    with_scopes = request.flag("withScopes")
    if "ids" in request.query and within is None:
        stored = by_ids(request, Resources(request.caller.tables, kind))
        return Answer(document=service.show(request.caller, kind, stored, with_scopes=with_scopes))
    ask = ask_of(request, kind.name, more=_in_collection(within) if within else "")
    list_of = lister(request, kind, loads(request.caller, kind, sight_of(request).sees))
    page = list_of.page(ask)
    documents = service.show(request.caller, kind, list(page.items), with_scopes=with_scopes)
    return listed(request, page, documents, count=list_of.count(ask) if kind in (COLLECTION, PLACE) else None)


def _updated(request: Request, kind: Kind, fields: dict[str, Any]) -> Answer:
    """By ids 200 with the documents, by filter 204: the work queue has it then."""
    if ("ids" in request.query) == bool(request.query.get("filter", "").strip()):
        raise Invalid(f"PUT /{kind.plural} takes either ids or a filter, to say which {kind.plural} are meant")
    if "ids" in request.query:
        found = by_ids(request, Resources(request.caller.tables, kind))
        stored = bulk.update_by_ids(request.caller, kind, found, fields)
        return Answer(document=service.show(request.caller, kind, stored, with_scopes=request.flag("withScopes")))
    caller, sight = request.caller, sight_of(request)
    load = loads(caller, kind, lambda document: sight.sees(document) and request.principal.changes(document))
    listed = lister(request, kind, load)
    ids = bulk.matches(listed, ask_of(request, kind.name))
    bulk.begin(caller, kind, ids, fields, wiring.queue("work"))
    return Answer(status=204)


def _emptied(request: Request, kind: Kind) -> Answer:
    """Members are looked for as a list does, so those that the key does not see, or may not change, stay."""
    caller = request.caller
    collection = service.read_to_change(caller, COLLECTION, request.parameters["collectionId"])
    ask = replace(ask_of(request, kind.name, more=_in_collection(collection)), per_page=members.MAX_REMOVED, token=None)
    load = loads(caller, kind, lambda document: caller.sees(document) and request.principal.changes(document))
    found = lister(request, kind, load).page(ask).items
    members.remove_all(caller, kind, collection.id, [each.id for each in found])
    return Answer(headers={"x-result-count": str(len(found))})


def _in_collection(collection: Stored) -> str:
    return f'collections="{collection.id}"'


def _shown(request: Request, kind: Kind, stored: Stored, *, versioned: bool = True) -> Answer:
    """`versioned` but where an answer stands for a change of other documents, as of the members of a collection."""
    (document,) = service.show(request.caller, kind, [stored], with_scopes=request.flag("withScopes"))
    return Answer(document=document, version=stored.tag if versioned else None)
