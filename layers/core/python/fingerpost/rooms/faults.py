"""Equipment that somebody reports as broken, or as working again: the room's document and its event, in one commit."""

from collections.abc import Mapping

from ..clock import Clock
from ..keys import LIVE
from ..ports.table import Tables
from .events import told
from .model import By, Room
from .rooms import Rooms


def report(
    tables: Tables,
    clock: Clock,
    room_id: str,
    facilities: Mapping[str, bool | None],
    custom: Mapping[str, bool | None] | None = None,
    *,
    by: By,
) -> tuple[Room, Room]:
    """Say of equipment (`custom` by its ids) that it works (true), is broken (false) or is not there (None).

    Answers the room before and after; a report of what is known already is no event. `tables` are the account's own.
    Raises NotFound, Invalid.
    """
    rooms, now = Rooms(tables), clock()
    reported = {**facilities, **(custom or {})}
    about = {
        name: ", ".join(sorted(each for each, state in reported.items() if state is value))
        for name, value in (("broken", False), ("working", True), ("absent", None))
    }
    live = tables.main.get(LIVE)
    event = told("_EquipmentReported", rooms.get(room_id), about, by, now, live)
    return rooms.set_facilities(room_id, facilities, custom, at=now, also=[event])
