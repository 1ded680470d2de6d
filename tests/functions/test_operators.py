"""Operators of an account, their accesses, roles and keys."""

import pytest

from fingerpost.access.first_account import make_first_account
from tests.functions.people import colleague, operator_role, user_role
from tests.functions.world import API_URL, DOMAIN, HOUR, OPERATOR_KEY, ROOTS, Client, World


def test_an_operator_is_added_without_a_right_and_given_a_role(world: World, operator: Client):
    role = operator_role(world, "global_read")
    answer = world.answered("access/add-operator", ROLE="none")
    made = answer.document
    path = f"/accounts/{world.account}/accesses/{made['id']}"
    assert (answer.status, answer.location) == (201, f"{API_URL}{path}")
    assert made == {
        "id": made["id"],
        "account": world.account,
        "operator": made["operator"],
        "role": "none",
        "apiKey": made["apiKey"],
    }
    assert len(made["id"]) == 24 and len(made["apiKey"]) == 80
    bob = Client(world, made["apiKey"])
    assert bob.read("/access") == {"account": world.account, "actor": {"id": made["operator"], "type": "operator"}}
    assert bob.get("/thngs").status == bob.get("/accounts").status == 403
    assert operator.put(path, {"role": role}).document == {**made, "role": role} == operator.read(path)
    assert bob.get("/thngs").status == bob.get("/accounts").status == 200
    assert world.answered("access/add-operator", ROLE=role).status == 409, "the e-mail is taken"


@pytest.mark.parametrize("role", ["base_app_user", "0" * 24, "users'"])
def test_an_operators_role_is_one_of_operators(world: World, operator: Client, role):
    role = user_role(world) if role == "users'" else role
    bob = colleague(world)
    path = f"/accounts/{world.account}/accesses"
    assert operator.put(f"{path}/{bob.access}", {"role": role}).status == 400
    assert operator.post(path, {"email": "x@museum.example", "role": role}).status == 400


def test_accesses_show_keys_to_their_operators_and_to_admins(world: World, operator: Client):
    reader = colleague(world, operator_role(world, "global_read"))
    path = f"/accounts/{world.account}/accesses"
    seen = {each["operator"]: each.get("apiKey") for each in operator.read(path)}
    me = operator.read("/access")["actor"]["id"]
    assert seen == {me: None, reader.id: reader.client.key}, "the first one brought a key along"
    seen = {each["operator"]: each.get("apiKey") for each in reader.client.read(path)}
    assert seen == {me: None, reader.id: reader.client.key}
    boss = colleague(world, "admin")
    assert all("apiKey" not in each for each in reader.client.read(path) if each["operator"] == boss.id)
    assert reader.client.read(f"{path}/{boss.access}").keys() == {"id", "account", "operator", "role"}


def test_an_account_keeps_an_admin(world: World, operator: Client):
    path = f"/accounts/{world.account}/accesses"
    (mine,) = operator.read(path)
    for refused in (operator.put(f"{path}/{mine['id']}", {"role": "none"}), operator.delete(f"{path}/{mine['id']}")):
        assert (refused.status, refused.document["code"]) == (409, "lastAdmin")
    boss = colleague(world, "admin")
    assert operator.put(f"{path}/{mine['id']}", {"role": "none"}).status == 200
    assert operator.get("/thngs").status == 403
    assert boss.client.delete(f"{path}/{boss.access}").status == 409
    assert boss.client.put(f"{path}/{mine['id']}", {"role": "admin"}).status == 200
    assert operator.delete(f"{path}/{boss.access}").status == 200
    assert boss.client.get("/access").status == 403


def test_a_revoked_operator_is_gone(world: World, operator: Client):
    bob = colleague(world, "admin")
    path = f"/accounts/{world.account}/accesses/{bob.access}"
    answer = operator.delete(path)
    assert (answer.status, answer.content) == (200, b"")
    assert bob.client.get("/access").status == 403
    for left in (operator.get(path), operator.put(path, {"role": "none"}), operator.get(f"/operators/{bob.id}")):
        assert left.status == 404
    assert len(operator.read(f"/accounts/{world.account}/accesses")) == 1
    kept = [row for row in world.rows().values() if "museum.example" in repr(row) and bob.id in repr(row)]
    assert {row["k"] for row in kept} <= {"audit"}


