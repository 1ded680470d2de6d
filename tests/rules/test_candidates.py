"""Which rules a compiled set asks at all: those that the values of single fields leave possible, and no others."""

import pytest

from fingerpost.rules.nodes import NEVER, AllOf, AnyOf, Anything, Between, Exact, Negation, Prefix, number_of, to_json
from fingerpost.rules.nodes import Test as Comparison
from fingerpost.rules.ruleset import MAX_TERMS, RuleSet, with_constants


def asked(rules, context, constants=None):
    """The rules whose predicates a search for every match needs."""
    ruleset = RuleSet.build(rules, constants)
    ruleset.matches_all(context)
    return [number for number, predicate in enumerate(ruleset._predicates) if predicate is not None]


def is_(field, *texts):
    return Comparison(field, "=", tuple(Exact(text, text, number_of(text)) for text in texts))


def n(op, *numbers):
    return Comparison("n", op, tuple(Exact(str(number), number) for number in numbers))


A, B, C, D = is_("f", "a"), is_("f", "b"), is_("g", "c"), is_("g", "d")


@pytest.mark.parametrize(
    ("rule", "asking", "not_asking"),
    [
        (A, {"f": "a"}, {"f": "b"}),
        (A, {"f": ["b", "a"]}, {}),
        (AllOf((A, C)), {"f": "a", "g": "c"}, {"f": "a"}),
        (AnyOf((A, C)), {"g": "c"}, {"f": "b", "g": "d"}),
        (AllOf((AnyOf((A, B)), AnyOf((C, D)))), {"f": "b", "g": "c"}, {"f": "b", "g": "e"}),
        (AllOf((A, AnyOf((C, D)))), {"f": "a", "g": "d"}, {"f": "b", "g": "d"}),
        (AnyOf((AllOf((A, C)), AllOf((B, D)))), {"f": "b", "g": "d"}, {"f": "a", "g": "d"}),
        (AllOf((n(">=", 3), n("<=", 5))), {"n": 5}, {"n": 6}),
        (AllOf((n(">=", 3), n("<=", 5))), {"n": 3}, {"n": 2}),
        (AllOf((n("<=", 5), n(">=", 3))), {"n": 4}, {"n": 2}),
        (AllOf((n(">=", 3), n(">", 3))), {"n": 3.5}, {"n": 3}),
        (AllOf((n("<=", 5), n("<", 5))), {"n": 4.5}, {"n": 5}),
        (AllOf((n("<", 5), n("<=", 4))), {"n": 4}, {"n": 4.5}),
        (n(">", 3), {"n": 3.5}, {"n": 3}),
        (n(">=", 3), {"n": 3}, {"n": 2.5}),
        (n("<", 3), {"n": 2.5}, {"n": 3}),
        (n("<=", 3), {"n": 3}, {"n": 3.5}),
        (Comparison("n", ">", (Exact("2", "2", 2),)), {"n": 3}, {"n": 2}),
        (Comparison("n", "=", (Between(1, 2),)), {"n": 1}, {"n": 3}),
        (Comparison("n", "=", (Between(1, 2),)), {"n": 2}, {"n": 0}),
        (Comparison("n", "=", (Between(1, 2), Between(5, 6))), {"n": 5}, {"n": 7}),
        (AllOf((Comparison("n", "=", (Between(1, 4),)), n(">=", 3))), {"n": 4}, {"n": 2}),
        (Comparison("f", "=", (Prefix("ab"),)), {"f": "abc"}, {"f": "ac"}),
        (Comparison("f", "=", (Anything(),)), {"f": "a"}, {}),
        # of two tests on one field the index has the narrower
        (AllOf((Comparison("f", "=", (Anything(),)), A)), {"f": "a"}, {"f": "b"}),
        (AllOf((A, Comparison("f", "=", (Anything(),)))), {"f": "a"}, {"f": "b"}),
        (AllOf((A, Comparison("f", "=", (Prefix("b"),)))), {"f": "a"}, {"f": "b"}),
        (AllOf((Comparison("f", "=", (Prefix("b"),)), A)), {"f": "a"}, {"f": "b"}),
        (AllOf((n(">", 1), Comparison("n", "=", (Prefix("1"),)))), {"n": "1x"}, {"n": 5}),
        (AllOf((n(">", 1), Comparison("n", "=", (Anything(),)))), {"n": 2}, {"n": 1}),
        (AllOf((Comparison("n", "=", (Anything(), Exact("1", "1"))), n(">", 1))), {"n": 2}, {"n": 1}),
        (AllOf((n("=", 7), n(">", 1))), {"n": 7}, {"n": 8}),
        (AllOf((Comparison("f", "=", (Exact("a", "a"), Prefix("b"))), is_("f", "b"))), {"f": "b"}, {"f": "a"}),
    ],
)
def test_a_rule_is_asked_when_its_fields_allow_it_and_only_then(rule, asking, not_asking):
    assert asked([rule], asking) == [0]
    assert asked([rule], not_asking) == []


@pytest.mark.parametrize(
    "rule",
    [
        Negation(A),
        Comparison("f", "!=", (Exact("a", "a"),)),
        Comparison("f", "~", (Exact("a", "a"),)),
        Comparison("f", "!~", (Exact("a", "a", 3),)),
        n(">", 1, 2),
        Comparison("n", ">", (Exact("x", "x"),)),
        Comparison("n", ">", (Prefix("1"),)),
        Comparison("n", ">", (Between(1, 2),)),
        Comparison("n", "<", (Anything(),)),
        is_("constants.kind", "shop"),
        AnyOf((A, Negation(A))),
    ],
)
def test_what_no_index_can_tell_is_asked_whatever_the_context(rule):
    assert asked([rule], {}) == [0]
    assert asked([rule], {"f": "z", "n": -9, "constants.kind": "z"}) == [0]


