"""What a table refuses, and in which words."""

import json

import pytest

from fingerpost.local.table import local_tables
from fingerpost.ports.table import MAX_PAGE_BYTES, Absent, Check, ItemTooLarge, Key, Put, Set, Update

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


def test_an_update_that_fits_no_row_is_refused_before_any_row_is_looked_at(table):
    with pytest.raises(ItemTooLarge):
        table.transact([Put(Key("p", "t"), {}), Update(KEY, (Set("a", "x" * 500_000),))])
    assert table.get(Key("p", "t")) is None


def filled(table, texts):
    """Rows of `p` whose texts, as they are kept, are these."""
    with table.store.session() as connection:
        rows = [("p", f"{number:05}", text) for number, text in enumerate(texts)]
        connection.executemany("INSERT INTO rows(pk, sk, item) VALUES (?, ?, ?)", rows)
    return table


def text_of(length, letter="x"):
    return json.dumps({"a": letter * (length - len(json.dumps({"a": ""})))}, ensure_ascii=False)


def test_a_page_of_exactly_a_megabyte_of_text_is_one_page(table):
    quarter = MAX_PAGE_BYTES // 4
    page = filled(table, [text_of(quarter)] * 4).query("p")
    assert (len(page.rows), page.after) == (4, None)


@pytest.mark.parametrize("longer", [text_of(MAX_PAGE_BYTES // 4 + 1), text_of(MAX_PAGE_BYTES // 8 + 100, "é")])
def test_a_page_of_a_byte_more_is_two(table, longer):
    quarter = MAX_PAGE_BYTES // 4
    page = filled(table, [*[text_of(quarter)] * 3, longer]).query("p")
    assert (len(page.rows), page.after) == (3, "00002")


def test_a_page_has_a_hundred_rows_and_a_count_stops_at_ten_thousand_unless_told_otherwise(table):
    filled(table, ["{}"] * 10_001)
    assert len(table.query("p").rows) == 100
    assert table.count("p") == 10_000
    assert table.count("p", at_most=20_000) == 10_001


def test_a_transaction_of_exactly_4_megabytes_is_one(table):
    sixteenth = 4 * 1024 * 1024 // 16
    puts = [Put(Key("p", f"{number:02}"), {"a": "x" * (sixteenth - len('{"a":""}'))}) for number in range(16)]
    table.transact(puts)
    assert table.count("p") == 16


def test_two_tables_are_two_files(folder, request):
    home = folder / request.node.name
    local_tables(home)
    assert {path.name.removesuffix("-wal").removesuffix("-shm") for path in home.iterdir()} == {
        "main.sqlite",
        "log.sqlite",
    }


def test_a_walk_begins_with_the_least_key_there_can_be(table):
    keys = [Key("\0", "\0"), Key("\0", "a"), Key("A", "b"), Key("b", "\0")]
    table.put_many([Put(key, {}) for key in keys])
    assert [row.key for row in table.walk()] == keys


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
