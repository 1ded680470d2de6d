"""Who of the panels hears of what, and how AWS brings their messages."""

import contextlib
import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fingerpost.aws.stream import stream_event
from fingerpost.rooms import setup
from fingerpost.rooms.documents import SentRoom
from fingerpost.rooms.errors import NotAllowed, Taken
from fingerpost.work import perform
from tests.functions.panels import JOAN, House
from tests.functions.world import HOUR, World, handler_of

MINUTE = 60_000


def test_a_booking_that_is_made_changed_and_cancelled_anywhere_reaches_every_subscriber(house: House, world: World):
    room, other = house.room(), house.room("Another")
    everything, here, elsewhere = (house.at_the_door() for _ in range(3))
    everything.subscribe("allBookings", "ALL")
    here.subscribe("allBookings", room.evoko_id)
    elsewhere.subscribe("allBookings", other.evoko_id)
    booking = house.book(room, attendees=())
    world.settle()
    for panel in (everything, here):
        (added,) = panel.hear()
        assert (added["msg"], added["collection"], added["id"]) == ("added", "bookings", booking.id)
        fields = added["fields"]
        assert (fields["roomId"], fields["booking"]["subject"]) == (room.evoko_id, "Stand-up")
        assert fields["booking"]["startDate"] == "2026-03-15T13:00:00.000Z"
        assert (fields["booking"]["startTime"], fields["booking"]["endTime"]) == ("14:00", "14:30")
        assert fields["booking"]["confirmed"] is False
    assert elsewhere.hear() == []
    house.bookings.change(booking.id, by=JOAN, end=booking.end + 15 * MINUTE)
    world.settle()
    (changed,) = here.hear()
    assert changed["msg"] == "changed" and "roomId" not in changed["fields"]
    assert changed["fields"]["booking"]["endTime"] == "14:45"
    house.bookings.change(booking.id, by=JOAN, room=other)
    world.settle()
    assert [each["msg"] for each in here.hear()] == ["removed"]
    moved = everything.hear()
    assert [each["msg"] for each in moved] == ["changed", "changed"]  # later, and then elsewhere
    assert everything.documents["bookings"][booking.id]["roomId"] == other.evoko_id
    assert [each["msg"] for each in elsewhere.hear()] == ["added"]
    house.bookings.cancel(booking.id, by=JOAN)
    world.settle()
    assert [each["msg"] for each in elsewhere.hear()] == ["removed"]
    everything.hear()
    assert everything.documents["bookings"] == {}


def test_news_that_comes_twice_is_told_once(house: House, world: World):
    room = house.room()
    panel = house.at_the_door()
    panel.subscribe("allBookings", "ALL")
    booking = house.book(room)
    world.settle()
    assert len(panel.hear()) == 1
    for _ in range(2):
        world.story("work/room", ACCOUNT=world.account, ROOM=room.id, BOOKING=booking.id)
    assert panel.hear() == []


def test_every_occurrence_of_a_series_is_a_booking_of_its_own(house: House, world: World):
    room = house.room()
    panel = house.at_the_door()
    panel.subscribe("allBookings", room.evoko_id)
    series = house.book(room, rrule="FREQ=DAILY;COUNT=3")
    world.settle()
    panel.hear()
    assert len(panel.documents["bookings"]) == 3
    house.bookings.cancel(sorted(panel.documents["bookings"])[0], by=JOAN)
    world.settle()
    assert [each["msg"] for each in panel.hear()] == ["removed"]
    house.bookings.cancel(series.id, by=JOAN)
    world.settle()
    panel.hear()
    assert panel.documents["bookings"] == {}


def test_a_room_s_new_name_reaches_its_document_and_those_of_its_bookings(house: House, world: World):
    room = house.room()
    booking = house.book(room)
    panel = house.at_the_door()
    panel.subscribe("allRooms", "ALL")
    panel.subscribe("allBookings", room.evoko_id)
    setup.update(house.caller, room.id, SentRoom(name="Lagom"))
    world.settle()
    panel.hear()
    assert panel.documents["rooms"][room.evoko_id]["name"] == "Lagom"
    assert panel.documents["bookings"][booking.id]["booking"]["location"] == "Lagom"
    setup.delete(house.caller, room.id)
    world.settle()
    panel.hear()
    assert panel.documents["rooms"] == panel.documents["bookings"] == {}


