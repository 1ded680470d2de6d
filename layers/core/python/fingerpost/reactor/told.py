"""An event again, from its document: what filters and templates ask about it, once its change has been read.

What the document says counts: a thng is as it was when its properties changed. What it does not say is read now.
"""

import json
from collections.abc import Mapping
from typing import Any

from ..actions.model import CONTEXT
from ..catalogue.model import PRODUCT, THNG
from ..ports.table import Item, Tables
from ..resources import Stored
from ..shapes import stamp
from .events import ON_ACTION, ON_PROPERTIES, Function
from .model import ChangedValue
from .runs import Payload
from .subjects import ActionCreated, PropertiesChanged, Subject

_TOLD_OF_ACTIONS = ("thng", "product", "collection", "user")
_KEPT_TOGETHER = ("customFields", "tags", "identifiers")


def function_of(payload: Payload) -> Function:
    """The function that is called with a document of this shape. Raises ValueError for a document of no event."""
    if isinstance(payload.get("action"), dict):
        return ON_ACTION
    if isinstance(payload.get("changes"), dict):
        for name, function in ON_PROPERTIES.items():
            if isinstance(payload.get(name), dict):
                return function
    raise ValueError("neither an action, nor a thng or a product with changes")


def subject_of(tables: Tables, payload: Payload, at: int) -> Subject:
    """What an event is about. `tables` are its account's; `at` is when it happened, where the document does not say.

    Raises ValueError for a document of no event.
    """
    if function_of(payload) == ON_ACTION:
        action = payload["action"]
        return ActionCreated(tables, str(action.get("id") or ""), _action_row(action, at))
    kind = THNG if isinstance(payload.get(THNG.name), dict) else PRODUCT
    document = dict(payload[kind.name])
    changes = [
        ChangedValue(key, each.get("oldValue"), each.get("newValue"), each.get("timestamp") or at)
        for key, each in payload["changes"].items()
    ]
    properties = document.pop("properties", None) or {}
    stored = Stored(id=str(document.pop("id", "")), version=1, document=document)
    row: Item = {**stamp(kind.name), "v": 1, "doc": json.dumps(document)}
    now: Item = {**stamp("now"), "actor": "nobody", "by": "", "app": "", "cause": "", "chain": []}
    for key, value in properties.items():
        now |= {f"v:{key}": json.dumps(value), f"t:{key}": at}
    return PropertiesChanged(tables, stored, kind.name, row, now, changes)


def happened_at(payload: Payload, at: int) -> int:
    """The event's own time, which guards what it sets: of an action, or the latest of the changes."""
    if isinstance(action := payload.get("action"), dict):
        return int(action.get("timestamp") or at)
    return max([int(each.get("timestamp") or at) for each in payload["changes"].values()], default=at)


def _action_row(action: Mapping[str, Any], at: int) -> Item:
    """The inverse of an action's document, as far as filters ask."""
    location, context = action.get("location") or {}, action.get("context") or {}
    together = {name: action[name] for name in _KEPT_TOGETHER if action.get(name)}
    told: dict[str, Any] = {
        **{name: action.get(name) for name in _TOLD_OF_ACTIONS},
        **{kept: context.get(name) for kept, name in CONTEXT.items()},
        "place": location.get("place"),
        "lat": location.get("latitude"),
        "lon": location.get("longitude"),
        "more": json.dumps(together) if together else None,
    }
    row: Item = {**stamp("action"), "type": action.get("type") or "", "ts": action.get("timestamp") or at}
    projects = (action.get("scopes") or {}).get("projects") or []
    return {**row, "projects": projects, **{name: value for name, value in told.items() if value is not None}}
