"""The queries of a plan find every document that satisfies the filter, and as few others as the indexes allow."""

import pytest

from fingerpost.ids import first_id
from fingerpost.ports.table import LAST
from fingerpost.resources import Kind
from fingerpost.rules.nodes import (
    NEVER,
    AllOf,
    AnyOf,
    Anything,
    Between,
    Exact,
    Negation,
    Prefix,
    number_of,
)
from fingerpost.rules.nodes import Test as Comparison
from fingerpost.rules.plan import IndexQuery, index_fields, plan, time_span

THNG = Kind("thng", "thngs", indexed=("tags", "identifiers.*", "product", "collections"))
INDEXES = index_fields(THNG.indexed)


def text(field, *values):
    return Comparison(field, "=", tuple(Exact(value, value) for value in values))


def untyped(field, value):
    return Comparison(field, "=", (Exact(value, value, number_of(value)),))


def at(op, *times):
    return Comparison("createdAt", op, tuple(Exact(str(time), time) for time in times))


def starts(*prefixes):
    return Comparison("name", "=", tuple(Prefix(prefix) for prefix in prefixes))


TAGGED, OF_PRODUCT, SERIAL = text("tags", "a"), text("product", "P1"), untyped("identifiers.serial", "s1")
OPEN = Comparison("tags", "!=", (Exact("a", "a"),))


def asked(node):
    """Kind, field and value of each query."""
    return [(query.kind, query.field, query.value) for query in plan(node, INDEXES).queries]


# What is chosen


def test_no_filter_is_the_whole_list_and_no_residue():
    made = plan(None, INDEXES)
    assert made.queries == (IndexQuery(kind="list", field="", value=""),)
    assert made.residue is None
    assert made.reads_everything
    assert made.note is None


@pytest.mark.parametrize(
    ("node", "kind"),
    [
        (AllOf((at(">", 5), starts("S"), text("name", "x"), TAGGED, OF_PRODUCT, SERIAL)), "identifier"),
        (AllOf((at(">", 5), starts("S"), text("name", "x"), TAGGED, OF_PRODUCT)), "reference"),
        (AllOf((at(">", 5), starts("S"), text("name", "x"), TAGGED)), "tag"),
        (AllOf((at(">", 5), starts("S"), text("name", "x"))), "name"),
        (AllOf((at(">", 5), starts("S"))), "prefix"),
        (AllOf((OPEN, at(">", 5))), "list"),
    ],
)
def test_the_most_selective_kind_of_index_is_read(node, kind):
    assert [query.kind for query in plan(node, INDEXES).queries] == [kind]


def test_a_list_of_values_is_the_union_of_their_queries():
    assert asked(text("tags", "a", "b", "a")) == [("tag", "tags", "a"), ("tag", "tags", "b")]


def test_both_of_two_tags_read_one_of_them():
    assert asked(AllOf((text("tags", "a"), text("tags", "b")))) == [("tag", "tags", "a")]


def test_an_or_of_indexed_terms_is_one_query_a_term():
    assert asked(AnyOf((TAGGED, OF_PRODUCT, TAGGED))) == [("tag", "tags", "a"), ("reference", "product", "P1")]


def test_an_and_is_read_by_its_narrower_side_even_when_that_is_an_or():
    assert asked(AllOf((TAGGED, AnyOf((SERIAL, untyped("identifiers.serial", "s2")))))) == [
        ("identifier", "identifiers.serial", "s1"),
        ("identifier", "identifiers.serial", "s2"),
    ]


@pytest.mark.parametrize(
    "other", [OPEN, Negation(TAGGED), Comparison("name", "~", (Exact("a", "a"),)), text("other", "a")]
)
def test_an_or_with_a_side_no_index_answers_reads_everything_and_says_why(other):
    made = plan(AnyOf((TAGGED, other)), INDEXES)
    assert [query.kind for query in made.queries] == ["list"]
    assert made.reads_everything
    assert "no index" in made.note


