"""Who sees what among the users of a project, in every list and every read."""

import pytest

from tests.functions.lists import ids
from tests.functions.people import anonymous, person
from tests.functions.world import Client, World

KINDS = pytest.mark.parametrize("plural", ["thngs", "products", "collections", "places"])


@KINDS
def test_what_names_no_users_is_seen_by_all_of_the_project_anonymous_ones_too(world: World, operator: Client, plural):
    made = operator.made(f"/{plural}", {"name": "x", "tags": ["a"]}, project=world.project)["id"]
    outside = operator.made(f"/{plural}", {"name": "x", "tags": ["a"]})["id"]
    for user in (person(world).client, anonymous(world).client):
        assert user.get(f"/{plural}/{made}").status == 200
        assert user.get(f"/{plural}/{outside}").status == 404
        assert ids(user.read(f"/{plural}")) == ids(user.read(f"/{plural}", filter="tags=a")) == [made]
        assert ids(user.read(f"/{plural}", ids=f"{made},{outside}")) == [made]
        assert user.get(f"/{plural}", project="U" * 24).status == 404
        assert ids(user.read(f"/{plural}", project=world.project)) == [made]


@KINDS
def test_what_names_users_is_seen_by_those_and_by_applications_and_operators(world: World, operator: Client, plural):
    ann, bob = person(world), person(world)
    scopes = {"projects": [world.project], "users": [ann.id]}
    made = operator.made(f"/{plural}", {"name": "hers", "tags": ["a"], "scopes": scopes})["id"]
    path = f"/{plural}/{made}"
    for filter_ in ({}, {"filter": "tags=a"}, {"filter": "name=her*"}, {"filter": "name=hers"}):
        assert ids(ann.client.read(f"/{plural}", **filter_)) == [made], filter_
        assert ids(world.trusted.read(f"/{plural}", **filter_)) == [made], filter_
        assert ids(operator.read(f"/{plural}", project=world.project, **filter_)) == [made], filter_
        assert bob.client.read(f"/{plural}", **filter_) == [], filter_
    assert bob.client.get(path).status == 404
    assert ann.client.get(path).status == 200
    operator.put(path, {"scopes": {"users": [f"+{bob.id}"]}})
    assert bob.client.get(path).status == 200 and ids(bob.client.read(f"/{plural}")) == [made]
    operator.put(path, {"scopes": {"users": [f"-{ann.id}"]}})
    assert ann.client.get(path).status == 404 and ann.client.read(f"/{plural}") == []
    operator.put(path, {"scopes": {"users": ["all"]}})
    assert ann.client.get(path).status == 200 and ids(ann.client.read(f"/{plural}")) == [made]
    operator.put(path, {"scopes": {"users": []}})
    assert ann.client.get(path).status == bob.client.get(path).status == 404
    assert world.trusted.get(path).status == 200 and ids(world.trusted.read(f"/{plural}")) == [made]


def test_what_every_project_sees_can_name_users_as_well(world: World, operator: Client):
    ann, bob = person(world), person(world)
    scopes = {"projects": ["all"], "users": [ann.id]}
    made = operator.made("/thngs", {"name": "x", "scopes": scopes})["id"]
    assert ids(ann.client.read("/thngs")) == [made] == ids(world.trusted.read("/thngs"))
    assert bob.client.read("/thngs") == []


def test_what_a_user_makes_is_in_the_project_for_all_of_its_users(world: World, operator: Client):
    ann, bob = person(world), person(world)
    made = ann.client.made("/thngs", {"name": "x"})["id"]
    assert bob.client.get(f"/thngs/{made}").status == 200
    scopes = operator.read(f"/thngs/{made}?withScopes=true")["scopes"]
    assert scopes == {"projects": [world.project], "users": ["all"]}


