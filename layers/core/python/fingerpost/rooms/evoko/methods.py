"""The methods that panels call on rooms and bookings. Source: the Evoko Home API document; wire-facts of rooms.

Each takes one object. What is refused is a DdpError in the product's own words, with what is the matter in `details`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from ...access.guessing import trying
from ...access.secrets import RootSecrets
from ...clock import Clock
from ...errors import FingerpostError, Invalid, NotFound
from ...ports.table import Tables
from ...resources import Resources, Stored
from .. import faults, people, plain, structures
from ..bookings import Bookings
from ..errors import NotAllowed, Taken, Unknown
from ..kinds import EQUIPMENT, STRUCTURE
from ..local_time import zone_of
from ..logins import EvokoUser
from ..model import Booking, By, Person, Room
from ..rooms import Rooms
from ..rules import check_interval, check_rules
from . import matching, views
from .ejson import encoded
from .protocol import DdpError
from .times import is_quarter, moment_in

type Params = Mapping[str, Any]
type Answer = Mapping[str, Any]

MAX_ANSWER_BYTES = 120_000  # of a search's rooms, the best first: a message has a limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    """Who calls, and what with. `own` are the account's tables; `cause` is the message's, and no other has it."""

    own: Tables
    clock: Clock
    roots: RootSecrets
    user: EvokoUser
    cause: str

    @property
    def rooms(self) -> Rooms:
        return Rooms(self.own)

    @property
    def bookings(self) -> Bookings:
        return Bookings(self.own, self.clock)

    def by(self, person: Stored | None = None) -> By:
        return By(source="evoko", client=self.user.id, user=person.id if person else "", cause=self.cause)


class Done(dict[str, Any]):
    """An answer, and the booking or the room that was changed, which the caller's own subscriptions have at once."""

    def __init__(self, answer: Answer, *, booking: str = "", room: str = ""):
        super().__init__(answer)
        self.booking, self.room = booking, room


type Method = Callable[[Calling, Params], Answer]


def create_booking(calling: Calling, params: Params) -> Answer:
    room = _room(calling, _text(params, "roomId"))
    zone = zone_of(room.zone)
    start, end = (
        _moment(params, zone, "startDate", "startTime"),
        _quarter(params, zone, "endDate", "endTDate", "endTime"),
    )
    now = calling.clock()
    later = start > now
    person = _person(calling, params, room, "bookFutureMeetingSettings" if later else "bookMeetingSettings")
    came = params.get("confirmed")
    with _refusing("MeetingSuccessExists"):
        booking = calling.bookings.book(
            room,
            start,
            end,
            by=calling.by(person),
            title=_subject(params),
            organizer=_organizer(person, calling.user),
            walk_in=came if isinstance(came, bool) else start <= now < end,
            key=calling.cause,
        )
    return Done(_success("MeetingSuccessCreated", {"id": booking.id}), booking=booking.id)


def update_event(calling: Calling, params: Params) -> Answer:
    booking, room = _booking(calling, params, "MeetingInvalidExtend")
    zone = zone_of(room.zone)
    start, end = (
        _moment(params, zone, "startDate", "startTime"),
        _quarter(params, zone, "endDate", "endTDate", "endTime"),
    )
    person = _person(calling, params, room, _setting(calling, booking, "extend"))
    with _refusing("MeetingInvalidExtend", also="MeetingInvalidExtend"):
        calling.bookings.change(booking.id, by=calling.by(person), start=start, end=end)
    return Done(_success("MeetingSuccessUpdate"), booking=booking.id)


def delete_event(calling: Calling, params: Params) -> Answer:
    booking, room = _booking(calling, params)
    person = _person(calling, params, room, _setting(calling, booking, "end"))
    with _refusing():
        calling.bookings.cancel(booking.id, by=calling.by(person))
    return Done(_success("MeetingSuccessDelete"), booking=booking.id)


def confirm_meeting(calling: Calling, params: Params) -> Answer:
    booking, room = _booking(calling, params)
    person = _person(calling, params, room, "confirmMeetingSettings")
    with _refusing():
        calling.bookings.check_in(booking.id, by=calling.by(person))
    return Done(_success("Booking is successfully confirmed!"), booking=booking.id)


