"""How much rooms are used in a period. Pure but for the tz database."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from ...resources import Document
from ..local_time import day_bounds, zone_of
from ..model import HOUR_MS, Booking, Room
from .availability import open_ms
from .shown import STATUS
from .times import Range


def period_of(room: Room, first: date, last: date) -> Range:
    """From the beginning of the first day to the end of the last, by the room's clocks."""
    zone = zone_of(room.zone)
    return Range(day_bounds(first, zone)[0], day_bounds(last, zone)[1])


def statistics_document(
    rooms: Sequence[Room], booked: Mapping[str, Sequence[Booking]], first: date, last: date
) -> Document:
    """`booked` are the bookings of each room, whatever their state, that meet its period."""
    states = Counter(STATUS[each.state] for bookings in booked.values() for each in bookings)
    return {
        "period": {"from": first.isoformat(), "to": last.isoformat()},
        "rooms": {
            "total": len(rooms),
            "active": sum(room.active for room in rooms),
            "byType": dict(Counter(room.kind for room in rooms if room.kind)),
        },
        "bookings": {
            "total": states.total(),
            **{name: states[name] for name in ("accepted", "declined", "pending", "cancelled")},
        },
        "utilization": [_use(room, booked[room.id], period_of(room, first, last)) for room in rooms],
    }


def _use(room: Room, bookings: Sequence[Booking], period: Range) -> Document:
    accepted = [each for each in bookings if STATUS[each.state] == "accepted"]
    booked = sum(min(each.end, period.end) - max(each.start, period.start) for each in accepted)
    available = open_ms(period, room.rules, zone_of(room.zone))
    return {
        "roomId": room.slug,
        "roomName": room.name,
        "totalHoursBooked": round(booked / HOUR_MS, 2),
        "totalHoursAvailable": round(available / HOUR_MS, 2),
        "utilizationPercent": round(100 * booked / available, 1) if available else 0.0,
        "bookingCount": len(accepted),
    }