@pytest.mark.parametrize("watched", ["ALL", "room"])
def test_a_new_name_of_custom_equipment_reaches_the_rooms_that_have_it(house: House, world: World, watched: str):
    lectern = world.operator.made("/rooms/equipment", {"name": "Lectern"})["id"]
    room = house.room(customEquipment={lectern: True})
    panel = house.at_the_door()
    panel.subscribe("allRooms", "ALL" if watched == "ALL" else room.evoko_id)
    world.operator.put(f"/rooms/equipment/{lectern}", {"name": "Pulpit"})
    world.settle()
    assert [(each["msg"], each["collection"]) for each in panel.hear()] == [("changed", "rooms")]
    named = [each["name"] for each in panel.documents["rooms"][room.evoko_id]["customEquipment"]]
    assert named == ["Pulpit"]


def test_many_connections_are_told_by_many_tasks(house: House, world: World):
    room = house.room()
    panels = [house.at_the_door() for _ in range(25)]
    for panel in panels:
        panel.subscribe("allBookings", "ALL")
    house.book(room)
    world.settle()
    assert [len(panel.hear()) for panel in panels] == [1] * 25


def test_a_connection_has_limits_and_says_them(house: House, monkeypatch):
    for name in ("One", "Two", "Three"):
        house.room(name)
    panel = house.at_the_door()
    monkeypatch.setattr("fingerpost.rooms.evoko.delivery.MAX_DOCUMENTS", 2)
    (answer,) = panel.say({"msg": "sub", "id": "s", "name": "allRooms", "params": ["ALL"]})
    assert (answer["msg"], answer["error"]["reason"]) == ("nosub", "TooManyDocuments")
    assert answer["error"]["details"] == "A connection has at most 2 rooms; name a room"
    assert panel.unsubscribe("s") == [] and house.rows("panelWatcher") == []
    monkeypatch.setattr("fingerpost.rooms.evoko.server.MAX_SUBSCRIPTIONS", 1)
    panel.subscribe("users")
    (answer,) = panel.say({"msg": "sub", "id": "t", "name": "customEquipment", "params": []})
    assert answer["error"]["details"] == "A connection has at most 1 subscriptions"


def test_the_limit_of_documents_holds_whichever_subscriptions_they_come_by(house: House, monkeypatch):
    one, two, three = (house.room(name) for name in ("One", "Two", "Three"))
    panel = house.at_the_door()
    monkeypatch.setattr("fingerpost.rooms.evoko.delivery.MAX_DOCUMENTS", 2)
    for room in (one, two):
        panel.say({"msg": "sub", "id": room.name, "name": "allRooms", "params": [room.evoko_id]})
    third = {"msg": "sub", "id": "Three", "name": "allRooms", "params": [three.evoko_id]}
    (answer,) = panel.say(third)
    assert (answer["msg"], answer["error"]["reason"]) == ("nosub", "TooManyDocuments")
    assert panel.documents["rooms"].keys() == {one.evoko_id, two.evoko_id}
    panel.say({"msg": "unsub", "id": "One"})
    panel.say(third)
    assert panel.documents["rooms"].keys() == {two.evoko_id, three.evoko_id}


def test_what_fails_unexpectedly_is_an_error_and_the_connection_goes_on(house: House, monkeypatch):
    panel = house.at_the_door()
    monkeypatch.setattr("fingerpost.rooms.evoko.matching.wanted_of", lambda _params: 1 / 0)
    dates = {"startDate": "2026-03-15T14:00:00Z", "endDate": "2026-03-15T15:00:00Z"}
    assert panel.refused("getAvailableRoomsAdvancedNew", dates) == (500, "Internal server error")
    monkeypatch.setattr("fingerpost.rooms.evoko.views.structures", lambda *_: 1 / 0)
    (answer,) = panel.say({"msg": "sub", "id": "s", "name": "structuresFlat", "params": []})
    assert (answer["msg"], answer["error"]["error"]) == ("nosub", 500)
    assert panel.say({"msg": "ping"}) == [{"msg": "pong"}]


