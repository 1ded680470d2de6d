"""Documents and their index rows: whatever crashes or races, no document is missing from a list it belongs to."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fingerpost import keys, retry, wiring
from fingerpost.errors import Conflict, FingerpostError, NotFound, TooLarge
from fingerpost.ids import new_id
from fingerpost.ports.table import Absent, Delete, Key, Put, Reason, Tables, TransactionFailed, Update, Set
from fingerpost.resources import MAX_DOCUMENT_BYTES, MAX_INDEX_ROWS, Kind, Resources, index_rows
from fingerpost.shapes import stamp
from tests.stores import (
    NOON,
    Crash,
    SettableClock,
    Turns,
    crashing,
    dangling_rows,
    documents_of,
    fresh_tables,
    hooked,
    interleavings,
    missing_rows,
    new_account,
    rows_of,
)

KIND = Kind("thng", "thngs", indexed=("tags", "identifiers.*"), shards=4)
HOUR = 3_600_000


@pytest.fixture(scope="module")
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture(scope="module")
def store(clock: SettableClock) -> Iterator[Tables]:
    with fresh_tables(clock) as tables:
        yield tables


@pytest.fixture(scope="module")
def turns() -> Iterator[Turns]:
    turns = Turns(3)
    yield turns
    turns.close()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch, clock: SettableClock) -> None:
    monkeypatch.setattr(retry.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(wiring, "clock", clock)


@pytest.fixture
def tables(store: Tables) -> Tables:
    return store.of(new_account())


def document(name: str = "lamp", *tags: str, **more: Any) -> dict[str, Any]:
    return {"createdAt": NOON, "updatedAt": NOON, "scopes": {"projects": []}, "name": name, "tags": list(tags), **more}


def tagged(*tags: str, name: str = "lamp") -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda before: {**before, "tags": list(tags), "name": name}


def claim_of(resource_id: str, name: str = "the only one") -> Put:
    return Put(keys.claim("thng", name), {**stamp("claim"), "id": resource_id}, (Absent(),))


def tag_row(tables: Tables, resource_id: str, tag: str) -> Any:
    shard = keys.shard_of(resource_id, KIND.shards)
    return tables.log.get(Key(keys.index("*", KIND.name, "tags", tag, shard), resource_id))


# One process, ending anywhere


def until_it_succeeds(tables: Tables, work: Callable[[Tables], Any]) -> Iterator[int]:
    """Run `work` with a crash at its first store call, then its second, ...; yields after each crash, then ends."""
    for step in range(100):
        try:
            work(hooked(tables, crashing(step)))
        except Crash:
            yield step
        else:
            assert step >= 3, "it has steps to crash at"
            return
    pytest.fail("it never ends")


@pytest.mark.parametrize("with_claim", [False, True])
def test_a_create_that_crashes_anywhere_leaves_nothing_to_see_and_a_repeat_completes_it(store, with_claim):
    crashes = 0
    for step in range(10):
        tables = store.of(new_account())
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
        tables = store.of(new_account())
        resource_id = new_id(NOON)
        Resources(tables, KIND).create(resource_id, document("lamp", "a", "b"))
        change = tagged("b", "c", "d", name="lantern")
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
        tables = store.of(new_account())
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
        Resources(hooked(tables, crashing(3)), KIND).update(resource_id, tagged("a", "b", "c"))
    (left, *_) = dangling_rows(tables, KIND)
    row = tables.log.get(left)
    resources.sweep(left, row, resources.read(resource_id))
    assert tables.log.get(left) is not None, "a newer version may be about to rely on it"
    resources.update(resource_id, tagged("a", name="lantern"))
    resources.sweep(left, row, resources.read(resource_id))
    assert tables.log.get(left) is None
    assert missing_rows(tables, KIND) == set()


def test_a_sweep_takes_no_row_that_a_newer_version_has_written_since_it_was_read(tables):
    resources, resource_id = Resources(tables, KIND), new_id(NOON)
    resources.create(resource_id, document("lamp", "a"))
    key = next(row for row in index_rows(KIND, resource_id, document("lamp", "a")) if "tags=a" in row.pk)
    row = tables.log.get(key)
    without = resources.update(resource_id, tagged("b"))
    resources.update(resource_id, tagged("a", "b"))
    resources.sweep(key, row, without)
    assert missing_rows(tables, KIND) == set()


def test_a_row_says_when_it_was_written_not_when_its_request_began(tables, clock, monkeypatch):
    monkeypatch.setattr(clock, "now", NOON + 5 * HOUR)
    resources, resource_id = Resources(tables, KIND), new_id(NOON)
    resources.create(resource_id, document("lamp", "a"))  # as a repeat under an Idempotency-Key would, hours later
    resources.update(resource_id, tagged("b"))
    assert [row.item["at"] for row in tables.log.walk()] == [NOON + 5 * HOUR] * 3


# Several processes


def test_two_updates_interleaved_in_every_way_lose_no_row_and_no_update(store, turns):
    """Each reads, writes a row, the document, and takes a row back: 5 calls with the row that both remove."""
    for order in interleavings(4, 5):
        tables = store.of(new_account())
        resource_id = new_id(NOON)
        Resources(tables, KIND).create(resource_id, document("lamp", "x"))
        first, second = (Resources(turns.tables(tables, actor), KIND) for actor in (0, 1))
        futures = turns.run(
            [
                lambda: first.update(resource_id, lambda before: {**before, "tags": ["y"]}),
                lambda: second.update(resource_id, lambda before: {**before, "tags": ["x", "z"], "name": "lantern"}),
            ],
            order,
        )
        assert {future.result().version for future in futures} == {2, 3}
        assert missing_rows(tables, KIND) == set(), order
        assert dangling_rows(tables, KIND) <= set(index_rows(KIND, resource_id, document("lamp", "x", "y", "z"))), order


def test_an_update_that_stalls_anywhere_and_goes_on_after_others_takes_no_row_of_theirs(store, turns):
    """The one stalls at each step, while others take its values away and give them back; checked at every moment."""
    for stalled in range(6):
        for resumed in range(7):
            tables = store.of(new_account())
            resource_id = new_id(NOON)
            Resources(tables, KIND).create(resource_id, document("lamp", "x"))

            def sound(tables: Tables = tables) -> None:
                assert missing_rows(tables, KIND) == set(), (stalled, resumed)

            slow, quick = (Resources(turns.tables(tables, actor), KIND) for actor in (0, 1))

            def twice(quick: Resources = quick, resource_id: str = resource_id) -> None:
                quick.update(resource_id, lambda before: {**before, "tags": ["y"]})
                quick.update(resource_id, lambda before: {**before, "tags": ["x", "w"]})

            futures = turns.run(
                [lambda: slow.update(resource_id, tagged("y", name="lantern")), twice],  # noqa: B023
                [0] * stalled + [1] * (2 * resumed),
                sound,
            )
            for future in futures:
                future.result()
            sound()


def test_a_delete_and_an_update_interleaved_in_every_way_leave_a_whole_document_or_none(store, turns):
    for order in interleavings(4, 5):
        tables = store.of(new_account())
        resource_id = new_id(NOON)
        Resources(tables, KIND).create(resource_id, document("lamp", "x"))
        updating, deleting = (Resources(turns.tables(tables, actor), KIND) for actor in (0, 1))
        update, delete = turns.run(
            [lambda: updating.update(resource_id, tagged("y")), lambda: deleting.delete(resource_id)], order
        )
        delete.result()
        assert isinstance(update.exception(), NotFound | None)
        assert documents_of(tables, KIND) == {}


def test_a_create_sent_twice_at_once_makes_one_document_with_all_its_rows(store, turns):
    for order in interleavings(3, 4):
        tables = store.of(new_account())
        resource_id = new_id(NOON)
        creating = [Resources(turns.tables(tables, actor), KIND) for actor in (0, 1)]
        futures = turns.run(
            [lambda each=each: each.create(resource_id, document("lamp", "x")) for each in creating], order
        )
        assert [future.result().version for future in futures] == [1, 1]
        assert missing_rows(tables, KIND) == dangling_rows(tables, KIND) == set(), order


def test_a_create_sent_twice_while_its_document_changes_already_misses_no_row(store, turns):
    orders = list(interleavings(3, 4, 5))
    for order in random.Random(7).sample(orders, 400):
        tables = store.of(new_account())
        resource_id = new_id(NOON)
        first, again, other = (Resources(turns.tables(tables, actor), KIND) for actor in range(3))

        def change(other: Resources = other, resource_id: str = resource_id) -> None:
            other.update(resource_id, tagged("y"))

        futures = turns.run(
            [
                lambda: first.create(resource_id, document("lamp", "x")),
                lambda: again.create(resource_id, document("lamp", "x")),
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
    resources.update(resource_id, tagged("b"))
    resources.update(resource_id, tagged("a", "b"))
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


# Claims


def test_of_two_that_claim_a_name_at_once_one_wins_and_the_other_has_written_nothing_to_see(store, turns):
    for order in interleavings(3, 3):
        tables = store.of(new_account())
        ids = [new_id(NOON), new_id(NOON)]
        creating = [Resources(turns.tables(tables, actor), KIND) for actor in (0, 1)]
        futures = turns.run(
            [
                lambda each=each, own=own: each.create(own, document("lamp", "a"), also=[claim_of(own)])
                for each, own in zip(creating, ids, strict=True)
            ],
            order,
        )
        errors = [future.exception() for future in futures]
        assert sorted(map(type, errors), key=str) == sorted([type(None), Conflict], key=str), order
        (winner,) = documents_of(tables, KIND)
        assert tables.main.get(claim_of("").key)["id"] == winner
        assert missing_rows(tables, KIND) == set()


def test_a_claim_that_is_taken_long_since_costs_no_row(tables):
    resources, first, second = Resources(tables, KIND), new_id(NOON), new_id(NOON)
    resources.create(first, document("lamp"), also=[claim_of(first)])
    before = rows_of(tables.log)
    with pytest.raises(Conflict):
        resources.create(second, document("lamp", "a"), also=[claim_of(second)])
    assert rows_of(tables.log) == before


def test_a_claim_that_an_update_cannot_have_leaves_the_document_as_it_was(tables):
    resources, first, second = Resources(tables, KIND), new_id(NOON), new_id(NOON)
    resources.create(first, document("lamp"), also=[claim_of(first)])
    resources.create(second, document("torch"))
    with pytest.raises(Conflict, match="exists already"):
        resources.update(second, tagged("a"), also=lambda _before, _after: [claim_of(second)])
    assert resources.read(second).document["tags"] == []
    assert missing_rows(tables, KIND) == set()


def test_a_claim_goes_with_its_document_and_can_be_taken_again(tables):
    resources, first, second = Resources(tables, KIND), new_id(NOON), new_id(NOON)
    resources.create(first, document("lamp"), also=[claim_of(first)])
    resources.delete(first, also=lambda _before: [Delete(claim_of(first).key)])
    resources.create(second, document("lamp"), also=[claim_of(second)])
    assert tables.main.get(claim_of("").key)["id"] == second


def refusing(times: int, kind: str) -> Callable[..., Any]:
    """The store cancels the first transactions, as DynamoDB does when two of them meet."""
    left = [times]

    def around(name: str, method: Callable[..., Any], args: Any) -> Any:
        if name == "transact" and left[0]:
            left[0] -= 1
            raise TransactionFailed([Reason(kind)] + [Reason("none")] * (len(args[0]) - 1))
        return method(*args)

    return around


@pytest.mark.parametrize("kind", ["conflict", "throttled"])
def test_a_transaction_that_meets_another_is_tried_again(tables, kind):
    resource_id = new_id(NOON)
    also = [claim_of(resource_id)]
    stored = Resources(hooked(tables, refusing(2, kind)), KIND).create(resource_id, document("lamp", "a"), also=also)
    assert stored.version == 1
    other = Put(Key("other", "-"), {"a": 1})
    changing = Resources(hooked(tables, refusing(2, kind)), KIND)
    assert changing.update(resource_id, tagged("b"), also=lambda _before, _after: [other]).version == 2
    deleting = Resources(hooked(tables, refusing(2, kind)), KIND)
    deleting.delete(resource_id, also=lambda _before: [other])
    assert rows_of(tables.log) == set()


def test_a_create_that_keeps_meeting_others_takes_back_no_row_that_its_twin_relies_on(tables):
    resource_id = new_id(NOON)
    also = [claim_of(resource_id)]

    def meets_its_twin(name: str, method: Callable[..., Any], args: Any) -> Any:
        if name == "transact":
            raise TransactionFailed([Reason("conflict"), Reason("none")])
        if name == "put_many":
            method(*args)
            Resources(tables, KIND).create(resource_id, document("lamp", "a"), also=also)
            return None
        return method(*args)

    with pytest.raises(FingerpostError):
        Resources(hooked(tables, meets_its_twin), KIND).create(resource_id, document("lamp", "a"), also=also)
    assert list(documents_of(tables, KIND)) == [resource_id]
    assert missing_rows(tables, KIND) == set()


def test_a_transaction_that_the_store_finds_malformed_is_not_tried_twelve_times(tables):
    resource_id = new_id(NOON)
    tables.main.put(Key("sum", "-"), {"n": 1})
    calls: list[str] = []

    def malformed(name: str, method: Callable[..., Any], args: Any) -> Any:
        calls.append(name)
        if name == "transact":
            raise TransactionFailed([Reason("none"), Reason("other")])
        return method(*args)

    with pytest.raises(TransactionFailed):
        Resources(hooked(tables, malformed), KIND).create(
            resource_id, document("lamp"), also=[Update(Key("sum", "-"), (Set("n", 2),))]
        )
    assert calls.count("transact") == 1


# What is stored


def test_a_change_of_a_number_into_a_boolean_is_a_change(tables):
    resources, resource_id = Resources(tables, KIND), new_id(NOON)
    resources.create(resource_id, document("lamp", identifiers={"flag": 1}))
    resources.update(resource_id, lambda before: {**before, "identifiers": {"flag": True}})
    assert resources.read(resource_id).document["identifiers"]["flag"] is True
    assert missing_rows(tables, KIND) == dangling_rows(tables, KIND) == set()


def test_an_update_that_changes_nothing_writes_nothing(tables):
    resources, resource_id = Resources(tables, KIND), new_id(NOON)
    created = resources.create(resource_id, document("lamp", "a"))
    assert resources.update(resource_id, dict) == created


def test_a_document_past_256_kb_is_refused_before_anything_is_written(tables):
    resources, resource_id = Resources(tables, KIND), new_id(NOON)
    with pytest.raises(TooLarge, match="256 KB"):
        resources.create(resource_id, document("lamp", description="é" * (MAX_DOCUMENT_BYTES // 2)))
    assert rows_of(tables.main) == rows_of(tables.log) == set()
    stored = resources.create(resource_id, document("lamp", "a"))
    with pytest.raises(TooLarge, match="256 KB"):
        resources.update(resource_id, lambda before: {**before, "description": "x" * MAX_DOCUMENT_BYTES, "tags": []})
    assert resources.read(resource_id) == stored
    assert missing_rows(tables, KIND) == dangling_rows(tables, KIND) == set()


def test_a_document_of_exactly_256_kb_is_stored_with_its_rows(tables):
    resources, resource_id = Resources(tables, KIND), new_id(NOON)
    empty = len(resources._item(document("lamp", description=""), 1)["doc"])
    resources.create(resource_id, document("lamp", description="x" * (MAX_DOCUMENT_BYTES - empty)))
    assert missing_rows(tables, KIND) == set()


def test_a_document_may_have_1000_index_rows_and_not_one_more(tables):
    resources, resource_id = Resources(tables, KIND), new_id(NOON)
    tags = [f"t{number}" for number in range(MAX_INDEX_ROWS - 2)]  # beside the list and the name
    resources.create(resource_id, document("lamp", *tags))
    assert len(rows_of(tables.log)) == MAX_INDEX_ROWS
    with pytest.raises(TooLarge, match="1000"):
        resources.update(resource_id, tagged(*tags, "one more"))
    with pytest.raises(TooLarge, match="1000"):
        resources.create(new_id(NOON), document("lamp", *tags, "one more"))
    assert len(rows_of(tables.log)) == MAX_INDEX_ROWS
    assert missing_rows(tables, KIND) == set()


def test_what_every_project_sees_has_one_row_for_all_of_them():
    rows = index_rows(KIND, "U1", document("lamp", scopes={"projects": ["P1", "all", "P2"]}))
    assert {row.pk.split("#")[1] for row in rows} == {keys.ACCOUNT_SCOPE, keys.EVERY_PROJECT}


def test_a_key_and_a_value_of_any_length_can_be_indexed(tables):
    resources, resource_id = Resources(tables, KIND), new_id(NOON)
    long = "é" * 700
    resources.create(resource_id, document(long, identifiers={"k": long, "other": long + "x"}))
    assert missing_rows(tables, KIND) == dangling_rows(tables, KIND) == set()
    resources.update(resource_id, lambda before: {**before, "identifiers": {"k": long}, "name": long + "!"})
    assert missing_rows(tables, KIND) == dangling_rows(tables, KIND) == set()


def test_another_kind_of_document_is_not_there(tables):
    resource_id = new_id(NOON)
    Resources(tables, KIND).create(resource_id, document("lamp"))
    other = Resources(tables, Kind("product", "products"))
    with pytest.raises(NotFound):
        other.read(resource_id)
    assert other.read_many([resource_id]) == {}
    with pytest.raises(Conflict):
        other.create(resource_id, document("lamp"))


def test_what_a_caller_does_not_see_can_be_neither_changed_nor_deleted(tables):
    resources, resource_id = Resources(tables, KIND), new_id(NOON)
    stored = resources.create(resource_id, document("lamp"))
    with pytest.raises(NotFound):
        resources.update(resource_id, tagged("a"), sees=lambda _document: False)
    with pytest.raises(NotFound):
        resources.delete(resource_id, sees=lambda _document: False)
    assert resources.read(resource_id) == stored
