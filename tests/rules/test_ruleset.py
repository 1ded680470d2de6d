"""A compiled rule set answers what asking its rules one after the other would."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerpost.rules import field_index
from fingerpost.rules.field_index import MAX_BOUNDS, MAX_PREFIX_CHARACTERS
from fingerpost.rules.nodes import (
    NEVER,
    AllOf,
    AnyOf,
    Anything,
    Between,
    Exact,
    Negation,
    Prefix,
    fields,
    matches,
    number_of,
    to_json,
)
from fingerpost.rules.nodes import (
    Test as Comparison,
)
from fingerpost.rules.ruleset import MAX_TERMS, RuleSet, with_constants

FIELDS = ["thng.tags", "country", "thng.customFields.size", "thng.identifiers.ean_13", "timeOfDay"]
TEXTS = ["a", "ab", "abc", "b", "IE", "true", "false", "1", "01", "2", "2.0", "-3", "1e2", "", "*", "é"]
NUMBERS = [-3, 0, 1, 2, 2.0, 2.5, 7, 100, 10**20, 1.5e300]

untyped = st.sampled_from(TEXTS).map(lambda text: Exact(text, text, number_of(text)))
declared_text = st.sampled_from(TEXTS).map(lambda text: Exact(text, text))
declared_number = st.sampled_from(NUMBERS).map(lambda number: Exact(str(number), number))
normalised = st.sampled_from(["TRUE", "Ie", "true"]).map(lambda text: Exact(text, text.lower()))
exacts = untyped | declared_text | declared_number | normalised
betweens = st.tuples(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)).map(lambda ends: Between(*ends))
patterns = exacts | st.sampled_from(TEXTS).map(Prefix) | st.just(Anything()) | betweens
names = st.sampled_from(FIELDS)
tests = st.one_of(
    st.builds(Comparison, names, st.sampled_from(["=", "!="]), st.lists(patterns, min_size=1, max_size=3).map(tuple)),
    st.builds(
        Comparison, names, st.sampled_from(["<", "<=", ">", ">="]), st.lists(exacts, min_size=1, max_size=2).map(tuple)
    ),
    st.builds(Comparison, names, st.sampled_from(["~", "!~"]), st.lists(untyped, min_size=1, max_size=2).map(tuple)),
)
nodes = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda each: AllOf(tuple(each))),
        st.lists(inner, max_size=3).map(lambda each: AnyOf(tuple(each))),
        inner.map(Negation),
    ),
    max_leaves=8,
)
rules = st.lists(st.none() | nodes, max_size=12)
scalars = st.one_of(st.sampled_from(TEXTS), st.sampled_from(NUMBERS), st.booleans(), st.just({"a": 1}), st.just(b"ab"))
stored = st.none() | scalars | st.lists(st.none() | scalars | st.just(["a"]), max_size=3)
contexts = st.dictionaries(names, stored)


def holding(rules, context):
    return [number for number, rule in enumerate(rules) if rule is None or matches(rule, context)]


@settings(max_examples=400)
@given(rules, st.lists(contexts, min_size=1, max_size=4))
def test_it_agrees_with_the_plain_evaluator_on_everything(rules, contexts):
    ruleset = RuleSet.build(rules)
    for context in contexts:
        expected = holding(rules, context)
        assert ruleset.matches_all(context) == expected
        assert ruleset.first_match(context) == (expected[0] if expected else None)


@settings(max_examples=100)
@given(rules, contexts)
def test_it_agrees_after_a_journey_through_json(rules, context):
    stored_form = json.loads(json.dumps([None if rule is None else to_json(rule) for rule in rules]))
    assert RuleSet(stored_form).matches_all(context) == holding(rules, context)


@settings(max_examples=50)
@given(rules)
def test_it_names_every_field_its_rules_mention(rules):
    assert RuleSet.build(rules).fields == frozenset().union(*(fields(rule) for rule in rules if rule is not None))


def one(field, text, op="="):
    return Comparison(field, op, (Exact(text, text, number_of(text)),))


def at_least(field, number):
    return Comparison(field, ">=", (Exact(str(number), number),))


def below(field, number):
    return Comparison(field, "<", (Exact(str(number), number),))


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20), st.sampled_from("<>=.")), max_size=40),
    st.integers(-22, 22) | st.floats(-22, 22) | st.lists(st.integers(-22, 22), max_size=3),
    st.sampled_from([1, 2, 7, 512]),
)
def test_ranges_agree_however_few_bounds_are_kept(ranges, value, kept):
    def rule(low, high, kind):
        match kind:
            case "<":
                return AllOf((at_least("n", low), below("n", high)))
            case ">":
                return AllOf((Comparison("n", ">", (Exact("", low),)), Comparison("n", "<=", (Exact("", high),))))
            case "=":
                return Comparison("n", "=", (Between(low, high), Between(low + 3, high + 9)))
            case _:
                return Comparison("n", "=", (Between(low, high),))

    built = [rule(*each) for each in ranges]
    before = field_index.MAX_BOUNDS
    field_index.MAX_BOUNDS = kept
    try:
        assert RuleSet.build(built).matches_all({"n": value}) == holding(built, {"n": value})
    finally:
        field_index.MAX_BOUNDS = before


def test_more_bounds_than_are_kept_change_nothing_in_the_answer():
    built = [Comparison("n", "=", (Between(3 * n, 3 * n + 1),)) for n in range(2 * MAX_BOUNDS)]
    ruleset = RuleSet.build(built)
    for value in (-1, 0, 1, 2, 2.5, 3, 1500, 1501, 1502, 6 * MAX_BOUNDS - 3, 6 * MAX_BOUNDS, "1500"):
        assert ruleset.matches_all({"n": value}) == holding(built, {"n": value})


def test_prefixes_longer_than_the_index_keeps_are_told_apart():
    start = "x" * MAX_PREFIX_CHARACTERS
    built = [Comparison("name", "=", (Prefix(start + end),)) for end in ("a", "b", "")]
    assert RuleSet.build(built).matches_all({"name": start + "b"}) == [1, 2]
    assert RuleSet.build(built).matches_all({"name": start[1:]}) == []


def test_a_rule_with_more_alternatives_than_terms_is_asked_itself():
    last = f"C{MAX_TERMS}"
    built = [AnyOf(tuple(one("country", f"C{n}") for n in range(MAX_TERMS + 1))), one("country", last)]
    assert RuleSet.build(built).matches_all({"country": last}) == [0, 1]
    assert RuleSet.build(built).matches_all({"country": "D3"}) == []
    product = AllOf(tuple(AnyOf((one(f"f{n}", "a"), one(f"f{n}", "b"))) for n in range(8)))
    assert RuleSet.build([product]).first_match({f"f{n}": "b" for n in range(8)}) == 0
    assert RuleSet.build([product]).first_match({f"f{n}": "b" for n in range(7)}) is None


def test_values_are_found_by_the_type_they_are_stored_in():
    yes, twelve = one("thng.customFields.a", "true"), one("thng.customFields.a", "012")
    declared = Comparison("thng.customFields.a", "=", (Exact("12", 12),))
    ruleset = RuleSet.build([yes, twelve, declared])
    for stored, expected in (
        (True, [0]),
        (False, []),
        ("true", [0]),
        ([False, True], [0]),
        (12, [1, 2]),
        (12.0, [1, 2]),
        ("012", [1]),
        ("12", []),
        (1, []),
    ):
        assert ruleset.matches_all({"thng.customFields.a": stored}) == expected


def test_two_bounds_may_be_met_by_two_elements_of_an_array():
    rule = AllOf((at_least("n", 9), below("n", 1)))
    assert RuleSet.build([rule]).first_match({"n": [0, 10]}) == 0
    assert RuleSet.build([rule]).first_match({"n": 10}) is None


def test_the_first_of_several_matching_rules_wins():
    ruleset = RuleSet.build([one("country", "GB"), one("country", "IE"), None, one("country", "IE")])
    assert ruleset.first_match({"country": "IE"}) == 1
    assert ruleset.first_match({"country": "FR"}) == 2
    assert ruleset.matches_all({"country": "IE"}) == [1, 2, 3]


def test_a_rule_that_names_an_unknown_field_never_matches_and_the_search_goes_on():
    assert (
        RuleSet.build([NEVER, AllOf((one("country", "IE"), NEVER)), one("country", "IE")]).first_match(
            {"country": "IE"}
        )
        == 2
    )


def test_no_rules_match_nothing():
    assert RuleSet.build([]).first_match({}) is None
    assert RuleSet.build([]).matches_all({"country": "IE"}) == []
    assert len(RuleSet.build([])) == 0
    assert len(RuleSet.build([None, None])) == 2


def test_a_scan_asks_the_context_for_mentioned_fields_only():
    asked = set()

    class Watched(dict):
        def get(self, field, default=None):
            asked.add(field)
            return super().get(field, default)

    RuleSet.build([one("country", "IE"), one("thng.tags", "a", "!=")]).matches_all(Watched(country="IE"))
    assert asked == {"country", "thng.tags"}


def test_a_value_no_rule_names_is_not_remembered():
    ruleset = RuleSet.build([one("country", f"C{n}") for n in range(5)])
    for n in range(100):
        ruleset.first_match({"country": f"other {n}"})
    ((_, index),) = ruleset._indexes
    assert len(index._texts) == 5


@pytest.mark.parametrize("stored", ["shop", ["café", "shop"]])
def test_constants_are_each_rules_own(stored):
    rule = AllOf((one("constants.kind", "shop"), one("country", "IE")))
    ruleset = RuleSet.build([rule, rule, Negation(rule), rule], [None, {"kind": "other"}, {}, {"kind": stored}])
    assert ruleset.matches_all({"country": "IE", "constants.kind": "shop"}) == [2, 3]
    assert ruleset.fields == {"country"}


def test_without_constants_of_their_own_rules_ask_the_context():
    ruleset = RuleSet.build([one("constants.kind", "shop")])
    assert ruleset.first_match({"constants.kind": "shop"}) == 0
    assert ruleset.fields == {"constants.kind"}


@settings(max_examples=60)
@given(nodes, contexts)
def test_deciding_constants_beforehand_changes_no_answer(node, context):
    renamed = json.loads(json.dumps(to_json(node)).replace("country", "constants.country"))
    ruleset = RuleSet([renamed], [{"country": context.get("country")}])
    assert (ruleset.first_match(context) == 0) is matches(node, context)
    assert with_constants(node, {"country": "IE"}) == node


@settings(max_examples=60)
@given(rules.filter(bool), contexts, st.data())
def test_the_search_goes_on_behind_any_rule(rules, context, data):
    after = data.draw(st.integers(0, len(rules) - 1))
    later = [number for number in holding(rules, context) if number > after]
    assert RuleSet.build(rules).next_match(context, after) == (later[0] if later else None)
