"""A page token carries a position and nothing else, and is good for one list of one account."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerpost.cursor import MAX_CURSOR_CHARACTERS, InvalidCursor, decode, encode, filter_digest

SECRET = b"a secret of thirty-two bytes....."
DIGEST = filter_digest("Uaccount", "*", "thng", "tags=a")

positions = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@settings(max_examples=60)
@given(positions)
def test_a_cursor_gives_its_position_back(position):
    assert decode(SECRET, encode(SECRET, position, DIGEST), DIGEST) == position


@settings(max_examples=60)
@given(positions)
def test_a_cursor_stands_in_a_url_as_it_is(position):
    assert encode(SECRET, position, DIGEST).replace("-", "").replace("_", "").isalnum()


@settings(max_examples=60)
@given(positions, st.data())
def test_a_changed_character_is_refused(position, data):
    cursor = encode(SECRET, position, DIGEST)
    place = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.sampled_from("ABCabc019_-"))
    changed = cursor[:place] + other + cursor[place + 1 :]
    same_bytes = base64.urlsafe_b64decode(changed + "==="[: -len(changed) % 4]) == base64.urlsafe_b64decode(
        cursor + "==="[: -len(cursor) % 4]
    )
    if same_bytes:
        assert decode(SECRET, changed, DIGEST) == position
    else:
        with pytest.raises(InvalidCursor):
            decode(SECRET, changed, DIGEST)


def test_every_shortened_cursor_is_refused():
    cursor = encode(SECRET, "name\0U123", DIGEST)
    for length in range(len(cursor)):
        with pytest.raises(InvalidCursor):
            decode(SECRET, cursor[:length], DIGEST)


@pytest.mark.parametrize(
    "text", ["", "=", "%00", "a b", "ÿ", "AAAA\n", "A", "A" * 40, "A" * (MAX_CURSOR_CHARACTERS + 1)]
)
def test_what_was_never_a_cursor_is_refused_with_what_to_do(text):
    with pytest.raises(InvalidCursor, match="Start over") as refused:
        decode(SECRET, text, DIGEST)
    assert refused.value.status == 400


def test_a_cursor_of_another_filter_is_refused_by_name():
    cursor = encode(SECRET, "U1", DIGEST)
    with pytest.raises(InvalidCursor, match="another list"):
        decode(SECRET, cursor, filter_digest("Uaccount", "*", "thng", "tags=b"))


def test_a_cursor_of_another_account_is_refused():
    with pytest.raises(InvalidCursor):
        decode(SECRET, encode(SECRET, "U1", DIGEST), filter_digest("Uother", "*", "thng", "tags=a"))


def test_a_cursor_under_another_secret_is_refused():
    with pytest.raises(InvalidCursor, match="cannot be read"):
        decode(b"another secret", encode(SECRET, "U1", DIGEST), DIGEST)


def test_the_digest_cannot_be_moved_to_another_list_without_the_secret():
    raw = bytearray(base64.urlsafe_b64decode(encode(SECRET, "U1", DIGEST) + "=="))
    foreign = filter_digest("Uaccount", "*", "thng", "")
    raw[9:17] = bytes.fromhex(foreign)
    with pytest.raises(InvalidCursor, match="cannot be read"):
        decode(SECRET, base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), foreign)


def test_the_parts_of_a_digest_are_told_apart():
    assert filter_digest("a", "b", "c") != filter_digest("a", "bc")
    assert filter_digest("a", "bc", "") != filter_digest("a", "b", "c")
    assert filter_digest("a", "b") == filter_digest("a", "b")