def test_a_user_says_which_users_see_a_thng_and_not_which_projects(world: World, operator: Client):
    ann, bob = person(world), person(world)
    other = operator.made("/projects", {"name": "Other"})["id"]
    sent = {"name": "x", "scopes": {"users": [ann.id], "projects": [other]}}
    made = ann.client.made("/thngs", sent)["id"]
    path = f"/thngs/{made}?withScopes=true"
    assert ann.client.read(path)["scopes"] == {"projects": [world.project], "users": [ann.id]}
    assert bob.client.get(path).status == 404
    after = ann.client.put(path, {"scopes": {"users": [f"+{bob.id}"], "projects": ["+all"]}}).document["scopes"]
    assert after == {"projects": [world.project], "users": [ann.id, bob.id]}
    assert bob.client.get(path).status == 200


def test_a_users_actions_are_the_users_own(world: World, operator: Client):
    ann, bob = person(world), person(world)
    thng = operator.made("/thngs", {"name": "x"}, project=world.project)["id"]
    hers = ann.client.made("/actions/scans", {"thng": thng})
    assert (hers["user"], hers["createdByApp"]) == (ann.id, world.application_id)
    shared = operator.made("/actions/scans", {"thng": thng})["id"]
    world.settle()
    assert set(ids(ann.client.read("/actions/scans"))) == {hers["id"], shared}
    assert ids(bob.client.read("/actions/scans")) == [shared]
    assert ids(bob.client.read("/actions/all", filter=f"thng={thng}")) == [shared]
    assert bob.client.get(f"/actions/scans/{hers['id']}").status == 404
    assert set(ids(world.trusted.read("/actions/scans"))) == {hers["id"], shared}
    assert ids(operator.read("/actions/all", filter=f"user={ann.id}")) == [hers["id"]]
    scopes = operator.read(f"/actions/scans/{hers['id']}?withScopes=true")["scopes"]
    assert scopes == {"users": [ann.id], "projects": [world.project]}
    assert operator.delete(f"/actions/scans/{hers['id']}").status == 200
    world.settle()
    assert ids(ann.client.read("/actions/scans")) == [shared]


def test_many_actions_of_users_are_listed_to_each_of_them_alone(world: World, operator: Client):
    people = [person(world) for _ in range(3)]
    thng = operator.made("/thngs", {"name": "x"}, project=world.project)["id"]
    made = {each.id: [] for each in people}
    for n in range(12):
        world.clock.now += 700
        who = people[n % 3]
        made[who.id].append(who.client.made("/actions/scans", {"thng": thng})["id"])
    world.settle()
    for each in people:
        assert sorted(ids(each.client.read("/actions/scans"))) == sorted(made[each.id])
    assert len(world.trusted.read("/actions/scans", perPage="100")) == 12


def test_places_near_a_point_are_those_that_the_user_sees(world: World, operator: Client):
    ann, bob = person(world), person(world)

    def place(name: str, **scopes: list[str]) -> str:
        where = {"position": {"type": "Point", "coordinates": [2, 1]}}
        made: str = operator.made("/places", {"name": name, **where, "scopes": scopes})["id"]
        return made

    shared = place("shared", projects=[world.project])
    hers = place("hers", projects=[world.project], users=[ann.id])
    place("outside")
    near = {"lat": 1, "lon": 2, "maxDist": 5}
    assert set(ids(ann.client.read("/places", **near))) == {shared, hers}
    assert ids(bob.client.read("/places", **near)) == [shared]
    assert set(ids(world.trusted.read("/places", **near))) == {shared, hers}


def test_a_place_of_some_users_is_no_place_to_the_rules(world: World, operator: Client):
    ann = person(world)
    where = {"position": {"type": "Point", "coordinates": [2, 1]}}
    scopes = {"projects": [world.project], "users": [ann.id]}
    operator.made("/places", {"name": "hers", **where, "scopes": scopes})
    path = f"/projects/{world.project}/applications/{world.application_id}/redirector"
    operator.put(path, {"rules": [{"match": "place.distance<1000", "redirectUrl": "https://x.example/near"}]})
    thng = operator.made("/thngs", {"name": "x"}, project=world.project)["id"]
    at = {"thng": thng, "location": {"latitude": 1, "longitude": 2}}
    assert "reactions" not in world.trusted.made("/actions/scans", at)
