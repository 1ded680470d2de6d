"""Who sees a product or thng: the projects in its scopes."""

import pytest

from tests.functions.lists import ids
from tests.functions.world import Client, World

BOTH = pytest.mark.parametrize("kind", ["products", "thngs"])


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
