"""Joan's API: rooms and their events for the clients of that product, on the one booking core."""

from contextlib import suppress
from dataclasses import replace
from itertools import product
from typing import Any

from fingerpost import wiring
from fingerpost.access.model import Principal, Rights
from fingerpost.dialect import Dialect
from fingerpost.edge import Answer, Edge, Request
from fingerpost.errors import FingerpostError, Forbidden, Unauthenticated
from fingerpost.http import Event, accepts, header
from fingerpost.ports.table import Tables
from fingerpost.rooms import credentials
from fingerpost.rooms.bookings import Bookings
from fingerpost.rooms.joan import resources, tokens
from fingerpost.rooms.joan.answers import (
    JoanDevice,
    JoanDevices,
    JoanEvent,
    JoanInvitation,
    JoanRoom,
    JoanRooms,
    JoanSchedule,
    JoanToken,
    JoanUser,
    JoanUsers,
)
from fingerpost.rooms.joan.documents import (
    FORM,
    SentJoanBooking,
    SentJoanChange,
    SentJoanCheckIn,
    SentJoanExtension,
    SentJoanGrant,
    SentJoanInvitation,
    SentJoanMove,
    SentJoanRoom,
    SentJoanSearch,
    SentJoanTermination,
    read,
)
from fingerpost.rooms.joan.invitations import opened
from fingerpost.rooms.joan.page import told
from fingerpost.rooms.joan.service import Found, Joan, answer, field_error
from fingerpost.rooms.joan.shown import (
    client_document,
    device_document,
    event_document,
    invitation_document,
    page,
    room_document,
    user_document,
)
from fingerpost.rooms.joan.words import CHALLENGE, NO_CREDENTIALS, Refusal, choice, refusal
from fingerpost.rooms.model import By, PartStat
from fingerpost.rooms.rooms import Rooms
from fingerpost.timezones import zone_names

V1 = "/api/v1.0"
PAGE = ("limit", "offset")
BEARER = "bearer"
RIGHTS = Rights(reads=None, resources=None)
SCOPES = {"read": "Ask", "write": "Book and change"}


def who(tables: Tables, event: Event, _at: int) -> Principal:
    """Raises Unauthenticated; Forbidden for a token that may read only."""
    scheme, _, token = header(event, "authorization").strip().partition(" ")
    try:
        if scheme.lower() != BEARER or not token.strip():
            raise Unauthenticated(NO_CREDENTIALS)
        client = credentials.joan_bearer(tables, token.strip())
    except Unauthenticated as error:
        raise Unauthenticated(NO_CREDENTIALS, headers=CHALLENGE) from error
    reads = event["requestContext"]["http"]["method"] in ("GET", "HEAD")
    if ("read" if reads else "write") not in client.scope.split():
        raise Forbidden("This token is of another scope")
    return Principal(actor="roomClient", account=client.account, id=client.id, rights=RIGHTS)


def refuse(error: FingerpostError, event: Event) -> tuple[int, Any]:
    return refusal(error, event["requestContext"]["http"]["method"])


