import json
from decimal import Decimal

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerpost.aws.marshal import (
    from_typed,
    from_typed_item,
    number,
    number_text,
    to_typed,
    to_typed_item,
    typed_members,
)
from fingerpost.aws.transport import encode

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


@settings(max_examples=60, deadline=None)
@given(items)
def test_the_kept_encoder_writes_what_json_does(item):
    typed = {"Item": to_typed_item(item), "ReturnValues": None, "Limit": 5, "ConsistentRead": True}
    assert encode(typed) == json.dumps(typed, ensure_ascii=False, separators=(",", ":"))


@settings(max_examples=60, deadline=None)
@given(items)
def test_an_item_is_written_at_once_as_it_would_be_in_two_steps(item):
    assert f"{{{typed_members(item)}}}" == encode(to_typed_item(item))


@pytest.mark.parametrize("item", [{"": "x"}, {"a": float("nan")}, {"a": 10**38}])
def test_what_no_row_can_hold_is_not_written_either(item):
    with pytest.raises(ValueError, match=r"name|number"):
        typed_members(item)


def test_no_number_is_encoded_that_json_does_not_have():
    with pytest.raises(ValueError, match="JSON"):
        encode({"a": float("nan")})


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


@pytest.mark.parametrize(
    ("value", "typed"),
    [
        ("x", {"S": "x"}),
        (True, {"BOOL": True}),
        (7, {"N": "7"}),
        (7.0, {"N": "7"}),
        (-2.5, {"N": "-2.5"}),
        (None, {"NULL": True}),
        (b"x" * 60, {"B": "eHh4" * 20}),
        ([1, ["a"]], {"L": [{"N": "1"}, {"L": [{"S": "a"}]}]}),
        ({"a": {"b": None}}, {"M": {"a": {"M": {"b": {"NULL": True}}}}}),
        (10**38 - 1, {"N": "9" * 38}),
        (1 - 10**38, {"N": "-" + "9" * 38}),
        (1e-130, {"N": "1e-130"}),
        (-1e-130, {"N": "-1e-130"}),
    ],
)
def test_a_value_is_written_as_its_type(value, typed):
    assert to_typed(value) == typed
    assert to_typed_item({"f": value}) == {"f": typed}
    assert from_typed(typed) == value
    assert from_typed_item({"f": typed}) == {"f": value}


def wrapped(levels: int) -> object:
    value: object = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


def test_maps_are_nested_as_deep_as_lists():
    assert from_typed(to_typed(wrapped(31))) == wrapped(31)
    with pytest.raises(ValueError, match=r"^a value is nested deeper than 32 levels$"):
        to_typed(wrapped(32))


def test_a_refusal_says_what_is_wrong():
    with pytest.raises(ValueError, match=r"^a field needs a name$"):
        to_typed_item({"": "x"})
    with pytest.raises(ValueError, match=r"^a field needs a name$"):
        to_typed({"a": {"": 1}})
    with pytest.raises(ValueError, match=r"^a number has at most 38 digits$"):
        number_text(10**38)
    with pytest.raises(ValueError, match=r"^a number has at most 38 digits$"):
        to_typed_item({"a": -(10**38)})
    with pytest.raises(ValueError, match=r"^a row cannot hold the number nan$"):
        number_text(float("nan"))
    with pytest.raises(TypeError, match=r"^a row cannot hold a tuple$"):
        to_typed([(1,)])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"^not a typed value: X$"):
        from_typed({"X": "1"})
    with pytest.raises(ValueError, match=r"^not a typed value: S$"):
        from_typed({"S": 1})


def test_each_kind_of_set_of_a_foreign_writer_is_a_list():
    assert from_typed({"BS": ["eA=="]}) == [b"x"]
    assert from_typed({"L": [{"NS": ["1"]}]}) == [[1]]


@pytest.mark.parametrize("text", ["1E+30", "9007199254740993.0", "12345678901234567890123456789012345678.0"])
def test_a_whole_number_of_a_foreign_writer_is_exact(text):
    assert number(text) == int(Decimal(text))
    assert type(number(text)) is int


def test_what_is_nearly_whole_is_no_whole_number():
    assert number("9007199254740993.5") == float("9007199254740993.5")
    assert type(number("9007199254740993.5")) is float
