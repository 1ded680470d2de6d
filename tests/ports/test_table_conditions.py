"""The contract of the `Table` port, which every adapter passes: conditions and expiry."""

import pytest

from fingerpost.ports.table import (
    Absent,
    AbsentOrBelow,
    Add,
    AtMost,
    Check,
    ConditionFailed,
    Equals,
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
SECOND = 1000


ROW = {"n": 5, "half": 5.5, "text": "m", "yes": True, "nothing": None, "list": [1]}
HOLD_ON_THE_ROW = [
    Present(),
    Equals("n", 5),
    Equals("n", 5.0),
    Equals("half", 5.5),
    Equals("text", "m"),
    Equals("yes", True),
    AtMost("n", 5),
    AtMost("n", 5.1),
    AtMost("half", 6),
    AtMost("text", "m"),
    AtMost("text", "\U0001f9ed"),
    AbsentOrBelow("n", 6),
    AbsentOrBelow("text", "n"),
    AbsentOrBelow("missing", 0),
    AbsentOrBelow("missing", ""),
]
FAIL_ON_THE_ROW = [
    Absent(),
    Equals("n", 6),
    Equals("n", "5"),
    Equals("n", True),
    Equals("yes", 1),
    Equals("yes", False),
    Equals("nothing", ""),
    Equals("missing", 5),
    AtMost("n", 4),
    AtMost("n", "9"),
    AtMost("half", 5),
    AtMost("text", "l"),
    AtMost("text", 9),
    AtMost("yes", 9),
    AtMost("nothing", 9),
    AtMost("list", 9),
    AtMost("missing", 9),
    AbsentOrBelow("n", 5),
    AbsentOrBelow("n", "9"),
    AbsentOrBelow("text", "m"),
    AbsentOrBelow("nothing", 9),
    AbsentOrBelow("yes", 9),
]
HOLD_ON_NO_ROW = [Absent(), AbsentOrBelow("n", 1), AbsentOrBelow("n", "")]
FAIL_ON_NO_ROW = [Present(), Equals("n", 5), Equals("n", False), AtMost("n", 9), AtMost("n", "")]


def conditional_writes(table, condition):
    """Every way to write KEY under a condition, each with what it leaves."""
    return [
        (lambda: table.put(KEY, {"new": 1}, when=(condition,)), {"new": 1}),
        (lambda: table.update(KEY, (Set("new", 1),), when=(condition,)), None),
        (lambda: table.delete(KEY, when=(condition,)), None),
    ]


@pytest.mark.parametrize("condition", HOLD_ON_THE_ROW, ids=repr)
def test_a_condition_that_holds_lets_every_write_through_and_old_images_out(table, condition):
    put, update, delete = (write for write, _ in conditional_writes(table, condition))
    table.put(KEY, ROW)
    assert put() == ROW
    table.put(KEY, ROW)
    assert update() == (ROW, ROW | {"new": 1})
    table.put(KEY, ROW)
    assert delete() == ROW
    table.put(KEY, ROW)
    table.transact([Check(KEY, (condition,)), Put(Key("p", "other"), {})])
    assert table.get(Key("p", "other")) == {}


@pytest.mark.parametrize("condition", FAIL_ON_THE_ROW, ids=repr)
def test_a_condition_that_fails_changes_nothing_and_shows_the_row(table, condition):
    table.put(KEY, ROW)
    for write, _ in conditional_writes(table, condition):
        with pytest.raises(ConditionFailed) as failed:
            write()
        assert failed.value.old == ROW
    with pytest.raises(TransactionFailed) as cancelled:
        table.transact([Put(Key("p", "other"), {}), Check(KEY, (condition,))])
    assert cancelled.value.reasons == (Reason("none"), Reason("condition", ROW))
    assert every_page(table, "p") == ["s"]
    assert table.get(KEY) == ROW


@pytest.mark.parametrize("expired", [False, True], ids=["no row", "expired row"])
@pytest.mark.parametrize("condition", HOLD_ON_NO_ROW, ids=repr)
def test_a_condition_that_allows_absence_holds_without_a_row(table, clock, condition, expired):
    def clear():
        table.put(KEY, {"n": 0, "text": "old"}, expires_at=clock.now - SECOND if expired else None)
        if not expired:
            table.delete(KEY)

    put, update, delete = (write for write, _ in conditional_writes(table, condition))
    clear()
    assert put() is None
    assert table.get(KEY) == {"new": 1}
    clear()
    assert update() == (None, {"new": 1})
    assert table.get(KEY) == {"new": 1}
    clear()
    assert delete() is None
    clear()
    table.transact([Check(KEY, (condition,)), Put(Key("p", "other"), {})])
    clear()
    table.transact([Update(KEY, (Add("n", 3),), when=(condition,))])
    assert table.get(KEY) == {"n": 3}


@pytest.mark.parametrize("expired", [False, True], ids=["no row", "expired row"])
@pytest.mark.parametrize("condition", FAIL_ON_NO_ROW, ids=repr)
def test_a_condition_on_what_a_row_holds_fails_without_a_row(table, clock, condition, expired):
    if expired:
        table.put(KEY, {"n": 5, "text": "old"}, expires_at=clock.now - SECOND)
    for write, _ in conditional_writes(table, condition):
        with pytest.raises(ConditionFailed) as failed:
            write()
        assert failed.value.old is None
    for write in (Check(KEY, (condition,)), Put(KEY, {}, (condition,)), Update(KEY, (Add("n", 1),), (condition,))):
        with pytest.raises(TransactionFailed) as cancelled:
            table.transact([write])
        assert cancelled.value.reasons == (Reason("condition"),)
    assert table.get(KEY) is None


def test_all_conditions_must_hold(table):
    table.put(KEY, ROW)
    with pytest.raises(ConditionFailed):
        table.put(KEY, {}, when=(Present(), Equals("n", 5), Equals("text", "other")))
    with pytest.raises(ConditionFailed):
        table.put(KEY, {}, when=(Absent(), AbsentOrBelow("n", 9)))
    assert table.put(KEY, {}, when=(Present(), Equals("n", 5), AtMost("half", 6))) == ROW


def test_text_is_compared_by_its_utf8_bytes(table):
    table.put(KEY, {"t": "\uffee"})  # in UTF-16 it would stand behind the astral character
    table.put(KEY, {"t": "\U0001f9ed"}, when=(AtMost("t", "\U0001f9ed"),))
    with pytest.raises(ConditionFailed):
        table.put(KEY, {}, when=(AtMost("t", "\uffee"),))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"], ids=repr)
def test_a_condition_cannot_compare_with_what_no_row_can_hold(table, value):
    table.put(KEY, {"n": 1})
    for condition in (Equals("n", value), AtMost("n", value), AbsentOrBelow("n", value)):
        with pytest.raises(ValueError):
            table.put(KEY, {}, when=(condition,))
    assert table.get(KEY) == {"n": 1}


def test_a_row_lives_until_the_end_of_the_second_it_expires_in(table, clock):
    table.put(KEY, {"n": 1}, expires_at=clock.now + 1)
    clock.now += SECOND - 1
    assert table.get(KEY) == {"n": 1}
    clock.now += 1
    assert table.get(KEY) is None


def test_an_expired_row_is_absent_to_every_read(table, clock):
    keys = [Key("p", f"{number}") for number in range(6)]
    table.put_many([Put(key, {}, expires_at=clock.now + SECOND if key.sk < "3" else None) for key in keys])
    assert every_page(table, "p") == ["0", "1", "2", "3", "4", "5"]
    clock.now += SECOND
    assert table.get(keys[0]) is None
    assert table.get(keys[0], consistent=True) is None
    assert table.get_many(keys) == {key: {} for key in keys[3:]}
    assert every_page(table, "p", limit=2) == ["3", "4", "5"]
    assert every_page(table, "p", limit=2, descending=True) == ["5", "4", "3"]
    assert table.count("p") == 3
    assert table.count("p", at_most=2) == 2
    assert {row.key for row in table.walk()} == set(keys[3:])


def test_both_tables_go_by_the_same_clock(tables, clock):
    for table in (tables.main, tables.log):
        table.put(KEY, {}, expires_at=clock.now + 1_000 * SECOND)
    clock.now += 1_001 * SECOND
    assert (tables.main.get(KEY), tables.log.get(KEY)) == (None, None)


def test_an_expired_row_is_absent_to_old_images(table, clock):
    for write in (
        lambda: table.put(KEY, {"new": 1}),
        lambda: table.update(KEY, (Set("new", 1),))[0],
        lambda: table.delete(KEY),
    ):
        table.put(KEY, {"old": 1}, expires_at=clock.now)
        assert write() is None
        assert table.get(KEY) in ({"new": 1}, None)


def test_an_update_of_an_expired_row_starts_from_nothing_and_lives_for_ever(table, clock):
    table.put(KEY, {"n": 7, "old": 1}, expires_at=clock.now)
    assert table.update(KEY, (Add("n", 1), Remove("gone"))) == (None, {"n": 1})
    clock.now += 10**9
    assert table.get(KEY) == {"n": 1}


def test_a_transaction_updates_an_expired_row_from_nothing(table, clock):
    living, other = Key("p", "living"), Key("p", "other")
    table.put(KEY, {"n": 7, "old": 1}, expires_at=clock.now)
    table.put(living, {"n": 7, "old": 1}, expires_at=clock.now + SECOND)
    table.transact([Put(other, {}), Update(KEY, (Add("n", 1),)), Update(living, (Add("n", 1),))])
    assert table.get_many([KEY, living, other]) == {KEY: {"n": 1}, living: {"n": 8, "old": 1}, other: {}}
    clock.now += SECOND
    assert table.get_many([KEY, living, other]) == {KEY: {"n": 1}, other: {}}


def test_an_update_leaves_the_expiry_of_a_living_row(table, clock):
    table.put(KEY, {"n": 1}, expires_at=clock.now + SECOND)
    table.update(KEY, (Add("n", 1),))
    assert table.get(KEY) == {"n": 2}
    clock.now += SECOND
    assert table.get(KEY) is None


def test_a_put_without_expiry_lives_for_ever(table, clock):
    table.put(KEY, {"n": 1}, expires_at=clock.now + SECOND)
    table.put(KEY, {"n": 1})
    clock.now += 10**9
    assert table.get(KEY) == {"n": 1}
