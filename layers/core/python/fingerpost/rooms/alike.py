"""What keeps a room like its thng: they have a name, a description, scopes and a product in common."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from ..catalogue.model import THNG
from ..errors import NotFound
from ..keys import owned
from ..ports.table import Change, Key, Tables
from ..resources import Document, Resources
from ..shapes import upgraded
from .kinds import ROOM, SHARED_WITH_THNG

type Task = dict[str, Any]


def work_of(changes: Sequence[Change], tables: Tables) -> Iterator[tuple[int, Task]]:
    """A task for each room whose thng got another name or description, with the number of its change, in order.

    What becomes of hints tells the rest. The rows of all such rooms are read together; `tables` are unscoped.
    Raises Throttled, Unreachable.
    """
    renamed = {number: _room_of(change) for number, change in enumerate(changes) if _is_renamed(change)}
    rooms = tables.main.get_many(list(set(renamed.values())), consistent=True) if renamed else {}
    for number, room in renamed.items():
        if room in rooms:
            account, _, thng = room.pk.split("#", 2)
            yield number, {"do": "alikeRoom", "account": account, "id": thng}


def _is_renamed(change: Change) -> bool:
    old, new = change.old, change.new
    if change.key.sk != "doc" or old is None or new is None or new.get("k") != THNG.name:
        return False
    before, after = (json.loads(upgraded(each)["doc"]) for each in (old, new))
    return any(before.get(name) != after.get(name) for name in ("name", "description"))


def _room_of(change: Change) -> Key:
    """Where the room of a thng lies, if it is one."""
    account, _, thng = change.key.pk.split("#", 2)
    return owned(account, ROOM.key(thng))


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
