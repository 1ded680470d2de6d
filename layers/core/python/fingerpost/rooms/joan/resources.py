"""Rooms made and changed by Joan's clients: their fields as those of our own room documents."""

from ... import wiring
from ...caller import Caller
from ...clock import Clock
from ...ports.table import Tables
from ...resources import Document, Resources
from .. import plain, removal, setup
from ..documents import NewRoom, SentRoom
from ..kinds import EQUIPMENT, ROOM
from ..model import By, Room
from ..rooms import FACILITIES, Rooms
from .documents import SentJoanChange
from .service import field_error
from .words import choice


def create(caller: Caller, tables: Tables, sent: SentJoanChange) -> Room:
    """`tables` are unscoped. Raises Conflict for an e-mail address that another room has, Invalid."""
    document = NewRoom.model_validate(_fields(caller, sent, {}))
    made = setup.create(caller, tables, document, wiring.settings().short_domain, None)
    return Rooms(caller.tables).get(made.id)


def change(caller: Caller, name: str, sent: SentJoanChange) -> Room:
    """Raises NotFound, Conflict, Invalid."""
    room = Rooms(caller.tables).named(name)
    before = Resources(caller.tables, ROOM).read(room.id).document
    setup.update(caller, room.id, SentRoom.model_validate(_fields(caller, sent, before)))
    return Rooms(caller.tables).get(room.id)


def delete(caller: Caller, clock: Clock, name: str, by: By) -> None:
    """Raises NotFound, Conflict while something is booked there."""
    removal.remove(caller, clock, Rooms(caller.tables).named(name).id, by=by)


def _fields(caller: Caller, sent: SentJoanChange, before: Document) -> Document:
    """What was sent, by our names. Raises Invalid for an amenity that is no equipment."""
    fields = sent.model_dump(exclude_unset=True, include={"name", "email", "capacity", "timezone"})
    if sent.status is not None:
        fields["active"] = sent.status == "active"
    if sent.amenities is None:
        return fields
    own = {each.document["name"]: each.id for each in plain.all_of(caller.tables, EQUIPMENT)}
    for each in sent.amenities:
        if each not in FACILITIES and each not in own:
            raise field_error("amenities", choice(each))
    works = {name: True for name in sent.amenities if name in FACILITIES}
    own_works = {own[name]: True for name in sent.amenities if name not in FACILITIES}
    return {
        **fields,
        "equipment": {**_gone(before.get("equipment", {})), **works},
        "customEquipment": {**_gone(before.get("customEquipment", {})), **own_works},
    }


def _gone(equipment: dict[str, bool | None]) -> dict[str, bool | None]:
    """Amenities are what works: what worked and is not among them is there no more, what is broken stays so."""
    return {name: None if works else works for name, works in equipment.items()}
