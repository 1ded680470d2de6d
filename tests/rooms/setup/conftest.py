"""A store of their own for the tests of rooms, and an operator to set them up."""

from collections.abc import Iterator

import pytest

from fingerpost import wiring
from fingerpost.access import service as access
from fingerpost.caller import Caller
from fingerpost.ports.table import Tables
from tests.rooms.setup.rooms import ACCOUNT, DOMAIN
from tests.stores import NOON, SettableClock, caller_of, fresh_tables


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def tables(clock: SettableClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tables]:
    with fresh_tables(clock) as made:
        monkeypatch.setattr(wiring, "clock", clock)
        access.create_account(made, account=ACCOUNT, name="Harbour Museum", domain=DOMAIN, at=NOON)
        yield made


@pytest.fixture
def caller(tables: Tables) -> Caller:
    return caller_of(tables, ACCOUNT)
