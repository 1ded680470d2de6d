"""Schedules: documents with their limits, and what becomes of them when their time comes."""

import json

import pytest

from fingerpost.aws.stream import stream_event
from fingerpost.reactor import runs
from tests.functions.lists import next_page
from tests.functions.world import DAY, HOUR, SECOND, SUNDAY_NOON, Client, World, handler_of

EVENT = {"foo": "bar"}
HOURLY = {"event": EVENT, "cron": "0 0 * * * ?"}


@pytest.fixture
def reactor(world: World) -> str:
    return f"/projects/{world.project}/applications/{world.application_id}/reactor"


@pytest.fixture
def schedules(reactor) -> str:
    return f"{reactor}/schedules"


@pytest.fixture
def script(world: World, operator: Client, reactor) -> None:
    operator.put(f"{reactor}/script", {"script": "function onScheduledEvent() {}"})
    world.settle()


def passed(world: World, ms: int) -> list[runs.Run]:
    """Let time go by and all happen; the runs that were put on the queue."""
    world.settle()
    world.clock.now += ms
    while world.scheduler.step():
        pass
    world.settle()
    found = []
    while messages := world.queues["reactor"].receive():
        for each in messages:
            found.append(runs.received(each.body))
            world.queues["reactor"].delete(each.receipt)
    return found


def messages(world: World) -> list[str]:
    path = f"/projects/{world.project}/applications/{world.application_id}/reactor/logs"
    return [each["message"] for each in world.operator.read(path)]


def test_a_schedule_is_made_read_changed_and_deleted(world: World, operator: Client, schedules):
    at = world.clock.now + HOUR
    answer = operator.post(schedules, {"event": EVENT, "executeAt": at, "description": "tea"})
    assert answer.status == 201
    made = answer.document
    assert answer.location == f"{schedules}/{made['id']}"
    assert made == {
        "id": made["id"],
        "createdAt": world.clock.now,
        "updatedAt": world.clock.now,
        "event": EVENT,
        "function": "onScheduledEvent",
        "executeAt": at,
        "description": "tea",
        "enabled": True,
    }
    assert operator.read(answer.location) == made
    world.clock.now += SECOND
    changed = operator.put(answer.location, {"executeAt": None, "cron": "0 45 14 * * ?", "enabled": False})
    assert changed.status == 200
    assert "executeAt" not in changed.document
    assert (changed.document["cron"], changed.document["enabled"]) == ("0 45 14 * * ?", False)
    assert changed.document["updatedAt"] == world.clock.now
    assert operator.delete(answer.location).status == 200
    assert operator.get(answer.location).status == 404
    verbs = [each["verb"] for each in operator.read("/audit", what="schedule")]
    assert sorted(verbs) == ["create", "delete", "update"]


def test_schedules_are_listed_newest_first_page_by_page(world: World, operator: Client, schedules):
    made = []
    for _ in range(5):
        made.append(operator.made(schedules, HOURLY)["id"])
        world.clock.now += 1
    first = operator.get(f"{schedules}?perPage=3")
    assert [each["id"] for each in first.document] == made[:1:-1]
    assert [each["id"] for each in next_page(operator, first).document] == made[1::-1]


def test_the_application_itself_uses_its_own_address(world: World, operator: Client, schedules):
    made = world.trusted.made("/applications/me/reactor/schedules", HOURLY)
    assert world.trusted.read(f"/applications/me/reactor/schedules/{made['id']}") == made
    assert world.trusted.read(schedules) == [made]
    assert operator.read(schedules) == [made]
    assert operator.get("/applications/me/reactor/schedules").status == 404
    assert world.trusted.put(f"/applications/me/reactor/schedules/{made['id']}", {"enabled": False}).status == 200
    assert world.trusted.delete(f"{schedules}/{made['id']}").status == 200


