"""Which rooms match a search. Pure. Source: the Evoko Home API document, `getAvailableRoomsAdvancedNew`.

Time and place filter whatever else is wanted. Of the rest, each seat class, piece of equipment and piece of custom
equipment is one condition: none fails in a full match, one to three in a partial one.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...frozen import Frozen
from ..model import Room
from ..structures import LEVELS

MAX_FAILED = 3
MAX_SEATS_TEXT = 40  # characters
_SEATS = re.compile(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})|(\+))?\s*")


class Wanted(Frozen, kw_only=True):
    """`seats` are the fewest and the most, both inside; None where there is no limit."""

    seats: tuple[int, int | None] = (0, None)
    equipment: tuple[str, ...] = ()
    custom: tuple[str, ...] = ()
    places: tuple[str, ...] = ()  # structures that the room has to be in, each of them


def seats_in(text: Any) -> tuple[int, int | None]:
    """`1-5`, `50+`; any two numbers will do. Raises ValueError."""
    if text in (None, "", False):
        return 0, None
    written = str(text)
    found = _SEATS.fullmatch(written) if len(written) <= MAX_SEATS_TEXT else None
    if found is None:
        raise ValueError("seats are written as in 1-5 or 50+")
    least = int(found[1])
    return least, None if found[3] else int(found[2] or least)


def wanted_of(params: Mapping[str, Any]) -> Wanted:
    """What a search asks for. Raises ValueError."""
    equipment, custom, location = (params.get(each) for each in ("equipment", "customEquipment", "location"))
    if not isinstance(equipment or {}, dict):
        raise ValueError("equipment is an object of booleans")
    if not isinstance(location or {}, dict):
        raise ValueError("location is an object of structure ids")
    if not isinstance(custom or [], list) or not all(isinstance(each, dict) for each in custom or []):
        raise ValueError("customEquipment is a list of objects")
    places = [(location or {}).get(level) for level in LEVELS]
    return Wanted(
        seats=seats_in(params.get("seats")),
        equipment=tuple(name for name, wish in (equipment or {}).items() if wish is True),
        custom=tuple(str(each.get("_id")) for each in custom or [] if each.get("isChecked") is True),
        places=tuple(str(each) for each in places if each),
    )


def failed(wanted: Wanted, room: Room) -> int:
    """How many conditions a room fails. What is broken is not there."""
    least, most = wanted.seats
    return (
        (room.capacity < least or (most is not None and room.capacity > most))
        + sum(room.facilities.get(name) is not True for name in wanted.equipment)
        + sum(room.custom.get(each) is not True for each in wanted.custom)
    )


def matches(
    wanted: Wanted, rooms: Sequence[Room], places_of: Mapping[str, Sequence[str]]
) -> tuple[list[Room], list[Room]]:
    """Full and partial matches among rooms that are free, the best first, then by name.

    `places_of` are the structures that each is in, by room id.
    """
    here = (room for room in rooms if set(wanted.places) <= set(places_of.get(room.id, ())))
    ranked = sorted(
        ((failed(wanted, room), room) for room in here), key=lambda each: (each[0], each[1].name, each[1].id)
    )
    full = [room for count, room in ranked if count == 0]
    return full, [room for count, room in ranked if 0 < count <= MAX_FAILED]
