"""What one pattern asks of one stored element, case by case."""

import pytest

from fingerpost.rules.patterns import Anything, Between, Exact, Number, Prefix, bound_of, number_of, pattern_holds


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7),
        ("007", 7),
        ("-7", -7),
        ("2.50", 2.5),
        ("1e2", 100.0),
        ("1e999", None),
        ("-1e999", None),
        ("+1", None),
        ("--1", None),
        ("", None),
    ],
)
def test_a_text_says_a_number_in_jsons_manner_or_none(text: str, number: Number | None):
    said = number_of(text)
    assert (type(said), said) == (type(number), number)


@pytest.mark.parametrize("pattern", [Prefix("1"), Anything(), Between(1, 2)])
def test_only_a_literal_says_what_an_order_compares_with(pattern):
    assert bound_of(pattern) is None
    assert pattern_holds("<", pattern, 0) is False


@pytest.mark.parametrize("stored", [True, False])
def test_a_boolean_is_the_word_for_it_and_nothing_else(stored: bool):
    word, other = ("true", "false") if stored else ("false", "true")
    assert pattern_holds("=", Exact(word, word), stored) is True
    assert pattern_holds("=", Exact(other, other), stored) is False
    assert pattern_holds("=", Exact(str(int(stored)), str(int(stored)), int(stored)), stored) is False
    assert pattern_holds("=", Exact(word, int(stored)), stored) is False


@pytest.mark.parametrize("stored", [{"a": 1}, None, b"a"])
def test_a_value_of_no_kind_that_the_language_has_equals_no_literal(stored):
    assert pattern_holds("=", Exact("a", "a"), stored) is False


def test_text_contains_whatever_the_case_and_from_literals_only():
    assert pattern_holds("~", Exact("STRASSE", "STRASSE"), "die Straße") is True
    assert pattern_holds("~", Exact("1", "1", 1), 1) is False
    assert pattern_holds("~", Prefix("a"), "a") is False
