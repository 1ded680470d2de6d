"""Operators and the keys of applications from the command line, against a running server."""

import urllib.error

import pytest


def allowed(server, key):
    """Whether the server takes a key."""
    try:
        server.ask("/access", key=key)
    except urllib.error.HTTPError as error:
        assert error.code == 403
        return False
    return True


def test_an_operator_is_added_gets_a_role_and_a_new_key_and_goes(fingerpost, server):
    made = fingerpost("operators", "add", "ann@museum.example", "--role", "admin", "--json").json
    assert made["role"] == "admin" and allowed(server, made["apiKey"])
    listed = fingerpost("operators", "list").out
    assert "ann@museum.example" in listed and "operator@museum.example" in listed
    assert made["apiKey"] not in listed
    assert "none now, not admin" in fingerpost("operators", "role", "ann@museum.example", "none").out
    rotated = fingerpost("operators", "rotate", made["operator"], "--yes", "--json").json
    assert allowed(server, rotated["apiKey"]) and not allowed(server, made["apiKey"])
    assert "is removed" in fingerpost("operators", "remove", made["id"], "--yes").out
    assert not allowed(server, rotated["apiKey"])


def test_nobody_is_removed_or_loses_a_key_without_being_asked_for(fingerpost):
    fingerpost("operators", "add", "bob@museum.example")
    for verb in ("remove", "rotate"):
        assert fingerpost("operators", verb, "bob@museum.example", code=2).out == ""
    assert "bob@museum.example" in fingerpost("operators", "list").out


def test_an_operator_who_is_not_there_is_answered_with_those_who_are(fingerpost):
    said = fingerpost("operators", "role", "eve@museum.example", "admin", code=2)
    assert "Nobody called eve@museum.example" in said.err and "operator@museum.example" in said.err


def test_the_last_admin_stays(fingerpost):
    said = fingerpost("operators", "role", "operator@museum.example", "none", code=3)
    assert "admin" in said.err


def test_an_applications_keys_are_rotated_together(fingerpost, server):
    made = fingerpost("keys", "create", "Guide", "--project", "Rotating", "--make-project", "--json").json
    rotated = fingerpost("keys", "rotate", f"{made['project']}/{made['id']}", "--yes", "--json").json
    for name in ("appApiKey", "secretApiKey"):
        assert allowed(server, rotated[name]) and not allowed(server, made[name])


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
