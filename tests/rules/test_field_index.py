"""An index leaves exactly the terms possible that one field's value leaves, so that few rules need to be asked."""

import pytest

from fingerpost.rules import field_index
from fingerpost.rules.field_index import MAX_PREFIX_CHARACTERS, FieldIndex, Range, mask_of

UNTESTED = 0
TERMS = {
    1: ["IE"],
    2: [["I"]],
    3: [["12", "12", 12]],
    4: [["true", "true", None]],
    5: [None],
    6: Range(low=10, low_open=True, high=12, high_open=True),
    7: Range(low=10, high=12),
    8: [[10, 12], ["ie", "IE", None]],
    9: [["12", 12, None]],
    10: ["x" * (MAX_PREFIX_CHARACTERS + 1)],
    11: [["x" * (MAX_PREFIX_CHARACTERS + 1)]],
    12: [["false", "false", None]],
    13: Range(high=3),
    14: Range(low=12, low_open=True),
}


def index_of(terms, every=15):
    index = FieldIndex()
    for bit, wanted in terms.items():
        index.add(bit, wanted)
    index.close((1 << every) - 1)
    return index


def bits(mask):
    return {bit for bit in range(mask.bit_length()) if mask >> bit & 1}


POSSIBLE = [
    (None, set()),
    ("IE", {1, 2, 5, 8}),
    ("I", {2, 5}),
    ("i", {5}),
    ("ie", {5}),
    ("12", {3, 5, 7, 8}),
    (12, {3, 5, 7, 8, 9}),
    (12.0, {3, 5, 7, 8, 9}),
    (10, {5, 7, 8}),
    ("10", {5, 7, 8}),
    (11, {5, 6, 7, 8}),
    ("11.5", {5, 6, 7, 8}),
    (9, {5}),
    (3, {5, 13}),
    (-1e300, {5, 13}),
    (3.5, {5}),
    (12.5, {5, 14}),
    (1e300, {5, 14}),
    (True, {4, 5}),
    (False, {5, 12}),
    ("true", {4, 5}),
    (1, {5, 13}),
    ("x" * MAX_PREFIX_CHARACTERS, {5, 11}),
    ("x" * (MAX_PREFIX_CHARACTERS + 1), {5, 10, 11}),
    ("x" * (MAX_PREFIX_CHARACTERS - 1), {5}),
    ({"a": 1}, {5}),
]


@pytest.mark.parametrize(("stored", "expected"), POSSIBLE)
def test_one_value_leaves_these_terms(stored, expected):
    index = index_of(TERMS)
    for _ in range(2):  # masks are made by the first question
        assert bits(index.possible(stored)) == {UNTESTED} | expected


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset])
def test_an_array_leaves_what_its_elements_leave_and_every_range(kind):
    ranges = {6, 7, 8, 13, 14}
    index = index_of(TERMS)
    assert bits(index.possible(kind(["IE", None]))) == {UNTESTED, 1, 2, 5} | ranges
    assert bits(index.possible(kind(["q", True, 12]))) == {UNTESTED, 3, 4, 5, 9} | ranges
    assert bits(index.possible(kind([]))) == {UNTESTED} | ranges


def test_an_array_with_no_text_asks_nothing_of_an_index_of_texts():
    index = index_of({1: ["a"], 2: ["b"]}, every=3)
    assert bits(index.possible([None, 1])) == {0}
    assert bits(index.possible(["b", "z"])) == {0, 2}
    assert bits(index.possible("b")) == {0, 2}
    assert bits(index.possible("z")) == {0}
    assert bits(index.possible(7)) == {0}


def test_two_spans_of_one_term_are_taken_as_one():
    index = index_of({0: [[1, 2], [5, 6]]}, every=1)
    assert [bits(index.possible(value)) for value in (0, 1, 3, 6, 7)] == [set(), {0}, {0}, {0}, set()]
    backwards = index_of({0: [[5, 6], [1, 2]]}, every=1)
    assert [bits(backwards.possible(value)) for value in (0, 1, 3, 6, 7)] == [set(), {0}, {0}, {0}, set()]


def test_a_span_that_holds_no_number_leaves_nothing():
    index = index_of(
        {0: Range(low=2, high=1), 1: Range(low=1, low_open=True, high=1), 2: Range(low=1, high=1)}, every=3
    )
    assert [bits(index.possible(value)) for value in (0, 1, 1.5, 2, 3)] == [set(), {2}, set(), set(), set()]


@pytest.mark.parametrize(
    ("most", "kept"), [(9, range(8)), (8, [0, 2, 4, 6]), (7, [0, 2, 4, 6]), (4, [0, 3, 6]), (2, [0, 5]), (1, [0])]
)
def test_a_range_reaches_to_the_next_bounds_that_are_kept(monkeypatch, most, kept):
    """Eight terms, each one number from 0 to 7."""
    monkeypatch.setattr(field_index, "MAX_BOUNDS", most)
    index = index_of({n: Range(low=n, high=n) for n in range(8)}, every=8)
    for value in [quarter / 4 for quarter in range(-4, 36)]:
        below = max([bound for bound in kept if bound <= value], default=-1)
        above = min([bound for bound in kept if bound >= value], default=8)
        between = {n for n in range(8) if below < n < above}
        assert bits(index.possible(value)) == ({int(value)} if below == above else between)
    assert len(index._bounds) <= most


def test_infinity_is_no_bound_to_keep(monkeypatch):
    monkeypatch.setattr(field_index, "MAX_BOUNDS", 2)  # of 0 to 3, those are 0 and 3
    index = index_of({n: Range(high=n) for n in range(4)}, every=4)
    assert [bits(index.possible(value)) for value in (-1, 0, 0.5, 2.5, 3, 4)] == [
        {0, 1, 2, 3},
        {0, 1, 2, 3},
        {1, 2, 3},
        {1, 2, 3},
        {3},
        set(),
    ]


def test_several_terms_may_ask_for_anything():
    index = index_of({0: [None], 1: ["a"], 2: [None]}, every=3)
    assert [bits(index.possible(value)) for value in ("a", "b", 1, None)] == [{0, 1, 2}, {0, 2}, {0, 2}, set()]


@pytest.mark.parametrize("numbers", [[], [0], [3, 1], [0, 7, 8], [0, 7, 8, 9], [5, 64, 1, 1000, 5], list(range(40))])
def test_a_mask_has_the_bits_it_is_asked_for(numbers):
    assert mask_of(numbers) == sum(1 << number for number in set(numbers))
