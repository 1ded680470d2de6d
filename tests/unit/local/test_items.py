"""What SQLite keeps of an item, and what conditions and changes mean for it."""

from decimal import Decimal

import pytest

from fingerpost.local import items
from fingerpost.local.items import MAX_DEPTH, changed, check_key, decode, encode, hold, is_storable, same_text
from fingerpost.ports.table import (
    MAX_ITEM_BYTES,
    MAX_PK_BYTES,
    MAX_SK_BYTES,
    Absent,
    AbsentOrBelow,
    Add,
    AtMost,
    Equals,
    ItemTooLarge,
    Key,
    Present,
    Remove,
    Set,
    item_size,
)

KEY = Key("p", "s")


@pytest.mark.parametrize(
    ("key", "storable"),
    [
        (Key("p", "s"), True),
        (Key("", "s"), False),
        (Key("p", ""), False),
        (Key("é" * (MAX_PK_BYTES // 2), "s"), True),
        (Key("é" * (MAX_PK_BYTES // 2) + "p", "s"), False),
        (Key("p", "é" * (MAX_SK_BYTES // 2)), True),
        (Key("p", "é" * (MAX_SK_BYTES // 2) + "s"), False),
        (Key("\ud800", "s"), False),
        (Key("p", "\ud800"), False),
    ],
    ids=range(9),
)
def test_a_row_has_a_key_of_two_short_texts(key, storable):
    assert is_storable(key) is storable
    if storable:
        assert check_key(key) is None
    else:
        with pytest.raises((ValueError, ItemTooLarge)):
            check_key(key)


def test_a_key_is_refused_for_what_is_wrong_with_it():
    with pytest.raises(ValueError, match=r"^a key has two parts that are not empty, unlike \('', 's'\)$"):
        check_key(Key("", "s"))
    with pytest.raises(ItemTooLarge, match=f"^a key is at most {MAX_PK_BYTES} and {MAX_SK_BYTES} bytes$"):
        check_key(Key("p" * (MAX_PK_BYTES + 1), "s"))
    for key in (Key("\ud800", "s"), Key("p", "\ud800")):
        with pytest.raises(UnicodeEncodeError):
            check_key(key)


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({}, "{}"),
        ({"a": "é", "b": [1, None, True]}, '{"a":"é","b":[1,null,true]}'),
        ({"a": {"b": {"c": 1.5}}}, '{"a":{"b":{"c":1.5}}}'),
        ({"a": 2.0, "b": [2.0], "c": {"d": -0.0}}, '{"a":2,"b":[2],"c":{"d":0}}'),
        ({"a": 10**37, "b": 1e15, "c": 1e-7}, '{"a":1' + "0" * 37 + ',"b":1000000000000000,"c":1e-07}'),
        ({"a": 10**38 - 1, "b": 1 - 10**38}, '{"a":' + "9" * 38 + ',"b":-' + "9" * 38 + "}"),
        ({"a": b"x"}, '~{"a":["b","eA=="]}'),
        (
            {"a": [b"x", ["b", "eA=="]], "b": {"c": b""}},
            '~{"a":["l",["b","eA=="],["l","b","eA=="]],"b":{"c":["b",""]}}',
        ),
        ({"a": [[b"x"]], "n": [1]}, '~{"a":["l",["l",["b","eA=="]]],"n":["l",1]}'),
        ({"a": {"b": [{"c": b"x"}]}}, '~{"a":{"b":["l",{"c":["b","eA=="]}]}}'),
    ],
)
def test_an_item_is_kept_as_this_text_and_read_back(item, text):
    assert encode(KEY, item) == text
    assert decode(text) == item


@pytest.mark.parametrize(
    "item",
    [
        {"a": "x", "b": None, "c": True},
        {"a": 0, "b": -1, "c": 10**15 - 1, "d": 1 - 10**15},
        {"a": 0.1, "b": -0.5, "c": 1e14 + 0.5, "d": 0.00002},
        {"a": [1, "x", [None]], "b": {"c": {"d": 1.5}}},
        {"a": [[[[[["x"]]]]]], "b": {"c": {"d": {"e": {"f": 1}}}}},
    ],
)
def test_the_common_kinds_of_value_are_written_as_they_are(monkeypatch, item):
    def normalised(*_):
        raise AssertionError("taken the long way")

    monkeypatch.setattr(items, "_normal_map", normalised)
    assert decode(encode(KEY, item)) == item
    for wrap in (lambda value: [value], lambda value: {"a": value}):
        deep = {"a": "x"}
        for _ in range(MAX_DEPTH - 1):
            deep = {"a": wrap(deep["a"])}
        assert decode(encode(KEY, deep)) == deep


@pytest.mark.parametrize("first", ["x", 1, 0.5, [1], {"b": 1}])
def test_what_is_plain_does_not_hide_what_follows(first):
    assert encode(KEY, {"a": first, "z": 2.0}).endswith('"z":2}')
    assert encode(KEY, {"a": [first, 2.0]}).endswith(",2]}")


class Text(str):
    __slots__ = ()

    def __str__(self):
        return "something else"


class Many(dict):
    pass


def test_what_only_behaves_like_a_plain_value_is_kept_as_one():
    item = {Text("a"): Text("b"), "c": Many(d=Text("e")), "f": [Text("g")]}
    assert encode(KEY, item) == '{"a":"b","c":{"d":"e"},"f":["g"]}'


@pytest.mark.parametrize("field", ["pk", "sk", "w", "expires"])
def test_an_item_has_none_of_the_stores_own_fields(field):
    with pytest.raises(ValueError, match=r"^a field cannot have one of the names expires, pk, sk, w$"):
        encode(KEY, {field: 1})


@pytest.mark.parametrize("name", ["", 1, None, b"a", 1.5])
@pytest.mark.parametrize(
    "within", [lambda it: it, lambda it: {"a": it}, lambda it: {"a": [it]}, lambda it: {"b": 2.0, "a": it}]
)
def test_every_name_is_text(name, within):
    with pytest.raises(ValueError, match=f"^a field's name is text, not {name!r}$"):
        encode(KEY, within({name: 1}))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e-131, -1e-131])
def test_a_number_that_no_table_keeps_is_refused(value):
    for item in ({"a": value}, {"a": [value]}, {"a": {"b": value}}):
        with pytest.raises(ValueError, match=f"^an item cannot hold the number {value!r}$"):
            encode(KEY, item)


@pytest.mark.parametrize("value", [10**38, -(10**38), 1.1e38, 1e300])
def test_a_number_has_at_most_38_digits(value):
    with pytest.raises(ValueError, match=r"^a number has at most 38 digits$"):
        encode(KEY, {"a": value})


@pytest.mark.parametrize("value", [1e-130, -1e-130, 1e-5, 0.1, 1e14 + 0.5, 123456789.125])
def test_a_fraction_is_kept_as_it_is(value):
    assert decode(encode(KEY, {"a": value})) == {"a": value}


@pytest.mark.parametrize(
    ("value", "named"), [(Decimal(1), "Decimal"), ((1,), "tuple"), ({1}, "set"), (object(), "object")]
)
def test_what_is_no_value_is_a_type_error(value, named):
    for item in ({"a": value}, {"a": [value]}, {"a": {"b": value}}):
        with pytest.raises(TypeError, match=f"^an item cannot hold a {named}$"):
            encode(KEY, item)


@pytest.mark.parametrize("wrap", [lambda value: [value], lambda value: {"a": value}])
@pytest.mark.parametrize("leaf", ["x", 2.0])
def test_nesting_ends_at_32_levels(wrap, leaf):
    value = leaf
    for _ in range(MAX_DEPTH - 1):
        value = wrap(value)
    assert decode(encode(KEY, {"a": value})) == {"a": value}
    with pytest.raises(ValueError, match=r"^an item is nested at most 32 levels deep$"):
        encode(KEY, {"a": wrap(value)})


def test_half_a_surrogate_pair_is_refused_wherever_it_is():
    for item in ({"a": "\ud800"}, {"\ud800": 1}, {"a": ["\ud800", b""]}):
        with pytest.raises(ValueError):
            encode(KEY, item)


def test_an_item_has_at_most_400_kilobytes():
    room = MAX_ITEM_BYTES - item_size(KEY, {"a": ""})
    assert len(encode(KEY, {"a": "x" * room})) > room
    for text in ("x" * (room + 1), "é" * (room // 2 + 1)):
        with pytest.raises(ItemTooLarge, match=f"^an item is at most {MAX_ITEM_BYTES} bytes$"):
            encode(KEY, {"a": text})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}, True),
        ({"a": 1, "b": 2}, {"b": 1, "a": 2}, False),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": b"x", "b": 1}, {"b": 1, "a": b"x"}, True),
        ({"a": b"x", "b": 1}, {"b": 1, "a": b"y"}, False),
        ({"a": True, "b": 1111}, {"b": True, "a": 1111}, False),
    ],
)
def test_two_texts_are_one_item_whatever_the_order_of_fields(one, other, same):
    assert same_text(encode(KEY, one), encode(KEY, other)) is same


def test_a_text_is_the_same_as_itself():
    assert same_text('{"a":1}', '{"a":1}') is True


def test_a_tagged_text_is_not_the_plain_one_that_reads_the_same():
    assert same_text('~{"a":1}', '{"a":1} ') is False


OLD = {"n": 5, "t": "m", "b": True, "f": 2.5, "z": None, "l": [1]}


@pytest.mark.parametrize(
    ("condition", "for_old", "for_none"),
    [
        (Absent(), False, True),
        (Present(), True, False),
        (Equals("n", 5), True, False),
        (Equals("n", 5.0), True, False),
        (Equals("n", 6), False, False),
        (Equals("b", True), True, False),
        (Equals("b", 1), False, False),
        (Equals("b", False), False, False),
        (Equals("t", "m"), True, False),
        (Equals("none", 5), False, False),
        (AtMost("n", 5), True, False),
        (AtMost("n", 4), False, False),
        (AtMost("n", 6), True, False),
        (AtMost("t", "m"), True, False),
        (AtMost("t", "l"), False, False),
        (AtMost("t", 9), False, False),
        (AtMost("n", "9"), False, False),
        (AtMost("b", 9), False, False),
        (AtMost("l", 9), False, False),
        (AtMost("none", 5), False, False),
        (AbsentOrBelow("n", 5), False, True),
        (AbsentOrBelow("n", 6), True, True),
        (AbsentOrBelow("f", 3), True, True),
        (AbsentOrBelow("t", "n"), True, True),
        (AbsentOrBelow("t", "m"), False, True),
        (AbsentOrBelow("t", 9), False, True),
        (AbsentOrBelow("b", 9), False, True),
        (AbsentOrBelow("none", 5), True, True),
    ],
)
def test_a_condition_holds_for_a_row_or_for_none(condition, for_old, for_none):
    assert hold((condition,), OLD) is for_old
    assert hold((condition,), None) is for_none
    assert hold((), OLD) is True
    assert hold((condition, Present()), OLD) is for_old


@pytest.mark.parametrize("condition", [Equals, AtMost, AbsentOrBelow])
@pytest.mark.parametrize("value", [None, b"a", [1], float("nan"), float("inf"), "\ud800", True])
def test_a_condition_cannot_compare_with_this(condition, value):
    if value is True and condition is Equals:
        return
    said = "surrogates not allowed" if value == "\ud800" else rf"^a condition cannot compare with {str(value)[:3]}"
    for old in (OLD, None):
        with pytest.raises(ValueError, match=said if not isinstance(value, bytes | list) else "^a condition cannot"):
            hold((condition("n", value),), old)


def test_changes_make_a_new_item_and_leave_the_old_one():
    old = {"a": 1, "b": 2}
    assert changed(old, [Set("a", "x"), Remove("b"), Add("c", 3)]) == {"a": "x", "c": 3}
    assert changed(None, [Add("c", 3), Remove("b")]) == {"c": 3}
    assert old == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("found", "amount", "total"),
    [
        (1, 2, 3),
        (0.1, 0.2, 0.3),
        (0.5, 0.5, 1),
        (1, 0.5, 1.5),
        (10**30, 1, 10**30 + 1),
        (10**37, 0.25, 10**37),
        (2.5, -2.5, 0),
        (10**30, 0.5, 1e30),
    ],
)
def test_sums_are_those_of_decimals(found, amount, total):
    result = changed({"a": found}, [Add("a", amount)])["a"]
    assert (result, type(result)) == (total, type(total))


@pytest.mark.parametrize("found", ["1", True, None, [1]])
def test_only_to_a_number_can_be_added(found):
    with pytest.raises(ValueError, match=r"^cannot add to 'a': it is no number$"):
        changed({"a": found}, [Add("a", 1)])


@pytest.mark.parametrize("amount", [float("nan"), float("inf")])
def test_only_a_number_can_be_added(amount):
    with pytest.raises(ValueError, match=f"^cannot add {amount!r} to 'a'$"):
        changed({"a": 1}, [Add("a", amount)])


def test_a_field_is_changed_once():
    with pytest.raises(ValueError, match=r"^an update changes a field once$"):
        changed({}, [Set("a", 1), Remove("a")])
