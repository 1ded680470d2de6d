"""What a refusal of an expression says, word for word, and where it points."""

from pathlib import Path

import pytest
from lark import UnexpectedToken

from fingerpost.errors import Finding
from fingerpost.rules import compile as compiling
from fingerpost.rules.compile import Compiled, InvalidMatch, compile_match, rules_home
from fingerpost.rules.fields import REDIRECTOR
from fingerpost.rules.nodes import NEVER
from fingerpost.rules.scanner import Unreadable


def refused(text, **more):
    with pytest.raises(InvalidMatch) as refusal:
        compile_match(text, REDIRECTOR, **more)
    return refusal.value


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("country  ", 10, "expected an operator after 'country'"),
        ("thng.customFields.abcdef", 25, "expected an operator after '.customFields.abcdef'"),
        ("country=", 9, "expected a value after '='"),
        ("country!= ", 11, "expected a value after '!='"),
        ("user.age>=", 11, "expected a value after '>='"),
        ("user.age<=|month=1", 11, "expected a value after '<='"),
        ("user.age<", 10, "expected a value after '<'"),
        ("thng.name!~", 12, "expected a value after '!~'"),
        ("country=IE,", 12, "expected a value after ','"),
        (" ", 2, "expected a field name"),
        ("country=IE& ", 13, "expected a field name after 'country=IE&'"),
        ("(country=IE", 12, "expected ')': a parenthesis is not closed"),
        ("country=IE)", 11, "this ')' closes nothing"),
        ('country="IE" GB', 14, "expected ',' or '&' or '|' or end, found 'GB'"),
    ],
)
def test_a_mistake_of_form_says_what_was_expected(text, column, message):
    refusal = refused(text)
    (finding,) = refusal.details
    assert (finding.column, finding.message) == (column, message)
    assert str(refusal) == f"match, column {column}: {message}"
    assert isinstance(refusal.__cause__, UnexpectedToken)


def test_what_cannot_be_read_is_a_finding_in_the_callers_field_too():
    refusal = refused("country=\x00", field="rules[2].match")
    (finding,) = refusal.details
    assert (finding.field, finding.column) == ("rules[2].match", 9)
    assert isinstance(refusal.__cause__, Unreadable)


def test_what_a_door_does_not_allow_says_what_it_does():
    assert refused("thng.name~x").details == (
        Finding(
            field="match",
            column=10,
            message="'~' cannot be used in redirector rules; '=' with a star at the end finds a beginning",
            near="thng.name~x",
            expected=("'='", "'!='"),
        ),
    )


def test_ten_characters_are_shown_on_each_side_of_the_place():
    (finding,) = refused("thng.customFields.size=1&country=Ireland&thng.name=a").details
    assert finding.near == "1&country=Ireland&thn"


@pytest.mark.parametrize(
    ("text", "more"),
    [("month=13", ""), ("month=13&month=14", " (and 1 more)"), ("month=13&month=14&month=15", " (and 2 more)")],
)
def test_the_first_problem_is_told_and_how_many_there_are_beside_it(text, more):
    assert str(refused(text)) == f"match, column 7: month goes from 1 to 12; found '13'{more}"


@pytest.mark.parametrize(
    ("text", "message", "suggestion"),
    [
        ("qqq=re*", "'qqq' is no field of redirector rules", None),
        ("contry>1", "'contry' is no field of redirector rules; did you mean 'country'?", "country"),
    ],
)
def test_an_unknown_field_is_a_warning_in_the_callers_field_whatever_is_asked_of_it(text, message, suggestion):
    warning = Finding(
        field="here", column=1, message=message, near=text[:11], expected=("field name",), suggestion=suggestion
    )
    assert compile_match(text, REDIRECTOR, field="here") == Compiled(NEVER, (warning,))


def test_the_rules_are_at_the_top_of_the_repository_unless_rules_home_says_otherwise(monkeypatch):
    monkeypatch.delenv("RULES_HOME", raising=False)
    assert rules_home() == Path(compiling.__file__).parents[5] / "rules"
