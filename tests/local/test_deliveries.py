import threading

import pytest

from fingerpost.local.deliveries import Delivery, ManyAtOnce, queue_event
from fingerpost.local.queue import local_queue
from fingerpost.ports.queue import Message


@pytest.fixture
def queue(tmp_path):
    queue = local_queue(tmp_path, "spill")
    yield queue
    queue.file.close()


def bodies(event):
    return [record["body"] for record in event["Records"]]


def left(queue):
    """Bodies of what is still in the queue, hidden or not."""
    rows = queue.file.session().connection.execute("SELECT body FROM messages ORDER BY id")
    return [body for (body,) in rows]


def test_a_message_looks_as_it_does_in_lambda():
    (record,) = queue_event("spill", [Message("1", "hello", "r", 2)])["Records"]
    assert (record["messageId"], record["receiptHandle"], record["body"]) == ("1", "r", "hello")
    assert record["attributes"]["ApproximateReceiveCount"] == "2"
    assert record["md5OfBody"] == "5d41402abc4b2a76b9719d911017c592"
    assert record["eventSource"] == "aws:sqs"


def test_what_was_taken_leaves_the_queue(queue):
    queue.send("a")
    queue.send("b")
    taken = []
    assert Delivery("spill", queue, lambda event: taken.extend(bodies(event))).step() == 2
    assert (taken, left(queue)) == (["a", "b"], [])
    assert Delivery("spill", queue, lambda event: None).step() == 0


def test_only_what_failed_stays(queue):
    queue.send("a")
    queue.send("b")

    def consume(event):
        failed = [record["messageId"] for record in event["Records"] if record["body"] == "b"]
        return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in failed]}

    Delivery("spill", queue, consume).step()
    assert left(queue) == ["b"]


def test_everything_stays_when_the_function_fails_or_names_a_stranger(queue, capfd):
    def fail(event):
        raise RuntimeError("broken")

    queue.send("a")
    Delivery("spill", queue, fail).step()
    assert left(queue) == ["a"]
    assert "broken" in capfd.readouterr().err
    queue.send("b")
    Delivery("spill", queue, lambda event: {"batchItemFailures": [{"itemIdentifier": "?"}]}).step()
    assert left(queue) == ["a", "b"]


# ---- many at once


@pytest.fixture
def lanes(tmp_path):
    queue = local_queue(tmp_path, "reactor", ordered=True)
    yield queue
    queue.file.close()


def test_messages_are_consumed_side_by_side_and_one_more_waits_for_room(lanes):
    for group in ("a", "b", "c"):
        lanes.send(group, group=group)
    begun, go_on = threading.Semaphore(0), threading.Event()

    def consume(event):
        begun.release()
        go_on.wait(10)

    many = ManyAtOnce(Delivery("reactor", lanes, consume), at_once=2, visibility_ms=60_000)
    for _ in range(2):
        assert many.step(1) is True
        assert begun.acquire(timeout=10)  # it is in the function, and stays there
    assert many.step(0.01) is True  # no room: look again
    assert not begun.acquire(blocking=False)
    go_on.set()
    assert many.step(10) is True
    assert begun.acquire(timeout=10)
    many.close(wait=True)


def test_a_group_has_one_of_many(lanes):
    lanes.send("a1", group="a")
    lanes.send("a2", group="a")
    begun, go_on = threading.Event(), threading.Event()

    def consume(event):
        begun.set()
        go_on.wait(10)

    many = ManyAtOnce(Delivery("reactor", lanes, consume), at_once=5, visibility_ms=60_000)
    assert many.step(1) is True
    assert begun.wait(10)
    assert many.step(1) is False  # its second one has to wait
    go_on.set()
    many.close(wait=True)
