"""Entity tags, and what `If-Match` and `If-None-Match` make of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.errors import PreconditionFailed
from fingerpost.preconditions import ANYTHING, entity_tag, is_known, match_of

VERSIONS = st.text("abcXYZ019.", min_size=1)


@given(VERSIONS, st.binary())
def test_a_tag_matches_its_version_whatever_was_shown(version, content):
    match_of(entity_tag(version, content)).check(version, "lamp")


@given(VERSIONS, VERSIONS, st.binary())
def test_a_tag_matches_no_other_version(version, other, content):
    if version != other:
        with pytest.raises(PreconditionFailed):
            match_of(entity_tag(version, content)).check(other, "lamp")


@given(VERSIONS, st.binary(), st.binary())
def test_what_is_known_is_known_whole(version, one, other):
    tag = entity_tag(version, one)
    assert is_known(tag, f'"x", W/{tag}')
    assert is_known(tag, "*")
    assert one == other or not is_known(tag, entity_tag(version, other))


@given(st.text())
def test_any_header_is_read(header):
    match_of(header)
    assert is_known('"1.a"', header) in (True, False)


def test_a_star_asks_that_there_is_something():
    match_of("*").check("1", "lamp")
    with pytest.raises(PreconditionFailed):
        match_of("*").check(None, "lamp")


def test_no_header_asks_nothing():
    assert match_of(" ") is ANYTHING
    ANYTHING.check(None, "lamp")
