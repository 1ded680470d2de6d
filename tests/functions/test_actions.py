"""Actions and their types: recorded, read, deleted."""

import pytest

from tests.functions.lists import ids
from tests.functions.world import API_URL, DAY, HOUR, SECOND, SUNDAY_NOON, Client, World

# ---- one action ------------------------------------------------------------------------------------------------------


def test_a_posted_scan_is_answered_whole_with_its_location(world: World, operator: Client):
    product = world.product()
    thng = world.thng(product=product["id"])
    answer = world.answered("actions/post-scan", THNG=thng["id"])
    action = answer.document
    assert answer.status == 201
    assert answer.location == f"{API_URL}/actions/scans/{action['id']}"
    assert action == {
        "id": action["id"],
        "createdAt": SUNDAY_NOON,
        "timestamp": SUNDAY_NOON,
        "type": "scans",
        "thng": thng["id"],
        "product": product["id"],
        "identifiers": {"ean_13": "786432786349"},
        "customFields": {"region_code": "en_gb"},
        "tags": ["example", "actions"],
        "location": {
            "latitude": 48.85,
            "longitude": 2.35,
            "position": {"type": "Point", "coordinates": [2.35, 48.85]},
        },
        "locationSource": "sensor",
    }
    assert operator.read(f"/actions/scans/{action['id']}") == action
    assert operator.read(f"/actions/all/{action['id']}") == action


@pytest.mark.parametrize("type_", ["scans", "implicitScans", "checkins", "shares"])
def test_the_built_in_types_need_a_target(world: World, operator: Client, type_):
    before = world.rows()
    for body in ({}, {"type": type_}, {"customFields": {"a": 1}}):
        answer = operator.post(f"/actions/{type_}", body)
        assert answer.status == 400 and "target" in answer.error
    assert world.rows() == before
    assert operator.post(f"/actions/{type_}", {"product": world.product()["id"]}).status == 201


@pytest.mark.parametrize(
    "body",
    [
        {"type": "checkins"},
        {"thng": "U0000000000000000000000X"},
        {"thng": "x"},
        {"product": "U0000000000000000000000X"},
        {"collection": "U0000000000000000000000X"},
        {"location": {"place": "U0000000000000000000000X"}},
        {"timestamp": SUNDAY_NOON + DAY + SECOND},
        {"timestamp": -1},
        {"timestamp": "2026-03-15"},
        {"timestamp": 10**18},
        {"tags": ["x" * 61]},
        {"identifiers": {"a": []}},
        {"customFields": []},
    ],
    ids=lambda body: str(body)[:50],
)
def test_an_action_that_is_not_in_order_is_refused_with_the_field_and_nothing_is_stored(world, operator, body):
    thng = world.thng()["id"]
    before = world.rows()
    answer = operator.post("/actions/scans", {"thng": thng, **body})
    assert answer.status == 400
    assert answer.document["details"][0]["field"].startswith(next(iter(body)))
    assert world.rows() == before


def test_a_product_that_is_not_the_thngs_own_is_refused(world: World, operator: Client):
    mine, other = world.product()["id"], world.product()["id"]
    thng = world.thng(product=mine)["id"]
    assert operator.post("/actions/scans", {"thng": thng, "product": other}).status == 400
    assert operator.made("/actions/scans", {"thng": thng, "product": mine})["product"] == mine
    assert operator.post("/actions/scans", {"thng": world.thng()["id"], "product": other}).status == 400


def test_a_back_dated_action_tells_both_times_and_is_listed_by_when_it_took_place(world: World, operator: Client):
    thng = world.thng()["id"]
    now = operator.made("/actions/checkins", {"thng": thng})
    past = operator.made("/actions/checkins", {"thng": thng, "timestamp": SUNDAY_NOON - 400 * DAY})
    ahead = operator.made("/actions/checkins", {"thng": thng, "timestamp": SUNDAY_NOON + DAY})
    first = operator.made("/actions/checkins", {"thng": thng, "timestamp": 0})
    assert (past["timestamp"], past["createdAt"]) == (SUNDAY_NOON - 400 * DAY, SUNDAY_NOON)
    assert (ahead["timestamp"], ahead["createdAt"]) == (SUNDAY_NOON + DAY, SUNDAY_NOON)
    world.settle()
    assert ids(operator.read("/actions/checkins")) == ids([ahead, now, past, first])
    assert ids(operator.read("/actions/all", filter=f"timestamp<{SUNDAY_NOON}")) == ids([past, first])
    assert ids(operator.read("/actions/all", filter=f"timestamp>={SUNDAY_NOON}")) == ids([ahead, now])


