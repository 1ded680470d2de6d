"""What became of a match expression, in words: predicate by predicate, and never silent about a difference."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.rules.compile import compile_match
from fingerpost.rules.differences import differences, shown
from fingerpost.rules.fields import REDIRECTOR
from fingerpost.rules.nodes import AllOf, AnyOf
from tests.rules.test_language_properties import predicates, trees


def compiled(text):
    return None if text is None else compile_match(text, REDIRECTOR, strict=True).node


SAID = [
    ("dayOfWeek=sat", "dayOfWeek=sat,sun", ["Sunday added"]),
    ("dayOfWeek=sat,sun", "dayOfWeek=sat", ["Sunday removed"]),
    ("dayOfWeek=sat,sun", "dayOfWeek=mon,tue,sun", ["Monday and Tuesday added", "Saturday removed"]),
    ("dayOfWeek=sat", "dayOfWeek=sun", ["Sunday instead of Saturday"]),
    ("country=IE", "country=IE,FR,GB", ["country FR and GB added"]),
    ("country!=IE", "country!=IE,FR", ["country FR excluded too"]),
    ("country!=IE,FR", "country!=IE", ["country FR no longer excluded"]),
    ("country!=IE", "country!=FR", ["not country FR instead of not IE"]),
    ("country=IE", "country!=IE", ["asks country!=IE instead of country=IE"]),
    ("country=IE", "country=ie", ["is written differently and asks the same"]),
    ("country=IE", 'country = "IE"', []),
    ("country=IE,FR", "country=FR,IE", ["asks the same in another order"]),
    ("timeOfDay>=09:00", "timeOfDay>=10:00", ["timeOfDay at least 10:00 instead of at least 09:00"]),
    ("timeOfDay>=09:00", "timeOfDay>09:00", ["asks timeOfDay>09:00 instead of timeOfDay>=09:00"]),
    ("timeOfDay=09:00..17:00", "timeOfDay=09:00..18:30",
     ["timeOfDay from 09:00 to 18:30 instead of from 09:00 to 17:00"]),
    ("thng.tags=Offer", "thng.tags=Off*", ["thng.tags text that begins with Off instead of Offer"]),
    ("thng.tags=*", "thng.tags=x", ["thng.tags x instead of anything"]),
    ("country=IE", "country=IE & language=fr", ["also asks language=fr"]),
    ("country=IE & language=fr", "language=fr", ["no longer asks country=IE"]),
    ("country=IE & language=fr", "language=fr & country=IE", ["asks the same in another order"]),
    ("country=IE & month=1", "country=FR & month=2", ["country FR instead of IE", "month 2 instead of 1"]),
    ("time>2026-01-01 & time<2026-02-01", "time>2026-01-01 & time<2026-03-01",
     ["time below 2026-03-01 instead of below 2026-02-01"]),
    ("country=IE", "country=IE | language=fr", ["also matches language=fr"]),
    ("country=IE | language=fr", "country=IE", ["no longer matches language=fr"]),
    ("country=IE&month=1 | language=fr", "country=IE&month=1,2 | language=fr",
     ["where it asked country=IE&month=1: month 2 added"]),
    ("language=fr & (country=IE | month=1)", "language=fr & (country=IE | month=2)",
     ["where it asked country=IE|month=1: month 2 instead of 1"]),
    ("!(country=IE & month=1)", "!(country=IE & month=2)", ["in what it excludes: month 2 instead of 1"]),
    ("country=IE", "!(country=IE)", ["no longer asks country=IE", "also asks !country=IE"]),
    ("dayOfWeek=mon,tue,wed", "dayOfWeek=thu,fri,sat,sun",
     ["Thursday, Friday, Saturday and Sunday added", "Monday, Tuesday and Wednesday removed"]),
    ("dayOfWeek=mon", "dayOfWeek=mon,t*", ["text that begins with t added"]),
    ("thng.tags=x", "thng.tags=x,sun", ["thng.tags sun added"]),
    ("country=IE,FR", "country=DE", ["country DE added", "country IE and FR removed"]),
    ("country!=IE,FR", "country!=DE,GB", ["country DE and GB excluded too", "country IE and FR no longer excluded"]),
    ("country=IE,FR", "country=ie,fr", ["is written differently and asks the same"]),
    ("country=IE,FR", "country=fr,ie", ["asks the same in another order"]),
    ("country=IE&country=IE", "country=IE", ["no longer asks country=IE"]),
    ("country=IE | language=fr", "language=fr | country=IE", ["asks the same in another order"]),
    ("time>2026-01-01 & time<2026-02-01", "time<2026-03-01 & time>2026-01-02",
     ["time below 2026-03-01 instead of below 2026-02-01", "time above 2026-01-02 instead of above 2026-01-01"]),
    ("country!=IE & country=FR,DE", "country=FR,DE,IT & country!=IT",
     ["country IT added", "not country IT instead of not IE"]),
    ("month=1 & (country=IE | language=fr) & (os=ios | device=phone)",
     "month=1 & (device=tablet | os=ios) & (country=FR | language=fr)",
     ["where it asked os=ios|device=phone: device tablet instead of phone",
      "where it asked country=IE|language=fr: country FR instead of IE"]),
    ("month=1 & (country=IE | language=fr)", "month=1 & country=IE",
     ["where it asked country=IE|language=fr: no longer matches language=fr"]),
    ("month=1 & !country=IE & !os=ios", "month=1 & !os=android & !country=FR",
     ["in what it excludes: os android instead of ios", "in what it excludes: country FR instead of IE"]),
    ("!month=1 & os=ios", "!country=IE & os=ios", ["no longer asks !month=1", "also asks !country=IE"]),
    ("month=1 & country=IE", "month=1 & !country=FR", ["no longer asks country=IE", "also asks !country=FR"]),
    ("country=IE & month=1 | os=ios", "country=IE & language=fr & month=2 | os=ios",
     ["where it asked country=IE&month=1: month 2 instead of 1",
      "where it asked country=IE&month=1: also asks language=fr"]),
    ("country=IE & month=1", "country=IE | month=1",
     ["where it asked country=IE&month=1: no longer asks month=1", "also matches month=1"]),
    (None, "country=IE", ["now asks country=IE"]),
    ("country=IE", None, ["asks nothing any more, so it always matches"]),
    (None, None, []),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "said"), SAID, ids=lambda value: str(value)[:60])
def test_what_became_of_an_expression_is_said_predicate_by_predicate(before, after, said):
    assert differences(compiled(before), compiled(after)) == said


@given(trees)
def test_an_expression_does_not_differ_from_itself(tree):
    assert differences(tree, tree) == []


@given(trees, trees)
def test_two_that_differ_are_never_said_to_be_the_same(one, other):
    said = differences(one, other)
    assert bool(said) is (one != other)
    assert all(said)


@given(st.lists(predicates(), min_size=2, max_size=6, unique_by=lambda test: test.field), st.data())
def test_a_predicate_that_is_added_or_removed_is_named(tests, data):
    number = data.draw(st.integers(0, len(tests) - 1))
    some = AllOf(tuple(each for place, each in enumerate(tests) if place != number))
    one = tests[number]
    whole = AllOf(tuple(tests))
    smaller = some if len(some.nodes) > 1 else some.nodes[0]
    assert differences(smaller, whole) == [f"also asks {shown(one)}"]
    assert differences(whole, smaller) == [f"no longer asks {shown(one)}"]
    either, fewer = AnyOf(whole.nodes), AnyOf(some.nodes) if len(some.nodes) > 1 else some.nodes[0]
    assert differences(fewer, either) == [f"also matches {shown(one)}"]
    assert differences(either, fewer) == [f"no longer matches {shown(one)}"]


VALUES = ("apple", "pear", "plum", "quince", "fig")


@given(st.sets(st.sampled_from(VALUES), min_size=1), st.sets(st.sampled_from(VALUES), min_size=1))
def test_every_value_that_came_or_went_is_named_and_no_other(was, now):
    before, after = (compiled(f"thng.tags={','.join(sorted(side))}") for side in (was, now))
    said = " ".join(differences(before, after))
    assert {value for value in VALUES if value in said} == was ^ now


def test_an_expression_is_shown_up_to_its_two_hundredth_character():
    for length, text in ((190, "thng.name=" + "x" * 190), (191, "thng.name=" + "x" * 190 + "…")):
        assert shown(compiled("thng.name=" + "x" * length)) == text
