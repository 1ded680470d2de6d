"""What happens to rooms is an action on the room's thng, and everybody who listens hears of it."""

from collections.abc import Callable
from typing import Any

import pytest

from fingerpost import keys as table_keys
from fingerpost import wiring
from fingerpost.ports.table import Tables
from fingerpost.reactor import chain
from fingerpost.rooms import faults, keys, setup, telling
from fingerpost.rooms.bookings import Bookings
from fingerpost.rooms.documents import NewRoom
from fingerpost.rooms.model import MINUTE_MS, By, Room, Told
from fingerpost.rooms.rooms import Rooms
from tests.functions.hubs import SERVICES, hub_of
from tests.functions.joan import dublin_room, joan_client
from tests.functions.roomvox import BOOKINGS, vox, walk_in
from tests.functions.world import DOMAIN, HOUR, Client, World, handler_of
from tests.rooms.conftest import Rooms as Known
from tests.rooms.conftest import stand
from tests.stores import caller_of

DONE: dict[str, Any] = {"batchItemFailures": []}
JOAN = By(source="joan", client="c1", cause="request-1")


def room_of(world: World, **more: Any) -> Room:
    thng = world.thng(name="Glass Room")["id"]
    room = Room(id=thng, account=world.account, name="Glass Room", slug="glass", zone="Europe/Dublin", **more)
    stand(world.tables.of(world.account), room)
    return room


def bookings_of(world: World, *rooms: Room) -> Bookings:
    return Bookings(world.tables.of(world.account), wiring.clock, Known({room.id: room for room in rooms}))


@pytest.fixture
def heard(monkeypatch) -> list[Told]:
    told: list[Told] = []

    def listener(each: Told, own: Tables) -> None:
        assert own.account == each.account
        told.append(each)

    monkeypatch.setattr(telling, "LISTENERS", (listener,))
    return told


def test_every_change_of_a_booking_is_one_action_on_the_room_s_thng(world: World, operator: Client):
    project = world.project
    room = room_of(world, projects=(project,))
    at, bookings = world.clock(), bookings_of(world, room)
    made = bookings.book(room, at, at + HOUR, by=JOAN, title="Stand-up")
    world.clock.now += 1
    bookings.check_in(made.id, by=By(source="door"))
    world.clock.now += 1
    bookings.finish(made.id, by=By(source="evoko", user="U7"))
    world.settle()
    found = operator.read(f"/thngs/{room.id}/actions/all")
    assert [each["type"] for each in found] == ["_RoomFinished", "_RoomCheckedIn", "_RoomBooked"]
    fields = found[-1]["customFields"]
    assert fields["booking"] == made.id and fields["room"] == "Glass Room" and fields["source"] == "joan"
    assert (fields["start"], fields["end"], fields["title"]) == (at, at + HOUR, "Stand-up")
    assert found[0]["customFields"]["by"] == "evoko:U7"
    (booked,) = operator.read("/actions/_RoomBooked")
    assert booked["thng"] == room.id
    assert [each["id"] for each in world.trusted.read("/actions/_RoomBooked")] == [booked["id"]]


def test_nobody_else_records_what_happens_to_rooms(world: World, operator: Client):
    thng = world.thng()["id"]
    assert "platform itself" in operator.post("/actions/_RoomBooked", {"thng": thng}).error
    assert operator.post("/actions/_RoomBooked", {"thng": thng}).status == 400
    assert operator.post("/actions", {"name": "_RoomReleased"}).status == 409


def test_declarative_rules_act_on_what_happens_to_rooms(world: World, operator: Client):
    rules = f"/projects/{world.project}/applications/{world.application_id}/reactor"
    booked = {
        "name": "booked",
        "when": "actionCreated",
        "filter": "action.type=_RoomBooked&action.customFields.source=joan",
    }
    step = {"putOnQueue": {"queue": "desk", "body": {"who": "{action.customFields.title}", "where": "{thng.name}"}}}
    assert operator.put(f"{rules}/rules", {"rules": [{**booked, "then": [step]}]}).status == 200
    room = room_of(world, projects=(world.project,))
    at = world.clock()
    for source in ("joan", "door"):
        bookings_of(world, room).book(room, at, at + 1_000, by=By(source=source), title="Talk")
        at += HOUR
    world.settle()
    (message,) = world.queues["reactor"].receive()
    assert handler_of("scripts")({"Records": [{"messageId": "1", "body": message.body}]}, None) == DONE
    (queued,) = operator.read(f"{rules}/queues/desk/messages")
    assert queued["body"] == {"who": "Talk", "where": "Glass Room"}


