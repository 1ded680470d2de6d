"""A world with a room and tokens of RoomVox's API."""

from typing import Any

from tests.functions.rooms import room
from tests.functions.world import Client, World

V1 = "/apps/roomvox/api/v1"
ROOM = f"{V1}/rooms/glass-room"
BOOKINGS = f"{ROOM}/bookings"


def glass_room(world: World, **more: Any) -> Any:
    """A room in Berlin, known as glass-room."""
    return room(world, "Glass Room", **{"slug": "glass-room", "timezone": "Europe/Berlin", **more})


def token(world: World, scope: str = "book", **more: Any) -> str:
    made = world.operator.made("/rooms/credentials/roomvox", {"name": f"A {scope} token", "scope": scope, **more})
    return str(made["token"])


def vox(world: World, scope: str = "book", **more: Any) -> Client:
    return Client(world, f"Bearer {token(world, scope, **more)}")


def walk_in(start: str = "2026-03-16T11:00:00+01:00", end: str = "2026-03-16T11:30:00+01:00", **more: Any) -> Any:
    return {"summary": "Quick sync", "start": start, "end": end, "organizerEmail": "walkin@example.com", **more}
