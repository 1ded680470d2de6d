"""Runs off the queue: each once, with the application's key, what happened in its log, chains that come to an end."""

import contextlib
import itertools
import json
from collections import Counter

import pytest

from fingerpost import keys, wiring
from fingerpost.following import dispatch
from fingerpost.ports.runner import LEVELS, LogLine, NoRunner, RunResult
from fingerpost.ports.table import Throttled, Unreachable
from fingerpost.reactor import chain, published, runs
from fingerpost.reactor.claims import KEPT_MS, LEASE_MS
from fingerpost.reactor.consumer import Consumer, StillRunning
from fingerpost.reactor.published import Script
from fingerpost.reactor.runs import Run
from tests.functions.world import handler_of
from tests.stores import Crash, crashing, hooked

_events = itertools.count(1)


class FakeRunner:
    """Notes what it is asked to run; answers with `result`, or raises it."""

    def __init__(self):
        self.asked, self.result = [], RunResult(outcome="done")

    def run(self, request):
        self.asked.append(request)
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


class Stage:
    def __init__(self, world, runner):
        self.world, self.runner, self.rules = world, runner, []
        self.main = world.tables.of(world.account).main

    def publish(self, version=1):
        published.set_script(
            self.main,
            self.world.project,
            Script(app=self.world.application_id, version=version, bundle=f"reactor/{version}.zip", functions=()),
        )

    def run(self, function="onActionCreated", **more):
        known = {
            "event": f"{next(_events):032x}",
            "account": self.world.account,
            "project": self.world.project,
            "app": self.world.application_id,
            "function": function,
            "payload": {"action": {"id": "1"}},
            "at": self.world.clock.now,
            "cause": "request-1",
        }
        return Run(**{**known, **more})

    def carry_out(self, run):
        rules = lambda run, tables, at: self.rules.append((run, at))  # noqa: E731
        Consumer(self.world.tables, rules, lambda: self.runner).carry_out(run)

    def log(self):
        """(level, message) of every entry, oldest first."""
        tables = self.world.tables.of(self.world.account)
        rows = tables.log.query(keys.reactor_logs(self.world.application_id), limit=1_000).rows
        return [(row.item["level"], row.item["message"]) for row in rows]


@pytest.fixture
def stage(world, monkeypatch):
    monkeypatch.setattr("fingerpost.retry.time.sleep", lambda seconds: None)
    made = Stage(world, FakeRunner())
    made.publish()
    return made


def test_a_run_has_the_applications_key_and_document_and_a_header_that_says_what_led_to_it(stage, world):
    run = stage.run(chain=("U1:onThngPropertiesChanged",))
    stage.carry_out(run)
    (request,) = stage.runner.asked
    assert (request.bundle, request.tenant, request.function) == (
        "reactor/1.zip",
        world.application_id,
        "onActionCreated",
    )
    assert request.payload == {"action": {"id": "1"}}
    assert request.api_url == "https://api.example"
    assert request.api_key == world.trusted.key
    assert (request.app["id"], request.app["project"], request.app["name"]) == (
        world.application_id,
        world.project,
        "Guide",
    )
    assert not [name for name in request.app if name.startswith("_")]
    assert chain.read(world.account, request.header) == (
        "U1:onThngPropertiesChanged",
        f"{world.application_id}:onActionCreated",
    )


def test_the_log_begins_with_the_platforms_own_word_and_has_the_scripts_lines(stage, world):
    at = world.clock.now
    lines = (LogLine("info", "hello", at + 5), LogLine("error", "onActionCreated was ended: time", at + 6))
    stage.runner.result = RunResult(outcome="timeout", logs=lines)
    run = stage.run()
    stage.carry_out(run)
    assert stage.log() == [
        ("trace", f"onActionCreated: version 1, event {run.event}"),
        ("info", "hello"),
        ("error", "onActionCreated was ended: time"),
    ]


def test_a_message_that_comes_twice_runs_once(stage, world):
    run = stage.run()
    for _ in range(3):
        stage.carry_out(run)
        world.clock.now += LEASE_MS + 1
    assert len(stage.runner.asked) == 1
    assert len(stage.log()) == 1


def test_two_functions_and_two_applications_run_for_one_event_each(stage):
    event = stage.run().event
    for function in ("onActionCreated", "onThngPropertiesChanged"):
        stage.carry_out(stage.run(function, event=event))
    assert [request.function for request in stage.runner.asked] == ["onActionCreated", "onThngPropertiesChanged"]


def test_a_run_that_goes_on_elsewhere_is_left_alone(stage):
    run = stage.run()
    stage.runner.result = Crash()
    with pytest.raises(Crash):
        stage.carry_out(run)
    with pytest.raises(StillRunning, match=run.event):
        stage.carry_out(run)
    assert len(stage.runner.asked) == 1


