"""A template says where a scan goes; a value fills its place there and can change nothing else."""

import json
import re
import subprocess
import sys
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fingerpost.rules.fields import REDIRECTOR, field_of, suggestion
from fingerpost.rules.template import (
    MAX_URL_CHARACTERS,
    InvalidTemplate,
    fill,
    from_json,
    parse_default_url,
    parse_template,
    to_json,
)

HOSTILE = [
    "/../",
    "..",
    ".",
    "../../admin",
    "%2e%2e",
    "@evil.example",
    "//evil.example",
    "\\\\evil.example",
    ":8080",
    "%0d%0aSet-Cookie: a=b",
    "\r\nSet-Cookie: a=b",
    "?a=b#c",
    "#",
    "&x=1",
    "<script>",
    "\"'`",
    "\u202e\x00\x7f",
    "日本語/🎉",
    "\ud800",
    "a b+c",
    "{thng.id}",
    "%7Bthng.id%7D",
    "\u2028",
]


def read(text, constants=()):
    return parse_template(
        text,
        known=lambda name: field_of(REDIRECTOR, name) is not None,
        constants=constants,
        nearest=lambda name: suggestion(REDIRECTOR, name),
    )


def filled(text, context=None, constants=None):
    return fill(read(text, constants or ()), context or {}, constants)


@pytest.mark.parametrize(
    ("template", "context", "url"),
    [
        ("https://evrythng.com/{thng.id}", {"thng.id": "U1"}, "https://evrythng.com/U1"),
        ("https://evrythng.com/%7bthng.id%7d", {"thng.id": "U1"}, "https://evrythng.com/U1"),
        ("https://evrythng.com/%7Bthng.id%7D?x=%7Bcountry}", {"country": "IE"}, "https://evrythng.com/?x=IE"),
        (
            "https://example.com/action?name={thng.name}&sap_code={thng.identifiers.sap_code}&timestamp={timestamp}",
            {"thng.name": "a & b", "thng.identifiers.sap_code": "7/8", "time": 1519000000000},
            "https://example.com/action?name=a%20%26%20b&sap_code=7%2F8&timestamp=1519000000000",
        ),
        ("https://x.io/{thng.name}#{thng.name}", {"thng.name": "a/b?c#d"}, "https://x.io/a/b%3Fc%23d#a%2Fb%3Fc%23d"),
        ("https://x.io?a={country}", {"country": "IE"}, "https://x.io?a=IE"),
        ("https://x.io#{country}", {"country": "IE"}, "https://x.io#IE"),
        ("https://x.io#a?{thng.name}", {"thng.name": "/"}, "https://x.io#a?%2F"),
        ("https://x.io/{thng.tags}", {"thng.tags": ["a", "b,c", True, 3]}, "https://x.io/a,b%2Cc,true,3"),
        ("https://x.io/{thng.tags}", {"thng.tags": []}, "https://x.io/"),
        ("https://x.io/{thng.tags}/{country}.", {}, "https://x.io//."),
        ("https://x.io/{location.lat}", {"location.lat": 53.5}, "https://x.io/53.5"),
        ("https://x.io/{location.lat}", {"location.lat": -6.0}, "https://x.io/-6"),
        ("https://x.io/{location.lat}", {"location.lat": 1e22}, "https://x.io/1e%2B22"),
        ("https://x.io/{location.lat}", {"location.lat": float("nan")}, "https://x.io/"),
        ("https://x.io/{thng.customFields.a}", {"thng.customFields.a": False}, "https://x.io/false"),
        ("https://x.io/{thng.customFields.a}", {"thng.customFields.a": 10**500}, "https://x.io/"),
        ("https://x.io/{thng.customFields.a}", {"thng.customFields.a": 2**1023}, "https://x.io/"),
        ("https://x.io/{thng.customFields.a}", {"thng.customFields.a": 2**1023 - 1}, f"https://x.io/{2**1023 - 1}"),
        ("https://x.io/{thng.customFields.a}", {"thng.customFields.a": 2.0**53 - 1}, "https://x.io/9007199254740991"),
        ("https://x.io/{thng.customFields.a}", {"thng.customFields.a": 2.0**53}, "https://x.io/9007199254740992.0"),
        ("https://x.io/{thng.customFields.a}", {"thng.customFields.a": {"b": 1}}, "https://x.io/%7B%22b%22%3A1%7D"),
        (
            "https://x.io/{thng.customFields.a}",
            {"thng.customFields.a": {"b": "/é", "c": {2}}},
            "https://x.io/%7B%22b%22%3A%22/%C3%A9%22%2C%22c%22%3A%22%7B2%7D%22%7D",
        ),
        ("https://x.io/{thng.tags}?{thng.tags}", {"thng.tags": ["a/b"]}, "https://x.io/a/b?a%2Fb"),
        ("https://x.io/{thng.customFields.a b}", {"thng.customFields.a b": "c"}, "https://x.io/c"),
        ("https://x.io/{thng.customFields.a%20b}", {"thng.customFields.a b": "c"}, "https://x.io/c"),
        ("https://x.io/{thng.identifiers.gs1:21}", {"thng.identifiers.gs1:21": "c"}, "https://x.io/c"),
        ("https://x.io/{thng.name}", {"thng.name": "grün\ud800"}, "https://x.io/gr%C3%BCn%3F"),
    ],
)
def test_filling(template, context, url):
    assert filled(template, context) == url


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("https://x.io/café?q=日本#é", "https://x.io/caf%C3%A9?q=%E6%97%A5%E6%9C%AC#%C3%A9"),
        ("https://x.io/<a>|\"'^`", "https://x.io/%3Ca%3E%7C%22%27%5E%60"),
        ("https://x.io/100%?a=5%2g&b=%41%7e", "https://x.io/100%25?a=5%252g&b=%41%7e"),
        ("https://x.io/👨\u200d👧", "https://x.io/%F0%9F%91%A8%E2%80%8D%F0%9F%91%A7"),
        ("https://bücher.example:8443/a", "https://xn--bcher-kva.example:8443/a"),
        ("HTTPS://X.io", "HTTPS://X.io"),
        ("http://localhost:8001/a/../b", "http://localhost:8001/a/../b"),
        ("http://127.0.0.1/", "http://127.0.0.1/"),
        ("http://[::1]:65535/", "http://[::1]:65535/"),
        ("https://a_b.x-y.io./", "https://a_b.x-y.io./"),
        ("https://x.io/a:b@c//d", "https://x.io/a:b@c//d"),
        ("https://x.io/:None", "https://x.io/:None"),
        ("https://x.io/{country}http://bücher.example/", "https://x.io/http://b%C3%BCcher.example/"),
    ],
)
def test_the_templates_own_text_is_kept_and_encoded_where_a_header_needs_it(template, url):
    assert filled(template) == url


