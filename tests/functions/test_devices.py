"""Thngs that are devices: their keys, and what they may do."""

import pytest

from tests.functions.people import device, person
from tests.functions.world import API_URL, Client, World


@pytest.fixture
def lamp(world: World, operator: Client) -> str:
    made: str = operator.made("/thngs", {"name": "lamp"}, project=world.project)["id"]
    return made


def test_a_thng_has_one_key_however_often_it_is_asked_for(world: World, operator: Client, lamp):
    path = f"/auth/evrythng/thngs/{lamp}"
    assert operator.get(path).status == 404
    answer = world.answered("users/create-device-key", THNG=lamp)
    assert (answer.status, answer.location) == (201, f"{API_URL}{path}")
    key = answer.document["thngApiKey"]
    assert answer.document == {"thngId": lamp, "thngApiKey": key}
    assert len(key) == 80 and key.isalnum()
    for client in (operator, world.trusted, person(world).client):
        assert client.read(path) == answer.document == client.made("/auth/evrythng/thngs", {"thngId": lamp})
    assert key not in repr(world.rows())


def test_a_deleted_key_opens_nothing_and_the_next_one_is_another(world: World, operator: Client, lamp):
    first = device(world, lamp)
    path = f"/auth/evrythng/thngs/{lamp}"
    answer = operator.delete(path, headers={"content-type": "application/json"})
    assert (answer.status, answer.content) == (200, b"")
    assert first.get("/access").status == 403
    assert operator.get(path).status == operator.delete(path).status == 404
    second = device(world, lamp)
    assert second.key != first.key
    assert second.get("/access").status == 200
    assert first.get("/access").status == 403


def test_a_device_knows_who_it_is(world: World, lamp):
    assert device(world, lamp).read("/access") == {
        "account": world.account,
        "project": world.project,
        "actor": {"id": lamp, "type": "device"},
    }


def test_a_device_looks_after_itself(world: World, operator: Client, lamp):
    itself, other = device(world, lamp), operator.made("/thngs", {"name": "x"}, project=world.project)["id"]
    assert itself.put(f"/thngs/{lamp}", {"customFields": {"foo": "bar"}}).document["customFields"] == {"foo": "bar"}
    assert itself.post(f"/thngs/{lamp}/properties", [{"key": "temperature", "value": 30}]).status < 300
    assert itself.put(f"/thngs/{lamp}/properties/temperature", [{"value": 52}]).status == 200
    assert itself.put(f"/thngs/{lamp}/location", [{"latitude": 1, "longitude": 2}]).status == 200
    assert itself.read(f"/thngs/{lamp}")["properties"] == {"temperature": 52}
    for refused in (
        itself.get("/thngs"),
        itself.get(f"/thngs/{other}"),
        itself.put(f"/thngs/{other}/properties", [{"key": "a", "value": 1}]),
        itself.delete(f"/thngs/{lamp}"),
        itself.delete(f"/thngs/{lamp}/properties/temperature"),
        itself.get(f"/thngs/{lamp}/redirector"),
        itself.get("/products"),
        itself.get("/places"),
        itself.post("/auth/evrythng/thngs", {"thngId": lamp}),
    ):
        assert refused.status == 403, refused


def test_a_devices_actions_are_its_own(world: World, operator: Client, lamp):
    itself, other = device(world, lamp), operator.made("/thngs", {"name": "x"}, project=world.project)["id"]
    made = itself.made(f"/thngs/{lamp}/actions/scans", {})
    assert (made["thng"], made["createdByProject"]) == (lamp, world.project)
    assert "createdByApp" not in made and "user" not in made
    assert itself.made("/actions/scans", {})["thng"] == lamp
    assert itself.post("/actions/scans", {"thng": other}).status == 400
    theirs = operator.made("/actions/scans", {"thng": other})["id"]
    assert itself.get(f"/actions/scans/{theirs}").status == 404
    world.settle()
    assert len(itself.read("/actions/all")) == len(itself.read(f"/thngs/{lamp}/actions/all")) == 2
    assert itself.read(f"/actions/scans/{made['id']}")["id"] == made["id"]
    assert itself.delete(f"/actions/scans/{made['id']}").status == 403


def test_a_key_is_of_one_project_and_holds_while_the_thng_is_in_it(world: World, operator: Client, lamp):
    two = operator.made("/projects", {"name": "Two"})["id"]
    first = device(world, lamp)
    operator.put(f"/thngs/{lamp}", {"scopes": {"projects": [f"+{two}"]}})
    second = device(world, lamp, project=two)
    assert second.key != first.key
    assert second.read("/access")["project"] == two
    operator.put(f"/thngs/{lamp}", {"scopes": {"projects": [two]}})
    assert first.get("/access").status == 403
    assert second.get("/access").status == 200
    assert operator.post("/auth/evrythng/thngs", {"thngId": lamp}, project=world.project).status == 400
    operator.delete(f"/projects/{two}")
    assert second.get("/access").status == 403


def test_a_thng_in_no_project_can_be_a_device_until_it_is_in_one(world: World, operator: Client):
    thng = world.thng()["id"]
    itself = device(world, thng)
    assert "project" not in itself.read("/access")
    assert itself.put(f"/thngs/{thng}/properties", [{"key": "a", "value": 1}]).status == 200
    itself.made("/actions/scans", {})
    world.settle()
    assert len(itself.read("/actions/all")) == 1
    operator.put(f"/thngs/{thng}", {"scopes": {"projects": [world.project]}})
    assert itself.get("/access").status == 403


def test_a_thng_in_every_project_needs_to_be_told_which_one_a_key_is_for(world: World, operator: Client):
    thng = operator.made("/thngs", {"name": "x", "scopes": {"projects": ["all"]}})["id"]
    assert operator.post("/auth/evrythng/thngs", {"thngId": thng}).status == 400
    assert device(world, thng, project=world.project).get(f"/thngs/{thng}").status == 200


def test_a_deleted_thng_takes_its_keys_with_it(world: World, operator: Client, lamp):
    itself = device(world, lamp)
    operator.delete(f"/thngs/{lamp}")
    assert itself.get("/access").status == 403
    assert not [row for row in world.rows().values() if row["k"] in ("key", "device") and row.get("id") == lamp]
    assert operator.post("/auth/evrythng/thngs", {"thngId": lamp}).status == 404


def test_a_body_that_names_no_thng_is_refused(operator: Client):
    assert operator.post("/auth/evrythng/thngs", {}).status == 400
    assert operator.post("/auth/evrythng/thngs", {"thngId": "U" * 24}).status == 404
