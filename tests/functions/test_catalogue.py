"""Products and thngs: created, read, updated, deleted."""

import pytest

from tests.functions.world import API_URL, HOUR, SUNDAY_NOON, Client, World

BOTH = pytest.mark.parametrize("kind", ["products", "thngs"])


# ---- create ----------------------------------------------------------------------------------------------------------


def test_a_product_is_created_with_every_field_and_its_location(world: World, operator: Client):
    answer = world.answered("catalogue/create-product")
    product = answer.document
    assert answer.status == 201
    assert answer.location == f"{API_URL}/products/{product['id']}"
    assert product == {
        "id": product["id"],
        "createdAt": SUNDAY_NOON,
        "updatedAt": SUNDAY_NOON,
        "name": "KDL-46EX",
        "fn": "KDL-46EX",
        "description": "Just a simple TV",
        "brand": "ACME",
        "categories": ["packaged", "consumer"],
        "photos": ["https://images.example/3965331-6265.jpg"],
        "url": "https://shop.example/kdl-46ex402aep",
        "identifiers": {"UPC": "027242784925"},
        "customFields": {"FullHD": "true"},
        "tags": ["example", "product"],
        "properties": {"in_use": False},
    }
    assert operator.read(f"/products/{product['id']}") == product


def test_a_thng_is_created_with_every_field_and_its_location(world: World, operator: Client):
    product = operator.made("/products", {"name": "Truck"}, project=world.project)
    answer = world.answered("catalogue/create-thng", PROJECT=world.project, PRODUCT=product["id"])
    thng = answer.document
    assert answer.status == 201
    assert answer.location == f"{API_URL}/thngs/{thng['id']}"
    assert thng == {
        "id": thng["id"],
        "createdAt": SUNDAY_NOON,
        "updatedAt": SUNDAY_NOON,
        "name": "Truck # L4-4",
        "description": "Delivery truck for North England.",
        "product": product["id"],
        "location": {
            "latitude": 57.1,
            "longitude": 2.05,
            "position": {"type": "Point", "coordinates": [2.05, 57.1]},
        },
        "properties": {"status": "Idle"},
        "identifiers": {"gs1:21": "8230947"},
        "customFields": {"region": "en_gb"},
        "tags": ["Truck", "Diesel"],
    }
    assert operator.read(f"/thngs/{thng['id']}") == thng


def test_ids_are_24_characters_of_the_platforms_alphabet_and_begin_with_u(world: World):
    for document in (world.thng(), world.product()):
        assert len(document["id"]) == 24 and document["id"][0] == "U"
        assert not set(document["id"]) & set("ijlouvzIJLOZ")


def test_a_product_may_come_with_fn_alone_and_shows_both(operator: Client):
    product = operator.made("/products", {"fn": "Jam"})
    assert (product["name"], product["fn"]) == ("Jam", "Jam")
    changed = operator.put(f"/products/{product['id']}", {"fn": "Jelly"}).document
    assert (changed["name"], changed["fn"]) == ("Jelly", "Jelly")


def test_a_bare_thng_shows_empty_properties_fields_and_identifiers_and_no_location(world: World):
    thng = world.thng()
    assert (thng["properties"], thng["customFields"], thng["identifiers"]) == ({}, {}, {})
    assert "location" not in thng and "scopes" not in thng


def test_custom_fields_keep_every_kind_of_json(operator: Client):
    fields = {
        "a": None,
        "b": [1, {"c": []}],
        "d": {"e.f": 0.1},
        "Ünïcødé ☃": "\u0000\u2028😀",
        "n": 12345678901234567890,
    }
    thng = operator.made("/thngs", {"name": "x", "customFields": fields})
    assert thng["customFields"] == fields
    assert operator.read(f"/thngs/{thng['id']}")["customFields"] == fields


@pytest.mark.parametrize(
    "location",
    [
        {"latitude": 51.5, "longitude": -0.1},
        {"position": {"type": "Point", "coordinates": [-0.1, 51.5]}},
        {"position": {"coordinates": [-0.1, 51.5, 12.0]}, "createdAt": 1, "unknown": True},
    ],
)
def test_a_location_is_given_in_either_form_and_answered_in_all(operator: Client, location):
    thng = operator.made("/thngs", {"name": "x", "location": location})
    assert thng["location"] == {
        "latitude": 51.5,
        "longitude": -0.1,
        "position": {"type": "Point", "coordinates": [-0.1, 51.5]},
    }


