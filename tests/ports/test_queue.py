"""The contract of the `Queue` port, on SQLite and on SQS as moto has it; fairness and durability on SQLite."""

import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fingerpost.local.queue import DEAD_AFTER, SqliteQueue, local_queue
from fingerpost.ports.queue import MAX_BODY_BYTES

SECOND = 1000
FIFO = {"QueueName": "reactor.fifo", "Attributes": {"FifoQueue": "true", "ContentBasedDeduplication": "true"}}


class MotoSqs:
    """What SqsQueue asks of a transport, answered by boto3 over moto."""

    def __init__(self, client):
        self._client = client

    def call(self, action, payload, *, deadline_ms):
        return getattr(self._client, re.sub(r"(?<!^)([A-Z])", r"_\1", action).lower())(**payload)


@pytest.fixture
def sqs(clock, monkeypatch):
    import boto3
    import moto

    with moto.mock_aws():
        monkeypatch.setattr("moto.sqs.models.unix_time_millis", lambda *_: float(clock.now))
        client = boto3.client("sqs", "eu-west-1", aws_access_key_id="contract", aws_secret_access_key="secret")
        dead = client.create_queue(QueueName="work-dead")["QueueUrl"]
        arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": {DEAD_AFTER}}}'
        live = client.create_queue(QueueName="work", Attributes={"RedrivePolicy": policy})["QueueUrl"]
        yield MotoSqs(client), live, dead


@pytest.fixture(params=["sqlite", "sqs"])
def queues(request, clock, tmp_path):
    """A queue and its dead letters."""
    if request.param == "sqlite":
        queue = local_queue(tmp_path, "work", clock=clock)
        return queue, queue
    from fingerpost.aws.queue import SqsDeadLetters, SqsQueue

    transport, live, dead = request.getfixturevalue("sqs")
    return SqsQueue(live, transport), SqsDeadLetters(dead, transport)


@pytest.fixture
def queue(queues):
    return queues[0]


@pytest.fixture(params=["sqlite", "sqs"])
def ordered(request, clock, tmp_path):
    """A queue that hands out one message of a group at a time."""
    if request.param == "sqlite":
        return local_queue(tmp_path, "reactor", ordered=True, clock=clock)
    from fingerpost.aws.queue import SqsQueue

    transport, _, _ = request.getfixturevalue("sqs")
    return SqsQueue(transport.call("CreateQueue", FIFO, deadline_ms=0)["QueueUrl"], transport)


@pytest.fixture
def local(tmp_path, clock) -> SqliteQueue:
    return local_queue(tmp_path, "work", clock=clock)


def bodies(messages):
    return sorted(message.body for message in messages)


def test_a_message_comes_once_while_it_is_being_worked_on(queue, clock):
    queue.send('{"n": 1, "text": "\u00e9\U0001f9ed"}')
    (message,) = queue.receive()
    assert (message.body, message.attempts) == ('{"n": 1, "text": "\u00e9\U0001f9ed"}', 1)
    assert queue.receive() == []
    queue.delete(message.receipt)
    clock.now += 3600 * SECOND
    assert queue.receive() == []


def test_a_message_that_is_not_deleted_comes_again(queue, clock):
    queue.send("work")
    (first,) = queue.receive(visibility_ms=5 * SECOND)
    clock.now += 4 * SECOND
    assert queue.receive() == []
    clock.now += 2 * SECOND
    (second,) = queue.receive(visibility_ms=5 * SECOND)
    assert (second.id, second.body, second.attempts) == (first.id, "work", 2)


def test_a_delayed_message_waits(queue, clock):
    queue.send("later", delay_ms=10 * SECOND)
    queue.send("now")
    assert bodies(queue.receive()) == ["now"]
    clock.now += 11 * SECOND
    assert bodies(queue.receive()) == ["later"]


def test_a_receive_answers_no_more_than_asked_for(queue):
    for number in range(12):
        queue.send(f"{number:02d}", group=f"g{number % 3}")
    first, second, third = queue.receive(3), queue.receive(10), queue.receive(10)
    assert [len(first), len(second), len(third)] == [3, 9, 0]
    assert bodies(first + second) == [f"{number:02d}" for number in range(12)]


