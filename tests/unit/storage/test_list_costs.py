"""What a page costs, what its cursor opens, what a crash left in its list, and what is counted."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from fingerpost.catalogue.model import THNG
from fingerpost.cursor import InvalidCursor
from fingerpost.ids import new_id
from fingerpost.listing import BATCH, READ_BUDGET
from fingerpost.paging import SWEEP_AFTER_MS, loads
from fingerpost.ports.table import Tables
from fingerpost.resources import Resources
from fingerpost.sight import WHOLE_ACCOUNT
from tests.stores import (
    NOON,
    Crash,
    SettableClock,
    caller_of,
    counting,
    crashing,
    dangling_rows,
    documents_of,
    emptied,
    fresh_tables,
    hooked,
    new_account,
    rows_of,
)
from tests.unit.storage.lists import ask, fill, followed, ids_of, lister, stored_all


@pytest.fixture(scope="module")
def small_and_large() -> Iterator[tuple[Tables, dict[int, str]]]:
    """A store of their own, and its accounts by the number of their documents."""
    accounts = {number: new_account() for number in (200, 2_000)}
    with fresh_tables(SettableClock()) as store:
        for number, account in accounts.items():
            fill(store.of(account), number)
        yield store, accounts


@pytest.mark.parametrize("project", [None, "A"])
@pytest.mark.parametrize(
    ("text", "one_in"),
    [("", 1), ("tags=red", 1), ("tags=rare", 100), ("name=n3", 10), ("name=n*", 1), (f"createdAt>{NOON + 10}", 1)],
)
def test_the_store_calls_of_a_page_do_not_grow_with_the_number_of_documents(small_and_large, text, one_in, project):
    store, accounts = small_and_large
    calls: dict[int, int] = {}
    scopes = 1 if project is None else 2
    for number, account in accounts.items():
        for per_page in (1, 20):
            counted: Counter[str] = Counter()
            tables = hooked(store.of(account), counting(counted))
            page = lister(tables, account, project).page(ask(text, per_page=per_page))
            assert len(page.items) == min(per_page, number // one_in)
            assert counted.keys() == {"query", "get_many"}
            assert counted["get_many"] == 1
            # A shard may hold more of the page than its share; what only some users see has one shard a scope.
            assert counted["query"] <= THNG.shards * scopes * 2 + scopes
            calls[number] = counted.total()
    assert calls[2_000] <= calls[200] + THNG.shards * scopes


# Budgets


def test_a_filter_that_finds_nothing_ends_after_a_bounded_number_of_empty_pages(tables, account):
    fill(tables, 2 * READ_BUDGET + 10)
    pages = followed(lister(tables, account).page, ask("name~nobody is called this", per_page=5))
    assert [len(page) for page in pages] == [0, 0, 0]


def test_a_rare_match_is_found_beyond_empty_pages(tables, account):
    rare = stored_all(tables, [{"createdAt": NOON - 1000, "name": "rare"}])
    fill(tables, READ_BUDGET + 10)
    pages = followed(lister(tables, account).page, ask("name~rar", per_page=5))
    assert pages[0] == []
    assert ids_of(pages) == list(rare)


def test_no_more_documents_are_read_than_a_page_shows_and_one(tables, account):
    fill(tables, 300)
    read: list[int] = []

    def watching(name: str, method: Callable[..., Any], args: Any) -> Any:
        if name == "get_many":
            read.append(len(args[0]))
        return method(*args)

    for per_page in (1, 30, 100):
        read.clear()
        assert len(lister(hooked(tables, watching), account).page(ask(per_page=per_page)).items) == per_page
        assert read == [per_page + 1]
    read.clear()
    lister(hooked(tables, watching), account).page(ask("tags=rare", per_page=1))
    assert sum(read) <= BATCH


# Cursors


def cursor(tables: Tables, account: str, text: str = "", project: str | None = None, **more: Any) -> str:
    token = lister(tables, account, project).page(ask(text, per_page=1, **more)).token
    assert token is not None
    return token


def test_a_cursor_is_good_for_its_own_list_alone(store):
    first, second = new_account(), new_account()
    emptied(store)
    for account in (first, second):
        stored_all(
            store.of(account),
            [
                {"createdAt": NOON + n, "name": "lamp", "tags": ["a", "b"], "scopes": {"projects": ["A"]}}
                for n in range(2)
            ],
        )
    tables = store.of(first)
    token = cursor(tables, first, "tags=a")
    assert len(lister(tables, first).page(ask("tags=a", token=token)).items) == 1
    for refused in (
        partial(lister(store.of(second), second).page, ask("tags=a", token=token)),
        partial(lister(tables, first).page, ask("tags=b", token=token)),
        partial(lister(tables, first).page, ask(token=token)),
        partial(lister(tables, first).page, ask("tags=a", token=token, ascending=True)),
        partial(lister(tables, first, "A").page, ask("tags=a", token=token)),
        partial(replace(lister(tables, first), secret=b"another").page, ask("tags=a", token=token)),
        partial(lister(tables, first).page, ask("tags=a", token=token[:-2] + "AA")),
        partial(lister(tables, first).page, ask("tags=a", token="?")),
    ):
        with pytest.raises(InvalidCursor):
            refused()


def test_a_cursor_may_change_the_size_of_pages_and_survives_its_own_document(tables, account):
    made = stored_all(tables, [{"createdAt": NOON + n, "name": "lamp"} for n in range(10)])
    page = lister(tables, account).page(ask(per_page=3))
    Resources(tables, THNG).delete(page.items[-1].id)
    rest = lister(tables, account).page(ask(per_page=50, token=page.token))
    assert [each.id for each in rest.items] == sorted(made, reverse=True)[3:]
    assert rest.token is None


# Rows that point nowhere


def test_a_row_without_its_document_is_not_shown_and_goes_after_an_hour(tables, account, clock):
    resource_id = new_id(NOON)
    with pytest.raises(Crash):
        Resources(hooked(tables, crashing(2)), THNG).create(
            resource_id, {"createdAt": NOON, "updatedAt": NOON, "name": "lamp", "tags": ["a"]}
        )
    left = dangling_rows(tables, THNG)
    assert len(left) == 3
    for text in ("", "tags=a", "name=l*"):
        assert lister(tables, account).page(ask(text)).items == ()
    assert dangling_rows(tables, THNG) == left
    later = replace(caller_of(tables, account, NOON + SWEEP_AFTER_MS + 1), tables=tables)
    sweeping = replace(lister(tables, account), load=loads(later, THNG, WHOLE_ACCOUNT.sees))
    for text in ("", "tags=a", "name=l*"):
        assert sweeping.page(ask(text)).items == ()
    assert rows_of(tables.log) == set()


def test_a_row_of_a_value_that_is_gone_is_not_shown_and_goes_after_an_hour(tables, account):
    (resource_id,) = stored_all(tables, [{"createdAt": NOON, "name": "lamp", "tags": ["a", "b"]}])
    with pytest.raises(Crash):  # one row to write, the document, and two to take back
        Resources(hooked(tables, crashing(3)), THNG).update(
            resource_id, lambda before: {**before, "tags": ["c"], "scopes": {"projects": []}}
        )
    assert len(dangling_rows(tables, THNG)) == 2
    later = replace(caller_of(tables, account, NOON + SWEEP_AFTER_MS + 1), tables=tables)
    sweeping = replace(lister(tables, account), load=loads(later, THNG, WHOLE_ACCOUNT.sees))
    assert [sweeping.page(ask(text)).items for text in ("tags=a", "tags=b")] == [(), ()]
    assert dangling_rows(tables, THNG) == set()
    assert len(sweeping.page(ask("tags=c")).items) == 1


def test_a_sweep_spares_the_rows_of_a_document_that_is_being_created_after_a_long_pause(tables, account, clock):
    """A repeat under an Idempotency-Key has the time of the first request: its rows must not look old."""
    clock.now = NOON + 5 * SWEEP_AFTER_MS
    resource_id = new_id(NOON)

    def listed_meanwhile(name: str, method: Callable[..., Any], args: Any) -> Any:
        if name == "put":
            now = replace(caller_of(tables, account, clock.now), tables=tables)
            replace(lister(tables, account), load=loads(now, THNG, WHOLE_ACCOUNT.sees)).page(ask())
        return method(*args)

    Resources(hooked(tables, listed_meanwhile), THNG).create(
        resource_id, {"createdAt": NOON, "updatedAt": NOON, "name": "lamp"}
    )
    assert ids_of(followed(lister(tables, account).page, ask())) == [resource_id]


# Counts


def test_a_count_without_a_filter_reads_no_document(tables, account):
    fill(tables, 250)
    calls: Counter[str] = Counter()
    assert lister(hooked(tables, counting(calls)), account).count(ask()) == 250
    assert calls == {"count": THNG.shards}


def test_what_was_deleted_is_neither_listed_nor_counted(tables, account):
    made = stored_all(tables, [{"createdAt": NOON + n, "name": "lamp"} for n in range(3)])
    Resources(tables, THNG).delete(min(made))
    assert lister(tables, account).count(ask()) == 2
    assert min(made) not in ids_of(followed(lister(tables, account).page, ask()))
    assert set(documents_of(tables, THNG)) == set(made) - {min(made)}
