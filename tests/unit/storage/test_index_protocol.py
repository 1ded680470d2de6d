"""Documents and their index rows: whatever crashes or races, no document is missing from a list it belongs to."""

import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from fingerpost.errors import Conflict, NotFound
from fingerpost.ids import new_id
from fingerpost.ports.table import Tables
from fingerpost.resources import Resources, index_rows
from tests.stores import (
    NOON,
    Crash,
    crashing,
    dangling_rows,
    documents_of,
    emptied,
    hooked,
    interleavings,
    missing_rows,
    new_account,
    rows_of,
)
from tests.unit.storage.lamps import KIND, claim_of, document, given

HOUR = 3_600_000


# One process, ending anywhere


@pytest.mark.parametrize("with_claim", [False, True])
def test_a_create_that_crashes_anywhere_leaves_nothing_to_see_and_a_repeat_completes_it(store, with_claim):
    crashes = 0
    for step in range(10):
        tables = emptied(store).of(new_account())
        resource_id = new_id(NOON)
        also = [claim_of(resource_id)] if with_claim else []
        crashed = False
        try:
            Resources(hooked(tables, crashing(step)), KIND).create(resource_id, document("lamp", "a", "b"), also=also)
        except Crash:
            crashed = True
            crashes += 1
            assert documents_of(tables, KIND) == {}
        assert missing_rows(tables, KIND) == set()
        stored = Resources(tables, KIND).create(resource_id, document("lamp", "a", "b"), also=also)
        assert stored.version == 1
        assert list(documents_of(tables, KIND)) == [resource_id]
        assert missing_rows(tables, KIND) == dangling_rows(tables, KIND) == set()
        if not crashed:
            break
    assert crashes == 3  # the look for an earlier request, the rows, the document


def test_an_update_that_crashes_anywhere_misses_no_row_and_a_repeat_completes_it(store):
    for step in range(20):
        tables = emptied(store).of(new_account())
        resource_id = new_id(NOON)
        Resources(tables, KIND).create(resource_id, document("lamp", "a", "b"))
        change = given(tags=["b", "c", "d"], name="lantern")
        crashed = False
        try:
            Resources(hooked(tables, crashing(step)), KIND).update(resource_id, change)
        except Crash:
            crashed = True
        assert missing_rows(tables, KIND) == set()
        assert Resources(tables, KIND).update(resource_id, change).document["tags"] == ["b", "c", "d"]
        assert missing_rows(tables, KIND) == set()
        if not crashed:
            assert dangling_rows(tables, KIND) == set()
            assert step == 7  # read; three rows; the document; two rows
            return
    pytest.fail("it never ends")


def test_a_delete_that_crashes_anywhere_leaves_the_document_whole_or_gone(store):
    for step in range(20):
        tables = emptied(store).of(new_account())
        resource_id = new_id(NOON)
        Resources(tables, KIND).create(resource_id, document("lamp", "a"))
        try:
            Resources(hooked(tables, crashing(step)), KIND).delete(resource_id)
        except Crash:
            assert missing_rows(tables, KIND) == set()
            if documents_of(tables, KIND):
                Resources(tables, KIND).delete(resource_id)
                assert dangling_rows(tables, KIND) == set()
            else:
                with pytest.raises(NotFound):
                    Resources(tables, KIND).delete(resource_id)
        else:
            assert rows_of(tables.log) == set()
            assert documents_of(tables, KIND) == {}
            return
    pytest.fail("it never ends")


def test_a_row_that_a_crash_left_goes_when_it_is_swept_and_no_other_does(tables):
    resources, resource_id = Resources(tables, KIND), new_id(NOON)
    resources.create(resource_id, document("lamp", "a"))
    with pytest.raises(Crash):
        Resources(hooked(tables, crashing(3)), KIND).update(resource_id, given(tags=["a", "b", "c"]))
    (left, *_) = dangling_rows(tables, KIND)
    row = tables.log.get(left)
    resources.sweep(left, row, resources.read(resource_id))
    assert tables.log.get(left) is not None, "a newer version may be about to rely on it"
    resources.update(resource_id, given(tags=["a"], name="lantern"))
    resources.sweep(left, row, resources.read(resource_id))
    assert tables.log.get(left) is None
    assert missing_rows(tables, KIND) == set()


def test_a_sweep_takes_no_row_that_a_newer_version_has_written_since_it_was_read(tables):
    resources, resource_id = Resources(tables, KIND), new_id(NOON)
    resources.create(resource_id, document("lamp", "a"))
    key = next(row for row in index_rows(KIND, resource_id, document("lamp", "a")) if "tags=a" in row.pk)
    row = tables.log.get(key)
    without = resources.update(resource_id, given(tags=["b"]))
    resources.update(resource_id, given(tags=["a", "b"]))
    resources.sweep(key, row, without)
    assert missing_rows(tables, KIND) == set()


def test_a_row_says_when_it_was_written_not_when_its_request_began(tables, clock, monkeypatch):
    monkeypatch.setattr(clock, "now", NOON + 5 * HOUR)
    resources, resource_id = Resources(tables, KIND), new_id(NOON)
    resources.create(resource_id, document("lamp", "a"))  # as a repeat under an Idempotency-Key would, hours later
    resources.update(resource_id, given(tags=["b"]))
    assert [row.item["at"] for row in tables.log.walk()] == [NOON + 5 * HOUR] * 3


# Several processes