def test_a_message_tried_too_often_is_set_aside_and_can_be_sent_again(queues, clock):
    queue, dead_letters = queues
    queue.send("poison", group="a")
    queue.send("good", group="a")
    for attempt in range(1, DEAD_AFTER + 1):
        received = {message.body: message for message in queue.receive(visibility_ms=SECOND)}
        assert received["poison"].attempts == attempt
        if "good" in received:
            queue.delete(received["good"].receipt)
        assert dead_letters.dead() == []
        clock.now += 2 * SECOND
    assert queue.receive() == []
    assert bodies(dead_letters.dead()) == ["poison"]
    assert bodies(dead_letters.dead(1)) == ["poison"]


@pytest.mark.parametrize(
    ("body", "options"),
    [
        ("", {}),
        ("x" * (MAX_BODY_BYTES + 1), {}),
        ("\u00e9" * (MAX_BODY_BYTES // 2 + 1), {}),
        ("nul \0", {}),
        ("half \ud800", {}),
        ("x", {"group": "g" * 129}),
        ("x", {"group": "white space"}),
        ("x", {"delay_ms": -1}),
        ("x", {"delay_ms": 15 * 60 * SECOND + 1}),
    ],
    ids=["empty", "large", "large in bytes", "nul", "surrogate", "long group", "bad group", "past", "too late"],
)
def test_what_sqs_would_refuse_is_refused(queue, body, options):
    with pytest.raises(ValueError):
        queue.send(body, **options)
    assert queue.receive() == []


@pytest.mark.parametrize("options", [{"limit": 0}, {"limit": 11}, {"visibility_ms": -1}, {"visibility_ms": 10**9}])
def test_a_receive_has_bounds(queue, options):
    with pytest.raises(ValueError):
        queue.receive(**options)


def test_the_largest_message_goes_through(queue):
    queue.send("x" * MAX_BODY_BYTES, group="!" * 128)
    assert len(queue.receive()[0].body) == MAX_BODY_BYTES


# SQLite alone


def test_an_old_receipt_deletes_nothing(local, clock):
    local.send("work")
    (first,) = local.receive(visibility_ms=SECOND)
    clock.now += SECOND
    (second,) = local.receive(visibility_ms=SECOND)
    local.delete(first.receipt)
    local.delete("nonsense")
    clock.now += SECOND
    (third,) = local.receive(visibility_ms=SECOND)
    assert third.id == second.id
    local.delete(third.receipt)
    clock.now += SECOND
    assert local.receive() == []


def test_a_redrive_brings_the_dead_back_with_no_attempts_counted(local, clock):
    local.send("poison", group="a")
    for _ in range(DEAD_AFTER + 1):
        local.receive(visibility_ms=SECOND)
        clock.now += SECOND
    assert [message.attempts for message in local.dead()] == [DEAD_AFTER]
    assert local.redrive() == 1
    assert local.dead() == []
    assert [(message.body, message.attempts) for message in local.receive()] == [("poison", 1)]
    assert local.redrive() == 0


def test_dead_messages_do_not_make_a_receive_short(local, clock):
    for number in range(8):
        local.send(f"poison {number}")
    for _ in range(DEAD_AFTER):
        assert len(local.receive(visibility_ms=SECOND)) == 8
        clock.now += SECOND
    for number in range(3):
        local.send(f"good {number}")
    assert bodies(local.receive(3)) == ["good 0", "good 1", "good 2"]


def test_groups_take_turns(local):
    for number in range(30):
        local.send(f"big {number}", group="big")
    for number in range(3):
        local.send(f"small {number}", group="small")
    local.send("tiny", group="tiny")
    groups = Counter(message.body.split()[0] for message in local.receive(6))
    assert groups == {"big": 3, "small": 2, "tiny": 1}


def test_a_backlog_delays_another_group_by_one_turn_only(local):
    for number in range(20):
        local.send(f"big {number}", group="big")
    assert [message.body for message in local.receive(2)] == ["big 0", "big 1"]
    local.send("small", group="small")
    assert [local.receive(1)[0].body, local.receive(1)[0].body] == ["big 2", "small"]


def test_a_group_that_comes_and_goes_does_not_starve_a_backlog(local):
    for number in range(5):
        local.send(f"big {number}", group="big")
    received = []
    for _ in range(10):
        local.send("small", group="small")
        (message,) = local.receive(1)
        local.delete(message.receipt)
        received.append(message.body.split()[0])
    assert received.count("big") == 5


def test_groups_without_messages_leave_no_trace(local):
    for number in range(5):
        local.send("x", group=f"g{number}")
    while messages := local.receive():
        for message in messages:
            local.delete(message.receipt)
    assert local.file.session().connection.execute("SELECT count(*) FROM turns").fetchone() == (0,)


def test_queues_of_one_file_are_apart(local, tmp_path, clock):
    other = local_queue(tmp_path, "spill", clock=clock)
    other.send("spilled")
    assert local.receive() == []
    (message,) = other.receive()
    local.delete(message.receipt)
    clock.now += 60 * SECOND
    assert bodies(other.receive()) == ["spilled"]


def test_a_message_goes_to_one_of_many_receivers(local):
    for number in range(60):
        local.send(f"{number:02d}", group=f"g{number % 4}")

    def drain(_):
        taken = []
        while messages := local.receive(4):
            taken += [message.body for message in messages]
        return taken

    with ThreadPoolExecutor(4) as pool:
        received = [body for taken in pool.map(drain, range(4)) for body in taken]
    assert sorted(received) == [f"{number:02d}" for number in range(60)]


SENDER = """
import sys
from fingerpost.local.queue import local_queue
queue = local_queue(sys.argv[1], "work")
for number in range(100_000):
    queue.send(f"{number}", group=f"g{number % 3}")
    print(number, flush=True)
"""


def test_a_sent_message_survives_the_sudden_death_of_its_sender(tmp_path):
    path = Path(__file__).parents[2] / "layers" / "core" / "python"
    command = [sys.executable, "-c", SENDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(path)}) as sender:
        acknowledged = [sender.stdout.readline().strip() for _ in range(40)]
        sender.kill()
        acknowledged += sender.stdout.read().split()
    queue, received = local_queue(tmp_path, "work"), set()
    while messages := queue.receive():
        received |= {message.body for message in messages}
    assert set(acknowledged) <= received


# ---- ordered queues


def test_of_a_group_one_message_is_out_at_a_time_and_no_other_group_waits(ordered):
    for body, group in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        ordered.send(body, group=group)
    first, second = ordered.receive(1), ordered.receive(1)
    assert bodies([*first, *second]) == ["a1", "b1"]
    assert ordered.receive(1) == []
    ordered.delete(first[0].receipt if first[0].body == "a1" else second[0].receipt)
    assert bodies(ordered.receive(1)) == ["a2"]


def test_a_group_goes_on_when_the_time_of_what_is_out_is_up(ordered, clock):
    ordered.send("a1", group="a")
    ordered.send("a2", group="a")
    assert bodies(ordered.receive(1, 30 * SECOND)) == ["a1"]
    clock.now += 31 * SECOND
    (again,) = ordered.receive(1, 30 * SECOND)
    ordered.delete(again.receipt)
    assert {again.body, *bodies(ordered.receive(1))} == {"a1", "a2"}


@pytest.mark.parametrize("named", [{}, {"group": "a", "delay_ms": 1000}])
def test_an_ordered_queue_takes_nothing_without_a_group_or_for_later(ordered, named):
    with pytest.raises(ValueError, match="a group and no delay"):
        ordered.send("x", **named)


def test_what_receivers_who_are_gone_have_not_deleted_is_taken_back(tmp_path, clock):
    queue, other = (local_queue(tmp_path, name, ordered=True, clock=clock) for name in ("reactor", "other"))
    for each in (queue, other):
        each.send("a1", group="a")
        each.send("a2", group="a")
        assert bodies(each.receive(1, 120 * SECOND)) == ["a1"]
        assert each.receive(1) == []
    assert queue.take_back() == 1
    assert bodies(queue.receive(1)) in (["a1"], ["a2"])
    assert other.receive(1) == []
