"""What keeps a room like its thng: they have a name, a description, scopes and a product in common."""

import json
from contextlib import suppress
from typing import Any

from ..catalogue.model import THNG
from ..errors import NotFound
from ..ports.table import Change, Tables
from ..resources import Document, Resources
from ..shapes import upgraded
from .kinds import ROOM, SHARED_WITH_THNG

type Task = dict[str, Any]


def work_of(change: Change) -> list[Task]:
    """A thng that got another name or description, if it is a room; what becomes of hints tells the rest."""
    old, new = change.old, change.new
    if change.key.sk != "doc" or old is None or new is None or new.get("k") != THNG.name:
        return []
    before, after = (json.loads(upgraded(each)["doc"]) for each in (old, new))
    if all(before.get(name) == after.get(name) for name in ("name", "description")):
        return []
    account, _, thng = change.key.pk.split("#", 2)
    return [{"do": "alikeRoom", "account": account, "id": thng}]


def make_alike(tables: Tables, account: str, thng_id: str) -> None:
    """Write what a thng has now into its room, if it is one. `tables` are unscoped."""
    own = tables.of(account)
    rooms, thngs = Resources(own, ROOM), Resources(own, THNG)
    if thng_id not in rooms.read_many([thng_id], consistent=True):
        return

    def change(document: Document) -> Document:
        rest = {name: value for name, value in document.items() if name not in SHARED_WITH_THNG}
        return {**rest, **shared(thngs.read(thng_id).document)}

    with suppress(NotFound):  # either is gone by now
        rooms.update(thng_id, change)


def shared(thng: Document) -> Document:
    """What a room's document has of its thng's."""
    return {name: thng[name] for name in SHARED_WITH_THNG if name in thng}