def test_a_rotated_key_replaces_the_one_so_far_at_once(world: World, operator: Client):
    bob = colleague(world, "admin")
    path = f"/accounts/{world.account}/accesses/{bob.access}"
    answer = operator.post(f"{path}/keys")
    assert answer.status == 201 and answer.document["apiKey"] != bob.client.key
    assert bob.client.get("/access").status == 403
    assert Client(world, answer.document["apiKey"]).get("/access").status == 200
    assert operator.read(path)["apiKey"] == answer.document["apiKey"]
    assert operator.read(path)["role"] == "admin"


def test_a_key_that_was_brought_along_can_be_rotated_to_one_of_ours(world: World, operator: Client):
    (mine,) = operator.read(f"/accounts/{world.account}/accesses")
    path = f"/accounts/{world.account}/accesses/{mine['id']}"
    key = operator.post(f"{path}/keys").document["apiKey"]
    assert operator.get("/access").status == 403
    assert Client(world, key).read(path)["apiKey"] == key != OPERATOR_KEY


def test_an_applications_keys_are_rotated_together(world: World, operator: Client):
    application, trusted = world.application, world.trusted
    path = f"/projects/{world.project}/applications/{world.application_id}"
    answer = operator.post(f"{path}/keys")
    assert answer.status == 201
    assert application.get("/access").status == trusted.get("/access").status == 403
    assert Client(world, answer.document["appApiKey"]).read("/applications/me")["id"] == world.application_id
    secret = operator.read(f"{path}/secretKey")["secretApiKey"]
    assert Client(world, secret).get("/thngs").status == 200
    assert operator.read(path)["appApiKey"] == answer.document["appApiKey"]


def test_an_operator_reads_and_changes_themselves(world: World):
    bob = colleague(world)
    path = f"/operators/{bob.id}"
    before = bob.client.read(path)
    assert before == {"id": bob.id, "createdAt": world.clock(), "updatedAt": world.clock(), "email": before["email"]}
    world.clock.now += HOUR
    sent = {**before, "firstName": "Bob", "customFields": {"theme": "dark"}, "email": "x@y.example", "role": "admin"}
    after = bob.client.put(path, sent).document
    more = {"firstName": "Bob", "customFields": {"theme": "dark"}, "updatedAt": world.clock()}
    assert after == {**before, **more} == bob.client.read(path)
    assert bob.client.get("/thngs").status == 403


def test_changes_of_operators_roles_and_keys_are_audited(world: World, operator: Client):
    bob = colleague(world)
    path = f"/accounts/{world.account}/accesses/{bob.access}"
    for change in (
        lambda: operator.put(path, {"role": "admin"}),
        lambda: operator.post(f"{path}/keys"),
        lambda: operator.delete(path),
    ):
        world.clock.now += 1
        assert change().status < 300
    told = [entry for entry in operator.read("/audit") if entry["resource"] == bob.id]
    assert [(each["verb"], each["what"]) for each in reversed(told)] == [
        ("create", "operator"),
        ("update", "operator"),
        ("rotate key", "operator"),
        ("revoke", "operator"),
    ]
    assert str(bob.client.key) not in repr(world.rows())


def test_the_first_account_goes_on_with_the_key_that_its_operator_was_rotated_to(world: World):
    def first(key: str | None = None) -> str:
        return make_first_account(
            world.tables, ROOTS, name="x", email="x@y.example", domain=DOMAIN, clock=world.clock, key=key
        ).key

    key = first()
    client = Client(world, key)
    (mine,) = client.read(f"/accounts/{client.read('/access')['account']}/accesses")
    assert mine["apiKey"] == key
    rotated = client.post(f"/accounts/{mine['account']}/accesses/{mine['id']}/keys").document["apiKey"]
    assert first() == rotated
    assert client.get("/access").status == 403
    brought = "brought-along-" * 3
    assert first(brought) == brought
    assert Client(world, rotated).get("/access").status == 403
    assert Client(world, brought).read("/access")["account"] == mine["account"]
