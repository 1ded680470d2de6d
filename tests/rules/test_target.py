"""What a template may lead to: a host that somebody wrote down, read by every browser alike; else what to write."""

import pytest

from fingerpost.rules.template import InvalidTemplate, parse_template

INSTEAD = "write https://example.com/"
NO_VALUE = (
    "the scheme and the host must be the template's own text, not a value: "
    "write for example https://example.com/ before the placeholder"
)
NOT_IN_HOST = "a placeholder may not be part of the host or the port: end the host with '/' before it"
NO_USER = "a user name or password may not stand before the host: leave out everything up to '@'"
NO_HOST = "the host is missing: write for example https://example.com/"
SLASHES = f"two slashes follow the scheme: {INSTEAD}"
RELATIVE = "a relative address leads nowhere: write the whole one, https://example.com/"
IN_HOSTS = "is no host: letters, digits and '-' in parts of at most 63 characters, joined with '.'"
IN_PORTS = "is no port: write a number from 1 to 65535, or leave out the ':'"
IPV4 = "is no IPv4 address: write four numbers from 0 to 255, joined with '.'"
LONGEST_LABEL = "a" * 63
LONGEST_HOST = f"{LONGEST_LABEL}." * 3 + "b" * 61


def refused(template):
    with pytest.raises(InvalidTemplate) as error:
        parse_template(template, known=lambda _: True)
    (finding,) = error.value.details
    assert finding.field == "redirectUrl"
    return finding


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("", "a URL is expected, such as https://example.com/"),
        ("/thngs/{thng.id}", f"{RELATIVE}thngs/"),
        ("/XL", f"{RELATIVE}XL"),
        ("../a", f"{RELATIVE}a"),
        ("?a=b", f"{RELATIVE}?a=b"),
        ("#a", f"{RELATIVE}#a"),
        ("//evil.example/{thng.id}", "the scheme is missing: write https://evil.example/"),
        ("example.com/{thng.id}", "the scheme is missing: write https://example.com/"),
        ("example.com:8080/a", "the scheme is missing: write https://example.com:8080/a"),
        ("XMAS.example", "the scheme is missing: write https://XMAS.example"),
        ("a" * 61, "the scheme is missing: write https://" + "a" * 60),
        ("javascript:alert(1)", f"a URL begins with http: or https:, not 'javascript:': {INSTEAD}"),
        ("data:text/html,x", f"a URL begins with http: or https:, not 'data:': {INSTEAD}"),
        ("intent://scan/#Intent;end", f"a URL begins with http: or https:, not 'intent:': {INSTEAD}"),
        ("http:x.io", SLASHES),
        ("HTTPS:x.io", SLASHES),
        ("https:/x.io", SLASHES),
        ("https:{thng.name}", SLASHES),
        ("{thng.customFields.url}", NO_VALUE),
    ],
)
def test_a_target_begins_with_its_scheme(template, message):
    finding = refused(template)
    assert finding.message == message
    assert finding.column == 1
    assert finding.expected == ("https://",)
    assert finding.near == template[:16]


@pytest.mark.parametrize(
    ("template", "column", "near"),
    [
        ("https://{thng.name}/a", 9, "https://{thng.name}/a"),
        ("https://{thng.name}.x.io/a", 9, "https://{thng.name}.x.io"),
        ("https://x.{country}/a", 11, "tps://x.{country}/a"),
        ("https://x.io:{country}/a", 14, "://x.io:{country}/a"),
        ("https://x.io{country}", 13, "s://x.io{country}"),
        ("https://{thng.name}@x.io/", 9, "https://{thng.name}@x.io"),
    ],
)
def test_no_value_is_part_of_the_host(template, column, near):
    finding = refused(template)
    assert finding.message == NOT_IN_HOST
    assert (finding.column, finding.near, finding.expected) == (column, near, ("/",))


