"""The documents that panels see, made of rooms, bookings and people. Pure.

Sources: the Evoko Home API document; where that has names only, the same product's REST documents.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...resources import Stored
from ..local_time import local_of, zone_of
from ..model import Booking, Room
from ..rooms import FACILITIES, SETTINGS
from ..structures import LEVELS
from .ejson import Moment
from .times import iso

type Fields = dict[str, Any]

MAX_ATTENDEES = 50  # in one booking's document: a message has a limit
SUBJECT = "Booked on screen"


def room_fields(room: Room, equipment: Mapping[str, str]) -> Fields:
    """`equipment` has the names of the account's custom equipment, by id."""
    return {
        "name": room.name,
        "mail": room.email,
        "address": room.email,
        "id": room.name,
        "numberOfSeats": room.capacity,
        "alias": room.name,
        "isActive": room.active,
        "isDeleted": False,
        "equipment": {name: room.facilities.get(name) for name in FACILITIES},
        "customEquipment": [
            {"_id": each, "name": equipment[each], "isChecked": works}
            for each, works in sorted(room.custom.items())
            if each in equipment
        ],
        "structureId": room.structure,
        "userIds": [],
        "assigned": True,
    }


def room_document(room: Room, equipment: Mapping[str, str]) -> Fields:
    """A room as methods answer it."""
    return {"_id": room.evoko_id, **room_fields(room, equipment)}


def booking_fields(booking: Booking, room: Room) -> Fields:
    """`confirmed` is the panels' word for checked in."""
    zone = zone_of(room.zone)
    start, end = local_of(booking.start, zone), local_of(booking.end, zone)
    came = booking.state == "checkedIn" or booking.checked_in_at is not None
    people = [{"name": each.name, "mail": each.email} for each in booking.attendees[:MAX_ATTENDEES]]
    return {
        "id": booking.id,  # clients are in use that look for a document by this field, wherever it has one
        "roomId": room.evoko_id,
        "changeKey": str(booking.sequence),
        "source": booking.source,
        "isDeleted": False,
        "booking": {
            "startDate": iso(booking.start),
            "endDate": iso(booking.end),
            "location": room.name,
            "startTime": f"{start:%H:%M}",
            "endTime": f"{end:%H:%M}",
            "onlyDate": f"{start:%Y-%m-%d}",
            "dateForStatistics": f"{start:%Y-%m-%d}",
            "createdBy": {
                "name": booking.organizer.name or booking.organizer.email,
                "mail": booking.organizer.email,
                "userId": booking.organizer.user,
                "createdAt": iso(booking.created_at),
                "isGuestUser": not booking.organizer.user,
            },
            "subject": booking.title or SUBJECT,
            "confirmed": came,
            "showConfirm": booking.state == "confirmed" and room.check_in is not None,
            "timeOfConfirmation": iso(booking.checked_in_at) if booking.checked_in_at is not None else None,
            "endType": "finished" if booking.state == "ended" else None,
            "freeBusyStatus": "Tentative" if booking.state == "tentative" else "Busy",
            "sensitivity": "Normal",
            "isAllDayEvent": False,
            "participants": people,
            "attendees": people,
        },
    }


def settings_fields(room: Room) -> Fields:
    """Which actions at a room's panel need a PIN or an RFID."""
    return {"roomId": room.evoko_id, **{name: {"auth": room.auth.get(name, False)} for name in SETTINGS}}


def structures(stored: Iterable[Stored], rooms: Sequence[Room]) -> dict[str, Fields]:
    """Countries, cities, buildings and floors side by side, each with the rooms right in it."""
    return {
        each.id: {
            "name": each.document["name"],
            "level": LEVELS.index(each.document["level"]) + 1,
            "parent": each.document.get("parent"),
            "roomIds": [room.evoko_id for room in rooms if room.structure == each.id],
        }
        for each in stored
    }


def person_fields(person: Stored) -> Fields:
    """Nothing that opens anything: PINs and RFIDs are not kept in clear."""
    document = person.document
    address = document.get("email")
    return {
        "username": document.get("username") or address or document["name"],
        "createdAt": Moment(document["createdAt"]),
        "emails": [{"address": address, "verified": True}] if address else [],
        "profile": {
            "name": document["name"],
            "pin": None,
            "rfid": None,
            "hasPin": "_pin" in document,
            "hasRfid": "_rfid" in document,
            "type": "Admin" if document.get("admin") else "User",
        },
    }


def integration_fields(user: Stored) -> Fields:
    """A user that a client has registered."""
    document = user.document
    return {
        "username": document["username"],
        "createdAt": Moment(document["createdAt"]),
        "emails": [],
        "profile": {
            "name": document["name"],
            "pin": None,
            "rfid": None,
            "hasPin": False,
            "hasRfid": False,
            "type": "APIIntegration",
            "clientGroup": document["groupName"],
        },
    }
