"""The log of an application: in order, in pages, filtered, and gone after seven days."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.cursor import InvalidCursor
from fingerpost.ids import is_id, ordered_id
from fingerpost.listing import Ask
from fingerpost.ports.runner import LEVELS, MAX_LINE_BYTES
from fingerpost.reactor import logs
from fingerpost.reactor.logs import KEPT_MS, Entry, append, delete_page, page
from fingerpost.rules.compile import compile_match
from fingerpost.rules.fields import LISTS
from fingerpost.rules.nodes import to_json
from tests.stores import NOON, SettableClock, fresh_tables

APP = "UApp"


@pytest.fixture
def clock():
    return SettableClock()


@pytest.fixture
def store(clock):
    with fresh_tables(clock) as tables:
        yield tables


@pytest.fixture
def tables(store):
    return store.of("A")


def asked(text="", **more):
    node = compile_match(text, LISTS["reactorLog"], field="filter", strict=True).node if text else None
    return Ask(filter_text=text, node=node, **more)


def messages(tables, ask=None, app=APP):
    return [each["message"] for each in page(tables, "A", app, ask or asked(), b"secret").items]


def test_entries_come_newest_first_and_those_of_one_millisecond_in_their_order(tables):
    append(tables, APP, [Entry("info", str(number), NOON) for number in range(60)])
    append(tables, APP, [Entry("info", "before", NOON - 1)])
    assert messages(tables, asked(per_page=100)) == [*map(str, reversed(range(60))), "before"]


def test_an_entry_as_a_document(tables):
    (document,) = append(tables, APP, [Entry("warn", "careful", NOON)], now=NOON + 5)
    assert is_id(document["id"])
    assert document == page(tables, "A", APP, asked(), b"").items[0]
    assert {name: each for name, each in document.items() if name != "id"} == {
        "app": APP,
        "logLevel": "warn",
        "createdAt": NOON + 5,
        "timestamp": NOON,
        "message": "careful",
    }


def test_the_log_of_another_application_is_another(tables):
    append(tables, "UOther", [Entry("info", "theirs", NOON)])
    assert messages(tables) == []


def test_what_a_run_writes_twice_stands_there_once(tables):
    for _ in range(2):
        append(tables, APP, [Entry("info", "a", NOON), Entry("info", "b", NOON)], run="event#fn")
    append(tables, APP, [Entry("info", "c", NOON - 1)], run="another")
    assert messages(tables) == ["b", "a", "c"]


def test_pages_hold_everything_once(tables):
    append(tables, APP, [Entry("info", str(number), NOON + number) for number in range(7)])
    found, token = [], None
    while True:
        got = page(tables, "A", APP, asked(per_page=3, token=token), b"secret")
        found += [each["message"] for each in got.items]
        if (token := got.token) is None:
            break
    assert found == list("6543210")


def test_a_page_is_small_enough_to_be_answered_whatever_was_logged(tables):
    append(tables, APP, [Entry("info", "\x01" * MAX_LINE_BYTES, NOON + number) for number in range(60)])
    first = page(tables, "A", APP, asked(per_page=100), b"secret")
    assert len(json.dumps(first.items)) < 4 * 1024 * 1024
    assert first.token is not None
    rest = page(tables, "A", APP, asked(per_page=100, token=first.token), b"secret")
    assert [each["timestamp"] - NOON for each in (*first.items, *rest.items)] == list(range(59, -1, -1))


def test_a_page_token_is_good_for_its_own_log_alone(tables):
    append(tables, APP, [Entry("info", str(number), NOON) for number in range(3)])
    token = page(tables, "A", APP, asked(per_page=1), b"secret").token
    with pytest.raises(InvalidCursor):
        page(tables, "A", "UOther", asked(per_page=1, token=token), b"secret")


def test_levels_and_times_narrow(tables):
    append(tables, APP, [Entry(level, level, NOON + n) for n, level in enumerate(LEVELS)])
    assert messages(tables, asked("logLevel=error,warn")) == ["error", "warn"]
    assert messages(tables, asked(f"timestamp>={NOON + 1}&timestamp<{NOON + 3}")) == ["info", "debug"]
    assert messages(tables, asked(f"timestamp<{NOON}")) == []
    assert messages(tables, asked(f"timestamp>{NOON + 3}&timestamp<{NOON}")) == []
    assert messages(tables, asked(ascending=True)) == list(LEVELS)


def test_a_rare_level_is_found_beyond_empty_pages(tables, monkeypatch):
    monkeypatch.setattr(logs, "READ_BUDGET", 4)
    append(tables, APP, [Entry("error" if n == 0 else "info", str(n), NOON + n) for n in range(10)])
    found, token, pages = [], None, 0
    while token or not pages:
        got = page(tables, "A", APP, asked("logLevel=error", token=token), b"")
        found, token, pages = [*found, *got.items], got.token, pages + 1
    assert ([each["message"] for each in found], pages) == (["0"], 3)


def test_entries_are_gone_after_seven_days(tables, clock):
    append(tables, APP, [Entry("info", "old", NOON)], now=NOON)
    clock.now = NOON + KEPT_MS - 1_000
    assert messages(tables) == ["old"]
    clock.now = NOON + KEPT_MS + 1_000
    assert messages(tables) == []


def test_entries_are_deleted_by_filter_and_those_written_meanwhile_stay(store, tables, monkeypatch):
    monkeypatch.setattr(logs, "READ_BUDGET", 2)
    append(tables, APP, [Entry(level, level, NOON + n) for n, level in enumerate(LEVELS)], now=NOON)
    append(tables, APP, [Entry("debug", "later", NOON + 9)], now=NOON + 10)
    node = asked("logLevel=debug,info").node
    task, rounds = {"account": "A", "app": APP, "nodes": to_json(node), "until": NOON}, 0
    while task:
        task, rounds = delete_page(task, store), rounds + 1
    monkeypatch.undo()
    assert messages(tables) == ["later", "error", "warn", "trace"]
    assert rounds == 4


@given(st.text())
def test_a_message_is_cut_to_what_an_entry_holds(text):
    assert logs.cut(text * 20_000).encode()[: len(text)] == text.encode(errors="replace")[: len(text)]
    assert len(logs.cut(text * 20_000).encode()) <= MAX_LINE_BYTES


@given(st.integers(0, 10**13), st.lists(st.integers(0, 50**4 - 1), min_size=2, max_size=2, unique=True))
def test_ids_of_one_seed_sort_as_they_are_numbered(at, numbers):
    first, second = (ordered_id(at, "seed", number) for number in sorted(numbers))
    assert first < second < ordered_id(at + 1, "seed", 0)
