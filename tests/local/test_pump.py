import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerpost.local.feed import SqliteFeed
from fingerpost.local.parked import ParkedRecords
from fingerpost.local.pump import BATCH, LONGEST_PAUSE_MS, Pace, Pump, after_failure, after_success
from fingerpost.local.table import local_tables
from fingerpost.ports.table import Change, Key


class ListFeed:
    """The feed's contract in memory, for one consumer."""

    def __init__(self, count):
        self.changes = [
            Change(sequence=f"{n:05d}", key=Key(f"k{n}", "-"), old=None, new={"n": n}) for n in range(count)
        ]
        self.done = 0

    def read(self, consumer, limit=100):
        return self.changes[self.done : self.done + limit]

    def commit(self, consumer, sequence):
        self.done = max(self.done, int(sequence) + 1)


def to_event(changes):
    return {"Records": [{"dynamodb": {"SequenceNumber": change.sequence}, "n": change.new["n"]} for change in changes]}


class Consumer:
    """Takes every record but the poisonous ones, whose failure it names or not."""

    def __init__(self, poison=(), *, names=True):
        self.poison, self.names, self.taken, self.batches = set(poison), names, [], []

    def __call__(self, event):
        numbers = [record["n"] for record in event["Records"]]
        self.batches.append(numbers)
        failed = [record for record in event["Records"] if record["n"] in self.poison]
        if failed and not self.names:
            raise RuntimeError("something in there")
        self.taken += [number for number in numbers if number not in self.poison]
        return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]} for record in failed]}


@pytest.fixture
def parked(tmp_path):
    records = ParkedRecords(tmp_path)
    yield records
    records.close()


def pump_to(feed, consumer, parked, **options):
    return Pump("derive", feed, consumer, to_event, parked, **options)


def drain(pump, feed, most=2_000):
    for _ in range(most):
        pump.step()
        if feed.done == len(feed.changes):
            return
    raise AssertionError(f"stuck at {feed.done}")


def test_every_record_reaches_the_consumer_in_order(parked):
    feed, consumer = ListFeed(BATCH * 2 + 7), Consumer()
    pump = pump_to(feed, consumer, parked)
    drain(pump, feed)
    assert consumer.taken == list(range(BATCH * 2 + 7))
    assert pump.step() == 0
    assert parked.count() == 0


def test_a_named_failure_is_retried_from_that_record_on(parked):
    feed, consumer = ListFeed(10), Consumer({4})
    pump = pump_to(feed, consumer, parked)
    assert pump.step() == 4
    assert feed.done == 4
    assert pump.pace.pause_ms > 0
    consumer.poison.clear()
    pump.step()
    assert consumer.batches[1] == [4, 5, 6, 7, 8, 9]
    assert feed.done == 10


def test_of_several_named_failures_the_first_counts(parked):
    feed = ListFeed(6)
    pump = pump_to(
        feed, lambda event: {"batchItemFailures": [{"itemIdentifier": "00005"}, {"itemIdentifier": "00002"}]}, parked
    )
    assert pump.step() == 2


@pytest.mark.parametrize("names", [True, False])
def test_a_poison_record_is_parked_and_the_rest_goes_on(parked, capfd, names):
    feed, consumer = ListFeed(300), Consumer({0, 150, 299}, names=names)
    drain(pump_to(feed, consumer, parked), feed)
    assert set(consumer.taken) == set(range(300)) - {0, 150, 299}
    assert parked.count() == 3
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [line["sequence"] for line in lines if line["message"] == "a feed record is parked"] == [
        "00000",
        "00150",
        "00299",
    ]


def test_a_failing_batch_is_bisected_down_to_the_record(parked):
    feed, consumer = ListFeed(8), Consumer({0}, names=False)
    pump = pump_to(feed, consumer, parked)
    for _ in range(4):
        pump.step()
    assert [len(batch) for batch in consumer.batches] == [8, 4, 2, 1]


def test_a_record_is_given_up_only_after_it_failed_itself_often_enough(parked):
    feed, consumer = ListFeed(8), Consumer({0}, names=False)
    pump = pump_to(feed, consumer, parked, max_attempts=3)
    drain(pump, feed)
    assert sum(batch == [0] for batch in consumer.batches) == 3


