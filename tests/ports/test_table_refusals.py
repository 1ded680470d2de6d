"""What a table refuses, and in which words."""

import pytest

from fingerpost.local.table import local_tables
from fingerpost.ports.table import Absent, Check, Key, Put, Set, Update

KEY = Key("p", "s")


@pytest.fixture
def table(folder, request):
    return local_tables(folder / request.node.name).main


def test_a_page_holds_at_least_one_row(table):
    with pytest.raises(ValueError, match=r"^a page holds at least one row, not 0$"):
        table.query("p", limit=0)
    assert table.query("p", limit=1).rows == ()


def test_many_puts_take_no_conditions(table):
    with pytest.raises(ValueError, match=r"^put_many takes no conditions$"):
        table.put_many([Put(KEY, {}), Put(Key("p", "t"), {}, (Absent(),))])
    assert table.get(KEY) is None


def test_a_row_is_written_once_in_one_call(table):
    for call in (table.put_many, table.transact):
        with pytest.raises(ValueError, match=r"^a row is written once in one call$"):
            call([Put(KEY, {}), Put(KEY, {"a": 1})])


def test_a_transaction_has_at_most_100_writes_and_4_megabytes(table):
    puts = [Put(Key("p", f"{number:03}"), {"a": "x" * 40_000}) for number in range(110)]
    with pytest.raises(ValueError, match=r"^a transaction has at most 100 writes, not 101$"):
        table.transact(puts[:101])
    table.transact(puts[:100])
    heavy = [Put(put.key, {"a": "x" * 45_000}) for put in puts[:100]]
    with pytest.raises(ValueError, match=r"^a transaction holds at most 4194304 bytes$"):
        table.transact(heavy)
    assert len(table.query("p", limit=200).rows) == 26  # of a megabyte
    assert table.get(puts[0].key) == puts[0].item


def test_a_check_has_a_condition(table):
    with pytest.raises(ValueError, match=r"^a check has a condition$"):
        table.transact([Check(KEY, ()), Update(Key("p", "t"), (Set("a", 1),))])
    assert table.get(Key("p", "t")) is None


@pytest.mark.parametrize(("segment", "segments"), [(1, 1), (-1, 1), (2, 2)])
def test_a_walk_has_the_segments_that_it_says(table, segment, segments):
    with pytest.raises(ValueError, match=rf"^no segment {segment} of {segments}$"):
        list(table.walk(segment=segment, segments=segments))


def test_the_segments_of_a_walk_share_the_rows_out(table):
    table.put_many([Put(Key(f"p{number}", "s"), {"n": number}) for number in range(40)])
    shares = [[row.key for row in table.walk(segment=segment, segments=3)] for segment in range(3)]
    assert all(shares)
    assert sorted(key for share in shares for key in share) == sorted(row.key for row in table.walk())
    assert sum(map(len, shares)) == 40
