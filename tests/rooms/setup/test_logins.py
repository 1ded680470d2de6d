"""Who may log in to the panels' server, and who is let in by a PIN or an RFID."""

import pytest

from fingerpost.errors import Conflict, Invalid, NotFound, TooManyRequests, Unauthenticated
from fingerpost.rooms import logins, people, plain
from fingerpost.rooms.kinds import PERSON
from fingerpost.rooms.logins import DEFAULT_USER, digest_of
from tests.rooms.setup.rooms import ACCOUNT, ROOTS
from tests.rooms.setup.test_credentials import holds
from tests.stores import NOON, caller_of

ADMIN = {"name": "Ann", "email": "Ann@museum.example", "username": "ann", "password": "turf cutters", "admin": True}


def log_in(tables, field, name, password, at=NOON):
    return logins.log_in(tables, ROOTS, field, name, digest_of(password), at)


def test_the_default_user_logs_in_with_the_token_of_a_group_of_any_account(tables, caller):
    other = caller_of(tables, "UAnother")
    for each in (caller, other):
        group, token = logins.create_group(each, ROOTS, "panels")
        user = log_in(tables, "username", DEFAULT_USER, token)
        assert (user.account, user.group, user.kind) == (each.principal.account, group.id, "default")
        assert logins.log_in(tables, ROOTS, "username", DEFAULT_USER, digest_of(token).upper(), NOON) == user
        assert logins.group_of(tables, token)[1].id == group.id
    with pytest.raises(logins.WrongPassword):
        log_in(tables, "username", DEFAULT_USER, "wrong")


def test_an_integration_user_logs_in_with_the_token_of_its_group(tables, caller):
    group, token = logins.create_group(caller, ROOTS, "panels")
    _, others = logins.create_group(caller, ROOTS, "others")
    made = logins.register_user(caller, group)
    username = made.document["username"]
    assert username.startswith("device")
    for field, name in (("username", username), ("username", username.upper()), ("id", made.id)):
        user = log_in(tables, field, name, token)
        assert (user.id, user.kind, user.group) == (made.id, "integration", group.id)
    for wrong in (others, "wrong"):
        with pytest.raises(logins.WrongPassword):
            log_in(tables, "username", username, wrong)
    logins.delete_user(caller, made.id)
    with pytest.raises(logins.NoSuchUser):
        log_in(tables, "username", username, token)


def test_only_people_who_are_admins_may_log_in(tables, caller):
    ann = people.create(caller, ROOTS, ADMIN)
    for field, name in (("username", "ANN"), ("email", "ann@Museum.example"), ("id", ann.id)):
        user = log_in(tables, field, name, "turf cutters")
        assert (user.account, user.id, user.kind) == (ACCOUNT, ann.id, "admin")
    people.create(caller, ROOTS, {**ADMIN, "username": "bob", "email": "b@museum.example", "admin": False})
    with pytest.raises(logins.NotAuthorized, match="User is not authorized!"):
        log_in(tables, "username", "bob", "turf cutters")
    with pytest.raises(logins.WrongPassword):
        log_in(tables, "username", "bob", "wrong")
    with pytest.raises(logins.NoSuchUser):
        log_in(tables, "username", "carol", "turf cutters")


def test_a_name_in_two_accounts_is_told_apart_by_the_password(tables, caller):
    people.create(caller, ROOTS, ADMIN)
    people.create(caller_of(tables, "UAnother"), ROOTS, {**ADMIN, "password": "the other one"})
    assert log_in(tables, "username", "ann", "turf cutters").account == ACCOUNT
    assert log_in(tables, "username", "ann", "the other one").account == "UAnother"


def test_guessing_a_password_ends_after_ten_wrong_ones(tables, caller):
    people.create(caller, ROOTS, ADMIN)
    for _ in range(10):
        with pytest.raises(logins.WrongPassword):
            log_in(tables, "username", "ann", "wrong")
    with pytest.raises(TooManyRequests):
        log_in(tables, "username", "ann", "turf cutters")
    assert log_in(tables, "username", "ann", "turf cutters", NOON + 900_000)


def test_a_changed_name_or_password_counts_at_once(tables, caller):
    ann = people.create(caller, ROOTS, ADMIN).id
    people.update(caller, ROOTS, ann, {"username": "anna", "password": "another one"})
    with pytest.raises(logins.NoSuchUser):
        log_in(tables, "username", "ann", "another one")
    assert log_in(tables, "username", "anna", "another one").id == ann
    people.update(caller, ROOTS, ann, {"password": None})
    with pytest.raises(logins.NoSuchUser):
        log_in(tables, "username", "anna", "another one")


