"""Signing in with Facebook, against a server that speaks its Graph API."""

import pytest

from tests.functions.graph import FakeGraph
from tests.functions.people import PASSWORD, application_of, person
from tests.functions.world import Client, World

PROFILE = {
    "email": "ann@museum.example",
    "first_name": "Ann",
    "last_name": "Docent",
    "birthday": "12/01/1992",
    "gender": "female",
    "locale": "en_GB",
}


def test_the_first_sign_in_makes_a_user_and_the_next_finds_it(world: World, graph: FakeGraph):
    sent = graph.token("ann", **PROFILE)
    first = world.application.made("/auth/facebook", sent)
    assert first == {
        "socialNetwork": "facebook",
        "access": sent["access"],
        "socialNetworkId": "fb-ann",
        "appId": "fb-app-1",
        "evrythngUser": first["evrythngUser"],
        "evrythngApiKey": first["evrythngApiKey"],
    }
    ann = Client(world, first["evrythngApiKey"])
    shown = ann.read(f"/users/{first['evrythngUser']}")
    assert shown["birthday"] == {"day": 1, "month": 12, "year": 1992}
    assert (shown["email"], shown["firstName"], shown["gender"]) == ("ann@museum.example", "Ann", "female")
    second = world.application.made("/auth/facebook", graph.token("ann", **PROFILE))
    assert second["evrythngUser"] == first["evrythngUser"]
    assert second["evrythngApiKey"] != first["evrythngApiKey"]
    assert len(world.operator.read("/users")) == 1
    assert "ann" not in [path for path in graph.asked if "token" in path], "no token is in an address"
    login = {"email": PROFILE["email"], "password": PASSWORD}
    assert world.application.post("/auth/evrythng", login).status == 401, "there is no password"


def test_a_token_of_another_facebook_app_is_refused(world: World, graph: FakeGraph):
    answer = world.application.post("/auth/facebook", graph.token("ann", app="somebody else's", **PROFILE))
    assert answer.status == 403
    assert world.operator.read("/users") == []


def test_a_token_that_facebook_does_not_know_is_401(world: World, graph: FakeGraph):
    assert world.application.post("/auth/facebook", {"access": {"token": "nonsense"}}).status == 401


@pytest.mark.parametrize("answer", [(500, b"{}"), (200, b"<html>"), (200, b"[]"), (200, b'{"id": 5}'), (302, b"{}")])
def test_when_facebook_is_not_itself_the_answer_is_503(world: World, graph: FakeGraph, answer):
    graph.answer = answer
    refused = world.application.post("/auth/facebook", graph.token("ann"))
    assert refused.status == 503 and "retry-after" in refused.headers


def test_an_application_without_a_facebook_app_lets_nobody_in(world: World, graph: FakeGraph):
    other = application_of(world, world.project)["client"]
    assert other.post("/auth/facebook", graph.token("ann")).status == 403
    assert graph.asked == []


def test_an_email_that_a_user_with_a_password_has_is_not_taken_over(world: World, graph: FakeGraph):
    person(world, email="ann@museum.example")
    answer = world.application.post("/auth/facebook", graph.token("ann", **PROFILE))
    assert answer.status == 409 and "logs in otherwise" in answer.error


def test_a_profile_that_says_little_is_enough(world: World, graph: FakeGraph):
    made = world.application.made("/auth/facebook", graph.token("ann", birthday="12/01"))
    shown = world.operator.read(f"/users/{made['evrythngUser']}")
    assert shown["birthday"] == {"day": 1, "month": 12} and "email" not in shown
    assert world.operator.delete(f"/users/{made['evrythngUser']}").status == 200
    again = world.application.made("/auth/facebook", graph.token("ann"))
    assert again["evrythngUser"] != made["evrythngUser"]


@pytest.mark.parametrize("body", [{}, {"access": {}}, {"access": {"token": ""}}, {"access": {"token": "x" * 5_000}}])
def test_a_body_without_a_token_is_refused(world: World, graph: FakeGraph, body):
    assert world.application.post("/auth/facebook", body).status == 400
