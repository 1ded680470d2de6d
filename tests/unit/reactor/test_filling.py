"""Templates in the values of declarative rules."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.errors import TooLarge
from fingerpost.reactor.filling import fields_in, filled, mistakes_in

CONTEXT = {
    "thng.name": "Lamp",
    "thng.tags": frozenset({"red"}),
    "propertyChangeNew.level": 3.5,
    "propertyChangeNew.on": True,
    "customFields": {"a": 1},
    "thng.customFields.sizes": [1, 2],
    "thng.customFields.shape": {"w": 1},
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{propertyChangeNew.level}", 3.5),
        ("{propertyChangeNew.on}", True),
        ("{thng.customFields.shape}", {"w": 1}),
        ("{thng.tags}", ["red"]),
        ("{thng.description}", None),
        ("{ thng.name }", "Lamp"),
        ("{thng.name} is at {propertyChangeNew.level}", "Lamp is at 3.5"),
        ("is {propertyChangeNew.on}", "is true"),
        ("sizes {thng.customFields.sizes}", "sizes 1,2"),
        ("shape {thng.customFields.shape}", 'shape {"w": 1}'),
        ("nothing: {thng.description}.", "nothing: ."),
        ("{{thng.name}}", "{thng.name}"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_a_text_alone_in_its_braces_keeps_the_type_of_the_value_and_a_longer_one_is_text(template, value):
    assert filled(template, CONTEXT.get) == value


def test_templates_stand_anywhere_in_a_value_but_not_in_its_names():
    template = {"{thng.name}": ["{thng.name}", {"n": "{propertyChangeNew.level}"}, 7, None, True]}
    assert filled(template, CONTEXT.get) == {"{thng.name}": ["Lamp", {"n": 3.5}, 7, None, True]}
    assert fields_in(template) == {"thng.name", "propertyChangeNew.level"}


@pytest.mark.parametrize(
    ("template", "column", "words"),
    [
        ("a {thng.name", 3, "by itself"),
        ("a } b", 3, "by itself"),
        ("a {} b", 3, "empty placeholder"),
        ("Lamp {thng.nam}", 6, "no field 'thng.nam'"),
        ("{constants.x}", 1, "no field"),
    ],
)
def test_a_mistake_says_where_it_is(template, column, words):
    (finding,) = mistakes_in({"a": [template]}, "body")
    assert finding.field == "body.a[0]"
    assert finding.column == column
    assert words in finding.message


def test_a_name_that_nobody_knows_is_told_with_the_nearest_one():
    (finding,) = mistakes_in("{thng.nam}", "body")
    assert finding.suggestion == "thng.name"


def test_the_caller_says_which_known_fields_have_no_place():
    (finding,) = mistakes_in("{thng.name}{thng.id}", "body", {"thng.id": "not here"}.get)
    assert (finding.message, finding.column) == ("not here", 12)


@given(JSON)
def test_what_is_escaped_comes_out_as_it_was(value):
    def escaped(each):
        match each:
            case str():
                return each.replace("{", "{{").replace("}", "}}")
            case dict():
                return {name: escaped(inner) for name, inner in each.items()}
            case list():
                return [escaped(inner) for inner in each]
            case _:
                return each

    assert not list(mistakes_in(escaped(value), "v"))
    assert filled(escaped(value), {}.get) == value


@given(st.text(), JSON | st.floats() | st.frozensets(st.text(max_size=3), max_size=2))
def test_whatever_the_text_and_the_value_are_what_passes_the_check_can_be_filled_and_sent(text, value):
    if not list(mistakes_in(text, "v")):
        json.dumps(filled(text, {"thng.name": value}.get), allow_nan=False)
    json.dumps(filled(["{thng.name}", "a {thng.name}"], {"thng.name": value}.get), allow_nan=False)


def test_what_is_put_in_has_a_limit_however_often_it_is_named():
    text = "x" * 90_000
    assert len(filled(["{thng.name}"] * 10, {"thng.name": text}.get)) == 10
    for value in (text, [text], {"a": text}):
        with pytest.raises(TooLarge, match="1,000,000 bytes"):
            filled(["{thng.name}"] * 600, {"thng.name": value}.get)
