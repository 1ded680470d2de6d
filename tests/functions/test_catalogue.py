"""Products and thngs, in whole and in lists."""

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from tests.functions.world import API_URL, HOUR, SUNDAY_NOON, Answer, Client, World

BOTH = pytest.mark.parametrize("kind", ["products", "thngs"])


def ids(documents) -> list[str]:
    return [each["id"] for each in documents]


def next_page(client: Client, answer: Answer) -> Answer | None:
    """Follow the Link header as every SDK does: decode what is between the brackets once, and GET it bare."""
    link = answer.headers.get("link")
    if link is None:
        return None
    address, _, relation = link.partition(">")
    assert relation == '; rel="next"'
    assert address.startswith("<https%3A%2F%2Fapi.example%2F")
    assert not set(address) & set(",;=+ ")
    parts = urlsplit(unquote(address[1:]))
    return client.get(f"{parts.path}?{parts.query}")


def walked(client: Client, path: str) -> list[list[str]]:
    pages, answer = [], client.get(path)
    while answer is not None:
        assert answer.status == 200, answer
        pages.append(ids(answer.document))
        answer = next_page(client, answer)
    return pages


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
    fields = {"a": None, "b": [1, {"c": []}], "d": {"e.f": 0.1}, "Ünïcødé ☃": "\u0000\u2028😀", "n": 12345678901234567890}
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
    ({"name": "x", "scopes": {"projects": ["+a", "b"]}}, "scopes"),
    ({"name": "x", "scopes": {"projects": ["U0000000000000000000000X"]}}, "scopes.projects"),
]


@BOTH
@pytest.mark.parametrize(("body", "field"), REFUSED, ids=lambda value: str(value)[:50])
def test_a_document_that_is_not_in_order_is_refused_with_the_field_and_nothing_is_stored(world, operator, kind, body, field):
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
    assert operator.made("/thngs", {"name": "x", "tags": ["t" * 60, "t" * 60, "é" * 60]})["tags"] == ["t" * 60, "é" * 60]


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
        {"name": "Truck", "tags": ["a", "b"], "customFields": {"x": 1, "y": 2}, "product": product["id"],
         "properties": {"status": "Idle"}, "location": {"latitude": 1, "longitude": 2}},
    )  # fmt: skip
    world.clock.now += HOUR
    after = world.answered("catalogue/update-thng", THNG=thng["id"]).document
    assert after == {
        **thng, "name": "Truck #F893-44 - IDLE", "tags": ["Truck"], "updatedAt": SUNDAY_NOON + HOUR
    }  # fmt: skip
    assert operator.read(f"/thngs/{thng['id']}") == after
    assert operator.put(f"/thngs/{thng['id']}", {"customFields": {"z": 3}}).document["customFields"] == {"z": 3}


@BOTH
def test_a_whole_document_put_back_changes_nothing(world: World, operator: Client, kind):
    body = {"name": "x", "tags": ["a"], "customFields": {"a": {"b": None}}, "identifiers": {"x": 1}, "properties": {"p": 1}}
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


# ---- scopes ----------------------------------------------------------------------------------------------------------


def test_scopes_are_shown_on_request_and_begin_with_the_project_asked_for(world: World, operator: Client):
    thng = operator.made("/thngs", {"name": "x"}, project=world.project)
    path = f"/thngs/{thng['id']}"
    assert "scopes" not in operator.read(path)
    assert operator.read(path, withScopes="true")["scopes"] == {"users": ["all"], "projects": [world.project]}
    assert "scopes" in operator.read("/thngs", withScopes="true")[0]
    assert operator.get(path, withScopes="maybe").status == 400


