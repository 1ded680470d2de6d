"""The contract of the `Feed` port, and what the local table writes into it."""

import pytest

from fingerpost.local.feed import SqliteFeed, local_feed
from fingerpost.local.table import SqliteTable, local_tables
from fingerpost.ports.table import Absent, Add, Change, ConditionFailed, Delete, Key, Put, Remove, Set, Update
from tests.ports.conftest import SettableClock

KEY, OTHER = Key("p", "s"), Key("q", "s")


@pytest.fixture
def home(tmp_path):
    return tmp_path


@pytest.fixture
def main(home, clock) -> SqliteTable:
    return local_tables(home, clock=clock).main


@pytest.fixture
def feed(home, main, clock) -> SqliteFeed:
    return local_feed(home, consumers=["derive"], clock=clock)


def images(changes):
    return [(change.key, change.old, change.new) for change in changes]


def test_every_change_of_a_row_appears_with_both_images_in_order(main, feed, clock):
    main.put(KEY, {"n": 1})
    main.update(KEY, (Add("n", 1), Set("bytes", b"\xff")))
    main.put(OTHER, {})
    main.delete(KEY)
    main.put(KEY, {"n": 3})
    found = feed.read("derive")
    assert images(found) == [
        (KEY, None, {"n": 1}),
        (KEY, {"n": 1}, {"n": 2, "bytes": b"\xff"}),
        (OTHER, None, {}),
        (KEY, {"n": 2, "bytes": b"\xff"}, None),
        (KEY, None, {"n": 3}),
    ]
    assert [change.sequence for change in found] == sorted({change.sequence for change in found})
    assert all(change.at == clock.now and not change.expired for change in found)


def test_a_transaction_and_put_many_appear_row_by_row(main, feed):
    main.put_many([Put(KEY, {"n": 1}), Put(OTHER, {"n": 2})])
    main.transact([Update(KEY, (Add("n", 1),)), Delete(OTHER)])
    assert images(feed.read("derive")) == [
        (KEY, None, {"n": 1}),
        (OTHER, None, {"n": 2}),
        (KEY, {"n": 1}, {"n": 2}),
        (OTHER, {"n": 2}, None),
    ]


def test_what_changes_nothing_makes_no_entry(main, feed, clock):
    main.put(KEY, {"a": 1, "b": [True]}, expires_at=clock.now + 1000)
    before = feed.lag("derive")
    main.put(KEY, {"b": [True], "a": 1.0}, expires_at=clock.now + 1000)
    main.put(KEY, {"b": [True], "a": 1}, expires_at=clock.now + 1)  # within the same second
    main.update(KEY, (Set("a", 1), Remove("missing")))
    main.delete(OTHER)
    with pytest.raises(ConditionFailed):
        main.put(KEY, {}, when=(Absent(),))
    assert feed.lag("derive") == before == 1
    main.put(KEY, {"a": 1, "b": [1]}, expires_at=clock.now + 1000)
    main.put(KEY, {"a": 1, "b": [1]}, expires_at=clock.now + 2000)
    assert feed.lag("derive") == 3


def test_a_sweep_removes_what_has_expired_and_says_so(main, feed, clock):
    main.put_many([Put(Key("p", f"{n}"), {"n": n}, expires_at=clock.now + n * 1000) for n in range(1, 5)])
    main.put(OTHER, {})
    clock.now += 3000
    feed.commit("derive", feed.read("derive")[-1].sequence)
    assert main.sweep(clock.now, limit=2) == 2
    assert main.sweep(clock.now) == 1
    assert main.sweep(clock.now) == 0
    found = feed.read("derive")
    assert images(found) == [(Key("p", f"{n}"), {"n": n}, None) for n in range(1, 4)]
    assert all(change.expired for change in found)
    assert main.get(Key("p", "4")) == {"n": 4}
    clock.now += 10**9
    assert main.get(OTHER) == {}


def test_a_row_written_over_after_its_time_appears_as_new(main, feed, clock):
    main.put(KEY, {"n": 1}, expires_at=clock.now)
    main.put(KEY, {"n": 2})
    main.put(OTHER, {"n": 3}, expires_at=clock.now)
    main.put_many([Put(OTHER, {"n": 4}), Put(Key("r", "s"), {})])
    main.put_many([Put(Key("r", "s"), {"n": 5})])
    assert images(feed.read("derive")) == [
        (KEY, None, {"n": 1}),
        (KEY, None, {"n": 2}),
        (OTHER, None, {"n": 3}),
        (OTHER, None, {"n": 4}),
        (Key("r", "s"), None, {}),
        (Key("r", "s"), {}, {"n": 5}),
    ]