def available_rooms(calling: Calling, params: Params) -> Answer:
    """Rooms that could be booked at that time, by how well they match."""
    utc = zone_of("UTC")
    start, end = _moment(params, utc, "startDate", "startTime"), _moment(params, utc, "endDate", "endTDate", "endTime")
    try:
        check_interval(start, end)
        wanted = matching.wanted_of(params)
    except (Invalid, ValueError) as error:
        raise _unusable(str(error)) from error
    rooms = [room for room in calling.rooms.all() if _bookable(room, start, end, calling.clock())]
    free = calling.bookings.free(rooms, start, end)
    known = {each.id: each for each in plain.all_of(calling.own, STRUCTURE)} if wanted.places else {}
    places = {room.id: [each.id for each in structures.path_of(known, room.structure)] for room in rooms}
    full, partial = matching.matches(wanted, [room for room in rooms if room.id in free], places)
    names = {each.id: each.document["name"] for each in plain.all_of(calling.own, EQUIPMENT)}
    found = {"fullMatchArray": list[Any](), "partialMatchArray": list[Any]()}
    left = MAX_ANSWER_BYTES
    for name, rooms in zip(found, (full, partial), strict=True):
        for room in rooms:
            document = views.room_document(room, names)
            if (left := left - len(encoded(document).encode())) < 0:
                return found
            found[name].append(document)
    return found


def report_equipment(calling: Calling, params: Params) -> Answer:
    """Equipment that works (true), is broken (false) or is not there (null)."""
    sent = params.get("roomObject")
    if not isinstance(sent, dict):
        raise _missing("roomObject")
    room = _room(calling, _text(sent, "_id"))
    works, custom = _reported(calling, sent)
    person = _person(calling, params, room, "reportSettings", always=params.get("adminReportFlag") is True)
    repaired = any(works[each] is True and room.facilities.get(each) is not True for each in works) or any(
        custom[each] is True and room.custom.get(each) is not True for each in custom
    )
    admin = person.document.get("admin") is True if person else calling.user.kind == "admin"
    if repaired and params.get("adminReportFlag") is True and not admin:
        raise DdpError(403, "NoAuthorizedResourceAccess")
    with _refusing():
        before, after = faults.report(calling.own, calling.clock, room.id, works, custom, by=calling.by(person))
    broken = any(
        has is False and had.get(name) is not False
        for had, now in ((before.facilities, after.facilities), (before.custom, after.custom))
        for name, has in now.items()
    )
    return Done(_success("RoomSuccessEquipUpdateBroken" if broken else "RoomSuccessEquipUpdateRepaired"), room=room.id)


METHODS: Mapping[str, Method] = {
    "createBooking": create_booking,
    "updateEvent": update_event,
    "deleteEvent": delete_event,
    "confirmMeeting": confirm_meeting,
    "getAvailableRoomsAdvancedNew": available_rooms,
    "editRoomEquipmentReport": report_equipment,
}


# What was sent


def _text(params: Params, name: str) -> str:
    value = params.get(name)
    if not isinstance(value, str) or not value:
        raise _missing(name)
    return value


def _moment(params: Params, zone: ZoneInfo, *names: str) -> int:
    """By the first of its names that was sent."""
    name = next((each for each in names if params.get(each) is not None), None)
    if name is None:
        raise _missing(names[0])
    try:
        return moment_in(params[name], zone)
    except ValueError as error:
        raise _unusable(f"{name}: {error}") from error


def _quarter(params: Params, zone: ZoneInfo, *names: str) -> int:
    at = _moment(params, zone, *names)
    if not is_quarter(at):
        raise _unusable(f"{names[0]}: its minutes must be 00, 15, 30 or 45")
    return at


def _subject(params: Params) -> str:
    subject = params.get("subject")
    return subject if isinstance(subject, str) and subject.strip() else views.SUBJECT


