"""Which events changes of the feed make, and the documents that reactor functions get of them."""

import json

import pytest

from fingerpost import wiring
from fingerpost.catalogue.properties import Properties, Reading
from fingerpost.live.service import CONNECTED
from fingerpost.reactor import chain
from fingerpost.reactor.events import events_of
from tests.functions.people import anonymous, device, person
from tests.functions.world import HOUR
from tests.stores import caller_of


def words(text):
    return set(text.split())


ACTION = words(
    "id createdAt customFields tags scopes timestamp type user location locationSource device context "
    "reactions createdByProject createdByApp createdByThng identifiers thng product collection shortId "
    "shortDomain"
)
CONTEXT = words(
    "ipAddress city region countryCode userAgent referer language userAgentName userAgentVersion "
    "userAgentType deviceType device operatingSystemName operatingSystemFamily operatingSystemProducer "
    "operatingSystemVersion timeZone query"
)
THNG = words(
    "id createdAt customFields tags scopes updatedAt name description location product properties "
    "identifiers collections batch createdByTask"
)
PRODUCT = words(
    "id createdAt customFields tags scopes updatedAt brand categories properties description fn name "
    "photos url identifiers"
)


def events(world):
    """Those of all that has changed since they were last asked for."""
    found = []
    while changes := world.feed.read("dispatch"):
        found += [event for _, event in events_of(changes, world.tables)]
        world.feed.commit("dispatch", changes[-1].sequence)
    return found


def payloads(world):
    return [json.loads(json.dumps(event.subject.payload())) for event in events(world)]


@pytest.fixture
def pallet(world):
    """A thng in the world's project; nothing has happened yet."""
    thng = world.operator.made("/thngs", {"name": "Pallet", "properties": {"colour": "red"}}, project=world.project)
    events(world)
    return thng["id"]


# ---- actions


def test_an_action_is_an_event_with_the_platforms_document(world, pallet):
    posted = world.trusted.made("/actions/checkins", {"thng": pallet, "customFields": {"dock": 4}})
    (event,) = events(world)
    assert (event.function, event.account, event.projects) == ("onActionCreated", world.account, (world.project,))
    document = event.subject.payload()
    assert document.keys() == {"action", "triggerApp", "triggerUser", "triggerUserAnonymous"}
    assert document["action"].keys() == ACTION
    assert document["action"]["context"].keys() == CONTEXT
    assert document["action"] | posted == document["action"] | {"context": document["action"]["context"]}
    assert document["action"]["customFields"] == {"dock": 4}
    assert document["action"]["scopes"] == {"users": ["all"], "projects": [world.project]}
    for name in ("tags", "user", "device", "reactions", "createdByThng", "product", "collection", "shortId"):
        assert document["action"][name] is None
    assert (document["triggerApp"], document["triggerUser"]) == (world.application_id, None)
    assert document["triggerUserAnonymous"] is False


def test_a_scan_tells_where_it_went_and_what_the_visitor_used(world, pallet):
    short_id = world.operator.link(pallet, "https://museum.example/turf")["shortId"]
    events(world)
    world.scan(short_id, country="GB", city="Crayford", latitude="51.4333", longitude="0.1833")
    (document,) = payloads(world)
    action = document["action"]
    assert action["type"] == "implicitScans"
    assert (action["shortId"], action["shortDomain"]) == (short_id, "tn.example")
    assert action["reactions"] == [
        {"type": "redirection", "customFields": None, "redirectUrl": "https://museum.example/turf"}
    ]
    assert action["location"] == {
        "place": None,
        "latitude": 51.4333,
        "longitude": 0.1833,
        "position": {"type": "Point", "coordinates": [0.1833, 51.4333]},
        "customFields": None,
    }
    assert (action["context"]["countryCode"], action["context"]["userAgentName"]) == ("GB", "Unknown")
    assert (document["triggerApp"], document["triggerUser"], document["triggerUserAnonymous"]) == (None, None, False)