def test_a_percent_sign_before_a_value_cannot_join_it():
    assert filled("https://x.io/%{thng.name}", {"thng.name": "0d"}) == "https://x.io/%250d"
    assert filled("https://x.io/%0{thng.name}", {"thng.name": "d"}) == "https://x.io/%250d"


@pytest.mark.parametrize(
    ("template", "value", "url"),
    [
        ("https://x.io/a/{thng.name}", "..", "https://x.io/a/"),
        ("https://x.io/a/{thng.name}/b", ".", "https://x.io/a//b"),
        ("https://x.io/a/{thng.name}", "../../b", "https://x.io/a///b"),
        ("https://x.io/a/.{thng.name}/b", ".", "https://x.io/a//b"),
        ("https://x.io/a/{thng.name}%2E/b", ".", "https://x.io/a//b"),
        ("https://x.io/a/%2E{thng.name}/b", ".", "https://x.io/a//b"),
        ("https://x.io/a/%2e{thng.name}/b", ".", "https://x.io/a//b"),
        ("https://x.io/X/{thng.name}/b", "..", "https://x.io/X//b"),
        ("https://x.io/./{thng.name}/../b", "..", "https://x.io/.//../b"),
        ("https://x.io/a/{thng.name}", "%2e%2e", "https://x.io/a/%252e%252e"),
        ("https://x.io/a/{thng.name}", "...", "https://x.io/a/..."),
        ("https://x.io/a/{thng.name}.html", ".", "https://x.io/a/..html"),
        ("https://x.io/a/?b=/{thng.name}", "..", "https://x.io/a/?b=/.."),
        ("https://x.io?b=/{thng.name}", "..", "https://x.io?b=/.."),
        ("https://x.io/a?b=/{thng.name}/?c", "..", "https://x.io/a?b=/../?c"),
        ("https://x.io#/{thng.name}/?c", "..", "https://x.io#/../?c"),
        ("https://x.io/#/{thng.name}", "..", "https://x.io/#/.."),
    ],
)
def test_a_value_never_makes_a_segment_that_climbs(template, value, url):
    assert filled(template, {"thng.name": value}) == url


values = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=30),
    st.lists(st.sampled_from(HOSTILE), max_size=3).map("".join),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.lists(st.sampled_from(HOSTILE) | st.integers(), max_size=3),
)


@settings(max_examples=300)
@given(path=values, more=values, query=values, fragment=values)
@example(path="..", more=".", query="#", fragment="\r\n")
def test_a_value_changes_nothing_but_its_place(path, more, query, fragment):
    context = {"thng.id": path, "thng.name": more, "country": query, "language": fragment}
    url = filled("https://shop.example:8443/a/{thng.id}/b{thng.name}?c={country}&d=e#f{language}", context)
    assert re.fullmatch(r"[!#-&(-;=?-~]+", url)  # ASCII, no space, quote, < or >
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) == ("https", "shop.example:8443")
    assert parts.path.startswith("/a/")
    assert not {".", "..", "%2e", "%2E"} & {*parts.path.split("/")}
    assert re.fullmatch(r"c=[^&#]*&d=e", parts.query)
    if isinstance(query, str):
        assert unquote(parts.query[2:-4]) == query.encode("utf-8", "replace").decode()
    if isinstance(fragment, str):
        assert unquote(parts.fragment[1:]) == fragment.encode("utf-8", "replace").decode()


