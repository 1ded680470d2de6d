"""One update of many thngs or products: by ids at once, by a filter after the answer, once each."""

import json

import pytest

from fingerpost.catalogue import bulk
from tests.functions.lists import ids
from tests.functions.world import HOUR, SECOND, Client, World

BOTH = pytest.mark.parametrize("kind", ["products", "thngs"])
NOBODY = "U0000000000000000000000X"


def made(world: World, client: Client, kind: str, number: int, name: str = "Smart", **more: object) -> list[str]:
    found = []
    for n in range(number):
        world.clock.now += SECOND
        found.append(client.made(f"/{kind}", {"name": f"{name} {n}", **more})["id"])
    return found


def tags(client: Client, kind: str, each: str) -> list[str]:
    found: list[str] = client.read(f"/{kind}/{each}").get("tags", [])
    return found


# By filter


def test_what_a_filter_matches_is_updated_after_the_answer(world: World, operator: Client):
    smart, other = made(world, operator, "thngs", 3), made(world, operator, "thngs", 1, "Dull")
    before = operator.read(f"/thngs/{smart[0]}")
    world.clock.now += HOUR
    answer = world.answered("catalogue/update-by-filter")
    assert (answer.status, answer.content) == (204, b"")
    assert tags(operator, "thngs", smart[0]) == []
    at = world.clock.now
    world.clock.now += HOUR
    world.settle()
    assert operator.read(f"/thngs/{smart[0]}") == {**before, "tags": ["smart"], "updatedAt": at}
    assert [tags(operator, "thngs", each) for each in smart + other] == [["smart"]] * 3 + [[]]
    assert set(ids(operator.read("/thngs", filter="tags=smart"))) == set(smart)


def test_products_are_updated_likewise_name_and_fn_alike(world: World, operator: Client):
    found = made(world, operator, "products", 2)
    assert operator.put("/products?filter=name%3DSmart*", {"fn": "Lamp", "brand": "Harbour"}).status == 204
    world.settle()
    for each in found:
        product = operator.read(f"/products/{each}")
        assert (product["name"], product["fn"], product["brand"]) == ("Lamp", "Lamp", "Harbour")


def test_a_message_that_comes_again_undoes_nobodys_change(world: World, operator: Client):
    changed, alike = made(world, operator, "thngs", 1)[0], made(world, operator, "thngs", 1, tags=["smart"])[0]
    operator.put("/thngs?filter=name%3DSmart*", {"tags": ["smart"]})
    (message,) = world.queues["work"].receive(visibility_ms=0)
    task = json.loads(message.body)
    assert world.story("work/change", BULK=task["bulk"]) == {"batchItemFailures": []}
    assert tags(operator, "thngs", changed) == tags(operator, "thngs", alike) == ["smart"]
    for each in (changed, alike):
        operator.put(f"/thngs/{each}", {"tags": ["own"]})
    for _ in range(2):
        assert world.story("work/change", BULK=task["bulk"]) == {"batchItemFailures": []}
    assert tags(operator, "thngs", changed) == tags(operator, "thngs", alike) == ["own"]
    world.clock.now += bulk.KEPT_MS
    assert world.story("work/change", BULK=task["bulk"]) == {"batchItemFailures": []}, "it is forgotten"
    assert tags(operator, "thngs", changed) == ["own"]


def test_more_than_a_message_takes_are_updated(world: World, operator: Client, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 4)
    found = made(world, operator, "thngs", 10)
    operator.put("/thngs?filter=name%3DSmart*", {"tags": ["smart"]})
    world.settle()
    assert [tags(operator, "thngs", each) for each in found] == [["smart"]] * 10


def test_more_than_the_limit_is_refused_with_its_number_and_nothing_changes(
    world: World, operator: Client, monkeypatch
):
    assert bulk.MAX_MATCHES == 500
    monkeypatch.setattr(bulk, "MAX_MATCHES", 3)
    made(world, operator, "thngs", 4)
    before = world.rows()
    answer = operator.put("/thngs?filter=name%3DSmart*", {"tags": ["smart"]})
    assert (answer.status, answer.document["code"]) == (400, "tooLarge") and "more than 3" in answer.error
    assert world.rows() == before and world.queues["work"].receive() == []
    assert operator.put("/thngs?filter=name%3DSmart%203", {"tags": ["smart"]}).status == 204


