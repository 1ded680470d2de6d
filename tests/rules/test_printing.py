"""A tree as the shortest text that compiles to it."""

import pytest

from fingerpost.rules.nodes import NEVER, AllOf, AnyOf, Anything, Between, Exact, Negation, Prefix
from fingerpost.rules.nodes import Test as Comparison
from fingerpost.rules.printing import print_match, print_name, print_pattern

A, B, C = (Comparison(name, "=", (Exact("x", "x"),)) for name in "abc")


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (A, "a=x"),
        (Comparison("a", "!=", (Exact("x", "x"), Anything())), "a!=x,*"),
        (AllOf((A, B, C)), "a=x&b=x&c=x"),
        (AnyOf((A, B, C)), "a=x|b=x|c=x"),
        (AnyOf((AllOf((A, B)), C)), "a=x&b=x|c=x"),
        (AllOf((AnyOf((A, B)), C)), "(a=x|b=x)&c=x"),
        (AllOf((AllOf((A, B)), C)), "(a=x&b=x)&c=x"),
        (AnyOf((AnyOf((A, B)), C)), "(a=x|b=x)|c=x"),
        (AnyOf((A, Negation(AnyOf((B, C))))), "a=x|!(b=x|c=x)"),
        (Negation(AllOf((A, B))), "!(a=x&b=x)"),
        (Negation(Negation(A)), "!!a=x"),
    ],
)
def test_a_tree_has_parentheses_where_it_needs_them(node, text):
    assert print_match(node) == text


@pytest.mark.parametrize("node", [NEVER, AllOf(()), AnyOf((A,)), AllOf((A,)), Negation(NEVER)])
def test_what_no_text_says_is_refused(node):
    with pytest.raises(ValueError, match=r"^an AND or OR of fewer than two parts has no text$"):
        print_match(node)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("thng.tags", "thng.tags"),
        ("a=b", r"a\=b"),
        ("a b", "a b"),
        (" a", r"\ a"),
        ("a ", "a\\ "),
        ("a.", r"a\."),
        ("a\t", "a\\\t"),
        (" ", "\\ "),
        ("X-MAX", "X-MAX"),
        ("~!(,)|&<>\\", r"\~\!\(\,\)\|\&\<\>\\"),
    ],
)
def test_a_name_escapes_what_would_end_it(name, text):
    assert print_name(name) == text


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (Exact("x", "x"), "x"),
        (Exact("x y", "x y"), "x y"),
        (Exact("XL-MAX", "XL-MAX"), "XL-MAX"),
        (Exact("", ""), '""'),
        (Exact(" x", " x"), '" x"'),
        (Exact("x\t", "x\t"), '"x\t"'),
        (Exact("x*", "x*"), '"x*"'),
        (Exact("*x", "*x"), "*x"),
        (Exact("1..2", "1..2"), '"1..2"'),
        (Exact("=x", "=x"), '"=x"'),
        (Exact("~x", "~x"), '"~x"'),
        (Exact("x=", "x="), "x="),
        (Exact('"', '"'), '"\\""'),
        (Exact("a,b", "a,b"), '"a,b"'),
        (Exact("a\\b", "a\\b"), '"a\\\\b"'),
        (Prefix("ab"), "ab*"),
        (Prefix(""), "*"),
        (Prefix("XL"), "XL*"),
        (Prefix(" a"), r"\ a*"),
        (Prefix("=a"), r"\=a*"),
        (Prefix("a|b"), r"a\|b*"),
        (Prefix('"a'), r"\"a*"),
        (Anything(), "*"),
        (Between(1, 2.5), "1..2.5"),
    ],
)
def test_a_value_is_quoted_when_it_would_read_as_something_else(pattern, text):
    assert print_pattern(pattern) == text
