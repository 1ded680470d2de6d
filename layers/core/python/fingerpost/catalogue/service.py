"""Create, read, update and delete products, thngs, collections and places."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from .. import audit, scoping
from ..access import devices
from ..caller import Caller
from ..errors import Conflict, Finding, Invalid, NotFound, TooLarge
from ..fields import merged
from ..ports.table import Absent, Check, Delete, Put, Write
from ..resources import MAX_DOCUMENT_BYTES, Document, Kind, Resources, Stored, index_rows
from ..rooms.kinds import ROOM
from ..sight import scopes_of
from .documents import (
    NewCollection,
    NewPlace,
    NewProduct,
    NewThng,
    SentCollection,
    SentLocation,
    SentPlace,
    SentProduct,
    SentThng,
)
from .model import (
    COLLECTION,
    PLACE,
    PRODUCT,
    THNG,
    location_document,
    position_after,
    shown,
    shown_collection,
    shown_place,
)
from .places import position_rows
from .properties import LOCATION, Properties, Reading

MAX_PROJECTS_OF_PLACE = 40  # its position rows, before and after, are written in one transaction


def create_product(caller: Caller, sent: NewProduct, project: str | None) -> Document:
    return _create(caller, PRODUCT, product_fields(sent), project)


def create_thng(caller: Caller, sent: NewThng, project: str | None) -> Document:
    """Raises Invalid for a product, place or collection that the caller does not see."""
    fields = sent.sent()
    check_product(caller, fields.get("product"))
    _check_collections(caller, fields.get("collections"))
    at = (sent.location.timestamp if sent.location else None) or caller.at
    location = Reading(LOCATION, _location(caller, sent.location), at) if sent.location else None
    fields.pop("location", None)
    return _create(caller, THNG, fields, project, location)


def create_collection(caller: Caller, sent: NewCollection, project: str | None) -> Document:
    """Raises Invalid for a collection, to put it into, that the caller does not see."""
    fields = sent.sent()
    _check_collections(caller, fields.get("collections"))
    collection_id, document = _new(caller, fields, project)
    stored = Resources(caller.tables, COLLECTION).create(collection_id, document)
    return shown_collection(collection_id, stored.document)


def create_place(caller: Caller, sent: NewPlace, project: str | None) -> Document:
    """The place, and where it is, in one transaction."""
    place_id, document = _new(caller, _with_position({}, sent.sent()), project)
    told = audit.entry(caller, "create", "place", place_id, after=document)
    stored = Resources(caller.tables, PLACE).create(place_id, document, also=[*_moves(place_id, {}, document), *told])
    return shown_place(place_id, stored.document)


def update_product(caller: Caller, product_id: str, sent: SentProduct) -> Stored:
    return _update(caller, PRODUCT, product_id, product_fields(sent))


def update_thng(caller: Caller, thng_id: str, sent: SentThng) -> Stored:
    return _update(caller, THNG, thng_id, sent.sent())


def update_collection(caller: Caller, collection_id: str, sent: SentCollection) -> Stored:
    return _update(caller, COLLECTION, collection_id, sent.sent())


def update_place(caller: Caller, place_id: str, sent: SentPlace) -> Stored:
    return _update(caller, PLACE, place_id, sent.sent())


def product_fields(sent: SentProduct) -> dict[str, Any]:
    """What was sent of a product; of `fn` and `name` the one says the other."""
    fields = sent.sent()
    if name := fields.get("name") or fields.get("fn"):
        return {**fields, "name": name, "fn": fields.get("fn") or name}
    fields.pop("fn", None)
    return fields


def read(caller: Caller, kind: Kind, resource_id: str) -> Stored:
    """Raises NotFound for what does not exist or the key cannot see."""
    resources = Resources(caller.tables, kind)
    stored = resources.read(resource_id)
    if not caller.sees(stored.document):
        raise resources.missing(resource_id)
    return stored


def read_to_change(caller: Caller, kind: Kind, resource_id: str) -> Stored:
    """Raises NotFound, Forbidden for what the key sees but may not change."""
    stored = read(caller, kind, resource_id)
    caller.changes(stored.document)
    return stored


def delete(caller: Caller, kind: Kind, resource_id: str) -> None:
    """Its redirections stay and go on to their default URLs; thngs of a deleted product lose their reference.

    Raises Conflict for a thng that is a room.
    """
    if kind is THNG and caller.tables.main.get(ROOM.key(resource_id), consistent=True) is not None:
        raise Conflict(f"The thng {resource_id} is a room; delete /rooms/{resource_id} first, and then the thng")
    Resources(caller.tables, kind).delete(
        resource_id,
        also=lambda before: [
            *(_moves(resource_id, before, {}) if kind is PLACE else ()),
            *([Check(ROOM.key(resource_id), (Absent(),))] if kind is THNG else ()),
            *audit.entry(caller, "delete", kind.name, resource_id, before),
        ],
        sees=caller.changes,
        match=caller.match,
    )
    if kind in (PRODUCT, THNG):
        Properties(caller.tables).forget(resource_id)
    if kind is THNG:
        devices.forget(caller.tables, resource_id)


def show(caller: Caller, kind: Kind, stored: list[Stored], *, with_scopes: bool = False) -> list[Document]:
    """Documents in the order given; products and thngs with their current properties and locations."""
    if kind in (COLLECTION, PLACE):
        shape = shown_place if kind is PLACE else shown_collection
        return [shape(each.id, each.document, with_scopes=with_scopes) for each in stored]
    current = Properties(caller.tables).read_many([each.id for each in stored])
    documents = []
    for each in stored:
        values = dict(current.get(each.id, {}))
        location = values.pop(LOCATION, None)
        documents.append(shown(each.id, each.document, properties=values, location=location, with_scopes=with_scopes))
    return documents


def _create(
    caller: Caller, kind: Kind, fields: dict[str, Any], project: str | None, location: Reading | None = None
) -> Document:
    properties = fields.pop("properties", None) or {}
    resource_id, document = _new(caller, fields, project)
    readings = [Reading(key, value, caller.at) for key, value in properties.items()]
    readings += [location] if location else []
    _check_size(kind, resource_id, document, readings)
    Properties(caller.tables).begin(resource_id, readings, caller)
    stored = Resources(caller.tables, kind).create(resource_id, document)
    return shown(resource_id, stored.document, properties=properties, location=location.value if location else None)


def _new(caller: Caller, fields: dict[str, Any], project: str | None) -> tuple[str, Document]:
    resource_id, at = caller.new_id(caller.at), caller.at
    scopes = scoping.initial(caller, fields.pop("scopes", None), project)
    return resource_id, merged({"createdAt": at, "updatedAt": at, "scopes": scopes}, fields)


def change_of(caller: Caller, kind: Kind, fields: Mapping[str, Any]) -> Callable[[Document], Document]:
    """What a PUT of these fields makes of a document. That raises Invalid."""
    sent = {name: value for name, value in fields.items() if name != "scopes"}

    def change(document: Document) -> Document:
        result = merged(document, _with_position(document, sent) if kind is PLACE else sent)
        if not result.get("name"):
            raise Invalid(f"name: a {kind.name} needs a name")
        result["scopes"] = scoping.changed(caller, document, fields.get("scopes"))
        if kind is THNG and result.get("product") != document.get("product"):
            check_product(caller, result.get("product"))
        return result if result == document else {**result, "updatedAt": max(caller.at, document["updatedAt"])}

    return change


def _update(caller: Caller, kind: Kind, resource_id: str, fields: dict[str, Any]) -> Stored:
    return Resources(caller.tables, kind).update(
        resource_id,
        change_of(caller, kind, fields),
        also=lambda before, after: _of_place(caller, resource_id, before, after) if kind is PLACE else (),
        sees=caller.changes,
        match=caller.match,
    )


def _with_position(before: Document, fields: dict[str, Any]) -> dict[str, Any]:
    """What was sent of a place, with its position as the document keeps it. Raises Invalid for half a position."""
    latitude, longitude = position_after(before, fields)
    if (latitude is None) != (longitude is None):
        missing = "latitude" if latitude is None else "longitude"
        finding = Finding(field=missing, message="latitude and longitude come together")
        raise Invalid(f"{missing}: latitude and longitude come together", details=[finding])
    rest = {name: value for name, value in fields.items() if name != "position"}
    return {**rest, "latitude": latitude, "longitude": longitude}


def _of_place(caller: Caller, place_id: str, before: Document, after: Document) -> list[Write]:
    """Where it is now, and that somebody changed it: what a rule sees of places follows from both."""
    return [*_moves(place_id, before, after), *audit.entry(caller, "update", "place", place_id, before, after)]


def _moves(place_id: str, before: Document, after: Document) -> list[Write]:
    """The position rows that a change of a place removes and writes. Raises TooLarge."""
    old = position_rows(place_id, before, scopes_of(before))
    new = position_rows(place_id, after, scopes_of(after))
    if len(new) > MAX_PROJECTS_OF_PLACE + 1:
        raise TooLarge(
            f"A place with a position is in at most {MAX_PROJECTS_OF_PLACE} projects, "
            f'not {len(new) - 1}; "all" is every project'
        )
    removed: list[Write] = [Delete(key) for key in sorted(old.keys() - new.keys())]
    return removed + [Put(key, item) for key, item in new.items() if old.get(key) != item]


def _check_size(kind: Kind, resource_id: str, document: Document, readings: list[Reading]) -> None:
    """Raises TooLarge for what could not be stored whole, before any of it is."""
    index_rows(kind, resource_id, document)
    size = len(json.dumps([document, readings], ensure_ascii=False).encode())
    if size > MAX_DOCUMENT_BYTES:
        raise TooLarge(
            f"This {kind.name} has {size:,} bytes, properties included; "
            f"the limit is {MAX_DOCUMENT_BYTES:,} bytes (256 KB)"
        )


def check_product(caller: Caller, product: str | None) -> None:
    """Raises Invalid for one that the caller does not see."""
    if product is None:
        return
    try:
        read(caller, PRODUCT, product)
    except NotFound as error:
        raise Invalid(
            f"There is no product {product}", details=[Finding(field="product", message="unknown product")]
        ) from error


def _check_collections(caller: Caller, ids: list[str] | None) -> None:
    """Raises Invalid for one that the caller does not see."""
    found = Resources(caller.tables, COLLECTION).read_many(ids, consistent=True) if ids else {}
    for each in ids or ():
        if each not in found or not caller.sees(found[each].document):
            finding = Finding(field="collections", message="unknown collection")
            raise Invalid(f"collections: there is no collection {each[:60]}", details=[finding])


def _location(caller: Caller, sent: SentLocation) -> Document:
    """A location as it is kept: where it says, else where the place is that it names. Raises Invalid."""
    place = None if sent.place is None else find_place(caller, sent.place)
    point = sent.point() or (None if place is None else point_of(place))
    if point is None:
        return {"place": sent.place}
    return location_document(*point, place=sent.place)


def find_place(caller: Caller, place_id: str) -> Stored:
    """The place that a location names. Raises Invalid when there is none that the caller sees."""
    try:
        return read(caller, PLACE, place_id)
    except NotFound as error:
        raise Invalid(
            f"location.place: there is no place {place_id[:60]}",
            details=[Finding(field="location.place", message="unknown place")],
        ) from error


def point_of(place: Stored) -> tuple[float, float] | None:
    """(latitude, longitude) of a place that has a position."""
    document = place.document
    return (document["latitude"], document["longitude"]) if "latitude" in document else None
