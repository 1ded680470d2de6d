"""The ROOM service of the running server: two peers that signal, many who want one slot through two APIs."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.running import running

AT_ONCE = 40


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("hub")) as each:
        yield each


@pytest.fixture(scope="module")
def demo(server) -> Any:
    return json.loads((server.home / ".fingerpost" / "demo.json").read_text())


@pytest.fixture
def ask(server, demo):
    """POST to a service as the administrator or the reader; what it answers."""

    def asked(who: str, service: str, **sent: Any) -> Any:
        headers = demo["roomService"][f"{who}Headers"]
        answer = httpx.post(f"{server.api}/-/svc/room.{service}", json=sent, headers=headers, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    return asked


@contextmanager
def opened(server, headers):
    with connect(f"ws://localhost:{server.api_port}/ws", additional_headers=headers) as socket:
        socket.send(json.dumps({"service": "socket.info"}))
        yield socket, json.loads(socket.recv(10))["data"]["socket_id"]


def test_two_peers_meet_and_signal_and_one_goes(server, demo, ask):
    service = demo["roomService"]
    with opened(server, service["adminHeaders"]) as (clare, clares):
        with opened(server, service["readHeaders"]) as (ben, bens):
            sent = {"device_id": "d", "room_type": "meeting"}
            room = ask("admin", "get", socket_id=clares, **sent)["id"]
            joined = ask("read", "join", id=room, socket_id=bens, **sent)
            assert [each["role"] for each in joined["attendees"]] == ["presenter", "listener"]
            assert json.loads(clare.recv(10))["service"] == "room.join"
            ask("admin", "requestAccess", socket_id=clares, room_id=room, hub_id=service["hubId"])
            assert json.loads(ben.recv(10))["service"] == "meeting.start"
            offer = {"service": "signaling.message", "room_id": room, "payload": {"sdp": "v=0"}}
            clare.send(json.dumps({**offer, "target": {"socket_id": bens}}))
            assert json.loads(clare.recv(10))["data"] == {"told": 1}
            told = json.loads(ben.recv(10))
            assert (told["payload"], told["origin"]["socket_id"]) == ({"sdp": "v=0"}, clares)
            ben.send(json.dumps({**offer, "payload": {"sdp": "answer"}}))
            assert json.loads(ben.recv(10))["data"] == {"told": 1}
            assert json.loads(clare.recv(10))["payload"] == {"sdp": "answer"}
        told = json.loads(clare.recv(10))
        assert (told["service"], told["data"]["socket_id"]) == ("room.leave", bens)
        assert [each["socket_id"] for each in ask("admin", "users", room_id=room)] == [clares]
    with pytest.raises(InvalidStatus), opened(server, {"x-param-keysel": "regsid", "x-param-regsid": "x" * 40}):
        pass


def test_a_booking_of_another_api_reaches_a_connection_of_the_hub(server, demo):
    with opened(server, demo["roomService"]["readHeaders"]) as (socket, _):
        start = 1_900_000_800_000
        server.ask(f"/rooms/{demo['rooms']['main']['id']}/bookings", {"start": start, "end": start + 1_800_000})
        while (told := json.loads(socket.recv(20)))["data"]["event"] != "_RoomBooked":
            assert told["data"]["event"] == "_RoomSetUp"  # the demo is just being made
        assert (told["service"], told["data"]["start"], "title" in told["data"]) == ("room.changed", start, False)


def test_the_documents_services_one_after_the_other_as_its_clients_send_them(server, demo, ask):
    service = demo["roomService"]
    with httpx.Client(base_url=server.api, timeout=20) as client:
        node = ask("admin", "book", title="Review", date="2030-03-18T09:00", message="Figures")
        named = {"nid": node["id"], "hub_id": service["hubId"]}
        ask("admin", "update", flag="member", attendees=[{"email": "guest@example.com", "name": "Guest"}], **named)
        client.cookies.set("regsid", service["adminHeaders"]["x-param-regsid"])
        answer = client.get(f"/-/svc/room.get_meeting_members?{quote(json.dumps(named))}").json()
        client.cookies.clear()
        assert answer["__ack__"] == "room.get_meeting_members"
        assert [each["email"] for each in answer["data"]] == ["guest@example.com"]
        link = ask("admin", "public_link", password="turf cutters", days=1, **named)["link"]
        page = client.get(link, headers={"accept": "text/html"})
        assert "This meeting has a password" in page.text
        form = {"password": "turf cutters", "name": "Visitor"}
        let_in = client.post(link, data=form, headers={"accept": "text/html"})
        assert "You are let in as Visitor" in let_in.text
        sent = {"socket_id": "s", "room_id": node["id"], "hub_id": service["hubId"]}
        access = client.post("/-/api/room.requestAccess", json=sent).json()["data"]  # by the cookie of the page
        assert (access["user"]["username"], access["status"]) == ("Visitor", 2)
        state = client.post("/-/api/room.unified_room", json={"flag": "add", "id": node["id"]}).json()["data"]
        assert [each["username"] for each in state] == ["Visitor"]
        assert ask("admin", "shutdown", room_id=node["id"]) == {}
        assert ask("admin", "remove", nid=node["id"]) == {"nid": node["id"]}
        assert client.get(link).status_code == 404
        weak = httpx.post(f"{server.api}/-/svc/room.requestAccess", json=sent)
        assert (weak.status_code, weak.json()["error"]) == (400, "WEAK_PRIVILEGE OOOP")


def test_of_forty_who_want_one_slot_through_two_apis_one_has_it(server, demo):
    service, room = demo["roomService"], demo["rooms"]["main"]["id"]
    start = 1_910_001_600
    barrier = Barrier(AT_ONCE)

    def book(turn: int) -> str:
        with httpx.Client(base_url=server.api, timeout=60) as client:
            barrier.wait()
            if turn % 2:
                sent = {"title": f"Talk {turn}", "stime": start, "etime": start + 3_600}
                answer = client.post("/-/svc/room.book", json=sent, headers=service["adminHeaders"])
                said = answer.json()
                return "booked" if answer.status_code == 200 else f"hub {said['error_code']} {said['error']}"
            body = {"start": start * 1_000, "end": (start + 3_600) * 1_000, "title": f"Talk {turn}"}
            headers = {"authorization": server.key}
            answer = client.post(f"/rooms/{room}/bookings", json=body, headers=headers)
            return "booked" if answer.status_code == 201 else f"api {answer.status_code} {answer.json()['code']}"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = Counter(pool.map(book, range(AT_ONCE)))
    assert outcomes.pop("booked") == 1
    assert set(outcomes) <= {"hub 409 ROOM_NOT_AVAILABLE", "api 409 taken"}
    assert outcomes.total() == AT_ONCE - 1
    query = f"from={start * 1_000}&to={(start + 3_600) * 1_000}"
    [there] = server.ask(f"/rooms/{room}/bookings?{query}")
    nodes = httpx.post(
        f"{server.api}/-/svc/room.list",
        json={"stime": start, "etime": start + 3_600},
        headers=service["readHeaders"],
    ).json()["data"]
    assert [each["booking"]["id"] for each in nodes] == [there["id"]][: len(nodes)]
    assert len(nodes) == (there["source"] == "hub")
