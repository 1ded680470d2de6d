"""Filters are read out of comments; what cannot be read is ignored with a warning, a second one is refused."""

import pytest

from fingerpost.reactor.filters import HANDLERS, Duplicate, filters_in, functions_in
from fingerpost.rules.nodes import from_json, matches


def holds(filters, function, context):
    return matches(from_json(filters.by_function[function].nodes), context)


def test_a_filter_in_a_line_comment():
    found = filters_in("// @filter(onActionCreated) action.type=scans\nfunction onActionCreated() {}")
    assert found.by_function["onActionCreated"].text == "action.type=scans"
    assert holds(found, "onActionCreated", {"action.type": "scans"})
    assert not holds(found, "onActionCreated", {"action.type": "buys"})
    assert found.warnings == ()


def test_filters_in_block_comments_stand_anywhere_and_belong_to_the_function_they_name():
    found = filters_in(
        "/**\n * Hot.\n * @filter(onThngPropertiesChanged) propertyChangeNew.temp>20|thng.tags=hot\n * and more\n */\n"
        "const x = 1; /* @filter( onProductPropertiesChanged ) product.name=Lamp* */"
    )
    assert {name: each.text for name, each in found.by_function.items()} == {
        "onThngPropertiesChanged": "propertyChangeNew.temp>20|thng.tags=hot",
        "onProductPropertiesChanged": "product.name=Lamp*",
    }
    assert holds(found, "onThngPropertiesChanged", {"propertyChangeNew.temp": 21})


def test_a_pipe_may_be_written_as_the_platforms_documents_tell_to():
    found = filters_in("// @filter(onActionCreated) action.type=scans%7Caction.type=buys")
    assert holds(found, "onActionCreated", {"action.type": "buys"})


def test_what_stands_in_a_string_is_no_filter():
    assert filters_in("const a = '// @filter(onActionCreated) action.type=scans';").by_function == {}


def test_a_second_filter_of_a_function_is_refused_as_duplicate():
    source = "// @filter(onActionCreated) action.type=a\n\n/* @filter(onActionCreated) action.type=b */"
    with pytest.raises(Duplicate, match="onActionCreated has a filter in line 1 and another in line 3") as refused:
        filters_in(source)
    assert refused.value.code == "duplicate"


def test_also_when_one_of_them_cannot_be_read():
    with pytest.raises(Duplicate):
        filters_in("// @filter(onActionCreated) &&&\n// @filter(onActionCreated) action.type=b")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("action.type=", "expected a value"),
        ("acton.type=scans", "did you mean 'action.type'"),
        ("timeOfDay=noon", "timeOfDay"),
        ("", "expected a field name"),
    ],
)
def test_a_filter_that_cannot_be_read_is_ignored_with_a_warning(text, told):
    found = filters_in(f"\n// @filter(onActionCreated) {text}")
    assert found.by_function == {}
    (warning, *_) = found.warnings
    assert warning.field == "@filter(onActionCreated)"
    assert warning.message.startswith("line 2: ")
    assert told in warning.message
    assert "runs on every event" in warning.message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("(onThngPropertiesChanged) thng.name=x | action.type=scans", "action.type is of actions"),
        ("(onProductPropertiesChanged) thng.name=x", "thng.name is of a thng"),
        ("(onActionCreated) propertyChangeNew.x>1", "propertyChangeNew.x is of changed properties; an action has none"),
    ],
)
def test_a_field_that_its_function_never_has_is_warned_of_and_the_filter_counts(text, told):
    found = filters_in(f"\n// @filter{text}")
    (warning,) = found.warnings
    assert warning.message.startswith(f"line 2: {told}")
    assert len(found.by_function) == 1


@pytest.mark.parametrize("annotation", ["@filter action.type=scans", "@filter() a=b", "@filter(onScheduledEvent) a=b"])
def test_a_filter_for_no_function_is_ignored_with_a_warning(annotation):
    found = filters_in(f"// {annotation}")
    assert found.by_function == {}
    assert "onActionCreated, onThngPropertiesChanged, onProductPropertiesChanged" in found.warnings[0].message


def test_the_functions_of_a_script_are_those_it_names_and_all_when_in_doubt():
    assert functions_in(["function onActionCreated() {}", "exports.onScheduledEvent = x"]) == (
        "onActionCreated",
        "onScheduledEvent",
    )
    assert functions_in(["module.exports = require('./handlers')"]) == HANDLERS
    assert functions_in(["x", "const onThngPropertiesChanged = 1"]) == ("onThngPropertiesChanged",)


@pytest.mark.parametrize("text", ["// @filter(" + " " * 300_000, "/*" + "@filter(x)\n" * 100_000 + "*/"])
def test_annotations_that_were_made_to_take_long_do_not(text):
    found = filters_in(text)
    assert found.by_function == {}
    assert 1 <= len(found.warnings) <= 50
