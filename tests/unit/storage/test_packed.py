"""Pages and single rows of one partition read as one list, whatever was written in which form."""

import random
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fingerpost import keys
from fingerpost.actions.derive import derive
from fingerpost.actions.model import ACTION
from fingerpost.ids import first_id, new_id
from fingerpost.listing import Ask, Found, Lister
from fingerpost.packed import MAX_PAGE_BYTES, entries, expanded, is_page, packed, remove
from fingerpost.ports.table import LAST, Key, Put, Row, Tables, Unreachable, item_size
from fingerpost.rules.compile import compile_match
from fingerpost.rules.fields import LISTS
from tests.feeds import action, removed
from tests.stores import NOON, Crash, crashing, emptied, hooked, new_account
from tests.unit.storage.lists import sight

WINDOW_MS = 2_500
VISITS = "v#tn.example#AAAA"
ITEMS: list[dict[str, Any]] = [{"n": 1}, {"n": 2, "country": "IE"}, {"n": 1, "url": "https://museum.example/é"}]


def same(partition: str, _window: str) -> str:
    return partition


def puts_of(ids: Sequence[str], partition: str = VISITS) -> list[Put]:
    return [Put(Key(partition, each), ITEMS[hash(each) % 3]) for each in ids]


def single_rows(puts: Sequence[Put]) -> dict[Key, Any]:
    return {each.key: each.item for put in puts for each in expanded(Row(put.key, put.item))}


moments = st.lists(st.integers(0, 4 * WINDOW_MS), max_size=60)


@settings(max_examples=60, deadline=None)
@given(moments)
def test_a_page_stands_for_exactly_the_rows_that_went_into_it(times):
    puts = puts_of([new_id(NOON + at) for at in times])
    pages = packed(puts, same)
    assert single_rows(pages) == {put.key: put.item for put in puts}
    assert len(pages) <= 6, "four windows and the parts of two at the ends"
    assert sorted(packed(puts[::-1], same), key=lambda put: put.key) == sorted(pages, key=lambda put: put.key)
    assert all(len(list(expanded(Row(put.key, put.item)))) > 1 for put in pages if is_page(put.key.sk))


def test_a_page_stays_small_and_the_next_takes_the_rest():
    ids = [new_id(NOON) for _ in range(1_000)]
    plain = packed([Put(Key(VISITS, each), {"n": 1}) for each in ids], same)
    wordy = packed([Put(Key(VISITS, each), {"url": f"https://museum.example/{each}" * 2}) for each in ids], same)
    for pages in (plain, wordy):
        assert {key.sk for key in single_rows(pages)} == set(ids)
        assert all(item_size(put.key, put.item) < MAX_PAGE_BYTES * 1.5 for put in pages)
    assert len(plain) == 5


def test_what_is_alone_or_no_id_of_ours_stays_a_row():
    far = [new_id(NOON + n * 2 * WINDOW_MS) for n in range(5)]
    puts = [*puts_of(far), Put(Key(VISITS, "short"), {"n": 1}), Put(Key(VISITS, "shorter"), {"n": 1})]
    assert sorted(packed(puts, same), key=lambda put: put.key) == sorted(puts, key=lambda put: put.key)


def test_a_page_ends_when_the_last_of_its_rows_would():
    ids = [new_id(NOON) for _ in range(3)]
    puts = [Put(Key(VISITS, each), {"n": 1}, expires_at=NOON + n) for n, each in enumerate(ids)]
    (page,) = packed(puts, same)
    assert page.expires_at == NOON + 2


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(moments, max_size=5), st.randoms(use_true_random=False), st.booleans(), st.integers(1, 7))
def test_both_forms_read_as_one_list_from_anywhere_to_anywhere(store, batches, chance, descending, limit):
    log = emptied(store).of(new_account()).log
    ids: set[str] = set()
    for times in batches:
        some = [new_id(NOON + at) for at in times]
        again = chance.sample(sorted(ids), len(ids) // 2)  # what comes once more comes in other company
        log.put_many(packed(puts_of([*some, *again]), same))
        if chance.random() < 0.5:
            log.put_many(puts_of(again))
        ids.update(some)
    bounds = [NOON + chance.randrange(-10, 4 * WINDOW_MS) for _ in range(2)]
    low = chance.choice(["", first_id(min(bounds)), *ids])
    high = chance.choice([LAST, first_id(max(bounds)), *ids])
    after = chance.choice([None, *ids, new_id(bounds[0])])
    found = entries(log, VISITS, low=low, high=high, after=after, descending=descending, limit=limit, then=limit)
    wanted = [each for each in sorted(ids, reverse=descending) if low <= each <= high]
    if after is not None:
        wanted = [each for each in wanted if (each < after if descending else each > after)]
    assert [row.key.sk for row in found] == wanted


def test_a_reader_who_wants_few_reads_the_windows_of_few(tables):
    ids = sorted(new_id(NOON + n * 100) for n in range(2_000))
    for start in range(0, len(ids), 50):
        tables.log.put_many(packed(puts_of(ids[start : start + 50]), same))
    queries: list[Any] = []

    def watching(name: str, method: Callable[..., Any], args: Sequence[Any]) -> Any:
        queries.append(args)
        return method(*args)

    log = hooked(tables, watching).log
    found = [row.key.sk for row in islice(entries(log, VISITS, descending=True, limit=8, then=8), 30)]
    assert found == ids[:-31:-1]
    assert len(queries) == 1


# Removal


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 2 * WINDOW_MS), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_what_is_removed_is_gone_in_every_form_and_nothing_else(store, times, chance):
    log = emptied(store).of(new_account()).log
    ids = [new_id(NOON + at) for at in times]
    for _ in range(3):
        log.put_many(packed(puts_of(chance.sample(ids, chance.randrange(len(ids) + 1))), same))
    there = {row.key.sk for row in entries(log, VISITS)}
    gone = set(chance.sample(ids, chance.randrange(len(ids) + 1)))
    for each in gone:
        remove(log, Key(VISITS, each), same)
    assert {row.key.sk for row in entries(log, VISITS)} == there - gone
    assert all(expanded(row) for row in log.query(VISITS, limit=100).rows), "an empty page is no row"