def test_a_rule_that_can_never_match_is_never_asked():
    assert asked([NEVER, AllOf((A, NEVER)), AllOf((NEVER, A)), A], {"f": "a"}) == [3]


@pytest.mark.parametrize("other", [Comparison("f", "=", (Prefix("a"),)), Comparison("f", "=", (Anything(),))])
def test_a_test_for_no_value_at_all_is_narrower_than_one_for_many(other):
    nothing = Comparison("f", "=", ())
    assert asked([AllOf((nothing, other)), AllOf((other, nothing))], {"f": "a"}) == []


def test_alternatives_are_multiplied_out_as_long_as_there_are_few():
    def either(field, count):
        return AnyOf(tuple(is_(field, f"{number}") for number in range(count)))

    few, many = either("f", MAX_TERMS), either("f", MAX_TERMS + 1)
    assert asked([few, many], {"f": "x"}) == [1]
    exactly = AllOf((either("f", 8), either("g", MAX_TERMS // 8)))
    assert asked([exactly], {"f": "7", "g": "0"}) == [0]
    assert asked([exactly], {"f": "7", "g": "9"}) == []
    # the third choice would be too much, and so says nothing; a fourth that still fits says what it can
    partly = AllOf((either("f", 8), either("g", 2), either("h", 3), either("i", 2)))
    assert asked([partly], {"f": "7", "g": "0", "h": "x", "i": "0"}) == [0]
    assert asked([partly], {"f": "7", "g": "0", "h": "0", "i": "x"}) == []


class Watched(dict):
    """A context that notes what it is asked for, in order."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.asked = []

    def get(self, field, default=None):
        self.asked.append(field)
        return super().get(field, default)


def test_the_field_that_most_rules_test_is_asked_first_and_nothing_when_no_rule_is_left():
    rules = [
        AllOf((is_("g", "x"), is_("z", f"{number}"))) if number == 0 else is_("z", f"{number}") for number in range(4)
    ]
    ruleset = RuleSet.build(rules)
    context = Watched(z="other", g="x")
    assert ruleset.first_match(context) is None
    assert context.asked == ["z"]
    context = Watched(z="0", g="x")
    assert ruleset.first_match(context) == 0
    assert context.asked[:2] == ["z", "g"]


def test_a_set_is_loaded_from_what_is_stored_with_the_constants_of_each_rule():
    documents = [None if rule is None else to_json(rule) for rule in (is_("constants.k", "x"), A, None)]
    ruleset = RuleSet.load(documents, [{"k": "x"}, None, None])
    assert ruleset.matches_all({"constants.k": "y", "f": "b"}) == [0, 2]
    assert RuleSet.load(documents).matches_all({"constants.k": "y", "f": "a"}) == [1, 2]


def test_the_first_match_asks_no_rule_behind_it():
    ruleset = RuleSet.build([A, A, A])
    assert ruleset.first_match({"f": "a"}) == 0
    assert [predicate is not None for predicate in ruleset._predicates] == [True, False, False]
    assert ruleset.next_match({"f": "a"}, 0) == 1
    assert [predicate is not None for predicate in ruleset._predicates] == [True, True, False]


def test_a_predicate_is_made_once():
    ruleset = RuleSet.build([A])
    assert ruleset.first_match({"f": "a"}) == 0
    made = ruleset._predicates[0]
    assert ruleset.first_match({"f": "a"}) == 0
    assert ruleset._predicates[0] is made


def test_a_rule_of_several_terms_is_found_once_and_the_search_goes_on_behind_them_all():
    both = AnyOf((A, C))
    ruleset = RuleSet.build([both, None, NEVER, both])
    assert ruleset.matches_all({"f": "a", "g": "c"}) == [0, 1, 3]
    assert ruleset.next_match({"f": "a", "g": "c"}, 0) == 1
    assert ruleset.next_match({"f": "a", "g": "c"}, 1) == 3
    assert ruleset.next_match({"f": "a", "g": "c"}, 2) == 3
    assert ruleset.next_match({"f": "a", "g": "c"}, 3) is None


def test_the_fields_under_a_negation_and_behind_too_many_alternatives_are_mentioned():
    many = AnyOf(tuple(is_(f"f{number}", "x") for number in range(MAX_TERMS + 1)))
    rules = [Negation(A), many, AllOf((NEVER, C)), is_("constants.k", "x")]
    expected = {"f", "g"} | {f"f{number}" for number in range(MAX_TERMS + 1)}
    assert RuleSet.build(rules).fields == expected | {"constants.k"}
    assert RuleSet.build(rules, [None] * 4).fields == expected


def test_tests_on_constants_are_decided_by_the_constants():
    kind, other = is_("constants.kind", "shop"), is_("kind", "shop")
    yes, no = AllOf(()), NEVER
    node = AnyOf((AllOf((kind, A)), Negation(kind), other))
    assert with_constants(node, {"kind": "shop"}) == AnyOf((AllOf((yes, A)), Negation(yes), other))
    assert with_constants(node, {"constants.kind": "shop"}) == AnyOf((AllOf((no, A)), Negation(no), other))
