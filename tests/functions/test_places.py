"""Places: created, read, listed, near a point, updated, deleted; and what happens at one."""

from typing import Any

import pytest

from fingerpost.catalogue import nearby
from fingerpost.catalogue.places import closest
from fingerpost.ports.table import Key
from tests.functions.lists import ids, next_page, walked
from tests.functions.world import API_URL, HOUR, SECOND, SUNDAY_NOON, Client, World

POINT = {"type": "Point", "coordinates": [-0.1, 51.5]}
BOTH_FORMS = {"latitude": 51.5, "longitude": -0.1, "position": POINT}
GONE = "U0000000000000000000000X"


def place(operator: Client, name: str, latitude: float, longitude: float, **more: Any) -> str:
    query = {"project": more.pop("project")} if "project" in more else {}
    body = {"name": name, "latitude": latitude, "longitude": longitude, **more}
    made: str = operator.made("/places", body, **query)["id"]
    return made


def where_rows(world: World) -> list[Key]:
    return sorted(key for (table, key), row in world.rows().items() if table == "main" and row.get("k") == "position")


def told(world: World, latitude: float, longitude: float, project: str | None = None) -> Any:
    world.clock.now += 60 * SECOND
    found = closest(world.tables.of(world.account), latitude, longitude, project)
    return found and found["id"]


# ---- create, read, update, delete ------------------------------------------------------------------------------------


def test_a_place_is_created_with_every_field_and_its_location(world: World, operator: Client):
    answer = world.answered("catalogue/create-place", PROJECT=world.project)
    made = answer.document
    assert answer.status == 201
    assert answer.location == f"{API_URL}/places/{made['id']}"
    assert made == {
        "id": made["id"],
        "createdAt": SUNDAY_NOON,
        "updatedAt": SUNDAY_NOON,
        "name": "London Office",
        "description": "London HQ",
        "icon": "https://images.example/logo.svg",
        "tags": ["Office", "London"],
        "position": {"type": "Point", "coordinates": [-0.0882956, 51.5303183]},
        "latitude": 51.5303183,
        "longitude": -0.0882956,
        "address": {
            "extension": "Unit 4, 122",
            "street": "East Road",
            "postalCode": "N1 6FB",
            "city": "London",
            "countryCode": "GB",
        },
        "identifiers": {"Place code": "KDL-46EX402AEP", "Place number": "027242784925"},
        "customFields": {"Internet": "Wi-Fi"},
    }
    assert operator.read(f"/places/{made['id']}") == made
    assert ids(world.answered("catalogue/list-places-near").document) == [made["id"]]


def test_an_address_has_fifteen_fields(operator: Client):
    address = {
        "extension": "33",
        "street": "No Name",
        "postalCode": "CM875H",
        "city": "London",
        "county": "Essex",
        "state": "England",
        "country": "United Kingdom",
        "countryCode": "GB",
        "district": "Greater London",
        "buildingName": "The Moorings",
        "buildingFloor": "4",
        "buildingRoom": "Back Office",
        "buildingZone": "Light Industrial",
        "crossing1": "West and 5th",
        "crossing2": "Sixth and Memorial",
    }
    made = operator.made("/places", {"name": "x", "address": {**address, "planet": "Earth"}})
    assert made["address"] == address
    assert operator.put(f"/places/{made['id']}", {"address": {"city": "Cork"}}).document["address"] == {"city": "Cork"}


@pytest.mark.parametrize(
    "sent",
    [
        {"latitude": 51.5, "longitude": -0.1},
        {"position": POINT},
        {"position": {"coordinates": [-0.1, 51.5, 12.0]}},
        BOTH_FORMS,
        {"position": POINT, "latitude": 1, "longitude": 2},
        {"position": None, "latitude": 51.5, "longitude": -0.1},
    ],
    ids=str,
)
def test_a_position_is_given_in_either_form_and_answered_in_both(operator: Client, sent):
    made = operator.made("/places", {"name": "x", **sent})
    assert {name: made[name] for name in BOTH_FORMS} == BOTH_FORMS


