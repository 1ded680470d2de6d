"""The contract of the `Table` port, which every adapter passes: items, writes of one row, transactions."""

import pytest

from fingerpost.ports.table import (
    MAX_ITEM_BYTES,
    Absent,
    Add,
    AtMost,
    Check,
    Delete,
    Equals,
    ItemTooLarge,
    Key,
    Present,
    Put,
    Reason,
    Remove,
    Set,
    TransactionFailed,
    Update,
)
from tests.ports.paging import every_page

KEY = Key("p", "s")


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"text": "", "nothing": None, "yes": True, "no": False, "none": []},
        {"unicode": "e\u0301 \u00e9 \U0001f9ed \0 \u2028", "\u00e9": 1, "a.b": 2, "#x": 3, "size": 4},
        {"list": [1, "a", None, True, [], {}, [[2.5]]], "map": {"a": {"b": {"c": [{"d": 1}]}}}},
        {"bytes": b"\x00\xff", "empty": b"", "inside": [{"deep": b"x"}, ["b", "eA=="], ["l", "l"]]},
        {"tags that are not tags": ["b", "eA=="], "l": ["l"], "map": {"b": ["b", "eA=="]}},
        {"small": -1, "float": 0.1, "tiny": 1.5e-10, "negative": -273.15, "large": 10**37 + 1},
    ],
    ids=["nothing", "plain", "unicode", "nested", "bytes", "looks like bytes", "numbers"],
)
def test_an_item_comes_back_as_it_was_put(table, item):
    table.put(KEY, item)
    assert table.get(KEY) == item
    assert table.query("p").rows == ((KEY, item),)


@pytest.mark.parametrize(
    ("given", "kept"), [(1.0, 1), (-0.0, 0), (1e20, 10**20), (2.50, 2.5), (1e-7, 1e-7), (True, True), (10**30, 10**30)]
)
def test_a_whole_number_comes_back_as_int_and_any_other_as_float(table, given, kept):
    table.put(KEY, {"n": given, "inside": [{"n": given}]})
    item = table.get(KEY)
    assert item == {"n": kept, "inside": [{"n": kept}]}
    assert type(item["n"]) is type(item["inside"][0]["n"]) is type(kept)
    assert repr(item["n"]) == repr(kept)


def test_an_update_answers_numbers_as_a_read_does(table):
    _, made = table.update(KEY, (Set("whole", 2.0), Set("inside", [3.0]), Add("sum", 4.0)))
    _, changed = table.update(KEY, (Set("whole", 5.0), Add("sum", 0.5)))
    assert [repr(made[name]) for name in ("whole", "inside", "sum")] == ["2", "[3]", "4"]
    assert [repr(changed[name]) for name in ("whole", "inside", "sum")] == ["5", "[3]", "4.5"]
    assert repr(table.get(KEY)["sum"]) == "4.5"


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), float("-inf"), 10**38, -(10**38), 1e39, 1e-140, "half \ud800", ["\udfff"], {"": 1}],
    ids=repr,
)
def test_what_dynamodb_cannot_hold_is_refused_and_changes_nothing(table, value):
    table.put(KEY, {"n": 1})
    for attempt in (
        lambda: table.put(KEY, {"n": value}),
        lambda: table.put(KEY, {"n": [{"inside": value}]}),
        lambda: table.put_many([Put(KEY, {"n": value})]),
        lambda: table.update(KEY, (Set("n", value),)),
        lambda: table.transact([Put(KEY, {"n": value})]),
        lambda: table.transact([Update(KEY, (Set("n", value),))]),
    ):
        with pytest.raises(ValueError):
            attempt()
    assert table.get(KEY) == {"n": 1}


@pytest.mark.parametrize(
    "value", [(1, 2), {1, 2}, object(), bytearray(b"x")], ids=["tuple", "set", "object", "bytearray"]
)
def test_what_is_no_value_is_refused(table, value):
    with pytest.raises(TypeError):
        table.put(KEY, {"n": value})
    assert table.get(KEY) is None


