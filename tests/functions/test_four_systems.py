"""Four room systems on one slot of one room at once, on the DynamoDB engine: one has it, whoever dies in the middle."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from fingerpost import wiring
from fingerpost.aws.table import DynamoTable
from fingerpost.ports.table import Tables
from tests.functions.hubs import hub_of
from tests.functions.joan import joan_client
from tests.functions.panels import House, Wires
from tests.functions.rooms import room
from tests.functions.roomvox import vox
from tests.functions.world import HOUR, World
from tests.ports.conftest import Engine, engine, folder  # noqa: F401
from tests.stores import Crash, hooked

EACH = 10
ROOMVOX = "/apps/roomvox/api/v1/rooms/harbour-room/bookings"

type Client = Callable[[int, str], Any]  # from a start on and with a title: None when it has the slot, else the refusal


@pytest.fixture
def dynamo(world: World, engine: Engine) -> World:  # noqa: F811
    """The world on other tables, where nothing is yet."""
    engine.clear()
    world.tables = Tables(*(DynamoTable(name, engine.transport, clock=world.clock) for name in ("main", "log")))
    world.begin()
    return world


class Dying(threading.local):
    """How many calls of the store are left to a thread."""

    left: int | None = None

    def around(self, name: str, method: Callable[..., Any], args: Any) -> Any:
        if self.left is None:
            return method(*args)
        if self.left == 0:
            raise Crash
        self.left -= 1
        return method(*args)


class Systems:
    """The room as four systems know it; each refuses in its own words."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch):
        wires = Wires()
        monkeypatch.setattr(wiring, "panels", lambda: wires)
        self.world = world
        self.room = room(world, "Harbour Room", slug="harbour-room", timezone="Europe/Dublin")
        self.house = House(world, wires)
        self.joan, self.vox, self.hub = joan_client(world), vox(world), hub_of(world, self.room)

    def clients(self) -> Iterator[tuple[str, Client]]:
        for _ in range(EACH):
            yield "joan", self._joan
            yield "roomvox", self._roomvox
            yield "evoko", self._evoko()
            yield "hub", self._hub

    def seen(self, start: int) -> dict[str, list[int]]:
        """The starts of what each shows in the hour from `start` on; a hub lists its own meetings alone."""
        span = {"start": _text(start), "end": _text(start + HOUR)}
        joan = [event for each in self.joan.read("events/", **span) for event in each["events"]]
        vox = self.vox.read(ROOMVOX, **{"from": span["start"], "to": span["end"]})
        panel = self.house.at_the_door()
        panel.subscribe("allBookings", self.room["evokoId"])
        evoko = [each["booking"]["startDate"] for each in panel.documents["bookings"].values()]
        own = self.world.operator.read(f"/rooms/{self.room['id']}/bookings", **{"from": start, "to": start + HOUR})
        return {
            "joan": [_moment(each["start"]) for each in joan],
            "roomvox": [_moment(each["start"]) for each in vox],
            "evoko": [each for each in map(_moment, evoko) if start <= each < start + HOUR],
            "operator": [each["start"] for each in own],
        }

    def _joan(self, start: int, title: str) -> Any:
        sent = {"source": self.room["email"], "start": _text(start), "end": _text(start + HOUR), "title": title}
        answer = self.joan.post("events/book/", sent)
        return _refusal(answer.status == 201, answer.status, answer.document)

    def _roomvox(self, start: int, title: str) -> Any:
        span = {"start": _text(start), "end": _text(start + HOUR)}
        answer = self.vox.post(ROOMVOX, {"summary": title, **span, "organizerEmail": "walkin@museum.example"})
        return _refusal(answer.status == 201, answer.status, answer.document)

    def _hub(self, start: int, title: str) -> Any:
        answer = self.hub.admin.ask("book", title=title, stime=start // 1000, etime=(start + HOUR) // 1000)
        return _refusal(answer.status == 200, answer.status, answer.document)

    def _evoko(self) -> Client:
        panel = self.house.at_the_door()  # a connection of its own

        def book(start: int, title: str) -> Any:
            sent = {"roomId": self.room["evokoId"], "subject": title}
            answers = panel.call("createBooking", sent | {"startDate": _text(start), "endDate": _text(start + HOUR)})
            (answer,) = (each for each in answers if each["msg"] == "result")
            return _refusal("result" in answer, 400, answer.get("error"))

        return book


@pytest.fixture
def systems(dynamo: World, monkeypatch: pytest.MonkeyPatch) -> Systems:
    return Systems(dynamo, monkeypatch)


def race(systems: Systems, start: int, before: Callable[[int], None] = lambda _: None) -> list[tuple[str, Any]]:
    """What each client of each system came to: "booked", "died", or its refusal."""
    clients = list(systems.clients())
    barrier = threading.Barrier(len(clients))

    def book(number: int) -> tuple[str, Any]:
        name, client = clients[number]
        barrier.wait()
        before(number)
        try:
            return name, client(start, f"Talk {number} at {start}") or "booked"
        except Crash:
            return name, "died"

    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(book, range(len(clients))))


def ended(outcomes: list[tuple[str, Any]], how: str) -> int:
    return sum(outcome == how for _, outcome in outcomes)


def told(systems: Systems) -> list[Any]:
    return [row for row in systems.world.recorded() if row["type"] == "_RoomBooked"]


def test_of_forty_clients_of_four_systems_one_gets_the_slot(systems: Systems):
    start = systems.world.clock() + 24 * HOUR
    outcomes = race(systems, start)
    assert ended(outcomes, "booked") == 1, outcomes
    for name, refusal in outcomes:
        if refusal != "booked":
            assert_own_words(name, *refusal)
    assert systems.seen(start) == {name: [start] for name in ("joan", "roomvox", "evoko", "operator")}
    assert len(told(systems)) == 1


def test_clients_that_die_at_any_call_of_the_store_leave_one_booking_and_one_event(systems: Systems, monkeypatch):
    dying = Dying()
    tables = hooked(systems.world.tables, dying.around)
    starts = [systems.world.clock() + hours * HOUR for hours in (24, 26, 28)]
    died: set[str] = set()
    for turn, start in enumerate(starts):

        def doomed(number: int, turn: int = turn) -> None:
            dying.left = EACH // 2 * turn + number // 8 if number % 8 < 4 else None  # half of each system's

        with monkeypatch.context() as patch:
            patch.setattr(wiring, "tables", lambda: tables)
            first = race(systems, start, doomed)
        died |= {name for name, outcome in first if outcome == "died"}
        again = race(systems, start)
        assert ended(again, "died") == 0
        assert ended(first + again, "booked") <= 1, (first, again)
        assert systems.seen(start) == {name: [start] for name in ("joan", "roomvox", "evoko", "operator")}
    assert died == {"joan", "roomvox", "evoko", "hub"}
    assert len(told(systems)) == len(starts)


def assert_own_words(name: str, status: int, answer: Any) -> None:
    match name:
        case "joan":
            assert status == 409 and isinstance(answer["detail"], str)
        case "roomvox":
            assert (status, answer) == (409, {"error": "Room is already booked during this time"})
        case "hub":
            assert (status, answer["error"], answer["error_code"]) == (409, "ROOM_NOT_AVAILABLE", 409)
        case _:
            assert (answer["error"], answer["reason"]) == (400, "MeetingSuccessExists")


def _refusal(booked: bool, status: int, answer: Any) -> Any:
    return None if booked else (status, answer)


def _text(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat()


def _moment(text: str | int) -> int:
    return text if isinstance(text, int) else int(datetime.fromisoformat(text).timestamp() * 1000)
