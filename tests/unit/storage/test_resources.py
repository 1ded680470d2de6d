"""Claims of unique names, and what a document may be."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from fingerpost import keys
from fingerpost.errors import Conflict, FingerpostError, NotFound, TooLarge
from fingerpost.ids import new_id
from fingerpost.ports.table import Delete, Key, Put, Reason, Set, TransactionFailed, Update
from fingerpost.resources import MAX_DOCUMENT_BYTES, MAX_INDEX_ROWS, Kind, Resources, index_rows
from tests.stores import (
    NOON,
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

# Claims


def test_of_two_that_claim_a_name_at_once_one_wins_and_the_other_has_written_nothing_to_see(store, turns):
    for order in interleavings(3, 3):
        tables = emptied(store).of(new_account())
        ids = [new_id(NOON), new_id(NOON)]
        creating = [Resources(turns.tables(tables, actor), KIND) for actor in (0, 1)]
        futures = turns.run(
            [
                partial(each.create, own, document("lamp", "a"), also=[claim_of(own)])
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
        resources.update(second, given(tags=["a"]), also=lambda _before, _after: [claim_of(second)])
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
    assert changing.update(resource_id, given(tags=["b"]), also=lambda _before, _after: [other]).version == 2
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
        resources.update(resource_id, given(tags=[*tags, "one more"]))
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
        resources.update(resource_id, given(tags=["a"]), sees=lambda _document: False)
    with pytest.raises(NotFound):
        resources.delete(resource_id, sees=lambda _document: False)
    assert resources.read(resource_id) == stored


@pytest.mark.parametrize(
    ("name", "words"), [("thng", "thng"), ("actionType", "action type"), ("hubMeeting", "hub meeting")]
)
def test_messages_name_a_kind_as_people_write_it(name, words):
    assert Kind(name, f"{name}s").words == words