def test_a_place_need_not_have_a_position_and_then_is_near_nothing(world: World, operator: Client):
    made = operator.made("/places", {"name": "Somewhere"})
    assert not set(BOTH_FORMS) & set(made)
    assert operator.read("/places", lat=0, lon=0) == []
    assert ids(operator.read("/places")) == [made["id"]]
    assert where_rows(world) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"latitude": 1, "longitude": 1}, "name"),
        ({"name": "x", "latitude": 91, "longitude": 0}, "latitude"),
        ({"name": "x", "latitude": 0, "longitude": -180.1}, "longitude"),
        ({"name": "x", "latitude": 1}, "longitude"),
        ({"name": "x", "longitude": 1}, "latitude"),
        ({"name": "x", "position": {"coordinates": [181, 2]}}, "position.coordinates"),
        ({"name": "x", "position": {"coordinates": [1]}}, "position.coordinates"),
        ({"name": "x", "position": {"type": "Line", "coordinates": [1, 2]}}, "position.type"),
        ({"name": "x", "address": "East Road"}, "address"),
        ({"name": "x", "address": {"city": 5}}, "address.city"),
        ({"name": "x", "icon": {}}, "icon"),
    ],
    ids=str,
)
def test_a_place_that_is_not_in_order_is_refused_and_nothing_is_stored(world, operator, body, field):
    before = world.rows()
    answer = operator.post("/places", body)
    assert answer.status == 400
    assert answer.document["details"][0]["field"] == field or f"{field}:" in answer.error
    assert world.rows() == before


def test_lists_are_newest_first_in_pages_with_a_count(world: World, operator: Client):
    made = []
    for number in range(3):
        world.clock.now += SECOND
        made.append(place(operator, f"p{number}", number, number, tags=["a"], identifiers={"n": number}))
    assert walked(operator, "/places?perPage=2") == [made[:0:-1], made[:1]]
    assert operator.get("/places?perPage=1").headers["x-result-count"] == "3"
    assert ids(operator.read("/places", filter="tags=a&identifiers.n=1")) == [made[1]]
    assert ids(operator.read("/places", filter="name=p*")) == made
    assert ids(operator.read("/places", ids=f"{made[2]},{GONE}")) == [made[2]]


def test_of_two_forms_that_differ_the_one_that_says_something_new_decides(world: World, operator: Client):
    made = place(operator, "x", 51.5, -0.1)
    whole = operator.read(f"/places/{made}")

    def after(**changes: Any) -> Any:
        document = operator.put(f"/places/{made}", {**operator.read(f"/places/{made}"), **changes}).document
        assert document["position"]["coordinates"] == [document["longitude"], document["latitude"]]
        return document["latitude"], document["longitude"]

    assert after() == (51.5, -0.1)
    assert operator.read(f"/places/{made}") == whole
    assert after(position={"type": "Point", "coordinates": [5, 6]}) == (6, 5)
    assert after(latitude=7) == (7, 5)
    assert after(latitude=1, longitude=2, position={"coordinates": [3, 4]}) == (4, 3)
    assert operator.put(f"/places/{made}", {"longitude": 8}).document["position"]["coordinates"] == [8, 4]
    assert operator.put(f"/places/{made}", {"longitude": None}).status == 400
    gone = operator.put(f"/places/{made}", {"position": None}).document
    assert not set(BOTH_FORMS) & set(gone)
    assert operator.put(f"/places/{made}", {"latitude": 1}).status == 400
    assert operator.put(f"/places/{made}", {"latitude": 1, "longitude": 1}).status == 200


