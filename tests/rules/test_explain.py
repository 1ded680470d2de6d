"""Why a rule matched, in English."""

import json
import time

import pytest

from fingerpost.rules.compile import compile_match
from fingerpost.rules.explain import explain
from fingerpost.rules.fields import DOORS
from fingerpost.rules.nodes import NEVER, Anything, Exact
from fingerpost.rules.nodes import Test as Comparison

NOT = "did not match because "


def sentence(match, context, door="redirector"):
    return explain(compile_match(match, DOORS[door], strict=True).node, context).sentence()


@pytest.mark.parametrize(
    ("match", "context", "said"),
    [
        (
            "country=IE&dayOfWeek=sun&language=fr&thng.tags=Offer",
            {"country": "IE", "dayOfWeek": "sun", "language": "fr", "thng.tags": ["Offer", "New"]},
            "matched because country is IE and dayOfWeek is sun and language is fr and thng.tags has Offer",
        ),
        (
            "country=IE&dayOfWeek=sun&thng.tags=Offer",
            {"country": "IE", "dayOfWeek": "mon", "thng.tags": ["Sale"]},
            "did not match because dayOfWeek is mon, not sun and thng.tags lacks Offer; it has Sale",
        ),
        ("country=IE,GB", {"country": "IE"}, "matched because country is IE, one of IE, GB"),
        ("country=ie", {"country": "IE"}, "matched because country is IE"),
        ("country=IE,GB", {"country": "FR"}, "did not match because country is FR, not IE or GB"),
        ("country=IE", {}, "did not match because country is absent"),
        ("country!=IE", {}, "matched because country is absent"),
        ("country!=IE", {"country": "FR"}, "matched because country is FR, not IE"),
        ("country!=IE", {"country": "IE"}, "did not match because country is IE"),
        ("country=*", {"country": "IE"}, "matched because country is there"),
        ("country!=*", {}, "matched because country is absent"),
        ("country=FR|country=IE|month=3", {"country": "IE", "month": 3}, "matched because country is IE"),
        ("country=FR|month=4", {"country": "IE"}, "did not match because country is IE, not FR and month is absent"),
        ("!(country=FR|user.age>30)", {"country": "FR"}, "did not match because country is FR"),
        (
            "!(country=FR|user.age>30)",
            {"country": "IE", "user.age": 30},
            "matched because country is IE, not FR and user.age is 30, not above 30",
        ),
        ("user.age>=18", {"user.age": 40}, "matched because user.age is 40, at least 18"),
        (
            "timeOfDay=09:00..17:30",
            {"timeOfDay": 64_800_000},
            "did not match because timeOfDay is 18:00, not from 09:00 to 17:30",
        ),
        (
            "time>=2018-03-01",
            {"time": 1_519_893_000_000},
            "matched because time is 2018-03-01 08:30:00 UTC, at least 2018-03-01",
        ),
        (
            "thng.name=Smart*",
            {"thng.name": "Smart lamp"},
            "matched because thng.name is Smart lamp, which begins with Smart",
        ),
        (
            "thng.name=Smart*",
            {"thng.name": "Lamp"},
            "did not match because thng.name is Lamp, which does not begin with Smart",
        ),
        ("thng.tags!=a", {"thng.tags": []}, "matched because thng.tags is empty"),
        ("thng.customFields.on=true", {"thng.customFields.on": True}, "matched because thng.customFields.on is true"),
        ('thng.name=""', {"thng.name": "x"}, "did not match because thng.name is x, not empty text"),
        ("thng.name=x", {"thng.name": ""}, "did not match because thng.name is empty text, not x"),
        ("thng.customFields.on=true", {"thng.customFields.on": False}, f"{NOT}thng.customFields.on is false, not true"),
        ("country=ie", {"country": "FR"}, "did not match because country is FR, not IE"),
        ("country!=IE,GB", {"country": "IE"}, "did not match because country is IE, one of IE, GB"),
        ("country=IE,G*", {"country": "GB"}, "matched because country is GB, which begins with G"),
        ("country=*,IE", {"country": "GB"}, "matched because country is GB, anything"),
        ("timeOfDay<1", {"timeOfDay": 86_400_000}, "did not match because timeOfDay is 24:00, not below 1"),
        ("timeOfDay>1", {"timeOfDay": 0}, "did not match because timeOfDay is 00:00, not above 1"),
        ("timeOfDay<1", {"timeOfDay": 86_400_001}, "did not match because timeOfDay is 86400001, not below 1"),
        ("time>5", {"time": 0}, "did not match because time is 1970-01-01 00:00:00 UTC, not above 5"),
        ("time>5", {"time": -1}, "did not match because time is -1, not above 5"),
        ("time<5", {"time": 253_402_300_799_999}, f"{NOT}time is 9999-12-31 23:59:59 UTC, not below 5"),
        ("time<5", {"time": 253_402_300_800_000}, f"{NOT}time is 253402300800000, not below 5"),
        ("thng.tags=a", {"thng.tags": ["b", "c"]}, "did not match because thng.tags lacks a; it has b, c"),
        ("thng.tags=a", {"thng.tags": [*"bcdefghijk"]}, f"{NOT}thng.tags lacks a; it has b, c, d, e, f, g, h, i, j, k"),
        (
            "thng.tags=a",
            {"thng.tags": [*"bcdefghijkl"]},
            "did not match because thng.tags lacks a; it has b, c, d, e, f, g, h, i, j, k, …",
        ),
    ],
)
def test_one_sentence_says_what_decided(match, context, said):
    assert sentence(match, context) == said


