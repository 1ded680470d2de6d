"""Current values and their histories: whatever races or ends half-way, what is current is in its history."""

import random
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerpost import keys
from fingerpost.access.model import Principal
from fingerpost.caller import Caller
from fingerpost.catalogue.erase import Erasing, floor_of, tasks_of
from fingerpost.catalogue.properties import Properties, Reading, current, reading_of, values
from fingerpost.ports.table import Tables
from tests.stores import NOON, Crash, caller_of, crashing, emptied, hooked, interleavings, new_account

LAMP = "ULamp0000000000000000000"
PAST_REQUESTS = NOON + 120_000


def record(tables: Tables, *readings: tuple[str, Any, int]) -> None:
    Properties(tables).record(LAMP, [Reading(*each) for each in readings], caller_of(tables, "A"))


def erase(tables: Tables, key: str, before: int | None = None) -> None:
    erasing = Erasing(tables)
    row = tables.main.get(keys.current(LAMP), consistent=True) or {}
    end = erasing.end_of(LAMP, key, row)
    floors = {key: end if before is None else min(before, end)}
    if floors[key]:
        erasing.lower(LAMP, floors, NOON)
        for task in tasks_of(LAMP, floors):
            assert erasing.carry_out(task, NOON)[0] is None


def row_of(tables: Tables) -> dict[str, Any]:
    return tables.main.get(keys.current(LAMP), consistent=True) or {}


def history(tables: Tables, key: str = "light") -> list[Reading]:
    return [reading_of(key, row) for row in tables.log.query(keys.histories(LAMP, key), limit=1_000).rows]


def is_in_its_history(tables: Tables) -> bool:
    row = row_of(tables)
    return all(each in history(tables, each.key) for each in (current(row) if row else []))


# One after the other


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3), st.integers(0, 6)), max_size=6),
            st.none() | st.tuples(st.sampled_from("abcd"), st.none() | st.integers(0, 7)),
        ),
        max_size=8,
    )
)
def test_current_values_and_histories_are_what_a_plain_model_says(store, steps):
    tables = store.of(new_account())
    model: dict[str, set[tuple[int, int]]] = {}
    latest: dict[str, tuple[int, int]] = {}
    for readings, erased in steps:
        record(tables, *readings)
        for key, value, at in readings:
            model.setdefault(key, set()).add((at, value))
            if key not in latest or latest[key][0] <= at:
                latest[key] = (at, value)
        if erased is not None:
            key, before = erased
            erase(tables, key, before)
            floor = max((at for at, _ in model.get(key, ())), default=-1) + 1 if before is None else before
            model[key] = {each for each in model.get(key, ()) if each[0] >= floor}
            if key in latest and latest[key][0] < floor:
                del latest[key]
    row = row_of(tables)
    assert {each.key: (each.at, each.value) for each in (current(row) if row else [])} == latest
    for key in "abcd":
        assert {(each.at, each.value) for each in history(tables, key)} == model.get(key, set())
        assert floor_of(row, key) == 0


@settings(deadline=None, max_examples=40)
@given(
    st.data(),
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(), st.integers(0, 50)), unique_by=lambda r: (r[0], r[2])),
)
def test_the_order_of_arrival_does_not_matter(store, data, readings):
    rows = []
    for order in (readings, data.draw(st.permutations(readings))):
        tables = store.of(new_account())
        for reading in order:
            record(tables, reading)
        rows.append((values(row_of(tables)) if row_of(tables) else {}, history(tables, "a"), history(tables, "b")))
    assert rows[0] == rows[1]


def test_a_hundred_properties_are_set_in_few_writes(tables):
    calls: list[str] = []

    def around(name, method, args):
        calls.append(name)
        return method(*args)

    record(hooked(tables, around), *((f"k{n}", n, NOON) for n in range(100)))
    assert calls == ["put_many"] + ["update"] * 4
    assert values(row_of(tables)) == {f"k{n}": n for n in range(100)}


def test_one_late_value_does_not_hold_back_the_others_it_came_with(tables):
    record(tables, ("a", "new", 9), ("b", "old", 1))
    record(tables, ("a", "late", 5), ("b", "new", 5), ("c", "new", 5))
    assert values(row_of(tables)) == {"a": "new", "b": "new", "c": "new"}
    assert [each.value for each in history(tables, "a")] == ["late", "new"]