def test_a_url_no_header_could_carry_is_none():
    template = read("https://x.io/{thng.name}")
    room = MAX_URL_CHARACTERS - len("https://x.io/")
    assert len(fill(template, {"thng.name": "a" * room})) == MAX_URL_CHARACTERS
    assert fill(template, {"thng.name": "a" * (room + 1)}) is None
    assert fill(template, {"thng.name": "é" * 100_000}) is None
    assert fill(template, {"thng.name": ["b" * 100] * 100_000}) is None
    assert fill(template, {"thng.name": [""] * 100_000}) is None


def test_no_more_of_a_list_is_read_than_makes_the_url_too_long():
    class Counted(list):
        def __iter__(self):
            for each in super().__iter__():
                self.read += 1
                yield each

    template = read("https://x.io/{thng.name}")
    for member, read_of_it in (("b" * 100, 80), ("", MAX_URL_CHARACTERS + 2)):  # which have as many commas but one
        values = Counted([member] * 100_000)
        values.read = 0
        assert fill(template, {"thng.name": values}) is None
        assert values.read == read_of_it


def test_constants_are_known_by_their_bare_name_and_by_their_whole():
    constants = {"shop": "a/b", "country": "never", "timestamp": "never"}
    url = filled("https://x.io/{shop}?{constants.shop}&{country}&{timestamp}&{constants.country}", {}, constants)
    assert url == "https://x.io/a/b?a%2Fb&&&never"
    assert fill(read("https://x.io/{shop}", constants), {"shop": "the context's", "constants.shop": "too"}) == (
        "https://x.io/"
    )


def test_a_template_names_the_context_fields_it_reads():
    template = read("https://x.io/{thng.id}/{shop}?{constants.shop}={timestamp}&{thng.id}", ["shop"])
    assert template.fields == {"thng.id", "time"}


@settings(max_examples=200)
@given(
    st.lists(
        st.sampled_from(["https://", "x.io", "/", ":", "@", "{", "}", "%7b", "thng.id", "?", "#", "\\", "é", "[", "."]),
        max_size=10,
    ).map("".join)
)
def test_whatever_is_accepted_leads_to_the_host_it_shows(text):
    try:
        template = read(text)
    except InvalidTemplate:
        return
    url = fill(template, {"thng.id": "@evil.example/"})
    assert urlsplit(url).hostname == template.host.strip("[]")
    assert "evil" not in template.host
    assert url.isascii()


def test_a_template_knows_its_host():
    assert read("https://Shop.Example:8443/{thng.id}").host == "shop.example"
    assert read("http://[::1]:80?{thng.id}").host == "[::1]"
    assert read("https://bücher.example").host == "xn--bcher-kva.example"


def test_a_stored_template_comes_back_as_it_was():
    template = read("https://x.io/{thng.id}/{shop}?{thng.tags}#{time}", ["shop"])
    assert from_json(json.loads(json.dumps(to_json(template)))) == template
    assert to_json(template) == [
        "https://x.io/",
        ["thng.id", "path"],
        "/",
        ["constants.shop", "path"],
        "?",
        ["thng.tags", "query"],
        "#",
        ["time", "fragment"],
    ]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://google.com/{productId}", "https://google.com/P1"),
        ("https://google.com/%7BthngId%7D", "https://google.com/T1"),
        (
            "https://museum.com/works/catalogue.php?catalogue_id={evrythngId}",
            "https://museum.com/works/catalogue.php?catalogue_id=T1",
        ),
        (
            "https://museum.com/works/catalogue.php?catalogue_id=:evrythngId",
            "https://museum.com/works/catalogue.php?catalogue_id=T1",
        ),
        ("https://x.io/:evrythngId/{shortId}", "https://x.io/T1/S1"),
        ("https://x.io/:evrythngId/:evrythngIds:evrythngId", "https://x.io/T1/:evrythngIdsT1"),
        ("https://x.io/{shortId}#{shortId}", "https://x.io/S1#S1"),
        ("https://google.com?thng=UFqMRDbaqm8EEMRaRF5h7cEg", "https://google.com?thng=UFqMRDbaqm8EEMRaRF5h7cEg"),
    ],
)
def test_default_urls(text, url):
    names = {"evrythngId": "T1", "thngId": "T1", "productId": "P1", "shortId": "S1"}
    template = parse_default_url(text)
    assert fill(template, names) == url
    assert fill(parse_default_url(url), names) == url
    assert template.fields <= names.keys()


def test_filling_loads_neither_urllib_nor_ipaddress():
    probe = (
        "import sys; from fingerpost.rules.template import fill, from_json;"
        "fill(from_json(['https://x.io/', ['a', 'path']]), {'a': '\\u00e9 b'});"
        "sys.exit(bool({'urllib.parse', 'ipaddress', 'lark', 'fingerpost.rules.target'} & sys.modules.keys()))"
    )
    paths = {"PYTHONPATH": ":".join(sys.path)}
    assert subprocess.run([sys.executable, "-S", "-c", probe], env=paths, check=False).returncode == 0