def test_a_run_whose_worker_is_known_to_be_gone_is_repeated_without_waiting(stage, world, monkeypatch):
    run = stage.run()
    stage.runner.result = Crash()
    with pytest.raises(Crash):
        stage.carry_out(run)
    world.clock.now += 1
    monkeypatch.setattr(wiring, "alone_since", world.clock.now)
    with pytest.raises(Crash):
        stage.carry_out(run)
    with pytest.raises(StillRunning):  # which this worker has begun itself
        stage.carry_out(run)
    assert ("warn", "onActionCreated is repeated after interruption") in stage.log()


def test_a_run_whose_worker_died_is_run_once_more_and_no_third_time(stage, world):
    run = stage.run()
    stage.runner.result = Crash()
    for _ in range(4):
        with contextlib.suppress(Crash):
            stage.carry_out(run)
        world.clock.now += LEASE_MS + 1
    assert len(stage.runner.asked) == 2
    assert [message for level, message in stage.log() if level != "trace"] == [
        "onActionCreated is repeated after interruption",
        "onActionCreated was interrupted twice; it is not run again",
    ]


def test_a_worker_that_dies_while_it_writes_the_log_leaves_no_line_twice_that_its_repetition_does_not_write(
    stage, world, monkeypatch
):
    run = stage.run()
    stage.runner.result = RunResult(outcome="done", logs=(LogLine("info", "hello", world.clock.now),))
    with monkeypatch.context() as patched:
        patched.setattr("fingerpost.reactor.claims.Claim.end", lambda self, now: (_ for _ in ()).throw(Crash()))
        with pytest.raises(Crash):
            stage.carry_out(run)
    world.clock.now += LEASE_MS + 1
    stage.carry_out(run)
    assert [message for level, message in stage.log() if level == "info"] == ["hello", "hello"]


def test_what_the_runner_refuses_for_now_comes_again_as_if_nothing_had_been(stage):
    run = stage.run()
    stage.runner.result = Throttled("Lambda: TooManyRequests")
    for _ in range(5):
        with pytest.raises(Throttled):
            stage.carry_out(run)
    stage.runner.result = RunResult(outcome="done")
    stage.carry_out(run)
    assert {level for level, _ in stage.log()} == {"trace"}
    assert len(stage.log()) == 1


def failing_at(world, monkeypatch, name, failure):
    """The log's table refuses calls of this name, until the context ends."""
    table = type(world.tables.log)
    real = getattr(table, name)

    def call(self, *args, **more):
        if self is world.tables.log:
            raise failure
        return real(self, *args, **more)

    monkeypatch.setattr(table, name, call)


@pytest.mark.parametrize("failure", [Throttled("busy"), Unreachable("silence")])
def test_a_store_that_fails_before_a_script_has_begun_costs_none_of_its_starts(stage, world, monkeypatch, failure):
    run = stage.run()
    for _ in range(4):
        with monkeypatch.context() as patched:
            failing_at(world, patched, "put_many", failure)
            with pytest.raises(type(failure)):
                stage.carry_out(run)
    assert stage.runner.asked == []
    stage.carry_out(run)
    assert [level for level, _ in stage.log()] == ["trace"]
    assert len(stage.runner.asked) == 1


@pytest.mark.parametrize("failure", [Throttled("busy"), Unreachable("silence")])
def test_a_store_that_fails_after_a_script_has_run_has_it_repeated_with_a_word(stage, world, monkeypatch, failure):
    run = stage.run()
    stage.runner.result = RunResult(outcome="done", logs=(LogLine("info", "hello", world.clock.now),))
    with monkeypatch.context() as patched:
        patched.setattr(
            stage.runner,
            "run",
            lambda request: failing_at(world, patched, "put_many", failure) or FakeRunner.run(stage.runner, request),
        )
        with pytest.raises(type(failure)):
            stage.carry_out(run)
    with pytest.raises(StillRunning):
        stage.carry_out(run)
    world.clock.now += LEASE_MS + 1
    stage.carry_out(run)
    assert [level for level, _ in stage.log() if level != "trace"] in (["info", "warn"], ["warn", "info"])
    assert len(stage.runner.asked) == 2


def test_a_runner_that_refuses_for_a_moment_is_asked_again(stage):
    refusals = [Throttled("Lambda: TooManyRequests")] * 2

    class Busy(FakeRunner):
        def run(self, request):
            if refusals:
                raise refusals.pop()
            return super().run(request)

    stage.runner = Busy()
    stage.carry_out(stage.run())
    assert len(stage.runner.asked) == 1


