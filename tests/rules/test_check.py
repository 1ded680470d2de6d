"""Warnings about rules that can be seen to be wrong without a scan."""

import pytest

from fingerpost.rules import check
from fingerpost.rules.check import check_rules
from fingerpost.rules.compile import compile_match
from fingerpost.rules.fields import REDIRECTOR


def warnings(*rules):
    nodes = [None if rule is None else compile_match(rule, REDIRECTOR).node for rule in rules]
    return [(finding.field, finding.message) for finding in check_rules(nodes, REDIRECTOR)]


def warned(*rules):
    return [field for field, _ in warnings(*rules)]


def test_sensible_rules_have_no_warnings():
    rules = [
        "country=IE&dayOfWeek=sun",
        "country=IE",
        "country=GB,FR&thng.tags=a&thng.tags=b",
        "user.age>5&user.age<=30",
        "thng.customFields.a=1&thng.customFields.a=2",
        "thng.name=Smart*",
        "createdAt=1",
        "user.age>=30&user.age<=30",
        "month=6..6",
        "timeOfDay=09:00..09:00",
        "thng.properties.temp=1",
        "product.name=a|product.name=b",
        None,
    ]
    assert warnings(*rules) == []


def test_a_rule_after_one_that_always_matches_is_never_reached():
    assert warnings("country=IE", None, "country=GB", None) == [
        ("rules[2].match", "never reached: rules[1] always matches"),
        ("rules[3].match", "never reached: rules[1] always matches"),
    ]


def test_the_same_rule_again_is_never_reached():
    assert warnings("country=IE", "dayOfWeek=sun", "country=IE") == [
        ("rules[2].match", "never reached: rules[0] asks the same")
    ]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("country=IE", "country=IE&dayOfWeek=sun"),
        ("country=IE", "dayOfWeek=sun&country=ie"),
        ("country=IE,GB", "country=GB"),
        ("country=IE,GB&dayOfWeek=sun", "dayOfWeek=sun&month=3&country=GB,IE"),
        ("country=*", "country=IE"),
        ("thng.name=Smart*", "thng.name=Smart lamp"),
        ("thng.name=Smart*", "thng.name=Smarter*"),
        ("thng.name!=a", "thng.name!=a,b"),
        ("!thng.name=a", "thng.name!=a"),
        ("country=IE|thng.tags=a", "thng.tags=a&month=3"),
        ("thng.tags=a,b", "thng.tags=a|thng.tags=b"),
        ("!(country=IE|country=GB)", "!(country=IE|country=GB)&month=3"),
        ("country=IE", "!!country=IE"),
        ("month=1..3,6", "month=1..3"),
    ],
)
def test_a_rule_that_asks_for_more_than_an_earlier_one_is_never_reached(earlier, later):
    same = "matches whenever this one does"
    assert warnings(earlier, later) == [("rules[1].match", f"never reached: rules[0] {same}")]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("country=IE&dayOfWeek=sun", "country=IE"),
        ("country=GB", "country=IE,GB"),
        ("thng.name=Smart lamp", "thng.name=Smart*"),
        ("thng.name!=a,b", "thng.name!=a"),
        ("thng.tags=a", "thng.tags=b"),
        ("country=IE", "country=IE|month=3"),
        ("user.age>5", "user.age>=5"),
        ("thng.name=Smart*", "thng.name=Lamp"),
        ("thng.name=Smart*", "thng.name=Sm*"),
        ("thng.name=Smart,Lamp*", "thng.name=Smart lamp"),
        ("thng.customFields.x=a*", "thng.customFields.x=1..2"),
        ("thng.customFields.x=t*", "thng.customFields.x=true"),
        ("thng.customFields.x=f*", "thng.customFields.x=false"),
        ("thng.customFields.x=4*", "thng.customFields.x=42"),
    ],
)
def test_a_rule_that_an_earlier_one_does_not_cover_can_be_reached(earlier, later):
    assert warned(earlier, later) == []


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("country=DE&country=AT", "never matches: country cannot be AT and DE at once"),
        ("country=DE,FR&country=AT,IE", "never matches: country cannot be AT and DE and FR and IE at once"),
        ("country=DE,FR&country=FR&country=DE", "never matches: country cannot be DE and FR at once"),
        ("country=FR&country=DE,FR&country=DE", "never matches: country cannot be DE and FR at once"),
        ("country=IE&country!=IE", "never matches: country is asked to hold and not to hold the same"),
        ("thng.tags=a&!thng.tags=a", "never matches: thng.tags is asked to hold and not to hold the same"),
        ("user.age>30&user.age<20", "never matches: no user.age is in all the ranges asked for"),
        ("user.age>30&user.age<=30", "never matches: no user.age is in all the ranges asked for"),
        ("user.age>=30&user.age<20", "never matches: no user.age is in all the ranges asked for"),
        ("user.age>=30&user.age<30", "never matches: no user.age is in all the ranges asked for"),
        ("user.age<30&user.age>=30", "never matches: no user.age is in all the ranges asked for"),
        ("user.age<30&user.age<40&user.age>=30", "never matches: no user.age is in all the ranges asked for"),
        ("thng.tags=a&month=3&month>4", "never matches: no month is in all the ranges asked for"),
        ("month=6..6&month=7..7", "never matches: no month is in all the ranges asked for"),
        ("month=6..8&month=9", "never matches: no month is in all the ranges asked for"),
        ("month=3|month=6..8&month=9", "a part never matches: no month is in all the ranges asked for"),
        ("(country=IE|month=3)&!(country=IE|month=3)", "never matches: it asks for something and for its opposite"),
        ("month=8..6", "the range 8..6 of month ends before it begins, so nothing is in it"),
        (
            "timeOfDay=22:00..06:00",
            "the range of timeOfDay ends before it begins; over midnight, ask for its two sides with '|'",
        ),
        *(
            (f"thng.name{op}a", f"thng.name{op} never holds: 'a' is no number, and order is of numbers")
            for op in (">", ">=", "<", "<=")
        ),
        ("country=UK", "country is never UK; the code of the United Kingdom is GB"),
        ("thng.properties.Temp=1", "thng.properties.Temp is never there: property keys are lower case"),
        ("thng.name==a", "thng.name is compared with '=a', equals sign included; one '=' is enough"),
    ],
)
def test_a_rule_that_cannot_mean_what_it_says_is_warned_about(rule, message):
    assert warnings(rule) == [("rules[0].match", message)]


