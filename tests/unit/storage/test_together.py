"""Many documents changed alike, and collections that must not end up in themselves, whatever races or ends half-way."""

import random
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from fingerpost import keys
from fingerpost.catalogue import members
from fingerpost.catalogue.model import COLLECTION
from fingerpost.errors import Conflict, Invalid, NotFound
from fingerpost.ids import new_id
from fingerpost.ports.table import Reason, Tables, TransactionFailed
from fingerpost.resources import Resources
from fingerpost.together import Together
from tests.stores import (
    NOON,
    Crash,
    caller_of,
    counting,
    crashing,
    dangling_rows,
    documents_of,
    emptied,
    hooked,
    missing_rows,
    new_account,
)
from tests.unit.storage.lamps import KIND, document


def lamps(tables: Tables, number: int, *tags: str) -> list[str]:
    made = []
    for n in range(number):
        made.append(new_id(NOON + n))
        Resources(tables, KIND).create(made[-1], document(f"lamp {n}", *tags))
    return made


def tagged(tag: str) -> Any:
    return lambda before: before if tag in before["tags"] else {**before, "tags": [*before["tags"], tag]}


def untagged(tag: str) -> Any:
    return lambda before: {**before, "tags": [each for each in before["tags"] if each != tag]}


def tags_of(tables: Tables) -> list[list[str]]:
    return [each.document["tags"] for each in documents_of(tables, KIND).values()]


def test_a_thousand_documents_are_changed_in_few_calls(tables):
    made = lamps(tables, 250)
    calls: Counter[str] = Counter()
    Together(hooked(tables, counting(calls)), KIND).update_many([*made, made[0], "gone"], tagged("a"))
    assert calls == {"get_many": 3, "transact": 6}
    assert tags_of(tables) == [["a"]] * 250
    assert missing_rows(tables, KIND) == dangling_rows(tables, KIND) == set()
    Together(tables, KIND).update_many(made, untagged("a"))
    assert tags_of(tables) == [[]] * 250
    assert missing_rows(tables, KIND) == dangling_rows(tables, KIND) == set()


def test_what_is_as_it_should_be_is_not_written(tables):
    made = lamps(tables, 3, "a")
    calls: Counter[str] = Counter()
    Together(hooked(tables, counting(calls)), KIND).update_many(made, tagged("a"))
    assert calls == {"get_many": 1}


def test_a_process_that_ends_anywhere_misses_no_row_and_a_repeat_completes_it(store):
    for step in range(20):
        tables = emptied(store).of(new_account())
        made = lamps(tables, 3, "old")
        ended = False
        try:
            Together(hooked(tables, crashing(step)), KIND).update_many(made, lambda before: {**before, "tags": ["new"]})
        except Crash:
            ended = True
        assert missing_rows(tables, KIND) == set()
        Together(tables, KIND).update_many(made, lambda before: {**before, "tags": ["new"]})
        assert tags_of(tables) == [["new"]] * 3
        assert missing_rows(tables, KIND) == set()
        if not ended:
            assert dangling_rows(tables, KIND) == set()
            assert step == 4  # one read, the rows, the documents, the old rows
            return
    pytest.fail("it never ends")


@pytest.mark.parametrize("seed", range(20))
def test_nobodys_change_is_lost_when_many_are_changed_while_one_is(store, turns, seed):
    chance = random.Random(seed)
    for _ in range(5):
        tables = emptied(store).of(new_account())
        made = lamps(tables, 4)
        actors = [
            partial(Together(turns.tables(tables, 0), KIND).update_many, made, tagged("a")),
            partial(Together(turns.tables(tables, 1), KIND).update_many, made[1:], tagged("b")),
            partial(Resources(turns.tables(tables, 2), KIND).update, made[2], tagged("c")),
        ]
        for future in turns.run(actors, [chance.randrange(3) for _ in range(40)]):
            future.result()
        found = documents_of(tables, KIND)
        assert [set(found[each].document["tags"]) for each in made] == [
            {"a"},
            {"a", "b"},
            {"a", "b", "c"},
            {"a", "b"},
        ]
        assert missing_rows(tables, KIND) == dangling_rows(tables, KIND) == set()


def test_one_that_is_deleted_meanwhile_is_left_out(tables):
    made = lamps(tables, 3)

    def around(name, method, args):
        if name == "transact" and made[1] in documents_of(tables, KIND):
            Resources(tables, KIND).delete(made[1])
        return method(*args)

    Together(hooked(tables, around), KIND).update_many(made, tagged("a"))
    assert {each: stored.document["tags"] for each, stored in documents_of(tables, KIND).items()} == {
        made[0]: ["a"],
        made[2]: ["a"],
    }
    assert missing_rows(tables, KIND) == set()


def test_large_documents_go_one_by_one(tables):
    made = [new_id(NOON + n) for n in range(6)]
    for each in made:
        Resources(tables, KIND).create(each, document("lamp", text="x" * 200_000))
    Together(tables, KIND).update_many(made, tagged("a"))
    assert tags_of(tables) == [["a"]] * 6


def test_a_fault_of_the_store_is_no_race(tables):
    made = lamps(tables, 1)

    def around(name, method, args):
        if name == "transact":
            raise TransactionFailed([Reason("other")])
        return method(*args)

    with pytest.raises(TransactionFailed):
        Together(hooked(tables, around), KIND).update_many(made, tagged("a"))


# Collections in collections


def collections(tables: Tables, number: int) -> list[str]:
    made = [new_id(NOON + n) for n in range(number)]
    for each in made:
        Resources(tables, COLLECTION).create(each, document("box"))
    return made


def put_in(tables: Tables, account: str, parent: str, child: str) -> bool:
    """Whether it could be put in."""
    caller = replace(caller_of(tables, account), tables=tables)
    try:
        members.add_collections(caller, parent, [child])
    except (Invalid, Conflict):
        return False
    return True


def in_itself(tables: Tables) -> bool:
    above = {
        each: set(stored.document.get("collections", ())) for each, stored in documents_of(tables, COLLECTION).items()
    }
    for _ in above:
        above = {
            each: found | {one for known in found for one in above.get(known, ())} for each, found in above.items()
        }
    return any(each in found for each, found in above.items())


@pytest.mark.parametrize("seed", range(25))
def test_three_that_close_a_circle_together_never_all_succeed(store, turns, seed):
    chance = random.Random(seed)
    for _ in range(6):
        account = new_account()
        tables = emptied(store).of(account)
        a, b, c = collections(tables, 3)
        actors = [
            partial(put_in, turns.tables(tables, number), account, parent, child)
            for number, (parent, child) in enumerate(((a, b), (b, c), (c, a)))
        ]
        futures = turns.run(actors, [chance.randrange(3) for _ in range(30)])
        assert not in_itself(tables)
        assert sum(future.result() for future in futures) == 2
        assert missing_rows(tables, COLLECTION) == set()


def test_a_collection_that_goes_while_one_is_put_into_it_takes_none(tables, account):
    parent, child = collections(tables, 2)

    def around(name, method, args):
        if name == "transact":
            tables.main.delete(keys.document(parent))
        return method(*args)

    caller = replace(caller_of(tables, account), tables=hooked(tables, around))
    with pytest.raises(NotFound):
        members.add_collections(caller, parent, [child])
    assert "collections" not in Resources(tables, COLLECTION).read(child).document
