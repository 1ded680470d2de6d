"""Watching over a connection: who may, what is told, and devices that come and go."""

import importlib
import json

import pytest

from fingerpost import wiring
from fingerpost.ports.connections import ConnectionGone
from tests.functions.people import device, person
from tests.functions.world import DAY, HOUR

handler = importlib.import_module("functions.live.app").handler


class Open:
    """What was written to each connection; those in `gone` are closed."""

    def __init__(self):
        self.told, self.gone = {}, set()

    def send(self, connection_id, text):
        if connection_id in self.gone:
            raise ConnectionGone(connection_id)
        self.told.setdefault(connection_id, []).append(json.loads(text.encode()))


class Wire:
    """The connections of a world, as API Gateway has them."""

    def __init__(self, world, opened):
        self.world, self.opened = world, opened

    def event(self, route, connection_id, **more):
        context = {"routeKey": route, "connectionId": connection_id, "requestId": f"request of {connection_id}"}
        return handler({"requestContext": context, **more})["statusCode"]

    def connect(self, connection_id, client, *, by_query=False):
        key = client.key
        said = {"queryStringParameters": {"key": key}} if by_query else {"headers": {"Authorization": key}}
        return self.event("$connect", connection_id, **(said if key else {}))

    def say(self, connection_id, content):
        """What the connection is answered."""
        text = content if isinstance(content, str) else json.dumps(content)
        assert self.event("$default", connection_id, body=text) == 200
        return self.opened.told[connection_id][-1]

    def watch(self, connection_id, path):
        return self.say(connection_id, {"subscribe": path})

    def leave(self, connection_id):
        return self.event("$disconnect", connection_id)

    def told(self, connection_id):
        """What it is told of changes, since it was asked last."""
        self.world.settle()
        told = self.opened.told.get(connection_id, [])
        changes = [each for each in told if "changes" in each]
        told.clear()
        return changes


@pytest.fixture
def wire(world, monkeypatch):
    opened = Open()
    monkeypatch.setattr(wiring, "connections", lambda: opened)
    return Wire(world, opened)


@pytest.fixture
def lamp(world):
    return world.operator.made("/thngs", {"name": "Lamp"}, project=world.project)["id"]


def test_a_key_opens_a_connection_by_its_header_or_by_the_query_of_a_browser(world, wire):
    assert wire.connect("a", world.operator) == 200
    assert wire.connect("b", world.trusted, by_query=True) == 200


def test_a_connection_as_api_gateway_tells_of_it(world, wire):
    thng = world.thng()["id"]
    for story in ("live/connect", "live/subscribe"):
        assert world.story(story, THNG=thng) == {"statusCode": 200}
    ((told,),) = wire.opened.told.values()
    assert told == {"subscribed": f"/thngs/{thng}/properties"}
    assert world.story("live/disconnect") == {"statusCode": 200}
    assert not [row for row in world.rows().values() if row["k"] in ("connection", "watcher")]


def test_without_a_key_that_is_known_there_is_no_connection(world, wire):
    assert wire.connect("a", world.nobody) == 401
    assert wire.event("$connect", "b", headers={"authorization": "x" * 80}) == 403
    assert not [row for row in world.rows().values() if row["k"] == "connection"]


def test_who_watches_a_property_is_told_its_changes_and_no_others(world, wire, lamp):
    wire.connect("a", world.operator)
    path = f"/thngs/{lamp}/properties/brightness"
    assert wire.watch("a", path) == {"subscribed": path}
    world.operator.put(
        f"/thngs/{lamp}/properties", [{"key": "brightness", "value": 7}, {"key": "colour", "value": "red"}]
    )
    (told,) = wire.told("a")
    assert told == {"path": path, "changes": [{"key": "brightness", "value": 7, "timestamp": world.clock.now}]}


def test_a_value_that_stays_as_it_is_is_no_change(world, wire, lamp):
    wire.connect("a", world.operator)
    wire.watch("a", f"/thngs/{lamp}/properties")
    for _ in range(2):
        world.operator.put(f"/thngs/{lamp}/properties/colour", [{"value": "red"}])
        world.clock.now += 1
    assert len(wire.told("a")) == 1


def test_a_late_value_is_no_change(world, wire, lamp):
    world.operator.put(f"/thngs/{lamp}/properties/colour", [{"value": "red"}])
    wire.connect("a", world.operator)
    wire.watch("a", f"/thngs/{lamp}/properties")
    late = [{"value": "blue", "timestamp": world.clock.now - HOUR}]
    world.operator.put(f"/thngs/{lamp}/properties/colour", late)
    assert wire.told("a") == []


def test_locations_and_the_properties_of_products_are_watched_likewise(world, wire, lamp):
    product = world.product()["id"]
    wire.connect("a", world.operator)
    wire.watch("a", f"/thngs/{lamp}/location")
    wire.watch("a", f"/products/{product}/properties")
    world.operator.put(f"/thngs/{lamp}/location", [{"latitude": 1, "longitude": 2}])
    world.operator.put(f"/products/{product}/properties/stock", [{"value": 3}])
    located, stocked = sorted(wire.told("a"), key=lambda each: -len(each["path"]) % 7)
    paths = {each["path"]: each["changes"][0] for each in (located, stocked)}
    assert paths[f"/thngs/{lamp}/location"]["latitude"] == 1
    assert paths[f"/products/{product}/properties"]["value"] == 3


