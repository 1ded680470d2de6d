"""Which scripts and rules an event starts: scope, filters, what is read for them, replays."""

import dataclasses
import itertools
import json

import pytest

from fingerpost import keys
from fingerpost.aws.stream import stream_event
from fingerpost.ports.table import Throttled
from fingerpost.reactor import published, runs
from fingerpost.reactor.published import Filter, Script
from fingerpost.rules.compile import compile_match
from fingerpost.rules.fields import REACTOR
from fingerpost.rules.nodes import to_json
from fingerpost.shapes import UnknownShape
from tests.functions.people import person
from tests.functions.world import handler_of

ALL = ("onActionCreated", "onThngPropertiesChanged", "onProductPropertiesChanged", "onScheduledEvent")
_versions = itertools.count(1)


def nodes(text):
    return to_json(compile_match(text, REACTOR).node)


def publish(world, app=None, project=None, functions=ALL, **filters):
    """A script of an application, with filters by function."""
    app, project = app or world.application_id, project or world.project
    made = Script(
        app=app,
        version=next(_versions),
        bundle="reactor/x/bundle.zip",
        functions=functions,
        filters={name: Filter(text, nodes(text)) for name, text in filters.items()},
    )
    published.set_script(world.tables.of(world.account).main, project, made)
    return made


def dispatch(world):
    """Let dispatch see all that has changed; the runs that it put on the queue."""
    while changes := world.feed.read("dispatch"):
        assert handler_of("dispatch")(stream_event(changes)) == {"batchItemFailures": []}
        world.feed.commit("dispatch", changes[-1].sequence)
    return queued(world)


def queued(world):
    found = []
    while messages := world.queues["reactor"].receive():
        for each in messages:
            found.append(runs.received(each.body))
            world.queues["reactor"].delete(each.receipt)
    return found


@pytest.fixture
def pallet(world):
    thng = world.operator.made("/thngs", {"name": "Pallet"}, project=world.project)["id"]
    dispatch(world)
    return thng


def act(world, thng, **more):
    return world.operator.made("/actions/checkins", {"thng": thng, **more})


def test_an_action_starts_the_function_of_every_application_in_the_targets_projects(world, pallet):
    second = world.operator.made(f"/projects/{world.project}/applications", {"name": "Second"})["id"]
    other_project = world.operator.made("/projects", {"name": "Elsewhere"})["id"]
    other = world.operator.made(f"/projects/{other_project}/applications", {"name": "Other"})["id"]
    for app, project in ((None, None), (second, None), (other, other_project)):
        publish(world, app, project)
    act(world, pallet)
    found = dispatch(world)
    assert {run.app for run in found} == {world.application_id, second}
    assert {(run.function, run.project, run.kind) for run in found} == {("onActionCreated", world.project, "script")}
    assert all(run.payload["action"]["thng"] == pallet for run in found)


def test_a_thng_in_no_project_starts_nothing_and_one_in_every_project_starts_all(world):
    other_project = world.operator.made("/projects", {"name": "Elsewhere"})["id"]
    other = world.operator.made(f"/projects/{other_project}/applications", {"name": "Other"})["id"]
    publish(world)
    publish(world, other, other_project)
    alone = world.thng()["id"]
    everywhere = world.thng(scopes={"projects": ["all"], "users": ["all"]})["id"]
    dispatch(world)
    for thng in (alone, everywhere):
        world.operator.put(f"/thngs/{thng}/properties/n", [{"value": 1}])
    found = dispatch(world)
    assert {(run.app, run.payload["thng"]["id"]) for run in found} == {
        (world.application_id, everywhere),
        (other, everywhere),
    }


def test_a_function_that_a_script_has_not_is_not_started(world, pallet):
    publish(world, functions=("onThngPropertiesChanged",))
    act(world, pallet)
    assert dispatch(world) == []