@pytest.mark.parametrize(
    ("node", "note"),
    [
        (AllOf(()), "an empty filter holds everywhere"),
        (Negation(TAGGED), "no index tells what a negation holds for"),
        (text("other", "a"), "no index answers other="),
        (OPEN, "no index answers tags!="),
        (at("!=", 5), "no index answers createdAt!="),
        (at(">", 5), "only time narrows what is read"),
        (starts("", "a"), "no index answers every value asked of name"),
        (text("name", "a", ""), "no index answers every value asked of name"),
        (Comparison("name", "=", (Exact("1", 1),)), "no index answers every value asked of name"),
        (Comparison("tags", "=", (Exact("a", "a"), Prefix("b"))), "no index answers every value asked of tags"),
        (Comparison("tags", "=", (Exact("a", "a"), Anything())), "no index answers every value asked of tags"),
        (text("tags", *"abcdefghijk"), "more than 10 values are asked for"),
        (
            AnyOf((starts("S"), TAGGED)),
            "names that start with a text are in another order than the rest of the filter",
        ),
    ],
)
def test_a_plan_that_reads_everything_says_why(node, note):
    made = plan(node, INDEXES)
    assert [query.kind for query in made.queries] == ["list"]
    assert made.note == note


def test_a_side_of_an_or_that_holds_nothing_leaves_no_note():
    for nothing in (AllOf((OPEN, at(">", 50**8))), AllOf((at(">", 9), at("<", 5)))):
        made = plan(AnyOf((nothing, TAGGED)), INDEXES)
        assert [query.kind for query in made.queries] == ["tag"]
        assert (made.reads_everything, made.note) == (False, None)


@pytest.mark.parametrize("sides", [[text("tags", each) for each in "abcdefghijk"], [starts("S"), TAGGED]])
def test_what_is_too_much_for_the_indexes_is_still_narrowed_by_its_times(sides):
    made = plan(AnyOf(tuple(AllOf((side, at(">=", 3), at("<", 8))) for side in sides)), INDEXES)
    assert [(query.kind, query.id_low, query.id_high) for query in made.queries] == [
        ("list", first_id(3), first_id(7) + LAST)
    ]


def test_a_span_of_the_list_beside_a_tag_reads_both():
    made = plan(AnyOf((at("<", 5), TAGGED, AllOf((OF_PRODUCT, at("<", 4))))), INDEXES)
    assert [(query.kind, query.id_high) for query in made.queries] == [("list", first_id(4) + LAST), ("tag", LAST)]


def test_ten_values_are_ten_queries_and_eleven_read_everything():
    ten = plan(text("tags", *"abcdefghij"), INDEXES)
    assert len(ten.queries) == 10
    assert not ten.reads_everything
    eleven = plan(text("tags", *"abcdefghijk"), INDEXES)
    assert [query.kind for query in eleven.queries] == ["list"]
    assert "more than 10" in eleven.note


def test_a_number_is_read_in_every_spelling_it_can_be_stored_in():
    assert asked(untyped("identifiers.n", "012")) == [
        ("identifier", "identifiers.n", "012"),
        ("identifier", "identifiers.n", "12"),
        ("identifier", "identifiers.n", "12.0"),
    ]
    for written, spellings in {
        "12.0": ["12.0", "12"],
        "1e2": ["1e2", "100.0", "100"],
        "2.5": ["2.5"],
        "0": ["0", "0.0", "-0.0"],
        "x": ["x"],
        "true": ["true"],
    }.items():
        assert [value for _, _, value in asked(untyped("identifiers.n", written))] == spellings
    assert asked(Comparison("identifiers.n", "=", (Exact("7", 7),))) == [
        ("identifier", "identifiers.n", "7"),
        ("identifier", "identifiers.n", "7.0"),
    ]
    ten = [untyped("identifiers.n", str(number)) for number in range(10)]
    assert not plan(AnyOf(tuple(ten)), INDEXES).reads_everything


def test_times_narrow_the_range_of_ids():
    (query,) = plan(AllOf((TAGGED, at(">", 1000), at("<=", 2000))), INDEXES).queries
    assert query == IndexQuery(
        kind="tag", field="tags", value="a", id_low=first_id(1001), id_high=first_id(2000) + LAST
    )
    assert query.id_low <= first_id(1001) + "0" * 15 < first_id(2000) + "y" * 15 <= query.id_high
    assert first_id(1000) + "y" * 15 < query.id_low
    assert query.id_high < first_id(2001)