def test_who_unsubscribes_or_leaves_is_told_nothing_more(world, wire, lamp):
    path = f"/thngs/{lamp}/properties"
    for name in ("a", "b"):
        wire.connect(name, world.operator)
        wire.watch(name, path)
    assert wire.say("a", {"unsubscribe": path}) == {"unsubscribed": path}
    wire.leave("b")
    world.operator.put(f"/thngs/{lamp}/properties/colour", [{"value": "red"}])
    assert wire.told("a") == wire.told("b") == []


def test_a_key_watches_only_what_it_may_read(world, wire, lamp):
    alone = world.thng()["id"]  # in no project
    mine, theirs = f"/thngs/{lamp}/properties", f"/thngs/{alone}/properties"
    wire.connect("user", person(world).client)
    assert wire.watch("user", mine) == {"subscribed": mine}
    refused = wire.watch("user", theirs)
    assert (refused["status"], refused["path"]) == (404, theirs)
    wire.connect("app", world.application)
    assert wire.watch("app", mine)["status"] == 403
    wire.connect("device", device(world, lamp))
    assert wire.watch("device", mine) == {"subscribed": mine}
    assert wire.watch("device", theirs)["status"] in (403, 404)
    wire.connect("stranger", world.stranger)
    assert wire.watch("stranger", mine)["status"] == 404


def test_a_revoked_key_is_told_nothing_more(world, wire, lamp):
    wire.connect("device", device(world, lamp))
    wire.watch("device", f"/thngs/{lamp}/properties")
    world.operator.delete(f"/auth/evrythng/thngs/{lamp}")
    world.operator.put(f"/thngs/{lamp}/properties/colour", [{"value": "red"}])
    assert wire.told("device") == []


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[]",
        "3",
        '{"subscribe": 3}',
        '{"sing": true}',
        '{"subscribe": "/nothing"}',
        '{"subscribe": "/actions"}',
        '{"subscribe": "/\\ud800"}',
        '{"subscribe": ' + "[" * 900 + "]" * 900 + "}",
    ],
)
def test_a_message_that_means_nothing_is_answered_with_the_error_document(world, wire, message):
    wire.connect("a", world.operator)
    answer = wire.say("a", message)
    assert (answer["status"], answer["code"]) == (400, "invalid")
    assert answer["errors"]


def test_a_ping_is_answered(world, wire):
    wire.connect("a", world.operator)
    assert wire.say("a", {"ping": 1}) == {"pong": world.clock.now}


def test_a_connection_watches_a_hundred_paths_at_most(world, wire, lamp):
    wire.connect("a", world.operator)
    for number in range(100):
        assert "subscribed" in wire.watch("a", f"/thngs/{lamp}/properties/p{number}")
    assert wire.watch("a", f"/thngs/{lamp}/properties/p100")["code"] == "tooLarge"
    assert "subscribed" in wire.watch("a", f"/thngs/{lamp}/properties/p0")


def test_a_connection_that_is_found_gone_leaves_nothing_behind(world, wire, lamp):
    wire.connect("a", world.operator)
    wire.watch("a", f"/thngs/{lamp}/properties")
    wire.opened.gone.add("a")
    world.operator.put(f"/thngs/{lamp}/properties/colour", [{"value": "red"}])
    world.settle()
    assert not {"connection", "watcher"} & {row["k"] for row in world.rows().values()}


# Devices -----------------------------------------------------------------------------------------------------------


def connected(world, thng):
    return [each["value"] for each in world.operator.read(f"/thngs/{thng}/properties") if each["key"] == "~connected"]


def test_a_device_is_connected_while_it_has_a_connection(world, wire, lamp):
    itself = device(world, lamp)
    assert connected(world, lamp) == []
    wire.connect("a", itself)
    assert connected(world, lamp) == [True]
    world.clock.now += 1
    wire.connect("b", itself)
    wire.leave("a")
    assert connected(world, lamp) == [True]
    world.clock.now += 1
    wire.leave("b")
    assert connected(world, lamp) == [False]
    assert wire.leave("b") == 200  # told twice


def test_who_watches_a_device_sees_it_come_and_go(world, wire, lamp):
    wire.connect("a", world.operator)
    wire.watch("a", f"/thngs/{lamp}/properties/~connected")
    wire.connect("device", device(world, lamp))
    world.clock.now += 1
    wire.leave("device")
    assert [each["changes"][0]["value"] for each in wire.told("a")] == [True, False]


def test_an_operator_or_user_says_nothing_of_a_device(world, wire, lamp):
    wire.connect("a", world.operator)
    wire.connect("b", person(world).client)
    assert connected(world, lamp) == []


def test_a_device_whose_end_nobody_told_is_disconnected_when_its_connection_cannot_last_longer(world, wire, lamp):
    wire.connect("a", device(world, lamp))
    world.clock.now += 3 * HOUR
    world.tables.main.sweep(world.clock.now)
    world.settle()
    assert connected(world, lamp) == [False]


def test_a_deleted_device_leaves_no_property_behind(world, wire, lamp):
    wire.connect("a", device(world, lamp))
    world.operator.delete(f"/thngs/{lamp}")
    wire.leave("a")
    assert not [key for (_, key), row in world.rows().items() if row["k"] == "now" and lamp in key.pk]


def test_rows_of_connections_end_by_themselves(world, wire, lamp):
    wire.connect("a", device(world, lamp))
    wire.watch("a", f"/thngs/{lamp}/properties")
    world.clock.now += DAY
    world.operator.put(f"/thngs/{lamp}/properties/colour", [{"value": "red"}])
    assert wire.told("a") == []