def test_an_action_of_a_user_names_the_user_and_whether_the_user_is_anonymous(world, pallet):
    nameless, known = anonymous(world), person(world)
    nameless.client.made("/actions/shares", {"thng": pallet})
    known.client.made("/actions/shares", {"thng": pallet})
    first, second = payloads(world)
    assert (first["triggerUser"], first["triggerUserAnonymous"]) == (nameless.id, True)
    assert first["action"]["scopes"]["users"] == [nameless.id]
    assert (second["triggerUserAnonymous"], second["triggerApp"]) == (False, world.application_id)


def test_an_action_of_a_device_names_it(world, pallet):
    device(world, pallet).made("/actions/checkins", {})
    (document,) = payloads(world)
    assert document["action"]["createdByThng"] == document["action"]["thng"] == pallet


def test_an_action_in_no_project_concerns_no_project_and_one_without_a_target_its_own(world):
    alone = world.thng()["id"]
    world.operator.made("/actions/checkins", {"thng": alone})
    world.operator.made("/actions", {"name": "_tick"})
    world.operator.made("/actions/_tick", {}, project=world.project)
    assert [event.projects for event in events(world)] == [(), (world.project,)]


def test_an_action_that_is_deleted_or_was_there_already_is_no_event(world, pallet):
    action = world.operator.made("/actions/checkins", {"thng": pallet})
    assert len(events(world)) == 1
    assert world.operator.delete(f"/actions/checkins/{action['id']}").status == 200
    assert events(world) == []


# ---- properties


def test_a_property_with_another_value_is_an_event_with_the_platforms_document(world, pallet):
    world.trusted.put(f"/thngs/{pallet}/properties/colour", [{"value": "blue"}])
    (event,) = events(world)
    assert (event.function, event.projects) == ("onThngPropertiesChanged", (world.project,))
    document = event.subject.payload()
    assert document.keys() == {"changes", "thng", "triggerApp", "triggerUser", "triggerUserAnonymous"}
    assert document["changes"] == {"colour": {"oldValue": "red", "newValue": "blue", "timestamp": world.clock.now}}
    assert document["thng"].keys() == THNG
    assert document["thng"]["properties"] == {"colour": "blue"}
    assert document["thng"]["scopes"] == {"users": ["all"], "projects": [world.project]}
    for name in ("tags", "description", "location", "product", "collections", "batch", "createdByTask"):
        assert document["thng"][name] is None
    assert document["triggerApp"] == world.application_id


def test_a_product_is_told_of_as_a_product(world):
    product = world.operator.made("/products", {"name": "Crate"}, project=world.project)["id"]
    world.operator.put(f"/products/{product}/properties", [{"key": "is_packed", "value": True}])
    (event,) = events(world)
    assert event.function == "onProductPropertiesChanged"
    document = event.subject.payload()
    assert document["product"].keys() == PRODUCT
    assert document["changes"]["is_packed"]["oldValue"] is None
    assert (document["triggerApp"], document["triggerUser"]) == (None, None)


def test_several_properties_of_one_request_are_one_event(world, pallet):
    world.operator.post(f"/thngs/{pallet}/properties", [{"key": key, "value": 1} for key in ("a", "b", "c")])
    (document,) = payloads(world)
    assert sorted(document["changes"]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "sent",
    [
        [{"key": "colour", "value": "red"}],
        [{"key": "colour", "value": "blue", "timestamp": 1_500_000_000_000}],
    ],
    ids=["the same value", "a back-dated one"],
)
def test_what_changes_nothing_that_is_current_is_no_event(world, pallet, sent):
    world.clock.now += HOUR
    world.operator.put(f"/thngs/{pallet}/properties", sent)
    assert events(world) == []


def test_of_several_properties_only_those_with_another_value_have_changed(world, pallet):
    world.clock.now += HOUR
    sent = [{"key": "colour", "value": "red"}, {"key": "size", "value": 4}]
    world.operator.put(f"/thngs/{pallet}/properties", sent)
    (document,) = payloads(world)
    assert document["changes"].keys() == {"size"}
    assert document["thng"]["properties"] == {"colour": "red", "size": 4}