def test_many_documents_come_side_by_side_and_ready_comes_after_all_of_them(house: House):
    names = {house.room(f"Room {number}").evoko_id for number in range(12)}
    panel = house.at_the_door()
    assert {each["id"] for each in panel.subscribe("allRooms", "ALL")} == names  # `ready` is the last message
    assert {each["id"] for each in panel.unsubscribe("allRooms")} == names


@pytest.mark.parametrize("seed", range(4))
def test_in_whichever_order_tasks_come_a_panel_ends_with_what_is_so(house: House, world: World, seed: int):
    chance = random.Random(seed)
    rooms = [house.room(name) for name in ("One", "Two", "Three")]
    everything, some = house.at_the_door(), house.at_the_door()
    everything.subscribe("allBookings", "ALL")
    for room in rooms[:2]:
        some.subscribe("allBookings", room.evoko_id, sub=room.id)
    world.settle()
    bookings = [house.book(rooms[number % 3], start=number * HOUR) for number in range(6)]
    for _ in range(15):
        one = chance.choice(bookings)
        with contextlib.suppress(Taken, NotAllowed):
            match chance.randrange(4):
                case 0:
                    house.bookings.change(one.id, by=JOAN, room=chance.choice(rooms))
                case 1:
                    house.bookings.change(one.id, by=JOAN, title=f"Talk {chance.random()}")
                case 2:
                    house.bookings.check_in(one.id, by=JOAN)
                case _:
                    house.bookings.cancel(one.id, by=JOAN)
    tasks = tasks_of(world)
    chance.shuffle(tasks)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda task: perform(task, world.tables, world.queues["work"], world.clock()), tasks))
    world.settle()
    for panel, seen in ((everything, rooms), (some, rooms[:2])):
        panel.hear()
        fresh = house.at_the_door()
        for room in seen:
            fresh.subscribe("allBookings", room.evoko_id, sub=room.id)
        assert panel.documents["bookings"] == fresh.documents["bookings"]


def tasks_of(world: World) -> list[dict[str, Any]]:
    """What the feed has put on the work queue, taken off it."""
    changes = world.feed.read("dispatch")
    while changes:
        assert handler_of("dispatch")(stream_event(changes), None) == {"batchItemFailures": []}
        world.feed.commit("dispatch", changes[-1].sequence)
        changes = world.feed.read("dispatch")
    tasks = []
    while messages := world.queues["work"].receive():
        for each in messages:
            world.queues["work"].delete(each.receipt)
            tasks.append(json.loads(each.body))
    return tasks


# As AWS calls it


def test_messages_come_from_their_queue_in_order(house: House, world: World):
    assert world.story("evoko/connect") == {"statusCode": 200}
    assert world.story("evoko/messages") == {"batchItemFailures": []}
    told = house.wires.told["Tq3x1cJpjoECJZA="]
    assert [each["msg"] for each in told] == ["connected", "pong", "nosub"]
    assert world.story("evoko/disconnect") == {"statusCode": 200}
    assert house.rows("panel") == []


def test_a_message_that_fails_comes_again_with_those_after_it(house: House, world: World, monkeypatch):
    world.story("evoko/connect")

    def broken(*_: object) -> None:
        raise OSError("the store is away")

    monkeypatch.setattr("fingerpost.rooms.evoko.sessions.Sessions._hold", broken)
    failed = world.story("evoko/messages")["batchItemFailures"]
    assert len(failed) == 3


def test_sockjs_clients_learn_that_there_are_web_sockets(world: World):
    answer = world.answered("evoko/sockjs-info")
    assert answer.status == 200 and answer.document["websocket"] is True and "base_url" not in answer.document