def test_an_action_of_one_type_is_not_found_under_another(world: World, operator: Client):
    action = operator.made("/actions/scans", {"thng": world.thng()["id"]})
    assert operator.get(f"/actions/checkins/{action['id']}").status == 404
    assert operator.get("/actions/scans/U0000000000000000000000X").status == 404
    assert operator.get("/actions/nothing/U0000000000000000000000X").status == 404


def test_a_deleted_action_is_gone_from_everywhere(world: World, operator: Client):
    action = operator.made("/actions/scans", {"thng": world.thng()["id"], "tags": ["a"]})
    world.settle()
    assert ids(operator.read("/actions/scans")) == [action["id"]]
    answer = operator.delete(f"/actions/scans/{action['id']}")
    assert (answer.status, answer.content) == (200, b"")
    assert operator.get(f"/actions/scans/{action['id']}").status == 404
    assert operator.delete(f"/actions/scans/{action['id']}").status == 404
    for settled in (False, True):
        if settled:
            world.settle()
        assert operator.read("/actions/scans") == operator.read("/actions/all", filter="tags=a") == []


def test_an_action_past_256_kb_is_refused_and_letters_of_any_script_count_by_their_bytes(world, operator):
    thng = world.thng()["id"]
    assert "256 KB" in operator.post("/actions/scans", {"thng": thng, "customFields": {"a": "x" * 262_144}}).error
    assert operator.post("/actions/scans", {"thng": thng, "customFields": {"a": "\N{SNOWMAN}" * 80_000}}).status == 201


def test_an_action_with_more_index_entries_than_can_be_written_is_refused(world: World, operator: Client):
    thng = world.thng()["id"]
    answer = operator.post("/actions/scans", {"thng": thng, "tags": [f"t{n}" for n in range(1_001)]})
    assert answer.status == 400 and "1000" in answer.error


# ---- several at once -------------------------------------------------------------------------------------------------


def test_an_array_at_all_makes_every_action_each_with_its_context(world: World, operator: Client):
    thng = world.thng(product=world.product()["id"])
    answer = world.answered("actions/post-many", THNG=thng["id"])
    assert answer.status == 201
    assert [each["type"] for each in answer.document] == ["scans", "checkins"]
    for action in answer.document:
        assert action["product"] == thng["product"]
        assert action["context"]["ipAddress"] == "203.0.113.0"
        assert operator.get(f"/actions/{action['type']}/{action['id']}").status == 200


def test_of_an_array_with_one_that_is_wrong_none_is_made_and_the_error_says_which(world: World, operator: Client):
    thng = world.thng()["id"]
    good = {"type": "scans", "thng": thng}
    before = world.rows()
    for wrong, field in (
        ({"thng": thng}, "[2].type"),
        ({"type": "scans"}, "[2].thng"),
        ({"type": "scans", "thng": "x"}, "[2].thng"),
        ({"type": "scans", "thng": thng, "tags": ["x" * 61]}, "[2].tags[0]"),
    ):
        answer = operator.post("/actions/all", [good, good, wrong])
        assert answer.status == 400
        assert answer.document["details"][0]["field"] == field
        assert answer.error.startswith(field)
    assert operator.post("/actions/all", [good, {"type": "_Unknown"}]).status == 404
    assert operator.post("/actions/all", [good, "scan"]).status == 400
    assert world.rows() == before


def test_arrays_are_bounded_and_go_to_all_alone(world: World, operator: Client):
    action = {"type": "scans", "thng": world.thng()["id"]}
    assert operator.post("/actions/scans", [action]).status == 400
    for wrong in ([], [action] * 101, "x", 5, None):
        assert operator.post("/actions/all", wrong).status == 400
    assert len(operator.made("/actions/all", [action])) == 1
    assert len(operator.made("/actions/all", [action] * 100)) == 100
    large = {**action, "customFields": {"a": "x" * 50_000}}
    assert "3 MB" in operator.post("/actions/all", [large] * 90).error


def test_a_single_action_at_all_takes_its_type_from_the_body(world: World, operator: Client):
    thng = world.thng()["id"]
    assert operator.made("/actions/all", {"type": "shares", "thng": thng})["type"] == "shares"
    answer = operator.post("/actions/all", {"thng": thng})
    assert answer.document["details"][0]["field"] == "type"


