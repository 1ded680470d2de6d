"""Many at once want what only one can have, on both engines: a slug, an address, a thng, a PIN, a name, a uuid."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fingerpost import wiring
from fingerpost.access import service as access
from fingerpost.catalogue import service as catalogue
from fingerpost.catalogue.documents import NewThng
from fingerpost.errors import Conflict
from fingerpost.ports.table import Tables
from fingerpost.rooms import devices, logins, people, plain, setup
from fingerpost.rooms.documents import NewRoom, SentRoom
from fingerpost.rooms.kinds import DEVICE, EVOKO_GROUP, PERSON
from fingerpost.rooms.rooms import Rooms
from tests.ports.conftest import adapter, empty_tables, engine, folder  # noqa: F401
from tests.rooms.setup.rooms import ACCOUNT, DOMAIN, ROOTS, room
from tests.stores import NOON

MANY = 12


@pytest.fixture
def tables(empty_tables, clock, monkeypatch) -> Tables:  # noqa: F811
    """Those of the account, on each engine."""
    made: Tables = empty_tables()
    monkeypatch.setattr(wiring, "clock", clock)
    access.create_account(made, account=ACCOUNT, name="Harbour Museum", domain=DOMAIN, at=NOON)
    return made


def outcomes(attempt: Callable[[], Any]) -> Counter[str]:
    """What became of many attempts at once."""

    def one(_number: int) -> str:
        try:
            attempt()
        except Conflict:
            return "refused"
        return "made"

    with ThreadPoolExecutor(MANY) as pool:
        return Counter(pool.map(one, range(MANY)))


def test_one_of_many_rooms_gets_a_slug_and_nothing_is_left_of_the_others(tables, caller):
    found = outcomes(lambda: room(tables, caller, slug="harbour"))
    assert found == {"made": 1, "refused": MANY - 1}
    (only,) = Rooms(caller.tables).all()
    assert Rooms(caller.tables).by_slug("harbour") == only


def test_rooms_of_one_name_made_at_once_all_get_a_slug(tables, caller):
    assert outcomes(lambda: room(tables, caller)) == {"made": MANY}
    assert len({each.slug for each in Rooms(caller.tables).all()}) == MANY


def test_a_thng_becomes_a_room_once(tables, caller):
    thng = catalogue.create_thng(caller, NewThng(name="Chart Room"), None)["id"]
    found = outcomes(lambda: setup.create(caller, tables, NewRoom(thng=thng), DOMAIN, None))
    assert found == {"made": 1, "refused": MANY - 1}


def test_one_of_many_people_gets_a_pin_and_one_of_many_groups_a_name(tables, caller):
    assert outcomes(lambda: people.create(caller, ROOTS, {"name": "Ann", "pin": "4711"}))["made"] == 1
    assert outcomes(lambda: logins.create_group(caller, ROOTS, "panels"))["made"] == 1
    assert (len(plain.all_of(caller.tables, PERSON)), len(plain.all_of(caller.tables, EVOKO_GROUP))) == (1, 1)
    assert people.by_pin(caller.tables, ROOTS, "4711")


def test_one_of_many_rooms_takes_the_address_that_another_gives_up(tables, caller):
    first = room(tables, caller, "First", email="first@museum.example")
    others = [room(tables, caller, f"Room {number}") for number in range(MANY)]
    setup.update(caller, first.id, SentRoom(email="second@museum.example"))
    waiting = iter(others)
    found = outcomes(lambda: setup.update(caller, next(waiting).id, SentRoom(email="first@museum.example")))
    assert found == {"made": 1, "refused": MANY - 1}
    holder = Rooms(caller.tables).by_email("first@museum.example")
    assert [each.id for each in Rooms(caller.tables).all() if each.email == "first@museum.example"] == [holder.id]


def test_one_of_many_devices_has_a_uuid(tables, caller):
    at = room(tables, caller)
    found = outcomes(lambda: devices.create(caller, {"uuid": "d-1", "room": at.id}))
    assert found == {"made": 1, "refused": MANY - 1}
    assert len(plain.all_of(caller.tables, DEVICE)) == 1
