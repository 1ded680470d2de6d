"""Rooms, bookings, people and devices in Joan's documents. Pure but for the tz database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ...resources import Document, Stored
from ..local_time import zone_of
from ..model import Attendee, Booking, Person, Room
from ..rooms import number_of
from ..structures import path_of
from .times import written

MAX_PAGE = 1_000  # also what a page holds when nobody asks: clients read the first one only
STATUS = {"tentative": "tentative", "cancelled": "cancelled", "declined": "cancelled", "released": "cancelled"}
PROFILE: Document = {
    "picture_id": None,
    "picture": None,
    "job_title": "",
    "job_role": "",
    "use_case": [],
    "discovery": "",
}
PERMISSIONS = ("read", "write")


@dataclass(frozen=True, slots=True)
class House:
    """Where the rooms of an account are and what custom equipment is called."""

    structures: dict[str, Stored]
    equipment: Mapping[str, str]  # names by id


def resource(room: Room, house: House) -> dict[str, Any]:
    """A room as a part of a device."""
    custom = [house.equipment[each] for each, works in room.custom.items() if works and each in house.equipment]
    return {
        "name": room.name,
        "email": room.email,
        "locations": [
            {"id_str": each.id, "type": each.document["level"], "name": each.document["name"]}
            for each in path_of(house.structures, room.structure)
        ],
        "status": "active" if room.active else "inactive",
        "amenities": [name for name, works in room.facilities.items() if works] + sorted(custom),
        "capacity": room.capacity,
        "sync": True,
        "first_failed_sync": None,
    }


def room_document(room: Room, house: House) -> dict[str, Any]:
    own = {"id": room.joan_id, "key": room.id, "manualEntry": False, "timezone": room.zone}
    return {**own, **resource(room, house)}


def event_document(booking: Booking, room: Room) -> dict[str, Any]:
    zone = zone_of(room.zone)
    return {
        "id": booking.id,
        "summary": booking.title,
        "start": written(booking.start, zone),
        "end": written(booking.end, zone),
        "timezone": room.zone,
        "organizer": _person(booking.organizer),
        "attendees": [{**_person(each), "responseStatus": each.partstat} for each in booking.attendees],
        "resource": room.email,
        "status": STATUS.get(booking.state, "confirmed"),
        "confirmed": booking.checked_in_at is not None,
        "created": written(booking.created_at, zone),
        "updated": written(booking.updated_at, zone),
    }


def _person(person: Person | Attendee) -> dict[str, str]:
    return {"email": person.email, "displayName": person.name or person.email}


def invitation_document(booking: Booking, room: Room, guest: Attendee, link: str, address: str) -> dict[str, Any]:
    """`address` is that of events, with a slash at its end."""
    zone = zone_of(room.zone)
    return {
        "id": link,
        "event_id": booking.id,
        "event_name": booking.title,
        "room_name": room.name,
        "start": written(booking.start, zone),
        "end": written(booking.end, zone),
        "email": guest.email,
        "status": guest.partstat,
        "confirm": f"{address}invite/{link}/",
        "reject": f"{address}reject/{link}/",
    }


def device_document(device: Document, room: Room | None, house: House) -> dict[str, Any]:
    """`room` is None when it is none any more."""
    return {
        "uuid": device["uuid"],
        "calendar": room.email if room else "",
        "calendar_name": room.name if room else "",
        "timezone": device.get("timezone") or (room.zone if room else "UTC"),
        "wifi": device.get("wifi"),
        "battery": device.get("battery"),
        "model": device.get("model", ""),
        "size": device.get("size", ""),
        "roomResources": [resource(room, house)] if room else [],
        "interface": device.get("interface", ""),
        "wifi_quality": device.get("wifiQuality"),
    }


def user_document(person: Document, company: Mapping[str, Any]) -> dict[str, Any]:
    first, _, last = person["name"].strip().partition(" ")
    admin = bool(person.get("admin"))
    return {
        "id": person["joanId"],
        "first_name": person.get("firstName") or first,
        "last_name": person.get("lastName") or last,
        "email": person.get("email") or "",
        "admin": admin,
        "permissions": [*PERMISSIONS, "admin"] if admin else list(PERMISSIONS),
        "company": dict(company),
        "departments": list(person.get("departments") or ()),
        "profile": dict(PROFILE),
    }


def client_document(client_id: str, name: str, company: Mapping[str, Any]) -> dict[str, Any]:
    """Who the token is of: the application, as a user."""
    own: Document = {"joanId": number_of(client_id), "firstName": name, "lastName": "", "name": name, "admin": True}
    return user_document(own, company)


def page(
    results: Sequence[Any], address: str, query: Mapping[str, str], show: Any = lambda each: each
) -> dict[str, Any]:
    """`count`, `next`, `previous`, `results`; `limit` and `offset` say which part. What is no number is not heard."""
    limit = min(_number(query.get("limit"), MAX_PAGE) or MAX_PAGE, MAX_PAGE)
    offset = _number(query.get("offset"), 0)
    rest = {name: value for name, value in query.items() if name not in ("limit", "offset")}

    def link(start: int) -> str:
        part = {"limit": limit} if start == 0 else {"limit": limit, "offset": start}
        return f"{address}?{urlencode({**part, **rest})}"

    return {
        "count": len(results),
        "next": link(offset + limit) if offset + limit < len(results) else None,
        "previous": link(max(0, offset - limit)) if offset > 0 else None,
        "results": [show(each) for each in results[offset : offset + limit]],
    }


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 10 else otherwise
