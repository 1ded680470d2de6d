from decimal import Decimal

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerpost.aws.marshal import from_typed, from_typed_item, number, to_typed, to_typed_item

floats = st.floats(1e-100, 1e37) | st.floats(-1e37, -1e-100) | st.just(0.0)
scalars = st.none() | st.booleans() | st.integers(1 - 10**38, 10**38 - 1) | floats | st.text() | st.binary()
names = st.text(min_size=1, max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=6
)
items = st.dictionaries(names, values, max_size=3)


@settings(max_examples=60, deadline=None)
@given(items)
def test_an_item_comes_back_as_it_was(item):
    assert from_typed_item(to_typed_item(item)) == item


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(names, scalars.filter(lambda value: not isinstance(value, bytes)), max_size=6))
def test_boto3_reads_what_we_write(item):
    read = TypeDeserializer().deserialize({"M": to_typed_item(item)})
    assert item.keys() == read.keys()
    for name, value in item.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            assert isinstance(read[name], Decimal)
            assert float(read[name]) == float(value)
        else:
            assert read[name] == value


@given(st.floats() | st.integers())
def test_whole_numbers_come_back_as_int_and_others_as_float(value):
    try:
        typed = to_typed(value)
    except ValueError:
        return
    back = from_typed(typed)
    assert back == value
    assert type(back) is (int if float(value).is_integer() else float)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), float("-inf"), 10**38, -(10**38), 1.1e38, 1e300, 1e-131, 5e-324, 10**5000],
    ids=lambda value: repr(value)[:10] if isinstance(value, float) else "int",
)
def test_a_number_that_dynamodb_would_refuse_or_round_is_refused(value):
    with pytest.raises(ValueError, match="number"):
        to_typed(value)
    with pytest.raises(ValueError, match="number"):
        to_typed_item({"a": value})


@pytest.mark.parametrize(
    ("text", "value"),
    [("1E+30", 10**30), ("2.0", 2), ("-0", 0), ("1.5", 1.5), ("0.1", 0.1), ("9" * 38, int("9" * 38)), ("1E-7", 1e-7)],
)
def test_numbers_of_foreign_writers_are_read(text, value):
    assert number(text) == value
    assert type(number(text)) is type(value)


def nested(levels: int) -> object:
    value: object = "x"
    for _ in range(levels):
        value = [value]
    return value


def test_nesting_ends_at_32_levels():
    assert from_typed(to_typed(nested(31))) == nested(31)
    with pytest.raises(ValueError, match="32 levels"):
        to_typed(nested(32))
    with pytest.raises(ValueError, match="32 levels"):
        to_typed(nested(5000))


@pytest.mark.parametrize("item", [{"": 1}, {"a": {"": 1}}])
def test_a_field_needs_a_name(item):
    with pytest.raises(ValueError, match="name"):
        to_typed_item(item)


def test_what_is_no_value_is_a_type_error():
    with pytest.raises(TypeError, match="object"):
        to_typed_item({"a": object()})


def test_sets_of_foreign_writers_come_back_as_lists():
    assert from_typed({"NS": ["1", "2.5"]}) == [1, 2.5]
    assert from_typed({"SS": ["a"]}) == ["a"]


def test_an_unknown_type_is_an_error():
    with pytest.raises(ValueError, match="typed value"):
        from_typed({"X": "1"})
