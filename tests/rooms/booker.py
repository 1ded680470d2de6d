"""Books rooms without end, and says so after each answer. `python -m tests.rooms.booker <folder> <round>`."""

import random
import sys
from pathlib import Path
from threading import Lock, Thread

from fingerpost.clock import now_ms
from fingerpost.errors import FingerpostError
from fingerpost.local.table import local_tables
from fingerpost.rooms.bookings import Bookings
from fingerpost.rooms.model import By, Room
from tests.rooms.conftest import MINUTE, Rooms, stand

ACCOUNT, FROM = "A1", 1_773_576_000_000
ROOMS = [
    Room(id=f"room{number}", account=ACCOUNT, name="Glass Room", slug=f"room-{number}", zone="Europe/Dublin")
    for number in range(2)
]


_turn = Lock()


def say(*words: object) -> None:
    """A line at once, whole: threads take turns."""
    with _turn:
        print(*words, flush=True)


def run(folder: str, name: str) -> None:
    tables = local_tables(Path(folder)).of(ACCOUNT)
    for room in ROOMS:
        stand(tables, room)
    bookings = Bookings(tables, now_ms, Rooms({room.id: room for room in ROOMS}))
    chance, by, mine = random.Random(name), By(source="api", client=name), list[str]()
    while True:
        room, start = chance.choice(ROOMS), FROM + chance.randrange(2_000) * 15 * MINUTE
        try:
            match chance.random():
                case luck if luck < 0.6 or not mine:
                    made = bookings.book(room, start, start + 30 * MINUTE, by=by, key=f"{name}{chance.random()}")
                    mine.append(made.id)
                    say("booked", made.id)
                case luck if luck < 0.8:
                    moved = bookings.change(chance.choice(mine), by=by, room=room, start=start, end=start + 30 * MINUTE)
                    say("moved", moved.id, moved.room, moved.start, moved.version)
                case _:
                    gone = mine.pop(chance.randrange(len(mine)))
                    bookings.cancel(gone, by=by)
                    say("cancelled", gone)
        except FingerpostError:
            continue


if __name__ == "__main__":
    for turn in range(3):
        Thread(target=run, args=(sys.argv[1], f"{sys.argv[2]}-{turn}-")).start()
