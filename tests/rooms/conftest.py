"""Rooms that can be booked: the core alone, on a local store with a clock that stands still."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from fingerpost.errors import NotFound
from fingerpost.ids import new_id
from fingerpost.ports.table import Item, Tables
from fingerpost.resources import Resources
from fingerpost.rooms.bookings import Bookings
from fingerpost.rooms.kinds import ROOM
from fingerpost.rooms.model import Booking, By, Room
from tests.stores import SettableClock, fresh_tables, new_account

HOUR, MINUTE = 3_600_000, 60_000
ME = By(source="api")


@dataclass(slots=True)
class Rooms:
    """Finds what was put in."""

    rooms: dict[str, Room] = field(default_factory=dict)

    def get(self, room_id: str) -> Room:
        if room_id not in self.rooms:
            raise NotFound(f"There is no room {room_id}")
        return self.rooms[room_id]


def stand(tables: Tables, room: Room) -> None:
    """Write the document of a room that was set up, as far as a booking asks for it: that it is there."""
    document = {"name": room.name, "slug": room.slug, "createdAt": 0, "updatedAt": 0}
    Resources(tables, ROOM).create(room.id, document)


@dataclass(slots=True)
class House:
    """One account's rooms and what is booked in them."""

    tables: Tables
    clock: SettableClock
    rooms: Rooms = field(default_factory=Rooms)

    @property
    def bookings(self) -> Bookings:
        return Bookings(self.tables, self.clock, self.rooms)

    @property
    def now(self) -> int:
        return self.clock.now

    def room(self, **more: Any) -> Room:
        room_id = new_id(self.clock.now)
        fields = {"name": "Glass Room", "slug": "glass-room", "zone": "Europe/Dublin", "account": "A", **more}
        room = Room(id=room_id, **fields)
        self.rooms.rooms[room_id] = room
        stand(self.tables, room)
        return room

    def book(self, room: Room, start: int, minutes: int = 30, **more: Any) -> Booking:
        """`start` is in minutes from now."""
        begin = self.now + start * MINUTE
        return self.bookings.book(room, begin, begin + minutes * MINUTE, **{"by": ME, "title": "Talk", **more})

    def rows(self, kind: str) -> list[Item]:
        return [row.item for row in self.tables.main.walk() if row.item["k"] == kind]

    def events(self) -> list[str]:
        """By name: those of one moment have no order."""
        return sorted(item["type"] for item in self.rows("action"))


@pytest.fixture(scope="module")
def store() -> Iterator[tuple[Tables, SettableClock]]:
    clock = SettableClock()
    with fresh_tables(clock) as tables:
        yield tables, clock


@pytest.fixture
def house(store: tuple[Tables, SettableClock]) -> House:
    tables, clock = store
    clock.now = SettableClock().now
    return House(tables.of(new_account()), clock)