def test_where_a_place_is_found_follows_every_change_of_it(world: World, operator: Client):
    made = place(operator, "x", 51.5, -0.1, tags=["old"])

    def near(latitude: float, longitude: float) -> list[str]:
        return ids(operator.read("/places", lat=latitude, lon=longitude, maxDist=1))

    assert near(51.5, -0.1) == [made]
    operator.put(f"/places/{made}", {"latitude": 10, "longitude": 20})
    assert (near(51.5, -0.1), near(10, 20)) == ([], [made])
    operator.put(f"/places/{made}", {"tags": ["new"], "scopes": {"projects": [world.project]}})
    assert ids(world.trusted.read("/places", lat=10, lon=20)) == [made]
    assert len(where_rows(world)) == 2
    world.clock.now += HOUR
    found = closest(world.tables.of(world.account), 10, 20, world.project)
    assert found is not None and found["tags"] == ["new"]
    operator.put(f"/places/{made}", {"scopes": {"projects": []}})
    assert world.trusted.read("/places", lat=10, lon=20) == []
    operator.put(f"/places/{made}", {"position": None})
    assert where_rows(world) == []
    operator.put(f"/places/{made}", {"latitude": 1, "longitude": 2})
    assert operator.delete(f"/places/{made}").status == 200
    assert where_rows(world) == []
    assert operator.get(f"/places/{made}").status == 404
    assert told(world, 1, 2) is None


def test_a_place_with_a_position_is_in_forty_projects_or_in_all(world: World, operator: Client):
    projects = [operator.made("/projects", {"name": f"p{number}"})["id"] for number in range(41)]
    made = place(operator, "x", 1, 2, scopes={"projects": projects[:40]})
    answer = operator.put(f"/places/{made}", {"scopes": {"projects": projects}})
    assert answer.status == 400 and "40 projects" in answer.error
    assert operator.put(f"/places/{made}", {"scopes": {"projects": projects[1:]}, "latitude": 3}).status == 200
    assert operator.put(f"/places/{made}", {"scopes": {"projects": [*projects, "all"]}}).status == 200
    assert len(where_rows(world)) == 2


def test_a_post_repeated_with_its_idempotency_key_makes_one_place(world: World, operator: Client):
    headers = {"idempotency-key": "pier"}
    body = {"name": "x", "latitude": 1, "longitude": 2}
    first, again = (operator.post("/places", body, headers=headers) for _ in range(2))
    assert first.document == again.document
    assert len(where_rows(world)) == 1


def test_a_trusted_application_has_the_places_of_its_project_and_an_application_reads_them(world, operator):
    inside = place(operator, "in", 1, 1, project=world.project)
    outside = place(operator, "out", 1, 1)
    own = world.trusted.made("/places", {"name": "own", "latitude": 1, "longitude": 1.01})["id"]
    for key in (world.trusted, world.application):
        assert set(ids(key.read("/places"))) == {inside, own}
        assert ids(key.read("/places", lat=1, lon=1)) == [inside, own]
        assert key.get("/places", lat=1, lon=1).headers["x-result-count"] == "2"
        assert key.get(f"/places/{outside}").status == 404
    assert world.application.post("/places", {"name": "x"}).status == 403
    assert ids(operator.read("/places", lat=1, lon=1, project=world.project)) == [inside, own]
    assert world.stranger.read("/places", lat=1, lon=1) == []


# ---- near a point ----------------------------------------------------------------------------------------------------


def test_places_near_a_point_come_nearest_first_as_far_as_max_dist(world: World, operator: Client):
    far, here, close = (place(operator, "p", 49.5 + off, 127.4) for off in (0.17, 0.0, 0.004))
    query = {"lat": 49.5, "lon": 127.4}
    assert ids(operator.read("/places", **query)) == [here, close, far]
    assert ids(operator.read("/places", **query, maxDist=20)) == [here, close, far]
    assert ids(operator.read("/places", **query, maxDist=18.5)) == [here, close]
    assert ids(operator.read("/places", **query, maxDist=0.5)) == [here, close]
    assert ids(operator.read("/places", **query, maxDist="0.4")) == [here]
    assert ids(operator.read("/places", **query, maxDist=0)) == [here]
    assert operator.get("/places", **query, maxDist=0.5).headers["x-result-count"] == "2"
    assert operator.get("/places", **query, sortOrder="DESCENDING").document[0]["id"] == here


