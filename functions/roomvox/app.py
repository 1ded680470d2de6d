"""RoomVox's public API: rooms, their status, bookings, feeds and statistics for the clients of that product."""

import re
import time
from typing import Any, NamedTuple, get_args

from fingerpost import wiring
from fingerpost.access.model import Principal, Rights
from fingerpost.dialect import Dialect
from fingerpost.edge import Answer, Edge, Request
from fingerpost.errors import Conflict, FingerpostError, Invalid, Unauthenticated
from fingerpost.http import Event, Reply, body_bytes, header
from fingerpost.log import line
from fingerpost.multipart import fields_of, is_multipart
from fingerpost.ports.table import Tables
from fingerpost.rooms.credentials import ROOMVOX, Scope, roomvox_token
from fingerpost.rooms.model import Room
from fingerpost.rooms.roomvox import importing, table
from fingerpost.rooms.roomvox.answers import (
    RoomvoxAvailability,
    RoomvoxBooking,
    RoomvoxDone,
    RoomvoxImported,
    RoomvoxPreview,
    RoomvoxRefusal,
    RoomvoxRoom,
    RoomvoxStatistics,
    RoomvoxStatus,
    Upload,
)
from fingerpost.rooms.roomvox.documents import SentRoomvoxBooking, SentRoomvoxImport
from fingerpost.rooms.roomvox.feed import CONTENT_TYPE
from fingerpost.rooms.roomvox.importing import CSV
from fingerpost.rooms.roomvox.service import RoomVox
from fingerpost.rooms.roomvox.shown import booking_document
from fingerpost.rooms.roomvox.words import BAD_TOKEN, NO_TOKEN, refusal, unauthenticated

APP = "/apps/roomvox/api"
V1 = f"{APP}/v1"
ROOMS, ROOM, STATISTICS = f"{V1}/rooms", f"{V1}/rooms/{{slug}}", f"{V1}/statistics"
BOOKINGS = f"{ROOM}/bookings"
TABLES = f"{APP}/rooms"
MODES = get_args(importing.Mode.__value__)
IMPORT_SECONDS = 20  # of the thirty that the gateway waits
RANGE = ("from:roomvox", "to:roomvox")
PAGE = ("limit:roomvox", "offset")
MAX_LISTED = 5_000
# Where else the product answers: with its front controller in the path, and as its own tables write addresses.
ALIASES = (("/index.php/apps/roomvox/api/", f"{APP}/"), ("/api/v1/", f"{V1}/"), ("/api/rooms/", f"{APP}/rooms/"))
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)


def who(tables: Tables, event: Event, at: int) -> Principal:
    """The token's bearer; says in the log which token asks for what. Raises Unauthenticated."""
    found = _BEARER.fullmatch(header(event, "authorization").strip())
    if found is None:
        raise unauthenticated(NO_TOKEN)
    if not found[1].startswith(ROOMVOX):
        raise unauthenticated(BAD_TOKEN)
    try:
        token = roomvox_token(tables, found[1], at)
    except Unauthenticated as error:
        raise unauthenticated(BAD_TOKEN) from error
    http = event["requestContext"]["http"]
    cause = event["requestContext"].get("requestId")
    line("INFO", "roomvox", token=token.prefix, method=http["method"], path=event["rawPath"][:300], cause=cause)
    return Principal(
        actor="roomClient",
        account=token.account,
        id=token.id,
        role=token.scope,
        rooms=token.rooms,
        rights=Rights(resources=None),  # a room that is made belongs to no project
    )


def refuse(error: FingerpostError, _event: Event) -> tuple[int, Any]:
    return refusal(error)


edge = Edge(
    "roomvox",
    Dialect(
        who=who,
        refuse=refuse,
        refusal=RoomvoxRefusal,
        scheme=("roomvox", {"type": "http", "scheme": "bearer"}),
        mounts=tuple(f"{each}{{path+}}" for each in (f"{APP}/", *(alias for alias, _ in ALIASES))),
    ),
)


def handler(event: Event, context: object = None) -> Reply:
    """Answer one API Gateway event, at whichever of its addresses."""
    path = event["rawPath"]
    for alias, own in ALIASES:
        if path.startswith(alias):
            return edge.handler({**event, "rawPath": own + path.removeprefix(alias)}, context)
    return edge.handler(event, context)


