"""Properties: set in every shape that clients use, read, looked up in their history, erased."""

import pytest

from fingerpost import keys
from tests.functions.lists import next_page
from tests.functions.world import DAY, HOUR, SECOND, SUNDAY_NOON, Client, World

BOTH = pytest.mark.parametrize("kind", ["products", "thngs"])
BACK_THEN = 1_773_572_400_000


@pytest.fixture
def path(operator: Client, kind: str) -> str:
    return f"/{kind}/{operator.made(f'/{kind}', {'name': 'x'})['id']}/properties"


@pytest.fixture
def light(operator: Client) -> str:
    """The address of one property of a thng."""
    return f"/thngs/{operator.made('/thngs', {'name': 'x'})['id']}/properties/light"


def shown(key: str, value: object, at: int = SUNDAY_NOON) -> dict[str, object]:
    return {"key": key, "timestamp": at, "createdAt": at, "value": value}


def values(documents: list[dict[str, object]]) -> list[object]:
    return [each["value"] for each in documents]


def history(client: Client, path: str, **query: object) -> list[object]:
    return values(client.read(path, **query))


def walked(client: Client, path: str, **query: object) -> list[list[object]]:
    pages, answer = [], client.get(path, **query)
    while answer is not None:
        assert answer.status == 200, answer
        pages.append(values(answer.document))
        answer = next_page(client, answer)
    return pages


# Setting


def test_several_are_set_at_once_and_only_they_come_back_keys_in_lower_case(world: World, operator: Client):
    thng = world.thng(properties={"other": 1})["id"]
    answer = world.answered("properties/update-properties", THNG=thng)
    assert answer.status == 200
    assert answer.document == [shown("temperature_celsius", 33), shown("humidity_percent", 71)]
    assert operator.read(f"/thngs/{thng}")["properties"] == {
        "other": 1,
        "temperature_celsius": 33,
        "humidity_percent": 71,
    }
    assert operator.read(f"/thngs/{thng}/properties") == [
        shown("humidity_percent", 71),
        shown("other", 1),
        shown("temperature_celsius", 33),
    ]


def test_a_products_are_set_by_post_as_by_put(world: World, operator: Client):
    product = world.product()["id"]
    price = {"amount": 12.5, "currency": "EUR"}
    answer = world.answered("properties/update-product", PRODUCT=product)
    assert (answer.status, answer.document) == (200, [shown("price", price)])
    assert operator.put(f"/products/{product}/properties", {"key": "PRICE", "value": 3}).document == [shown("price", 3)]
    assert operator.read(f"/products/{product}")["properties"] == {"price": 3}


@BOTH
@pytest.mark.parametrize(
    "value", [0, -1.5, "", "Idle", True, None, [1, "a"], {"a": {"b": None}}, 2**60, "é\x00"], ids=repr
)
def test_a_value_is_any_json_and_keeps_its_type(operator: Client, kind, path, value):
    for body in (
        [{"value": value}],
        {"value": value},
        [{"key": "Light", "value": value}],
        [{"key": None, "value": value}],
    ):
        (answered,) = operator.put(f"{path}/LIGHT", body).document
        assert answered == shown("light", value)
        assert type(answered["value"]) is type(value)
    assert operator.read(path) == [shown("light", value)]
    assert history(operator, f"{path}/light") == [value]


def test_what_was_read_can_be_put_back(operator: Client, light):
    operator.put(light, [{"value": 1}])
    operator.put(light, operator.read(light))
    properties = light.removesuffix("/light")
    assert operator.put(properties, operator.read(properties)).document == operator.read(properties)
    assert history(operator, light) == [1]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("x", None),
        ([1], None),
        ([{"key": "a"}], "[0].value"),
        ([{"key": "a", "value": 1}, {"value": 1}], "[1].key"),
        ({"value": 1}, "key"),
        ([{"key": "", "value": 1}], "[0].key"),
        ([{"key": "k" * 129, "value": 1}], "[0].key"),
        ([{"key": "~connected", "value": True}], "[0].key"),
        ([{"key": "a", "value": 1, "timestamp": "yesterday"}], "[0].timestamp"),
        ([{"key": "a", "value": 1, "timestamp": -1}], "[0].timestamp"),
        ([{"key": "a", "value": 1}, {"key": "b", "value": 1, "timestamp": SUNDAY_NOON + DAY + 1}], "[1].timestamp"),
        ({"key": "a", "value": 1, "timestamp": SUNDAY_NOON + DAY + 1}, "timestamp"),
    ],
    ids=str,
)
def test_what_is_not_in_order_is_refused_whole_and_says_where(world: World, operator: Client, light, body, field):
    before = world.rows()
    answer = operator.put(light.removesuffix("/light"), body)
    assert answer.status == 400
    if field:
        assert answer.document["details"][0]["field"] == field
    assert world.rows() == before


