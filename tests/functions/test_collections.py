"""Collections: created, read, listed, updated, deleted; scans of what stands for one."""

import pytest

from tests.functions.lists import ids, walked
from tests.functions.world import API_URL, HOUR, SUNDAY_NOON, Client, World


def test_a_collection_is_created_with_every_field_and_its_location(world: World, operator: Client):
    answer = world.answered("catalogue/create-collection")
    collection = answer.document
    assert answer.status == 201
    assert answer.location == f"{API_URL}/collections/{collection['id']}"
    assert collection == {
        "id": collection["id"],
        "createdAt": SUNDAY_NOON,
        "updatedAt": SUNDAY_NOON,
        "name": "Office-322",
        "description": "The collection of all thngs in office 322",
        "customFields": {"insured": "true"},
        "tags": ["Office", "Zurich", "322"],
        "identifiers": {"collectionCode": "OZ322", "collectionReferenceNumber": "12345"},
    }
    assert operator.read(f"/collections/{collection['id']}") == collection
    assert ids(world.answered("catalogue/list-collections-by-filter").document) == [collection["id"]]


def test_a_collection_may_have_a_name_alone(operator: Client):
    collection = operator.made("/collections", {"name": "x"})
    assert collection == {
        "id": collection["id"],
        "createdAt": SUNDAY_NOON,
        "updatedAt": SUNDAY_NOON,
        "name": "x",
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x", "tags": ["t" * 61]}, "tags[0]"),
        ({"name": "x", "identifiers": {"a": None}}, "identifiers.a"),
        ({"name": "x", "customFields": []}, "customFields"),
        ({"name": "x", "description": 5}, "description"),
        ({"name": "x", "scopes": {"projects": ["U0000000000000000000000X"]}}, "scopes.projects"),
    ],
    ids=str,
)
def test_a_collection_that_is_not_in_order_is_refused_and_nothing_is_stored(world, operator, body, field):
    before = world.rows()
    answer = operator.post("/collections", body)
    assert answer.status == 400
    assert answer.document["details"][0]["field"] == field or f"{field}:" in answer.error
    assert world.rows() == before


def test_lists_are_newest_first_in_pages_with_a_count(world: World, operator: Client):
    made = []
    for number in range(5):
        world.clock.now += 1_000
        made.append(operator.made("/collections", {"name": f"c{number}", "tags": [f"t{number % 2}"]})["id"])
    assert walked(operator, "/collections?perPage=2") == [made[:2:-1], made[2:0:-1], made[:1]]
    assert operator.get("/collections?perPage=2").headers["x-result-count"] == "5"
    assert operator.get("/collections", filter="tags=t0").headers["x-result-count"] == "3"
    assert ids(operator.read("/collections", filter="name=c1")) == [made[1]]
    assert ids(operator.read("/collections", filter="tags=t0&name=c*")) == [made[4], made[2], made[0]]
    assert ids(operator.read("/collections", ids=f"{made[3]},{made[0]}")) == [made[3], made[0]]
    assert operator.read("/collections", filter="collections=U0000000000000000000000X") == []
    assert operator.get("/collections", filter="product=x").status == 400


def test_an_update_replaces_named_fields_whole_and_ignores_read_only_ones(world: World, operator: Client):
    made = operator.made("/collections", {"name": "x", "tags": ["a", "b"], "customFields": {"y": 1}})
    path = f"/collections/{made['id']}"
    world.clock.now += HOUR
    sent = {"id": "other", "createdAt": 1, "tags": ["c"], "description": "New", "collections": ["any"]}
    after = operator.put(path, sent).document
    assert after == {**made, "tags": ["c"], "description": "New", "updatedAt": SUNDAY_NOON + HOUR}
    assert operator.read("/collections", filter="tags=a") == []
    assert operator.put(path, operator.read(path)).document == after
    assert operator.put(path, {"name": None}).status == 400


