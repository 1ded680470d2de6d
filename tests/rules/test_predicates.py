"""Closures answer what `matches` answers for every kind of test and value, and the common ones without asking it."""

import json

import pytest

from fingerpost.rules import nodes
from fingerpost.rules.nodes import (
    AllOf,
    AnyOf,
    Anything,
    Between,
    Exact,
    Negation,
    Prefix,
    fields,
    from_json,
    matches,
    predicate,
    to_json,
)
from fingerpost.rules.nodes import Test as Comparison
from fingerpost.rules.patterns import number_of

TEXTS = ["a", "ab", "true", "false", "1", "01", "2.5", ""]
PATTERNS = [
    *(Exact(text, text) for text in TEXTS),
    *(Exact(text, text, number_of(text)) for text in ("1", "01", "2.5")),
    *(Exact(str(number), number) for number in (1, 2.5, 0)),
    Exact("TRUE", "true"),
    *map(Prefix, ("a", "1", "")),
    Anything(),
    Between(1, 2),
    Between(2, 1),
]
SCALARS = [*TEXTS, 0, 1, 1.0, 2, 2.5, 3, -1, True, False, {"a": 1}, b"a"]
STORED = [
    None,
    *SCALARS,
    [],
    [None],
    *([each] for each in SCALARS),
    ["q", "a"],
    ["ab", 1],
    [True, "1"],
    ("a",),
    [["a"]],
]
OPS = ["=", "!=", "<", "<=", ">", ">=", "~", "!~"]


class Text(str):
    """Equal to the plain text, and not of its type."""

    __slots__ = ()


class Whole(int):
    """Equal to the plain number, and not of its type."""

    __slots__ = ()


def agree(test):
    closure = predicate(test)
    for stored in [*STORED, Text("a"), Text("q"), Text("1"), Whole(1), Whole(9)]:
        assert closure({"f": stored}) is matches(test, {"f": stored}), (test, stored)
    assert closure({}) is matches(test, {})


@pytest.mark.parametrize("op", OPS)
def test_a_closure_agrees_on_one_value(op):
    for pattern in PATTERNS:
        agree(Comparison("f", op, (pattern,)))


@pytest.mark.parametrize("op", OPS)
def test_a_closure_agrees_on_two_values_and_on_none(op):
    agree(Comparison("f", op, ()))
    for first in PATTERNS:
        for second in PATTERNS[::2]:
            agree(Comparison("f", op, (first, second)))


A, B = Comparison("f", "=", (Exact("a", "a"),)), Comparison("g", "=", (Exact("b", "b"),))


@pytest.mark.parametrize(
    "node",
    [AllOf(()), AnyOf(()), AllOf((A, B)), AnyOf((A, B)), Negation(A), AllOf((A, Negation(B), A)), AnyOf((B, A, B))],
)
def test_a_closure_agrees_on_trees(node):
    for f in ("a", "x", None):
        for g in ("b", "x", None):
            assert predicate(node)({"f": f, "g": g}) is matches(node, {"f": f, "g": g})


@pytest.mark.parametrize(
    ("test", "yes", "no"),
    [
        (Comparison("f", "=", (Exact("a", "a"),)), ["a", ["q", "a"]], ["b", "", None, ["q"], []]),
        (Comparison("f", "!=", (Exact("a", "a"),)), ["b", "", None, ["q"], []], ["a", ["q", "a"]]),
        (Comparison("f", "=", (Exact("1", "1", 1),)), ["1", 1, 1.0], ["2", 2, 2.5, None]),
        (Comparison("f", "=", (Exact("7", 7),)), [7, 7.0], [8, 7.5, None]),
        (Comparison("f", ">", (Exact("7", 7),)), [8, 7.5], [7, 7.0, None]),
        (Comparison("f", "<=", (Exact("7", "7", 7),)), [7, 6.5], [8, 7.5, None]),
        (Comparison("f", ">=", (Exact("7", 7),)), [7, 7.5], [6, 6.5, None]),
        (Comparison("f", "<", (Exact("7", 7),)), [6, 6.5], [7, 7.0, None]),
        (Comparison("f", "=", (Between(1, 2),)), [1, 2, 1.5], [0, 2.5, None]),
        (Comparison("f", "=", (Prefix("ab"),)), ["ab", "abc"], ["a", None]),
        (Comparison("f", "=", (Exact("a", "a"), Exact("b", "b"))), ["a", "b", ["q", "b"]], ["c", ["q"], None]),
        (Comparison("f", "!=", (Exact("a", "a"), Exact("b", "b"))), ["c", ["q"], None], ["a", "b", ["q", "b"]]),
    ],
)
def test_the_common_kinds_of_value_are_answered_without_the_plain_meaning(monkeypatch, test, yes, no):
    closure = predicate(test)

    def asked(*_):
        raise AssertionError("the plain meaning was asked")

    monkeypatch.setattr(nodes, "holds", asked)
    for stored in yes:
        assert closure({"f": stored}) is True
    for stored in no:
        assert closure({"f": stored}) is False


def test_fields_and_tests_are_those_of_the_whole_tree():
    tree = AllOf((A, Negation(AnyOf((B, A)))))
    assert list(nodes.tests(tree)) == [A, B, A]
    assert fields(tree) == {"f", "g"}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_has_a_stored_form_of_its_own(pattern):
    test = Comparison("f", "=", (pattern,))
    back = from_json(json.loads(json.dumps(to_json(test))))
    assert repr(back) == repr(test)  # which tells 1 from 1.0


@pytest.mark.parametrize(
    ("node", "stored"),
    [
        (AllOf((A, B)), ["&", ["=", "f", "a"], ["=", "g", "b"]]),
        (AnyOf((A,)), ["|", ["=", "f", "a"]]),
        (Negation(A), ["!", ["=", "f", "a"]]),
        (Comparison("f", "<", (Exact("1", "1", 1),)), ["<", "f", ["1", "1", 1]]),
        (Comparison("f", "=", (Exact("TRUE", "true"),)), ["=", "f", ["TRUE", "true", None]]),
        (Comparison("f", "=", (Prefix("a"), Anything(), Between(1, 2))), ["=", "f", ["a"], None, [1, 2]]),
    ],
)
def test_the_stored_form_is_the_one_that_is_written_down(node, stored):
    assert to_json(node) == stored
    assert from_json(stored) == node


@pytest.mark.parametrize("document", [[], ["?", "f"], ["=", 3, "a"], ["!"], ["!", ["=", "f"], 1], ["=", "f", 7], ["="]])
def test_what_was_never_stored_is_refused_by_its_text(document):
    with pytest.raises(ValueError, match=r"^not a stored (match expression|pattern): ") as refusal:
        from_json(document)
    assert str(refusal.value).endswith((repr(document), "7"))


def test_a_long_document_is_refused_by_its_beginning():
    with pytest.raises(ValueError) as refusal:
        from_json(["?", "x" * 1_000])
    assert len(str(refusal.value)) < 150
