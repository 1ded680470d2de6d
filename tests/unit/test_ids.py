from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from fingerpost.ids import (
    ALPHABET,
    UPPER,
    SeededIds,
    decode_time,
    encode_time,
    first_id,
    is_id,
    new_id,
    new_short_id,
    time_of,
)

TIMES = st.integers(min_value=0, max_value=50**8 - 1)


@given(TIMES, TIMES)
def test_ids_sort_as_their_times_do(one, other):
    assert (new_id(one)[:9] < new_id(other)[:9]) is (one < other)
    assert first_id(one) <= new_id(one)


@given(TIMES)
def test_an_id_tells_its_time(at):
    assert time_of(new_id(at)) == at
    assert decode_time(encode_time(at)) == at


def test_ids_have_24_characters_of_the_platforms_alphabet():
    for _ in range(200):
        identifier = new_id(1_795_310_898_366)
        assert len(identifier) == 24
        assert identifier[0] == "U"
        assert set(identifier) <= set(ALPHABET)
        assert is_id(identifier)


def test_the_alphabet_is_the_platforms_in_byte_order():
    assert "".join(sorted("abcdefghkmnpqrstwxyABCDEFGHKMNPQRSTUVWXY0123456789")) == ALPHABET


def test_short_ids_begin_with_four_digits_or_capitals_and_have_ten_characters():
    for _ in range(500):
        short_id = new_short_id()
        assert len(short_id) == 10
        assert set(short_id[:4]) <= set(UPPER)
        assert set(short_id) <= set(ALPHABET)


def test_every_character_is_equally_likely():
    seen = Counter("".join(new_id(0)[9:] for _ in range(4_000)))
    assert set(seen) == set(ALPHABET)
    assert max(seen.values()) < 1.35 * min(seen.values())  # 1,200 of each; 5 standard deviations are 14%


def test_a_seed_gives_the_same_ids_again_and_another_seed_gives_others():
    first, again, other = SeededIds("a"), SeededIds("a"), SeededIds("b")
    ids = [first.new_id(5), first.new_id(5), first.new_short_id()]
    assert ids == [again.new_id(5), again.new_id(5), again.new_short_id()]
    assert len(set(ids)) == 3
    assert other.new_id(5) not in ids