def _reported(calling: Calling, sent: Params) -> tuple[dict[str, bool | None], dict[str, bool | None]]:
    works, listed = sent.get("equipment") or {}, sent.get("customEquipment") or []
    if not isinstance(works, dict) or not isinstance(listed, list) or not all(isinstance(e, dict) for e in listed):
        raise _unusable("roomObject: equipment is an object, customEquipment a list of objects")
    custom = {str(each.get("_id")): each.get("isChecked") for each in listed}
    for name, value in {**works, **custom}.items():
        if value is not None and not isinstance(value, bool):
            raise _unusable(f"roomObject: {name[:40]} must be true, false or null")
    known = Resources(calling.own, EQUIPMENT).read_many(list(custom), consistent=True) if custom else {}
    if unknown := sorted(custom.keys() - known.keys()):
        raise _unusable(f"roomObject: there is no custom equipment {unknown[0][:40]!r}")
    return works, custom


def _room(calling: Calling, name: str) -> Room:
    try:
        room = calling.rooms.named(name)
    except NotFound as error:
        raise DdpError(404, "RoomNotActiveNotFound") from error
    if not room.active:
        raise DdpError(404, "RoomNotActiveNotFound")
    return room


def _booking(calling: Calling, params: Params, unknown: str = "GenericError5") -> tuple[Booking, Room]:
    """The booking that is meant, under any of the names that clients send."""
    sent = [params.get(each) for each in ("bookingId", "_id", "id")]
    name = next((each for each in sent if isinstance(each, str) and each), None)
    if name is None:
        raise _missing("bookingId")
    try:
        booking = calling.bookings.get(name)
        return booking, calling.rooms.get(booking.room)
    except NotFound as error:
        raise DdpError(400, unknown, f"There is no booking {name[:80]}") from error


def _bookable(room: Room, start: int, end: int, now: int) -> bool:
    try:
        check_rules(room, start, end, now)
    except NotAllowed:
        return False
    return True


# Who it is


def _setting(calling: Calling, booking: Booking, verb: str) -> str:
    """Which setting asks for a PIN. Whether a meeting is on is ours to know, whatever `ongoing` says."""
    return f"{verb}OngoingMeetingSettings" if booking.start <= calling.clock() else f"{verb}FutureMeetingSettings"


def _person(calling: Calling, params: Params, room: Room, setting: str, *, always: bool = False) -> Stored | None:
    """Whose PIN or RFID was sent, where the room's setting asks for one; with `always` whoever was sent."""
    asked = room.auth.get(setting, False)
    pin, rfid = (_mark(params.get(each)) for each in ("pin", "rfid"))
    if not asked and not (always and (pin or rfid)):
        return None
    if not pin and not rfid:
        raise DdpError(400, "PinIsRequired")
    try:
        with trying(calling.own.main, f"marks-{room.id}", calling.clock()) as guess:
            find = people.by_pin if pin else people.by_rfid
            person = find(calling.own, calling.roots, pin or rfid)
            guess.right = True
    except NotFound as error:
        raise DdpError(400, "PinWrongNumber" if pin else "RFIDWrongNumber") from error
    except FingerpostError as error:
        raise DdpError(error.status, str(error)) from error
    return person


def _mark(value: Any) -> str:
    """As text: numbers and strings both arrive."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)[:100].strip()


def _organizer(person: Stored | None, user: EvokoUser) -> Person:
    if person is None:
        return Person(name=user.name)
    return Person(name=person.document["name"], email=person.document.get("email", ""), user=person.id)


# What is answered


def _success(message: str, body: Any = None) -> Answer:
    return {"type": "success", "message": message, "body": body}


def _missing(name: str) -> DdpError:
    return DdpError(400, f"Parameter {name} not specified!")


def _unusable(details: str) -> DdpError:
    return DdpError(400, "GenericError5", details)


@contextmanager
def _refusing(taken: str = "GenericError5", *, also: str = "GenericError5") -> Iterator[None]:
    """What the booking core refuses, in the panels' words: `taken` for a clash, `also` for whatever a rule forbids."""
    try:
        yield
    except Taken as error:
        raise DdpError(400, taken) from error
    except NotAllowed as error:
        if error.rule == "active":
            raise DdpError(404, "RoomNotActiveNotFound") from error
        raise DdpError(400, also, str(error)) from error
    except (Invalid, Unknown) as error:
        raise DdpError(400, also, str(error)) from error
    except FingerpostError as error:
        raise DdpError(400, "GenericError5", str(error)) from error
