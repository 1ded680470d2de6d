"""Event documents, as reactor functions get them: what has no value is there, as null. Pure.

Source: the platform's Reactor chapter, "Event Types", whose examples these are by the letter.
"""

from collections.abc import Sequence

from ..actions.agents import agent_fields
from ..actions.model import CONTEXT, document_of, row_of
from ..catalogue.model import PRODUCT, shown
from ..catalogue.properties import LOCATION, values
from ..ports.table import Item
from ..resources import Document, Stored
from .model import ChangedValue, Trigger

_AGENT = tuple(agent_fields(""))
_CONTEXT: Document = dict.fromkeys([*CONTEXT.values(), *_AGENT])
_ACTION: Document = dict.fromkeys(
    (
        "id",
        "createdAt",
        "customFields",
        "tags",
        "scopes",
        "timestamp",
        "type",
        "user",
        "location",
        "locationSource",
        "device",
        "context",
        "reactions",
        "createdByProject",
        "createdByApp",
        "createdByThng",
        "identifiers",
        "thng",
        "product",
        "collection",
        "shortId",
        "shortDomain",
    )
)
_LOCATION: Document = dict.fromkeys(("place", "latitude", "longitude", "position", "customFields"))
_THNG: Document = dict.fromkeys(
    (
        *("id", "createdAt", "customFields", "tags", "scopes", "updatedAt", "name", "description", "location"),
        *("product", "properties", "identifiers", "collections", "batch", "createdByTask"),
    )
)
_PRODUCT: Document = dict.fromkeys(
    (
        *("id", "createdAt", "customFields", "tags", "scopes", "updatedAt", "brand", "categories", "properties"),
        *("description", "fn", "name", "photos", "url", "identifiers"),
    )
)


def action_created(action_id: str, item: Item, trigger: Trigger) -> Document:
    """What onActionCreated gets."""
    row = row_of(item)
    agent = agent_fields(row.get("ua") or "")
    action = _ACTION | document_of(action_id, item, agent=agent, with_scopes=True)
    action["context"] = _CONTEXT | {name: agent[name] for name in _AGENT} | action["context"]
    action["createdByThng"] = row.get("device")
    if action["location"] is not None:
        action["location"] = _LOCATION | action["location"]
    if action["reactions"] is not None:
        action["reactions"] = [{"customFields": None, **each} for each in action["reactions"]]
    return {"action": action, **trigger.document}


def properties_changed(stored: Stored, kind: str, now: Item, changes: Sequence[ChangedValue], by: Trigger) -> Document:
    """What onThngPropertiesChanged and onProductPropertiesChanged get. `now` is the row of the new values."""
    current = values(now)
    location = current.pop(LOCATION, None)
    document = shown(stored.id, stored.document, properties=current, location=location, with_scopes=True)
    template = _PRODUCT if kind == PRODUCT.name else _THNG
    changed = {each.key: {"oldValue": each.old, "newValue": each.new, "timestamp": each.at} for each in changes}
    return {"changes": changed, kind: template | document, **by.document}