def test_another_accounts_script_starts_on_nothing_of_this_one(world, pallet):
    assert world.stranger
    publish(world)
    stranger = world.stranger
    thng = stranger.made("/thngs", {"name": "Theirs"})["id"]
    stranger.made("/actions/checkins", {"thng": thng})
    assert dispatch(world) == []


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("action.type=checkins", True),
        ("action.type=scans", False),
        ("action.type=scans|action.type=checkins", True),
        ("action.customFields.dock>3&action.customFields.open=true", True),
        ("action.customFields.dock>4", False),
        ("thng.name=Pallet&thng.tags=cold", True),
        ("thng.id=*", True),
        ("thng.identifiers.gs1:21=7", True),
        ("thng.customFields.size>2", True),
        ("thng.properties.temperature<5", True),
        ("product.name=Crate", True),
        ("product.tags=wood&product.customFields.grade=A", True),
        ("product.identifiers.upc=123", True),
        ("user.gender=female", True),
        ("user.age>=30&user.age<60", True),
        ("user.customFields.team=north", True),
        ("user.locale=en", False),
        ("time>1500000000000", True),
        ("dayOfWeek=sun&dayOfMonth=15&month=3&year=2026", True),
        ("timeOfDay=12:00..13:00", True),
        ("timezone=Europe/London", True),
        ("location.lat>51&location.lon<1", True),
        ("place.tags=dock&place.distance<100", True),
        ("place.customFields.floor=0", True),
        ("place.id=*", True),
        ("propertyChangeNew.temperature=*", False),
    ],
)
def test_a_filter_decides_on_every_field_that_an_action_has(world, text, passes):
    at = {"type": "Point", "coordinates": [-0.1276, 51.5072]}
    world.operator.made(
        "/places",
        {"name": "Dock 4", "position": at, "tags": ["dock"], "customFields": {"floor": 0}},
        project=world.project,
    )
    product = world.operator.made(
        "/products",
        {"name": "Crate", "tags": ["wood"], "customFields": {"grade": "A"}, "identifiers": {"upc": "123"}},
        project=world.project,
    )
    thng = world.operator.made(
        "/thngs",
        {
            "name": "Pallet",
            "tags": ["cold"],
            "product": product["id"],
            "identifiers": {"gs1:21": "7"},
            "customFields": {"size": 3},
            "properties": {"temperature": 4},
        },
        project=world.project,
    )["id"]
    born = {"year": 1990, "month": 1, "day": 2}
    user = person(world, gender="female", birthday=born, customFields={"team": "north"})
    publish(world, onActionCreated=text)
    user.client.made(
        "/actions/checkins", {"thng": thng, "customFields": {"dock": 4, "open": True}, "location": {"position": at}}
    )
    assert [run.function for run in dispatch(world)] == (["onActionCreated"] if passes else [])


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("propertyChangeNew.temperature>8", True),
        ("propertyChangeNew.temperature=*", True),
        ("propertyChangeNew.humidity=*", False),
        ("propertyChangeOld.temperature<5&propertyChangeNew.temperature>=9", True),
        ("propertyChangeOld.temperature>5", False),
        ("thng.name=Pallet", True),
        ("thng.properties.temperature=9", True),
        ("product.name=Crate", True),
        ("dayOfWeek=sun", True),
        ("action.type=*", False),
        ("user.age>1", False),
        ("place.id=*", False),
    ],
)
def test_a_filter_decides_on_every_field_that_a_change_of_properties_has(world, text, passes):
    product = world.operator.made("/products", {"name": "Crate"}, project=world.project)["id"]
    sent = {"name": "Pallet", "product": product, "properties": {"temperature": 4}}
    thng = world.operator.made("/thngs", sent, project=world.project)["id"]
    publish(world, onThngPropertiesChanged=text)
    world.operator.put(f"/thngs/{thng}/properties/temperature", [{"value": 9}])
    assert [run.function for run in dispatch(world)] == (["onThngPropertiesChanged"] if passes else [])


