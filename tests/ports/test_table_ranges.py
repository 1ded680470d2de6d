"""The contract of the `Table` port, which every adapter passes: many rows, ranges, pages, walks."""

import pytest

from fingerpost.ports.table import LAST, MAX_PAGE_BYTES, Absent, Key, Put
from tests.ports.paging import every_page

KEY = Key("p", "s")


def test_put_many_writes_hundreds_of_rows_and_replaces_those_there(table):
    keys = [Key(f"p{number % 3}", f"{number:03d}") for number in range(260)]
    table.put(keys[7], {"old": 1})
    table.put_many([Put(key, {"n": number}) for number, key in enumerate(keys)])
    assert table.get_many(keys) == {key: {"n": number} for number, key in enumerate(keys)}
    table.put_many([])


def test_put_many_refuses_conditions_and_equal_keys(table):
    with pytest.raises(ValueError):
        table.put_many([Put(KEY, {}, (Absent(),))])
    with pytest.raises(ValueError):
        table.put_many([Put(KEY, {"n": 1}), Put(Key("p", "other"), {}), Put(KEY, {"n": 2})])
    assert every_page(table, "p") == []


def test_get_many_takes_any_number_of_keys_and_duplicates(table):
    keys = [Key("p", f"{number:03d}") for number in range(230)]
    table.put_many([Put(key, {"n": key.sk}) for key in keys[::2]])
    found = table.get_many(keys + keys[:50] + [Key("q", "000")])
    assert found == {key: {"n": key.sk} for key in keys[::2]}
    assert table.get_many([]) == {}
    assert table.get_many([KEY]) == {}
    assert table.get_many([keys[0], keys[0]], consistent=True) == {keys[0]: {"n": "000"}}


def test_get_many_reads_more_than_one_answer_can_carry(tables):
    table = tables.log  # the engine slows down with the bytes in its stream
    keys = [Key("p", f"{number}") for number in range(45)]
    table.put_many([Put(key, {"n": "x" * 390_000}) for key in keys])
    assert {key: len(item["n"]) for key, item in table.get_many(keys).items()} == dict.fromkeys(keys, 390_000)


LETTERS = ["a", "b", "ba", "bb", "c", "d"]


@pytest.fixture
def letters(table):
    table.put_many(
        [Put(Key("p", letter), {}) for letter in LETTERS] + [Put(Key(pk, "b"), {}) for pk in ("o", "pp", "q")]
    )
    return table


@pytest.mark.parametrize(
    ("range_", "found"),
    [
        ({}, LETTERS),
        ({"low": "b"}, ["b", "ba", "bb", "c", "d"]),
        ({"high": "bb"}, ["a", "b", "ba", "bb"]),
        ({"low": "b", "high": "b" + LAST}, ["b", "ba", "bb"]),
        ({"low": "aa", "high": "bz"}, ["b", "ba", "bb"]),
        ({"low": "c", "high": "c"}, ["c"]),
        ({"low": "c", "high": "b"}, []),
        ({"high": ""}, []),
        ({"after": "b"}, ["ba", "bb", "c", "d"]),
        ({"after": "bab"}, ["bb", "c", "d"]),
        ({"after": "b", "low": "bb"}, ["bb", "c", "d"]),
        ({"after": "b", "low": "b"}, ["ba", "bb", "c", "d"]),
        ({"after": "c", "high": "b"}, []),
        ({"after": "z"}, []),
        ({"after": ""}, LETTERS),
    ],
    ids=str,
)
def test_a_query_reads_a_range_in_order(letters, range_, found):
    assert [row.key for row in letters.query("p", **range_).rows] == [Key("p", letter) for letter in found]
    if "after" not in range_:
        backwards = letters.query("p", descending=True, **range_)
        assert [row.key.sk for row in backwards.rows] == found[::-1]
        assert letters.count("p", **range_) == len(found)


