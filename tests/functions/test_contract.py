"""What routes say of themselves: all of it, and nothing else goes out."""

import importlib

import pytest

from fingerpost.contract import UNSAID
from fingerpost.local.functions import EDGES
from fingerpost.openapi_page import description
from tests.functions.contract import hold

ROUTES = [route for name in EDGES for route in importlib.import_module(f"functions.{name}.app").edge.registered]
TAGGED = {"content-type": "application/json", "etag": '"1.a"'}
THNG = b'{"id":"U5bQeGDeaVRahp6yRHcRPQkw","createdAt":1,"updatedAt":1,"name":"Lamp","customFields":{},"identifiers":{}'


@pytest.mark.parametrize("route", ROUTES, ids=[f"{each.method} {each.template}" for each in ROUTES])
def test_a_route_says_what_it_reads_and_answers(route):
    assert route.says.answers is not UNSAID
    reads = route.says.body is not UNSAID
    assert reads == (route.method in ("POST", "PUT", "PATCH")), "a body, or None for a route that reads none"


def test_what_fits_passes():
    hold("GET /thngs/{thngId}", 200, TAGGED, THNG + b',"properties":{}}')


@pytest.mark.parametrize(
    ("status", "headers", "content"),
    [
        (201, TAGGED, THNG + b',"properties":{}}'),
        (200, {"content-type": "text/html"}, b"<p>"),
        (200, {"content-type": "application/json"}, THNG + b',"properties":{}}'),
        (200, TAGGED, THNG + b"}"),
        (200, TAGGED, THNG + b',"properties":{},"secret":1}'),
        (200, TAGGED, THNG + b',"properties":{},"product":7}'),
        (404, TAGGED, b'{"status":404}'),
    ],
    ids=[
        "another status",
        "another type",
        "no version",
        "a field less",
        "a field more",
        "a field of another type",
        "no error",
    ],
)
def test_what_a_route_does_not_say_is_a_failure(status, headers, content):
    with pytest.raises(AssertionError):
        hold("GET /thngs/{thngId}", status, headers, content)


def test_no_two_documents_have_one_name():
    assert not [name for name in description()["components"]["schemas"] if "__" in name]


def test_every_parameter_of_an_address_says_what_it_is():
    for operations in description()["paths"].values():
        for operation in operations.values():
            for each in operation.get("parameters", ()):
                assert each["description"]
                assert each["schema"]["type"]


def test_a_parameter_that_a_route_does_not_say_is_a_failure():
    with pytest.raises(AssertionError, match="colour"):
        hold("GET /thngs/{thngId}", 200, TAGGED, THNG + b',"properties":{}}', ["colour"])


def test_a_header_that_a_route_does_not_say_is_a_failure():
    with pytest.raises(AssertionError, match="x-result-count"):
        hold("GET /thngs/{thngId}", 200, {**TAGGED, "x-result-count": "1"}, THNG + b',"properties":{}}')