def test_a_filter_on_a_product_is_asked_about_the_product(world):
    product = world.operator.made("/products", {"name": "Crate", "tags": ["wood"]}, project=world.project)["id"]
    publish(world, onProductPropertiesChanged="product.tags=wood&propertyChangeNew.is_packed=true")
    for value in (False, True):
        world.operator.put(f"/products/{product}/properties/is_packed", [{"value": value}])
    (run,) = dispatch(world)
    assert run.payload["changes"]["is_packed"]["newValue"] is True


@pytest.mark.parametrize(
    ("stored", "says"),
    [
        (["no such operator", "thng.name", 1], "a filter cannot be evaluated"),
        ([], "a filter cannot be evaluated"),
        ([], "a filter cannot be read"),
    ],
)
def test_a_filter_that_cannot_be_evaluated_lets_the_function_run_and_spoils_no_other(
    world, pallet, capsys, stored, says
):
    publish(world, onActionCreated="action.type=scans")
    broken = world.operator.made(f"/projects/{world.project}/applications", {"name": "Broken"})["id"]
    made = Script(
        app=broken,
        version=1,
        bundle="reactor/x/bundle.zip",
        functions=ALL,
        filters={"onActionCreated": Filter("?", stored)},
    )
    published.set_script(world.tables.of(world.account).main, world.project, made)
    act(world, pallet)
    assert [run.app for run in dispatch(world)] == [broken]
    told = capsys.readouterr().err.splitlines()
    assert [line for line in told if "filters cannot be" in line]
    assert [line for line in told if says in line and broken in line]


def test_rules_are_asked_with_scripts(world, pallet):
    publish(world, onActionCreated="action.type=checkins")
    main = world.tables.of(world.account).main
    rules = [
        {"version": 7, "name": "welcome", "event": "actionCreated", "nodes": nodes("action.type=checkins")},
        {"version": 7, "name": "other", "event": "actionCreated", "nodes": nodes("action.type=scans")},
        {"version": 7, "name": "always", "event": "actionCreated"},
        {"version": 7, "name": "warm", "event": "thngPropertiesChanged"},
    ]
    published.set_rules(main, world.project, world.application_id, rules)
    act(world, pallet)
    found = [(run.kind, run.rule, run.function) for run in dispatch(world)]
    assert sorted(found) == [
        ("rule", "always", "onActionCreated"),
        ("rule", "welcome", "onActionCreated"),
        ("script", "", "onActionCreated"),
    ]


# ---- what it costs


@pytest.fixture
def reads(world, monkeypatch):
    """The keys of every read of main while dispatch works."""
    seen = []
    table = type(world.tables.main)
    real = table.get  # each key of a `get_many` goes through it
    monkeypatch.setattr(table, "get", lambda self, key, **more: seen.append(key) or real(self, key, **more))
    return seen


def test_only_what_filters_mention_is_read(world, pallet, reads):
    publish(world, onActionCreated="action.type=scans&thng.name=Pallet&product.name=Crate")
    act(world, pallet)
    reads.clear()
    assert dispatch(world) == []
    assert [key.pk.partition("#")[2] for key in reads] == [f"reactor#{world.project}"]


def test_what_filters_mention_is_read_once_and_together(world, pallet, reads):
    for name in ("a", "b", "c"):
        app = world.operator.made(f"/projects/{world.project}/applications", {"name": name})["id"]
        publish(world, app, onActionCreated=f"thng.name=Pallet&thng.properties.{name}!=1")
    act(world, pallet)
    reads.clear()
    assert len(dispatch(world)) == 3
    read = [str(key.pk.partition("#")[2]) + "/" + key.sk for key in reads]
    assert sorted(read) == sorted([f"reactor#{world.project}/live", f"t#{pallet}/doc", f"t#{pallet}/now"])


def test_a_script_reacts_as_soon_as_it_is_published(world, pallet):
    act(world, pallet)
    assert dispatch(world) == []
    publish(world, onActionCreated="action.type=scans")
    act(world, pallet)
    assert dispatch(world) == []
    publish(world)
    act(world, pallet)
    assert len(dispatch(world)) == 1


# ---- replays