@pytest.mark.parametrize("field", ["pk", "sk", "w", "expires", ""])
def test_a_field_cannot_have_a_name_that_rows_need_themselves(table, field):
    for attempt in (
        lambda: table.put(KEY, {field: "x"}),
        lambda: table.update(KEY, (Set(field, "x"),)),
        lambda: table.transact([Update(KEY, (Add(field, 1),))]),
    ):
        with pytest.raises(ValueError):
            attempt()
    assert table.get(KEY) is None


def test_values_nest_thirty_one_levels_and_no_more(table):
    def nested(levels):
        return [nested(levels - 1)] if levels else 1

    table.put(KEY, {"n": nested(31)})
    assert table.get(KEY) == {"n": nested(31)}
    with pytest.raises(ValueError):
        table.put(KEY, {"n": nested(32)})


def test_an_item_has_at_most_400_kb_and_a_larger_one_changes_nothing(tables):
    table = tables.log  # the engine slows down with the bytes in its stream
    table.put(KEY, {"n": "x" * (MAX_ITEM_BYTES - 200)})
    small = table.get(KEY)
    too_large = {"n": "\u00e9" * (MAX_ITEM_BYTES // 2)}
    for attempt in (
        lambda: table.put(KEY, too_large),
        lambda: table.put_many([Put(KEY, too_large)]),
        lambda: table.update(KEY, (Set("m", "x" * 400),)),
        lambda: table.transact([Put(KEY, too_large)]),
        lambda: table.transact([Update(KEY, (Set("m", "x" * 400),))]),
    ):
        with pytest.raises(ItemTooLarge):
            attempt()
    assert table.get(KEY) == small


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (Key("", "s"), ValueError),
        (Key("p", ""), ValueError),
        (Key("p\ud800", "s"), ValueError),
        (Key("x" * 2049, "s"), ItemTooLarge),
        (Key("p", "\u00e9" * 513), ItemTooLarge),
    ],
    ids=["no pk", "no sk", "surrogate", "long pk", "long sk"],
)
def test_no_row_can_have_an_empty_or_overlong_key(table, key, error):
    for attempt in (
        lambda: table.put(key, {}),
        lambda: table.put_many([Put(key, {})]),
        lambda: table.update(key, (Set("n", 1),)),
        lambda: table.delete(key),
        lambda: table.transact([Delete(key)]),
    ):
        with pytest.raises(error):
            attempt()
    assert table.get(key) is None
    assert table.get_many([key, KEY]) == {}


def test_the_longest_key_is_a_key(table):
    key = Key("x" * 2048, "\u00e9" * 512)
    table.put(key, {"n": 1})
    assert table.get(key) == {"n": 1}
    assert every_page(table, key.pk) == [key.sk]


def test_what_is_handed_out_or_in_is_not_shared_with_the_store(table):
    item = {"list": [1]}
    table.put(KEY, item)
    item["list"].append(2)
    table.get(KEY)["list"].append(3)
    assert table.get(KEY) == {"list": [1]}


def test_put_and_delete_answer_the_old_row(table):
    assert table.put(KEY, {"n": 1}) is None
    assert table.put(KEY, {"m": 2}) == {"n": 1}
    assert table.delete(KEY) == {"m": 2}
    assert table.delete(KEY) is None
    assert table.get(KEY) is None


def test_update_makes_the_row_and_answers_both_images(table):
    assert table.update(KEY, (Set("a", {"b": 1}), Add("n", 2), Remove("c"))) == (None, {"a": {"b": 1}, "n": 2})
    assert table.update(KEY, (Remove("a"), Add("n", -3), Set("c", ""))) == (
        {"a": {"b": 1}, "n": 2},
        {"n": -1, "c": ""},
    )
    assert table.get(KEY) == {"n": -1, "c": ""}


def test_an_update_without_effect_still_makes_the_row(table):
    assert table.update(KEY, (Remove("a"),)) == (None, {})
    assert table.get(KEY) == {}


