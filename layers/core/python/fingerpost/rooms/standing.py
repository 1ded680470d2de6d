"""How a room stands at a moment: free, taken, waiting for somebody to come; who has it, who has it next.

Pure; standard library only, and no dataclass: rules that mention `room.` are asked on the scan path. So it is worked
out from a room's document and from its days' rows, which say of a booking when it is and nothing of what it is for.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..clock import DAY_MS
from ..frozen import Frozen
from ..ports.table import Item
from ..shapes import upgraded

FREE, SOON, CHECK_IN, BOOKED, UNAVAILABLE = STATUSES = ("free", "soon", "checkin", "booked", "unavailable")
MINUTE_MS = 60_000
SOON_MS = 15 * MINUTE_MS
DAYS_AHEAD = 1  # UTC days beyond today's that are looked at

type Room = Mapping[str, Any]  # its document


class Slot(NamedTuple):
    """What a day's row says of a booking. `due` is until when somebody has to come, 0 when nobody has to (any more)."""

    start: int
    end: int
    booking: str
    due: int = 0


class Standing(Frozen):
    """`until`: until when the room can be had from now on; None when it cannot be."""

    status: str
    current: Slot | None
    next: Slot | None
    until: int | None = None


def slots_of(days: Iterable[Item | None], at: int) -> list[Slot]:
    """What holds the room, by start; one across midnight stands in two days. What nobody came to in time does not."""
    slots = {Slot(*each) for day in days if day is not None for each in upgraded(day)["iv"]}
    return sorted(each for each in slots if not 0 < each.due <= at)


def standing_of(room: Room, slots: Iterable[Slot], at: int) -> Standing:
    """`slots` are those that hold the room, by start, of today's and tomorrow's UTC days at least."""
    margin = room["rules"].get("bufferMinutes", 0) * MINUTE_MS
    current = following = None
    resting = False
    for each in slots:
        if each.start <= at < each.end:
            current = current or each
        elif each.start > at:
            following = following or each
        elif each.end + margin > at:
            resting = True
    if current is not None:
        return Standing(CHECK_IN if current.due else BOOKED, current, following)
    if following is not None and following.due and at >= following.start - opens_before(room):
        return Standing(CHECK_IN, None, following)
    closes = _closes(room, at)
    if not room["active"] or resting or closes is None:
        return Standing(UNAVAILABLE, None, following)
    until = min(closes, following.start - margin) if following is not None else closes
    if until <= at:
        return Standing(UNAVAILABLE, None, following)
    least = max(SOON_MS, room["rules"].get("minMinutes", 0) * MINUTE_MS)
    return Standing(FREE if until - at >= least else SOON, None, following, until)


def known_until(at: int) -> int:
    """Where the days end that are looked at: a room that is free until then may be free for longer."""
    return (at // DAY_MS + 1 + DAYS_AHEAD) * DAY_MS


def opens_before(room: Room) -> int:
    """How long before its start somebody can check in to a booking, in milliseconds."""
    check_in = room.get("checkIn")
    return check_in["opensBefore"] * MINUTE_MS if check_in else 0


def fields_of(room_id: str, room: Room, days: Iterable[Item | None], at: int) -> dict[str, Any]:
    """The fields of the rule language that begin with `room.`, without that; what has no value is not there."""
    standing = standing_of(room, slots_of(days, at), at)
    fields: dict[str, Any] = {name: room.get(name) for name in _AS_STORED}
    fields |= {"id": room_id, "status": standing.status, "freeMinutes": _minutes(at, standing.until or at)}
    for family in ("equipment", "customEquipment"):
        fields |= {f"{family}.{name}": works for name, works in room[family].items()}
    for name, slot in (("currentBooking", standing.current), ("nextBooking", standing.next)):
        if slot is not None:
            fields |= {f"{name}.id": slot.booking, f"{name}.start": slot.start, f"{name}.end": slot.end}
            fields[f"{name}.minutes"] = _minutes(slot.start, slot.end)
            fields[f"{name}.awaitsCheckIn"] = slot.due > 0
    if standing.current is not None:
        fields["currentBooking.minutesLeft"] = _minutes(at, standing.current.end)
    if standing.next is not None:
        fields["nextBooking.inMinutes"] = _minutes(at, standing.next.start)
    return {name: value for name, value in fields.items() if value is not None}


_AS_STORED = (
    *("name", "description", "slug", "email", "type", "number", "structure", "timezone"),
    *("capacity", "active", "approval"),
)


def _minutes(start: int, end: int) -> int:
    return (end - start) // MINUTE_MS


def _closes(room: Room, at: int) -> int | None:
    """Until when the room is open from now on; None when it is closed. Nothing is known beyond the days looked at."""
    end = known_until(at)
    rules = room["rules"]
    if not rules.keys() & {"opens", "closes", "days"}:
        return end
    from .rules import open_until  # noqa: PLC0415 - 25 ms that only rooms with hours of their own should cost

    return open_until(rules, room["timezone"], at, end)