@pytest.mark.parametrize("system", ["joan", "roomvox", "hub", "api"])
def test_a_booking_that_a_script_makes_carries_the_runs_that_led_to_it(world: World, operator: Client, system):
    room = dublin_room(world, slug="glass-room")
    led = {chain.HEADER: chain.sign(world.account, ["app:onActionCreated"])}
    times = {"start": "2026-03-16T09:00:00Z", "end": "2026-03-16T10:00:00Z"}
    match system:
        case "joan":
            answer = joan_client(world).post("events/book/", {"source": room["id"], **times}, headers=led)
        case "roomvox":
            answer = vox(world).post(BOOKINGS, walk_in(**times), headers=led)
        case "hub":
            admin = hub_of(world, room).admin
            sent = {"title": "Talk", "date": times["start"]}
            answer = world.nobody.post(f"{SERVICES}book", sent, headers={**admin.headers, **led})
        case _:
            at = world.clock()
            answer = operator.post(f"/rooms/{room['id']}/bookings", {"start": at, "end": at + HOUR}, headers=led)
    assert answer.status in (200, 201), answer
    world.settle()
    (booked,) = operator.read("/actions/_RoomBooked")
    row = world.tables.of(world.account).main.get(table_keys.action(booked["id"]))
    assert row is not None and row["chain"] == ["app:onActionCreated"]


def test_whoever_listens_hears_of_a_change_by_the_feed(world: World, heard: list[Told]):
    room, other = room_of(world), room_of(world)
    world.settle()
    heard.clear()
    at, bookings = world.clock(), bookings_of(world, room, other)
    made = bookings.book(room, at, at + HOUR, by=JOAN)
    world.settle()
    assert heard == [Told(world.account, room.id, made.id, "_RoomBooked")]
    bookings.change(made.id, by=JOAN, room=other)
    world.settle()
    assert sorted(each.room for each in heard[1:]) == sorted([room.id, other.id])
    assert {each.event for each in heard[1:]} == {"_RoomChanged"}


def test_of_a_series_the_occurrence_is_told_of(world: World, heard: list[Told]):
    room = room_of(world)
    world.settle()
    heard.clear()
    at, bookings = world.clock(), bookings_of(world, room)
    series = bookings.book(room, at, at + HOUR, by=JOAN, rrule="FREQ=DAILY;COUNT=3")
    bookings.cancel(series.id, recurrence_id=at + 24 * HOUR, by=JOAN)
    world.settle()
    assert [(each.booking, each.event) for each in heard] == [
        (series.id, "_RoomBooked"),
        (f"{series.id}_20260316T120000Z", "_RoomCancelled"),
    ]


def test_a_listener_that_fails_keeps_nobody_from_hearing_and_the_task_comes_again(world: World, monkeypatch):
    told: list[str] = []

    def listener(name: str, *, fails: bool = False) -> Callable[[Told, Tables], None]:
        def hear(_told: Told, _own: Tables) -> None:
            told.append(name)
            if fails:
                raise ValueError(name)

        return hear

    listeners = (listener("first", fails=True), listener("second"))
    monkeypatch.setattr(telling, "LISTENERS", listeners)
    answer = world.story("work/room", ROOM="U1", BOOKING="U2")
    assert told == ["first", "second"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "059f36b4-87a3-44ab-83d2-661975830a7d"}]}
    monkeypatch.setattr(telling, "LISTENERS", listeners[1:])
    assert world.story("work/room", ROOM="U1", BOOKING="U2") == DONE


def set_up(world: World, **more: Any) -> Room:
    sent = NewRoom.model_validate({"name": "Glass Room", "timezone": "Europe/Dublin", **more})
    caller = caller_of(world.tables, world.account, world.clock())
    return Rooms(caller.tables).get(setup.create(caller, world.tables, sent, DOMAIN, None).id)


def test_a_report_of_equipment_is_one_event_when_it_says_something_new(
    world: World, operator: Client, heard: list[Told]
):
    room = set_up(world, equipment={"wifi": True, "lights": True})
    world.settle()
    heard.clear()
    own = world.tables.of(world.account)
    for _ in range(2):
        _, after = faults.report(own, wiring.clock, room.id, {"wifi": False, "lights": True}, by=By(source="door"))
        assert after.facilities["wifi"] is False
    world.settle()
    (event,) = operator.read(f"/thngs/{room.id}/actions/_EquipmentReported")
    assert event["customFields"] == {
        "room": "Glass Room",
        "broken": "wifi",
        "working": "lights",
        "source": "door",
        "by": "door",
    }
    assert heard == [Told(world.account, room.id, "", "_RoomSetUp")]


def test_whoever_booked_is_waited_for_and_released_by_the_work_queue(world: World, operator: Client):
    own, at = world.tables.of(world.account), world.clock()
    room = set_up(world, checkIn={"grace": 10})
    made = Bookings(own, wiring.clock).book(room, at + MINUTE_MS, at + HOUR, by=JOAN)
    world.settle()
    assert own.log.get(keys.arrival(made.start + 10 * MINUTE_MS, made.id)) is not None
    world.clock.now = made.start + 15 * MINUTE_MS
    world.settle()
    world.settle()  # what the sweep has changed goes through the feed in its turn
    assert [each["type"] for each in operator.read("/actions/all")] == ["_RoomReleased", "_RoomBooked"]
    assert world.story("work/sweep") == DONE