def test_two_who_take_from_one_page_at_once_both_succeed(tables, turns):
    ids = [new_id(NOON) for _ in range(3)]
    for order in ([0, 0, 1, 1], [0, 0, 1, 1, 0, 1], [1, 0, 1, 0, 1, 0], [0, 1, 1, 0, 0]):
        tables.log.put_many(packed(puts_of(ids), same))

        def take(number: int) -> None:
            remove(turns.tables(tables, number).log, Key(VISITS, ids[number]), same)

        for future in turns.run([lambda: take(0), lambda: take(1)], order):
            future.result()
        assert [row.key.sk for row in entries(tables.log, VISITS)] == [ids[2]]
        remove(tables.log, Key(VISITS, ids[2]), same)


def test_a_removal_that_is_interrupted_is_finished_by_the_next(tables):
    ids = [new_id(NOON) for _ in range(3)]
    for step in range(4):
        tables.log.put_many([*packed(puts_of(ids), same), *puts_of(ids)])
        with pytest.raises(Crash):
            remove(hooked(tables, crashing(step)).log, Key(VISITS, ids[0]), same)
            raise Crash
        remove(tables.log, Key(VISITS, ids[0]), same)
        assert [row.key.sk for row in entries(tables.log, VISITS)] == sorted(ids[1:])


def test_a_page_that_never_keeps_still_is_reported(tables):
    ids = [new_id(NOON) for _ in range(3)]
    (page,) = packed(puts_of(ids), same)
    tables.log.put(page.key, page.item)
    version = iter(range(2, 1_000))

    def others(name: str, method: Callable[..., Any], args: Sequence[Any]) -> Any:
        if name == "put":
            tables.log.put(page.key, {**page.item, "v": next(version)})
        return method(*args)

    with pytest.raises(Unreachable):
        remove(hooked(tables, others).log, Key(VISITS, ids[0]), same)


# Lists of actions


def actions_lister(tables: Tables, account: str, project: str | None = None) -> Lister[str]:
    """Every id that an index row names, its document unseen: what the pages and rows themselves say."""

    def load(rows: Sequence[Row]) -> dict[str, Found[str]]:
        return {row.key.sk: Found(row.key.sk, {"type": "scans", "thng": "T1"}) for row in rows}

    return Lister(
        tables=tables.of(account),
        account=account,
        kind=ACTION,
        load=load,
        secret=b"a secret",
        scopes=sight(project).scopes,
        times=("timestamp",),
    )


def all_pages(lister: Lister[str], text: str, **more: Any) -> list[str]:
    node = compile_match(text, LISTS["action"], strict=True, from_query=True).node if text else None
    shown: list[str] = []
    token = None
    for _ in range(1_000):
        page = lister.page(Ask(filter_text=text, node=node, token=token, **more))
        shown += page.items
        token = page.token
        if token is None:
            return shown
    pytest.fail("the pages never end")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(1, 120), st.integers(1, 40), st.booleans())
def test_a_list_of_actions_shows_each_once_in_order_whatever_batches_made_it(store, seed, number, per_page, ascending):
    chance = random.Random(seed)
    account = new_account()
    log = emptied(store).log
    changes = [
        action(account, NOON + chance.randrange(8 * WINDOW_MS), link=chance.choice(["A", ""]), thng="T1", country="IE")
        for _ in range(number)
    ]
    left = list(changes)
    while left:
        size = chance.choice([1, 2, 30, 100])
        assert derive(log, [*left[:size], *chance.sample(changes, min(3, number))]) == []
        left = left[size:]
    gone = chance.sample(changes, number // 5)
    for change in gone:
        assert derive(log, [removed(change)]) == []
    ids = sorted((each.key.pk.split("#")[2] for each in changes if each not in gone), reverse=not ascending)
    for project in (None, "P"):
        lister = actions_lister(store, account, project)
        for text in ("", "type=scans", "thng=T1"):
            wanted = ids if text != "type=scans" else []
            assert all_pages(lister, text, per_page=per_page, ascending=ascending) == wanted
        assert lister.count(Ask()) == len(ids)
    assert all_pages(actions_lister(store, account, "Q"), "", per_page=per_page) == []


def test_a_hundred_scans_of_a_moment_are_some_rows_and_one_of_them_is_as_before(store):
    account = new_account()
    log = emptied(store).log
    assert derive(log, [action(account, thng="T1", country="IE")]) == []
    alone = [row for row in log.walk() if row.item["k"] in ("index", "visit")]
    assert len(alone) == 2 * 4 + 1
    emptied(store)
    assert derive(log, [action(account, thng="T1", country="IE") for _ in range(100)]) == []
    assert len([row for row in log.walk() if row.item["k"] in ("index", "visit", "page")]) == 2 * 4 + 1


def test_pages_of_a_list_lie_in_a_shard_of_it_and_those_of_visits_with_the_visits():
    for value in ("a", "tags=x#y", "thng=T1"):
        partition = f"A1#{keys.index('*', 'action', 'f', value, 3)}"
        moved = keys.page_partition(partition, "Uabcdef")
        assert moved.rpartition("#")[0] == partition.rpartition("#")[0]
        assert int(moved.rpartition("#")[2]) < ACTION.shards
    assert keys.page_partition(f"A1#{VISITS}", "Uabcdef") == f"A1#{VISITS}"
