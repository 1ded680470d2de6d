"""What the SQLite store promises beyond the ports: held writes, durability, checkpoints, other processes."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fingerpost.local.feed import local_feed
from fingerpost.local.store import Checkpointer, SqliteFile, SqliteStore
from fingerpost.local.table import SqliteTable, local_tables
from fingerpost.ports.table import (
    Absent,
    Add,
    ConditionFailed,
    Delete,
    ItemTooLarge,
    Key,
    Present,
    Put,
    Set,
    Throttled,
    TransactionFailed,
    Update,
)

CORE = Path(__file__).parents[2] / "layers" / "core" / "python"
BREAK_FEED = "CREATE TEMP TRIGGER broken BEFORE INSERT ON feed BEGIN SELECT raise(ABORT, 'disk'); END"
KEY, OTHER = Key("p", "s"), Key("p", "t")


@pytest.fixture
def table(tmp_path) -> SqliteTable:
    return local_tables(tmp_path).main


@pytest.fixture
def onlooker(table) -> SqliteTable:
    """The same table seen over another connection."""
    return SqliteTable(SqliteStore(table.store.path, feed=True))


def test_held_writes_are_seen_by_their_thread_alone_until_they_are_flushed(table, onlooker):
    table.store.hold()
    assert not table.store.dirty
    table.put(KEY, {"n": 1}, when=(Absent(),))
    table.update(KEY, (Add("n", 1),))
    table.put_many([Put(OTHER, {"n": 5})])
    table.transact([Update(KEY, (Add("n", 1),)), Delete(OTHER)])
    assert table.store.dirty
    assert table.get(KEY) == {"n": 3}
    assert table.count("p") == 1
    assert onlooker.get(KEY) is None
    table.store.flush()
    assert not table.store.dirty
    assert onlooker.get(KEY) == {"n": 3}
    assert onlooker.get(OTHER) is None


def test_a_held_operation_that_fails_leaves_no_trace_and_spoils_nothing(table, onlooker):
    table.store.hold()
    table.put(KEY, {"n": 1})
    for failing, error in (
        (lambda: table.put(KEY, {"n": 2}, when=(Absent(),)), ConditionFailed),
        (lambda: table.transact([Put(OTHER, {}), Put(KEY, {}, (Absent(),))]), TransactionFailed),
        (lambda: table.update(KEY, (Set("t", "x" * 500_000),)), ItemTooLarge),
        (lambda: table.put_many([Put(OTHER, {}), Put(Key("p", "u"), {"n": float("nan")})]), ValueError),
        (lambda: table.put(OTHER, {"n": "\ud800"}), ValueError),
    ):
        with pytest.raises(error):
            failing()
    table.store.flush()
    assert [row.item for row in onlooker.query("p").rows] == [{"n": 1}]


def test_a_failed_operation_alone_holds_nothing(table, onlooker):
    table.store.hold()
    with pytest.raises(ConditionFailed):
        table.put(KEY, {}, when=(Present(),))
    assert not table.store.dirty
    onlooker.put(KEY, {"n": 1})  # would wait for the lock if it were held
    assert table.get(KEY) == {"n": 1}


def test_a_store_that_breaks_in_the_middle_of_an_operation_takes_all_that_is_held_with_it(table, onlooker):
    table.store.hold()
    table.put(KEY, {"n": 1})
    table.store.session().connection.execute(BREAK_FEED)
    with pytest.raises(sqlite3.DatabaseError):
        table.put(OTHER, {"n": 2})
    assert table.store.dirty
    with pytest.raises(RuntimeError, match=r"^the held transaction has failed and is not flushed$"):
        table.put(Key("p", "u"), {"n": 3})
    with pytest.raises(sqlite3.DatabaseError):
        table.store.flush()
    assert not table.store.dirty
    assert onlooker.query("p").rows == ()
    table.put(OTHER, {"n": 4})
    table.store.flush()
    assert onlooker.get(OTHER) == {"n": 4}


def test_an_operation_that_is_not_held_rolls_back_when_the_store_breaks(table, onlooker):
    table.store.session().connection.execute(BREAK_FEED)
    with pytest.raises(sqlite3.DatabaseError):
        table.put(KEY, {"n": 1})
    assert onlooker.get(KEY) is None
    onlooker.put(KEY, {"n": 2})
    assert table.get(KEY) == {"n": 2}


def test_other_threads_wait_for_the_held_transaction_and_then_see_it(table):
    table.store.hold()
    table.put(KEY, {"n": 1})
    thread = threading.Thread(target=lambda: table.update(KEY, (Add("n", 1),)))
    thread.start()
    table.update(KEY, (Add("n", 10),))
    table.store.flush()
    thread.join()
    assert table.get(KEY) == {"n": 12}


def test_a_thread_that_ends_lets_go_of_what_it_held(table, onlooker):
    def hold_and_end():
        table.store.hold()
        table.put(KEY, {"n": 1})

    thread = threading.Thread(target=hold_and_end)
    thread.start()
    thread.join()
    table.put(OTHER, {"n": 2})
    assert onlooker.get(KEY) is None
    assert onlooker.get(OTHER) == {"n": 2}


def test_a_writer_that_never_gets_its_turn_is_told_so(table, onlooker, monkeypatch):
    monkeypatch.setattr("fingerpost.local.store.BUSY_MS", 20)
    table.store.hold()
    table.put(KEY, {"n": 1})
    failures = []

    def write(other):
        try:
            other.put(OTHER, {})
        except Throttled as throttled:
            failures.append(str(throttled))

    in_process = threading.Thread(target=write, args=(table,))
    in_process.start()
    in_process.join()
    elsewhere = threading.Thread(target=write, args=(onlooker,))
    elsewhere.start()
    elsewhere.join()
    assert failures == ["other writers of this process kept the store", "another process kept the store"]
    table.store.flush()
    assert table.get(OTHER) is None


def test_a_checkpoint_moves_the_log_into_the_file(table):
    table.store.hold()
    for number in range(300):
        table.put(Key("p", f"{number}"), {"text": "x" * 1000})
        table.store.flush()
    before = table.store.path.stat().st_size
    checkpointer = Checkpointer([table.store], every_ms=1)
    checkpointer.start()
    checkpointer.stop()
    assert table.store.path.stat().st_size > before + 300_000


def test_a_log_that_grew_too_long_starts_anew(table, monkeypatch):
    monkeypatch.setattr("fingerpost.local.store._MAX_LOG_PAGES", 50)
    table.store.hold()
    for number in range(100):
        table.put(Key("p", f"{number}"), {"text": "x" * 1000})
        table.store.flush()
    log = table.store.path.with_name("main.sqlite-wal")
    table.store.checkpoint()
    grown = log.stat().st_size
    for number in range(20):
        table.put(Key("q", f"{number}"), {"text": "x" * 1000})
        table.store.flush()
    assert log.stat().st_size == grown


def test_a_file_may_be_opened_by_many_at_once(tmp_path):
    failures = []

    def open_and_write(number):
        try:
            local_tables(tmp_path / "new").main.put(Key("p", f"{number}"), {})
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=open_and_write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert local_tables(tmp_path / "new").main.count("p") == 6


def test_opening_a_file_does_not_wait_for_its_writer(table, tmp_path):
    table.store.hold()
    table.put(KEY, {"n": 1})
    assert SqliteTable(SqliteStore(table.store.path, feed=True)).get(KEY) is None
    SqliteFile(table.store.path, "").checkpoint()
    table.store.flush()


def test_a_closed_store_can_be_used_again(table):
    table.put(KEY, {"n": 1})
    table.store.close()
    assert table.get(KEY) == {"n": 1}


WRITER = """
import sys
from fingerpost.local.table import local_tables
from fingerpost.ports.table import Absent, Add, Key, Put, Update
table = local_tables(sys.argv[1]).main
if sys.argv[2] == "held":
    table.store.hold()