def test_a_filter_that_reads_too_much_is_refused(world: World, operator: Client, monkeypatch):
    for name in ("READ_BUDGET", "BATCH"):
        monkeypatch.setattr(f"fingerpost.listing.{name}", 2)
    monkeypatch.setattr(bulk, "MAX_PAGES", 2)
    made(world, operator, "thngs", 6)
    answer = operator.put("/thngs?filter=name~zzz", {"tags": ["smart"]})
    assert (answer.status, answer.document["code"]) == (400, "tooLarge")


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", {"tags": ["x"]}),
        ("filter=", {"tags": ["x"]}),
        ("filter=name%3Dx&ids=" + NOBODY, {"tags": ["x"]}),
        ("filter=colour%3Dred", {"tags": ["x"]}),
        ("filter=name%3D*", {"tags": "x"}),
        ("filter=name%3D*", {"name": None}),
        ("filter=name%3D*", {"product": NOBODY}),
        ("filter=name%3D*", {"scopes": {"projects": [f"+{NOBODY}"]}}),
        ("filter=name%3D*", ["x"]),
        ("ids=x", {"tags": ["x"]}),
        ("ids=" + ",".join([NOBODY] * 101), {"tags": ["x"]}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_makes_no_sense_is_refused_at_once(world: World, operator: Client, query, body):
    made(world, operator, "thngs", 1)
    before = world.rows()
    assert operator.put(f"/thngs?{query}", body).status == 400
    assert world.rows() == before and world.queues["work"].receive() == []


def test_one_that_cannot_be_so_is_left_out_and_told_in_the_log(world: World, operator: Client, capfd):
    small = made(world, operator, "thngs", 1)[0]
    large = made(world, operator, "thngs", 1, customFields={"text": "x" * 250_000})[0]
    operator.put("/thngs?filter=name%3DSmart*", {"description": "y" * 20_000})
    world.settle()
    assert operator.read(f"/thngs/{small}")["description"] == "y" * 20_000
    assert "description" not in operator.read(f"/thngs/{large}")
    assert large in capfd.readouterr().err


def test_what_is_deleted_meanwhile_is_left_out(world: World, operator: Client):
    gone, stays = made(world, operator, "thngs", 2)
    operator.put("/thngs?filter=name%3DSmart*", {"tags": ["smart"]})
    operator.delete(f"/thngs/{gone}")
    world.settle()
    assert ids(operator.read("/thngs")) == [stays]
    assert tags(operator, "thngs", stays) == ["smart"]


def test_a_filter_that_matches_nothing_and_an_update_of_nothing_queue_nothing(world: World, operator: Client):
    made(world, operator, "thngs", 1)
    assert operator.put("/thngs?filter=name%3Dz", {"tags": ["x"]}).status == 204
    assert operator.put("/thngs?filter=name%3DSmart*", {"id": "x"}).status == 204
    assert world.queues["work"].receive() == []


@BOTH
def test_a_project_updates_its_own_alone(world: World, operator: Client, kind):
    own = made(world, world.trusted, kind, 1)[0]
    foreign = made(world, operator, kind, 1)[0]
    assert world.trusted.put(f"/{kind}?filter=name%3DSmart*", {"tags": ["smart"]}).status == 204
    assert world.trusted.put(f"/{kind}?ids={own},{foreign}", {"description": "new"}).document[0]["id"] == own
    world.settle()
    assert (tags(operator, kind, own), tags(operator, kind, foreign)) == (["smart"], [])
    assert "description" not in operator.read(f"/{kind}/{foreign}")
    assert world.application.put(f"/{kind}?ids={own}", {}).status == 403


# By ids


def test_ids_are_updated_at_once_and_come_back(world: World, operator: Client):
    product = world.product()["id"]
    answer = world.answered("catalogue/update-by-ids", PRODUCT=product)
    assert (answer.status, ids(answer.document)) == (200, [product])
    assert answer.document == [operator.read(f"/products/{product}")]
    assert answer.document[0]["tags"] == ["smart"]


@BOTH
def test_they_come_back_in_order_and_those_that_are_not_there_are_left_out(world: World, operator: Client, kind):
    one, two, three = made(world, operator, kind, 3)
    answer = operator.put(f"/{kind}?ids={three},{NOBODY},{one}&withScopes=true", {"customFields": {"a": 1}})
    assert ids(answer.document) == [three, one]
    assert all(each["customFields"] == {"a": 1} and "scopes" in each for each in answer.document)
    assert operator.read(f"/{kind}/{two}")["customFields"] == {}


def test_one_that_cannot_be_so_keeps_all_as_they_were(world: World, operator: Client):
    small, large = (
        made(world, operator, "thngs", 1)[0],
        operator.made("/thngs", {"name": "x", "customFields": {"text": "x" * 250_000}})["id"],
    )
    before = world.rows()
    answer = operator.put(f"/thngs?ids={small},{large}", {"description": "y" * 20_000})
    assert (answer.status, answer.document["code"]) == (400, "tooLarge")
    assert world.rows() == before


def test_scopes_are_changed_each_from_its_own(world: World, operator: Client):
    inside = operator.made("/thngs", {"name": "x"}, project=world.project)["id"]
    other = operator.made("/projects", {"name": "Other"})["id"]
    outside = operator.made("/thngs", {"name": "x"})["id"]
    answer = operator.put(f"/thngs?ids={inside},{outside}&withScopes=true", {"scopes": {"projects": [f"+{other}"]}})
    assert [each["scopes"]["projects"] for each in answer.document] == [[world.project, other], [other]]
