"""A visit is counted once, in whatever company its record comes: alone, among hundreds, torn, late, at once."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fingerpost.actions.derive import derive
from fingerpost.actions.visits import MARKS_A_ROW, visits_newest_first, visits_of
from fingerpost.packed import rests
from fingerpost.ports.table import Change, Item, Page, Row, Table, Tables, item_size
from fingerpost.redirection.hits import Hits
from tests.feeds import DOMAIN, action
from tests.stores import NOON, emptied, hooked, interleavings, new_account


def hits(store: Tables, account: str, link: str = "AAAA") -> int:
    return Hits(store.of(account)).total(DOMAIN, link)


def marked(log: Table) -> Counter[str]:
    """How often each id is marked."""
    rows = [row for row in log.walk() if row.item["k"] == "marks"]
    return Counter(row.key.pk.rpartition("#")[2] + rest for row in rows for rest in rests(row.item["ids"]))


def ids_of(changes: Sequence[Change]) -> list[str]:
    return [change.key.pk.split("#")[2] for change in changes]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(1, 250))
def test_every_division_into_batches_counts_the_same(store, seed, number):
    chance = random.Random(seed)
    account = new_account()
    log = emptied(store).log
    changes = [action(account, NOON + chance.randrange(4_000), chance.choice(["AAAA", "B"])) for _ in range(number)]
    for _ in range(3):
        chance.shuffle(changes)
        left = changes
        while left:
            size = chance.choice([1, 1, 2, 40, 300])
            assert derive(log, left[:size]) == []
            left = left[size:]
    links = Counter(change.new["link"].rpartition("/")[2] for change in changes if change.new)
    assert {link: hits(store, account, link) for link in links} == links
    assert marked(log) == Counter(ids_of(changes))
    assert all(len(row.item["ids"]) <= MARKS_A_ROW * 17 for row in log.walk() if row.item["k"] == "marks")
    shown = [row.key.sk for row in visits_newest_first(store.of(account).log, DOMAIN, "AAAA")]
    wanted = [each for each, change in zip(ids_of(changes), changes, strict=True) if change.new["link"].endswith("A")]
    assert shown == sorted(wanted, reverse=True)


@pytest.mark.parametrize("filled", [0, 1, MARKS_A_ROW - 1, MARKS_A_ROW, 2 * MARKS_A_ROW])
def test_two_who_count_the_same_records_at_once_count_them_once(store, turns, filled):
    for order in interleavings(4, 3):
        account = new_account()
        emptied(store)
        assert derive(store.log, [action(account) for _ in range(filled)]) == []
        changes = [action(account) for _ in range(2)]
        futures = turns.run(
            [
                lambda changes=changes: derive(turns.tables(store, 0).log, changes),
                lambda changes=changes: derive(turns.tables(store, 1).log, changes[1:]),
            ],
            order,
        )
        assert [future.result() for future in futures] == [[], []]
        assert hits(store, account) == filled + 2


def test_many_at_once_with_overlapping_batches_count_each_once(store):
    account = new_account()
    log = emptied(store).log
    changes = [action(account, NOON + n, link="ABC"[n % 3]) for n in range(300)]

    def reader(seed: int) -> None:
        chance = random.Random(seed)
        mine = chance.sample(changes, len(changes))
        for batch in batched(mine, chance.choice([7, 60, 150]), strict=False):
            left = list(batch)
            for _ in range(200):
                failed = derive(log, left)
                left = [each for each in left if each.sequence in failed]
            assert left == []

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(reader, range(4)))
    assert [hits(store, account, link) for link in "ABC"] == [100, 100, 100]


def test_marks_that_were_read_while_others_were_added_are_read_again(store):
    """A query is not of one moment: its first row may be older than its second."""
    account = new_account()
    log = emptied(store).log
    before = [action(account) for _ in range(MARKS_A_ROW - 4)]
    assert derive(log, before) == []
    (old,) = [row for row in log.walk() if row.item["k"] == "marks"]
    meanwhile = [action(account) for _ in range(10)]
    assert derive(log, meanwhile) == []
    torn: list[Page] = []

    def tearing(name: str, method: Callable[..., Any], args: Sequence[Any]) -> Any:
        answer = method(*args)
        if name == "query" and len(torn) < 2:
            first, *more = answer.rows
            assert first.key == old.key
            torn.append(answer)
            return Page((Row(first.key, old.item), *more))
        return answer

    assert derive(hooked(store, tearing).log, meanwhile) == []
    assert len(torn) == 2
    assert hits(store, account) == MARKS_A_ROW + 6


def test_a_full_row_of_marks_is_written_no_more_and_costs_one_kilobyte(store):
    account = new_account()
    log = emptied(store).log
    written: Counter[str] = Counter()

    def watching(name: str, method: Callable[..., Any], args: Sequence[Any]) -> Any:
        if name == "transact":
            written.update(write.key.sk for write in args[0] if "#m#" in write.key.pk)
        return method(*args)

    for _ in range(3):
        assert derive(hooked(store, watching).log, [action(account) for _ in range(MARKS_A_ROW)]) == []
    assert written == {"000000": 1, "000001": 1, "000002": 1}
    longest = "U" + "x" * 23
    for row in log.walk():
        if row.item["k"] == "marks":
            assert item_size(row.key, row.item) + len(longest) - len(account) + 14 <= 1_024, "with when it expires"


def test_links_that_share_marks_do_not_share_hits(store):
    account = new_account()
    log = emptied(store).log
    changes = [action(account, link=f"L{n}") for n in range(40)]
    assert derive(log, changes) == []
    assert derive(log, changes[::-1]) == []
    assert [hits(store, account, f"L{n}") for n in range(40)] == [1] * 40
    assert len({row.key.pk for row in log.walk() if row.item["k"] == "marks"}) <= 4


def test_an_id_that_is_not_ours_fails_alone(store):
    account = new_account()
    log = emptied(store).log
    good, odd = action(account), action(account)
    odd = Change(sequence="odd", key=odd.key._replace(pk=odd.key.pk + "x"), old=None, new=odd.new)
    item: Item = dict(odd.new or {})
    assert visits_of(odd)
    assert item["link"]
    assert derive(log, [good, odd]) == ["odd"]
    assert hits(store, account) == 1