def test_scopes_are_replaced_by_a_plain_list_and_changed_by_plus_and_minus(world: World, operator: Client):
    one, two = world.project, operator.made("/projects", {"name": "Two"})["id"]
    thng = operator.made("/thngs", {"name": "x", "scopes": {"projects": [one]}})
    path = f"/thngs/{thng['id']}?withScopes=true"

    def after(**scopes):
        return operator.put(path, {"scopes": scopes}).document["scopes"]

    assert after(projects=[f"+{two}"]) == {"users": ["all"], "projects": [one, two]}
    assert after(projects=[f"+{two}", f"-{one}"]) == {"users": ["all"], "projects": [two]}
    assert after(projects=["+all"]) == {"users": ["all"], "projects": [two, "all"]}
    assert after(projects=["-all"], users=["-all", "+u1"]) == {"users": ["u1"], "projects": [two]}
    assert after(projects=[]) == {"users": ["u1"], "projects": []}
    assert after(users=["all"]) == {"users": ["all"], "projects": []}
    assert operator.put(path, {"scopes": {"projects": ["+U0000000000000000000000X"]}}).status == 400
    assert operator.put(path, {"scopes": {"projects": ["-U0000000000000000000000X"]}}).status == 200


@BOTH
def test_what_is_in_no_project_is_invisible_to_every_application_and_shared_by_all(world, operator, kind):
    made = operator.made(f"/{kind}", {"name": "x", "tags": ["a"]})
    path, trusted = f"/{kind}/{made['id']}", world.trusted
    assert trusted.get(path).status == 404
    assert trusted.put(path, {"name": "y"}).status == 404
    assert trusted.delete(path).status == 404
    assert trusted.read(f"/{kind}") == trusted.read(f"/{kind}", filter="tags=a") == []
    operator.put(path, {"scopes": {"projects": ["+all"]}})
    assert trusted.get(path).status == 200
    assert ids(trusted.read(f"/{kind}")) == ids(trusted.read(f"/{kind}", filter="tags=a")) == [made["id"]]


def test_what_a_trusted_application_makes_is_in_its_project_alone_whatever_it_asks_for(world: World, operator: Client):
    other = operator.made("/projects", {"name": "Other"})["id"]
    thng = world.trusted.made("/thngs", {"name": "x", "scopes": {"projects": [other, "all"]}}, project=other)
    path = f"/thngs/{thng['id']}?withScopes=true"
    assert operator.read(path)["scopes"]["projects"] == [world.project]
    assert world.trusted.put(path, {"scopes": {"projects": ["+all"]}}).document["scopes"]["projects"] == [world.project]
    assert world.trusted.get("/thngs", project=other).status == 404


def test_a_list_can_be_narrowed_to_a_project(world: World, operator: Client):
    inside = operator.made("/thngs", {"name": "in", "tags": ["a"]}, project=world.project)
    operator.made("/thngs", {"name": "out", "tags": ["a"]})
    assert ids(operator.read("/thngs", project=world.project)) == [inside["id"]]
    assert ids(operator.read("/thngs", project=world.project, filter="tags=a")) == [inside["id"]]
    assert len(operator.read("/thngs")) == 2
    assert operator.get("/thngs", project="U0000000000000000000000X").status == 404


# ---- lists -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def seven(world: World, operator: Client) -> list[str]:
    """Seven thngs, oldest first."""
    made = []
    for number in range(7):
        world.clock.now += 1_000
        tags = ["odd" if number % 2 else "even", "a & b, c=d"]
        made.append(operator.made("/thngs", {"name": f"Smart {number}", "tags": tags, "identifiers": {"n": number}})["id"])
    return made


def test_lists_are_newest_first_and_ascending_on_request(operator: Client, seven):
    assert ids(operator.read("/thngs")) == seven[::-1]
    assert ids(operator.read("/thngs", sortOrder="DESCENDING")) == seven[::-1]
    assert ids(operator.read("/thngs", sortOrder="ASCENDING")) == seven


def test_pages_follow_one_another_to_the_last_which_has_no_link(operator: Client, seven):
    assert walked(operator, "/thngs?perPage=3") == [seven[:3:-1], seven[3:0:-1], seven[:1]]
    assert walked(operator, "/thngs?perPage=7") == [seven[::-1]]


