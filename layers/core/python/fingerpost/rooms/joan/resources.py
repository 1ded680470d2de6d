"""Rooms made and changed by Joan's clients: their fields as those of our own room documents."""

from typing import Any

from ... import wiring
from ...caller import Caller
from ...ports.table import Tables
from ...resources import Resources
from .. import setup
from ..documents import NewRoom, SentRoom
from ..kinds import ROOM
from ..model import Room
from ..rooms import FACILITIES, Rooms
from .documents import SentJoanChange


def create(caller: Caller, tables: Tables, sent: SentJoanChange) -> Room:
    """`tables` are unscoped. Raises Conflict for an e-mail address that another room has, Invalid."""
    document = NewRoom.model_validate(_fields(sent, {}))
    made = setup.create(caller, tables, document, wiring.settings().short_domain, None)
    return Rooms(caller.tables).get(made.id)


def change(caller: Caller, name: str, sent: SentJoanChange) -> Room:
    """Raises NotFound, Conflict, Invalid."""
    room = Rooms(caller.tables).named(name)
    before = Resources(caller.tables, ROOM).read(room.id).document["equipment"]
    setup.update(caller, room.id, SentRoom.model_validate(_fields(sent, before)))
    return Rooms(caller.tables).get(room.id)


def delete(caller: Caller, name: str) -> None:
    """Raises NotFound."""
    setup.delete(caller, Rooms(caller.tables).named(name).id)


def _fields(sent: SentJoanChange, equipment: dict[str, bool | None]) -> dict[str, Any]:
    """What was sent, by our names. Amenities are what works; what is not among them is as it was, but works no more."""
    fields = sent.model_dump(exclude_unset=True, include={"name", "email", "capacity", "timezone"})
    if sent.status is not None:
        fields["active"] = sent.status == "active"
    if sent.amenities is not None:
        gone = {name: None if works else works for name, works in equipment.items()}
        fields["equipment"] = {**gone, **{name: True for name in FACILITIES if name in sent.amenities}}
    return fields
