"""Products and thngs: what they are, and how they are shown. Pure."""

from collections.abc import Mapping
from typing import Any

from ..resources import Document, Kind

PRODUCT = Kind("product", "products")
THNG = Kind("thng", "thngs", indexed=("tags", "identifiers.*", "product", "collections"), shards=4)
HIDDEN = ("scopes",)  # shown on request only


def location_document(latitude: float, longitude: float, place: str | None = None) -> Document:
    """All three forms of one position, GeoJSON longitude first."""
    document: Document = {
        "latitude": latitude,
        "longitude": longitude,
        "position": {"type": "Point", "coordinates": [longitude, latitude]},
    }
    return document if place is None else {**document, "place": place}


def shown(
    resource_id: str,
    document: Mapping[str, Any],
    *,
    properties: Mapping[str, Any] | None = None,
    location: Mapping[str, Any] | None = None,
    with_scopes: bool = False,
) -> Document:
    """A product or thng as a client sees it. `properties` is there even when empty."""
    result: Document = {"id": resource_id, "createdAt": document["createdAt"]}
    result |= {name: value for name, value in document.items() if name not in HIDDEN and not name.startswith("_")}
    result["customFields"] = document.get("customFields", {})
    result["identifiers"] = document.get("identifiers", {})
    result["properties"] = dict(properties or {})
    if location:
        result["location"] = dict(location)
    if with_scopes:
        result["scopes"] = {"users": ["all"], "projects": [], **document.get("scopes", {})}
    return result