def test_every_write_says_who_made_it(tables):
    caller = caller_of(tables, "A")
    Properties(tables).begin(LAMP, [Reading("a", 1, NOON)], caller)
    first = row_of(tables)
    assert (first["actor"], first["by"], first["cause"]) == ("operator", "operator", "test")
    principal = Principal(actor="trustedApplication", account="A", id="UGuide", project="P")
    Properties(tables).record(
        LAMP,
        [Reading("a", 2, NOON)],
        Caller(principal=principal, tables=tables, at=NOON, cause="another"),
    )
    second = row_of(tables)
    assert (second["actor"], second["by"], second["cause"]) == ("trustedApplication", "UGuide", "another")


# Ending anywhere


def test_a_request_that_crashes_anywhere_and_is_repeated_has_been_made_once(store):
    whole: list[Any] = []
    for step in range(10):
        tables = emptied(store).of(new_account())
        readings = [("a", 1, NOON), ("b", 2, NOON), ("a", 3, NOON - 5)]
        try:
            record(hooked(tables, crashing(step)), *readings)
            whole.append(step)
        except Crash:
            assert is_in_its_history(tables)
        record(tables, *readings)
        assert values(row_of(tables)) == {"a": 1, "b": 2}
        assert history(tables, "a") == [Reading("a", 3, NOON - 5), Reading("a", 1, NOON)]
    assert whole[0] == 2


def test_an_erasure_that_crashes_anywhere_is_finished_by_its_task(store):
    finished = []
    for step in range(40):
        tables = emptied(store).of(new_account())
        record(tables, *(("light", n, n) for n in range(20)), ("dark", 1, 1))
        floors = {"light": 15}
        (task,) = tasks_of(LAMP, floors)
        try:
            erasing = Erasing(hooked(tables, crashing(step)))
            erasing.lower(LAMP, floors, NOON)
            erasing.carry_out(task, NOON)
            finished.append(step)
        except Crash:
            pass
        begun = row_of(tables).get("d") == NOON
        Erasing(tables).carry_out(task, PAST_REQUESTS)
        left = [each.value for each in history(tables)]
        assert left == list(range(15 if begun else 0, 20))
        assert floor_of(row_of(tables), "light") == 0
        assert values(row_of(tables)) == {"light": 19, "dark": 1}
    assert finished


def test_a_task_that_comes_again_leaves_what_has_come_since(tables):
    record(tables, ("light", 1, 1))
    erase(tables, "light")
    record(tables, ("light", 2, 0))
    (task,) = tasks_of(LAMP, {"light": 2})
    assert Erasing(tables).carry_out(task, PAST_REQUESTS) == (None, 500)
    assert history(tables) == [Reading("light", 2, 0)]


def test_an_erasure_goes_on_where_its_share_ended(tables):
    record(tables, *((key, n, n) for key in "ab" for n in range(30)))
    floors = {"a": 30, "b": 30}
    erasing = Erasing(tables)
    erasing.lower(LAMP, floors, NOON)
    assert values(row_of(tables)) == {}
    (task,) = tasks_of(LAMP, floors)
    shares = 0
    while task is not None:
        task, _ = erasing.carry_out(task, NOON, 7)
        shares += 1
    assert history(tables, "a") == history(tables, "b") == []
    assert not [name for name in row_of(tables) if name.startswith("f:")]
    assert shares == 9


# At the same time


@pytest.mark.parametrize("seed", range(25))
def test_updates_and_an_erasure_that_race_leave_nothing_current_without_its_history(store, turns, seed):
    """Two devices and an operator, one store call at a time, in many orders."""
    chance = random.Random(seed)
    for _ in range(12):
        tables = emptied(store).of(new_account())
        record(tables, ("light", 0, 1), ("light", 5, 5))
        ats = chance.sample([3, 4, 5, 6, 7], 2)
        actors = [
            partial(record, turns.tables(tables, 0), ("light", "one", ats[0])),
            partial(record, turns.tables(tables, 1), ("light", "two", ats[1])),
            partial(erase, turns.tables(tables, 2), "light", chance.choice([None, 4, 6])),
        ]
        order = [chance.randrange(3) for _ in range(30)]
        for future in turns.run(actors, order):
            future.result()
        assert is_in_its_history(tables), order
        assert floor_of(row_of(tables), "light") == 0


def test_two_updates_that_race_leave_the_later_one_current_and_both_in_the_history(store, turns):
    for order in interleavings(2, 3):
        tables = emptied(store).of(new_account())
        actors = [
            partial(record, turns.tables(tables, 0), ("light", "early", 1), ("a", 1, 1)),
            partial(record, turns.tables(tables, 1), ("light", "late", 2), ("b", 2, 2)),
        ]
        for future in turns.run(actors, order):
            future.result()
        assert values(row_of(tables)) == {"light": "late", "a": 1, "b": 2}
        assert [each.value for each in history(tables)] == ["early", "late"]
