"""A value as its field's type reads it; what does not fit is refused in words that say the type and an example."""

import pytest

from fingerpost.rules.fields import REDIRECTOR, Field, field_of
from fingerpost.rules.literals import DAYS, Misfit, bare, quoted, read, shown
from fingerpost.rules.nodes import Anything, Between, Exact, Prefix

DAY_MS = 86_400_000
OF_MARCH = 1_519_862_400_000  # 2018-03-01T00:00:00Z
FIELDS = {
    "n": Field("n", "number", -90, 90),
    "i": Field("i", "integer", 1, 12),
    "at": Field("at", "time"),
    "clock": Field("clock", "timeOfDay"),
    "day": Field("day", "dayOfWeek"),
    "country": Field("country", "country"),
    "language": Field("language", "language"),
    "text": Field("text", "text"),
    "open": Field("open", "open"),
    "device": field_of(REDIRECTOR, "device"),
}
A_NUMBER = "a number, such as 42.5"
WHOLE = "a whole number, such as 42"
MOMENT = "milliseconds since the epoch or an ISO date, such as 2018-03-01"
CLOCK = "a time of day, such as 09:30"
COUNTRY = "a two-letter country code, such as IE"
LANGUAGE = "a language without a region, such as en"


def read_as(name, op, literal):
    return read(FIELDS[name], f"my.{name}", op, literal)


@pytest.mark.parametrize(
    ("name", "op", "raw", "pattern"),
    [
        ("n", "=", "2.5", Exact("2.5", 2.5)),
        ("n", "=", "1..2.5", Between(1, 2.5)),
        ("n", ">", "91", Exact("91", 91)),
        ("i", "=", "07", Exact("07", 7)),
        ("i", "=", "7.0", Exact("7.0", 7)),
        ("i", "!=", "1e0", Exact("1e0", 1)),
        ("i", "=", "1..99", Between(1, 99)),
        ("at", "=", "0", Exact("0", 0)),
        ("at", "=", "2018-03-01", Between(OF_MARCH, OF_MARCH + DAY_MS - 1)),
        ("at", "=", "2018-03-01..2018-03-02", Between(OF_MARCH, OF_MARCH + 2 * DAY_MS - 1)),
        ("at", ">", "2018-03-01", Exact("2018-03-01", OF_MARCH + DAY_MS - 1)),
        ("at", ">=", "2018-03-01", Exact("2018-03-01", OF_MARCH)),
        ("at", "<", "2018-03-01", Exact("2018-03-01", OF_MARCH)),
        ("at", "<=", "2018-03-01", Exact("2018-03-01", OF_MARCH + DAY_MS - 1)),
        ("at", "=", "2018-03-01T01:00+01:00", Exact("2018-03-01T01:00+01:00", OF_MARCH)),
        ("clock", "=", "0", Exact("0", 0)),
        ("clock", "=", "86400000", Exact("86400000", DAY_MS)),
        ("clock", "=", "24:00", Exact("24:00", DAY_MS)),
        ("clock", "<", "9:05", Exact("9:05", 32_700_000)),
        ("day", "=", "Mon", Exact("Mon", "mon")),
        ("day", "=", "T*", Prefix("t")),
        ("country", "=", "ie", Exact("ie", "IE")),
        ("country", "=", "i*", Prefix("I")),
        ("country", "=", "ie*", Prefix("IE")),
        ("language", "=", "FR", Exact("FR", "fr")),
        ("language", "=", "abcdefgh", Exact("abcdefgh", "abcdefgh")),
        ("language", "=", "F*", Prefix("f")),
        ("device", "=", "Phone", Exact("Phone", "phone")),
        ("device", "=", "P*", Prefix("p")),
        ("text", "=", "Ab", Exact("Ab", "Ab")),
        ("text", "=", "Ab*", Prefix("Ab")),
        ("text", "=", "*", Anything()),
        ("text", ">", "a1", Exact("a1", "a1")),
        ("text", "<", "07", Exact("07", "07", 7)),
        ("text", "~", "Ab*", Exact("Ab*", "Ab*")),
        ("text", "!~", "Ab", Exact("Ab", "Ab")),
        ("text", "~", "07", Exact("07", "07")),
        ("text", "!~", "07", Exact("07", "07")),
        ("country", "~", "i", Exact("i", "i")),
        ("open", "=", "07", Exact("07", "07", 7)),
        ("open", "=", "1..2", Between(1, 2)),
        ("open", "=", "1..b", Exact("1..b", "1..b")),
        ("country", ">=", "ie", Exact("ie", "IE")),
    ],
)
def test_a_literal_is_read_as_its_fields_type(name, op, raw, pattern):
    said = read_as(name, op, bare(raw))
    assert said == pattern
    for side in ("value", "number", "low", "high"):
        assert type(getattr(said, side, None)) is type(getattr(pattern, side, None))


def test_quotes_take_the_meaning_from_stars_and_dots():
    assert read_as("text", "=", quoted('"a*"')) == Exact("a*", "a*")
    assert read_as("open", "=", quoted('"1..2"')) == Exact("1..2", "1..2")


