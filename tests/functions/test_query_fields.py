"""The query string of a short URL: what rules see of it, and that nothing a stranger writes there does harm."""

import re
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fingerpost.redirection.facts import MAX_QUERY, parameters, whole_parameters
from tests.functions.world import Client, World

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a=1&a=2", {"a": "1"}),
        ("a", {"a": ""}),
        ("a=", {"a": ""}),
        ("a=b=c", {"a": "b=c"}),
        ("a+b=c+d", {"a b": "c d"}),
        ("%61=%C3%A9", {"a": "é"}),
        ("a=%zz%4", {"a": "%zz%4"}),
        ("a=%FF", {"a": "\ufffd"}),
        ("a=%+1", {"a": "% 1"}),
        ("", {}),
        ("=1&&;&", {";": ""}),
        ("utm.source=x", {"utm.source": "x"}),
    ],
)
def test_parameters_are_decoded_once_and_the_first_of_a_name_counts(query, found):
    assert parameters(query) == found


@given(st.lists(st.tuples(texts.filter(bool), texts), max_size=5))
def test_parameters_are_what_the_standard_library_makes_of_them(pairs):
    query = urlencode(pairs)
    first: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        first.setdefault(name, value)
    assert parameters(query) == first


@given(st.text(max_size=600))
def test_what_is_kept_is_short_plain_and_made_of_whole_parameters(raw):
    kept = whole_parameters(raw)
    assert len(kept) <= MAX_QUERY and re.fullmatch("[!-~]*", kept)
    sent = re.sub("[^!-~]", lambda found: quote(found[0].encode(errors="replace")), raw)
    assert kept == "" or f"{sent}&".startswith(f"{kept}&")


def test_a_parameter_that_does_not_fit_is_left_out_whole():
    assert whole_parameters("a=1&b=" + "x" * 300 + "&c=3") == "a=1"
    assert whole_parameters("a=" + "x" * 300) == ""
    exact = "a=1&b=" + "x" * (MAX_QUERY - 6)
    assert whole_parameters(exact) == whole_parameters(exact + "&c=3") == exact
    assert whole_parameters(exact + "x&c=3") == "a=1"


HOSTILE = [
    "a=%0d%0aSet-Cookie:%20x=1",
    "a=%0D%0ALocation:%20https://evil.example/",
    "a=\r\nset-cookie: x=1",
    "a=%00%1b[31m",
    "a=//evil.example/",
    "a=https://evil.example/",
    "a=@evil.example",
    "a=%2e%2e/%2e%2e/",
    "a=../..",
    "a=\\evil.example",
    "a={thng.id}",
    "a=%7Bthng.id%7D",
    "a=%ED%A0%80",
    "a=\ud800",
    "a=" + "%" * 200,
    "&" * 5_000 + "a=1",
    "a=1&" * 5_000,
    "a=" + "é" * 5_000,
    "__proto__=1&a=\u202eexe",
]


@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_the_query_says_the_url_stays_on_its_host_and_in_its_header(world: World, operator: Client, query):
    operator.publish({"match": "query.a!=never", "redirectUrl": "https://x.example/p/{query.a}?a={query.a}#{query.a}"})
    link = operator.link(world.thng()["id"])["shortId"]
    answer = world.scan(link, query=query)
    assert answer.status == 307
    assert re.fullmatch(r"https://x\.example/p/[!-~]*\?a=[!-~]*#[!-~]*", answer.location)
    assert "/.." not in answer.location and set(answer.headers) == {"location", "cache-control", "x-fingerpost-cause"}
    (row,) = world.recorded()
    assert len(row.get("q", "")) <= MAX_QUERY
    assert row["url"] == answer.location


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.text(max_size=80))
def test_no_query_is_an_error(world: World, raw):
    if not world.operator.read("/redirector")["version"]:
        world.operator.publish({"match": "query.a=*", "redirectUrl": "https://x.example/{query.a}"})
        world.operator.link(world.thng()["id"], shortId="HOSTILE")
    assert world.scan("HOSTILE", query=f"{raw}&a={raw}").status == 307
