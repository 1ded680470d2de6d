"""Whatever the filter and the documents: none that satisfies it is missed, and every plan is within its limits."""

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from fingerpost import keys
from fingerpost.ids import encode_time
from fingerpost.resources import Kind, index_rows
from fingerpost.rules.nodes import AllOf, AnyOf, Anything, Between, Exact, Negation, Prefix, matches, number_of
from fingerpost.rules.nodes import Test as Comparison
from fingerpost.rules.plan import MAX_QUERIES, index_fields, plan

THNG = Kind("thng", "thngs", indexed=("tags", "identifiers.*", "product", "collections"))
INDEXES = index_fields(THNG.indexed)
ZERO, TRUE = (Comparison("identifiers.a", "=", (Exact(text, text, number_of(text)),)) for text in ("0", "true"))

WORDS = ["a", "ab", "b", "true", "1", "01", "1.0", "-0.0", "1e2", "100", "é"]
SCALARS = [*WORDS, 1, 1.0, 0, -0.0, 100, 100.0, 2.5, True, False, 10**20, 1e20]
words = st.sampled_from(WORDS)
documents = st.fixed_dictionaries(
    {"createdAt": st.integers(0, 20), "scopes": st.just({})},
    optional={
        "name": words,
        "tags": st.lists(words, max_size=3, unique=True),
        "product": words,
        "collections": st.lists(words, max_size=2, unique=True),
        "identifiers": st.dictionaries(st.sampled_from(["a", "b.c"]), st.sampled_from(SCALARS), max_size=2),
        "description": words,
    },
)
exact_texts = words.map(lambda word: Exact(word, word))
open_texts = st.sampled_from([*WORDS, "0", "2.5", "false", "1E20"]).map(lambda word: Exact(word, word, number_of(word)))
times = st.sampled_from([-5, 0, 1, 4, 4.5, 9, 20, 21, 50**9]).map(lambda time: Exact(str(time), time))
spans = st.tuples(st.integers(-2, 22), st.integers(-2, 22)).map(lambda ends: Between(*ends))
others = words.map(Prefix) | st.just(Anything()) | spans


def several(values):
    return st.lists(values, min_size=1, max_size=3).map(tuple)


conditions = st.one_of(
    st.builds(Comparison, st.sampled_from(["name", "tags", "product"]), st.just("="), several(exact_texts)),
    st.builds(Comparison, st.sampled_from(["identifiers.a", "identifiers.b.c"]), st.just("="), several(open_texts)),
    st.builds(Comparison, st.just("name"), st.just("="), several(words.map(Prefix) | exact_texts)),
    st.builds(Comparison, st.just("createdAt"), st.sampled_from(["=", "<", "<=", ">", ">=", "!="]), several(times)),
    st.builds(Comparison, st.just("createdAt"), st.just("="), several(spans)),
    st.builds(
        Comparison,
        st.sampled_from(["name", "tags", "identifiers.a", "collections", "description"]),
        st.sampled_from(["=", "!=", "~"]),
        several(open_texts | others),
    ),
)
filters = st.recursive(
    conditions,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda each: AllOf(tuple(each))),
        st.lists(inner, max_size=4).map(lambda each: AnyOf(tuple(each))),
        inner.map(Negation),
    ),
    max_leaves=10,
)


def context_of(document):
    flat = {name: value for name, value in document.items() if name != "identifiers"}
    return flat | {f"identifiers.{key}": value for key, value in document.get("identifiers", {}).items()}


def returned(query, ids_by_row):
    """The ids that a query reads, from the rows the store's writer makes."""
    match query.kind:
        case "name" | "prefix":
            end = "\0" if query.kind == "name" else ""
            start = keys.name_prefix(query.value) + end
            partition = keys.names("*", THNG.name, 0)
            found = [
                row.sk.rpartition("\0")[2] for row in ids_by_row if row.pk == partition and row.sk.startswith(start)
            ]
        case _:
            partition = keys.index("*", THNG.name, query.field, query.value, 0)
            found = [row.sk for row in ids_by_row if row.pk == partition]
    return {each for each in found if query.id_low <= each <= query.id_high}


@settings(max_examples=400)
@given(filters, st.lists(documents, min_size=1, max_size=6))
@example(ZERO, [{"createdAt": 1, "identifiers": {"a": -0.0}}])
@example(TRUE, [{"createdAt": 1, "identifiers": {"a": True}}])
def test_no_document_that_satisfies_the_filter_is_missed(node, documents):
    made = plan(node, INDEXES)
    stored = [json.loads(json.dumps(document)) for document in documents]
    for number, document in enumerate(stored):
        resource_id = "U" + encode_time(document["createdAt"]) + str(number).zfill(15)
        rows = index_rows(THNG, resource_id, document)
        if matches(node, context_of(document)):
            assert any(resource_id in returned(query, rows) for query in made.queries), made


@settings(max_examples=200)
@given(filters)
def test_every_plan_is_within_its_limits(node):
    made = plan(node, INDEXES)
    assert (
        len({(query.kind, query.field, number_of(query.value) or query.value) for query in made.queries}) <= MAX_QUERIES
    )
    assert len(set(made.queries)) == len(made.queries)
    assert made.residue == node
    assert made.reads_everything == any(query.kind == "list" for query in made.queries) == (made.note is not None)
    kinds = {query.kind for query in made.queries}
    assert (made.order == "name") == ("prefix" in kinds)
    if made.order == "name":
        assert kinds <= {"name", "prefix"}