@edge.route(
    "GET",
    ROOMS,
    verb="read",
    of="roomvox",
    answers=list[RoomvoxRoom],
    query=("active", "type", "capacity_min", *PAGE),
    counted=True,
)
def list_bookable_rooms(request: Request) -> Answer:
    """Every room that the token is for, oldest first."""
    vox, query = _vox(request, "read"), request.query
    rooms = vox.all_rooms()
    if "active" in query:
        active = request.flag("active")
        rooms = [room for room in rooms if room.active == active]
    if (kind := query.get("type")) is not None:
        rooms = [room for room in rooms if room.kind == kind]
    if (least := _number(request, "capacity_min", 0)) > 0:
        rooms = [room for room in rooms if room.capacity >= least]
    return _page(request, rooms, vox.shown)


@edge.route("GET", ROOM, verb="read", of="roomvox", answers=RoomvoxRoom)
def read_bookable_room(request: Request) -> Answer:
    vox, room = _of_room(request, "read")
    return Answer(document=vox.shown([room])[0])


@edge.route("GET", f"{ROOM}/status", verb="read", of="roomvox", answers=RoomvoxStatus)
def read_room_status(request: Request) -> Answer:
    """What the room is now, until when, and what comes next."""
    vox, room = _of_room(request, "read")
    return Answer(document=vox.status(room))


@edge.route(
    "GET", f"{ROOM}/availability", verb="read", of="roomvox", answers=RoomvoxAvailability, query=("date", *RANGE)
)
def read_availability(request: Request) -> Answer:
    """When the room is free and when it is not: today, on `date`, or from a moment to another, 365 days at most."""
    vox, room = _of_room(request, "read")
    return Answer(document=vox.availability(room, request.query.get("date"), _range(request)))


@edge.route(
    "GET",
    BOOKINGS,
    verb="read",
    of="roomvox",
    answers=list[RoomvoxBooking],
    query=(*RANGE, "status:roomvox", *PAGE),
    counted=True,
)
def list_room_bookings(request: Request) -> Answer:
    """The bookings of a room by their start; of today and the thirty days after it unless a range is given."""
    vox, room = _of_room(request, "read")
    found = vox.listed(room, _range(request), request.query.get("status"))
    return _page(request, found, lambda some: [booking_document(each, room) for each in some])


@edge.route("POST", BOOKINGS, verb="create", of="roomvox", body=SentRoomvoxBooking, answers=RoomvoxBooking, status=201)
def book_room(request: Request) -> Answer:
    """Book a room: accepted at once, or pending where one of its managers has to approve."""
    vox, room = _of_room(request, "book")
    booking = vox.book(room, request.read(SentRoomvoxBooking), request.header("idempotency-key") or None)
    return Answer(status=201, document=booking_document(booking, room))


@edge.route(
    "DELETE",
    f"{BOOKINGS}/{{uid}}",
    verb="delete",
    of="roomvox",
    answers=RoomvoxDone,
    query=("recurrenceId:roomvox",),
)
def cancel_room_booking(request: Request) -> Answer:
    """Cancel a booking, or a series; with `recurrenceId` one occurrence of it."""
    vox, room = _of_room(request, "book")
    vox.cancel(room, request.parameters["uid"], request.query.get("recurrenceId"))
    return Answer(document={"status": "ok"})


@edge.route("GET", f"{ROOM}/calendar.ics", verb="read", of="roomvox", answers="text/calendar", query=RANGE)
def read_feed(request: Request) -> Answer:
    """The accepted bookings as iCalendar; from a week ago to nearly a year ahead unless a range is given."""
    vox, room = _of_room(request, "read")
    headers = {"content-disposition": f'inline; filename="{room.slug}.ics"'}
    return Answer(content=vox.feed(room, _range(request)), content_type=CONTENT_TYPE, headers=headers)


@edge.route(
    "GET",
    STATISTICS,
    verb="read",
    of="roomvox",
    answers=RoomvoxStatistics,
    query=("from:days", "to:days", "room:roomvox"),
)
def read_room_statistics(request: Request) -> Answer:
    """How much the rooms are used, by day: the last thirty days unless a range is given."""
    vox = _vox(request, "admin")
    named = request.query.get("room")
    return Answer(document=vox.statistics(vox.room(named) if named else None, _range(request)))


# Tables of rooms


@edge.route("GET", f"{TABLES}/export", verb="read", of="roomvox", answers=CSV)
def export_rooms(request: Request) -> Answer:
    """The rooms that the token is for, as a table that can be imported."""
    return _table(table.written(_vox(request, "admin").all_rooms()), "rooms.csv")