REFUSED = [
    ({}, "name"),
    ({"name": None}, "name"),
    ({"name": ""}, "name"),
    ({"name": "  "}, "name"),
    ({"name": 7}, "name"),
    ({"name": "x", "description": {}}, "description"),
    ({"name": "x", "tags": "red"}, "tags"),
    ({"name": "x", "tags": ["red", ""]}, "tags[1]"),
    ({"name": "x", "tags": ["red", "x" * 61]}, "tags[1]"),
    ({"name": "x", "tags": [1]}, "tags[0]"),
    ({"name": "x", "identifiers": ["a"]}, "identifiers"),
    ({"name": "x", "identifiers": {"ean": None}}, "identifiers.ean"),
    ({"name": "x", "identifiers": {"ean": {"a": 1}}}, "identifiers.ean"),
    ({"name": "x", "identifiers": {"": "1"}}, "identifiers"),
    ({"name": "x", "customFields": "x"}, "customFields"),
    ({"name": "x", "properties": {"~connected": True}}, "properties"),
    ({"name": "x", "properties": {"k" * 129: 1}}, "properties"),
    ({"name": "x", "scopes": {"projects": "all"}}, "scopes.projects"),
    ({"name": "x", "scopes": {"projects": ["+a", "b"]}}, "scopes.projects"),
    ({"name": "x", "scopes": {"projects": ["U0000000000000000000000X"]}}, "scopes.projects"),
]


@BOTH
@pytest.mark.parametrize(("body", "field"), REFUSED, ids=lambda value: str(value)[:50])
def test_a_document_that_is_not_in_order_is_refused_with_the_field_and_nothing_is_stored(
    world, operator, kind, body, field
):
    before = world.rows()
    answer = operator.post(f"/{kind}", body)
    assert answer.status == 400
    assert answer.document["details"][0]["field"] == field or (field == "name" and "name:" in answer.error)
    assert world.rows() == before


@pytest.mark.parametrize(
    "body",
    [
        {"product": "U0000000000000000000000X"},
        {"product": "no id at all"},
        {"product": 5},
        {"collections": ["U0000000000000000000000X"]},
        {"location": {"latitude": 91, "longitude": 0}},
        {"location": {"latitude": 1}},
        {"location": {"position": {"type": "Polygon", "coordinates": [1, 2]}}},
        {"location": {"position": {"coordinates": [181, 2]}}},
        {"location": {"place": "U0000000000000000000000X"}},
        {"location": [1, 2]},
    ],
    ids=str,
)
def test_a_thng_with_a_reference_or_location_that_is_none_is_refused(world, operator, body):
    before = world.rows()
    assert operator.post("/thngs", {"name": "x", **body}).status == 400
    assert world.rows() == before


def test_a_tag_of_60_characters_is_fine_and_twice_the_same_is_once(operator: Client):
    assert operator.made("/thngs", {"name": "x", "tags": ["t" * 60, "t" * 60, "é" * 60]})["tags"] == [
        "t" * 60,
        "é" * 60,
    ]


LARGE = [
    {"customFields": {"text": "x" * 1_000_000}},
    {"customFields": {"text": "x" * 262_144}},
    {"description": "é" * 131_072},
    {"properties": {"log": "x" * 262_144}},
    {"properties": {"a": "x" * 140_000, "b": "y" * 140_000}},
]


@BOTH
@pytest.mark.parametrize("body", LARGE, ids=lambda body: f"{next(iter(body))} of {len(str(body))}")
def test_a_document_past_256_kb_is_refused_with_the_limit_named_and_nothing_is_stored(world, operator, kind, body):
    before = world.rows()
    answer = operator.post(f"/{kind}", {"name": "x", **body})
    assert answer.status == 400 and answer.document["code"] == "tooLarge"
    assert "256 KB" in answer.error
    assert world.rows() == before


@BOTH
def test_a_document_of_nearly_256_kb_is_stored(operator: Client, kind):
    made = operator.made(f"/{kind}", {"name": "x", "customFields": {"text": "x" * 261_000}})
    assert operator.read(f"/{kind}/{made['id']}") == made
    answer = operator.put(f"/{kind}/{made['id']}", {"description": "x" * 10_000})
    assert answer.status == 400 and "256 KB" in answer.error


@BOTH
def test_a_document_with_too_many_index_entries_is_refused_and_nothing_is_stored(world, operator, kind):
    before = world.rows()
    body = {"name": "x", "tags": [f"tag {number}" for number in range(1_000)], "properties": {"a": 1}}
    answer = operator.post(f"/{kind}", body)
    assert answer.status == 400 and "1000" in answer.error
    assert world.rows() == before


# ---- read, update, delete --------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("name", ["U0000000000000000000000X", "x", "%00", "..%2F..", "😀", "x" * 3_000])
def test_what_does_not_exist_is_404_for_every_verb(operator: Client, kind, name):
    assert operator.get(f"/{kind}/{name}").status == 404
    assert operator.put(f"/{kind}/{name}", {"name": "x"}).status == 404
    assert operator.delete(f"/{kind}/{name}").status == 404


def test_a_product_is_no_thng(world: World, operator: Client):
    assert operator.get(f"/thngs/{world.product()['id']}").status == 404
    assert operator.get(f"/products/{world.thng()['id']}").status == 404


