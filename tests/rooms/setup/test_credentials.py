"""Joan's clients, RoomVox tokens and the members of hubs: who is let in, and that nothing lies about in clear."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from fingerpost.errors import NotFound, Unauthenticated
from fingerpost.ids import SeededIds
from fingerpost.ports.table import Tables
from fingerpost.resources import Resources
from fingerpost.rooms import credentials, hubs
from fingerpost.rooms.kinds import HUB, HUB_MEMBER, JOAN_CLIENT, ROOMVOX_TOKEN
from tests.rooms.setup.rooms import ACCOUNT, ROOTS
from tests.stores import NOON


def texts(tables: Tables) -> Iterator[str]:
    """Everything that is stored."""
    for table in (tables.main, tables.log):
        for row in table.walk():
            yield f"{row.key} {json.dumps(row.item, default=repr)}"


def holds(tables: Tables, secret: str) -> bool:
    return any(secret in text for text in texts(tables))


# Joan


def test_a_joan_client_gets_a_token_that_opens_its_account_for_ten_hours(tables, caller, clock):
    stored, secret = credentials.create_joan_client(caller, ROOTS, "Lobby")
    client = credentials.joan_client(tables, stored.document["clientId"], secret)
    assert (client.account, client.id, client.name) == (ACCOUNT, stored.id, "Lobby")
    token = credentials.issue_joan_token(tables, client, NOON)
    assert credentials.joan_bearer(tables, token) == client
    clock.now += 36_000_000 + 1_000
    with pytest.raises(Unauthenticated):
        credentials.joan_bearer(tables, token)


@pytest.mark.parametrize(("client_id", "secret"), [(None, "wrong"), ("nobody", None), ("", ""), ("é", "\ud800")])
def test_a_wrong_joan_client_or_secret_is_refused(tables, caller, client_id, secret):
    stored, right = credentials.create_joan_client(caller, ROOTS, "Lobby")
    with pytest.raises(Unauthenticated, match="invalid_client"):
        credentials.joan_client(tables, client_id or stored.document["clientId"], right if secret is None else secret)


def test_a_revoked_joan_client_and_its_tokens_open_nothing_from_then_on(tables, caller):
    stored, secret = credentials.create_joan_client(caller, ROOTS, "Lobby")
    client = credentials.joan_client(tables, stored.document["clientId"], secret)
    token = credentials.issue_joan_token(tables, client, NOON)
    credentials.revoke(caller, JOAN_CLIENT, stored.id)
    with pytest.raises(Unauthenticated):
        credentials.joan_bearer(tables, token)
    with pytest.raises(Unauthenticated):
        credentials.joan_client(tables, stored.document["clientId"], secret)


# RoomVox


def test_a_roomvox_token_says_what_it_may_and_where(tables, caller):
    stored, token = credentials.create_roomvox_token(caller, ROOTS, "Display", "book", rooms=["U1"])
    assert (token[:4], len(token)) == ("rvx_", 44)
    assert stored.document["prefix"] == token[:8]
    known = credentials.roomvox_token(tables, token, NOON)
    assert (known.account, known.id, known.prefix) == (ACCOUNT, stored.id, token[:8])
    assert [known.may(scope) for scope in credentials.SCOPES] == [True, True, False]
    assert (known.reaches("U1"), known.reaches("U2")) == (True, False)
    _, everywhere = credentials.create_roomvox_token(caller, ROOTS, "Board", "admin")
    assert credentials.roomvox_token(tables, everywhere, NOON).reaches("U2")


@pytest.mark.parametrize("token", ["", "rvx_", "rvx_" + "a" * 40, "rvx_\ud800", "xyz"])
def test_an_unknown_roomvox_token_is_refused(tables, caller, token):
    with pytest.raises(Unauthenticated, match="Invalid or expired API token"):
        credentials.roomvox_token(tables, token, NOON)


def test_a_roomvox_token_ends_when_its_time_is_up_or_it_is_revoked(tables, caller, clock):
    _, short = credentials.create_roomvox_token(caller, ROOTS, "Fair", "read", expires_at=NOON + 10_000)
    stored, long = credentials.create_roomvox_token(caller, ROOTS, "Display", "read")
    clock.now = NOON + 9_999
    assert credentials.roomvox_token(tables, short, clock.now)
    clock.now = NOON + 11_000
    with pytest.raises(Unauthenticated):
        credentials.roomvox_token(tables, short, clock.now)
    assert credentials.roomvox_token(tables, long, clock.now)
    credentials.revoke(caller, ROOMVOX_TOKEN, stored.id)
    with pytest.raises(Unauthenticated):
        credentials.roomvox_token(tables, long, clock.now)
    with pytest.raises(NotFound):
        credentials.revoke(caller, ROOMVOX_TOKEN, stored.id)


def test_a_roomvox_token_opens_nothing_after_its_last_millisecond(tables, caller, clock):
    _, token = credentials.create_roomvox_token(caller, ROOTS, "Fair", "read", expires_at=NOON + 10_001)
    clock.now = NOON + 9_999
    assert credentials.roomvox_token(tables, token, clock.now)
    clock.now = NOON + 10_001
    with pytest.raises(Unauthenticated):
        credentials.roomvox_token(tables, token, clock.now)


def test_when_a_roomvox_token_was_last_used_is_known_to_five_minutes(tables, caller):
    stored, token = credentials.create_roomvox_token(caller, ROOTS, "Display", "read")
    assert credentials.last_used(tables, [stored]) == {}
    for later, expected in ((0, 0), (1_000, 0), (299_999, 0), (300_000, 300_000)):
        credentials.roomvox_token(tables, token, NOON + later)
        assert credentials.last_used(tables, [stored]) == {stored.id: NOON + expected}


# Hubs


def hub(caller, **more):
    at = caller.new_id(NOON)
    document = {"createdAt": NOON, "updatedAt": NOON, "name": "Harbour", "area": "share", **more}
    return Resources(caller.tables, HUB).create(at, document).id


def test_a_member_is_known_by_the_key_in_a_cookie_or_in_headers(tables, caller):
    made = hub(caller, room="U1")
    stored, key = hubs.add_member(caller, ROOTS, made, name="Ann", email="a@museum.example", privilege="write")
    for event in (
        {"cookies": [f"regsid={key}"]},
        {"headers": {"cookie": f"lang=en; regsid={key}"}},
        {"headers": {"x-param-keysel": "regsid", "x-param-regsid": key}},
        {"headers": {"x-param-keysel": "Guest", "x-param-guest": key}},
    ):
        member = hubs.member_of(tables, hubs.key_of(event))
        assert (member.account, member.hub, member.room, member.id) == (ACCOUNT, made, "U1", stored.id)
        assert [member.may(each) for each in hubs.PRIVILEGES] == [True, True, False, False]
    for event in ({}, {"cookies": ["a=b", "regsid"]}, {"headers": {"x-param-keysel": "x"}}, {"cookies": ["regsid=no"]}):
        with pytest.raises(Unauthenticated):
            hubs.member_of(tables, hubs.key_of(event))


def test_a_member_who_is_removed_or_whose_hub_is_gone_is_nobody(tables, caller):
    made = hub(caller)
    named = {"name": "Ann", "email": "a@museum.example", "privilege": "read"}
    one, first = hubs.add_member(caller, ROOTS, made, **named)
    _, second = hubs.add_member(caller, ROOTS, made, **named)
    hubs.remove_member(caller, made, one.id)
    assert hubs.member_of(tables, second)
    hubs.delete(caller, made)
    for key in (first, second):
        with pytest.raises(Unauthenticated):
            hubs.member_of(tables, key)
    assert hubs.members_of(caller.tables, made) == []
    with pytest.raises(NotFound):
        hubs.add_member(caller, ROOTS, made, **named)


def test_a_member_of_one_hub_is_not_removed_from_another(tables, caller):
    one, other = hub(caller), hub(caller)
    member, _ = hubs.add_member(caller, ROOTS, one, name="Ann", email="a@museum.example", privilege="read")
    with pytest.raises(NotFound):
        hubs.remove_member(caller, other, member.id)
    assert [each.id for each in hubs.members_of(caller.tables, one)] == [member.id]


# All of them


def test_nothing_that_opens_anything_is_stored_or_told_in_the_audit_log(tables, caller):
    _, joan = credentials.create_joan_client(caller, ROOTS, "Lobby")
    stored, roomvox = credentials.create_roomvox_token(caller, ROOTS, "Display", "read")
    _, member = hubs.add_member(caller, ROOTS, hub(caller), name="Ann", email="a@museum.example", privilege="owner")
    client = Resources(caller.tables, JOAN_CLIENT)
    assert client.kind is JOAN_CLIENT
    bearer = credentials.issue_joan_token(
        tables, credentials.JoanClient(account=ACCOUNT, id=stored.id, name="Lobby"), NOON
    )
    for secret in (joan, roomvox, member, bearer):
        assert not holds(tables, secret)
    assert holds(tables, roomvox[:8])


def test_a_repeated_request_answers_the_same_secret(tables, caller):
    made = []
    for _ in range(2):
        seeded = replace(caller, new_id=SeededIds("one").new_id)
        made.append(credentials.create_joan_client(seeded, ROOTS, "Lobby"))
    assert made[0] == made[1]
    assert credentials.joan_client(tables, made[0][0].document["clientId"], made[0][1])
    assert Resources(caller.tables, HUB_MEMBER).read_many([made[0][0].id]) == {}