def test_filter_per_page_order_and_the_rest_stay_in_the_next_address(operator: Client, seven):
    query = "filter=tags%3D%22a%20%26%20b%2C%20c%3Dd%22%26tags%3Deven&perPage=2&sortOrder=ASCENDING&withScopes=true"
    assert walked(operator, f"/thngs?{query}") == [[seven[0], seven[2]], [seven[4], seven[6]]]
    second = next_page(operator, operator.get(f"/thngs?{query}"))
    assert second is not None and all("scopes" in each for each in second.document)
    link = unquote(operator.get(f"/thngs?{query}").headers["link"].partition(">")[0])
    kept = dict(parse_qsl(urlsplit(link).query))
    assert {name: kept[name] for name in ("filter", "perPage", "sortOrder", "withScopes")} == {
        "filter": 'tags="a & b, c=d"&tags=even',
        "perPage": "2",
        "sortOrder": "ASCENDING",
        "withScopes": "true",
    }


def test_a_page_token_is_of_no_use_to_another_list_or_another_account(world: World, operator: Client, seven):
    first = operator.get("/thngs?perPage=3")
    token = dict(parse_qsl(urlsplit(unquote(first.headers["link"])).query))["nextPageToken"].partition(">")[0]
    assert operator.get("/thngs", perPage=3, nextPageToken=token).status == 200
    for query in ({"filter": "tags=odd"}, {"sortOrder": "ASCENDING"}, {"project": world.project}):
        assert operator.get("/thngs", nextPageToken=token, **query).status == 400
    assert operator.get("/products", nextPageToken=token).status == 400
    assert world.stranger.get("/thngs", nextPageToken=token).status == 400
    for broken in (token[:-1], token + "A", "x", "%00", "é"):
        assert operator.get("/thngs", nextPageToken=broken).status == 400


@pytest.mark.parametrize(
    ("filter_text", "numbers"),
    [
        ("tags=odd", [5, 3, 1]),
        ("tags=odd,even&identifiers.n=2,3", [3, 2]),
        ("name=Smart 4", [4]),
        ("name=Smart*&tags=even", [6, 4, 2, 0]),
        ("name=Smart*", [0, 1, 2, 3, 4, 5, 6]),
        ("identifiers.n=5", [5]),
        ("tags=even & identifiers.n>3", [6, 4]),
        ("identifiers.n=1|identifiers.n=6", [6, 1]),
        ("!tags=odd & name=*", [6, 4, 2, 0]),
        ("name~SMART 3", [3]),
        ("name=smart 3", []),
        ("tags=nothing", []),
    ],
)
def test_lists_are_filtered(operator: Client, seven, filter_text, numbers):
    assert ids(operator.read("/thngs", filter=filter_text)) == [seven[number] for number in numbers]


def test_a_filter_on_the_time_of_creation_narrows_the_list(operator: Client, seven, world: World):
    bound = SUNDAY_NOON + 4_000  # the fourth was made then
    assert ids(operator.read("/thngs", filter=f"createdAt>{bound}")) == seven[:3:-1]
    assert ids(operator.read("/thngs", filter=f"createdAt<{bound}", sortOrder="ASCENDING")) == seven[:3]
    assert ids(operator.read("/thngs", filter=f"createdAt={bound}..{bound + 1000}")) == [seven[4], seven[3]]


@pytest.mark.parametrize("raw", ["filter=name%3DSmart%25204", "filter=name=Smart%204", "filter=name%3DSmart+4"])
def test_filters_are_read_as_the_sdks_write_them_also_encoded_twice_or_raw(operator: Client, seven, raw):
    assert ids(operator.get(f"/thngs?{raw}").document) == [seven[4]]