def test_nearness_does_not_end_at_the_date_line_or_a_pole(operator: Client):
    east, west = place(operator, "e", 10, 179.99), place(operator, "w", 10, -179.98)
    assert ids(operator.read("/places", lat=10, lon=180, maxDist=5)) == [east, west]
    assert ids(operator.read("/places", lat=10, lon=-180, maxDist=1.5)) == [east]
    one, other = place(operator, "n", 89.99, 0), place(operator, "m", 89.98, 180)
    assert ids(operator.read("/places", lat=90, lon=77, maxDist=5)) == [one, other]
    assert ids(operator.read("/places", lat=-90, lon=0, maxDist=20_100)) == [west, east, other, one]


def test_pages_of_places_near_a_point_follow_one_another(world: World, operator: Client):
    made = [place(operator, f"p{number}", 51.5, number / 100, tags=[f"t{number % 2}"]) for number in range(7)]
    same = [place(operator, "same", 51.5, 0.03) for _ in range(3)]
    order = [*made[:3], *sorted([made[3], *same]), *made[4:]]
    address = "/places?lat=51.5&lon=0&maxDist=50.0&perPage=3"
    assert walked(operator, address) == [order[:3], order[3:6], order[6:9], order[9:]]
    assert operator.get(address).headers["x-result-count"] == "10"
    assert walked(operator, "/places?lat=51.5&lon=0&perPage=2&filter=tags%3Dt1") == [[made[1], made[3]], [made[5]]]
    assert operator.get("/places?lat=51.5&lon=0&filter=tags%3Dt1").headers["x-result-count"] == "3"
    second = next_page(operator, operator.get(address))
    assert second is not None and second.headers["x-result-count"] == "10"


def test_a_filter_that_little_matches_ends_a_page_with_the_read_budget_and_goes_on_from_there(operator, monkeypatch):
    monkeypatch.setattr(nearby, "READ_BUDGET", 3)
    made = [place(operator, f"p{number}", 0, number, tags=["last"] if number == 7 else []) for number in range(8)]
    assert walked(operator, "/places?lat=0&lon=0&filter=tags%3Dlast") == [[], [], [made[7]]]
    assert walked(operator, "/places?lat=0&lon=0&perPage=2") == [made[:2], made[2:4], made[4:6], made[6:]]


def test_a_page_token_is_of_no_use_at_another_point(operator: Client):
    for number in range(3):
        place(operator, "x", number, 0)
    link = operator.get("/places?lat=0&lon=0&perPage=1").headers["link"]
    token = link.partition("nextPageToken%3D")[2].partition("%26")[0].partition(">")[0]
    assert operator.get("/places", lat=0, lon=0, nextPageToken=token).status == 200
    for other in ({"lat": 1, "lon": 0}, {"lat": 0, "lon": 0, "maxDist": 5}, {}):
        assert operator.get("/places", **other, nextPageToken=token).status == 400
    assert operator.get("/places", lat=0, lon=0, filter="name=x", nextPageToken=token).status == 400


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"lat": "1"}, "lon"),
        ({"lon": "1"}, "lat"),
        ({"maxDist": "1"}, "lat"),
        ({"lat": "90.1", "lon": "1"}, "lat"),
        ({"lat": "1", "lon": "180.5"}, "lon"),
        ({"lat": "nan", "lon": "1"}, "lat"),
        ({"lat": "x", "lon": "1"}, "lat"),
        ({"lat": "", "lon": "1"}, "lat"),
        ({"lat": "1_0", "lon": "1"}, "lat"),
        ({"lat": "1", "lon": "1", "maxDist": "-1"}, "maxDist"),
        ({"lat": "1", "lon": "1", "maxDist": "inf"}, "maxDist"),
        ({"lat": "1", "lon": "1", "maxDist": "20km"}, "maxDist"),
    ],
    ids=str,
)
def test_a_point_that_is_none_is_refused(operator: Client, query, field):
    answer = operator.get("/places", **query)
    assert answer.status == 400
    assert answer.document["details"][0]["field"] == field


