"""Why a rule matched, in English."""

import json

import pytest

from fingerpost.rules.compile import compile_match
from fingerpost.rules.explain import explain
from fingerpost.rules.fields import DOORS
from fingerpost.rules.nodes import NEVER


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
    ],
)
def test_one_sentence_says_what_decided(match, context, said):
    assert sentence(match, context) == said


def test_contains_is_explained_where_it_is_allowed():
    assert sentence("name~lamp", {"name": "A Lamp"}, "thng") == "matched because name is A Lamp, which contains lamp"


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


def test_what_holds_in_a_failed_conjunction_did_not_decide():
    explanation = explain(compile_match("country=IE&month=3", DOORS["redirector"]).node, {"country": "IE", "month": 4})
    assert [part.decided for part in explanation.parts] == [False, True]


def test_long_values_are_cut():
    assert len(sentence("thng.name=x", {"thng.name": "y" * 5_000})) < 200
