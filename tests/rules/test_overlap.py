"""Rules that want the same scans."""

import random

import pytest

from fingerpost.rules import overlap
from fingerpost.rules.compile import compile_match
from fingerpost.rules.fields import REDIRECTOR
from fingerpost.rules.nodes import NEVER, AllOf
from fingerpost.rules.overlap import MAX_OVERLAPS, overlaps


def told(*matches: str, targets: list[str] | None = None) -> list[tuple[str, str]]:
    nodes = [compile_match(each, REDIRECTOR).node for each in matches]
    found = overlaps(nodes, targets or [str(number) for number in range(len(nodes))])
    return [(each.finding.field, each.finding.message.partition(": ")[2]) for each in found]


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        ("country=IE,GB", "country=GB,FR", "country may be GB"),
        ("country=IE,GB,DE & language=fr", "country=GB,DE,FR & language=fr", "country may be DE or GB"),
        ("timeOfDay=09:00..12:00", "timeOfDay=11:00..14:00", "timeOfDay may be in both ranges"),
        ("timeOfDay>=09:00 & timeOfDay<12:00", "timeOfDay>=11:00", "timeOfDay may be in both ranges"),
        ("country=IE & dayOfWeek=sat,sun", "country=IE,GB & dayOfWeek=sun", "country may be IE"),
        ("country=FR | country=IE,GB", "country=DE,GB", "country may be GB"),
        ("language=fr & country=IE,GB", "language=fr & country=GB,FR", "country may be GB"),
        ("country=AT,BE,DE,ES,FR,GB,IE", "country=AT,BE,DE,ES,FR,GB,IT", "country may be AT or BE or DE or ES or FR"),
        ("thng.tags=Offer,Highlight", "thng.tags=Highlight,New", "thng.tags may be Highlight"),
    ],
)
def test_values_that_cross_are_told_of_the_later_rule(first, second, what):
    assert told(first, second) == [("rules[1].match", what)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("country=IE", "dayOfWeek=sun"),  # they ask about different things
        ("country=IE & dayOfWeek=sun", "country=IE"),
        ("country=IE", "country=IE,GB"),  # the narrow one before the wide one
        ("country=IE,GB", "country=IE"),  # told as unreachable
        ("country=IE", "country=GB"),
        ("thng.tags=a", "thng.tags=b"),
        ("timeOfDay<10:00", "timeOfDay>=17:00"),
        ("timeOfDay<10:00", "timeOfDay<12:00"),
        ("country=IE,GB & dayOfWeek=sun", "country=GB,FR & dayOfWeek=mon"),
        ("country=IE & dayOfWeek=sun", "country=IE,GB & dayOfWeek=sun"),
        ("country=IE,GB & dayOfWeek=sun", "country=IE & dayOfWeek=sun"),
        ("country=IE,GB & timeOfDay<10:00", "country=GB,FR & timeOfDay>=17:00"),
        ("country=IE,GB & month=1..6", "country=GB,FR & month=3,8"),  # a range and a list are not compared
        ("thng.name=a*,b", "thng.name=b,c"),
        ("country!=IE", "country!=GB"),
        ("country!=IE,GB", "country!=GB,FR"),
        ("!(country=IE,GB & language=fr)", "country=GB,FR"),
        ("country=IE,GB", "country=IE,GB"),
    ],
)
def test_rules_that_do_not_cross_are_not_told(first, second):
    assert told(first, second) == []


def test_a_note_says_which_rule_decides_and_what_both_want():
    nodes = [compile_match(each, REDIRECTOR).node for each in ("month=1", "country=IE,GB", "country=GB,FR")]
    (odd,) = overlaps(nodes, "abc", field="draft")
    assert odd.kind == "overlap"
    assert odd.finding.field == "draft[2].match"
    assert odd.finding.message == (
        "some scans match draft[1] as well, which comes first and decides: country may be GB"
    )


@pytest.mark.parametrize(("most", "rules"), [(0, []), (1, [1]), (2, [1]), (3, [1, 2])])
def test_what_one_check_compares_is_bounded(monkeypatch, most, rules):
    monkeypatch.setattr(overlap, "MAX_COMPARED", most)  # pairs: the second rule has one, the third two
    found = told("country=IE,GB", "country=GB,FR", "country=IE,FR")
    assert [field for field, _ in found] == [f"rules[{number}].match" for number in rules]


def test_rules_that_lead_to_the_same_place_may_overlap():
    assert told("country=IE,GB", "country=GB,FR", targets=["a", "a"]) == []


def test_rules_without_a_match_and_rules_that_match_nothing_have_no_overlap():
    node = compile_match("country=IE,GB", REDIRECTOR).node
    assert list(overlaps([None, NEVER, AllOf(()), node], "abcd")) == []
    other = compile_match("country=GB,FR", REDIRECTOR).node
    (odd,) = overlaps([None, NEVER, AllOf(()), node, other], "abcde")
    assert odd.finding.field == "rules[4].match"


def test_a_rule_is_told_once_however_many_it_crosses_and_a_set_gets_a_bounded_list():
    assert len(told("country=IE,GB", "country=GB,FR", "country=IE,FR")) == 2
    chance = random.Random(1)
    many = [f"country={','.join(chance.sample(['IE', 'GB', 'FR', 'DE', 'ES', 'IT'], 3))}" for _ in range(1_000)]
    assert len(told(*many)) == MAX_OVERLAPS