# ---- at a place ------------------------------------------------------------------------------------------------------


def test_a_thng_can_be_made_at_a_place(world: World, operator: Client):
    made = place(operator, "x", 51.5, -0.1)
    thng = operator.made("/thngs", {"name": "t", "location": {"place": made}})
    assert thng["location"] == {"place": made, **BOTH_FORMS}
    assert operator.read(f"/thngs/{thng['id']}")["location"] == thng["location"]
    nowhere = operator.made("/places", {"name": "nowhere"})["id"]
    assert operator.made("/thngs", {"name": "t", "location": {"place": nowhere}})["location"] == {"place": nowhere}
    for wrong in (GONE, thng["id"], "x" * 3_000, ""):
        answer = operator.post("/thngs", {"name": "t", "location": {"place": wrong}})
        assert answer.status == 400 and answer.document["details"][0]["field"] == "location.place"
    assert world.trusted.post("/thngs", {"name": "t", "location": {"place": made}}).status == 400


def test_an_action_can_take_place_at_a_place(world: World, operator: Client):
    made, thng = place(operator, "x", 10.1, 125.6), world.thng()["id"]
    action = world.answered("actions/post-scan-at-place", THNG=thng, PLACE=made).document
    assert action["locationSource"] == "place"
    assert action["location"] == {
        "place": made,
        "latitude": 10.1,
        "longitude": 125.6,
        "position": {"type": "Point", "coordinates": [125.6, 10.1]},
    }
    read = operator.read(f"/actions/all/{action['id']}", context="true")
    assert read["location"] == action["location"]
    assert read["context"]["timeZone"] == "Asia/Manila"
    own = {"thng": thng, "location": {"place": made, "latitude": 1, "longitude": 2}}
    there = operator.made("/actions/scans", own)
    assert (there["location"]["place"], there["location"]["latitude"]) == (made, 1)
    assert there["locationSource"] == "sensor"
    assert operator.post("/actions/scans", {"thng": thng, "location": {"place": GONE}}).status == 400
    assert world.trusted.post("/actions/_x", {"location": {"place": made}}).status == 404


def test_an_action_at_a_place_without_a_position_names_the_place_alone(world: World, operator: Client):
    made = operator.made("/places", {"name": "x"})["id"]
    action = operator.made("/actions/scans", {"thng": world.thng()["id"], "location": {"place": made}})
    assert (action["location"], action["locationSource"]) == ({"place": made}, "place")


def test_a_scan_of_a_places_code_carries_the_place(world: World, operator: Client):
    made = place(operator, "x", 51.5, -0.1)
    link = operator.link(made)
    assert (link["type"], link["evrythngUrl"]) == ("place", f"{API_URL}/places/{made}")
    world.scan(link["shortId"])
    world.scan(link["shortId"], latitude="53.35", longitude="-6.26")
    world.settle()
    located, bare = operator.read("/actions/implicitScans")
    if "latitude" not in located["location"]:
        located, bare = bare, located
    assert (bare["location"], bare["locationSource"]) == ({"place": made}, "place")
    assert located["location"]["place"] == made and located["location"]["latitude"] == 53.35
    assert located["locationSource"] == "geoIp"
    assert operator.post("/redirections", {"evrythngId": made, "type": "thng"}, on_short=True).status == 400


def test_the_closest_place_is_known_a_minute_after_it_moved(world: World, operator: Client):
    one, two = place(operator, "one", 1, 1), place(operator, "two", 3, 3, project=world.project)
    assert (told(world, 1.5, 1.5), told(world, 1.5, 1.5, world.project)) == (one, two)
    operator.put(f"/places/{one}", {"latitude": 9})
    assert told(world, 1.5, 1.5) == two
