"""What both schedulers promise, and what each does when it is late, replaced or restarted."""

import json
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from fingerpost.aws.scheduler import EventBridgeScheduler
from fingerpost.local.queue import local_queue
from fingerpost.local.scheduler import local_scheduler
from fingerpost.ports.scheduler import Once
from fingerpost.ports.table import Throttled, Unreachable
from fingerpost.reactor.cron import parse
from tests.stores import NOON, SettableClock

SECOND, HOUR = 1_000, 3_600_000
TASK = {"do": "fire", "account": "A", "schedule": "S"}
HOURLY = parse("0 0 * * * ?")


class Machine:
    """A local scheduler with its clock and queue; `again` is the same after a restart."""

    def __init__(self, folder: Path):
        self.folder, self.clock = folder, SettableClock()
        self.queue = local_queue(folder, "work", clock=self.clock)
        self.again()

    def again(self) -> None:
        self.scheduler = local_scheduler(self.folder, self.queue, clock=self.clock)

    def passed(self, ms: int):
        self.clock.now += ms
        while self.scheduler.step():
            pass
        found = []
        while messages := self.queue.receive():
            for each in messages:
                found.append(json.loads(each.body))
                self.queue.delete(each.receipt)
        return found


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


# ---- on one machine


def test_once_is_once(machine):
    machine.scheduler.put("s", Once(NOON + HOUR), TASK)
    assert machine.passed(HOUR - 1) == []
    assert machine.passed(1) == [{**TASK, "due": NOON + HOUR}]
    assert machine.passed(HOUR) == []


def test_a_cron_expression_comes_again_and_again(machine):
    machine.scheduler.put("s", HOURLY, TASK)
    assert [each["due"] for _ in range(3) for each in machine.passed(HOUR)] == [NOON + HOUR * n for n in (1, 2, 3)]


def test_what_is_put_again_comes_at_its_new_times_alone(machine):
    machine.scheduler.put("s", HOURLY, TASK)
    machine.scheduler.put("s", Once(NOON + 2 * HOUR), TASK)
    assert machine.passed(HOUR) == []
    assert len(machine.passed(HOUR)) == 1
    assert machine.passed(HOUR) == []


def test_what_is_deleted_does_not_come(machine):
    machine.scheduler.put("s", HOURLY, TASK)
    machine.scheduler.delete("s")
    machine.scheduler.delete("never was")
    assert machine.passed(5 * HOUR) == []


def test_a_restart_forgets_nothing(machine):
    machine.scheduler.put("s", HOURLY, TASK)
    machine.scheduler.put("t", Once(NOON + HOUR), TASK)
    machine.again()
    assert len(machine.passed(HOUR)) == 2


def test_what_was_missed_is_counted_and_not_made_up_for(machine):
    machine.scheduler.put("s", HOURLY, TASK)
    machine.again()
    assert machine.passed(5 * HOUR + 2 * 60 * SECOND) == [{**TASK, "due": NOON + HOUR, "missed": 5}]
    assert machine.passed(HOUR - 2 * 60 * SECOND) == [{**TASK, "due": NOON + 6 * HOUR}]


def test_what_was_due_once_comes_late(machine):
    machine.scheduler.put("s", Once(NOON + HOUR), TASK)
    assert machine.passed(3 * HOUR) == [{**TASK, "due": NOON + HOUR}]


def test_a_crash_between_the_queue_and_the_row_sends_the_same_again(machine, monkeypatch):
    machine.scheduler.put("s", HOURLY, TASK)
    real = machine.scheduler._queue.send

    def send(*args, **named):
        real(*args, **named)
        raise KeyboardInterrupt

    machine.clock.now += HOUR
    monkeypatch.setattr(machine.scheduler._queue, "send", send)
    with pytest.raises(KeyboardInterrupt):
        machine.scheduler.step()
    monkeypatch.undo()
    machine.again()
    assert machine.passed(0) == [{**TASK, "due": NOON + HOUR}] * 2


def test_what_has_no_time_any_more_is_forgotten(machine):
    machine.scheduler.put("s", parse("0 0 13 15 3 ? 2026"), TASK)
    assert len(machine.passed(HOUR)) == 1
    machine.scheduler.put("s", parse("0 0 13 15 3 ? 2026"), TASK)
    assert machine.passed(1000 * HOUR) == []


# ---- EventBridge


@pytest.fixture
def eventbridge(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("scheduler", region_name="eu-west-1")
        client.create_schedule_group(Name="scripts")
        yield client


@pytest.fixture
def scheduler(eventbridge):
    queue = "arn:aws:sqs:eu-west-1:123456789012:work"
    return EventBridgeScheduler(eventbridge, group="scripts", queue=queue, role="arn:aws:iam::123456789012:role/r")


def kept(client, name="s"):
    return client.get_schedule(Name=name, GroupName="scripts")


def test_a_schedule_is_made_in_its_group_and_replaced(eventbridge, scheduler):
    scheduler.put("s", Once(NOON + HOUR), TASK)
    made = kept(eventbridge)
    assert made["ScheduleExpression"] == "at(2026-03-15T13:00:00)"
    assert (made["ScheduleExpressionTimezone"], made["FlexibleTimeWindow"]) == ("UTC", {"Mode": "OFF"})
    assert json.loads(made["Target"]["Input"]) == {**TASK, "due": NOON + HOUR}
    scheduler.put("s", parse("30 45 14 * * ?"), TASK)
    made = kept(eventbridge)
    assert made["ScheduleExpression"] == "cron(45 14 * * ? *)"
    assert json.loads(made["Target"]["Input"]) == {**TASK, "due": "<aws.scheduler.scheduled-time>"}
    assert made["Target"]["Arn"].endswith(":work")


def test_a_schedule_is_deleted_and_one_that_is_not_there_too(eventbridge, scheduler):
    scheduler.put("s", HOURLY, TASK)
    scheduler.delete("s")
    scheduler.delete("s")
    assert eventbridge.list_schedules(GroupName="scripts")["Schedules"] == []


@pytest.mark.parametrize(
    ("code", "status", "raised"), [("ThrottlingException", 429, Throttled), ("InternalServer", 500, Unreachable)]
)
def test_what_eventbridge_cannot_do_now_is_a_fact_of_the_port(
    scheduler, monkeypatch, eventbridge, code, status, raised
):
    def refuse(**_):
        raise ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "CreateSchedule")

    monkeypatch.setattr(eventbridge, "create_schedule", refuse)
    with pytest.raises(raised):
        scheduler.put("s", HOURLY, TASK)
