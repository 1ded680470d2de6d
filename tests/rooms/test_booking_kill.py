"""`kill -9` while rooms are booked, moved and cancelled: what was answered is there, and nothing is half there."""

import os
import subprocess
import sys
from pathlib import Path

from fingerpost.clock import now_ms
from fingerpost.local.table import local_tables
from tests.rooms.agreeing import assert_consistent
from tests.rooms.booker import ACCOUNT, ROOMS
from tests.rooms.conftest import House, Rooms
from tests.stores import SettableClock

ROOT = Path(__file__).resolve().parents[2]
ROUNDS, ANSWERS = 6, 60


def answers_until_killed(folder: Path, round_: int) -> list[list[str]]:
    command = [sys.executable, "-m", "tests.rooms.booker", str(folder), str(round_)]
    path = os.pathsep.join([str(ROOT), str(ROOT / "layers/core/python")])
    environment = {**os.environ, "PYTHONPATH": path}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(ANSWERS)]
    process.kill()
    lines += process.stdout.read().splitlines(keepends=True)  # what it said before it died
    process.wait()
    return [line.split() for line in lines if line.endswith("\n")]


def test_what_was_answered_before_a_kill_is_there_after_it_and_nothing_is_half_there(tmp_path):
    answered: list[list[str]] = []
    for round_ in range(ROUNDS):
        answered += answers_until_killed(tmp_path, round_)
        clock = SettableClock(now_ms())
        house = House(local_tables(tmp_path, clock=clock).of(ACCOUNT), clock, Rooms({room.id: room for room in ROOMS}))
        assert_consistent(house, ROOMS)
    assert len(answered) >= ROUNDS * ANSWERS
    cancelled = {words[1] for words in answered if words[0] == "cancelled"}
    for words in answered:
        booking = house.bookings.get(words[1])
        assert (booking.state == "cancelled") or words[1] not in cancelled
        if words[0] == "moved":
            assert booking.version >= int(words[4])
            if booking.version == int(words[4]):
                assert (booking.room, booking.start) == (words[2], int(words[3]))
