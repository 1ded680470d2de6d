"""Actions at the addresses of what they are about: thngs, products, collections."""

import pytest

from tests.functions.lists import ids, walked
from tests.functions.world import API_URL, SECOND, Client, World

KINDS = ("thng", "product", "collection")
EACH = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def target(operator: Client, kind: str) -> str:
    operator.made("/actions", {"name": "_seen"})
    identifier: str = operator.made(f"/{kind}s", {"name": "x"})["id"]
    return identifier


def test_a_thngs_checkin_is_about_it_and_its_product(world: World, operator: Client):
    product = world.product()["id"]
    thng = world.thng(product=product)["id"]
    answer = world.answered("actions/post-on-thng", THNG=thng)
    action = answer.document
    assert answer.status == 201
    assert answer.location == f"{API_URL}/actions/checkins/{action['id']}"
    assert (action["thng"], action["product"], action["tags"]) == (thng, product, ["front door"])
    world.settle()
    assert operator.read(f"/thngs/{thng}/actions/checkins") == [operator.read(f"/actions/checkins/{action['id']}")]
    assert ids(operator.read(f"/products/{product}/actions/all")) == [action["id"]]


@EACH
@pytest.mark.parametrize("name", ["_seen", "scans"])
def test_an_action_is_created_listed_and_read_at_its_targets_address(world, operator, kind, target, name):
    path = f"/{kind}s/{target}/actions"
    made = [
        operator.made(f"{path}/{name}", {}),
        operator.made(f"{path}/{name}", {"type": name, kind: target}),
        operator.made(f"{path}/all", {"type": name, kind: None}),
    ]
    other = operator.made(f"/{kind}s", {"name": "y"})["id"]
    elsewhere = operator.made(f"/actions/{name}", {kind: other})
    assert [each[kind] for each in made] == [target] * 3
    world.settle()
    for listed in ("all", name):
        assert set(ids(operator.read(f"{path}/{listed}"))) == set(ids(made))
        assert operator.read(f"{path}/{listed}/{made[0]['id']}")["id"] == made[0]["id"]
        assert operator.get(f"{path}/{listed}/{elsewhere['id']}").status == 404
    assert operator.get(f"{path}/checkins/{made[0]['id']}").status == 404
    assert operator.read(f"{path}/checkins") == []


@EACH
def test_several_at_once_are_all_about_it(world: World, operator: Client, kind, target):
    answer = operator.post(f"/{kind}s/{target}/actions/all", [{"type": "_seen"}, {"type": "scans", kind: target}])
    assert answer.status == 201
    assert [(each["type"], each[kind]) for each in answer.document] == [("_seen", target), ("scans", target)]


@EACH
def test_an_action_about_another_thing_is_refused(world: World, operator: Client, kind, target):
    path = f"/{kind}s/{target}/actions"
    other = operator.made(f"/{kind}s", {"name": "y"})["id"]
    answer = operator.post(f"{path}/_seen", {kind: other})
    assert (answer.status, answer.document["details"][0]["field"]) == (400, kind)
    answer = operator.post(f"{path}/all", [{"type": "_seen"}, {"type": "_seen", kind: other}])
    assert (answer.status, answer.document["details"][0]["field"]) == (400, f"[1].{kind}")
    assert operator.post(f"{path}/_seen", "x").status == operator.post(f"{path}/all", ["x"]).status == 400


def test_a_thng_at_its_products_address_is_of_that_product(world: World, operator: Client):
    product = world.product()["id"]
    of_it, of_none = world.thng(product=product)["id"], world.thng()["id"]
    assert operator.made(f"/products/{product}/actions/scans", {"thng": of_it})["product"] == product
    assert operator.post(f"/products/{product}/actions/scans", {"thng": of_none}).status == 400


@EACH
def test_a_list_at_an_address_takes_filters_and_pages(world: World, operator: Client, kind, target):
    path = f"/{kind}s/{target}/actions"
    made = []
    for number in range(5):
        world.clock.now += SECOND
        made.append(operator.made(f"{path}/_seen", {"tags": [f"t{number % 2}"]})["id"])
    world.settle()
    assert walked(operator, f"{path}/_seen?perPage=2") == [made[:2:-1], made[2:0:-1], made[:1]]
    assert ids(operator.read(f"{path}/all", filter="tags=t1|type=scans")) == [made[3], made[1]]
    assert "context" in operator.read(f"{path}/all", context="true")[0]
    assert operator.get(f"{path}/all", filter="x=1").status == 400


@EACH
def test_what_is_not_there_or_not_to_be_seen_has_no_actions(world: World, operator: Client, kind, target):
    for client, resource_id in (
        (operator, "U0000000000000000000000X"),
        (world.trusted, target),
        (world.stranger, target),
    ):
        path = f"/{kind}s/{resource_id}/actions/scans"
        assert client.get(path).status == client.post(path, {}).status == 404
        assert client.get(f"{path}/U0000000000000000000000X").status == 404
    assert operator.get(f"/{kind}s/{target}/actions/_unheard").status == 404
    assert operator.post(f"/{kind}s/{target}/actions/_unheard", {}).status == 404
    assert world.application.post(f"/{kind}s/{target}/actions/scans", {}).status == 403