def test_no_application_sees_the_schedules_of_another(world: World, operator: Client, schedules):
    other = operator.made(f"/projects/{world.project}/applications", {"name": "Other"})["id"]
    path = f"/projects/{world.project}/applications/{other}/reactor/schedules"
    made = operator.made(path, HOURLY)["id"]
    assert world.trusted.get(path).status == 404
    assert world.trusted.get(f"{schedules}/{made}").status == 404
    assert operator.get(f"{schedules}/{made}").status == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"cron": "0 0 * * * ?"}, "event"),
        ({"event": [], "cron": "0 0 * * * ?"}, "event"),
        ({"event": {"x": "y" * 20_000}, "cron": "0 0 * * * ?"}, "event"),
        ({"event": {}}, "executeAt"),
        ({"event": {}, "cron": "0 0 * * * ?", "executeAt": SUNDAY_NOON + 1}, "executeAt"),
        ({"event": {}, "executeAt": SUNDAY_NOON}, "executeAt"),
        ({"event": {}, "executeAt": SUNDAY_NOON - 1}, "executeAt"),
        ({"event": {}, "executeAt": "tomorrow"}, "executeAt"),
        ({"event": {}, "executeAt": SUNDAY_NOON + 200 * 365 * DAY}, "executeAt"),
        ({"event": {}, "cron": "* * * * *"}, "cron"),
        ({"event": {}, "cron": "0 0 0 30 2 ?"}, "cron"),
        ({"event": {}, "cron": "0 0 * * * ?", "function": "a b"}, "function"),
        ({"event": {}, "cron": "0 0 * * * ?", "function": "__proto__.x"}, "function"),
        ({"event": {}, "cron": "0 0 * * * ?", "description": "x" * 2001}, "description"),
        ({"event": {}, "cron": "0 0 * * * ?", "enabled": "yes"}, "enabled"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_by_its_field(operator: Client, schedules, body, field):
    answer = operator.post(schedules, body)
    assert answer.status == 400
    assert answer.document["details"][0]["field"] == field


def test_an_application_has_at_most_a_hundred(operator: Client, schedules):
    for _ in range(100):
        operator.made(schedules, HOURLY)
    assert "at most 100 schedules" in operator.post(schedules, HOURLY).error


def test_a_repeated_request_makes_one(operator: Client, schedules):
    made = [operator.made(schedules, HOURLY, headers={"idempotency-key": "k"})["id"] for _ in range(2)]
    assert made[0] == made[1]
    assert len(operator.read(schedules)) == 1


# When their time comes


def test_a_schedule_is_due_once_at_its_time(world, operator, schedules, script):
    sent = {"event": EVENT, "executeAt": world.clock.now + HOUR, "function": "tidy"}
    made = world.trusted.made("/applications/me/reactor/schedules", sent)
    assert passed(world, HOUR - SECOND) == []
    (run,) = passed(world, SECOND)
    assert (run.function, run.payload, run.app, run.project) == ("tidy", EVENT, world.application_id, world.project)
    assert (run.at, run.kind, run.script, run.chain) == (made["executeAt"], "script", 1, ())
    assert passed(world, 100 * HOUR) == []


def test_a_cron_expression_is_due_again_and_again(world, operator, schedules, script):
    operator.made(schedules, HOURLY)
    found = [each for _ in range(3) for each in passed(world, HOUR)]
    assert [each.at for each in found] == [SUNDAY_NOON + HOUR * number for number in (1, 2, 3)]
    assert len({each.id for each in found}) == 3


def test_a_firing_that_comes_twice_is_the_same_run(world, operator, schedules, script):
    made = operator.made(schedules, HOURLY)
    passed(world, HOUR)
    task = {"do": "fire", "account": world.account, "app": world.application_id, "schedule": made["id"]}
    for _ in range(2):
        world.queues["work"].send(json.dumps({**task, "due": SUNDAY_NOON + HOUR}))
    one, other = passed(world, 0)
    assert one == other


def test_one_that_is_disabled_deleted_or_changed_meanwhile_is_not_due(world, operator, schedules, script):
    disabled, deleted, moved = (operator.made(schedules, HOURLY)["id"] for _ in range(3))
    world.settle()
    operator.put(f"{schedules}/{disabled}", {"enabled": False})
    operator.delete(f"{schedules}/{deleted}")
    operator.put(f"{schedules}/{moved}", {"cron": "0 30 * * * ?"})
    world.clock.now += HOUR
    world.scheduler.step()  # it has not heard of any of this
    assert passed(world, 0) == []
    assert [each.at for each in passed(world, HOUR // 2)] == [SUNDAY_NOON + HOUR * 3 // 2]
    operator.put(f"{schedules}/{disabled}", {"enabled": True})
    assert len(passed(world, HOUR // 2)) == 1


def test_a_schedule_that_is_due_before_the_scheduler_hears_of_it_runs_all_the_same(world, operator, schedules, script):
    operator.made(schedules, {"event": EVENT, "executeAt": world.clock.now + 1})
    world.clock.now += SECOND
    assert [each.at for each in passed(world, 0)] == [SUNDAY_NOON + 1]
    made = operator.read(schedules)[0]["id"]
    operator.put(f"{schedules}/{made}", {"description": "it was"})
    assert passed(world, HOUR) == [], "what has run is not run again by a change of something else"


def test_what_came_due_while_nothing_ran_is_told_and_not_made_up_for(world, operator, schedules, script):
    operator.made(schedules, {**HOURLY, "description": "count"})
    world.settle()
    assert passed(world, 5 * HOUR + 2 * 60 * SECOND) == []
    (told,) = messages(world)
    assert "(count) missed 5 of its times from 2026-03-15 13:00:00 UTC on" in told
    assert [each.at for each in passed(world, HOUR - 2 * 60 * SECOND)] == [SUNDAY_NOON + 6 * HOUR]


def test_what_was_due_once_while_nothing_ran_runs_late_and_says_so(world, operator, schedules, script):
    operator.made(schedules, {"event": EVENT, "executeAt": world.clock.now + HOUR})
    world.settle()
    (run,) = passed(world, 2 * HOUR)
    assert run.at == SUNDAY_NOON + HOUR
    (told,) = messages(world)
    assert "runs 3,600 seconds late" in told


def test_what_was_due_before_the_scheduler_heard_of_it_says_how_late_it_runs(world, operator, schedules, script):
    operator.made(schedules, {"event": EVENT, "executeAt": world.clock.now + HOUR})
    world.clock.now += 2 * HOUR
    (run,) = passed(world, 0)
    assert run.at == SUNDAY_NOON + HOUR
    (told,) = messages(world)
    assert "runs 3,600 seconds late" in told


def test_an_application_without_a_script_is_told_so(world: World, operator: Client, schedules):
    operator.made(schedules, HOURLY)
    assert passed(world, HOUR) == []
    assert "has no script that could run onScheduledEvent" in messages(world)[0]


def test_a_minute_that_eventbridge_tells_waits_for_its_second(world, operator, schedules, script):
    made = operator.made(schedules, {"event": EVENT, "cron": "30 0 * * * ?"})
    world.settle()
    world.scheduler.delete(made["id"])
    task = {"do": "fire", "account": world.account, "app": world.application_id, "schedule": made["id"]}
    world.queues["work"].send(json.dumps({**task, "due": "2026-03-15T13:00:00Z"}))
    assert passed(world, HOUR) == []
    (run,) = passed(world, 30 * SECOND)
    assert run.at == SUNDAY_NOON + HOUR + 30 * SECOND


def test_a_change_while_the_scheduler_is_told_is_told_too(world, operator, schedules, script, monkeypatch):
    made = operator.made(schedules, HOURLY)["id"]
    real, seen = world.scheduler.put, []

    def put(name, timing, task):
        if not seen:
            seen.append(name)
            operator.put(f"{schedules}/{made}", {"cron": "0 30 * * * ?"})
        real(name, timing, task)

    monkeypatch.setattr(world.scheduler, "put", put)
    changes = world.feed.read("dispatch")
    handler_of("dispatch")(stream_event(changes), None)
    world.feed.commit("dispatch", changes[-1].sequence)
    (message, *_) = world.queues["work"].receive()
    records = [{"messageId": "1", "body": message.body}]
    assert handler_of("work")({"Records": records}, None) == {"batchItemFailures": []}
    world.clock.now += HOUR // 2
    assert world.scheduler.step() == 1