# ---- types -----------------------------------------------------------------------------------------------------------


def test_a_custom_type_is_created_and_found_by_its_name(world: World, operator: Client):
    answer = world.answered("actions/create-type")
    made = answer.document
    assert answer.status == 201
    assert answer.location == f"{API_URL}/actions/{made['id']}"
    assert made == {
        "id": made["id"],
        "createdAt": SUNDAY_NOON,
        "updatedAt": SUNDAY_NOON,
        "name": "_Arrived",
        "tags": ["custom"],
    }
    assert operator.read("/actions", filter="name=_Arrived") == [made]
    assert operator.read("/actions", filter="name=scans") == [{"name": "scans"}]
    assert operator.read("/actions", filter="name=_Nothing") == []


def test_types_are_listed_built_in_ones_first_then_the_newest(world: World, operator: Client):
    for number in range(31):
        world.clock.now += 1
        operator.made("/actions", {"name": f"_Type{number}"})
    first = operator.get("/actions")
    names = [each["name"] for each in first.document]
    assert names[:5] == ["checkins", "implicitScans", "scans", "shares", "_Type30"]
    assert len(names) == 30 and "link" in first.headers


def test_a_custom_type_needs_no_target(world: World, operator: Client):
    world.answered("actions/create-type")
    action = operator.made("/actions/_Arrived", {"customFields": {"dock": 4}})
    assert action["type"] == "_Arrived" and "thng" not in action and "reactions" not in action
    world.settle()
    assert ids(operator.read("/actions/_Arrived")) == [action["id"]]
    assert operator.read("/actions/scans") == []


@pytest.mark.parametrize("name", ["Arrived", "_", "", None, 5, "_ä", "_a b", "_a/b", "_" + "x" * 100, "scans"])
def test_the_name_of_a_custom_type_begins_with_an_underscore(world: World, operator: Client, name):
    before = world.rows()
    assert operator.post("/actions", {"name": name}).status == 400
    assert world.rows() == before


def test_a_type_that_exists_is_a_conflict_and_leaves_the_first(world: World, operator: Client):
    first = operator.made("/actions", {"name": "_Arrived", "tags": ["a"]})
    assert operator.post("/actions", {"name": "_Arrived", "tags": ["b"]}).status == 409
    assert [each for each in operator.read("/actions") if "id" in each] == [first]
    assert world.stranger.made("/actions", {"name": "_Arrived"})["name"] == "_Arrived"


def test_an_unknown_type_is_404_and_the_answer_names_the_built_in_ones(operator: Client):
    for answer in (operator.get("/actions/scan"), operator.post("/actions/_New", {}), operator.delete("/actions/_New")):
        assert answer.status == 404 and "implicitScans" in answer.error


def test_a_type_is_updated_and_deleted_but_never_a_built_in_one(world: World, operator: Client):
    made = operator.made("/actions", {"name": "_Arrived", "customFields": {"a": 1}})
    world.clock.now += HOUR
    after = operator.put("/actions/_Arrived", {**made, "tags": ["example"], "name": "_Other"}).document
    assert after == {**made, "tags": ["example"], "updatedAt": SUNDAY_NOON + HOUR}
    assert operator.put("/actions/scans", {"tags": ["x"]}).status == 403
    assert operator.delete("/actions/scans").status == 403
    answer = operator.delete("/actions/_Arrived")
    assert (answer.status, answer.content) == (200, b"")
    assert operator.post("/actions/_Arrived", {}).status == 404
    assert operator.made("/actions", {"name": "_Arrived"})["id"] != made["id"]


def test_a_type_in_no_project_does_not_exist_for_applications_until_it_is_shared(world: World, operator: Client):
    operator.made("/actions", {"name": "_Mine"})
    trusted = world.trusted
    assert trusted.post("/actions/_Mine", {}).status == 404
    assert trusted.get("/actions/_Mine").status == 404
    assert trusted.delete("/actions/_Mine").status == 404
    assert [each["name"] for each in trusted.read("/actions")] == ["checkins", "implicitScans", "scans", "shares"]
    operator.put("/actions/_Mine", {"scopes": {"projects": ["+all"]}})
    assert trusted.post("/actions/_Mine", {}).status == 201
    assert trusted.delete("/actions/_Mine").status == 200
