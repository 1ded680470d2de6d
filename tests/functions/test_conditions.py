"""Two operators edit one document: who names the version that was read overwrites nobody's change."""

from unittest.mock import patch

import pytest

from fingerpost.ports.table import AccountTable
from tests.functions.world import rule


def tag_of(answer):
    assert answer.status in (200, 201), answer
    return answer.headers["etag"]


@pytest.fixture
def kept(world, request):
    """(path, a change, another) of something that can be changed and deleted."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def a_thng(world):
    return f"/thngs/{world.thng()['id']}", {"tags": ["mine"]}, {"tags": ["theirs"]}


@pytest.fixture
def a_product(world):
    return f"/products/{world.product()['id']}", {"brand": "mine"}, {"brand": "theirs"}


@pytest.fixture
def a_collection(operator):
    made = operator.made("/collections", {"name": "Oils"})
    return f"/collections/{made['id']}", {"name": "mine"}, {"name": "theirs"}


@pytest.fixture
def a_place(operator):
    return f"/places/{operator.made('/places', {'name': 'Pier'})['id']}", {"icon": "mine"}, {"icon": "theirs"}


@pytest.fixture
def a_project(world):
    return f"/projects/{world.project}", {"name": "mine"}, {"name": "theirs"}


@pytest.fixture
def an_application(world):
    path = f"/projects/{world.project}/applications/{world.application_id}"
    return path, {"defaultUrl": "https://mine.example/"}, {"defaultUrl": "https://theirs.example/"}


@pytest.fixture
def a_role(operator):
    return f"/roles/{operator.made('/roles', {'name': 'guard'})['id']}", {"name": "mine"}, {"name": "theirs"}


@pytest.fixture
def a_redirection(operator, short_id):
    mine, theirs = ({"defaultRedirectUrl": f"https://{each}.example/"} for each in ("mine", "theirs"))
    return f"/redirections/{short_id}", mine, theirs


@pytest.fixture
def the_oldest_redirection(operator, thng, short_id):
    mine, theirs = ({"defaultRedirectUrl": f"https://{each}.example/"} for each in ("mine", "theirs"))
    return f"/thngs/{thng['id']}/redirector", mine, theirs


@pytest.fixture
def a_draft(operator):
    assert operator.put("/redirector/drafts/summer", {"rules": []}).status == 200
    mine, theirs = ({"rules": [rule(url=f"https://{each}.example/")]} for each in ("mine", "theirs"))
    return "/redirector/drafts/summer", mine, theirs


@pytest.fixture
def an_account(world):
    return f"/accounts/{world.account}", {"name": "mine"}, {"name": "theirs"}


@pytest.fixture
def live_rules(operator):
    mine, theirs = ({"rules": [rule(url=f"https://{each}.example/")]} for each in ("mine", "theirs"))
    return "/redirector", mine, theirs


@pytest.fixture
def permissions(a_role):
    path, *_ = a_role
    mine, theirs = ({"enabled": enabled} for enabled in (True, False))
    return f"{path}/permissions/global_read", mine, theirs


DELETED = (
    *("a_thng", "a_product", "a_collection", "a_place", "a_project", "an_application", "a_role"),
    *("a_redirection", "the_oldest_redirection", "a_draft"),
)
CHANGED = (*DELETED, "an_account", "live_rules", "permissions")
anything_that_changes = pytest.mark.parametrize("kept", CHANGED, indirect=True)
anything_that_goes = pytest.mark.parametrize("kept", DELETED, indirect=True)


@anything_that_changes
def test_a_change_of_what_was_read_goes_through_and_of_what_changed_since_does_not(operator, kept):
    path, mine, theirs = kept
    seen = tag_of(operator.get(path))
    changed = operator.put(path, theirs, headers={"if-match": seen})
    assert tag_of(changed) != seen
    refused = operator.put(path, mine, headers={"if-match": seen})
    assert (refused.status, refused.document["code"]) == (412, "preconditionFailed")
    assert "read it again" in refused.error
    assert tag_of(operator.get(path)) == tag_of(changed)
    assert operator.put(path, mine, headers={"if-match": f'"x", {tag_of(changed)}'}).status < 300


@anything_that_changes
def test_who_names_no_version_overwrites_as_ever(operator, kept):
    path, mine, theirs = kept
    assert operator.put(path, theirs).status < 300
    assert operator.put(path, mine, headers={"if-match": "*"}).status < 300


@anything_that_changes
def test_what_is_known_is_not_sent_again(operator, kept):
    path, mine, _ = kept
    seen = tag_of(operator.get(path))
    again = operator.get(path, headers={"if-none-match": f'"x", W/{seen}'})
    assert (again.status, again.content, again.headers["etag"]) == (304, b"", seen)
    assert operator.put(path, mine).status < 300
    assert operator.get(path, headers={"if-none-match": seen}).status == 200


@anything_that_goes
def test_what_changed_since_it_was_read_is_not_deleted(operator, kept):
    path, mine, _ = kept
    seen = tag_of(operator.get(path))
    changed = operator.put(path, mine)
    assert operator.delete(path, headers={"if-match": seen}).status == 412
    assert operator.get(path).status == 200
    assert operator.delete(path, headers={"if-match": tag_of(changed)}).status == 200
    assert operator.get(path).status in (404, 410)


@pytest.mark.parametrize("kept", ["a_thng", "a_place", "a_redirection", "a_draft", "live_rules"], indirect=True)
def test_a_change_that_comes_between_the_look_and_the_write_is_seen(operator, kept):
    path, mine, theirs = kept
    seen, raced = tag_of(operator.get(path)), []

    def raced_by(real):
        def race(*arguments, **named):
            if not raced:
                raced.append(True)
                assert operator.put(path, theirs).status < 300
            return real(*arguments, **named)

        return race

    with (
        patch.object(AccountTable, "put", raced_by(AccountTable.put)),
        patch.object(AccountTable, "transact", raced_by(AccountTable.transact)),
    ):
        assert operator.put(path, mine, headers={"if-match": seen}).status == 412
    assert raced


def test_a_new_thing_comes_with_the_tag_of_its_first_version(operator, world):
    for path, sent in (
        ("/thngs", {"name": "lamp"}),
        ("/products", {"name": "lamp"}),
        ("/collections", {"name": "lamps"}),
        ("/places", {"name": "pier"}),
        ("/projects", {"name": "show"}),
        ("/roles", {"name": "guard"}),
        ("/actions", {"name": "_lit"}),
    ):
        made = operator.post(path, sent)
        key = made.document["name"] if path == "/actions" else made.document["id"]
        assert operator.put(f"{path}/{key}", {"tags": ["a"]}, headers={"if-match": tag_of(made)}).status == 200, path


def test_an_action_type_made_anew_is_another_one(operator):
    seen = tag_of(operator.post("/actions", {"name": "_lit"}))
    assert operator.delete("/actions/_lit").status == 200
    operator.made("/actions", {"name": "_lit"})
    assert operator.delete("/actions/_lit", headers={"if-match": seen}).status == 412


def test_a_draft_made_anew_is_another_one(operator, clock):
    path = "/redirector/drafts/summer"
    seen = tag_of(operator.put(path, {"rules": []}))
    assert operator.delete(path).status == 200
    assert operator.put(path, {"rules": []}, headers={"if-match": seen}).status == 412
    assert operator.put(path, {"rules": []}, headers={"if-match": "*"}).status == 412
    clock.now += 1
    assert operator.put(path, {"rules": []}).status == 200
    assert operator.put(path, {"rules": []}, headers={"if-match": seen}).status == 412


def test_however_a_version_is_shown_it_is_the_same(operator, thng):
    path = f"/thngs/{thng['id']}"
    plain, scoped = operator.get(path), operator.get(path, withScopes="true")
    assert tag_of(plain) != tag_of(scoped)
    assert operator.put(path, {"tags": ["a"]}, headers={"if-match": tag_of(scoped)}).status == 200


def test_a_property_is_news_and_no_other_version_of_its_thng(operator, thng):
    path = f"/thngs/{thng['id']}"
    seen = tag_of(operator.get(path))
    assert operator.put(f"{path}/properties/lit", {"value": True}).status == 200
    assert operator.get(path, headers={"if-none-match": seen}).status == 200
    assert operator.put(path, {"tags": ["a"]}, headers={"if-match": seen}).status == 200


def test_what_has_no_version_takes_no_condition(operator, thng):
    path = f"/thngs/{thng['id']}/properties/lit"
    assert operator.put(path, {"value": 1}, headers={"if-match": '"1.a"'}).status == 412
    assert operator.get(path).document == []


def test_a_condition_on_what_is_not_there_is_not_found(operator, world):
    assert operator.put(f"/thngs/{world.account}", {"name": "a"}, headers={"if-match": '"1.a.b"'}).status == 404


def test_a_repeated_request_has_the_tag_of_the_first(operator):
    twice = {"idempotency-key": "once"}
    first, second = (operator.post("/thngs", {"name": "lamp"}, headers=twice) for _ in range(2))
    assert tag_of(first) == tag_of(second)