@pytest.mark.parametrize(
    ("node", "low", "high"),
    [
        (at(">=", 5), 5, None),
        (at(">=", 1), 1, None),
        (at("<=", 5), None, 5),
        (at("<=", 5.5, 3), None, 5),
        (Comparison("createdAt", "=", (Anything(),)), None, None),
        (at(">", 5.5), 6, None),
        (at("<", 5.5), None, 5),
        (at("<", 5), None, 4),
        (at("=", 5), 5, 5),
        (at("=", 5, 9), 5, 9),
        (at(">", 5, 3), 4, None),
        (Comparison("createdAt", "=", (Between(3, 8),)), 3, 8),
        (AnyOf((AllOf((at(">", 1), at("<", 5))), at("=", 9))), 2, 9),
    ],
)
def test_a_filter_on_time_alone_reads_that_span_of_the_list(node, low, high):
    made = plan(node, INDEXES)
    assert made.queries == (
        IndexQuery(
            kind="list",
            field="",
            value="",
            id_low="" if low is None else first_id(low),
            id_high=LAST if high is None else first_id(high) + LAST,
        ),
    )
    assert "time" in made.note


def test_one_millisecond_is_a_span_too():
    (query,) = plan(AllOf((TAGGED, at("=", 5))), INDEXES).queries
    assert (query.kind, query.id_low, query.id_high) == ("tag", first_id(5), first_id(5) + LAST)


def test_each_side_of_an_or_keeps_its_own_span():
    made = plan(AnyOf((AllOf((TAGGED, at("<", 9))), OF_PRODUCT)), INDEXES)
    assert [(query.kind, query.id_high) for query in made.queries] == [("tag", first_id(8) + LAST), ("reference", LAST)]


@pytest.mark.parametrize(
    "node",
    [
        NEVER,
        AllOf((TAGGED, NEVER)),
        AllOf((at(">", 9), at("<", 5))),
        AllOf((TAGGED, at("<", 0))),
        at("=", 4.5),
        at(">", 50**8),
        Comparison("createdAt", "=", (Between(9, 3),)),
        Comparison("createdAt", "=", (Exact("x", "x"),)),
        Comparison("createdAt", ">", (Anything(),)),
    ],
)
def test_a_filter_nothing_can_satisfy_reads_nothing(node):
    made = plan(node, INDEXES)
    assert made.queries == ()
    assert not made.reads_everything


def test_names_that_start_with_a_text_come_in_the_order_of_names():
    made = plan(AnyOf((starts("Sm", "B", "Smart"), text("name", "Smart One", "Other"))), INDEXES)
    assert [(query.kind, query.field, query.value) for query in made.queries] == [
        ("prefix", "name", "Sm"),
        ("prefix", "name", "B"),
        ("name", "name", "Other"),
    ]
    assert made.order == "name"
    assert plan(text("name", "x"), INDEXES).order == "id"


def test_a_prefix_beside_another_index_reads_everything_because_the_orders_differ():
    made = plan(AnyOf((starts("S"), AllOf((TAGGED, at("<", 5))))), INDEXES)
    assert [query.kind for query in made.queries] == ["list"]
    assert "order" in made.note


def test_only_a_family_that_is_indexed_is_read_by_key():
    assert asked(untyped("identifiers.gs1:21", "x")) == [("identifier", "identifiers.gs1:21", "x")]
    assert asked(untyped("identifiers.a.b", "x")) == [("identifier", "identifiers.a.b", "x")]
    assert asked(untyped("customFields.a", "x")) == [("list", "", "")]


def test_indexed_fields_have_their_kinds():
    assert index_fields(("tags", "identifiers.*", "thng"), times=("timestamp",)) == {
        "name": "name",
        "tags": "tag",
        "identifiers.*": "identifier",
        "thng": "reference",
        "timestamp": "time",
    }


@pytest.mark.parametrize(
    ("node", "span"),
    [
        (None, (0, 50**8 - 1)),
        (TAGGED, (0, 50**8 - 1)),
        (at(">", 5), (6, 50**8 - 1)),
        (AllOf((at(">", 5), at("<=", 9), TAGGED)), (6, 9)),
        (AnyOf((at("=", 3), at("=", 7))), (3, 7)),
    ],
)
def test_a_filter_tells_the_span_of_time_that_it_leaves(node, span):
    assert time_span(node, "createdAt") == span


def test_a_filter_nothing_can_satisfy_leaves_a_span_without_a_moment():
    first, last = time_span(AllOf((at(">", 9), at("<", 5))), "createdAt")
    assert first > last
