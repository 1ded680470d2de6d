"""Rooms and bookings as RoomVox's clients are shown them. Pure but for the tz database."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ...resources import Document
from ..local_time import local_of, zone_of
from ..model import MINUTE_MS, Booking, BookingRules, Person, Room, State
from ..rules import DAYS, clock_text
from .answers import BookingStatus
from .availability import Slot, is_open_at
from .times import written

STATUS: Mapping[State, BookingStatus] = {
    "tentative": "pending",
    "confirmed": "accepted",
    "checkedIn": "accepted",
    "ended": "accepted",
    "declined": "declined",
    "cancelled": "cancelled",
    "released": "cancelled",
}
ADDRESS = ("building", "street", "postalCode", "city")


def organizer_of(email: str | None, organizer: str | None) -> Person:
    """Who books: by an address, by a name, or by both."""
    texts = [text for text in (email, organizer) if text]
    addresses = [text for text in texts if "@" in text]
    names = [text for text in texts if "@" not in text]
    return Person(name=names[0] if names else "", email=addresses[0] if addresses else "")


def location_of(room: Room, structures: Mapping[str, Document]) -> str:
    """Its address, else the structures that it is in, from the smallest."""
    if room.address:
        city = " ".join(room.address[name] for name in ADDRESS[2:] if name in room.address)
        lines = [*(room.address.get(name, "") for name in ADDRESS[:2]), city]
        return ", ".join(line for line in lines if line)
    names: list[str] = []
    each = room.structure
    while each is not None and each in structures and len(names) < len(structures):
        names.append(structures[each]["name"])
        each = structures[each].get("parent")
    return ", ".join(names)


def room_document(room: Room, location: str) -> Document:
    return {
        **room_name(room),
        "email": room.email,
        "capacity": room.capacity,
        "roomNumber": room.number,
        "roomType": room.kind,
        "facilities": [name for name, works in room.facilities.items() if works],
        "description": room.description,
        "location": location,
        "autoAccept": not room.approval,
        "active": room.active,
        "timezone": room.zone,
    }


def room_name(room: Room) -> Document:
    return {"id": room.slug, "name": room.name}


def booking_document(booking: Booking, room: Room) -> Document:
    zone = zone_of(room.zone)
    who = booking.organizer
    document: Document = {
        "uid": booking.series or booking.id,
        "title": booking.title,
        "summary": booking.title,
        "start": written(booking.start, zone),
        "end": written(booking.end, zone),
        "organizer": who.email or who.name,
        "organizerEmail": who.email,
        "description": booking.description,
        "status": STATUS[booking.state],
        "room": room_name(room),
    }
    if booking.recurrence_id is not None:
        document["recurrenceId"] = written(booking.recurrence_id, zone)
    if booking.rrule is not None:
        document["rrule"] = booking.rrule
    return document


def status_document(
    room: Room, location: str, today: Sequence[Booking], following: Booking | None, at: int
) -> Document:
    """`today` are the bookings of the day that hold their slots or held them, `following` is the next one."""
    zone = zone_of(room.zone)
    running = next((each for each in today if each.holds and each.runs_at(at)), None)
    open_now = room.active and is_open_at(at, room.rules, zone)
    status = "unavailable" if not room.active else "reserved" if running else "available" if open_now else "unavailable"
    begins = None if following is None else written(following.start, zone)
    current = None
    if running is not None:
        left = -((at - running.end) // MINUTE_MS)
        current = {**booking_document(running, room), "minutesRemaining": left}
    free_until = begins if status == "available" else None
    return {
        **room_name(room),
        "room": room_document(room, location),
        "status": status,
        "until": current["end"] if current is not None and status == "reserved" else free_until,
        "freeUntil": free_until,
        "currentBooking": current,
        "nextBooking": None if following is None else booking_document(following, room),
        "todayBookings": [booking_document(each, room) for each in today],
    }


def hours_document(rules: BookingRules) -> Document | None:
    if rules.any_time:
        return None
    days = [DAYS[day - 1] for day in sorted(set(rules.days))]
    return {"start": clock_text(rules.opens), "end": clock_text(rules.closes), "days": days}


def availability_document(room: Room, day: date, slots: Sequence[Slot]) -> Document:
    return {
        "room": room_name(room),
        "date": day.isoformat(),
        "timezone": room.zone,
        "availabilityRules": hours_document(room.rules),
        "slots": [_slot(each, room) for each in slots],
    }


def _slot(slot: Slot, room: Room) -> Document:
    zone = zone_of(room.zone)
    end = local_of(slot.end, zone)
    ends_day = end.date() > slot.day and (end.hour, end.minute) == (0, 0)
    document: dict[str, Any] = {
        "start": local_of(slot.start, zone).strftime("%H:%M"),
        "end": "24:00" if ends_day else end.strftime("%H:%M"),
        "date": slot.day.isoformat(),
        "startsAt": written(slot.start, zone),
        "endsAt": written(slot.end, zone),
        "status": slot.status,
    }
    return document | ({"title": slot.title, "summary": slot.title} if slot.status == "busy" else {})
