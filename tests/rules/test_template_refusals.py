"""A template that is not in order is refused with its place and what would be: braces, names, and its length."""

import pytest

from fingerpost.rules.fields import REDIRECTOR, field_of, suggestion
from fingerpost.rules.template import (
    MAX_TEMPLATE_CHARACTERS,
    InvalidTemplate,
    UnknownTemplateField,
    parse_default_url,
    parse_template,
)

OPEN = "a '{' without its '}'"
CLOSED = "a '}' without its '{'; braces stand around field names only"
EMPTY = "an empty placeholder: write a field's name between the braces, as in {thng.id}"
INSIDE = "a '{' inside a placeholder: close the first with '}'"
DEFAULT_FIELDS = ("{evrythngId}", "{thngId}", "{productId}", "{shortId}")
LONG = "https://x.io/abcdefghijklmnopqrstuvwxyz0123456789"


def read(text, **more):
    return parse_template(
        text,
        known=lambda name: field_of(REDIRECTOR, name) is not None,
        nearest=lambda name: suggestion(REDIRECTOR, name),
        **more,
    )


def refused(parse, text, field):
    with pytest.raises(InvalidTemplate) as error:
        parse(text, document_field=field)
    (finding,) = error.value.details
    assert (error.value.code, error.value.status, finding.field) == ("invalidTemplate", 400, field)
    assert str(error.value) == f"{field}: {finding.message}"
    return finding


@pytest.mark.parametrize(
    ("template", "column", "message", "near", "expected"),
    [
        ("https://x.io/{", 14, OPEN, "{", ("}",)),
        ("https://x.io/{thng.id", 14, OPEN, "{thng.id", ("}",)),
        ("https://x.io/%7bthng.id", 14, OPEN, "%7bthng.id", ("}",)),
        ("https://x.io/{thng.customFields.abcdefghijk", 14, OPEN, "{thng.customFields.abcde", ("}",)),
        ("https://x.io/}", 14, CLOSED, "https://x.io/", ()),
        ("https://x.io/{thng.id}%7D", 23, CLOSED, "", ()),
        (LONG + "}", 50, CLOSED, "mnopqrstuvwxyz0123456789", ()),
        ("https://x.io/{}", 14, EMPTY, "{}", ()),
        ("https://x.io/{ %20 }/a", 14, EMPTY, "{ %20 }", ()),
        ("https://x.io/{thng{.id}}", 19, INSIDE, "thng", ()),
        ("https://x.io/{{thng.id}}", 15, INSIDE, "", ()),
        ("https://x.io/{" + LONG + "{", 64, INSIDE, "mnopqrstuvwxyz0123456789", ()),
    ],
)
def test_braces_mean_placeholders_and_nothing_else(template, column, message, near, expected):
    for parse, field in ((read, "rules[1].redirectUrl"), (parse_default_url, "there")):
        finding = refused(parse, template, field)
        assert (finding.column, finding.message) == (column, message)
        assert (finding.near, finding.expected) == (near, expected)


@pytest.mark.parametrize("parse", [read, parse_default_url])
def test_the_length_of_a_template_has_a_limit_that_the_error_names(parse):
    parse("https://x.io/".ljust(MAX_TEMPLATE_CHARACTERS, "a"))
    finding = refused(parse, "https://x.io/".ljust(MAX_TEMPLATE_CHARACTERS + 1, "a"), "here")
    assert finding.message == "a URL template has at most 2,048 characters"
    assert finding.column is None


def test_unknown_fields_are_told_together_each_with_the_nearest_name():
    with pytest.raises(UnknownTemplateField) as error:
        read("https://x.io/{thng.nmae}?{shop}={constants.shop}", document_field="here")
    first = "there is no field 'thng.nmae', and the rule has no constant of that name"
    assert str(error.value) == f"here: {first}"
    assert error.value.code == "invalidTemplate"
    assert [(each.field, each.column, each.near, each.message) for each in error.value.details] == [
        ("here", 14, "thng.nmae", first),
        ("here", 26, "shop", "there is no field 'shop', and the rule has no constant of that name"),
        ("here", 33, "constants.shop", "the rule has no constant 'shop'"),
    ]
    assert error.value.details[0].suggestion == "thng.name"


def test_what_could_never_be_a_target_is_said_before_unknown_fields():
    with pytest.raises(InvalidTemplate) as error:
        read("ftp://x.io/{nothing}")
    assert not isinstance(error.value, UnknownTemplateField)


@pytest.mark.parametrize("name", ["thng.id", "a" * 61])
def test_a_default_url_takes_no_other_placeholder_and_says_which_there_are(name):
    finding = refused(parse_default_url, f"https://x.io/{{{name}}}", "here")
    assert finding.message == (
        f"'{{{name[:60]}}}' is no placeholder of a default URL; there are {', '.join(DEFAULT_FIELDS)}"
    )
    assert (finding.column, finding.near, finding.expected) == (14, name, DEFAULT_FIELDS)


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("https://x.io:evrythngId/", 13, "part of the host or the port"),
        (":evrythngId", 1, "template's own text"),
        ("javascript:evrythngId", 1, "scheme is missing"),
        ("/a", 1, "relative"),
        ("https://{shortId}", 9, "part of the host or the port"),
        ("https://x.io/a b:evrythngId", 15, "a space"),
        ("https://x.io/:evrythngId/a b:evrythngId", 27, "a space"),
        ("https://x.io/:evrythngId/a b", 27, "a space"),
        ("https://x.io/{shortId}/a b{shortId}", 25, "a space"),
        ("https://x.io/{shortId}/a :evrythngId", 25, "a space"),
    ],
)
def test_a_default_url_is_held_to_the_same_target_check(text, column, says):
    finding = refused(parse_default_url, text, "here")
    assert finding.column == column
    assert says in finding.message
