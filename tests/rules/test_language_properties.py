"""What holds for every tree, context and text: printing, storing and the closures agree with the plain meaning."""

import json

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fingerpost.rules.compile import InvalidMatch, compile_match
from fingerpost.rules.explain import explain
from fingerpost.rules.fields import LISTS, REACTOR, REDIRECTOR, Field, field_of
from fingerpost.rules.literals import Literal, Misfit, read
from fingerpost.rules.nodes import AllOf, AnyOf, Negation, Test, from_json, matches, predicate, to_json
from fingerpost.rules.printing import print_match

AWKWARD = r' ab10.*~"\=&|,()!<>:%' + "\té🧀"
texts = st.one_of(
    st.sampled_from(
        ["1", "01", "1.0", "5", "-5", "true", "false", "a", "ab", "ie", "IE", "sun", "phone", "1..5", "", "*", "a*"]
    ),
    st.text(st.sampled_from(AWKWARD), max_size=8),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6),
)
keys = st.text(st.sampled_from(AWKWARD), min_size=1, max_size=5).filter(lambda key: key.strip(" \t"))
names = st.one_of(
    st.sampled_from(
        ["country", "dayOfWeek", "language", "thng.name", "thng.tags", "user.age", "location.lat", "time", "timeOfDay"]
    ),
    st.sampled_from(["thng.customFields.a", "thng.customFields.b", "query.a", "device", "browser"]),
    keys.map("thng.customFields.".__add__),
)
ops = st.sampled_from(["=", "!=", ">", ">=", "<", "<=", "~", "!~"])
literals = st.one_of(
    texts.map(Literal),
    texts.map(lambda text: Literal(text + "*", text)),
    st.tuples(texts, texts).map(lambda ends: Literal("..".join(ends), None, ends)),
    st.tuples(st.integers(-3, 9), st.integers(-3, 9)).map(
        lambda ends: Literal("x", None, (str(ends[0]), str(ends[1])))
    ),
    st.integers(-3, 9).map(lambda number: Literal(str(number))),
)


@st.composite
def predicates(draw):
    name, op = draw(names), draw(ops)
    known = field_of(REACTOR, name) or Field(name, "open")
    values = []
    for literal in draw(st.lists(literals, min_size=1, max_size=4)):
        try:
            values.append(read(known, name, op, literal))
        except Misfit:
            continue
    assume(values)
    return Test(name, op, tuple(values))


def groups(inner):
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.one_of(several.map(AnyOf), several.map(AllOf), inner.map(Negation))


trees = st.recursive(predicates(), groups, max_leaves=6)
scalars = st.one_of(
    texts,
    st.booleans(),
    st.integers(-3, 9),
    st.floats(-3, 9).map(lambda number: round(number, 1)),
    st.none(),
    st.just({"a": 1}),
    st.just(b"a"),
)
stored = st.one_of(scalars, st.lists(scalars, max_size=3))


@st.composite
def trees_and_contexts(draw):
    tree = draw(trees)
    asked = sorted({test.field for test in _tests(tree)})
    return tree, draw(st.fixed_dictionaries({}, optional=dict.fromkeys(asked, stored)))


def _tests(node):
    match node:
        case AnyOf(nodes) | AllOf(nodes):
            for each in nodes:
                yield from _tests(each)
        case Negation(inner):
            yield from _tests(inner)
        case _:
            yield node


@settings(max_examples=120, deadline=None)
@given(trees)
def test_the_text_of_a_tree_compiles_to_the_tree(tree):
    assert compile_match(print_match(tree), REACTOR, strict=True).node == tree


@settings(max_examples=60, deadline=None)
@given(trees)
def test_the_stored_form_of_a_tree_reads_back_as_the_tree(tree):
    assert from_json(json.loads(json.dumps(to_json(tree)))) == tree


@settings(max_examples=200, deadline=None)
@given(trees_and_contexts())
def test_closures_and_explanations_agree_with_the_plain_meaning(case):
    tree, context = case
    meaning = matches(tree, context)
    assert meaning in (True, False)
    assert predicate(tree)(context) is meaning
    explanation = explain(tree, context)
    assert explanation.held is meaning
    assert explanation.sentence().startswith("matched because" if meaning else "did not match because")


@settings(max_examples=60, deadline=None)
@given(predicates(), stored)
def test_not_equal_is_the_opposite_of_equal(test, value):
    opposite = {"=": "!=", "!=": "=", "~": "!~", "!~": "~"}.get(test.op)
    assume(opposite)
    context = {test.field: value}
    assert matches(Test(test.field, opposite, test.values), context) is not matches(test, context)


fragments = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *r'&|!<>=~(),"\*. ',
                "..",
                "!=",
                ">=",
                "country",
                "thng.name",
                "thng.customFields.x",
                "IE",
                "5",
                "\0",
                "\ud800",
            ]
        ),
        st.text(max_size=3),
    ),
    max_size=25,
).map("".join)


@settings(max_examples=200, deadline=None)
@given(st.one_of(fragments, st.text()), st.sampled_from([REDIRECTOR, REACTOR, LISTS["thng"]]), st.booleans())
def test_any_text_is_an_expression_or_refused_with_a_place(text, door, from_query):
    try:
        compiled = compile_match(text, door, from_query=from_query)
    except InvalidMatch as refusal:
        assert refusal.details
        for finding in refusal.details:
            assert finding.column is not None
            assert 1 <= finding.column <= len(text) + 1
            json.dumps(finding.document(), ensure_ascii=False).encode()
    else:
        assert predicate(compiled.node)({}) is matches(compiled.node, {})
        if not compiled.warnings:
            assert compile_match(print_match(compiled.node), door).node == compiled.node
