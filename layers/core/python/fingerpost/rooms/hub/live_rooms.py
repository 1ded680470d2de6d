"""Live rooms: who comes, leads, invites, shares and goes. Presence alone; nothing of it reserves a room.

A hub has one live room of each type, and one for each of its meetings, which has the meeting's id. Who comes first
presents, everybody else listens; when the presenter goes, who has been there longest leads on.
"""

from collections.abc import Iterable
from contextlib import suppress

from ...errors import Conflict, FingerpostError, Forbidden, NotFound, TooLarge
from ...ids import new_id
from ...keys import hash_of
from ...log import warning
from ...resources import Document, Resources
from ..errors import NotAllowed, Unknown
from ..kinds import HUB_MEETING
from .calls import Call
from .presence import MAX_ATTENDEES, Attendee, Gathering, LiveRoom
from .sessions import NUMBERS
from .signals import signal
from .sockets import Departures
from .unified import shown as media_shown
from .words import WEAK, UserError

SCREEN = "screen"
PRIVATE = "private"
TRIES = 5


def get(call: Call) -> Document:
    """The live room of a type, or of an id; a new one when there is none."""
    room_type, socket = call.asked.name("room_type"), call.asked.name("socket_id")
    call.asked.name("device_id")
    room = call.asked.text("id", most=200) or call.session.meeting or _of_type(call.hub, room_type)
    return room_document(_enter(call, room, room_type, socket), socket, call)


def join(call: Call) -> Document:
    """Come in, and let the peers and who owns the hub know."""
    room, room_type, socket = (call.asked.name(each) for each in ("id", "room_type", "socket_id"))
    call.asked.name("device_id")
    gathering = _enter(call, room, room_type, socket)
    document = room_document(gathering, socket, call)
    people = attendees(gathering)
    peers = [each.socket for each in gathering.attendees if each.socket != socket]
    owners = [each.id for each in call.presence.sockets_of(call.hub) if each.privilege in ("admin", "owner")]
    told = dict.fromkeys(each for each in (*peers, *owners) if each != socket)
    call.signals.tell(call.hub, told, signal("room.join", {**document, "attendees": people}))
    session = call.session
    details = {"id": call.hub, "name": session.hub_name, "area": session.area, "room": session.room}
    return {**document, "wicket_id": call.hub, "area": session.area, "details": details, "attendees": people}


def leave(call: Call) -> list[Document]:
    """Go. Answers what one had switched on."""
    socket, room = call.asked.name("socket_id"), call.asked.name("room_id")
    call.asked.need("hub_id")
    _check_own(call, socket)
    session = call.session
    own = [each for each in call.presence.gathered(call.hub, room).media if each.uid == session.id]
    _departures(call).left(call.hub, room, socket, session.id)
    return [media_shown(room, each) for each in own]


def invite(call: Call) -> list[Document]:
    """Ask somebody in, over their own connection."""
    room, room_type = call.asked.name("room_id"), call.asked.name("room_type")
    guest = call.asked.object("guest")
    call.asked.need("guest")
    gathering = _there(call, room)
    session, socket = call.session, call.asked.text("socket_id", most=200)
    origin = {
        "socket_id": socket,
        "uid": session.id,
        "username": session.name,
        "room_id": room,
        "hub_id": call.hub,
        "room_type": room_type,
        "role": "listener",
        "presenter_id": _presenter_of(gathering),
    }
    message = {"type": "linkup", "service": "signaling.message", "origin": origin, "target": guest}
    call.signals.tell(call.hub, _sockets_of(call, guest), message)
    return [guest, message]


def request_access(call: Call) -> Document:
    """Whether and as what one may take part. A presenter's request starts the meeting for the others."""
    socket, room = call.asked.name("socket_id"), call.asked.name("room_id")
    call.asked.need("hub_id")
    if call.known is None or not call.known.hub or not call.known.enters(room):
        raise UserError(WEAK, "You may not enter this room")
    try:
        gathering = _enter(call, room, call.asked.text("room_type", "meeting", 200), socket)
    except Forbidden as error:
        raise UserError(WEAK, str(error)) from error
    session, peers = call.known, [each for each in gathering.attendees if each.socket != socket]
    leads = gathering.room is not None and gathering.room.presenter == socket
    me = gathering.at(socket)
    user = {
        "avatar_id": session.id,
        "deviceId": me.device if me else "",
        "role": "presenter" if leads else "listener",
        "room_id": room,
        "ssid": socket,
        "uid": session.id,
        "uname": session.name,
        "username": session.name,
    }
    if leads and gathering.room is not None:
        gathering = gathering._replace(room=call.presence.started(gathering.room))
        _check_in(call, room)
        told = signal("meeting.start", {"room_id": room, "hub_id": call.hub, "user": user})
        call.signals.tell(call.hub, [each.socket for each in peers], told)
    people = [_attendee_document(gathering, each) for each in peers]
    presenter = gathering.presenter
    return {
        "presenter": _attendee_document(gathering, presenter) if presenter else None,
        "peers": people,
        "presenter_id": _presenter_of(gathering),
        "room_id": room,
        "user": user,
        "ssid": socket,
        "status": 2,
        "peer": people[0] if people else None,
    }