def test_a_deleted_collection_is_gone_from_every_list(operator: Client):
    made = operator.made("/collections", {"name": "x", "tags": ["a"]})
    answer = operator.delete(f"/collections/{made['id']}")
    assert (answer.status, answer.content) == (200, b"")
    assert operator.get(f"/collections/{made['id']}").status == 404
    assert operator.delete(f"/collections/{made['id']}").status == 404
    assert operator.read("/collections") == operator.read("/collections", filter="tags=a") == []


def test_a_collection_is_no_thng_and_no_place(world: World, operator: Client):
    made = operator.made("/collections", {"name": "x"})["id"]
    for kind in ("thngs", "products", "places"):
        assert operator.get(f"/{kind}/{made}").status == 404


def test_a_trusted_application_has_the_collections_of_its_project_and_an_application_none(world, operator):
    inside = operator.made("/collections", {"name": "in"}, project=world.project)
    outside = operator.made("/collections", {"name": "out"})
    own = world.trusted.made("/collections", {"name": "own"})
    assert set(ids(world.trusted.read("/collections"))) == {inside["id"], own["id"]}
    assert world.trusted.get("/collections").headers["x-result-count"] == "2"
    assert world.trusted.get(f"/collections/{outside['id']}").status == 404
    assert world.trusted.put(f"/collections/{inside['id']}", {"name": "y"}).status == 200
    assert world.trusted.delete(f"/collections/{own['id']}").status == 200
    assert world.application.get("/collections").status == 403
    assert world.stranger.get(f"/collections/{inside['id']}").status == 404


def test_a_scan_of_a_collections_code_carries_the_collection(world: World, operator: Client):
    made = operator.made("/collections", {"name": "x"}, project=world.project)["id"]
    link = operator.link(made, "https://museum.example/{evrythngId}")
    assert (link["type"], link["evrythngUrl"]) == ("collection", f"{API_URL}/collections/{made}")
    assert world.scan(link["shortId"]).location == f"https://museum.example/{made}"
    world.settle()
    (action,) = operator.read("/actions/implicitScans", filter=f"collection={made}")
    assert action["collection"] == made
    assert not {"thng", "product", "location"} & set(action)
    assert ids(world.trusted.read("/actions/all")) == [action["id"]]


def test_rules_hold_for_a_collections_code_too(world: World, operator: Client):
    short_id = operator.link(operator.made("/collections", {"name": "x"})["id"])["shortId"]
    operator.publish(
        {"match": "thng.name=x", "redirectUrl": "https://x.example/thng"},
        {"match": "country=IE", "redirectUrl": "https://x.example/irish"},
    )
    assert world.scan(short_id, country="IE").location == "https://x.example/irish"


def test_a_link_of_a_collection_follows_its_scopes(world: World, operator: Client):
    made = operator.made("/collections", {"name": "x"})["id"]
    short_id = operator.link(made)["shortId"]
    assert world.trusted.get(f"/redirections/{short_id}", on_short=True).status == 404
    operator.put(f"/collections/{made}", {"scopes": {"projects": ["all"]}})
    world.settle()
    assert world.trusted.get(f"/redirections/{short_id}", on_short=True).status == 200
    operator.delete(f"/collections/{made}")
    assert world.scan(short_id).status == 307
    assert world.trusted.get(f"/redirections/{short_id}", on_short=True).status == 200


def test_an_action_may_be_about_a_collection_that_there_is(world: World, operator: Client):
    made = operator.made("/collections", {"name": "x"}, project=world.project)["id"]
    action = operator.made("/actions/checkins", {"collection": made})
    assert action["collection"] == made
    world.settle()
    assert ids(operator.read("/actions/all", filter=f"collection={made}")) == [action["id"]]
    assert ids(world.trusted.read("/actions/all")) == [action["id"]]
    outside = operator.made("/collections", {"name": "y"})["id"]
    for body in ({"collection": "U0000000000000000000000X"}, {"collection": world.thng()["id"]}):
        assert operator.post("/actions/checkins", body).status == 400
    assert world.trusted.post("/actions/checkins", {"collection": outside}).status == 400
