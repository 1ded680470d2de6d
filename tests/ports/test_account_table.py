"""What tenants' code sees of the tables: one account's rows, on every adapter."""

import pytest

from fingerpost.ports.table import (
    LAST,
    Absent,
    Check,
    ConditionFailed,
    Delete,
    Equals,
    GlobalKey,
    Key,
    Present,
    Put,
    Row,
    Set,
    TransactionFailed,
    Update,
)

KEY = Key("t#1", "doc")


def test_the_same_key_is_another_row_in_every_account(tables):
    one, other = tables.of("UA").main, tables.of("UB").main
    one.put(KEY, {"of": "one"})
    assert other.get(KEY) is None
    assert other.put(KEY, {"of": "other"}, when=(Absent(),)) is None
    assert one.get(KEY) == {"of": "one"}
    assert tables.main.get(Key("UA#t#1", "doc")) == {"of": "one"}
    assert tables.main.get(KEY) is None


def test_both_tables_are_scoped_and_apart(tables):
    mine = tables.of("UA")
    mine.main.put(KEY, {"in": "main"})
    assert mine.log.get(KEY) is None
    mine.log.put(KEY, {"in": "log"})
    assert mine.main.get(KEY) == {"in": "main"}
    assert tables.log.get(Key("UA#t#1", "doc")) == {"in": "log"}


def test_nothing_a_tenant_can_read_shows_another_account(tables):
    """Including an account whose name begins like this one's."""
    mine = tables.of("UA").main
    strangers = [tables.of(account).main for account in ("UB", "UA2", "U")]
    for stranger in strangers:
        stranger.put_many([Put(KEY, {"secret": 1}), Put(Key("A#t#1", "doc"), {"secret": 2})])
    tables.main.put(Key("t#1", "doc"), {"secret": 3})
    assert mine.get(KEY) is None
    assert mine.get_many([KEY, Key("A#t#1", "doc"), Key("t#1", "doc")]) == {}
    assert mine.query("t#1", low="", high=LAST).rows == ()
    assert mine.query("t#1", descending=True).rows == ()
    assert mine.count("t#1") == 0
    assert list(mine.walk()) == []
    mine.put(KEY, {"mine": 1})
    assert list(mine.walk()) == [Row(KEY, {"mine": 1})]
    assert mine.query("t#1").rows == (Row(KEY, {"mine": 1}),)
    assert mine.get_many([KEY]) == {KEY: {"mine": 1}}


def test_nothing_a_tenant_can_write_reaches_another_account(tables):
    mine, stranger = tables.of("UA").main, tables.of("UB").main
    stranger.put(KEY, {"n": 1})
    mine.put(KEY, {"n": 2})
    assert mine.update(KEY, (Set("n", 3),)) == ({"n": 2}, {"n": 3})
    mine.transact([Update(KEY, (Set("n", 4),), (Equals("n", 3),))])
    mine.put_many([Put(KEY, {"n": 5})])
    assert mine.delete(KEY) == {"n": 5}
    assert mine.delete(KEY) is None
    with pytest.raises(ConditionFailed) as failed:
        mine.delete(KEY, when=(Present(),))
    assert failed.value.old is None
    with pytest.raises(TransactionFailed):
        mine.transact([Check(KEY, (Present(),))])
    mine.transact([Delete(KEY)])
    assert stranger.get(KEY) == {"n": 1}


def test_only_a_global_key_reaches_out_of_the_account_and_only_in_a_transaction(tables):
    mine, link = tables.of("UA").main, GlobalKey("link#tn.example#AbC", "-")
    mine.transact([Put(KEY, {"n": 1}), Put(link, {"account": "UA"}, (Absent(),))])
    assert tables.main.get(link) == {"account": "UA"}
    assert tables.main.get(Key("UA#t#1", "doc")) == {"n": 1}
    with pytest.raises(TransactionFailed):
        mine.transact([Put(KEY, {"n": 2}), Put(link, {"account": "UA"}, (Absent(),))])
    with pytest.raises(TransactionFailed):
        mine.transact([Update(KEY, (Set("n", 2),)), Check(link, (Equals("account", "UB"),))])
    assert mine.get(KEY) == {"n": 1}
    mine.transact([Update(link, (Set("seen", True),)), Delete(KEY)])
    assert tables.main.get(link) == {"account": "UA", "seen": True}
    mine.transact([Delete(link)])
    assert tables.main.get(link) is None
    assert mine.get(link) is None
