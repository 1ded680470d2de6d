"""Rooms and their bookings for operators. The room APIs have functions of their own, on the same bookings."""

from typing import Any, get_args

from fingerpost import wiring
from fingerpost.clock import DAY_MS
from fingerpost.edge import Answer, Edge, Request, created, no_content, shown
from fingerpost.errors import Finding, Invalid
from fingerpost.paging import ask_of, by_ids, listed, lister, loads, sight_of
from fingerpost.resources import Resources, tag_of
from fingerpost.rooms import removal, setup
from fingerpost.rooms.answers import BookingDocument, RoomDocument
from fingerpost.rooms.booking_documents import NewBooking, SentBooking, shown_booking
from fingerpost.rooms.bookings import Bookings
from fingerpost.rooms.documents import NewRoom, SentRoom
from fingerpost.rooms.errors import Unknown
from fingerpost.rooms.kinds import ROOM
from fingerpost.rooms.model import SHOWN, Booking, By, Person, Room, State
from fingerpost.rooms.rooms import Rooms
from fingerpost.rules.literals import moment_of

LIST = ("ids", "filter", "perPage", "sortOrder", "nextPageToken", "project")
ONE_ROOM, BOOKINGS = "/rooms/{roomId}", "/rooms/{roomId}/bookings"
ONE_BOOKING = f"{BOOKINGS}/{{bookingId}}"
DAYS_SHOWN, MAX_DAYS = 30, 366
STATES: tuple[State, ...] = get_args(State.__value__)

edge = Edge("rooms")
handler = edge.handler


@edge.route(
    "POST",
    "/rooms",
    verb="create",
    of="rooms",
    body=NewRoom,
    answers=RoomDocument,
    status=201,
    query=("project", "shortDomain"),
    versioned=True,
)
def create_room(request: Request) -> Answer:
    """A room: a thng with a redirection, or the thng that `thng` names with the redirection that it has."""
    domain = request.query.get("shortDomain") or wiring.settings().short_domain
    sent, project = request.read(NewRoom), request.query.get("project")
    stored = setup.create(request.caller, wiring.tables(), sent, domain, project)
    return created(setup.shown(stored), f"{wiring.settings().api_url}/rooms/{stored.id}", version=tag_of(stored.id))


@edge.route("GET", "/rooms", verb="read", of="rooms", answers=list[RoomDocument], query=LIST, counted=True)
def list_rooms(request: Request) -> Answer:
    """All rooms, newest first."""
    if "ids" in request.query:
        found = by_ids(request, Resources(request.caller.tables, ROOM))
        return Answer(document=[setup.shown(each) for each in found])
    ask = ask_of(request, ROOM.name)
    list_of = lister(request, ROOM, loads(request.caller, ROOM, sight_of(request).sees))
    page = list_of.page(ask)
    return listed(request, page, [setup.shown(each) for each in page.items], count=list_of.count(ask))


@edge.route("GET", ONE_ROOM, verb="read", of="rooms", answers=RoomDocument, versioned=True)
def read_room(request: Request) -> Answer:
    return shown(setup.read(request.caller, request.parameters["roomId"]), setup.shown)


@edge.route("PUT", ONE_ROOM, verb="update", of="rooms", body=SentRoom, answers=RoomDocument, versioned=True)
def update_room(request: Request) -> Answer:
    """Change what is sent; name, description and scopes of its thng too. `equipment` and the like are sent whole."""
    return shown(setup.update(request.caller, request.parameters["roomId"], request.read(SentRoom)), setup.shown)


@edge.route("DELETE", ONE_ROOM, verb="delete", of="rooms", answers=None, query=("cancelBookings",), versioned=True)
def delete_room(request: Request) -> Answer:
    """A room no more, once nothing is booked there. Its thng stays, with its redirection and what was recorded."""
    room, cancelling = request.parameters["roomId"], request.flag("cancelBookings")
    removal.remove(request.caller, wiring.clock, room, by=_by(request), cancelling=cancelling)
    return no_content()


# Bookings


@edge.route(
    "GET",
    BOOKINGS,
    verb="read",
    of="bookings",
    answers=list[BookingDocument],
    query=("from:bookings", "to:bookings", "status"),
)
def list_bookings(request: Request) -> Answer:
    """The bookings of a room by their start, from now for 30 days unless `from` and `to` say otherwise."""
    room = _room(request)
    start = _moment(request, "from", request.caller.at)
    end = _moment(request, "to", start + DAYS_SHOWN * DAY_MS)
    if not start < end <= start + MAX_DAYS * DAY_MS:
        raise _invalid("to", f"after `from`, by at most {MAX_DAYS} days")
    wanted = [each for each in request.query.get("status", "").split(",") if each]
    if unknown := [each for each in wanted if each not in STATES]:
        raise _invalid("status", f"{unknown[0][:40]!r} is none of {', '.join(STATES)}")
    states = frozenset(each for each in STATES if each in wanted) or SHOWN
    found = _bookings(request).of_room(room.id, start, end, states=states, bounded=True)
    return Answer(document=[shown_booking(each) for each in found])