def test_an_update_replaces_named_fields_whole_leaves_the_others_and_ignores_read_only_ones(world, operator):
    product = world.product()
    thng = operator.made(
        "/thngs",
        {
            "name": "Truck",
            "tags": ["a", "b"],
            "customFields": {"x": 1, "y": 2},
            "product": product["id"],
            "properties": {"status": "Idle"},
            "location": {"latitude": 1, "longitude": 2},
        },
    )
    world.clock.now += HOUR
    after = world.answered("catalogue/update-thng", THNG=thng["id"]).document
    assert after == {**thng, "name": "Truck #F893-44 - IDLE", "tags": ["Truck"], "updatedAt": SUNDAY_NOON + HOUR}
    assert operator.read(f"/thngs/{thng['id']}") == after
    assert operator.put(f"/thngs/{thng['id']}", {"customFields": {"z": 3}}).document["customFields"] == {"z": 3}


@BOTH
def test_a_whole_document_put_back_changes_nothing(world: World, operator: Client, kind):
    body = {
        "name": "x",
        "tags": ["a"],
        "customFields": {"a": {"b": None}},
        "identifiers": {"x": 1},
        "properties": {"p": 1},
    }
    made = operator.made(f"/{kind}", body, project=world.project)
    whole = operator.read(f"/{kind}/{made['id']}", withScopes="true")
    world.clock.now += HOUR
    assert operator.put(f"/{kind}/{made['id']}?withScopes=true", whole).document == whole


def test_a_whole_document_can_be_put_back_after_its_product_or_project_has_gone(world: World, operator: Client):
    product, project = world.product(), operator.made("/projects", {"name": "Short"})["id"]
    thng = operator.made("/thngs", {"name": "x", "product": product["id"]}, project=project)
    path = f"/thngs/{thng['id']}"
    operator.delete(f"/products/{product['id']}")
    operator.delete(f"/projects/{project}")
    whole = operator.read(path, withScopes="true")
    assert operator.put(path, {**whole, "name": "y"}).document["name"] == "y"
    assert operator.put(path, {"scopes": {"projects": [f"+{world.project}"]}}).status == 200


def test_a_trusted_application_can_put_back_a_thng_whose_product_it_does_not_see(world: World, operator: Client):
    product = world.product()
    thng = operator.made("/thngs", {"name": "x", "product": product["id"]}, project=world.project)
    whole = world.trusted.read(f"/thngs/{thng['id']}")
    assert world.trusted.put(f"/thngs/{thng['id']}", {**whole, "name": "y"}).status == 200
    assert world.trusted.post("/thngs", {"name": "z", "product": product["id"]}).status == 400


def test_null_removes_a_field_and_a_name_cannot_be_removed(world: World, operator: Client):
    thng = operator.made("/thngs", {"name": "x", "product": world.product()["id"], "tags": ["a"], "description": "d"})
    path = f"/thngs/{thng['id']}"
    after = operator.put(path, {"product": None, "tags": None, "description": None}).document
    assert not {"product", "tags", "description"} & set(after)
    for body in ({"name": None}, {"name": ""}):
        assert operator.put(path, body).status == 400
    assert operator.read(path)["name"] == "x"


@BOTH
def test_a_delete_answers_200_without_a_body_and_then_all_is_404(world: World, operator: Client, kind):
    made = operator.made(f"/{kind}", {"name": "x", "tags": ["a"], "identifiers": {"i": 1}, "properties": {"p": 1}})
    answer = operator.delete(f"/{kind}/{made['id']}", headers={"content-type": "application/json"})
    assert (answer.status, answer.content) == (200, b"")
    assert operator.get(f"/{kind}/{made['id']}").status == 404
    assert operator.delete(f"/{kind}/{made['id']}").status == 404
    assert operator.read(f"/{kind}") == []
    assert operator.read(f"/{kind}", filter="tags=a") == []


def test_a_deleted_product_is_taken_out_of_its_thngs(world: World, operator: Client):
    product = world.product()
    thngs = [operator.made("/thngs", {"name": f"t{n}", "product": product["id"]})["id"] for n in range(5)]
    assert world.answered("catalogue/delete-product", PRODUCT=product["id"]).status == 200
    world.settle()
    for thng in thngs:
        assert "product" not in operator.read(f"/thngs/{thng}")
    assert operator.read("/thngs", filter=f"product={product['id']}") == []


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"fn": None}, ("Painting", "Painting")),
        ({"name": "Etching", "fn": None}, ("Etching", "Etching")),
        ({"name": None, "fn": "Etching"}, ("Etching", "Etching")),
        ({"name": "Etching", "fn": "Print"}, ("Etching", "Print")),
    ],
)
def test_fn_and_name_of_a_product_stand_in_for_each_other(world, sent, expected):
    changed = world.operator.put(f"/products/{world.product()['id']}", sent).document
    assert (changed["name"], changed["fn"]) == expected
