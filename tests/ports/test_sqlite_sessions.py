"""How a SQLite file is opened, held, checkpointed and closed, connection by connection."""

import logging
import sqlite3
import stat
import threading
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from fingerpost.local import store
from fingerpost.local.store import Checkpointer, Session, SqliteFile
from fingerpost.local.table import SqliteTable, local_tables
from fingerpost.ports.table import Key

INSERT = "INSERT INTO rows(pk, sk, item) VALUES ('p', 's', '{}')"


class Lock:
    """Is always free, and keeps how long anybody would have waited for it."""

    def __init__(self):
        self.waits = []

    def acquire(self, *, timeout):
        self.waits.append(timeout)
        return True

    def release(self):
        pass


@pytest.fixture
def table(tmp_path) -> SqliteTable:
    return local_tables(tmp_path).main


def pragma(file, name):
    (value,) = file.session().connection.execute(f"PRAGMA {name}").fetchone()
    return value


def test_a_new_file_and_its_folders_are_for_their_owner_alone(tmp_path):
    SqliteFile(tmp_path / "a" / "b" / "file.sqlite", "")
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_a_connection_waits_as_long_as_a_writer_and_syncs_as_its_file_says(tmp_path, table):
    assert pragma(table.store, "busy_timeout") == store.BUSY_MS
    assert pragma(table.store, "synchronous") == 2  # FULL
    assert pragma(SqliteFile(tmp_path / "other.sqlite", "", synchronous="NORMAL"), "synchronous") == 1
    assert pragma(table.store, "journal_mode") == "wal"
    assert pragma(table.store, "cache_size") == -16_000


@pytest.mark.parametrize(("failures", "tried"), [(0, 1), (1, 2), (19, 20), (20, 20)])
def test_a_file_that_others_open_at_once_is_tried_twenty_times(table, monkeypatch, failures, tried):
    class Busy:
        tried = 0

        def execute(self, _statement):
            self.tried += 1
            if self.tried <= failures:
                raise sqlite3.OperationalError("database is locked")
            return self

        def fetchone(self):
            pass

    busy = Busy()
    monkeypatch.setattr(store, "attempts", range)
    monkeypatch.setattr(table.store, "session", lambda: SimpleNamespace(connection=busy))
    with pytest.raises(sqlite3.OperationalError) if failures == 20 else nullcontext():
        table.store._switch_to_log()
    assert busy.tried == tried


def test_only_main_has_a_feed(tmp_path):
    tables = local_tables(tmp_path)
    for table, names in ((tables.main, ["feed", "rows"]), (tables.log, ["rows"])):
        found = table.store.session().connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        assert sorted(name for (name,) in found) == names


def test_a_file_that_holds_nothing_is_not_dirty(table):
    assert table.store.dirty is False
    table.put(Key("p", "s"), {})
    assert table.store.dirty is False
    table.store.hold()
    assert table.store.dirty is False
    table.put(Key("p", "t"), {})
    assert table.store.dirty is True


def test_a_writer_waits_fifteen_seconds_for_its_turn(table):
    lock = Lock()
    with Session(table.store.path, lock, synchronous="FULL"):
        assert lock.waits == [15]


@pytest.mark.parametrize(("too_long_by", "waits"), [(0, []), (1, [15])])
def test_only_a_log_longer_than_the_limit_keeps_writers_waiting(table, monkeypatch, too_long_by, waits):
    table.put(Key("p", "s"), {"text": "x" * 10_000})
    _, pages, _ = table.store.session().connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    lock = Lock()
    monkeypatch.setattr(store, "_MAX_LOG_PAGES", pages - too_long_by)
    monkeypatch.setattr(table.store, "_writing", lock)
    table.store.checkpoint()
    assert lock.waits == waits


def test_an_interrupted_operation_takes_all_that_is_held_with_it(table):
    table.store.hold()
    with pytest.raises(KeyboardInterrupt), table.store.session() as connection:
        connection.execute(INSERT)
        raise KeyboardInterrupt
    with pytest.raises(RuntimeError, match=r"^interrupted by KeyboardInterrupt\(\)$"):
        table.store.flush()
    assert table.get(Key("p", "s")) is None


def test_a_session_that_is_closed_in_the_middle_of_a_write_lets_the_next_writer_in_and_closes_once(table):
    session = table.store.session()
    with session as connection:
        connection.execute(INSERT)
        session.close()
        session.close()
        session.holding = True  # nothing is left to commit
    table.store.close()
    table.put(Key("p", "t"), {})
    assert table.get(Key("p", "s")) is None


def test_the_checkpointer_keeps_no_process_alive_and_is_known_by_its_name():
    checkpointer = Checkpointer([])
    assert (checkpointer.name, checkpointer.daemon) == ("checkpointer", True)
    checkpointer.stop()


def test_the_checkpointer_works_in_rounds_until_it_is_stopped():
    waits = []

    class Stopping(threading.Event):
        def wait(self, timeout=None):
            waits.append(timeout)
            return len(waits) == 3

    class File:
        rounds = 0

        def checkpoint(self):
            self.rounds += 1

    file = File()
    checkpointer = Checkpointer([file], every_ms=250)
    checkpointer._stopping = Stopping()
    checkpointer.run()
    assert waits == [0.25, 0.25, 0.25]
    assert file.rounds == 3


def test_a_file_that_cannot_be_checkpointed_is_told_to_the_log_and_the_others_are_done(caplog):
    class File:
        def __init__(self, path, error=None):
            self.path, self.error, self.rounds = path, error, 0

        def checkpoint(self):
            self.rounds += 1
            if self.error:
                raise self.error

    files = File("full.sqlite", sqlite3.OperationalError("database or disk is full")), File("fine.sqlite")
    checkpointer = Checkpointer(files, every_ms=1)
    with caplog.at_level(logging.ERROR):
        checkpointer.start()
        checkpointer.stop()
    assert {record.getMessage() for record in caplog.records} == {"cannot checkpoint full.sqlite"}
    assert files[1].rounds == files[0].rounds >= 1


def test_closing_a_file_closes_the_connections_of_threads_that_still_run(tmp_path):
    file, sessions = SqliteFile(tmp_path / "file.sqlite", ""), []
    opened, closed = threading.Event(), threading.Event()

    def work():
        sessions.append(file.session())
        opened.set()
        closed.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    assert opened.wait(10)
    try:
        file.close()
        with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
            sessions[0].connection.execute("SELECT 1")
    finally:
        closed.set()
        thread.join()