def test_a_story_filters_by_a_tag_and_an_identifier_with_a_colon(world: World, operator: Client):
    product = operator.made("/products", {"name": "Truck"}, project=world.project)
    made = world.answered("catalogue/create-thng", PROJECT=world.project, PRODUCT=product["id"]).document
    world.thng(tags=["Truck"])
    assert ids(world.answered("catalogue/list-thngs-by-filter").document) == [made["id"]]
    assert ids(operator.read("/thngs", filter=f"product={product['id']}")) == [made["id"]]


def test_an_index_never_answers_for_another_key_of_the_same_spelling(operator: Client):
    operator.made("/thngs", {"name": "x", "identifiers": {"a=b": "c"}})
    right = operator.made("/thngs", {"name": "y", "identifiers": {"a": "b=c"}})
    assert ids(operator.read("/thngs", filter='identifiers.a="b=c"')) == [right["id"]]


@pytest.mark.parametrize(
    ("query", "column"),
    [
        ({"filter": "tags="}, 6),
        ({"filter": "tag=x"}, 1),
        ({"filter": "createdAt=yesterday"}, 11),
        ({"filter": "(name=x"}, None),
        ({"filter": "(" * 40 + "name=x" + ")" * 40}, None),
        ({"filter": "name=" + "x" * 9_000}, None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_filter_that_is_not_in_order_is_refused_with_its_position(operator: Client, query, column):
    answer = operator.get("/thngs", **query)
    assert answer.status == 400
    finding = answer.document["details"][0]
    assert finding["field"] == "filter" and finding["message"]
    assert column is None or finding["column"] == column
    if query["filter"] == "tag=x":
        assert finding["suggestion"] == "tags"


@pytest.mark.parametrize("value", ["0", "101", "-1", "x", "", "1.5", "٣", "9" * 50])
def test_per_page_is_a_number_from_1_to_100(operator: Client, value):
    answer = operator.get("/thngs", perPage=value)
    assert answer.status == 400 and "perPage" in answer.error


def test_sort_order_is_one_of_two_words(operator: Client):
    assert operator.get("/thngs", sortOrder="ascending").status == 400


def test_ids_answers_those_documents_in_that_order_and_leaves_out_what_is_not_there(world, operator, seven):
    gone = "U0000000000000000000000X"
    assert ids(operator.read("/thngs", ids=",".join([seven[2], gone, seven[0], seven[2]]))) == [seven[2], seven[0]]
    assert ids(operator.get(f"/thngs?ids={seven[1]},{seven[5]}").document) == [seven[1], seven[5]]
    assert world.trusted.read("/thngs", ids=seven[2]) == []
    assert world.stranger.read("/thngs", ids=seven[2]) == []
    for wrong in ("", ",", "no id", ",".join([gone] * 101)):
        assert operator.get("/thngs", ids=wrong).status == 400


# ---- the same request twice ------------------------------------------------------------------------------------------


def test_a_post_repeated_with_its_idempotency_key_makes_one_thng_and_answers_the_same(world, operator):
    headers = {"idempotency-key": "order 66"}
    first = operator.post("/thngs", {"name": "x"}, headers=headers)
    world.clock.now += HOUR
    assert operator.post("/thngs", {"name": "x"}, headers=headers)[:] == first._replace(
        headers={**first.headers, "x-fingerpost-cause": "request-2"}
    )
    assert len(operator.read("/thngs")) == 1
    assert operator.post("/thngs", {"name": "y"}, headers=headers).status == 409
    assert operator.post("/products", {"name": "x"}, headers=headers).status == 409
    assert operator.post(f"/thngs?project={world.project}", {"name": "x"}, headers=headers).status == 409
    assert operator.post("/thngs", {"name": "x"}, headers={"idempotency-key": "k" * 256}).status == 400


def test_a_refused_post_may_be_corrected_under_a_new_idempotency_key_only(operator: Client):
    headers = {"idempotency-key": "a"}
    assert operator.post("/thngs", {"name": ""}, headers=headers).status == 400
    assert operator.post("/thngs", {"name": ""}, headers=headers).status == 400
    assert operator.post("/thngs", {"name": "x"}, headers=headers).status == 409
