"""What can be watched over a connection, and what is told of its changes. Pure; standard library only."""

import re
from collections.abc import Mapping
from typing import Any

from ..catalogue.properties import LOCATION, Reading, current
from ..frozen import Frozen
from ..ports.table import Item
from ..resources import Document

PLURALS = {"thngs": "thng", "products": "product"}
_PATH = re.compile(r"/(thngs|products)/([A-Za-z0-9]{24})/(?:properties(?:/([^/]{1,128}))?|(location))/?")


class Topic(Frozen):
    """One path of the API as it is watched. `key` is one property's; without it all of them, or the location."""

    kind: str  # thng, product
    id: str
    what: str  # properties, location
    key: str = ""

    @property
    def path(self) -> str:
        plural = next(name for name, kind in PLURALS.items() if kind == self.kind)
        return f"/{plural}/{self.id}/{self.what}" + (f"/{self.key}" if self.key else "")


def topic_of(path: str) -> Topic | None:
    """None for a path that cannot be watched."""
    found = _PATH.fullmatch(path)
    if found is None or (found[4] and found[1] != "thngs"):
        return None
    return Topic(PLURALS[found[1]], found[2], "location" if found[4] else "properties", (found[3] or "").lower())


def changed(old: Item | None, new: Item) -> list[Reading]:
    """The values that differ between two images of a thing's current values."""
    before = {each.key: each.value for each in current(old)} if old else {}
    return [each for each in current(new) if each.key not in before or before[each.key] != each.value]


def told(topic: Topic, readings: list[Reading]) -> list[Document]:
    """What a watcher of `topic` is told of `readings`; empty when they are none of its business."""
    if topic.what == "location":
        return [{"timestamp": each.at, **_map(each.value)} for each in readings if each.key == LOCATION]
    return [
        {"key": each.key, "value": each.value, "timestamp": each.at}
        for each in readings
        if each.key != LOCATION and topic.key in ("", each.key)
    ]


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
