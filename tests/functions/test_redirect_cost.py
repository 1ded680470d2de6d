"""How much a visit reads and writes, what it imports, and what happens when the store does not take it."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fingerpost import keys
from fingerpost.ports.table import Tables, Throttled, Unreachable
from functions.redirect import app
from tests.functions.rooms import booking, room
from tests.functions.world import DEFAULT, DOMAIN, SECOND, Client, World

ROOT = Path(__file__).resolve().parents[2]


# ---- what it costs ---------------------------------------------------------------------------------------------------


class CountingTable:
    """Notes the calls that reach a table, in order."""

    def __init__(self, table, calls: list[str]):
        self._table, self._calls = table, calls

    def __getattr__(self, name: str):
        method = getattr(self._table, name)
        if name not in ("get", "get_many", "query", "count", "put", "put_many", "update", "delete", "transact"):
            return method

        def counted(*arguments, **named):
            self._calls.append(name)
            return method(*arguments, **named)

        return counted


@pytest.fixture
def calls(world: World, monkeypatch) -> list[str]:
    """The calls of main, from a fresh execution environment on."""
    noted: list[str] = []
    tables = Tables(CountingTable(world.tables.main, noted), CountingTable(world.tables.log, noted))  # type: ignore[arg-type]
    monkeypatch.setattr(app, "visits", world.fresh_visits(tables))
    return noted


def of_one_scan(world: World, calls: list[str], short_id: str) -> Counter[str]:
    calls.clear()
    assert world.scan(short_id).status == 307
    return reads_and_writes(calls)


def reads_and_writes(calls: list[str]) -> Counter[str]:
    return Counter("read" if call in ("get", "get_many") else call for call in calls)


def test_a_scan_whose_rules_need_no_more_is_one_read_and_one_write(world: World, operator: Client, short_id, calls):
    operator.publish({"match": "country=IE & dayOfWeek=sun", "redirectUrl": "https://x.example/{country}"})
    world.scan(short_id)
    for wait in (0, SECOND, 5 * SECOND, 3_600 * SECOND):
        world.clock.now += wait
        assert of_one_scan(world, calls, short_id) == {"read": 1, "put": 1}


def test_a_scan_whose_rules_need_the_thng_its_product_and_their_properties_is_two_reads(
    world, operator, short_id, calls
):
    operator.publish(
        {
            "match": "thng.tags=Offer & product.tags=flat & thng.properties.a!=1 & product.properties.b!=1",
            "redirectUrl": "https://x.example/{thng.name}/{product.name}",
        }
    )
    world.scan(short_id)
    for wait in (0, 5 * SECOND):
        world.clock.now += wait
        assert of_one_scan(world, calls, short_id) == {"read": 2, "put": 1}


def test_what_only_the_chosen_template_needs_is_read_when_it_is_chosen(world: World, operator: Client, short_id, calls):
    operator.publish(
        {"match": "country=IE", "redirectUrl": "https://x.example/{thng.name}"}, {"redirectUrl": "https://y.example/"}
    )
    world.scan(short_id)
    assert of_one_scan(world, calls, short_id) == {"read": 1, "put": 1}
    calls.clear()
    assert world.scan(short_id, country="IE").location == "https://x.example/The%20Turf%20Cutters"
    assert reads_and_writes(calls) == {"read": 2, "put": 1}


def test_where_two_accounts_share_a_domain_a_scan_is_never_more_than_two_reads(
    world: World, operator: Client, short_id, calls
):
    needing = {
        "match": "thng.name=* & product.tags!=x & thng.properties.a!=1",
        "redirectUrl": "https://x.example/{thng.name}",
    }
    operator.publish(needing)
    stranger = world.stranger
    stranger.publish(needing)
    theirs = stranger.link(stranger.made("/thngs", {"name": "Lamp"})["id"])["shortId"]
    for each in (short_id, theirs):
        world.scan(each)
    for each in (short_id, theirs, theirs, short_id):
        world.clock.now += 5 * SECOND
        assert of_one_scan(world, calls, each) == {"read": 2, "put": 1}
    assert world.scan(theirs).location == "https://x.example/Lamp"


@pytest.fixture
def asked(world: World, operator: Client) -> list[str]:
    """Three applications in two projects, whose rules need all that there is, and an account that asks them all."""
    apps = []
    for project in (world.project, operator.made("/projects", {"name": "Later"})["id"]):
        for name in ("a", "b"):
            world.clock.now += 1
            app = operator.made(f"/projects/{project}/applications", {"name": name})["id"]
            match = f"project.id={project} & application.name={name} & thng.tags=none & product.properties.b!=1"
            rules = [{"match": match, "redirectUrl": "https://x.example/{thng.properties.a}{project.tags}"}]
            path = f"/projects/{project}/applications/{app}/redirector"
            assert operator.put(path, {"rules": rules}).status == 200
            apps.append(app)
    return apps


def test_applications_that_are_asked_cost_one_batch_whatever_their_rules_mention(
    world, operator, thng, short_id, asked, calls
):
    delegates = [{"project": world.project}, *({"app": app} for app in asked[2:])]
    operator.publish({"match": "country=IE | thng.name!=x", "delegates": delegates})
    assert world.scan(short_id).location == DEFAULT
    for wait in (0, 5 * SECOND, 3_600 * SECOND):
        world.clock.now += wait
        assert of_one_scan(world, calls, short_id) == {"read": 2, "put": 1}
    operator.put(f"/thngs/{thng['id']}", {"tags": ["none"]})
    assert of_one_scan(world, calls, short_id) == {"read": 2, "put": 1}
    assert world.scan(short_id).location.startswith("https://x.example/")


def test_applications_are_asked_in_two_reads_also_where_two_accounts_share_a_domain(
    world, operator, short_id, asked, calls
):
    operator.publish({"delegates": [{"app": app} for app in asked]})
    stranger = world.stranger
    stranger.publish({"match": "thng.name=*", "redirectUrl": "https://x.example/"})
    theirs = stranger.link(stranger.made("/thngs", {"name": "Lamp"})["id"])["shortId"]
    for each in (short_id, theirs):
        world.scan(each)
    for each in (short_id, theirs, theirs, short_id):
        world.clock.now += 5 * SECOND
        assert of_one_scan(world, calls, each) == {"read": 2, "put": 1}


def test_applications_that_a_scan_does_not_come_to_cost_it_nothing(world, operator, short_id, asked, calls):
    operator.publish({"match": "country=DE", "delegates": [{"app": app} for app in asked]})
    world.scan(short_id)
    for wait in (0, 5 * SECOND):
        world.clock.now += wait
        assert of_one_scan(world, calls, short_id) == {"read": 1, "put": 1}


def test_what_an_application_publishes_is_loaded_once_when_it_is_first_asked(world, operator, short_id, asked, calls):
    operator.publish({"delegates": [{"app": asked[0]}]})
    world.scan(short_id)
    path = f"/projects/{world.project}/applications/{asked[0]}/redirector"
    operator.put(path, {"rules": [{"redirectUrl": "https://new.example/"}]})
    world.clock.now += 5 * SECOND
    assert of_one_scan(world, calls, short_id) == {"read": 1, "query": 1, "put": 1}
    assert of_one_scan(world, calls, short_id) == {"read": 1, "put": 1}
    assert world.scan(short_id).location == "https://new.example/"


@pytest.fixture
def door(world: World) -> Any:
    """A room that is booked in an hour."""
    made = room(world)
    booking(world, made["id"])
    return made


def test_rules_that_mention_the_room_read_it_and_its_days_in_one_batch(world: World, operator: Client, door, calls):
    operator.publish({"match": "room.status=free & thng.name=*", "redirectUrl": "https://x.example/{room.capacity}"})
    world.scan(door["shortId"])
    for wait in (0, 5 * SECOND, 3_600 * SECOND):
        world.clock.now += wait
        assert of_one_scan(world, calls, door["shortId"]) == {"read": 2, "put": 1}


def test_what_a_template_says_of_the_room_is_read_when_it_is_chosen(world: World, operator: Client, door, calls):
    operator.publish(
        {"match": "country=IE", "redirectUrl": "https://x.example/{room.status}/{room.nextBooking.inMinutes}"},
        {"redirectUrl": "https://y.example/"},
    )
    world.scan(door["shortId"])
    assert of_one_scan(world, calls, door["shortId"]) == {"read": 1, "put": 1}
    calls.clear()
    assert world.scan(door["shortId"], country="IE").location == "https://x.example/free/60"
    assert reads_and_writes(calls) == {"read": 2, "put": 1}


def test_rooms_cost_no_third_read_where_two_accounts_share_a_domain(world: World, operator: Client, door, calls):
    needing = {"match": "room.status=free & thng.name=*", "redirectUrl": "https://x.example/{room.name}"}
    operator.publish(needing)
    stranger = world.stranger
    stranger.publish(needing)
    theirs = stranger.link(stranger.made("/thngs", {"name": "Lamp"})["id"])["shortId"]
    world.scan(door["shortId"])
    assert world.scan(theirs).location == DEFAULT  # no room
    for _ in range(2):
        for each in (door["shortId"], theirs):
            world.clock.now += 5 * SECOND
            assert of_one_scan(world, calls, each) == {"read": 2, "put": 1}


def test_a_thousand_rules_read_no_more_than_one(world: World, operator: Client, short_id, calls):
    operator.publish(
        *(
            {"match": f"country=IE&month={n % 12 + 1}&year={n}", "redirectUrl": "https://x.example/"}
            for n in range(1_000)
        )
    )
    world.scan(short_id)
    assert of_one_scan(world, calls, short_id) == {"read": 1, "put": 1}


def test_a_split_test_costs_no_read_and_no_write(world: World, operator: Client, short_id, calls):
    urls = ("https://x.example/{device}", "https://x.example/{query.a}")
    variants = [{"name": str(n), "weight": 1, "redirectUrl": url} for n, url in enumerate(urls)]
    operator.publish({"match": "query.b!=1 & os!=ios", "variants": variants})
    world.scan(short_id)
    assert of_one_scan(world, calls, short_id) == {"read": 1, "put": 1}


def test_a_product_hint_that_is_out_of_date_is_never_believed(world: World, operator: Client, thng, short_id, calls):
    operator.publish({"match": "product.name=*", "redirectUrl": "https://x.example/{product.name}"})
    assert world.scan(short_id).location == "https://x.example/Painting"
    other = world.product(name="Etching")["id"]
    operator.put(f"/thngs/{thng['id']}", {"product": other})
    world.clock.now += 1
    assert world.scan(short_id).location == "https://x.example/Etching"
    assert world.recorded()[-1]["product"] == other
    operator.put(f"/thngs/{thng['id']}", {"product": None})
    assert world.scan(short_id).location == DEFAULT
    operator.put(f"/thngs/{thng['id']}", {"product": other})
    world.settle()
    assert of_one_scan(world, calls, short_id) == {"read": 2, "put": 1}  # the hint was refreshed
    link = world.tables.main.get(keys.link(DOMAIN, short_id))
    assert link is not None and link["product"] == other


# ---- when the store does not take it ---------------------------------------------------------------------------------


class Refusing:
    """A table that takes no put."""

    def __init__(self, error: Exception):
        self.error = error

    def put(self, *_arguments, **_named):
        raise self.error


class FailingQueue:
    def send(self, *_arguments, **_named):
        raise OSError("no queue")


@pytest.mark.parametrize("error", [Throttled("slow down"), Unreachable("nobody")])
def test_a_scan_whose_put_is_refused_goes_to_the_queue_and_the_person_on(
    world: World, operator: Client, short_id, monkeypatch, error
):
    visits = world.fresh_visits()
    monkeypatch.setattr(app, "visits", visits)
    visits.recorder = Refusing(error)  # type: ignore[assignment]
    assert world.scan(short_id).location == DEFAULT
    assert world.recorded() == []
    (message,) = world.queues["spill"].receive(visibility_ms=0)
    for _ in range(2):  # a repeat records nothing twice
        records = [{"messageId": "1", "body": message.body}]
        from functions.spill.app import handler

        assert handler({"Records": records}) == {"batchItemFailures": []}
    world.settle()
    assert len(world.recorded()) == 1
    assert operator.read(f"/redirections/{short_id}")["hits"] == 1


def test_when_the_queue_fails_too_nobody_is_redirected_and_the_answer_says_when_to_come_back(
    world, short_id, monkeypatch
):
    visits = world.fresh_visits()
    visits.recorder, visits.spill = Refusing(Throttled()), FailingQueue().send  # type: ignore[assignment]
    monkeypatch.setattr(app, "visits", visits)
    answer = world.scan(short_id)
    assert answer.status == 503
    assert answer.headers["retry-after"] == "2" and "location" not in answer.headers
    assert "try again" in answer.content.decode().lower()
    assert world.recorded() == []


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
def test_a_store_that_cannot_be_read_is_503_and_no_500(world: World, short_id, monkeypatch, accept):
    class Unreadable:
        def get_many(self, *_arguments, **_named):
            raise Unreachable

        get = get_many

    tables = Tables(Unreadable(), Unreadable())  # type: ignore[arg-type]
    monkeypatch.setattr(app, "visits", world.fresh_visits(tables))
    answer = world.scan(short_id, accept=accept)
    assert answer.status == 503 and answer.headers["retry-after"] == "2"


def test_a_bug_is_a_500_page_that_names_its_cause_and_nothing_else(world: World, short_id, monkeypatch, capfd):
    def broken(*_arguments, **_named):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(type(app.visits), "visit", broken)
    answer = world.scan(short_id)
    assert answer.status == 500 and "secret" not in answer.content.decode()
    assert "secret detail" in capfd.readouterr().err


# ---- what it is made of ----------------------------------------------------------------------------------------------


def test_the_redirect_function_imports_nothing_of_the_edge():
    heavy = "pydantic lark qrcode png boto3 botocore aws_lambda_powertools ua_parser uvicorn tzfpy argon2"
    probe = f"import sys, functions.redirect.app as app; print(sorted(set({heavy.split()!r}) & sys.modules.keys()))"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'layers/core/python'}:{ROOT}"}
    answer = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_what_rules_that_mention_rooms_load_is_of_the_standard_library():
    probe = """
