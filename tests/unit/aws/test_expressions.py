"""The expressions of conditions and changes, and what an update makes of a row."""

import pytest

from fingerpost.aws.expressions import (
    ALIVE,
    Placeholders,
    changed,
    check_changes,
    check_field,
    condition_on_row,
    condition_on_update,
    from_nothing,
    hold_on_no_row,
    sum_text,
    update_expression,
)
from fingerpost.ports.table import Absent, AbsentOrBelow, Add, AtMost, Equals, Present, Remove, Set


def test_names_and_values_stand_behind_placeholders_of_their_own():
    places = Placeholders(7)
    assert places.parameters() == {"ExpressionAttributeValues": {":now": {"N": "7"}}}
    assert [places.name("a"), places.name("b"), places.value({"S": "x"}), places.value({"S": "y"})] == [
        "#0",
        "#1",
        ":1",
        ":2",
    ]
    assert places.parameters() == {
        "ExpressionAttributeNames": {"#0": "a", "#1": "b"},
        "ExpressionAttributeValues": {":now": {"N": "7"}, ":1": {"S": "x"}, ":2": {"S": "y"}},
    }


@pytest.mark.parametrize("field", ["pk", "sk", "w", "expires", ""])
def test_a_field_of_the_adapters_own_is_refused_everywhere(field):
    said = f"^a row's field cannot be named '{field}'$"
    with pytest.raises(ValueError, match=said):
        check_field(field)
    with pytest.raises(ValueError, match=said):
        Placeholders(0).name(field)
    with pytest.raises(ValueError, match=said):
        check_changes((Set("a", 1), Remove(field)))


@pytest.mark.parametrize(
    ("condition", "plain", "holds_on_no_row"),
    [
        (Absent(), "attribute_not_exists(pk)", True),
        (Present(), "attribute_exists(pk)", False),
        (Equals("a", 1), "#0 = :1", False),
        (AtMost("a", 1), "#0 <= :1", False),
        (AbsentOrBelow("a", 1), "(attribute_not_exists(#0) OR #0 < :1)", True),
    ],
)
def test_a_condition_lets_an_expired_row_count_as_none(condition, plain, holds_on_no_row):
    places = Placeholders(7)
    row = condition_on_row([condition], places)
    assert row == (f"expires <= :now OR {plain}" if holds_on_no_row else f"({ALIVE}) AND {plain}")
    assert hold_on_no_row([condition]) is holds_on_no_row
    if "#0" in plain:
        assert places.names == {"#0": "a"}
        assert places.values == {":now": {"N": "7"}, ":1": {"N": "1"}}
    assert condition_on_update([condition], Placeholders(7)) == f"({ALIVE}) AND {plain}"


def test_conditions_are_joined_by_and():
    both = [Absent(), AbsentOrBelow("a", "x")]
    assert condition_on_row(both, Placeholders(7)) == (
        "expires <= :now OR attribute_not_exists(pk) AND (attribute_not_exists(#0) OR #0 < :1)"
    )
    assert condition_on_row([Absent(), Present()], Placeholders(7)) == (
        f"({ALIVE}) AND attribute_not_exists(pk) AND attribute_exists(pk)"
    )
    assert condition_on_update([Present(), Equals("a", True)], Placeholders(7)) == (
        f"({ALIVE}) AND attribute_exists(pk) AND #0 = :1"
    )
    assert condition_on_update([], Placeholders(7)) == ALIVE


@pytest.mark.parametrize("condition", [AtMost, AbsentOrBelow])
@pytest.mark.parametrize("value", [True, False])
def test_nothing_is_ordered_by_a_boolean(condition, value):
    with pytest.raises(ValueError, match=f"^a condition cannot order by {value}$"):
        condition_on_row([condition("a", value)], Placeholders(7))


@pytest.mark.parametrize(
    ("changes", "token", "expression", "values"),
    [
        ([Set("a", "x")], None, "SET #0 = :1", [{"S": "x"}]),
        ([Set("a", "x")], "t", "SET #0 = :1, w = :2", [{"S": "x"}, {"S": "t"}]),
        ([Remove("a")], None, "SET w = :1 REMOVE #0", [{"S": "-"}]),
        ([Remove("a")], "t", "SET w = :1 REMOVE #0", [{"S": "t"}]),
        ([Add("a", 2)], None, "ADD #0 :1", [{"N": "2"}]),
        ([Add("a", 2)], "t", "SET w = :2 ADD #0 :1", [{"N": "2"}, {"S": "t"}]),
        ([], None, "SET w = :1", [{"S": "-"}]),
        (
            [Set("a", 1), Add("b", 0.5), Remove("c"), Set("d", None), Add("e", 3), Remove("f")],
            None,
            "SET #0 = :1, #3 = :3 REMOVE #2, #5 ADD #1 :2, #4 :4",
            [{"N": "1"}, {"N": "0.5"}, {"NULL": True}, {"N": "3"}],
        ),
    ],
)
def test_changes_become_one_expression(changes, token, expression, values):
    places = Placeholders(7)
    assert update_expression(changes, places, token) == expression
    assert [places.values[f":{number}"] for number in range(1, len(values) + 1)] == values
    assert [places.names[f"#{number}"] for number in range(len(changes))] == [change.field for change in changes]


def test_a_field_is_changed_once():
    check_changes((Set("a", 1), Remove("b"), Add("c", 1)))
    with pytest.raises(ValueError, match=r"^an update changes a field twice: \['a', 'a'\]$"):
        check_changes((Set("a", 1), Remove("a")))


def test_an_update_of_nothing_makes_what_it_sets_and_adds():
    assert from_nothing([Set("a", "x"), Remove("b"), Add("c", 2)]) == {"a": "x", "c": 2}


def test_an_update_of_a_row_makes_another_and_leaves_it():
    old = {"a": {"S": "x"}, "b": {"N": "1"}, "c": {"N": "2"}}
    new = changed(old, [Set("a", 5), Remove("b"), Add("c", 3), Add("d", 0.5), Remove("e")])
    assert new == {"a": {"N": "5"}, "c": {"N": "5"}, "d": {"N": "0.5"}}
    assert old == {"a": {"S": "x"}, "b": {"N": "1"}, "c": {"N": "2"}}


@pytest.mark.parametrize(
    ("text", "amount", "total"),
    [
        ("1", 2, "3"),
        ("0.1", 0.2, "0.3"),
        ("0.5", 0.5, "1"),
        ("1", 0.5, "1.5"),
        ("1.5", 1, "2.5"),
        ("100.5", -0.5, "100"),
        (str(10**30), 0.5, str(10**30) + ".5"),
        (str(10**37), 1, str(10**37 + 1)),
        (str(10**37), 0.25, str(10**37)),
        (str(10**36), 0.25, str(10**36) + ".2"),
    ],
)
def test_sums_are_those_of_decimals_of_38_digits(text, amount, total):
    assert sum_text(text, amount) == total
