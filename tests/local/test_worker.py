import threading

from fingerpost.local import replay
from fingerpost.local.blobs import FolderBlobs
from fingerpost.local.feed import SqliteFeed
from fingerpost.local.parked import ParkedRecords
from fingerpost.local.pump import Pump
from fingerpost.local.queue import local_queue
from fingerpost.local.table import local_tables
from fingerpost.local.worker import (
    KEEP_FEED_MS,
    KEEP_FEED_RECORDS,
    QUEUES,
    RUNS,
    keep_house,
    ready_runner,
    run_pump,
)
from fingerpost.ports.runner import NoRunner
from fingerpost.ports.table import Key
from fingerpost.reactor.scripts import bundle_name


class Clock:
    now = 1_700_000_000_000

    def __call__(self):
        return self.now


def test_house_keeping_deletes_what_has_expired_and_tells_the_feed(tmp_path):
    clock = Clock()
    tables = local_tables(tmp_path, clock=clock)
    feed = SqliteFeed(tables.main.store.path, consumers=["derive"], clock=clock)
    for table in (tables.main, tables.log):
        table.put(Key("brief", "-"), {"x": 1}, expires_at=clock.now + 1000)
        table.put(Key("lasting", "-"), {"x": 1})
    clock.now += 5000
    keep_house([tables.main, tables.log], feed, threading.Event(), clock)
    for table in (tables.main, tables.log):
        rows = table.store.session().connection.execute("SELECT pk FROM rows").fetchall()
        assert rows == [("lasting",)]
    assert [change.expired for change in feed.read("derive")] == [False, False, True]
    for closable in (tables.main.store, tables.log.store, feed):
        closable.close()


def test_house_keeping_trims_only_what_is_old_committed_and_beyond_what_is_kept(tmp_path):
    clock = Clock()
    tables = local_tables(tmp_path, clock=clock)
    feed = SqliteFeed(tables.main.store.path, consumers=["derive"], clock=clock)
    extra = 5
    with tables.main.store.session() as connection:
        connection.executemany(
            "INSERT INTO feed(at, pk, sk, old, new, expired) VALUES (?, 'k', '-', NULL, NULL, 0)",
            [(clock.now,)] * (KEEP_FEED_RECORDS + extra),
        )

    def kept():
        return tables.main.store.session().connection.execute("SELECT count(*) FROM feed").fetchone()[0]

    clock.now += KEEP_FEED_MS + 1
    keep_house([tables.main], feed, threading.Event(), clock)
    assert kept() == KEEP_FEED_RECORDS + extra
    feed.commit("derive", f"{KEEP_FEED_RECORDS:020d}")
    keep_house([tables.main], feed, threading.Event(), clock)
    assert kept() == KEEP_FEED_RECORDS
    for closable in (tables.main.store, tables.log.store, feed):
        closable.close()


def test_the_runner_is_made_ready_where_a_script_was_installed_and_nowhere_else(tmp_path, monkeypatch, capfd):
    made = []
    monkeypatch.setattr("fingerpost.wiring.ready_runner", lambda: made.append(1))
    blobs = FolderBlobs(tmp_path / "bundles")
    blobs.put_if_absent("reactor/1-0.source.zip", b"uploaded", content_type="application/zip")
    ready_runner(tmp_path)
    assert made == []
    name = bundle_name("account", "app", b"installed")
    blobs.put_if_absent(name, b"installed", content_type="application/zip")
    ready_runner(tmp_path)
    assert made == [1]

    def refuse():
        raise NoRunner("install Node.js 20 or newer")

    monkeypatch.setattr("fingerpost.wiring.ready_runner", refuse)
    ready_runner(tmp_path)
    assert "install Node.js 20 or newer" in capfd.readouterr().err


def test_a_pump_outlives_a_failing_store_and_replays_when_idle(monkeypatch, capfd):
    monkeypatch.setattr("fingerpost.local.worker.AFTER_A_FAILURE_SECONDS", 0.0)
    monkeypatch.setattr("fingerpost.local.worker.LOOK_FOR_REPLAYS_SECONDS", 0.0)
    stop = threading.Event()

    class Feed:
        reads = 0

        def read(self, consumer, limit):
            self.reads += 1
            if self.reads == 1:
                raise OSError("disk full")
            return []

    class Parking:
        def due(self, consumer, limit=100):
            stop.set()
            return []

    run_pump(Pump("derive", Feed(), lambda event: None, lambda changes: {"Records": []}, Parking()), stop)
    assert "disk full" in capfd.readouterr().err


def test_the_replay_command_makes_parked_records_and_dead_messages_due(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FINGERPOST_DATA_DIR", str(tmp_path))
    assert replay.main() == 2
    assert "no data folder" in capsys.readouterr().err
    parked = ParkedRecords(tmp_path)
    queues = [local_queue(tmp_path, name, ordered=name == RUNS) for name in (*QUEUES, RUNS)]
    parked.park("derive", "1", {"n": 1})
    for queue in queues:
        queue.send(f"hello {queue.name}", group="a")
        while not queue.dead():
            queue.receive(1, visibility_ms=0)
    assert replay.main() == 0
    assert capsys.readouterr().out == f"1 feed records and {len(queues)} messages are tried again\n"
    assert [record.sequence for record in parked.due("derive")] == ["1"]
    for queue in queues:
        assert [message.body for message in queue.receive()] == [f"hello {queue.name}"]
        queue.file.close()
    parked.close()
