"""`/thngs/{id}/redirector` and `/products/{id}/redirector`: the oldest redirection of a thing."""

import pytest

from tests.functions.world import DEFAULT, SECOND, Client, World

NEW = "https://new.example/"


@pytest.fixture(params=["thngs", "products"])
def path(request, world: World) -> str:
    resource = world.thng() if request.param == "thngs" else world.product()
    return f"/{request.param}/{resource['id']}/redirector"


def test_the_stories_of_both_addresses(world: World, operator: Client):
    thng, product = world.thng()["id"], world.product()["id"]
    created = world.answered("redirections/create-for-thng", THNG=thng)
    assert created.status == 201
    assert created.headers["content-type"] == "application/json"
    assert created.document["defaultRedirectUrl"] == f"https://museum.example/works/{thng}"
    assert (created.document["evrythngId"], created.document["type"]) == (thng, "thng")
    assert created.location.endswith(created.document["shortId"])
    assert world.answered("redirections/retarget-oldest-of-product", PRODUCT=product).status == 404
    operator.link(product)
    changed = world.answered("redirections/retarget-oldest-of-product", PRODUCT=product)
    assert changed.status == 201
    assert changed.document["defaultRedirectUrl"] == f"https://museum.example/new/{product}"


def test_post_adds_one_and_the_others_act_on_the_oldest(world: World, operator: Client, path):
    made = []
    for number in range(3):
        world.clock.now += SECOND
        made.append(operator.made(path, {"defaultRedirectUrl": f"https://{number}.example/"}))
    assert len({each["shortId"] for each in made}) == 3
    assert operator.read(path) == made[0]
    changed = operator.put(path, {"defaultRedirectUrl": NEW})
    assert changed.status == 201
    assert (changed.document["shortId"], changed.document["defaultRedirectUrl"]) == (made[0]["shortId"], NEW)
    assert operator.read(f"/redirections/{made[1]['shortId']}") == made[1]
    answer = operator.delete(path)
    assert (answer.status, answer.content) == (200, b"")
    assert operator.read(path) == made[1]
    assert world.scan(made[0]["shortId"]).status == 410
    assert world.scan(made[1]["shortId"]).location == "https://1.example/"


def test_the_answer_is_json_whatever_is_accepted(operator: Client, path):
    answer = operator.post(path, {"defaultRedirectUrl": DEFAULT}, headers={"accept": "image/png"})
    assert (answer.status, answer.headers["content-type"]) == (201, "application/json")
    assert answer.document == operator.read(path, headers={"accept": "image/svg+xml"})


def test_without_a_redirection_there_is_nothing_to_act_on(operator: Client, path):
    assert operator.get(path).status == operator.put(path, {"defaultRedirectUrl": NEW}).status == 404
    assert operator.delete(path).status == 404


def test_a_thing_that_is_not_there_has_none_and_gets_none(world: World, operator: Client, path):
    kind, resource = path.split("/")[1:3]
    other = {"thngs": "products", "products": "thngs"}[kind]
    for wrong in (f"/{kind}/{'U' * 24}/redirector", f"/{kind}/nonsense/redirector", f"/{other}/{resource}/redirector"):
        assert operator.get(wrong).status == 404
        assert operator.post(wrong, {"defaultRedirectUrl": NEW}).status == 404
    operator.made(path, {"defaultRedirectUrl": NEW})
    assert operator.get(f"/{other}/{resource}/redirector").status == 404
    assert world.stranger.get(path).status == 404


def test_a_body_for_another_thing_is_refused_and_one_without_a_url_too(world: World, operator: Client, path):
    body = {"defaultRedirectUrl": NEW, "evrythngId": world.thng()["id"]}
    assert operator.post(path, body).status == operator.post(path, {}).status == 400
    assert operator.get(path).status == 404


def test_keys_of_a_project_act_on_what_they_see(world: World, operator: Client):
    inside = operator.made("/thngs", {"name": "in"}, project=world.project)["id"]
    outside = world.thng()["id"]
    operator.link(outside)
    assert world.trusted.get(f"/thngs/{outside}/redirector").status == 404
    assert world.trusted.made(f"/thngs/{inside}/redirector", {"defaultRedirectUrl": NEW})["evrythngId"] == inside
    assert world.trusted.put(f"/thngs/{inside}/redirector", {"defaultRedirectUrl": DEFAULT}).status == 201
    assert world.application.get(f"/thngs/{inside}/redirector").status == 403