def test_each_warning_says_of_what_kind_it_is():
    rules = ["country=UK", "month=3&month=4", "country=UK", None, "month=8..6"]
    nodes = [rule and compile_match(rule, REDIRECTOR).node for rule in rules]
    assert [(odd.kind, odd.finding.field) for odd in check.oddities(nodes, REDIRECTOR)] == [
        ("neverHolds", "rules[0].match"),
        ("contradiction", "rules[1].match"),
        ("neverHolds", "rules[2].match"),
        ("unreachable", "rules[2].match"),
        ("unreachable", "rules[4].match"),
    ]


def test_a_rule_with_an_unknown_field_is_left_to_its_own_warning_and_the_next_is_looked_at():
    assert warned("colour=red", "colour=red", "country=IE", "country=UK") == ["rules[3].match"]


def test_a_rule_that_may_pass_covers_nothing_but_may_be_covered():
    nodes = [None, *(compile_match(rule, REDIRECTOR).node for rule in ("month=3", "month=3", "month=3"))]
    assert [each.field for each in check_rules(nodes, REDIRECTOR, passing={0, 1})] == ["rules[3].match"]
    assert [each.field for each in check_rules(nodes, REDIRECTOR, passing={0, 3})] == [
        "rules[2].match",
        "rules[3].match",
    ]


def test_a_repeated_rule_is_found_among_many_that_ask_the_same_field():
    rules = [f"thng.name=lamp {number}" for number in range(200)]
    assert warned(*rules, rules[-1]) == ["rules[200].match"]


@pytest.mark.parametrize(
    ("most", "found"),
    [(3, []), (4, ["rules[1].match"]), (7, ["rules[1].match"]), (8, ["rules[1].match", "rules[2].match"])],
)
def test_what_one_check_compares_is_bounded(monkeypatch, most, found):
    monkeypatch.setattr(check, "_MAX_WORK", most)
    assert warned(*["country=IE&month=3"] * 3) == found  # two terms with two, for each rule but the first


def test_the_field_can_be_named_by_the_caller():
    (finding,) = check_rules([None, None], REDIRECTOR, field="draft.rules")
    assert finding.field == "draft.rules[1].match"


def test_ten_thousand_rules_are_checked_and_the_warnings_are_bounded():
    node = compile_match("country=IE&thng.tags=a", REDIRECTOR).node
    assert len(check_rules([node] * 10_000, REDIRECTOR)) == 1_000