def get_screen(call: Call) -> Document:
    """A room in which one shares a screen with everybody who is in another. Not in private hubs."""
    parent, parent_type, socket = (call.asked.name(each) for each in ("parent_id", "parent_type", "socket_id"))
    device = call.asked.name("device_id")
    if call.session.area == PRIVATE:
        raise UserError("PRIVATE_HUB", "Screens are not shared in a private hub")
    above = _there(call, parent)
    if above.at(socket) is None:
        raise UserError(WEAK, "Who shares a screen has to be in the room")
    now, screen = call.clock(), new_id(call.clock())
    begun = call.presence.begin(_new_room(call, screen, SCREEN, socket, parent))
    for each in above.attendees:
        call.presence.enter(call.hub, screen, each._replace(joined_at=now))
    gathering = call.presence.gathered(call.hub, screen)._replace(room=begun)
    message = {
        "type": SCREEN,
        "service": "signaling.message",
        "origin": {"socket_id": socket, "uid": call.session.id, "device_id": device, "role": "presenter"},
        "target": {"room_id": screen, "parent_id": parent, "parent_type": parent_type, "role": "listener"},
    }
    call.signals.tell(call.hub, [each.socket for each in above.attendees if each.socket != socket], message)
    return room_document(gathering, socket, call)


def shutdown(call: Call) -> Document:
    """End a live room for everybody."""
    end(call, call.asked.name("room_id"))
    return {}


def end(call: Call, room: str) -> None:
    gathering = call.presence.gathered(call.hub, room)
    call.presence.end(call.hub, room)
    told = signal("room.shutdown", {"room_id": room, "hub_id": call.hub})
    call.signals.tell(call.hub, [each.socket for each in gathering.attendees], told)


def users(call: Call) -> list[Document]:
    """Everybody who is in a live room, or in any of the hub's when none is named."""
    wanted = [call.asked.name("room_id")] if call.asked.has("room_id") else call.presence.rooms(call.hub)
    reached = [room for room in wanted if call.session.enters(room)]
    return [person for room in reached for person in attendees(call.presence.gathered(call.hub, room))]


def request_screen_access(call: Call) -> Document:
    """Ask who shares a screen to let one see or steer it."""
    wanted = [call.asked.name("room_id")] if call.asked.has("room_id") else call.presence.rooms(call.hub)
    for room in wanted:
        gathering = call.presence.gathered(call.hub, room)
        presenter = gathering.presenter
        if presenter is None or (gathering.room and not _may_see(call, gathering.room)):
            continue
        if call.asked.has("room_id") or (gathering.room and gathering.room.type == SCREEN):
            asks = {"room_id": room, "uid": call.session.id, "username": call.session.name}
            asks["socket_id"] = call.asked.text("socket_id", most=200)
            call.signals.tell(call.hub, [presenter.socket], signal("room.request_screen_access", asks))
            return {"room_id": room, "presenter_id": presenter.uid}
    return {}


def attendees(gathering: Gathering) -> list[Document]:
    return [_attendee_document(gathering, each) for each in gathering.attendees]


def room_document(gathering: Gathering, socket: str, call: Call) -> Document:
    """A live room as the one at `socket` has it."""
    room = gathering.room
    assert room is not None
    session = call.session
    document: Document = {
        "id": room.id,
        "room_id": room.id,
        "user_id": session.id,
        "username": session.name,
        "socket_id": socket,
        "device_id": call.asked.text("device_id", most=200),
        "presenter_id": _presenter_of(gathering),
        "ctime": room.created_at // 1000,
        "hub_id": call.hub,
        "role": "presenter" if room.presenter == socket else "listener",
        "permission": NUMBERS[session.privilege] if session.privilege else 0,
        "type": room.type,
        "status": room.status,
    }
    return {**document, "parent_id": room.parent} if room.parent else document