@pytest.mark.parametrize(("before", "after", "differ"), [(1, True, True), (0, False, True), (1, 1.0, False)])
def test_true_is_another_value_than_1_and_one_point_nought_is_not(world, pallet, before, after, differ):
    for value in (before, after):
        world.clock.now += 1
        world.operator.put(f"/thngs/{pallet}/properties/lit", [{"value": value}])
    assert len(events(world)) == 1 + differ


def test_what_a_thing_begins_with_its_location_and_what_is_deleted_are_no_events(world, pallet):
    world.operator.made("/thngs", {"name": "Crate", "properties": {"a": 1}}, project=world.project)
    position = {"type": "Point", "coordinates": [0.1, 51.5]}
    world.operator.put(f"/thngs/{pallet}/location", [{"position": position}])
    world.operator.delete(f"/thngs/{pallet}/properties/colour")
    assert events(world) == []


def test_the_location_stands_in_the_document(world, pallet):
    position = {"type": "Point", "coordinates": [0.1, 51.5]}
    world.operator.put(f"/thngs/{pallet}/location", [{"position": position}])
    world.operator.put(f"/thngs/{pallet}/properties/colour", [{"value": "blue"}])
    (document,) = payloads(world)
    assert document["thng"]["location"] == {"latitude": 51.5, "longitude": 0.1, "position": position}


def test_the_first_property_of_a_thing_that_began_with_none_is_an_event(world):
    thng = world.operator.made("/thngs", {"name": "Crate"}, project=world.project)["id"]
    world.operator.put(f"/thngs/{thng}/properties/colour", [{"value": "blue"}])
    (document,) = payloads(world)
    assert document["changes"]["colour"]["oldValue"] is None


def test_a_thing_that_is_gone_when_its_change_is_read_makes_no_event(world, pallet):
    world.operator.put(f"/thngs/{pallet}/properties/colour", [{"value": "blue"}])
    world.operator.delete(f"/thngs/{pallet}")
    assert events(world) == []


def test_the_platforms_own_properties_are_told_of_too(world, pallet):
    caller = caller_of(world.tables, world.account, world.clock.now)
    Properties(caller.tables).record(pallet, [Reading(CONNECTED, True, world.clock.now)], caller)
    (document,) = payloads(world)
    assert document["changes"].keys() == {"~connected"}


# ---- the chain, and replays


def test_events_know_the_runs_that_led_to_them(world, pallet):
    led = (f"{world.application_id}:onActionCreated",)
    sent = {chain.HEADER: chain.sign(world.account, led)}
    world.trusted.made("/actions/checkins", {"thng": pallet}, headers=sent)
    world.trusted.put(f"/thngs/{pallet}/properties/colour", [{"value": "blue"}], headers=sent)
    world.trusted.put(f"/thngs/{pallet}/properties/colour", [{"value": "green", "timestamp": world.clock.now + 1}])
    assert [event.chain for event in events(world)] == [led, led, ()]


def test_a_forged_chain_is_none(world, pallet):
    sent = {chain.HEADER: chain.sign("another account", ("a:b",))}
    world.trusted.made("/actions/checkins", {"thng": pallet}, headers=sent)
    assert [event.chain for event in events(world)] == [()]


def test_events_have_the_same_names_whenever_they_are_read(world, pallet):
    world.operator.made("/actions/checkins", {"thng": pallet})
    for value in range(3):
        world.operator.put(f"/thngs/{pallet}/properties/n", [{"value": value, "timestamp": world.clock.now + value}])
    first = [event.id for event in events(world)]
    world.feed.rewind("dispatch")
    again = [event.id for event in events(world)]
    assert again[-4:] == first
    assert len(set(first)) == 4


def test_the_documents_of_a_batch_are_read_together(world, pallet, monkeypatch):
    others = [world.thng()["id"] for _ in range(5)]
    events(world)
    for each in (pallet, *others):
        world.operator.put(f"/thngs/{each}/properties/n", [{"value": 1}])
    calls = []
    real = type(world.tables.main).get_many
    monkeypatch.setattr(
        type(world.tables.main), "get_many", lambda self, keys, **more: calls.append(keys) or real(self, keys, **more)
    )
    assert len(events(world)) == 6
    assert len(calls) == 1
    assert wiring.tables() is world.tables
