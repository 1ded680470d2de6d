"""How an expression falls into tokens, and where its limits are."""

import pytest

from fingerpost.rules.compile import InvalidMatch, compile_match
from fingerpost.rules.fields import REDIRECTOR
from fingerpost.rules.nodes import matches
from fingerpost.rules.scanner import MAX_NESTING, MAX_VALUES, Unreadable, refuse_unstorable

AFTER_BACKSLASH = "expected a character after '\\'"


def refused(text):
    with pytest.raises(InvalidMatch) as refusal:
        compile_match(text, REDIRECTOR)
    (finding,) = refusal.value.details
    return finding


@pytest.mark.parametrize(
    ("text", "column", "message", "expected"),
    [
        ("\\", 2, AFTER_BACKSLASH, ("character",)),
        ("country=IE&\\", 13, AFTER_BACKSLASH, ("character",)),
        ("thng.name=a\\", 13, AFTER_BACKSLASH, ("character",)),
        ('thng.name="a', 11, "the quotation mark is never closed", ('"',)),
        ("thng.name=\x00", 11, "the character U+0000 cannot stand in an expression", ()),
        ('thng.name="a"=b', 14, "expected ',' or '&' or '|' or end, found '='", ("','", "'&'", "'|'", "end")),
        ('thng.name="a"<>', 14, "expected ',' or '&' or '|' or end, found '<'", ("','", "'&'", "'|'", "end")),
        ("=IE", 1, "expected a field name", ("field name", "'('", "'!'")),
    ],
)
def test_what_is_no_token_is_refused_where_it_stands(text, column, message, expected):
    finding = refused(text)
    assert (finding.column, finding.message, finding.expected) == (column, message, expected)


def test_what_cannot_be_read_says_so_in_a_log_too():
    with pytest.raises(Unreadable, match=r"^the character U\+0007 cannot stand in an expression$"):
        refuse_unstorable("a\x07")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a ", "a"),
        ("a \t\r\n", "a"),
        (r"a\  ", "a "),
        (r"a\\  ", "a\\"),
        (r"a\\\  ", "a\\ "),
        (r"a\\\\ ", r"a\\"),
        ("a b", "a b"),
        ("a\xa0", "a\xa0"),
        ("(a)b", "(a)b"),
        ("((a)b)", "((a)b)"),
    ],
)
def test_a_value_ends_before_its_last_spaces_but_for_one_behind_a_backslash(written, meant):
    for text in (f"thng.name={written}", f"(thng.name={written})", f"thng.name={written}|thng.name=other"):
        assert matches(compile_match(text, REDIRECTOR).node, {"thng.name": meant})
        assert not matches(compile_match(text, REDIRECTOR).node, {"thng.name": f"{meant} "})


def test_a_name_keeps_the_space_behind_its_last_backslash():
    assert matches(compile_match(r"thng.customFields.a\ =1", REDIRECTOR).node, {"thng.customFields.a ": "1"})
    assert matches(compile_match(r"thng.customFields.a\\ =1", REDIRECTOR).node, {"thng.customFields.a\\": "1"})


@pytest.mark.parametrize(
    "before",
    [
        "",
        "country=IE&",
        "country=IE&country=IE&",
        "!country=IE&",
        "!!country=IE&",
        "(country=IE)&",
        "!(country=IE)&",
        "!!(!(!country=IE))&",
        "((country=IE)|!(country=GB&!month=1))&",
        "&".join(["!!country=IE"] * 60) + "&",
        "&".join(["!(!(!country=IE))"] * 60) + "&",
    ],
)
def test_what_was_closed_leaves_the_whole_depth_to_what_follows(before):
    for opened, closed in (("(", ")"), ("!", ""), ("!(", ")")):
        most = MAX_NESTING // len(opened)
        compile_match(before + opened * most + "country=IE" + closed * most, REDIRECTOR)
        finding = refused(before + opened * (most + 1) + "country=IE" + closed * (most + 1))
        assert finding.message == "parentheses and negations may nest 32 deep"
        assert finding.column == len(before) + MAX_NESTING + 1


@pytest.mark.parametrize("value", ["a", '"a"'])
def test_a_list_has_a_limit_that_the_error_names_and_the_next_list_begins_anew(value):
    longest = "thng.name=" + ",".join([value] * MAX_VALUES)
    compile_match(f"{longest}&{longest}", REDIRECTOR)
    finding = refused(f"{longest},{value}")
    assert finding.message == "a list may have 100 values"
    assert finding.column == len(longest) + 2