def test_numbers_are_added_as_decimals(table):
    table.put(KEY, {"n": 0.1})
    assert table.update(KEY, (Add("n", 0.2),))[1] == {"n": 0.3}
    assert repr(table.update(KEY, (Add("n", 0.7),))[1]["n"]) == "1"
    assert table.update(KEY, (Add("n", 10**30),))[1] == {"n": 10**30 + 1}
    assert table.get(KEY) == {"n": 10**30 + 1}


@pytest.mark.parametrize("found", ["1", None, True, [1], {}], ids=repr)
def test_only_a_number_can_be_added_to(table, found):
    table.put(KEY, {"n": found})
    with pytest.raises(ValueError):
        table.update(KEY, (Set("m", 1), Add("n", 1)))
    assert table.get(KEY) == {"n": found}


def test_an_update_changes_a_field_once(table):
    for changes in ((Set("n", 1), Add("n", 1)), (Set("n", 1), Remove("n"))):
        with pytest.raises(ValueError):
            table.update(KEY, changes)
        with pytest.raises(ValueError):
            table.transact([Update(KEY, changes)])
    assert table.get(KEY) is None


def test_a_transaction_does_all_of_its_writes(table):
    a, b, c, d = (Key("p", letter) for letter in "abcd")
    table.put_many([Put(b, {"n": 1}), Put(c, {"n": 2}), Put(d, {"n": 3})])
    table.transact(
        [
            Put(a, {"new": 1}, (Absent(),)),
            Update(b, (Add("n", 10), Set("m", [])), (Equals("n", 1),)),
            Delete(c, (Present(),)),
            Check(d, (AtMost("n", 3),)),
        ]
    )
    assert table.get_many([a, b, c, d]) == {a: {"new": 1}, b: {"n": 11, "m": []}, d: {"n": 3}}
    table.transact([])


def test_a_transaction_that_fails_half_way_leaves_nothing_and_says_why(table, clock):
    a, b, c, d, e = (Key("p", letter) for letter in "abcde")
    before = {b: {"n": 1}, c: {"n": 2}, d: {"n": 3}}
    table.put_many([Put(key, item) for key, item in before.items()])
    table.put(e, {"n": 4}, expires_at=clock.now)
    with pytest.raises(TransactionFailed) as failed:
        table.transact(
            [
                Put(a, {"new": 1}, (Absent(),)),
                Update(b, (Add("n", 10),), (Equals("n", 2),)),
                Delete(c),
                Put(d, {}, (Absent(),)),
                Check(e, (Present(),)),
            ]
        )
    assert failed.value.reasons == (
        Reason("none"),
        Reason("condition", {"n": 1}),
        Reason("none"),
        Reason("condition", {"n": 3}),
        Reason("condition"),
    )
    assert failed.value.conditions_only
    assert table.get_many([a, b, c, d, e]) == before


def test_a_transaction_that_adds_to_text_leaves_nothing(table):
    table.put(KEY, {"n": "text"})
    with pytest.raises(TransactionFailed) as failed:
        table.transact([Put(Key("p", "other"), {}), Update(KEY, (Add("n", 1),))])
    assert failed.value.reasons == (Reason("none"), Reason("other"))
    assert not failed.value.conditions_only
    assert every_page(table, "p") == ["s"]


def test_a_transaction_has_a_hundred_writes_on_distinct_rows(table):
    puts = [Put(Key("p", f"{number:03d}"), {}) for number in range(101)]
    with pytest.raises(ValueError):
        table.transact(puts)
    with pytest.raises(ValueError):
        table.transact([puts[0], Delete(puts[0].key)])
    with pytest.raises(ValueError):
        table.transact([puts[0], Check(KEY, ())])
    assert table.count("p") == 0
    table.transact(puts[:100])
    assert table.count("p") == 100


def test_an_update_from_nothing_is_not_blamed_when_another_write_fails(table, clock):
    table.put(KEY, {"n": 7}, expires_at=clock.now)
    with pytest.raises(TransactionFailed) as failed:
        table.transact([Update(KEY, (Add("n", 1),)), Put(Key("p", "other"), {}, (Present(),))])
    assert failed.value.reasons == (Reason("none"), Reason("condition"))
    assert table.get(KEY) is None
