"""Lists of products and thngs: filtered, in pages, by ids; and the same request twice."""

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from tests.functions.lists import ids, next_page, walked
from tests.functions.world import HOUR, SUNDAY_NOON, Client, World


@pytest.fixture
def seven(world: World, operator: Client) -> list[str]:
    """Seven thngs, oldest first."""
    made = []
    for number in range(7):
        world.clock.now += 1_000
        tags = ["odd" if number % 2 else "even", "a & b, c=d"]
        made.append(
            operator.made("/thngs", {"name": f"Smart {number}", "tags": tags, "identifiers": {"n": number}})["id"]
        )
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
    again = operator.post("/thngs", {"name": "x"}, headers=headers)
    own = {name: again.headers[name] for name in again.headers if name.startswith(("x-fingerpost-", "x-ratelimit-"))}
    assert again == first._replace(headers={**first.headers, **own})
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
