"""One local store for all, emptied for each test, and nobody who waits."""

from collections.abc import Iterator

import pytest

from fingerpost import retry, wiring
from fingerpost.ports.table import Tables
from tests.stores import NOON, SettableClock, Turns, emptied, fresh_tables, new_account

_clock = SettableClock()


@pytest.fixture
def clock() -> Iterator[SettableClock]:
    yield _clock
    _clock.now = NOON


@pytest.fixture(scope="session")
def store() -> Iterator[Tables]:
    """Both tables, unscoped."""
    with fresh_tables(_clock) as tables:
        yield tables


@pytest.fixture
def account() -> str:
    return new_account()


@pytest.fixture
def tables(store: Tables, account: str) -> Tables:
    """An account's own, in an empty store."""
    return emptied(store).of(account)


@pytest.fixture(scope="session")
def turns() -> Iterator[Turns]:
    turns = Turns(3)
    yield turns
    turns.close()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch, clock: SettableClock) -> None:
    monkeypatch.setattr(retry.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(wiring, "clock", clock)
