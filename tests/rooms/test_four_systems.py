"""Four room systems on one slot of one room at once: one winner, and each refuses and reads in its own words."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Timer

import pytest

from tests.rooms.systems import Evoko, Hub, Interval, Joan, Operators, Outcome, RoomVox, System, hour_ahead
from tests.running import Server

SYSTEMS: list[type[System]] = [Joan, RoomVox, Evoko, Hub]
OF_ALL: list[type[System]] = [Joan, RoomVox, Evoko, Operators]  # they show what anybody has booked
EACH = 10
HOUR = 3_600_000


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def race(server: Server, slot: Interval, *, kill_after: float | None = None) -> list[tuple[str, Outcome, object]]:
    """Forty clients at once; perhaps everything is killed in the middle."""
    clients = [system(server) for system in SYSTEMS]
    barrier = Barrier(len(clients) * EACH + 1)

    def book(number: int) -> tuple[str, Outcome, object]:
        client = clients[number % len(clients)]
        barrier.wait()
        return type(client).__name__, *client.book(*slot, f"Talk {number} at {time.time_ns()}")

    with ThreadPoolExecutor(len(clients) * EACH) as pool:
        racing = [pool.submit(book, number) for number in range(len(clients) * EACH)]
        barrier.wait()
        if kill_after is not None:
            timer = Timer(kill_after, server.kill)
            timer.start()
            timer.join()
        return [each.result() for each in racing]


def read_everywhere(server: Server, start: int, end: int) -> dict[str, list[Interval]]:
    return {system.__name__: sorted(system(server).booked(start, end)) for system in OF_ALL}


def events(server: Server, count: int) -> list[str]:
    """The bookings that the room's `_RoomBooked` actions tell of, once the feed has caught up."""
    room = json.loads((server.home / ".fingerpost" / "demo.json").read_text())["rooms"]["main"]["id"]
    for _ in range(200):
        found = server.ask(f"/thngs/{room}/actions/_RoomBooked?perPage=100")
        if len(found) >= count:
            break
        time.sleep(0.1)
    return [each["customFields"]["booking"] for each in found]


def test_of_forty_clients_of_four_systems_one_gets_the_slot(server):
    start = hour_ahead(24)
    slot = (start, start + HOUR)
    outcomes = race(server, slot)
    assert Counter(outcome for _, outcome, _ in outcomes) == {"booked": 1, "taken": len(outcomes) - 1}, outcomes
    refusals = {name: answer for name, outcome, answer in outcomes if outcome == "taken"}
    assert "detail" in refusals["Joan"]
    assert (refusals["Hub"]["error"], refusals["Hub"]["error_code"]) == ("ROOM_NOT_AVAILABLE", 409)
    assert refusals["RoomVox"] == {"error": "Room is already booked during this time"}

    assert read_everywhere(server, *slot) == {system.__name__: [slot] for system in OF_ALL}
    (winner,) = (name for name, outcome, _ in outcomes if outcome == "booked")
    assert Hub(server).booked(*slot) == ([slot] if winner == "Hub" else [])
    assert len(events(server, 1)) == 1


def test_a_kill_among_forty_clients_of_four_systems_leaves_one_booking(server):
    booked: list[Interval] = []
    for round_, kill_after in enumerate((0.05, 0.2, 0.5)):
        start = hour_ahead(48 + round_)
        slot = (start, start + HOUR)
        first = race(server, slot, kill_after=kill_after)
        server.start()
        again = race(server, slot)
        won = [name for name, outcome, _ in first + again if outcome == "booked"]
        assert len(won) <= 1, (first, again)
        assert "silence" not in {outcome for _, outcome, _ in again}, again
        booked.append(slot)
    everything = (booked[0][0], booked[-1][1])
    assert read_everywhere(server, *everything) == {system.__name__: booked for system in OF_ALL}
    assert set(Hub(server).booked(*everything)) <= set(booked)
    told = events(server, len(booked))
    assert len(told) == len(set(told)) == len(booked)


def test_a_booking_through_joan_is_seen_on_a_panel_and_in_the_feed(server):
    start = hour_ahead(24)
    panel_of, joan, vox = Evoko(server), Joan(server), RoomVox(server)
    with panel_of.opened() as panel:
        panel_of.log_in(panel)
        panel_of.subscribe(panel)
        assert joan.book(start, start + HOUR, "Seen everywhere")[0] == "booked"
        while (message := json.loads(panel.recv(20))).get("msg") != "added":
            pass
        assert message["fields"]["booking"]["subject"] == "Seen everywhere"
    assert vox.booked(start, start + HOUR) == [(start, start + HOUR)]
