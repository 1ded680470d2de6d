"""What setting up rooms leaves: for the fixtures of the shapes of rows."""

from copy import replace
from typing import Any

from fingerpost.access.secrets import RootSecrets
from fingerpost.caller import Caller
from fingerpost.ports.table import Tables
from fingerpost.resources import Resources
from fingerpost.rooms import credentials, hubs, logins, people, plain, setup, structures
from fingerpost.rooms import devices as panels
from fingerpost.rooms.documents import NewRoom
from fingerpost.rooms.doors import displays, tickets
from fingerpost.rooms.evoko.merging import Document, sent_of
from fingerpost.rooms.evoko.sessions import Sessions, Subscription
from fingerpost.rooms.hub.presence import Attendee, LiveRoom, Media, Presence, Socket
from fingerpost.rooms.hub.sessions import session_of
from fingerpost.rooms.kinds import EQUIPMENT, HUB_MEETING


def rooms_are_set_up(tables: Tables, caller: Caller, project: str, roots: RootSecrets, domain: str) -> None:
    """A room with everything that it can have, somebody and something of every sort."""
    country = structures.create(replace(caller, at=caller.at + 1), {"name": "Ireland", "level": "country"}).id
    floor = structures.create(caller, {"name": "Ground", "level": "floor", "parent": country}).id
    plain.create(caller, EQUIPMENT, {"name": "Lectern"})
    sent: dict[str, Any] = {
        "name": "Harbour Room",
        "description": "by the water",
        "slug": "harbour",
        "email": "harbour@museum.example",
        "capacity": 8,
        "timezone": "Europe/Dublin",
        "structure": floor,
        "type": "meeting",
        "number": "1.04",
        "address": {"building": "Pier", "street": "Pier 1", "postalCode": "D01", "city": "Dublin"},
        "equipment": {"wifi": True, "projector": False},
        "rules": {"opens": "08:00", "closes": "20:00", "days": ["mon"], "horizonDays": 30, "bufferMinutes": 5},
        "approval": True,
        "managers": ["keeper@museum.example"],
        "checkIn": {"opensBefore": 10, "grace": 10},
        "auth": {"bookMeetingSettings": True},
    }
    room = setup.create(caller, tables, NewRoom.model_validate(sent), domain, project).id
    panels.create(caller, {"uuid": "00000000-0000", "room": room, "model": "joan-6", "battery": 80, "wifi": -60})
    person = {"name": "Ann", "email": "ann@museum.example", "username": "ann", "password": "turf cutters"}
    people.create(caller, roots, {**person, "pin": "0123", "rfid": "04:a2", "admin": True})
    hub = hubs.create(caller, {"name": "Harbour", "area": "share", "room": room}).id
    _, key = hubs.add_member(caller, roots, hub, name="Ann", email="ann@museum.example", privilege="admin")
    _a_hub_meets(tables, caller, roots, key)
    client, secret = credentials.create_joan_client(caller, roots, "Lobby")
    credentials.issue_joan_token(
        tables, credentials.joan_client(tables, client.document["clientId"], secret), caller.at
    )
    _, token = credentials.create_roomvox_token(
        caller, roots, "Display", "book", rooms=[room], expires_at=caller.at + 60_000
    )
    credentials.roomvox_token(tables, token, caller.at)
    group, _ = logins.create_group(caller, roots, "panels")
    logins.register_user(caller, group)
    _a_panel_is_connected(tables, caller)
    ticket = tickets.issued(roots, tickets.Holder("display", caller.principal.account, room), caller.at, "nonce-of-it")
    displays.connect(tables, roots, lambda: caller.at, "Uq3x1cJpjoECJZA=", f"{room}.{ticket}")


def _a_hub_meets(tables: Tables, caller: Caller, roots: RootSecrets, key: str) -> None:
    presence, session = Presence(tables, lambda: caller.at), session_of(tables, roots, key, caller.at)
    named = {"hub": session.hub, "createdAt": caller.at, "updatedAt": caller.at, "createdBy": session.id}
    said = {"title": "Stand-up", "message": "News", "date": "now", "start": caller.at, "end": caller.at + 60_000}
    people = [{"id": session.id, "email": "ann@museum.example", "name": "Ann"}]
    document = {**named, **said, "recur": {"freq": "weekly"}, "attendees": people, "_links": ["roomKey#11"]}
    meeting = Resources(caller.tables, HUB_MEETING).create(caller.new_id(caller.at), document).id
    socket = Socket("Uq3x1cJpjoECJZA=", session.account, session.hub, session.id, "Ann", "admin", session.key)
    presence.open(socket)
    room = LiveRoom(session.account, session.hub, meeting, "meeting", socket.id, "waiting", caller.at)
    presence.begin(room)
    here = Attendee(socket.id, session.id, "Ann", "phone", "admin", "10.0.0.1", "eu", caller.at, known=True)
    presence.enter(session.hub, meeting, here)
    media = Media(session.id, "Ann", True, False, False, False, {"hand": "up"}, session.id)
    presence.set_media(session.hub, meeting, media)


def _a_panel_is_connected(tables: Tables, caller: Caller) -> None:
    sessions = Sessions(tables, lambda: caller.at)
    sessions.begin("Tq3x1cJpjoECJZA=")
    account = caller.principal.account
    with sessions.held("Tq3x1cJpjoECJZA=") as session:
        session.open, session.token = True, "roomKey#5e5e"
        session.user = logins.EvokoUser(account=account, id="U1", kind="default", username="u", name="u", group="U1")
        session.subscriptions["s1"] = Subscription("allRooms", "ALL", "*")
        sessions.watch(session, ["*"])
        sessions.keep(session, "rooms", {3: {"23456789ABCDEFGHJ": sent_of(Document("U2", {"name": "Harbour Room"}))}})