edge = Edge(
    "joan",
    Dialect(
        who=who,
        refuse=refuse,
        refusal=Refusal,
        scheme=(
            "joan",
            {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/api/token/", "scopes": SCOPES}}},
        ),
        mounts=("/api/{path+}",),
    ),
)
handler = edge.handler


@edge.route("POST", "/api/token/", body=SentJoanGrant, reads=FORM, answers=JoanToken)
def issue_token(request: Request) -> Answer:
    """A bearer token for ten hours, for a client's id and secret: OAuth 2.0, client credentials."""
    tables, wanted = wiring.tables(), tokens.asked(request.event)
    if isinstance(wanted, tokens.Asked):
        client = _client(tables, wanted)
        if client is not None:
            document = {
                "access_token": credentials.issue_joan_token(tables, client, request.caller.at),
                "token_type": "Bearer",
                "expires_in": credentials.JOAN_SECONDS,
                "scope": client.scope,
            }
            return Answer(document=document, headers=tokens.NO_STORE)
        wanted = tokens.unknown_client()
    return Answer(status=wanted.status, document=wanted.document, headers=wanted.headers)


def _client(tables: Tables, wanted: tokens.Asked) -> credentials.JoanClient | None:
    for client_id, secret in product(wanted.client_ids, wanted.secrets):
        with suppress(Unauthenticated):
            return replace(credentials.joan_client(tables, client_id, secret), scope=wanted.scope)
    return None


@edge.route("GET", f"{V1}/", verb="read", of="joan", answers=dict[str, str])
def list_addresses(_request: Request) -> Answer:
    """The addresses of the lists."""
    return Answer(document={name: _address(f"{V1}/{name}/") for name in ("me", "users", "rooms", "events", "devices")})


@edge.route("GET", f"{V1}/me/", verb="read", of="joan", answers=JoanUser)
def read_me(request: Request) -> Answer:
    """The client itself, as a user."""
    joan = _joan(request)
    return Answer(document=client_document(request.principal.id, joan.name, joan.company))


@edge.route("GET", f"{V1}/users/", verb="read", of="joan", answers=JoanUsers, query=PAGE)
def list_colleagues(request: Request) -> Answer:
    """Everybody who uses rooms."""
    joan = _joan(request)
    company = joan.company
    return _page(request, joan.people(), lambda person: user_document(person, company))


@edge.route("GET", f"{V1}/rooms/", verb="read", of="joan", answers=JoanRooms, query=PAGE)
def list_resources(request: Request) -> Answer:
    """Every room."""
    joan = _joan(request)
    house = joan.house
    return _page(request, joan.rooms.all(), lambda room: room_document(room, house))


@edge.route("POST", f"{V1}/rooms/", verb="create", of="joan", body=SentJoanRoom, answers=JoanRoom, status=201)
def create_resource(request: Request) -> Answer:
    """A room, with a thng, a short link and a code of its own."""
    room = resources.create(request.caller, wiring.tables(), read(SentJoanRoom, request.event))
    return Answer(status=201, document=room_document(room, _joan(request).house))


@edge.route("GET", f"{V1}/rooms/{{room}}/", verb="read", of="joan", answers=JoanRoom)
def read_resource(request: Request) -> Answer:
    joan = _joan(request)
    return Answer(document=room_document(joan.rooms.named(request.parameters["room"]), joan.house))


@edge.route("PUT", f"{V1}/rooms/{{room}}/", verb="update", of="joan", body=SentJoanRoom, answers=JoanRoom)
def replace_resource(request: Request) -> Answer:
    """Fields that are not sent stay as they are."""
    return _changed(request, read(SentJoanRoom, request.event))


@edge.route("PATCH", f"{V1}/rooms/{{room}}/", verb="update", of="joan", body=SentJoanChange, answers=JoanRoom)
def change_resource(request: Request) -> Answer:
    return _changed(request, read(SentJoanChange, request.event))


@edge.route("DELETE", f"{V1}/rooms/{{room}}/", verb="delete", of="joan", status=204, answers=None)
def delete_resource(request: Request) -> Answer:
    """A room no more, once nothing is booked there; its thng and its short link stay."""
    by = By.of(request.caller, "joan")
    resources.delete(request.caller, wiring.clock, request.parameters["room"], by)
    return Answer(status=204)


@edge.route(
    "GET",
    f"{V1}/events/",
    verb="read",
    of="joan",
    answers=list[JoanSchedule],
    query=("start", "end", "timezone"),
)
def list_events(request: Request) -> Answer:
    """Every room that can be booked, with its events; of today and the six days after it when no time is given."""
    joan, zone = _joan(request), request.query.get("timezone")
    if zone and zone not in zone_names():
        raise field_error("timezone", choice(zone))
    schedule = joan.schedule(request.query.get("start"), request.query.get("end"), zone)
    house = joan.house
    return Answer(
        document=[
            {"room": room_document(room, house), "events": [event_document(each, room) for each in events]}
            for room, events in schedule
        ]
    )


@edge.route("GET", f"{V1}/devices/", verb="read", of="joan", answers=JoanDevices, query=PAGE)
def list_panels(request: Request) -> Answer:
    """The displays at the doors."""
    joan = _joan(request)
    house = joan.house
    return _page(request, joan.devices(), lambda found: device_document(found[0], found[1], house))


@edge.route("GET", f"{V1}/devices/{{uuid}}/", verb="read", of="joan", answers=JoanDevice)
def read_panel(request: Request) -> Answer:
    joan = _joan(request)
    device, room = joan.device(request.parameters["uuid"])
    return Answer(document=device_document(device, room, joan.house))


@edge.route("POST", f"{V1}/events/book/", verb="create", of="joan", body=SentJoanBooking, answers=JoanEvent, status=201)
def book_event(request: Request) -> Answer:
    """Book a room by its address, number or key, or by the device at its door.

    The same request again within a minute answers the event that the first has made. With `auto_confirm` nobody has
    to check in.
    """
    found = _joan(request).book(read(SentJoanBooking, request.event), request.header("idempotency-key") or None)
    return _event(found, status=201)


@edge.route("POST", f"{V1}/events/cancel/", verb="update", of="joan", body=SentJoanTermination, answers=JoanEvent)
def end_event(request: Request) -> Answer:
    """With `finish` a running event ends now; without it the event is cancelled."""
    return _event(_joan(request).terminate(read(SentJoanTermination, request.event)))


@edge.route("POST", f"{V1}/events/checkin/", verb="update", of="joan", body=SentJoanCheckIn, answers=JoanEvent)
def check_in_event(request: Request) -> Answer:
    return _event(_joan(request).check_in(read(SentJoanCheckIn, request.event)))


@edge.route("POST", f"{V1}/events/extend/", verb="update", of="joan", body=SentJoanExtension, answers=JoanEvent)
def extend_event(request: Request) -> Answer:
    return _event(_joan(request).extend(read(SentJoanExtension, request.event)))


@edge.route("POST", f"{V1}/events/move/", verb="update", of="joan", body=SentJoanMove, answers=JoanEvent)
def move_event(request: Request) -> Answer:
    """To another room, at the same time."""
    return _event(_joan(request).move(read(SentJoanMove, request.event)))


@edge.route("POST", f"{V1}/get_room/", verb="read", of="joan", body=SentJoanSearch, answers=JoanRooms, query=PAGE)
def find_room(request: Request) -> Answer:
    """The rooms that are free and can be booked, from now and for half an hour when nothing else is said."""
    joan = _joan(request)
    house = joan.house
    return _page(request, joan.search(read(SentJoanSearch, request.event)), lambda room: room_document(room, house))


@edge.route("POST", f"{V1}/events/invite/", verb="update", of="joan", body=SentJoanInvitation, answers=JoanInvitation)
def invite_colleague(request: Request) -> Answer:
    """Add somebody to an event. No mail is sent: the answer has the two links by which they say yes or no."""
    found = _joan(request).invite(read(SentJoanInvitation, request.event), wiring.root_secrets())
    return Answer(document=invitation_document(*found, _address(f"{V1}/events/")))


@edge.route("GET", f"{V1}/events/invite/{{invitation}}/", answers=(JoanInvitation, "text/html"))
def confirm_invitation(request: Request) -> Answer:
    """Who was invited says yes. The link is signed; no token is needed."""
    return _answered(request, "accepted")


@edge.route("GET", f"{V1}/events/reject/{{invitation}}/", answers=(JoanInvitation, "text/html"))
def reject_invitation(request: Request) -> Answer:
    """Who was invited says no."""
    return _answered(request, "declined")


def _answered(request: Request, said: PartStat) -> Answer:
    link = request.parameters["invitation"]
    invitation = opened(wiring.root_secrets(), link)
    tables = wiring.tables().of(invitation.account)
    by = By.of(request.caller, "joan", "invitation")
    only_looks = request.method == "HEAD"
    booking, guest = answer(Bookings(tables, wiring.clock), invitation, None if only_looks else said, by)
    room = Rooms(tables).get(booking.room)
    document = invitation_document(booking, room, guest, link, _address(f"{V1}/events/"))
    if not accepts(request.event, "text/html"):
        return Answer(document=document)
    return Answer(content=told(document).encode(), content_type="text/html; charset=utf-8")


def _joan(request: Request) -> Joan:
    return Joan(request.caller, wiring.clock)


def _changed(request: Request, sent: SentJoanChange) -> Answer:
    room = resources.change(request.caller, request.parameters["room"], sent)
    return Answer(document=room_document(room, _joan(request).house))


def _event(found: Found, status: int = 200) -> Answer:
    return Answer(status=status, document=event_document(*found))


def _page(request: Request, found: list[Any], show: Any) -> Answer:
    return Answer(document=page(found, _address(request.path), request.query, show))


def _address(path: str) -> str:
    return wiring.settings().api_url + path