def test_a_run_of_which_no_word_comes_may_have_been_so_it_is_repeated_with_a_word(stage, world):
    run = stage.run()
    stage.runner.result = Unreachable("Lambda: silence")
    with pytest.raises(Unreachable):
        stage.carry_out(run)
    with pytest.raises(StillRunning):
        stage.carry_out(run)
    world.clock.now += LEASE_MS + 1
    stage.runner.result = RunResult(outcome="done")
    stage.carry_out(run)
    assert ("warn", "onActionCreated is repeated after interruption") in stage.log()


@pytest.mark.parametrize("failure", [NoRunner("no node"), RunResult(outcome="unavailable", detail="no such bundle")])
def test_a_run_that_cannot_be_says_so_once(stage, failure):
    stage.runner.result = failure
    run = stage.run()
    stage.carry_out(run)
    stage.carry_out(run)
    assert [entry for entry in stage.log() if entry[0] == "error"] == [
        ("error", "onActionCreated could not be run; it is not tried again")
    ]


def test_that_a_script_lacks_the_function_of_an_event_is_no_news_and_of_a_schedule_it_is(stage, world):
    absent = LogLine("warn", "The script has no function", world.clock.now)
    stage.runner.result = RunResult(outcome="absent", logs=(absent,))
    stage.carry_out(stage.run())
    assert [level for level, _ in stage.log()] == ["trace"]
    stage.carry_out(stage.run("nightly"))
    assert ("warn", "The script has no function") in stage.log()


def test_what_runs_is_the_script_that_is_current_by_then(stage):
    run = stage.run(script=1)
    stage.publish(version=2)
    stage.carry_out(run)
    assert [request.bundle for request in stage.runner.asked] == ["reactor/2.zip"]


def test_a_script_or_an_application_that_went_meanwhile_does_not_run(stage, world):
    run, later = stage.run(), stage.run()
    published.forget(stage.main, world.project, world.application_id)
    stage.carry_out(run)
    stage.publish()
    path = f"/projects/{world.project}/applications/{world.application_id}"
    assert world.operator.delete(path).status == 200
    stage.carry_out(later)
    assert stage.runner.asked == []


def test_a_chain_ends_after_ten_levels_with_an_entry_that_shows_it(stage, world):
    level = f"{world.application_id}:onActionCreated"
    stage.carry_out(stage.run(chain=(level,) * (chain.MAX_LEVELS - 1)))
    assert len(stage.runner.asked) == 1
    too_deep = stage.run(chain=tuple(f"U{number}:f" for number in range(chain.MAX_LEVELS)))
    stage.carry_out(too_deep)
    stage.carry_out(too_deep)
    assert len(stage.runner.asked) == 1
    (message,) = [message for entry, message in stage.log() if entry == "error"]
    assert "more than 10 runs led to it" in message
    assert message.endswith("U0:f > U1:f > U2:f > U3:f > U4:f > U5:f > U6:f > U7:f > U8:f > U9:f > " + level)


def test_a_rule_is_carried_out_once_and_needs_no_script(stage, world):
    published.forget(stage.main, world.project, world.application_id)
    run = stage.run(kind="rule", rule="welcome")
    for _ in range(2):
        stage.carry_out(run)
    assert stage.rules == [(run, world.clock.now)]
    assert stage.runner.asked == []


def test_a_rule_that_the_store_keeps_from_being_carried_out_comes_again_at_once(stage, monkeypatch):
    run, failures = stage.run(kind="rule", rule="welcome"), [Unreachable("?"), Throttled("busy")]

    def rules(run, tables, at):
        if failures:
            raise failures.pop()
        stage.rules.append(run)

    for expected in (Throttled, Unreachable):
        with pytest.raises(expected):
            Consumer(stage.world.tables, rules, lambda: stage.runner).carry_out(run)
    Consumer(stage.world.tables, rules, lambda: stage.runner).carry_out(run)
    assert stage.rules == [run]


def test_a_claim_outlives_whatever_may_bring_its_message_again(stage, world):
    run = stage.run()
    stage.carry_out(run)
    world.clock.now += KEPT_MS - 1_000
    stage.carry_out(run)
    assert len(stage.runner.asked) == 1


def test_the_function_answers_the_messages_that_must_come_again(stage, world, monkeypatch):
    monkeypatch.setattr(wiring, "runner", lambda: stage.runner)
    queue = world.queues["reactor"]
    for _ in range(2):
        runs.send(queue, stage.run())
    messages = [*queue.receive(1), *queue.receive(1)]
    stage.runner.result = Throttled("busy")
    records = [{"messageId": each.id, "body": each.body} for each in messages]
    answer = handler_of("scripts")({"Records": [*records, {"messageId": "x", "body": json.dumps({"what": 1})}]})
    assert {each["itemIdentifier"] for each in answer["batchItemFailures"]} == {each.id for each in messages} | {"x"}
    stage.runner.result = RunResult(outcome="done")
    assert handler_of("scripts")({"Records": records}) == {"batchItemFailures": []}


