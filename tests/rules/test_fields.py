"""Which fields a door knows, of which type, and what it suggests for one that it does not know."""

import pytest

from fingerpost.rules.fields import DOORS, LISTS, REACTOR, REDIRECTOR, Field, field_of, suggestion

RESOURCE = {
    "id": "text",
    "name": "text",
    "description": "text",
    "identifiers.*": "open",
    "customFields.*": "open",
    "properties.*": "open",
    "tags": "tags",
}


def types(door, prefix=""):
    return {name.removeprefix(prefix): field.type for name, field in door.fields.items() if name.startswith(prefix)}


@pytest.mark.parametrize("door", [REDIRECTOR, REACTOR])
def test_rules_and_filters_ask_the_same_of_a_thng_and_of_its_product(door):
    assert types(door, "thng.") == types(door, "product.") == RESOURCE
    assert types(door, "place.") == {"id": "text", "tags": "tags", "customFields.*": "open", "distance": "number"}
    assert types(door, "action.") == {"type": "text", "customFields.*": "open"}
    assert types(door, "user.") == {"gender": "text", "age": "integer", "locale": "text", "customFields.*": "open"}


def test_rules_ask_of_projects_and_applications_and_filters_of_changes():
    whole = {name: type_ for name, type_ in RESOURCE.items() if not name.startswith("properties")}
    assert types(REDIRECTOR, "project.") == whole
    assert types(REDIRECTOR, "application.") == {name: whole[name] for name in whole if name != "identifiers.*"}
    assert types(REACTOR, "propertyChange") == {"Old.*": "open", "New.*": "open"}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        (
            "thng",
            {
                "name": "text",
                "tags": "tags",
                "identifiers.*": "open",
                "product": "text",
                "collections": "tags",
                "createdAt": "time",
            },
        ),
        ("place", {"name": "text", "tags": "tags", "identifiers.*": "open"}),
        ("user", {"email": "text", "firstName": "text", "lastName": "text"}),
        (
            "action",
            {
                "type": "text",
                "thng": "text",
                "product": "text",
                "collection": "text",
                "user": "text",
                "tags": "tags",
                "identifiers.*": "open",
                "timestamp": "time",
                "context.city": "text",
                "context.countryCode": "country",
            },
        ),
        ("scan", {"method": "text", "type": "text", "value": "text", "score": "number"}),
    ],
)
def test_a_list_is_filtered_by_the_fields_of_its_resource(name, fields):
    assert types(LISTS[name]) == fields


def test_a_door_is_found_by_its_name_and_says_what_it_is():
    assert all(door.name == name for name, door in DOORS.items())
    assert {name: LISTS[name].title for name in ("thng", "property", "scan")} == {
        "thng": "lists of thngs",
        "property": "histories of properties",
        "scan": "identifications",
    }
    assert REDIRECTOR.title == "redirector rules"


@pytest.mark.parametrize("name", ["thng.customFields.", "thng.customFields", ".customFields.a", "thng.", "", "."])
def test_a_family_has_a_key(name):
    assert field_of(REDIRECTOR, name) is None


def test_a_key_is_whatever_follows_the_familys_dot():
    assert field_of(REDIRECTOR, "thng.customFields.a.b.") == Field("thng.customFields.*", "open")
    assert field_of(REDIRECTOR, "thng.customFields..") == Field("thng.customFields.*", "open")


def test_a_suggestion_keeps_the_key_whole():
    assert suggestion(REDIRECTOR, "thng.customField.a.b") == "thng.customFields.a.b"


def test_names_of_up_to_a_hundred_characters_have_suggestions():
    start = "thng.customField."
    for length, near in ((100, "thng.customFields." + "x" * 83), (101, None)):
        assert suggestion(REDIRECTOR, start.ljust(length, "x")) == near
