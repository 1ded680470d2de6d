"""Create, read, update and delete products and thngs."""

import json
from typing import Any

from .. import scoping
from ..caller import Caller
from ..errors import Finding, Invalid, NotFound, TooLarge
from ..fields import merged
from ..resources import MAX_DOCUMENT_BYTES, Document, Kind, Resources, Stored, index_rows, visible
from .documents import NewProduct, NewThng, SentLocation, SentProduct, SentThng
from .model import PRODUCT, THNG, location_document, shown
from .properties import LOCATION, Properties

BY_NAME: dict[str, Kind] = {"product": PRODUCT, "thng": THNG}


def create_product(caller: Caller, sent: NewProduct, project: str | None) -> Document:
    fields = sent.sent()
    fields["name"] = fields.get("name") or fields.get("fn")
    fields["fn"] = fields.get("fn") or fields["name"]
    return _create(caller, PRODUCT, fields, project)


def create_thng(caller: Caller, sent: NewThng, project: str | None) -> Document:
    """Raises Invalid for a product, place or collection that the caller does not see."""
    fields = sent.sent()
    _check_product(caller, fields.get("product"))
    if fields.pop("collections", None):
        raise Invalid("collections: add a thng to a collection through the collection's own address")
    location = _location(sent.location) if sent.location else None
    fields.pop("location", None)
    return _create(caller, THNG, fields, project, location)


def update_product(caller: Caller, product_id: str, sent: SentProduct) -> Stored:
    fields = sent.sent()
    if fields.get("name") and "fn" not in fields:
        fields["fn"] = fields["name"]
    elif fields.get("fn") and "name" not in fields:
        fields["name"] = fields["fn"]
    return _update(caller, PRODUCT, product_id, fields)


def update_thng(caller: Caller, thng_id: str, sent: SentThng) -> Stored:
    return _update(caller, THNG, thng_id, sent.sent())


def read(caller: Caller, kind: Kind, resource_id: str) -> Stored:
    """Raises NotFound for what does not exist or the key cannot see."""
    resources = Resources(caller.tables, kind)
    stored = resources.read(resource_id)
    if not visible(stored.document, caller.principal.project):
        raise resources.missing(resource_id)
    return stored


def delete(caller: Caller, kind: Kind, resource_id: str) -> None:
    """Its redirections stay and go on to their default URLs; thngs of a deleted product lose their reference."""
    Resources(caller.tables, kind).delete(
        resource_id, sees=lambda document: visible(document, caller.principal.project)
    )
    Properties(caller.tables).forget(resource_id)


def show(caller: Caller, stored: list[Stored], *, with_scopes: bool = False) -> list[Document]:
    """Documents with their current properties and locations, in the order given."""
    current = Properties(caller.tables).read_many([each.id for each in stored])
    documents = []
    for each in stored:
        values = dict(current.get(each.id, {}))
        location = values.pop(LOCATION, None)
        documents.append(shown(each.id, each.document, properties=values, location=location, with_scopes=with_scopes))
    return documents


def _create(
    caller: Caller, kind: Kind, fields: dict[str, Any], project: str | None, location: Document | None = None
) -> Document:
    resource_id, at = caller.new_id(caller.at), caller.at
    values = fields.pop("properties", None) or {}
    scopes = scoping.initial(caller, fields.pop("scopes", None), project)
    document = merged({"createdAt": at, "updatedAt": at, "scopes": scopes}, fields)
    if location:
        values[LOCATION] = location
    _check_size(kind, resource_id, document, values)
    Properties(caller.tables).begin(resource_id, values, at)
    stored = Resources(caller.tables, kind).create(resource_id, document)
    values.pop(LOCATION, None)
    return shown(resource_id, stored.document, properties=values, location=location)


def _update(caller: Caller, kind: Kind, resource_id: str, fields: dict[str, Any]) -> Stored:
    sent_scopes = fields.pop("scopes", None)

    def change(document: Document) -> Document:
        result = merged(document, fields)
        if not result.get("name"):
            raise Invalid(f"name: a {kind.name} needs a name")
        result["scopes"] = scoping.changed(caller, document, sent_scopes)
        if kind is THNG and result.get("product") != document.get("product"):
            _check_product(caller, result.get("product"))
        return result if result == document else {**result, "updatedAt": max(caller.at, document["updatedAt"])}

    resources = Resources(caller.tables, kind)
    return resources.update(resource_id, change, sees=lambda document: visible(document, caller.principal.project))


def _check_size(kind: Kind, resource_id: str, document: Document, values: dict[str, Any]) -> None:
    """Raises TooLarge for what could not be stored whole, before any of it is."""
    index_rows(kind, resource_id, document)
    size = len(json.dumps([document, values], ensure_ascii=False).encode())
    if size > MAX_DOCUMENT_BYTES:
        raise TooLarge(
            f"This {kind.name} has {size:,} bytes, properties included; "
            f"the limit is {MAX_DOCUMENT_BYTES:,} bytes (256 KB)"
        )


def _check_product(caller: Caller, product: str | None) -> None:
    if product is None:
        return
    try:
        read(caller, PRODUCT, product)
    except NotFound as error:
        raise Invalid(
            f"There is no product {product}", details=[Finding(field="product", message="unknown product")]
        ) from error


def _location(sent: SentLocation) -> Document:
    point = sent.point()
    if point is None:
        raise Invalid(f"There is no place {sent.place}", details=[Finding(field="location.place", message="unknown")])
    return location_document(*point)