def test_a_large_event_is_forgotten_when_its_run_is_over_and_its_message_may_come_again(stage, world, monkeypatch):
    monkeypatch.setattr(wiring, "runner", lambda: stage.runner)
    run = stage.run(payload={"text": "x" * runs.MAX_CARRIED_BYTES})
    runs.send(world.queues["reactor"], run)
    (message,) = world.queues["reactor"].receive(1)
    event = {"Records": [{"messageId": "1", "body": message.body}]}
    for _ in range(2):
        assert handler_of("scripts")(event) == {"batchItemFailures": []}
    assert [request.payload for request in stage.runner.asked] == [run.payload]
    with pytest.raises(runs.PayloadGone):
        runs.received(message.body)


def test_a_key_stands_in_no_row_and_no_message(stage, world):
    run = stage.run()
    runs.send(world.queues["reactor"], run)
    stage.carry_out(run)
    key = world.trusted.key
    log = world.tables.log.store.session().connection.execute("SELECT item FROM rows").fetchall()
    (message,) = world.queues["reactor"].receive()
    assert key not in message.body
    assert not [item for (item,) in log if key in item]
    assert key not in repr(stage.runner.asked)
    assert LEVELS[0] == "trace"


def test_the_story_of_a_run_runs_the_script(stage, world, monkeypatch):
    monkeypatch.setattr(wiring, "runner", lambda: stage.runner)
    values = {"PROJECT": world.project, "APPLICATION": world.application_id, "THNG": "U2DTQ8000thn1PVhSp5eMGNd"}
    assert world.story("scripts/action-created", **values) == {"batchItemFailures": []}
    assert [request.payload["action"]["type"] for request in stage.runner.asked] == ["scans"]


# ---- whatever ends in the middle


def follow(world, tables):
    """Let dispatch see what has changed, until it has taken all of it; it reads and writes by `tables`."""
    while changes := world.feed.read("dispatch"):
        assert dispatch(changes, tables, world.queues["work"], world.queues["reactor"]) == []
        world.feed.commit("dispatch", changes[-1].sequence)


def consume(stage, tables):
    """Carry out what waits on the queue. A message goes when its run is over."""
    queue = stage.world.queues["reactor"]
    while messages := queue.receive(1, LEASE_MS + 1_000):
        for message in messages:
            Consumer(tables, lambda *_: None, lambda: stage.runner).carry_out(runs.received(message.body))
            queue.delete(message.receipt)


def counting(calls):
    def around(name, method, args):
        calls.append(name)
        return method(*args)

    return around


def happen(stage, thng):
    """Two events."""
    stage.world.operator.made("/actions/checkins", {"thng": thng})
    stage.world.clock.now += 1
    value = [{"value": stage.world.clock.now}]
    assert stage.world.operator.put(f"/thngs/{thng}/properties/n", value).status == 200


def test_a_process_that_ends_at_any_of_its_store_calls_loses_no_run_and_repeats_none_without_a_word(stage, world):
    script = Script(
        app=world.application_id,
        version=2,
        bundle="reactor/2.zip",
        functions=("onActionCreated", "onThngPropertiesChanged"),
    )
    published.set_script(stage.main, world.project, script)
    thng = world.operator.made("/thngs", {"name": "Pallet"}, project=world.project)["id"]
    happen(stage, thng)
    calls = []
    follow(world, hooked(world.tables, counting(calls)))
    consume(stage, hooked(world.tables, counting(calls)))
    assert len(stage.runner.asked) == 2
    assert len(calls) > 10
    for after in range(len(calls)):
        stage.runner.asked.clear()
        known = Counter(stage.log())
        stage.runner.result = RunResult(outcome="done", logs=(LogLine("info", "hello", world.clock.now),))
        happen(stage, thng)
        failing = hooked(world.tables, crashing(after))
        with contextlib.suppress(Crash):
            follow(world, failing)
            consume(stage, failing)
        world.clock.now += LEASE_MS + 2_000
        follow(world, world.tables)
        consume(stage, world.tables)
        ran = Counter(request.function for request in stage.runner.asked)
        said = [message for _, message in (Counter(stage.log()) - known).elements()]
        assert ran.keys() == {"onActionCreated", "onThngPropertiesChanged"}
        repeated = [name for name, times in ran.items() if times > 1]
        assert all(f"{name} is repeated after interruption" in said for name in repeated)
        assert ran.total() <= 3
        assert said.count("hello") >= 2