@edge.route("GET", f"{TABLES}/sample-csv", verb="read", of="roomvox", answers=CSV)
def read_sample(request: Request) -> Answer:
    """A table with one room, to fill in others by."""
    _vox(request, "admin")
    return _table(table.sample(), "sample.csv")


@edge.route(
    "POST",
    f"{TABLES}/import/preview",
    verb="create",
    of="roomvox",
    body=SentRoomvoxImport,
    uploads="file",
    answers=RoomvoxPreview,
)
def preview_import(request: Request) -> Answer:
    """What would come of each line of a table."""
    vox = _vox(request, "admin")
    return Answer(document=_import(request, vox).preview(table.read(_sent(request).content)))


@edge.route(
    "POST",
    f"{TABLES}/import",
    verb="create",
    of="roomvox",
    body=SentRoomvoxImport,
    uploads="file",
    answers=RoomvoxImported,
    query=("mode",),
)
def import_rooms(request: Request) -> Answer:
    """Make rooms from a table; with `mode` `update` change those that there are, too.

    A line is about the room with its e-mail address, else with its name.
    """
    vox = _vox(request, "admin")
    sent = _sent(request)
    if sent.mode not in MODES:
        raise Invalid(f"Invalid mode: {', '.join(MODES)}")
    until = time.monotonic() + IMPORT_SECONDS
    document = _import(request, vox).carry_out(table.read(sent.content), sent.mode, lambda: time.monotonic() < until)
    if sent.upload and not document["remaining"]:
        importing.forget(wiring.bundles(), request.principal.account, sent.upload)
    return Answer(document=document)


@edge.route("POST", f"{TABLES}/import/uploads", verb="create", of="roomvox", body=None, answers=Upload, status=201)
def create_upload(request: Request) -> Answer:
    """An address for a file that no request carries. Raises Conflict where requests carry every file."""
    _vox(request, "admin")
    upload = importing.upload_for(wiring.bundles(), request.principal.account)
    if upload is None:
        raise Conflict("Requests carry every file here: send it as the form's field file")
    return Answer(status=201, document=upload)


class _Sent(NamedTuple):
    """A table, and what is to be done with it; `upload` is where it was put, if it was."""

    content: bytes
    mode: Any = "create"
    upload: str = ""


def _sent(request: Request) -> _Sent:
    """Raises Invalid, NotFound, TooLarge."""
    blobs, account = wiring.bundles(), request.principal.account
    if is_multipart(request.event):
        fields = fields_of(request.event)
        if "file" not in fields:
            raise Invalid("No file uploaded")
        importing.check_carried(len(fields["file"]), blobs, account)
        return _Sent(fields["file"], fields.get("mode", b"create").decode(errors="replace").strip())
    media = request.header("content-type").partition(";")[0].strip().lower()
    if media == CSV:
        content = body_bytes(request.event)
        importing.check_carried(len(content), blobs, account)
        return _Sent(content, request.query.get("mode", "create"))
    if not request.event.get("body"):
        raise Invalid("No file uploaded")
    named = request.read(SentRoomvoxImport)
    return _Sent(importing.uploaded(blobs, account, named.upload), named.mode, named.upload)


def _import(request: Request, vox: RoomVox) -> importing.Import:
    anew = request.principal.rooms is None
    return importing.Import(request.caller, wiring.tables(), wiring.settings().short_domain, vox.reaches, anew=anew)


def _table(text: str, name: str) -> Answer:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Answer(content=text.encode(), content_type=f"{CSV}; charset=utf-8", headers=headers)


def _vox(request: Request, scope: Scope) -> RoomVox:
    """Raises Forbidden when the token is of a lower scope."""
    vox = RoomVox(request.caller, wiring.clock)
    vox.needs(scope)
    return vox


def _of_room(request: Request, scope: Scope) -> tuple[RoomVox, Room]:
    """Raises Forbidden, NotFound."""
    vox = _vox(request, scope)
    return vox, vox.room(request.parameters["slug"])


def _range(request: Request) -> tuple[str | None, str | None]:
    return request.query.get("from"), request.query.get("to")


def _number(request: Request, name: str, default: int) -> int:
    """Raises Invalid."""
    text = request.query.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Invalid(f"{name} must be a number, not {text[:40]!r}")
    return int(text)


def _page[T](request: Request, found: list[T], shown: Any) -> Answer:
    """Those that `offset` and `limit` name, of all; the header says how many there are."""
    offset, limit = _number(request, "offset", 0), _number(request, "limit", MAX_LISTED)
    page = found[offset : offset + min(limit, MAX_LISTED)]
    return Answer(document=shown(page), headers={"x-result-count": str(len(found))})
