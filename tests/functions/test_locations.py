"""Where thngs are and have been."""

import pytest

from tests.functions.lists import next_page
from tests.functions.world import HOUR, SUNDAY_NOON, Client, World

SCOPES = {"users": ["all"], "projects": []}


@pytest.fixture
def thng(world: World) -> str:
    identifier: str = world.thng()["id"]
    return identifier


def location(latitude: float, longitude: float, at: int = SUNDAY_NOON, **more: object) -> dict[str, object]:
    position = {"type": "Point", "coordinates": [longitude, latitude]}
    where = {"latitude": latitude, "longitude": longitude, "position": position}
    return {"timestamp": at, "createdAt": at, **where, **more, "scopes": SCOPES}


def test_a_way_is_put_at_once_by_position_coordinates_and_place(world: World, operator: Client, thng):
    place = operator.made("/places", {"name": "Pier", "latitude": 53.35, "longitude": -6.26})["id"]
    answer = world.answered("properties/update-location", THNG=thng, PLACE=place)
    assert answer.status == 200
    assert answer.document == [
        location(36, -17.3),
        location(-37, -179.3, 1_773_570_000_000),
        location(53.35, -6.26, 1_773_566_400_000, place=place),
    ]
    assert operator.read(f"/thngs/{thng}/location") == answer.document
    current = operator.read(f"/thngs/{thng}")["location"]
    assert current == {"latitude": 36, "longitude": -17.3, "position": {"type": "Point", "coordinates": [-17.3, 36]}}


def test_a_bare_object_will_do_and_nothing_changes_nothing(operator: Client, thng):
    path = f"/thngs/{thng}/location"
    assert operator.put(path, []).document == []
    assert operator.read(path) == []
    assert operator.put(path, {"latitude": 1.5, "longitude": 2}).document == [location(1.5, 2)]
    assert operator.put(path, operator.read(path)).document == operator.read(path)


def test_a_place_without_a_position_is_where_a_thng_is(operator: Client, thng):
    place = operator.made("/places", {"name": "Somewhere"})["id"]
    (answered,) = operator.put(f"/thngs/{thng}/location", [{"place": place}]).document
    assert answered == {"timestamp": SUNDAY_NOON, "createdAt": SUNDAY_NOON, "place": place, "scopes": SCOPES}
    assert operator.read(f"/thngs/{thng}")["location"] == {"place": place}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("x", None),
        ({}, ""),
        ([{"latitude": 1}], "[0]"),
        ([{"latitude": 1, "longitude": 1}, {"latitude": 91, "longitude": 1}], "[1].latitude"),
        ([{"position": {"type": "Line", "coordinates": [1, 1]}}], "[0].position.type"),
        ([{"place": "U0000000000000000000000X"}], "[0].place"),
        ({"latitude": 1, "longitude": 1, "timestamp": SUNDAY_NOON * 2}, "timestamp"),
    ],
    ids=str,
)
def test_what_is_nowhere_is_refused_whole(world: World, operator: Client, thng, body, field):
    before = world.rows()
    answer = operator.put(f"/thngs/{thng}/location", body)
    assert answer.status == 400
    if field:
        assert answer.document["details"][0]["field"] == field
    assert world.rows() == before


def test_a_place_that_the_key_does_not_see_is_no_place(world: World, operator: Client):
    place = operator.made("/places", {"name": "Pier", "latitude": 53.35, "longitude": -6.26})["id"]
    own = world.trusted.made("/thngs", {"name": "x"})["id"]
    assert world.trusted.put(f"/thngs/{own}/location", [{"place": place}]).status == 400
    operator.put(f"/places/{place}", {"scopes": {"projects": ["all"]}})
    (answered,) = world.trusted.put(f"/thngs/{own}/location", [{"place": place}]).document
    assert answered["scopes"] == {"users": ["all"], "projects": [world.project]}


def test_a_location_given_at_creation_begins_the_history(operator: Client):
    made = operator.made("/thngs", {"name": "x", "location": {"latitude": 1, "longitude": 2, "timestamp": 5}})
    assert operator.read(f"/thngs/{made['id']}/location") == [location(1, 2, 5)]


def test_a_history_is_paged_cut_and_erased(world: World, operator: Client, thng):
    path = f"/thngs/{thng}/location"
    operator.put(path, [{"latitude": n, "longitude": 0, "timestamp": n * HOUR} for n in range(1, 8)])

    def hours(answer) -> list[int]:
        return [each["timestamp"] // HOUR for each in answer.document]

    first = operator.get(path, perPage=5)
    assert hours(first) == [7, 6, 5, 4, 3]
    assert hours(next_page(operator, first)) == [2, 1]
    assert hours(operator.get(path, filter=f"timestamp>{5 * HOUR}", sortOrder="ASCENDING")) == [6, 7]
    assert hours(operator.get(path, **{"from": 2 * HOUR, "to": 3 * HOUR})) == [3, 2]
    assert operator.delete(path, to=3 * HOUR).status == 200
    assert hours(operator.get(path)) == [7, 6, 5, 4, 3]
    assert operator.read(f"/thngs/{thng}")["location"]["latitude"] == 7
    operator.put(f"/thngs/{thng}/properties", {"key": "light", "value": 1})
    assert (operator.delete(path).status, operator.delete(path).content) == (200, b"")
    assert operator.read(path) == []
    assert "location" not in operator.read(f"/thngs/{thng}")
    assert operator.read(f"/thngs/{thng}")["properties"] == {"light": 1}


def test_properties_are_erased_without_the_location(operator: Client, thng):
    operator.put(f"/thngs/{thng}/location", {"latitude": 1, "longitude": 2})
    operator.put(f"/thngs/{thng}/properties", {"key": "light", "value": 1})
    operator.delete(f"/thngs/{thng}/properties")
    assert operator.read(f"/thngs/{thng}/location") == [location(1, 2)]


def test_a_product_is_nowhere(world: World, operator: Client):
    assert operator.get(f"/products/{world.product()['id']}/location").status == 404