def test_a_failure_that_passes_parks_nothing(parked):
    feed, consumer = ListFeed(50), Consumer({10, 11, 12}, names=False)
    pump = pump_to(feed, consumer, parked)
    for _ in range(6):
        pump.step()
    consumer.poison.clear()
    drain(pump, feed)
    assert set(consumer.taken) == set(range(50))
    assert parked.count() == 0


@pytest.mark.parametrize(
    "answer", [{"batchItemFailures": [{"itemIdentifier": "unknown"}]}, {"batchItemFailures": [{}]}, "text"]
)
def test_an_answer_that_makes_no_sense_fails_the_batch(parked, answer):
    feed = ListFeed(3)
    assert pump_to(feed, lambda event: answer, parked).step() == 0
    assert feed.done == 0


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_an_answer_without_failures_is_success(parked, answer):
    feed = ListFeed(3)
    assert pump_to(feed, lambda event: answer, parked).step() == 3


def test_a_record_that_cannot_be_parked_is_not_lost():
    class NoParking:
        def park(self, *_):
            raise OSError("disk full")

    feed = ListFeed(3)
    pump = pump_to(feed, Consumer({0}), NoParking(), max_attempts=1)
    with pytest.raises(OSError):
        pump.step()
    assert feed.done == 0


def test_parked_records_are_replayed_on_request_and_kept_when_they_fail_again(parked):
    feed, consumer = ListFeed(5), Consumer({1, 3})
    pump = pump_to(feed, consumer, parked)
    drain(pump, feed)
    assert pump.replay() == 0
    consumer.poison = {3}
    assert parked.request_replay() == 2
    assert pump.replay() == 1
    assert pump.replay() == 0
    assert consumer.taken[-1] == 1
    assert parked.count() == 1
    consumer.poison = set()
    parked.request_replay()
    assert pump.replay() == 1
    assert parked.count() == 0


def test_parked_records_outlive_the_process(tmp_path):
    first = ParkedRecords(tmp_path)
    first.park("derive", "00001", {"n": 1})
    first.park("derive", "00001", {"n": 1})
    first.request_replay()
    first.close()
    second = ParkedRecords(tmp_path)
    (record,) = second.due("derive")
    assert (record.record, second.due("dispatch")) == ({"n": 1}, [])
    second.close()


@settings(max_examples=40, deadline=None)
@given(poison=st.sets(st.integers(0, 39), max_size=6), names=st.booleans(), limit=st.integers(1, 60))
def test_whatever_fails_everything_else_is_taken_and_nothing_is_lost(poison, names, limit):
    class Lot(dict):
        def park(self, consumer, sequence, record):
            self[sequence] = record

    lot, feed, consumer = Lot(), ListFeed(40), Consumer(poison, names=names)
    drain(pump_to(feed, consumer, lot, max_attempts=2, pace=Pace(limit=limit)), feed)
    assert set(consumer.taken) == set(range(40)) - poison
    assert {record["n"] for record in lot.values()} == poison


def test_a_restarted_pump_goes_on_where_the_last_one_committed(tmp_path, parked):
    tables = local_tables(tmp_path)
    for n in range(7):
        tables.main.put(Key(f"k{n}", "-"), {"n": n})
    first, second = Consumer({5}), Consumer()
    pump_to(SqliteFeed(tables.main.store.path), first, parked).step()
    pump_to(SqliteFeed(tables.main.store.path), second, parked).step()
    assert second.taken == [5, 6]
    tables.main.store.close()
    tables.log.store.close()


def test_an_empty_feed_is_looked_at_less_and_less_often_and_a_busy_one_at_once():
    pace, pauses = Pace(), []
    for _ in range(8):
        pace = after_success(pace, 0)
        pauses.append(pace.pause_ms)
    assert pauses == [5, 10, 20, 40, 80, 100, 100, 100]
    assert after_success(pace, 3).pause_ms == 0


def test_pauses_grow_up_to_a_bound():
    pace = Pace()
    for _ in range(100):
        pace = after_failure(pace, "00001", named=True, read=5)
    assert pace.pause_ms == LONGEST_PAUSE_MS
    assert after_failure(pace, "00002", named=True, read=5).pause_ms < pace.pause_ms