def test_the_address_and_the_body_agree_about_the_key(world: World, operator: Client, light):
    answer = operator.put(light, [{"value": 1}, {"key": "dark", "value": 1}])
    assert (answer.status, answer.document["details"][0]["field"]) == (400, "[1].key")
    assert operator.put(light.replace("light", "~connected"), {"value": True}).status == 400
    assert operator.put(light.replace("light", "k" * 129), {"value": True}).status == 400
    assert operator.post(light, {"value": 1}).status == 405


def test_an_empty_array_sets_nothing(operator: Client, light):
    assert operator.put(light, []).document == []
    assert operator.read(light.removesuffix("/light")) == []


def test_limits_are_named_and_nothing_is_stored(world: World, operator: Client, light):
    path = light.removesuffix("/light")
    operator.put(light, {"value": "x" * 200_000})
    before = world.rows()
    for address, body, limit in (
        (path, [{"key": "a", "value": "x" * 70_000}], "256 KB"),
        (light, [{"value": "x" * 300_000, "timestamp": 1}, {"value": 1}], "256 KB"),
        (path, [{"key": "a", "value": 1}] * 5_001, "5,000"),
    ):
        answer = operator.put(address, body)
        assert (answer.status, answer.document["code"]) == (400, "tooLarge")
        assert limit in answer.error
        assert world.rows() == before
    assert operator.put(light, {"value": "x" * 250_000}).status == 200, "it takes the place of what is there"


# Time


