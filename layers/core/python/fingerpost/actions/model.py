"""Actions as rows and as documents. Pure; standard library only."""

import json
from collections.abc import Mapping
from typing import Any

from .. import keys
from ..ports.table import Item, Key
from ..resources import Document, Kind
from ..rooms.model import EVENTS
from ..shapes import upgraded

BUILT_IN = ("checkins", "implicitScans", "scans", "shares")
SCANS = ("scans", "implicitScans")
RECORDED: tuple[str, ...] = EVENTS  # the platform alone records these, and everybody who sees the room can list them
TARGETS = ("thng", "product", "collection")

ACTION = Kind(
    "action",
    "actions",
    indexed=(
        "type",
        "thng",
        "product",
        "collection",
        "user",
        "tags",
        "identifiers.*",
        "context.city",
        "context.countryCode",
    ),
    shards=keys.PAGED_SHARDS,
    paged=True,
)
ACTION_TYPE = Kind("actionType", "actionTypes", indexed=("tags",))

# The keys of a context, in the order of the platform's Reactor example, `query` besides; a row keeps the first
# column's names.
CONTEXT = {
    "ip": "ipAddress",
    "city": "city",
    "region": "region",
    "country": "countryCode",
    "ua": "userAgent",
    "ref": "referer",
    "lang": "language",
    "zone": "timeZone",
    "q": "query",
}


def owner_of(key: Key) -> tuple[str, str]:
    """The account and the id in an action's physical key, `<account>#a#<id>`."""
    account, _, action_id = key.pk.split("#", 2)
    return account, action_id


def row_of(item: Item) -> dict[str, Any]:
    """An action's row in its current shape, with what was kept as text (`more`) beside the rest."""
    row: dict[str, Any] = {**upgraded(item)}
    more = row.pop("more", None)
    return {**row, **json.loads(more)} if more else row


def indexed_document(item: Item) -> Document:
    """The fields of an action that its index rows are made from."""
    row = row_of(item)
    return {
        **{name: row[name] for name in ("type", "thng", "product", "collection", "user", "tags") if name in row},
        "identifiers": row.get("identifiers", {}),
        "context.city": row.get("city"),
        "context.countryCode": row.get("country"),
        "scopes": scopes_of(row),
    }


def document_of(
    action_id: str, item: Item, *, agent: Mapping[str, Any] | None = None, with_scopes: bool = False
) -> Document:
    """An action as a client sees it. `agent` (what the user agent says) asks for the context."""
    row = row_of(item)
    document: Document = {
        "id": action_id,
        "createdAt": row.get("made", row["ts"]),
        "timestamp": row["ts"],
        "type": row["type"],
    }
    for name in ("user", "thng", "product", "collection", "tags", "customFields", "identifiers"):
        if row.get(name):
            document[name] = row[name]
    for name, kept in (("createdByProject", "project"), ("createdByApp", "app")):
        if row.get(kept):
            document[name] = row[kept]
    if location := location_of(row):
        document["location"] = location
    source = row.get("source", "unknown")
    document["locationSource"] = "place" if source == "unknown" and "place" in row else source
    if "link" in row:
        domain, _, short_id = row["link"].partition("/")
        document |= {"shortDomain": domain, "shortId": short_id}
    if row.get("limit"):
        document["limit"] = row["limit"]
    if reaction := reaction_of(row):
        document["reactions"] = [reaction]
    if agent is not None:
        document["context"] = context_of(row, agent)
    if with_scopes:
        document["scopes"] = scopes_of(row)
    return document


def scopes_of(row: Mapping[str, Any]) -> Document:
    """An application user's actions are that user's alone among the users."""
    return {"users": [row["user"]] if row.get("user") else ["all"], "projects": row.get("projects", [])}


def location_of(row: Mapping[str, Any]) -> Document:
    """Where an action took place; of a scan of a place's own code that place, and where the visitor seemed to be."""
    location: Document = {"place": row["place"]} if row.get("place") else {}
    if row.get("lat") is None or row.get("lon") is None:
        return location
    return {
        **location,
        "latitude": row["lat"],
        "longitude": row["lon"],
        "position": {"type": "Point", "coordinates": [row["lon"], row["lat"]]},
    }


def context_of(row: Mapping[str, Any], agent: Mapping[str, Any]) -> Document:
    """What is known of how an action came about; unknown keys are left out."""
    kept = {name: row[column] for column, name in CONTEXT.items() if row.get(column)}
    return {**kept, **{name: value for name, value in agent.items() if value}}


def reaction_of(row: Mapping[str, Any]) -> Document | None:
    """Where the redirector sent this scan. `rule` (counted from 1) and `version` say which rule of which version.
    `variant` is the one of the rule's that the visitor got.

    When an application decided it is a rule of its own, with the context that it mentions; `delegatedBy` is the
    account's rule that asked the application, if one did.
    """
    if "url" not in row:
        return None
    reaction: Document = {"type": "redirection", "redirectUrl": row["url"]}
    if row.get("seen"):
        reaction["redirectionContext"] = json.loads(row["seen"])
    if row.get("rule"):
        reaction |= {"rule": row["rule"], "version": row["rules"]}
    if row.get("variant"):
        reaction["variant"] = row["variant"]
    if row.get("byRule"):
        reaction["delegatedBy"] = {"rule": row["byRule"], "version": row["byRules"]}
    return reaction
