"""Panels and Joan on the same rooms, over the wire: one slot has one booking, and each sees what the other does."""

import contextlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.ddp.panels import Joan, Panel, slot
from tests.running import Server, running

EACH = 10


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("both")) as each:
        yield each


def test_what_joan_books_extends_and_cancels_a_panel_sees(server: Server):
    panel, joan = Panel(server), Joan(server)
    with contextlib.closing(panel):
        panel.subscribe("allBookings", "ALL")
        status, event = joan.book(*slot(40), title="Planning")
        assert status == 201
        added = panel.until("added")
        assert added["collection"] == "bookings" and added["fields"]["booking"]["subject"] == "Planning"
        assert added["fields"]["source"] == "joan" and event["id"]
        deleted = panel.call("deleteEvent", {"bookingId": added["id"]})
        assert deleted["result"]["message"] == "MeetingSuccessDelete"
        assert joan.book(*slot(40))[0] == 201


def test_without_a_common_version_the_connection_is_closed_after_its_answer(server: Server):
    with connect(f"ws://localhost:{server.api_port}/websocket") as socket:
        socket.send('{"msg": "connect", "version": "9", "support": ["9"]}')
        assert json.loads(socket.recv(timeout=60)) == {"msg": "failed", "version": "1"}
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=60)


def test_of_many_at_once_through_both_one_has_the_slot(server: Server):
    start, end = slot(50)
    panels = [Panel(server) for _ in range(EACH)]
    joans = [Joan(server) for _ in range(EACH)]
    room = panels[0].demo["rooms"]["second"]

    def by_panel(panel: Panel) -> bool:
        answer = panel.call("createBooking", {"roomId": room["evokoId"], "startDate": start, "endDate": end})
        assert "result" in answer or answer["error"]["reason"] == "MeetingSuccessExists", answer
        return "result" in answer

    def by_joan(number: int) -> bool:
        status, answer = joans[number].book(start, end, f"Meeting {number}", room="second")
        assert status in (201, 409), answer
        return status == 201

    with ThreadPoolExecutor(2 * EACH) as pool:
        asked = [*(pool.submit(by_panel, each) for each in panels), *(pool.submit(by_joan, n) for n in range(EACH))]
        won = [each.result() for each in asked]
    assert won.count(True) == 1
    for panel in panels:
        panel.close()
    bookings = server.ask(f"/rooms/{room['id']}/bookings?from={start[:10]}T00:00:00Z&to={start[:10]}T23:59:59Z")
    assert len(bookings) == 1


def test_a_connection_comes_back_to_a_server_that_was_killed(server: Server, tmp_path: Path):
    panel = Panel(server)
    token = panel.call(
        "login", {"user": {"username": panel.demo["ddp"]["username"]}, "password": panel.demo["ddp"]["password"]}
    )
    server.kill()
    server.start()
    again = Panel(server)
    resumed = again.call("login", {"resume": token["result"]["token"]})
    assert resumed["result"]["type"] == "resume"
    again.subscribe("allRooms", "ALL")
    again.close()