def test_a_batch_that_came_late_and_out_of_order_is_history_and_the_newest_stays_current(
    world: World, operator: Client
):
    thng = world.thng(properties={"temperature_celsius": 20})["id"]
    answer = world.answered("properties/upload-batch", THNG=thng)
    assert answer.document == [
        shown("temperature_celsius", 29, BACK_THEN),
        shown("temperature_celsius", 32, BACK_THEN + HOUR // 2),
        shown("temperature_celsius", 31, BACK_THEN + HOUR // 4),
    ]
    assert operator.read(f"/thngs/{thng}")["properties"] == {"temperature_celsius": 20}
    path = f"/thngs/{thng}/properties/temperature_celsius"
    assert history(operator, path) == [20, 32, 31, 29]
    page = world.answered("properties/read-history", THNG=thng)
    assert [each.get("key") for each in page.document] == [None, None]
    assert values(page.document) == [20, 32]
    assert values(next_page(operator, page).document) == [31]


def test_a_batch_posted_twice_is_stored_once(world: World):
    thng = world.thng()["id"]
    first = world.answered("properties/upload-batch", THNG=thng).document
    before = world.rows()
    world.clock.now += HOUR
    assert world.answered("properties/upload-batch", THNG=thng).document == first

    def readings(rows):
        return {key: {**row, "cause": ""} for key, row in rows.items() if row["k"] in ("now", "property")}

    assert readings(world.rows()) == readings(before)


def test_of_one_millisecond_what_comes_last_is_current(operator: Client, light):
    for value in (1, 2, 1, 3):
        operator.put(light, {"value": value})
        assert values(operator.read(light.removesuffix("/light"))) == [value]
    operator.put(light, [{"value": 5}, {"value": 4}])
    assert values(operator.read(light.removesuffix("/light"))) == [4]
    assert sorted(history(operator, light)) == [1, 2, 3, 4, 5]


def test_a_device_may_be_a_day_ahead(operator: Client, light):
    assert operator.put(light, {"value": 1, "timestamp": SUNDAY_NOON + DAY}).status == 200
    operator.put(light, {"value": 2})
    assert values(operator.read(light.removesuffix("/light"))) == [1]
    assert history(operator, light) == [1, 2]


def test_a_history_is_looked_up_by_time_in_pages_both_ways(operator: Client, light):
    operator.put(light, [{"value": n, "timestamp": n * SECOND} for n in range(10)])
    assert walked(operator, light, perPage=4) == [[9, 8, 7, 6], [5, 4, 3, 2], [1, 0]]
    assert walked(operator, light, perPage=5, sortOrder="ASCENDING") == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert history(operator, light, **{"from": 3 * SECOND, "to": 5 * SECOND}) == [5, 4, 3]
    assert history(operator, light, to=1 * SECOND) == [1, 0]
    assert history(operator, light, **{"from": 8 * SECOND}) == [9, 8]
    assert history(operator, light, **{"from": 5, "to": 4}) == []
    assert len(history(operator, light, **{"from": "1970-01-01", "to": "1970-01-01"})) == 10
    assert history(operator, light, **{"from": "1970-01-02"}) == []
    assert history(operator, light, filter=f"timestamp={3 * SECOND}..{5 * SECOND}") == [5, 4, 3]
    assert history(operator, light, filter=f"timestamp>{8 * SECOND}|timestamp<{1 * SECOND}") == [9, 0]
    assert history(operator, light, filter="timestamp<0") == []
    assert walked(operator, light, perPage=2, filter=f"timestamp!={8 * SECOND}", **{"from": 6 * SECOND}) == [
        [9, 7],
        [6],
    ]


def test_a_page_of_a_history_is_good_for_its_own_question_only(operator: Client, light):
    operator.put(light, [{"value": n, "timestamp": n} for n in range(4)])
    token = next_page(operator, operator.get(light, perPage=1)) and operator.get(light, perPage=1).headers["link"]
    token = token.partition("nextPageToken%3D")[2].partition(">")[0]
    assert operator.get(light, nextPageToken=token).status == 200
    for query in ({"sortOrder": "ASCENDING"}, {"from": 1}, {"filter": "timestamp>1"}):
        assert operator.get(light, nextPageToken=token, **query).status == 400
    assert operator.get(light.replace("light", "dark"), nextPageToken=token).status == 400


@pytest.mark.parametrize(
    "query", ["from=x", "to=-1", "from=1.5", "to=" + "9" * 16, "to=" + "0" * 5000, "perPage=0", "filter=value=1"]
)
def test_a_question_that_makes_no_sense_is_refused(operator: Client, light, query):
    assert operator.get(f"{light}?{query}").status == 400


def test_a_property_that_never_was_has_an_empty_history(operator: Client, light):
    assert operator.read(light) == []
    assert operator.delete(light).status == 200


def test_more_than_a_page_of_properties_goes_on_by_the_link(operator: Client, light):
    path = light.removesuffix("/light")
    operator.put(path, [{"key": f"k{n:02d}", "value": n} for n in range(35)])
    assert walked(operator, path) == [list(range(30)), list(range(30, 35))]
    assert walked(operator, path, perPage=20) == [list(range(20)), list(range(20, 35))]
    assert len(operator.read(path, perPage=100)) == 35
    assert operator.read(path, filter=f"timestamp<{SUNDAY_NOON}") == []
    assert operator.read(path, perPage=1, filter=f"timestamp={SUNDAY_NOON}") == [shown("k00", 0)]


# Erasing


def test_what_is_older_than_a_time_goes_and_that_time_stays(world: World, operator: Client):
    thng = world.thng()["id"]
    world.answered("properties/upload-batch", THNG=thng)
    answer = world.answered("properties/delete-older", THNG=thng)
    assert (answer.status, answer.content) == (200, b"")
    path = f"/thngs/{thng}/properties/temperature_celsius"
    assert history(operator, path) == [32, 31]
    operator.delete(path, to=BACK_THEN + HOUR // 2)
    assert history(operator, path) == [32]
    assert operator.read(f"/thngs/{thng}")["properties"] == {"temperature_celsius": 32}
    operator.delete(path, to=BACK_THEN + HOUR)
    assert history(operator, path) == operator.read(f"/thngs/{thng}/properties") == []
    assert operator.delete(path, to="x").status == 400


@BOTH
def test_one_or_all_go_whole_and_may_come_again(world: World, operator: Client, kind, path):
    operator.put(path, [{"key": key, "value": n, "timestamp": n} for key in "abc" for n in range(3)])
    assert operator.delete(f"{path}/A").status == 200
    assert [each["key"] for each in operator.read(path)] == ["b", "c"]
    assert history(operator, f"{path}/a") == []
    assert history(operator, f"{path}/b") == [2, 1, 0]
    operator.put(f"{path}/a", {"value": 9, "timestamp": 1})
    assert history(operator, f"{path}/a") == [9]
    assert operator.delete(path).status == 200
    assert operator.read(path) == []
    assert all(history(operator, f"{path}/{key}") == [] for key in "abc")
    assert not [row for row in world.rows().values() if row["k"] == "property"]
    before = operator.read(path.removesuffix("/properties"))["properties"]
    assert before == {}


def test_what_the_platform_set_is_read_as_others_are_and_stays(world: World, operator: Client, light):
    from fingerpost.catalogue.properties import Properties, Reading
    from tests.stores import caller_of

    thng = light.split("/")[2]
    caller = caller_of(world.tables, world.account)
    Properties(caller.tables).record(thng, [Reading("~connected", True, SUNDAY_NOON)], caller)
    operator.put(light, {"value": 1})
    path = light.removesuffix("/light")
    assert operator.read(path) == [shown("light", 1), shown("~connected", True)]
    assert history(operator, f"{path}/~Connected") == [True]
    assert operator.delete(f"{path}/~connected").status == 400
    assert operator.delete(path).status == 200
    assert operator.read(path) == [shown("~connected", True)]


def test_a_long_history_seems_gone_at_once_and_is_removed_by_and_by(world: World, operator: Client, light):
    operator.put(light, [{"value": n, "timestamp": n} for n in range(1_200)])
    operator.delete(light)
    assert history(operator, light) == operator.read(light.removesuffix("/light")) == []
    operator.put(light, [{"value": "late", "timestamp": 5}, {"value": "new"}])
    assert history(operator, light) == ["new"]
    world.clock.now += HOUR
    world.settle()
    assert [row for row in world.rows().values() if row["k"] == "property"] == [
        {"k": "property", "sv": 1, "value": '"new"'}
    ]
    operator.put(light, {"value": "late", "timestamp": 5})
    assert history(operator, light) == ["new", "late"]
    world.clock.now += HOUR
    world.settle()
    assert history(operator, light) == ["new", "late"]


def test_the_histories_of_a_deleted_thng_are_removed(world: World, operator: Client, light):
    operator.put(light, [{"value": n, "timestamp": n} for n in range(700)])
    thng = light.split("/")[2]
    operator.put(f"/thngs/{thng}/location", {"latitude": 1, "longitude": 2})
    operator.delete(f"/thngs/{thng}")
    for address in (light, light.removesuffix("/light"), f"/thngs/{thng}/location"):
        assert operator.get(address).status == 404
    world.settle()
    assert not [row for row in world.rows().values() if row["k"] in ("property", "location", "now")]


def test_a_deleted_thngs_record_has_its_histories_erased(world: World, operator: Client):
    thng = world.thng(properties={"light": 40}, location={"latitude": 53.35, "longitude": -6.26})["id"]
    operator.delete(f"/thngs/{thng}")
    assert world.story("dispatch/thng-deleted", THNG=thng) == {"batchItemFailures": []}
    (message,) = world.queues["work"].receive(visibility_ms=0)
    assert '"do": "erase"' in message.body
    for _ in range(2):
        assert world.story("work/erase", THNG=thng) == {"batchItemFailures": []}
    assert not [row for row in world.rows().values() if row["k"] in ("property", "location")]


# Who, and what hangs off it


def test_a_thngs_key_and_scopes_decide_who_may(world: World, operator: Client, light):
    thng = light.split("/")[2]
    path = light.removesuffix("/light")
    assert world.nobody.get(path).status == 401
    assert world.application.get(path).status == 403
    for client in (world.stranger, world.trusted):
        for answer in (
            client.get(path),
            client.put(path, []),
            client.delete(path),
            client.get(light),
            client.delete(light),
        ):
            assert answer.status == 404
    operator.put(f"/thngs/{thng}", {"scopes": {"projects": [world.project]}})
    assert world.trusted.put(light, {"value": 7}).status == 200
    assert world.trusted.read(path) == [shown("light", 7)]
    assert operator.get(path.replace("thngs", "products")).status == 404


def test_rules_of_a_scan_see_the_value_at_once(world: World, operator: Client, light):
    short_id = operator.link(light.split("/")[2])["shortId"]
    operator.publish({"match": "thng.properties.light>5", "redirectUrl": "https://x.example/{thng.properties.light}"})
    operator.put(light, {"value": 7})
    assert world.scan(short_id).location == "https://x.example/7"
    operator.put(light, {"value": 9, "timestamp": 1})
    assert world.scan(short_id).location == "https://x.example/7"
    operator.delete(light)
    assert world.scan(short_id).location == "https://museum.example/"


def test_the_feed_tells_what_changed_from_what_to_what_and_by_whom(world: World, operator: Client, light):
    operator.put(light, {"value": 1})
    last = world.feed.read("dispatch")[-1].sequence
    world.feed.commit("dispatch", last)
    world.clock.now += SECOND
    operator.put(light.removesuffix("/light"), [{"key": "light", "value": 2}, {"key": "dark", "value": 3}])
    (change,) = [each for each in world.feed.read("dispatch") if each.key.sk == "now"]
    assert change.key == keys.owned(world.account, keys.current(light.split("/")[2]))
    assert change.old is not None and change.new is not None
    assert (change.old["v:light"], change.new["v:light"], change.new["v:dark"]) == ("1", "2", "3")
    assert change.new["t:light"] == SUNDAY_NOON + SECOND
    assert change.new["actor"] == "operator" and change.new["cause"] == f"request-{next(world.numbers) - 1}"