def _enter(call: Call, room: str, room_type: str, socket: str) -> Gathering:
    """Raises Forbidden, TooLarge, NotFound."""
    session = call.session
    if not session.hub or not (session.enters(room) or _is_screen_of(call, room)):
        raise Forbidden("You may not enter this room")
    known = _check_own(call, socket)
    before = call.presence.gathered(call.hub, room)
    if len(before.attendees) >= MAX_ATTENDEES and before.at(socket) is None:
        raise TooLarge(f"A live room has at most {MAX_ATTENDEES} attendees")
    came = before.at(socket)
    here = Attendee(
        socket=socket,
        uid=session.id,
        name=session.name,
        device=call.asked.text("device_id", came.device if came else "", 200),
        privilege=session.privilege or "",
        address=call.asked.text("endpointAddress", came.address if came else "", 200),
        route=call.asked.text("endpointRoute", came.route if came else "", 200),
        joined_at=came.joined_at if came else call.clock(),
        known=known,
    )
    call.presence.enter(call.hub, room, here)  # before the room is open: who finds it open finds who has opened it
    for _ in range(TRIES):
        call.presence.begin(_new_room(call, room, room_type, socket))
        gathering = call.presence.gathered(call.hub, room)
        if gathering.room is None or not gathering.attendees:
            continue  # the last one has just closed it
        if gathering.presenter is None:
            gathering = gathering._replace(room=call.presence.led_by(gathering.room, gathering.attendees[0].socket))
        return gathering
    raise Conflict("This room is just closing; come again")


def _new_room(call: Call, room: str, room_type: str, socket: str, parent: str = "") -> LiveRoom:
    return LiveRoom(
        account=call.session.account,
        hub=call.hub,
        id=room,
        type=room_type,
        presenter=socket,
        status="waiting",
        created_at=call.clock(),
        parent=parent,
    )


def _of_type(hub: str, room_type: str) -> str:
    """The id of a hub's live room of a type: always the same, so that two who come at once find each other."""
    return hash_of(f"{hub}/{room_type}")[:24]


def _is_screen_of(call: Call, room: str) -> bool:
    found = call.presence.gathered(call.hub, room).room
    return found is not None and _may_see(call, found)


def _may_see(call: Call, room: LiveRoom) -> bool:
    return call.session.enters(room.id) or bool(room.parent and call.session.enters(room.parent))


def _check_own(call: Call, socket: str) -> bool:
    """Whether a socket is a connection of ours. Raises Forbidden for one that is somebody else's."""
    found = call.presence.sockets([socket]).get(socket)
    if found is not None and (found.hub, found.uid) != (call.hub, call.session.id):
        raise Forbidden("This socket is somebody else's")
    return found is not None


def _there(call: Call, room: str) -> Gathering:
    """A live room that is open, and open to the caller. Raises NotFound."""
    gathering = call.presence.gathered(call.hub, room)
    if gathering.room is None or not _may_see(call, gathering.room):
        raise NotFound(f"There is no live room {room[:80]}")
    return gathering


def _sockets_of(call: Call, guest: Document) -> Iterable[str]:
    """The connection that a guest names, else all of theirs."""
    if socket := str(guest.get("socket_id") or ""):
        return [socket]
    uid = str(guest.get("uid") or "")
    return [each.id for each in call.presence.sockets_of(call.hub) if each.uid == uid]


def _departures(call: Call) -> Departures:
    return Departures(call.presence, call.connections)


def _check_in(call: Call, room: str) -> None:
    """A meeting that begins in its live room is checked in to in its real one, if it is time for that."""
    meeting = Resources(call.caller.tables, HUB_MEETING).read_many([room]).get(room)
    if call.session.is_guest or meeting is None or meeting.document["hub"] != call.hub:
        return
    with suppress(Unknown):
        booking = call.bookings.by_external("hub", room)
        try:
            if booking.rrule is None:
                call.bookings.check_in(booking.id, by=call.by)
        except (NotAllowed, Conflict):
            return  # it is too early, or over; the live room is open all the same
        except FingerpostError as error:
            warning("a meeting has begun and is not checked in", booking=booking.id, error=str(error))


def _presenter_of(gathering: Gathering) -> str:
    return gathering.presenter.uid if gathering.presenter else ""


def _attendee_document(gathering: Gathering, attendee: Attendee) -> Document:
    leads = gathering.room is not None and gathering.room.presenter == attendee.socket
    return {
        "uid": attendee.uid,
        "user_id": attendee.uid,
        "username": attendee.name,
        "socket_id": attendee.socket,
        "device_id": attendee.device,
        "role": "presenter" if leads else "listener",
        "endpointAddress": attendee.address,
        "endpointRoute": attendee.route,
    }