@edge.route("POST", BOOKINGS, verb="create", of="bookings", body=NewBooking, answers=BookingDocument, status=201)
def create_booking(request: Request) -> Answer:
    """Book a room: confirmed at once, or tentative where bookings need approval."""
    sent, room = request.read(NewBooking), _room_to_change(request)
    booking = _bookings(request).book(
        room,
        sent.start,
        sent.end,
        by=_by(request),
        title=sent.title,
        description=sent.description,
        organizer=sent.organizer.as_person() if sent.organizer else Person(),
        attendees=tuple(each.as_attendee() for each in sent.attendees),
        walk_in=sent.walkIn,
        rrule=sent.rrule,
        key=request.header("idempotency-key") or None,
    )
    return created(shown_booking(booking), f"{wiring.settings().api_url}/rooms/{room.id}/bookings/{booking.id}")


@edge.route("GET", ONE_BOOKING, verb="read", of="bookings", answers=BookingDocument)
def read_booking(request: Request) -> Answer:
    return Answer(document=shown_booking(_booking(request, _room(request))))


@edge.route("PUT", ONE_BOOKING, verb="update", of="bookings", body=SentBooking, answers=BookingDocument)
def update_booking(request: Request) -> Answer:
    """Move a booking in time or to another room, extend or shorten it, say what it is about."""
    sent, booking = request.read(SentBooking), _booking(request, _room_to_change(request))
    to = None if sent.room is None else _to_change(request, sent.room)
    fields: dict[str, Any] = {name: getattr(sent, name) for name in ("start", "end", "title", "description")}
    fields["organizer"] = sent.organizer and sent.organizer.as_person()
    fields["attendees"] = None if sent.attendees is None else tuple(each.as_attendee() for each in sent.attendees)
    return Answer(document=shown_booking(_bookings(request).change(booking.id, by=_by(request), room=to, **fields)))


@edge.route("DELETE", ONE_BOOKING, verb="delete", of="bookings", answers=None, query=("recurrenceId",))
def cancel_booking(request: Request) -> Answer:
    """Give the slot back: of a series all occurrences, or the one that `recurrenceId` names."""
    booking = _booking(request, _room_to_change(request))
    occurrence = _moment(request, "recurrenceId", 0) if "recurrenceId" in request.query else None
    _bookings(request).cancel(booking.id, by=_by(request), recurrence_id=occurrence)
    return no_content()


@edge.route("POST", f"{ONE_BOOKING}/approve", verb="update", of="bookings", body=None, answers=BookingDocument)
def approve_booking(request: Request) -> Answer:
    """Confirm a booking that waits for approval."""
    booking = _booking(request, _room_to_change(request))
    return Answer(document=shown_booking(_bookings(request).approve(booking.id, by=_by(request))))


@edge.route("POST", f"{ONE_BOOKING}/decline", verb="update", of="bookings", body=None, answers=BookingDocument)
def decline_booking(request: Request) -> Answer:
    """Refuse a booking that waits for approval; its slot is free again."""
    booking = _booking(request, _room_to_change(request))
    return Answer(document=shown_booking(_bookings(request).decline(booking.id, by=_by(request))))


@edge.route("POST", f"{ONE_BOOKING}/checkIn", verb="update", of="bookings", body=None, answers=BookingDocument)
def check_in_booking(request: Request) -> Answer:
    """Somebody has come."""
    booking = _booking(request, _room_to_change(request))
    return Answer(document=shown_booking(_bookings(request).check_in(booking.id, by=_by(request))))


@edge.route("POST", f"{ONE_BOOKING}/finish", verb="update", of="bookings", body=None, answers=BookingDocument)
def finish_booking(request: Request) -> Answer:
    """End a booking that runs; the rest of its slot is free again."""
    booking = _booking(request, _room_to_change(request))
    return Answer(document=shown_booking(_bookings(request).finish(booking.id, by=_by(request))))


def _bookings(request: Request) -> Bookings:
    return Bookings(request.caller.tables, wiring.clock)


def _by(request: Request) -> By:
    return By.of(request.caller, "api")


def _room(request: Request) -> Room:
    """Raises NotFound."""
    return Rooms(request.caller.tables, request.principal.sight).get(request.parameters["roomId"])


def _room_to_change(request: Request) -> Room:
    """Raises NotFound, Forbidden for a room that the key sees but may not change."""
    return _to_change(request, request.parameters["roomId"])


def _to_change(request: Request, room_id: str) -> Room:
    request.caller.changes(setup.read(request.caller, room_id).document)
    return Rooms(request.caller.tables).get(room_id)


def _booking(request: Request, room: Room) -> Booking:
    """The booking that the path names. Raises Unknown, also for another room's."""
    booking = _bookings(request).get(request.parameters["bookingId"])
    if booking.room != room.id:
        raise Unknown(f"There is no booking {request.parameters['bookingId'][:80]}")
    return booking


def _moment(request: Request, name: str, default: int) -> int:
    """A query parameter that is a moment. Raises Invalid."""
    if not (text := request.query.get(name)):
        return default
    if (moment := moment_of(text, last=False)) is None:
        raise _invalid(name, "milliseconds since the epoch, or a moment such as 2026-11-29T12:00:00Z")
    return int(moment)


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", details=[Finding(field=field, message=message)])