def batch_of(world, pallet):
    """Changes that make nine runs."""
    publish(world)
    for value in range(4):
        world.operator.put(f"/thngs/{pallet}/properties/n", [{"value": value, "timestamp": world.clock.now + value}])
        act(world, pallet)
    world.operator.put(f"/thngs/{pallet}/properties/m", [{"value": 1}])
    return world.feed.read("dispatch")


def test_a_batch_that_is_cut_off_at_any_record_and_replayed_makes_the_same_runs(world, pallet, monkeypatch):
    changes = batch_of(world, pallet)
    assert handler_of("dispatch")(stream_event(changes)) == {"batchItemFailures": []}
    whole = {run.id: run for run in queued(world)}
    assert len(whole) == 9
    send = type(world.queues["reactor"]).send
    for broken in range(len(whole)):
        sent = itertools.count()

        def failing(self, body, *, broken=broken, sent=sent, **more):
            if self.name == "reactor" and next(sent) == broken:
                raise Throttled("no room")
            send(self, body, **more)

        with monkeypatch.context() as patched:
            patched.setattr(type(world.queues["reactor"]), "send", failing)
            answer = handler_of("dispatch")(stream_event(changes))
        failed = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
        assert failed and failed == [each.sequence for each in changes][-len(failed) :]
        rest = [each for each in changes if each.sequence in failed]
        assert handler_of("dispatch")(stream_event(rest)) == {"batchItemFailures": []}
        again = queued(world)
        assert {run.id for run in again} == whole.keys()
        assert all(dataclasses.replace(run, at=0) == dataclasses.replace(whole[run.id], at=0) for run in again)


def test_a_batch_whose_documents_cannot_be_read_comes_again_whole(world, pallet, monkeypatch):
    changes = batch_of(world, pallet)

    def refusing(self, wanted, **more):
        raise Throttled("busy")

    with monkeypatch.context() as patched:
        patched.setattr(type(world.tables.main), "get_many", refusing)
        answer = handler_of("dispatch")(stream_event(changes))
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == [each.sequence for each in changes]
    assert queued(world) == []


def test_a_change_that_cannot_be_read_fails_its_batch_without_a_name_so_that_it_is_halved(world, pallet):
    changes = batch_of(world, pallet)
    broken = changes[3].__replace__(new={**changes[3].new, "sv": 99})
    with pytest.raises(UnknownShape):
        handler_of("dispatch")(stream_event([*changes[:3], broken, *changes[4:]]))
    assert handler_of("dispatch")(stream_event([*changes[:3], *changes[4:]])) == {"batchItemFailures": []}


def test_a_large_event_reaches_its_function_whole(world, pallet):
    publish(world)
    world.operator.put(f"/thngs/{pallet}/properties/text", [{"value": "x" * 150_000}])
    world.operator.put(f"/thngs/{pallet}/properties/more", [{"value": "y" * 90_000}])
    first, second = dispatch(world)
    assert len(json.dumps(second.payload)) > 240_000
    assert second.payload["thng"]["properties"]["text"] == "x" * 150_000 == first.payload["changes"]["text"]["newValue"]


def test_the_row_that_names_a_run_has_a_key_of_its_own():
    assert keys.run("e1", "app", "fn") != keys.run("e1", "app", "fn2")


# ---- the stories


def test_the_stories_of_the_feed_start_functions(world, pallet):
    publish(world)
    short_id = world.operator.link(pallet)["shortId"]
    values = {"PROJECT": world.project, "THNG": pallet, "SHORT_ID": short_id}
    assert world.story("dispatch/new-scan", **values) == {"batchItemFailures": []}
    assert world.story("dispatch/property-changed", **values) == {"batchItemFailures": []}
    scan, change = queued(world)
    assert (scan.function, scan.payload["action"]["reactions"][0]["rule"]) == ("onActionCreated", 2)
    assert change.payload["changes"] == {"temperature": {"oldValue": 4, "newValue": 9, "timestamp": 1_773_576_000_000}}