def test_two_updates_interleaved_in_every_way_lose_no_row_and_no_update(store, turns):
    """Each reads, writes a row, the document, and takes a row back: 5 calls with the row that both remove."""
    for order in interleavings(4, 5):
        tables = emptied(store).of(new_account())
        resource_id = new_id(NOON)
        Resources(tables, KIND).create(resource_id, document("lamp", "x"))
        first, second = (Resources(turns.tables(tables, actor), KIND) for actor in (0, 1))
        futures = turns.run(
            [
                partial(first.update, resource_id, given(tags=["y"])),
                partial(second.update, resource_id, given(tags=["x", "z"], name="lantern")),
            ],
            order,
        )
        assert {future.result().version for future in futures} == {2, 3}
        assert missing_rows(tables, KIND) == set(), order
        assert dangling_rows(tables, KIND) <= set(index_rows(KIND, resource_id, document("lamp", "x", "y", "z"))), order


def assert_no_row_is_missing(tables: Tables) -> None:
    assert missing_rows(tables, KIND) == set()


def test_an_update_that_stalls_anywhere_and_goes_on_after_others_takes_no_row_of_theirs(store, turns):
    """The one stalls at each step, while others take its values away and give them back; checked at every moment."""
    for stalled in range(6):
        for resumed in range(7):
            tables = emptied(store).of(new_account())
            resource_id = new_id(NOON)
            Resources(tables, KIND).create(resource_id, document("lamp", "x"))

            sound = partial(assert_no_row_is_missing, tables)
            slow, quick = (Resources(turns.tables(tables, actor), KIND) for actor in (0, 1))

            def twice(quick: Resources = quick, resource_id: str = resource_id) -> None:
                quick.update(resource_id, given(tags=["y"]))
                quick.update(resource_id, given(tags=["x", "w"]))

            futures = turns.run(
                [partial(slow.update, resource_id, given(tags=["y"], name="lantern")), twice],
                [0] * stalled + [1] * (2 * resumed),
                sound,
            )
            for future in futures:
                future.result()
            sound()


def test_a_delete_and_an_update_interleaved_in_every_way_leave_a_whole_document_or_none(store, turns):
    for order in interleavings(4, 5):
        tables = emptied(store).of(new_account())
        resource_id = new_id(NOON)
        Resources(tables, KIND).create(resource_id, document("lamp", "x"))
        updating, deleting = (Resources(turns.tables(tables, actor), KIND) for actor in (0, 1))
        update, delete = turns.run(
            [partial(updating.update, resource_id, given(tags=["y"])), partial(deleting.delete, resource_id)], order
        )
        delete.result()
        assert isinstance(update.exception(), NotFound | None)
        assert documents_of(tables, KIND) == {}


def test_a_create_sent_twice_at_once_makes_one_document_with_all_its_rows(store, turns):
    for order in interleavings(3, 4):
        tables = emptied(store).of(new_account())
        resource_id = new_id(NOON)
        creating = [Resources(turns.tables(tables, actor), KIND) for actor in (0, 1)]
        futures = turns.run([partial(each.create, resource_id, document("lamp", "x")) for each in creating], order)
        assert [future.result().version for future in futures] == [1, 1]
        assert missing_rows(tables, KIND) == dangling_rows(tables, KIND) == set(), order


def test_a_create_sent_twice_while_its_document_changes_already_misses_no_row(store, turns):
    orders = list(interleavings(3, 4, 5))
    for order in random.Random(7).sample(orders, 400):
        tables = emptied(store).of(new_account())
        resource_id = new_id(NOON)
        first, again, other = (Resources(turns.tables(tables, actor), KIND) for actor in range(3))

        def change(other: Resources = other, resource_id: str = resource_id) -> None:
            other.update(resource_id, given(tags=["y"]))

        futures = turns.run(
            [
                partial(first.create, resource_id, document("lamp", "x")),
                partial(again.create, resource_id, document("lamp", "x")),
                change,
            ],
            order,
        )
        futures[0].result()
        futures[1].result()
        assert isinstance(futures[2].exception(), NotFound | None)
        assert missing_rows(tables, KIND) == set(), order


def test_a_repeated_create_of_a_document_that_has_changed_writes_nothing(tables):
    resources, resource_id = Resources(tables, KIND), new_id(NOON)
    resources.create(resource_id, document("lamp", "a"))
    resources.update(resource_id, given(tags=["b"]))
    resources.update(resource_id, given(tags=["a", "b"]))
    before = {row.key: row.item for row in tables.log.walk()}
    assert resources.create(resource_id, document("lamp", "a")).version == 3
    assert {row.key: row.item for row in tables.log.walk()} == before


def test_many_threads_that_change_one_document_all_succeed_and_none_is_lost(tables):
    resources, resource_id = Resources(tables, KIND), new_id(NOON)
    resources.create(resource_id, document("lamp"))

    def add(number: int) -> None:
        for turn in range(5):
            tag = f"{number}.{turn}"
            while True:
                try:
                    resources.update(resource_id, lambda before: {**before, "tags": [*before["tags"], tag]})  # noqa: B023
                    break
                except Conflict:
                    continue

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(4)))
    stored = resources.read(resource_id)
    assert sorted(stored.document["tags"]) == sorted(f"{n}.{turn}" for n in range(4) for turn in range(5))
    assert stored.version == 21
    assert missing_rows(tables, KIND) == dangling_rows(tables, KIND) == set()


def test_an_update_gives_up_with_a_conflict_when_others_are_always_faster(tables):
    resources, resource_id = Resources(tables, KIND), new_id(NOON)
    resources.create(resource_id, document("lamp"))

    def overtaken(before: dict[str, Any]) -> dict[str, Any]:
        resources.update(resource_id, lambda other: {**other, "name": other["name"] + "!"})
        return {**before, "tags": ["mine"]}

    with pytest.raises(Conflict, match="keeps changing"):
        Resources(tables, KIND).update(resource_id, overtaken)
    assert missing_rows(tables, KIND) == set()