import sys
import functions.redirect.app
assert not [name for name in sys.modules if name.startswith("fingerpost.rooms")]
before = set(sys.modules)
import fingerpost.rooms.standing, fingerpost.rooms.keys
print("dataclasses" in sys.modules)
import fingerpost.rooms.rules
loaded = {name.partition(".")[0] for name in set(sys.modules) - before if not name.startswith("_sysconfigdata")}
print(sorted(loaded - sys.stdlib_module_names))
"""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'layers/core/python'}:{ROOT}"}
    answer = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.splitlines() == ["False", "['fingerpost']"]


def test_a_scan_needs_nothing_more_than_its_import_did(world: World, operator: Client, short_id):
    """A first visit in a process of its own, over a store of its own, loads no module of the edge either."""
    probe = f"""
import sys
from functions.redirect.app import handler
import json
event = json.load(open({str(ROOT / "events/redirect/scan-from-ireland.json")!r}))
event["rawPath"], event["headers"]["x-fingerpost-domain"] = "/{short_id}", "{DOMAIN}"
reply = handler(event, None)
heavy = "pydantic lark qrcode boto3 botocore aws_lambda_powertools ua_parser uvicorn".split()
print(reply["statusCode"], reply["headers"]["location"], sorted(set(heavy) & sys.modules.keys()))
"""
    world.answered("rules/publish-rules")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FINGERPOST_")},
        "PYTHONPATH": f"{ROOT / 'layers/core/python'}:{ROOT}",
        "FINGERPOST_DATA_DIR": str(world.folder),
    }
    answer = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"307 https://museum\.example/\S+ \[\]\n", answer.stdout)