def test_somebody_stays_logged_in_for_ninety_days_or_until_they_are_gone(tables, caller, clock):
    group, token = logins.create_group(caller, ROOTS, "panels")
    device = logins.register_user(caller, group)
    ann = people.create(caller, ROOTS, ADMIN).id
    users = [
        log_in(tables, "username", DEFAULT_USER, token),
        log_in(tables, "username", device.document["username"], token),
        log_in(tables, "username", "ann", "turf cutters"),
    ]
    tokens = []
    for user in users:
        resume, ends = logins.remember(tables, user, NOON)
        assert ends == NOON + 90 * 86_400_000
        assert logins.resume(tables, resume) == logins.still_in(tables, user) == user
        assert not holds(tables, resume)
        tokens.append(resume)
    people.update(caller, ROOTS, ann, {"admin": False})
    with pytest.raises(logins.NotAuthorized):
        logins.resume(tables, tokens[2])
    people.delete(caller, ann)
    logins.delete_group(caller, group.id)
    for each in tokens:
        with pytest.raises(logins.LoggedOut):
            logins.resume(tables, each)


def test_who_logs_out_or_waits_too_long_has_to_log_in_again(tables, caller, clock):
    _, token = logins.create_group(caller, ROOTS, "panels")
    user = log_in(tables, "username", DEFAULT_USER, token)
    first, _ = logins.remember(tables, user, NOON)
    second, ends = logins.remember(tables, user, NOON)
    logins.forget(tables, first)
    clock.now = ends + 1_000
    for each in (first, second, "unknown"):
        with pytest.raises(logins.LoggedOut):
            logins.resume(tables, each)


def test_a_groups_token_opens_nothing_once_the_group_is_deleted(tables, caller):
    group, token = logins.create_group(caller, ROOTS, "panels")
    with pytest.raises(Conflict, match="there is a client group 'panels' already"):
        logins.create_group(caller, ROOTS, "panels")
    logins.delete_group(caller, group.id)
    with pytest.raises(Unauthenticated):
        logins.group_of(tables, token)
    with pytest.raises(logins.WrongPassword):
        log_in(tables, "username", DEFAULT_USER, token)
    assert logins.create_group(caller, ROOTS, "panels")


def test_nothing_of_a_password_or_a_token_lies_in_clear_nor_as_clients_send_it(tables, caller):
    _, token = logins.create_group(caller, ROOTS, "panels")
    people.create(caller, ROOTS, {**ADMIN, "pin": "48151623", "rfid": "04:A2:2B"})
    for secret in (token, digest_of(token), "turf cutters", digest_of("turf cutters"), "48151623", "04:A2:2B"):
        assert not holds(tables, secret)


# PIN and RFID


def test_a_person_is_known_by_their_pin_and_rfid(tables, caller):
    ann = people.create(caller, ROOTS, {"name": "Ann", "pin": "0123", "rfid": "04:a2"})
    bob = people.create(caller, ROOTS, {"name": "Bob", "pin": "4242"})
    own = caller.tables
    assert people.by_pin(own, ROOTS, "0123").id == people.by_rfid(own, ROOTS, "04:A2").id == ann.id
    assert people.by_pin(own, ROOTS, 4242).id == bob.id
    for pin in ("123", "", "04:a2", 9999):
        with pytest.raises(NotFound):
            people.by_pin(own, ROOTS, pin)
    with pytest.raises(NotFound):
        people.by_pin(caller_of(tables, "UAnother").tables, ROOTS, "0123")
    shown = people.shown(ann)
    assert (shown["hasPin"], shown["hasRfid"], shown["hasPassword"]) == (True, True, False)
    assert {each.id for each in plain.all_of(own, PERSON)} == {ann.id, bob.id}


def test_a_pin_belongs_to_one_person_and_can_be_taken_back(tables, caller):
    ann = people.create(caller, ROOTS, {"name": "Ann", "pin": "0123"}).id
    bob = people.create(caller, ROOTS, {"name": "Bob"}).id
    with pytest.raises(Conflict, match="somebody else has this PIN"):
        people.create(caller, ROOTS, {"name": "Carol", "pin": "0123"})
    with pytest.raises(Conflict):
        people.update(caller, ROOTS, bob, {"pin": "0123"})
    people.update(caller, ROOTS, ann, {"pin": None})
    people.update(caller, ROOTS, bob, {"pin": "0123"})
    assert people.by_pin(caller.tables, ROOTS, "0123").id == bob
    people.delete(caller, bob)
    with pytest.raises(NotFound):
        people.by_pin(caller.tables, ROOTS, "0123")


def test_a_password_needs_a_name_to_log_in_with(tables, caller):
    with pytest.raises(Invalid, match=r"^username"):
        people.create(caller, ROOTS, {"name": "Ann", "password": "turf cutters"})
    ann = people.create(caller, ROOTS, ADMIN).id
    with pytest.raises(Invalid, match=r"^username"):
        people.update(caller, ROOTS, ann, {"username": None, "email": None})
    with pytest.raises(Invalid, match=r"^name"):
        people.update(caller, ROOTS, ann, {"name": None})