@pytest.mark.parametrize(
    ("authority", "message"),
    [
        ("", NO_HOST),
        (":80", NO_HOST),
        ("user@x.io", NO_USER),
        ("user:secret@x.io", NO_USER),
        ("x.io:", f"'' {IN_PORTS}"),
        ("x.io:0", f"'0' {IN_PORTS}"),
        ("x.io:65536", f"'65536' {IN_PORTS}"),
        ("x.io:٣", f"'٣' {IN_PORTS}"),
        ("x.io:" + "1" * 61, f"'{'1' * 60}' {IN_PORTS}"),
        ("x..io", f"'x..io' {IN_HOSTS}"),
        ("-x.io", f"'-x.io' {IN_HOSTS}"),
        ("x.io%2f", f"'x.io%2f' {IN_HOSTS}"),
        ("℀.example", f"'℀.example' {IN_HOSTS}"),
        ("＠evil.example", f"'＠evil.example' {IN_HOSTS}"),
        (LONGEST_LABEL + "a.io", f"'{'a' * 60}' {IN_HOSTS}"),
        (LONGEST_HOST + "b", f"'{'a' * 60}' {IN_HOSTS}"),
        ("256.1.1.1", f"'256.1.1.1' {IPV4}"),
        ("1.2.3", f"'1.2.3' {IPV4}"),
        ("2130706433", f"'2130706433' {IPV4}"),
        ("0x7f.1", f"'0x7f.1' {IPV4}"),
        ("127.0.0.0x1", f"'127.0.0.0x1' {IPV4}"),
        ("127.0.0.0X1F", f"'127.0.0.0X1F' {IPV4}"),
        ("[::1", "'[:' is no IPv6 address"),
        ("[1.2.3.4]", "'[1.2.3.4]' is no IPv6 address"),
        ("[fe80::1%25eth0]", "'[fe80::1%25eth0]' is no IPv6 address"),
        (
            "straße.example",
            "'straße.example' is not clear as a host: write it in its ASCII form, which begins with xn--",
        ),
    ],
)
def test_a_host_is_one_that_every_browser_reads_alike(authority, message):
    finding = refused(f"https://{authority}/a")
    assert finding.message == message
    assert (finding.column, finding.expected) == (9, ())


@pytest.mark.parametrize("ending", ["/a", "?a", "#a", ""])
def test_the_host_ends_where_the_path_the_query_or_the_fragment_begins(ending):
    assert refused(f"https://{ending}").message == NO_HOST


@pytest.mark.parametrize(
    ("template", "column", "named"),
    [
        ("https://x.io/a b", 15, "a space (write %20)"),
        (" https://x.io/", 1, "a space (write %20)"),
        ("https://x.io/{thng.id}\r\nSet-Cookie: a", 23, "a line break"),
        ("https://x.io/{thng.id}\nSet-Cookie: a", 23, "a line break"),
        ("https://x.io\\@evil.example/", 13, "a backslash (write / or %5C)"),
        ("https://x.io/\x00", 14, "the invisible character U+0000"),
        ("https://x.io/\ud800", 14, "the invisible character U+D800"),
        ("https://x.io/\u2028", 14, "the invisible character U+2028"),
    ],
)
def test_what_no_url_can_hold_is_named_where_it_stands(template, column, named):
    finding = refused(template)
    assert finding.message == f"{named} may not stand in a URL"
    assert (finding.column, finding.expected) == (column, ())


def test_a_refusal_shows_eight_characters_before_its_place_and_sixteen_from_it():
    assert refused("https://x.io/abcdefghij klmnopqrstuvwxyz").near == "cdefghij klmnopqrstuvwxy"


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        (LONGEST_HOST, LONGEST_HOST),
        ("[::]", "[::]"),
        ("x.io:65535", "x.io"),
        (f"bücher.{LONGEST_LABEL}:8443", f"xn--bcher-kva.{LONGEST_LABEL}"),
    ],
)
def test_a_host_is_as_long_as_names_may_be_and_its_port_is_no_part_of_it(authority, host):
    assert parse_template(f"https://{authority}/", known=lambda _: True).host == host
