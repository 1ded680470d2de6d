import pytest

from fingerpost.local.functions import Function
from fingerpost.local.routes import Router


def function(name, *routes):
    return Function(name, lambda event, context: name, tuple(tuple(route.split(" ")) for route in routes))


ROUTER = Router(
    [
        function("things", "GET /thngs", "POST /thngs", "GET /thngs/{thngId}", "GET /thngs/{thngId}/properties/{key}"),
        function("links", "GET /thngs/{id}/redirector", "GET /{shortId}.qr", "GET /{shortId}", "ANY /any"),
        function("batches", "GET /thngs/batch", "GET /files/{path+}"),
    ]
)


def match(method, path):
    found = ROUTER.match(method, path)
    return found and (found.function.name, found.route_key, found.parameters)


def test_a_path_finds_its_function_and_its_parameters():
    assert match("GET", "/thngs/U1") == ("things", "GET /thngs/{thngId}", {"thngId": "U1"})
    assert match("GET", "/thngs/U1/redirector") == ("links", "GET /thngs/{id}/redirector", {"id": "U1"})


def test_a_fixed_segment_wins_over_a_variable_one():
    assert match("GET", "/thngs/batch") == ("batches", "GET /thngs/batch", {})


def test_parameters_are_decoded_once_and_keep_an_encoded_slash():
    expected = {"thngId": "U1", "key": "a/b %20"}
    assert match("GET", "/thngs/U1/properties/a%2Fb%20%2520") == (
        "things",
        "GET /thngs/{thngId}/properties/{key}",
        expected,
    )


def test_an_encoded_fixed_segment_is_that_segment():
    assert match("GET", "/%74hngs")[1] == "GET /thngs"


def test_a_greedy_parameter_takes_the_rest():
    assert match("GET", "/files/a/b.txt") == ("batches", "GET /files/{path+}", {"path": "a/b.txt"})


def test_a_variable_with_a_suffix_wins_over_one_without():
    assert match("GET", "/abc.qr") == ("links", "GET /{shortId}.qr", {"shortId": "abc"})
    assert match("GET", "/abc.png") == ("links", "GET /{shortId}", {"shortId": "abc.png"})
    assert match("GET", "/.qr") == ("links", "GET /{shortId}", {"shortId": ".qr"})


def test_any_takes_what_no_method_of_its_own_has():
    assert match("PATCH", "/any") == ("links", "ANY /any", {})


@pytest.mark.parametrize("path", ["/", "", "/thngs/", "/nothing/", "/thngs/U1/nothing", "/files/"])
def test_no_route_is_no_match(path):
    assert match("GET", path) is None


def test_a_path_known_with_another_method_has_an_owner():
    assert match("DELETE", "/thngs") is None
    assert ROUTER.owner("/thngs").name == "things"
    assert ROUTER.owner("/nothing/at/all") is None


def test_two_functions_cannot_claim_one_route():
    with pytest.raises(ValueError, match="both claim GET /a"):
        Router([function("one", "GET /a"), function("two", "GET /a")])


def test_a_very_deep_path_is_no_match_and_no_crash():
    assert match("GET", "/files" * 1 + "/a" * 5000)[0] == "batches"
    assert match("GET", "/thngs" + "/a" * 5000) is None