@pytest.mark.parametrize(
    ("match", "name", "said"),
    [
        ("name~lamp", "A Lamp", "matched because name is A Lamp, which contains lamp"),
        ("name~lamp", "A torch", "did not match because name is A torch, which does not contain lamp"),
        ("name~lamp,sun", "A torch", f"{NOT}name is A torch, not text with lamp in it or text with sun in it"),
        ("name!~lamp", "A Lamp", "did not match because name is A Lamp, which contains lamp"),
        ("name!~lamp", "A torch", "matched because name is A torch, which does not contain lamp"),
        (
            "name!~lamp,sun",
            "A torch",
            "matched because name is A torch, not text with lamp in it or text with sun in it",
        ),
    ],
)
def test_contains_is_explained_where_it_is_allowed(match, name, said):
    assert sentence(match, {"name": name}, "thng") == said


def test_times_are_utc_wherever_the_server_stands(monkeypatch):
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        said = sentence("time>0", {"time": 1})
    time.tzset()
    assert said == "matched because time is 1970-01-01 00:00:00 UTC, above 0"


def test_the_elements_of_an_array_are_shown_as_one_value_would_be():
    context = {"time": [0, 1_000]}
    assert explain(Comparison("time", "=", (Exact("0", 0),)), context).says == "time has 1970-01-01 00:00:00 UTC"
    assert explain(Comparison("time", "=", (Exact("5", 5),)), context).says == (
        "time lacks 5; it has 1970-01-01 00:00:00 UTC, 1970-01-01 00:00:01 UTC"
    )


def test_a_rule_without_an_expression_always_matches():
    assert explain(None, {}).sentence() == "matched because nothing was asked"


def test_a_rule_with_an_unknown_field_never_matches():
    assert explain(NEVER, {}).sentence() == "did not match because nothing can match it"


def test_the_document_has_every_part_what_it_found_and_whether_it_decided():
    explanation = explain(
        compile_match("country=IE&!month=3,4", DOORS["redirector"]).node, {"country": "FR", "month": 3}
    )
    document = explanation.document()
    assert json.loads(json.dumps(document)) == document
    assert document == {
        "kind": "allOf",
        "held": False,
        "decided": True,
        "parts": [
            {
                "kind": "test",
                "held": False,
                "decided": True,
                "field": "country",
                "found": "FR",
                "wanted": ["IE"],
                "says": "country is FR, not IE",
            },
            {
                "kind": "not",
                "held": False,
                "decided": True,
                "parts": [
                    {
                        "kind": "test",
                        "held": True,
                        "decided": True,
                        "field": "month",
                        "found": 3,
                        "wanted": ["3", "4"],
                        "says": "month is 3, one of 3, 4",
                    }
                ],
            },
        ],
    }


@pytest.mark.parametrize(
    ("match", "op"),
    [("!country=FR", "not"), ("(country=IE&month=3)", "allOf"), ("(country=FR|month=3)", "anyOf")],
)
def test_what_follows_the_branch_that_decided_did_not_decide_whatever_it_is(match, op):
    document = explain(
        compile_match(f"country=IE|{match}|year=1", DOORS["redirector"]).node, {"country": "IE"}
    ).document()
    first, second, third = document["parts"]
    assert (document["kind"], first["decided"]) == ("anyOf", True)
    assert (second["kind"], second["decided"], third["decided"]) == (op, False, False)
    assert [part["decided"] for part in second["parts"]] == [False] * len(second["parts"])


def test_wanted_says_what_would_have_matched():
    node = compile_match("name=a,b*,*,1..2,ü", DOORS["thng"]).node
    assert explain(node, {}).document()["wanted"] == ["a", "text that begins with b", "anything", "1..2", "ü"]
    node = compile_match("createdAt=1..2", DOORS["thng"]).node
    assert explain(node, {}).document()["wanted"] == ["from 1970-01-01 00:00:00 UTC to 1970-01-01 00:00:00 UTC"]


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        (("b", "a"), ["b", "a"]),
        ({"b", "a"}, ["a", "b"]),
        (frozenset({2, 10}), ["10", "2"]),
        (["b", 1], ["b", 1]),
        (1, 1),
    ],
)
def test_what_was_found_is_shown_as_json_has_it(stored, found):
    assert explain(Comparison("a", "=", (Anything(),)), {"a": stored}).document()["found"] == found


def test_what_holds_in_a_failed_conjunction_did_not_decide():
    explanation = explain(compile_match("country=IE&month=3", DOORS["redirector"]).node, {"country": "IE", "month": 4})
    assert [part.decided for part in explanation.parts] == [False, True]


def test_long_values_are_cut():
    for length, shown in ((80, "y" * 80), (81, "y" * 80 + "…")):
        assert sentence("thng.name=x", {"thng.name": "y" * length}) == f"{NOT}thng.name is {shown}, not x"
