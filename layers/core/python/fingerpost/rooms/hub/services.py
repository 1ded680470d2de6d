"""The services of the ROOM document by name: who may ask, with what, what comes back. Edge only.

Source: the document's own list of sixteen, and two that its clients use besides. Levels are the document's, by name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ... import wiring
from ..hubs import Privilege
from . import answers, live_rooms, meetings
from .calls import Call
from .links import public_link
from .unified import SWITCHES, unified_room

ALWAYS = ("hub_id", "socket_id", "device_id")  # what the product's own client adds to every call


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """`privilege` is None of one that anybody may ask. `needs` and `takes` name its parameters."""

    name: str
    run: Callable[[Call], Any]
    answers: Any
    privilege: Privilege | None
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    guests: bool = True  # whether it is for guests too, as far as their privilege goes

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.needs, *self.takes, *ALWAYS)))


def _public_link(call: Call) -> Any:
    """A link that lets anybody in to a meeting, and the address of its QR code."""
    return public_link(call, wiring.settings().api_url)


def _hello(_call: Call) -> Any:
    """Say how one is called, before there is any key: the answer's cookie is the session."""
    return {}


WHEN = ("date", "stime", "etime", "duration", "recur")
SERVICES = (
    Service(
        name="book",
        run=meetings.book,
        answers=answers.HubSaidNode,
        privilege="admin",
        takes=("title", "message", "attendees", *WHEN),
    ),
    Service(
        name="get_meeting_members",
        run=meetings.get_meeting_members,
        answers=answers.HubSaidMembers,
        privilege="admin",
        needs=("nid",),
    ),
    Service(
        name="get_screen",
        run=live_rooms.get_screen,
        answers=answers.HubSaidRoom,
        privilege="read",
        needs=("parent_id", "parent_type", "socket_id", "device_id"),
    ),
    Service(
        name="get",
        run=live_rooms.get,
        answers=answers.HubSaidRoom,
        privilege="read",
        needs=("device_id", "socket_id", "room_type"),
        takes=("id",),
    ),
    Service(name="hello", run=_hello, answers=answers.HubSaidNothing, privilege=None, needs=("name",)),
    Service(
        name="invite",
        run=live_rooms.invite,
        answers=answers.HubSaidInvited,
        privilege="write",
        needs=("room_id", "guest", "room_type"),
    ),
    Service(
        name="join",
        run=live_rooms.join,
        answers=answers.HubSaidJoined,
        privilege="read",
        needs=("id", "socket_id", "device_id", "room_type"),
        takes=("endpointAddress", "endpointRoute"),
    ),
    Service(
        name="leave",
        run=live_rooms.leave,
        answers=answers.HubSaidMedia,
        privilege="read",
        needs=("socket_id", "room_id", "hub_id"),
    ),
    Service(
        name="public_link",
        run=_public_link,
        answers=answers.HubSaidLink,
        privilege="admin",
        needs=("nid",),
        takes=("password", "days", "hours", "permission"),
    ),
    Service(
        name="shutdown",
        run=live_rooms.shutdown,
        answers=answers.HubSaidNothing,
        privilege="admin",
        needs=("room_id",),
    ),
    Service(name="remove", run=meetings.remove, answers=answers.HubSaidRemoved, privilege="admin", needs=("nid",)),
    Service(
        name="request_screen_access",
        run=live_rooms.request_screen_access,
        answers=answers.HubSaidScreen,
        privilege="read",
        takes=("room_id",),
    ),
    Service(name="users", run=live_rooms.users, answers=answers.HubSaidPeople, privilege="read", takes=("room_id",)),
    Service(
        name="requestAccess",
        run=live_rooms.request_access,
        answers=answers.HubSaidAccess,
        privilege=None,
        needs=("socket_id", "room_id", "hub_id"),
        takes=("room_type",),
    ),
    Service(
        name="unified_room",
        run=unified_room,
        answers=answers.HubSaidMedia,
        privilege=None,
        needs=("flag", "id"),
        takes=("uid", *SWITCHES, "metadata"),
    ),
    Service(
        name="update",
        run=meetings.update,
        answers=answers.HubSaidSchedule,
        privilege="admin",
        needs=("flag", "nid"),
        takes=("title", "message", "attendees", *WHEN),
    ),
    Service(
        name="list",
        run=meetings.list_meetings,
        answers=answers.HubSaidNodes,
        privilege="read",
        takes=("stime", "etime"),
        guests=False,
    ),
    Service(
        name="check_availability",
        run=meetings.check_availability,
        answers=answers.HubSaidStandings,
        privilege="read",
        needs=("stime", "etime"),
        takes=("attendees", "nid"),
        guests=False,
    ),
)
BY_NAME = {f"room.{each.name}": each for each in SERVICES}