for number in range(0, 100_000, 4):
    for each in range(number, number + 3):
        table.put(Key("p", f"{each:06d}"), {"n": each, "text": "x" * 700}, when=(Absent(),))
    table.transact([Put(Key("p", f"{number + 3:06d}"), {"n": number + 3}), Update(Key("sum", "-"), (Add("n", 4),))])
    table.store.flush()
    print(number + 4, flush=True)
"""


@pytest.mark.parametrize("mode", ["held", "each"])
def test_every_acknowledged_write_survives_the_sudden_death_of_the_writer(tmp_path, mode):
    command = [sys.executable, "-c", WRITER, str(tmp_path), mode]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(CORE)}) as writer:
        acknowledged = [int(writer.stdout.readline()) for _ in range(25)]
        writer.kill()
        acknowledged += [int(line) for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    table = local_tables(tmp_path).main
    stored = {row.key.sk: row.item["n"] for row in table.walk() if row.key.pk == "p"}
    assert stored.keys() >= {f"{number:06d}" for number in range(acknowledged[-1])}
    assert table.get(Key("sum", "-"))["n"] == 4 * sum(number % 4 == 3 for number in stored.values())
    if mode == "held":
        assert len(stored) % 4 == 0  # a turn's writes are there together or not at all
    feed, rebuilt = local_feed(tmp_path), {}
    while changes := feed.read("derive", 500):
        for change in changes:
            assert rebuilt.get(change.key) == change.old
            rebuilt[change.key] = change.new
        feed.commit("derive", changes[-1].sequence)
    assert rebuilt == {row.key: row.item for row in table.walk()}
