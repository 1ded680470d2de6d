"""Paths in permissions: what they reach, and when one is within others."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.access.builtin import OF_BASE_APP_USER
from fingerpost.access.model import Permission
from fingerpost.access.paths import LETTERS, is_path, permitted, within

SEGMENTS = st.sampled_from(["thngs", "products", "actions", "*", "{user}", "all"])
PATHS = st.builds(
    lambda segments, end: "/" + "/".join(segments) + end,
    st.lists(SEGMENTS, min_size=1, max_size=4),
    st.sampled_from(["", "$"]),
)
ACCESS = st.sets(st.sampled_from("crud"), min_size=1).map(lambda letters: "".join(sorted(letters)))
PERMISSIONS = st.builds(Permission, PATHS, ACCESS)
ADDRESSES = st.lists(st.sampled_from(["thngs", "products", "actions", "all", "me", "you"]), min_size=1, max_size=5)
METHODS = st.sampled_from(sorted(LETTERS))


def allowed(permissions, method, address):
    return permitted(permissions, method, "/" + "/".join(address), {}, own="me")


def as_pattern(path):
    """The same, as a regular expression."""
    text = re.escape(path.removesuffix("$")).replace(r"\*", "[^/]+").replace(r"\{user\}", "me")
    return re.compile(text + ("" if path.endswith("$") else "(/.*)?"))


@given(PERMISSIONS, METHODS, ADDRESSES)
def test_a_path_reaches_what_it_reads_like(permission, method, address):
    reaches = as_pattern(permission.path).fullmatch("/" + "/".join(address)) is not None
    assert allowed([permission], method, address) is (reaches and LETTERS[method] in permission.access)


@given(PERMISSIONS, st.lists(PERMISSIONS, max_size=4), METHODS, ADDRESSES)
def test_what_is_within_others_allows_nothing_that_they_do_not(permission, ceiling, method, address):
    if within(permission, ceiling) and allowed([permission], method, address):
        assert allowed(ceiling, method, address)


@given(PERMISSIONS)
def test_a_permission_is_within_itself(permission):
    assert within(permission, [permission])


@pytest.mark.parametrize(
    ("path", "access", "is_within"),
    [
        ("/thngs", "cru", True),
        ("/thngs/*/properties/temperature", "u", True),
        ("/thngs$", "r", True),
        ("/thngs", "d", False),
        ("/collections/*/thngs/*", "d", True),
        ("/collections/abc/thngs/*", "rd", True),
        ("/collections/*/thngs", "d", False),
        ("/actions/*", "cr", True),
        ("/actions", "c", False),
        ("/access$", "r", True),
        ("/access", "r", False),
        ("/users/{user}", "ru", True),
        ("/users/*", "r", False),
        ("/users/someone", "r", False),
        ("/projects", "r", False),
    ],
)
def test_what_is_within_base_app_user(path, access, is_within):
    assert within(Permission(path, access), OF_BASE_APP_USER) is is_within


@pytest.mark.parametrize(
    ("path", "good"),
    [
        ("/thngs", True),
        ("/thngs/*/properties$", True),
        ("/users/{user}", True),
        ("/actions/_Custom", True),
        ("/thngs/gs1:21", True),
        ("/thngs/", False),
        ("/", False),
        ("", False),
        ("thngs", False),
        ("/th ngs", False),
        ("/thngs/{thng}", False),
        ("/thngs/a*", False),
        ("/thngs$/x", False),
        ("/thngs/../projects", True),  # a segment like any other: no address has it
        ("/" + "x" * 200, False),
    ],
)
def test_what_a_path_is(path, good):
    assert is_path(path) is good


def test_a_value_with_a_slash_in_it_is_one_segment():
    permission = [Permission("/thngs/*$", "r")]
    assert permitted(permission, "GET", "/thngs/{thngId}", {"thngId": "a/b"}, own="")
    assert not permitted([Permission("/thngs/a/b", "r")], "GET", "/thngs/{thngId}", {"thngId": "a/b"}, own="")


def test_own_is_nobody_elses():
    permission = [Permission("/users/{user}", "r")]
    assert permitted(permission, "GET", "/users/{userId}", {"userId": "me"}, own="me")
    assert not permitted(permission, "GET", "/users/{userId}", {"userId": "{user}"}, own="me")
