"""Products, thngs, collections and places: what they are, and how they are shown. Pure."""

from collections.abc import Mapping
from typing import Any

from ..resources import Document, Kind

PRODUCT = Kind("product", "products")
THNG = Kind("thng", "thngs", indexed=("tags", "identifiers.*", "product", "collections"), shards=4)
COLLECTION = Kind("collection", "collections", indexed=("tags", "identifiers.*", "collections"))
PLACE = Kind("place", "places")
HIDDEN = ("scopes",)  # shown on request only


def location_document(latitude: float, longitude: float, place: str | None = None) -> Document:
    """All forms of one position, GeoJSON longitude first."""
    document: Document = {
        "latitude": latitude,
        "longitude": longitude,
        "position": {"type": "Point", "coordinates": [longitude, latitude]},
    }
    return document if place is None else {**document, "place": place}


def position_after(before: Mapping[str, Any], sent: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Latitude and longitude of a place once `sent` is in it.

    A whole document that is put back has both forms, of which a client changed one: the form that says something new
    decides, `position` when both do. Null in either form takes the position away.
    """
    known = before.get("latitude"), before.get("longitude")
    if "position" in sent:
        longitude, latitude = sent["position"]["coordinates"][:2] if sent["position"] else (None, None)
        if (latitude, longitude) != known:
            return latitude, longitude
    return sent.get("latitude", known[0]), sent.get("longitude", known[1])


def without(document: Document, field: str, gone: str) -> Document:
    """A document that refers to `gone` no more, in a field of one id or of several. An empty list goes with it."""
    value = document.get(field)
    rest = [each for each in value if each != gone] if isinstance(value, list) else None if value == gone else value
    return {**document, field: rest} if rest else {name: each for name, each in document.items() if name != field}


def shown(
    resource_id: str,
    document: Mapping[str, Any],
    *,
    properties: Mapping[str, Any] | None = None,
    location: Mapping[str, Any] | None = None,
    with_scopes: bool = False,
) -> Document:
    """A product or thng as a client sees it. `properties` is there even when empty."""
    result = _shown(resource_id, document, with_scopes=with_scopes)
    result["customFields"] = document.get("customFields", {})
    result["identifiers"] = document.get("identifiers", {})
    result["properties"] = dict(properties or {})
    if location:
        result["location"] = dict(location)
    return result


def shown_collection(resource_id: str, document: Mapping[str, Any], *, with_scopes: bool = False) -> Document:
    return _shown(resource_id, document, with_scopes=with_scopes)


def shown_place(resource_id: str, document: Mapping[str, Any], *, with_scopes: bool = False) -> Document:
    """A place as a client sees it, its position in both forms."""
    result = _shown(resource_id, document, with_scopes=with_scopes)
    if "latitude" in document:
        result |= location_document(document["latitude"], document["longitude"])
    return result


def _shown(resource_id: str, document: Mapping[str, Any], *, with_scopes: bool) -> Document:
    result: Document = {"id": resource_id, "createdAt": document["createdAt"]}
    result |= {name: value for name, value in document.items() if name not in HIDDEN and not name.startswith("_")}
    if with_scopes:
        result["scopes"] = {"users": ["all"], "projects": [], **document.get("scopes", {})}
    return result