def test_a_delete_of_an_expired_row_leaves_its_expiry_to_the_sweep(main, feed, clock):
    main.put(KEY, {"n": 1}, expires_at=clock.now)
    assert main.delete(KEY) is None
    assert main.sweep(clock.now) == 1
    assert feed.read("derive")[1:] == [
        Change(sequence=feed.read("derive")[1].sequence, key=KEY, old={"n": 1}, new=None, at=clock.now, expired=True)
    ]


def test_consumers_read_at_their_own_pace_and_again_until_they_commit(main, feed):
    main.put_many([Put(Key("p", f"{n}"), {}) for n in range(5)])
    first = feed.read("derive", 2)
    assert feed.read("derive", 2) == first
    feed.commit("derive", first[-1].sequence)
    assert [change.key.sk for change in feed.read("derive")] == ["2", "3", "4"]
    assert len(feed.read("dispatch")) == 5
    assert (feed.lag("derive"), feed.lag("dispatch")) == (3, 5)
    feed.commit("derive", first[0].sequence)
    assert feed.lag("derive") == 3


def test_positions_outlive_the_process_and_can_be_rewound(home, main, feed, clock):
    main.put_many([Put(Key("p", f"{n}"), {}) for n in range(5)])
    found = feed.read("derive")
    feed.commit("derive", found[-1].sequence)
    feed.close()
    again = local_feed(home, clock=clock)
    assert again.read("derive") == []
    again.rewind("derive", found[1].sequence)
    assert again.read("derive") == found[2:]
    again.rewind("derive")
    assert again.read("derive") == found


def test_a_replay_from_the_beginning_rebuilds_every_row(main, feed):
    for n in range(40):
        key = Key("p", f"{n % 7}")
        if n % 5 == 4:
            main.delete(key)
        else:
            main.put(key, {"n": n})
    rebuilt = {}
    while found := feed.read("derive", 6):
        for change in found:
            assert rebuilt.get(change.key) == change.old
            if change.new is None:
                del rebuilt[change.key]
            else:
                rebuilt[change.key] = change.new
        feed.commit("derive", found[-1].sequence)
    assert rebuilt == {row.key: row.item for row in main.walk()}


def test_trim_keeps_what_a_consumer_needs_what_is_young_and_the_last_ones(main, feed, clock):
    main.put_many([Put(Key("p", f"{n}"), {}) for n in range(10)])
    clock.now += 5000
    main.put_many([Put(Key("q", f"{n}"), {}) for n in range(10)])
    clock.now += 1000
    assert feed.trim(0, 0) == 0  # derive has read nothing
    everything = feed.read("derive")
    feed.commit("derive", everything[4].sequence)
    assert feed.trim(0, 0) == 5
    feed.commit("derive", everything[-1].sequence)
    assert feed.trim(3000, 0) == 5
    assert feed.trim(0, 4) == 6
    feed.rewind("derive")
    assert feed.read("derive") == everything[-4:]
    assert feed.lag("derive") == 4


def test_sequences_grow_though_everything_was_trimmed(main, feed, clock):
    main.put(KEY, {"n": 1})
    last = feed.read("derive")[-1].sequence
    feed.commit("derive", last)
    clock.now += 1
    feed.trim(0, 0)
    main.put(KEY, {"n": 2})
    assert [change.new for change in feed.read("derive")] == [{"n": 2}]
    assert feed.read("derive")[0].sequence > last


def test_a_reader_does_not_see_what_is_held_until_it_is_flushed(main, feed):
    main.store.hold()
    main.put(KEY, {"n": 1})
    assert main.get(KEY) == {"n": 1}
    assert feed.read("derive") == []
    main.store.flush()
    assert images(feed.read("derive")) == [(KEY, None, {"n": 1})]


def test_log_has_no_feed(home, clock: SettableClock):
    log = local_tables(home, clock=clock).log
    assert isinstance(log, SqliteTable)
    log.put(KEY, {"n": 1}, expires_at=clock.now)
    assert log.sweep(clock.now) == 1
    tables = log.store.session().connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert tables == [("rows",)]
