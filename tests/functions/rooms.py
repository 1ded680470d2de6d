"""Rooms of a world, and what belongs to them, made through the API."""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from tests.functions.world import HOUR, World

# By the parameter of a path: where such a thing is made, and what is sent.
OF_ROOMS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "structureId": ("/rooms/structures", {"name": "x", "level": "city"}),
    "equipmentId": ("/rooms/equipment", {"name": "x"}),
    "personId": ("/rooms/people", {"name": "x"}),
    "deviceId": ("/rooms/devices", {"uuid": "", "room": ""}),
    "hubId": ("/rooms/hubs", {"name": "x"}),
    "clientId": ("/rooms/credentials/joan", {"name": "x"}),
    "tokenId": ("/rooms/credentials/roomvox", {"name": "x", "scope": "read"}),
    "groupId": ("/rooms/credentials/evoko", {"name": ""}),
    "roomId": ("/rooms", {"name": "x"}),
    "bookingId": ("", {}),
    "memberId": ("", {}),
}
PERSON = {"name": "Ann", "email": "ann@museum.example"}
_numbers = count(1)


def room(world: World, name: str = "Harbour Room", **more: Any) -> Any:
    query = {"project": more.pop("project", None) or world.project}
    return world.operator.made("/rooms", {"name": name, **more}, **query)


def booking(world: World, room_id: str, start: int = 1, hours: int = 1, **more: Any) -> Any:
    """`start` is in hours from now."""
    at = world.clock() + start * HOUR
    return world.operator.made(f"/rooms/{room_id}/bookings", {"start": at, "end": at + hours * HOUR, **more})


def made_for_rooms(world: World, project: str, name: str, template: str) -> str:
    """Something that stands for a parameter of a path. What is in another is made by those below."""
    path, sent = OF_ROOMS[name]
    if not path:
        return "later"
    waits = template.endswith(("/approve", "/decline"))
    query = {"project": project} if name == "roomId" else {}
    more = {"approval": waits} if name == "roomId" else {}
    made: str = world.operator.made(path, _filled(world, project, {**sent, **more}), **query)["id"]
    return made


def booked(world: World, room_id: str) -> str:
    """A booking that runs."""
    made: str = booking(world, room_id, -1, 3)["id"]
    return made


def member(world: World, hub: str) -> str:
    made: str = world.operator.made(f"/rooms/hubs/{hub}/members", {**PERSON, "privilege": "read"})["id"]
    return made


def bodies_of_rooms(world: World, project: str) -> dict[str, Callable[[], Any]]:
    """What is sent to make each of them."""
    made = {f"POST {path}": (lambda sent=sent: _filled(world, project, sent)) for path, sent in OF_ROOMS.values()}
    return {
        **made,
        "POST /rooms/hubs/{hubId}/members": lambda: {**PERSON, "privilege": "read"},
        "POST /rooms/{roomId}/bookings": lambda: {"start": world.clock(), "end": world.clock() + HOUR},
    }


def _filled(world: World, project: str, sent: dict[str, Any]) -> dict[str, Any]:
    """With what has to be another one each time."""
    fresh: dict[str, Callable[[], str]] = {
        "uuid": lambda: f"device-{next(_numbers)}",
        "name": lambda: f"Group {next(_numbers)}",
        "room": lambda: str(room(world, "x", project=project)["id"]),
    }
    return {name: fresh[name]() if value == "" else value for name, value in sent.items()}
