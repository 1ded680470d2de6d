"""Idempotency-Key: the same key gives the same effect and the same answer, whatever happened to the first request."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fingerpost import keys
from fingerpost.caller import Caller
from fingerpost.clock import DAY_MS
from fingerpost.errors import Conflict, Invalid
from fingerpost.once import KEPT_MS, MAX_KEPT_ANSWER_BYTES, begin, packed
from fingerpost.ports.table import Key
from fingerpost.resources import Resources
from tests.stores import (
    NOON,
    Crash,
    caller_of,
    crashing,
    dangling_rows,
    documents_of,
    emptied,
    hooked,
    missing_rows,
    new_account,
    rows_of,
)
from tests.unit.storage.lamps import KIND, claim_of, document


def post(caller: Caller, key: str = "k1", body: bytes = b"a lamp") -> str:
    """What an edge does with a POST that creates a document: claim the key, create, keep the answer."""
    begun = begin(caller, key, body)
    if begun.answer is not None:
        return begun.answer
    seeded = begun.caller
    resource_id = seeded.new_id(seeded.at)
    sent = document(body.decode(), createdAt=seeded.at, updatedAt=seeded.at)
    Resources(seeded.tables, KIND).create(resource_id, sent, also=[claim_of(resource_id)])
    answer = packed(201, {"id": resource_id}, {})
    begun.keep(answer)
    return answer


def test_the_same_key_and_request_twice_is_one_document_and_one_answer(store, tables, account):
    first = post(caller_of(store, account))
    again = post(caller_of(store, account, NOON + 60_000))
    assert first == again
    assert len(documents_of(tables, KIND)) == 1


def test_another_key_is_another_request(store, tables, account):
    begun = [begin(caller_of(store, account), key, b"same") for key in ("k1", "k2")]
    assert begun[0].caller.new_id(NOON) != begun[1].caller.new_id(NOON)
    assert begun[0].caller.new_short_id() != begun[1].caller.new_short_id()


def test_a_crash_anywhere_and_a_repeat_make_one_document_with_all_its_rows(store):
    for step in range(20):
        account = new_account()
        tables = emptied(store).of(account)
        crashed = False
        try:
            post(caller_of(hooked(store, crashing(step)), account))
        except Crash:
            crashed = True
        answer = post(caller_of(store, account, NOON + 3 * 3_600_000))
        assert answer == post(caller_of(store, account, NOON + 4 * 3_600_000))
        (resource_id,) = documents_of(tables, KIND)
        assert resource_id in answer
        assert missing_rows(tables, KIND) == dangling_rows(tables, KIND) == set()
        if not crashed:
            assert step == 5  # the key; the look for an earlier one, rows, document; the answer
            return
    pytest.fail("it never ends")


def test_two_at_once_make_one_document(store):
    for _ in range(20):
        account = new_account()
        tables = emptied(store).of(account)
        with ThreadPoolExecutor(4) as pool:
            answers = set(pool.map(lambda _: post(caller_of(store, account)), range(4)))  # noqa: B023
        assert len(answers) == 1
        assert len(documents_of(tables, KIND)) == 1
        assert missing_rows(tables, KIND) == dangling_rows(tables, KIND) == set()


def test_a_key_that_was_used_with_another_body_is_refused_and_does_nothing(store, tables, account):
    post(caller_of(store, account))
    before = rows_of(store.main) | rows_of(store.log)
    with pytest.raises(Conflict, match="another request"):
        post(caller_of(store, account), body=b"a torch")
    assert rows_of(store.main) | rows_of(store.log) == before


def test_a_key_is_its_senders_own(store, tables, account):
    begun = begin(caller_of(store, account), "k1", b"one")
    other: Any = caller_of(store, new_account())
    assert begin(other, "k1", b"two").caller.new_id(NOON) != begun.caller.new_id(NOON)


def test_a_repeat_has_the_time_of_the_first_request(store, tables, account):
    begin(caller_of(store, account, NOON), "k1", b"x")
    assert begin(caller_of(store, account, NOON + DAY_MS), "k1", b"x").caller.at == NOON


def test_after_seven_days_a_key_is_new(store, tables, account, clock):
    first = begin(caller_of(store, account), "k1", b"one")
    first.keep("the answer")
    clock.now = NOON + KEPT_MS - 1_000
    assert begin(caller_of(store, account, clock.now), "k1", b"one").answer == "the answer"
    clock.now = NOON + KEPT_MS + 1_000
    again = begin(caller_of(store, account, clock.now), "k1", b"another")
    assert again.answer is None
    assert again.caller.new_id(NOON) != first.caller.new_id(NOON)


def test_an_answer_that_comes_when_the_key_has_expired_leaves_no_row_that_refuses_it_for_ever(
    store, tables, account, clock
):
    slow = begin(caller_of(store, account), "k1", b"x")
    clock.now = NOON + KEPT_MS + 1_000
    slow.keep("too late")
    assert rows_of(store.main) == set()
    again = begin(caller_of(store, account, clock.now), "k1", b"x")
    slow.keep("too late")
    assert begin(caller_of(store, account, clock.now), "k1", b"x").answer is None
    again.keep("in time")
    assert begin(caller_of(store, account, clock.now), "k1", b"x").answer == "in time"


def test_an_answer_too_large_to_keep_is_made_again_from_the_same_ids(store, tables, account):
    first = begin(caller_of(store, account), "k1", b"x")
    first.keep("x" * (MAX_KEPT_ANSWER_BYTES + 1))
    again = begin(caller_of(store, account), "k1", b"x")
    assert again.answer is None
    assert [again.caller.new_id(NOON) for _ in range(3)] == [first.caller.new_id(NOON) for _ in range(3)]
    first.keep("x" * MAX_KEPT_ANSWER_BYTES)
    assert begin(caller_of(store, account), "k1", b"x").answer == "x" * MAX_KEPT_ANSWER_BYTES


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_has_1_to_255_characters(store, tables, account, key):
    with pytest.raises(Invalid, match="255"):
        begin(caller_of(store, account), key, b"x")
    begin(caller_of(store, account), "ключ" * 63, b"x")


def test_the_row_of_a_key_does_not_hold_the_key(store, tables, account):
    begin(caller_of(store, account), "my secret key", b"my body")
    (row,) = store.main.walk()
    assert row.key == Key(f"{account}#{keys.idempotency('operator', 'my secret key').pk}", "-")
    assert "my " not in repr(row)
