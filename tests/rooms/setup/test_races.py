"""Many at once want what only one can have: a slug, a thng to make a room of, a PIN, the name of a group."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fingerpost.catalogue import service as catalogue
from fingerpost.catalogue.documents import NewThng
from fingerpost.errors import Conflict
from fingerpost.rooms import logins, people, plain, setup
from fingerpost.rooms.documents import NewRoom
from fingerpost.rooms.kinds import EVOKO_GROUP, PERSON
from fingerpost.rooms.rooms import Rooms
from tests.rooms.setup.rooms import DOMAIN, ROOTS, room

MANY = 12


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