@pytest.mark.parametrize(
    ("range_", "found"),
    [
        ({"after": "bb"}, ["ba", "b", "a"]),
        ({"after": "bab"}, ["ba", "b", "a"]),
        ({"after": "c", "high": "b"}, ["b", "a"]),
        ({"after": "c", "high": "c"}, ["bb", "ba", "b", "a"]),
        ({"after": "b", "low": "b"}, []),
        ({"after": "a"}, []),
        ({"after": "0", "low": "a"}, []),
        ({"after": "z"}, LETTERS[::-1]),
        ({"after": ""}, []),
    ],
    ids=str,
)
def test_a_descending_query_goes_on_below(letters, range_, found):
    assert [row.key.sk for row in letters.query("p", descending=True, **range_).rows] == found


def test_a_limit_cuts_pages_that_follow_on_each_other(letters):
    page = letters.query("p", limit=4)
    assert [row.key.sk for row in page.rows] == LETTERS[:4]
    assert page.after is not None
    assert [row.key.sk for row in letters.query("p", limit=4, after=page.after).rows] == LETTERS[4:]
    for limit in (1, 2, 3, 6, 7):
        assert every_page(letters, "p", limit=limit) == LETTERS
        assert every_page(letters, "p", limit=limit, descending=True) == LETTERS[::-1]
        assert every_page(letters, "p", limit=limit, low="b", high="c") == ["b", "ba", "bb", "c"]
    with pytest.raises(ValueError):
        letters.query("p", limit=0)


def test_a_page_goes_on_after_a_row_that_is_deleted_meanwhile(letters):
    page = letters.query("p", limit=2)
    letters.delete(Key("p", page.after))
    assert [row.key.sk for row in letters.query("p", after=page.after).rows] == LETTERS[2:]


def test_a_page_has_at_most_a_megabyte(tables):
    table = tables.log  # the engine slows down with the bytes in its stream
    table.put_many([Put(Key("p", f"{number}"), {"n": "x" * 300_000}) for number in range(9)])
    page = table.query("p")
    assert 1 <= len(page.rows) <= -(-MAX_PAGE_BYTES // 300_000)
    assert page.after is not None
    assert every_page(table, "p") == [f"{number}" for number in range(9)]
    assert every_page(table, "p", descending=True) == [f"{number}" for number in reversed(range(9))]
    assert table.count("p") == 9


def test_sort_keys_are_in_the_order_of_their_utf8_bytes(table):
    keys = [
        "\0",
        "A",
        "Z",
        "a",
        "a\0",
        "a\0b",
        "aa",
        "e\u0301",
        "\u00e9",
        "\ud7ff",
        "\ue000",
        "\uffee",
        "\U0001f9ed",
        LAST,
    ]
    table.put_many([Put(Key("p", key), {"n": key}) for key in reversed(keys)])
    assert every_page(table, "p", limit=3) == sorted(keys, key=str.encode)
    assert every_page(table, "p", low="\uffee", limit=3) == ["\uffee", "\U0001f9ed", LAST]
    assert every_page(table, "p", low="a\0", high="a\0" + LAST) == ["a\0", "a\0b"]


def test_a_count_stops_where_it_is_told(letters):
    assert letters.count("p") == 6
    assert letters.count("p", at_most=4) == 4
    assert letters.count("p", at_most=6) == 6
    assert letters.count("p", low="b", high="bb", at_most=100) == 3
    assert letters.count("nothing") == 0


def test_a_partition_that_cannot_be_is_empty(table):
    for pk in ("", "x" * 2049):
        assert table.query(pk).rows == ()
        assert table.count(pk) == 0


def test_the_segments_of_a_walk_cover_everything_once(table):
    keys = [Key(f"p{number % 40}", f"{number:03d}") for number in range(120)]
    table.put_many([Put(key, {"n": key.sk}) for key in keys])
    walked = [row for segment in range(4) for row in table.walk(segment=segment, segments=4)]
    assert sorted(row.key for row in walked) == sorted(keys)
    assert all(row.item == {"n": row.key.sk} for row in walked)
    assert sorted(row.key for row in table.walk()) == sorted(keys)
    with pytest.raises(ValueError):
        next(table.walk(segment=4, segments=4))