@pytest.mark.parametrize(
    ("name", "op", "raw", "what", "suggestion"),
    [
        ("n", "=", "old", A_NUMBER, None),
        ("n", "=", "2*", A_NUMBER, None),
        ("n", "<", "old", A_NUMBER, None),
        ("n", "=", "1..", A_NUMBER, None),
        ("n", "=", "..1", A_NUMBER, None),
        ("i", "=", "1.5", WHOLE, None),
        ("i", "=", "2018-03-01", WHOLE, None),
        ("at", "=", "yesterday", MOMENT, None),
        ("at", "=", "2018-13-01", MOMENT, None),
        ("clock", "=", "86400001", CLOCK, None),
        ("clock", "=", "-1", CLOCK, None),
        ("clock", "=", "24:01", CLOCK, None),
        ("country", "=", "Ireland", COUNTRY, None),
        ("country", "=", "I", COUNTRY, None),
        ("country", "=", "I1", COUNTRY, None),
        ("country", "=", "ÄÖ", COUNTRY, None),
        ("country", ">", "Ireland", COUNTRY, None),
        ("country", "=", "irl*", COUNTRY, None),
        ("country", "=", "1*", COUNTRY, None),
        ("country", "=", "é*", COUNTRY, None),
        ("language", "=", "fr-CA", LANGUAGE, "fr"),
        ("language", "=", "FRA_CA", LANGUAGE, "fra"),
        ("language", "=", "fren-CA", LANGUAGE, None),
        ("language", "=", "f-CA", LANGUAGE, None),
        ("language", "=", "äö-CA", LANGUAGE, None),
        ("language", "=", "abcdefghi", LANGUAGE, None),
        ("language", "=", "f", LANGUAGE, None),
        ("language", "=", "f1", LANGUAGE, None),
        ("language", "=", "é*", LANGUAGE, None),
        ("language", "=", "1*", LANGUAGE, None),
    ],
)
def test_what_does_not_fit_is_refused_with_the_type_and_an_example(name, op, raw, what, suggestion):
    with pytest.raises(Misfit) as misfit:
        read_as(name, op, bare(raw))
    found = next((end for end in raw.split("..") if not end.isdigit()), raw) if ".." in raw else raw
    assert misfit.value.message == f"my.{name} is {what}; found '{found}'"
    assert str(misfit.value) == misfit.value.message
    assert misfit.value.expected == (what.partition(", such as")[0],)
    assert misfit.value.suggestion == suggestion


@pytest.mark.parametrize(
    ("raw", "suggestion"), [("Monday", "mon"), ("sunny", "sun"), ("someday", None), ("x*", None), ("mondays*", None)]
)
def test_a_day_of_the_week_is_one_of_seven_words(raw, suggestion):
    with pytest.raises(Misfit) as misfit:
        read_as("day", "=", bare(raw))
    assert misfit.value.message == f"my.day is a day of the week, such as mon; found '{raw}'"
    assert (misfit.value.expected, misfit.value.suggestion) == (DAYS, suggestion)


@pytest.mark.parametrize(
    ("raw", "suggestion"),
    [("Mobile", "phone"), ("iphone", "phone"), ("Tablett", "tablet"), ("toaster", None), ("macos", None), ("x*", None)],
)
def test_a_choice_is_one_of_its_words_and_another_word_for_one_is_understood(raw, suggestion):
    with pytest.raises(Misfit) as misfit:
        read_as("device", "=", bare(raw))
    assert misfit.value.message == f"my.device is one of phone, tablet, desktop; found '{raw}'"
    assert (misfit.value.expected, misfit.value.suggestion) == (("phone", "tablet", "desktop"), suggestion)


@pytest.mark.parametrize("op", ["~", "!~"])
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("n", "a number"),
        ("i", "a whole number"),
        ("at", "milliseconds since the epoch or an ISO date"),
        ("clock", "a time of day"),
    ],
)
def test_nobody_looks_for_text_in_a_number(op, name, what):
    with pytest.raises(Misfit) as misfit:
        read_as(name, op, bare("1"))
    assert misfit.value.message == f"'{op}' looks into text, but my.{name} is {what}"


@pytest.mark.parametrize(
    ("name", "raw", "span"),
    [("n", "-90.5", "-90 to 90"), ("n", "91", "-90 to 90"), ("i", "0", "1 to 12"), ("i", "13", "1 to 12")],
)
def test_equality_asks_for_a_number_that_can_be(name, raw, span):
    with pytest.raises(Misfit) as misfit:
        read_as(name, "=", bare(raw))
    assert misfit.value.message == f"my.{name} goes from {span}; found '{raw}'"
    assert misfit.value.expected == (span,)


def test_a_message_shows_sixty_characters_and_none_that_cannot_be_seen():
    assert shown("a" * 60) == "a" * 60
    assert shown("a" * 61) == "a" * 60 + "…"
    assert shown("a\x07b\u202e") == "a\ufffdb\ufffd"
    assert shown("a" * 60 + "\x07") == "a" * 60 + "…"
