"""What other shorteners export, as they write it, is read as the links that it tells of."""

from pathlib import Path

import pytest

from fingerpost.cli.failure import Usage
from fingerpost.cli.link_exports import ExportedLink, open_export
from fingerpost.cli.sql_dump import rows_of_dump

EXPORTS = Path(__file__).with_name("exports")


def links(name: str) -> list[ExportedLink]:
    return list(open_export(EXPORTS / name, None).links())


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("shlink.csv", "shlink"),
        ("shlink.json", "shlink"),
        ("bitly.csv", "bitly"),
        ("bitly-api.csv", "bitly"),
        ("yourls-phpmyadmin.csv", "yourls"),
        ("yourls-plugin.csv", "yourls"),
        ("yourls.sql", "yourls"),
        ("plain.csv", "csv"),
    ],
)
def test_what_wrote_a_file_is_told_from_its_columns(name, source):
    assert open_export(EXPORTS / name, None).source == source


def test_shlink_csv():
    first, *others = links("shlink.csv")
    assert first == ExportedLink(
        line=2,
        short_id="abc12",
        url="https://shop.example/a?sizes=1,2",
        domain="s.example",
        title="Lamps",
        tags=("sea", "offer"),
        created_at=1_680_336_000_000,
        visits=12,
    )
    assert [(each.line, each.short_id, each.domain) for each in others] == [
        (3, "about", "s.example"),
        (4, "de/karte", "s.example"),
        (5, "about", "t.example"),
    ]


def test_shlink_json_brings_its_limits_and_says_what_has_no_place_here():
    [link] = links("shlink.json")
    assert (link.short_id, link.url, link.domain, link.title) == (
        "spring",
        "https://shop.example/spring",
        "s.example",
        "Spring sale",
    )
    assert link.limits == {"validFrom": 1_709_251_200_000, "maxScans": 5000}
    assert link.visits == 40
    assert [each.partition(" are not")[0] for each in link.lost] == ["URLs by device"]


def test_bitly_csv_takes_the_custom_back_half():
    custom, plain = links("bitly.csv")
    assert (custom.short_id, custom.domain) == ("winter", "go.example")
    assert custom.url == "https://shop.example/winter?utm_source=print"
    assert (custom.tags, custom.visits) == (("print", "winter"), 120)
    assert custom.lost == ("the other back-halves of a link are not taken over",)
    assert (plain.short_id, plain.domain, plain.title, plain.lost) == ("3Uxyz12", "bit.ly", "", ())


def test_bitly_api_fields_as_a_table():
    [link] = links("bitly-api.csv")
    assert (link.short_id, link.url, link.title, link.tags) == (
        "spring-sale",
        "https://shop.example/spring",
        "Spring",
        ("spring", "sale"),
    )
    assert link.created_at == 1_677_628_800_000


def test_yourls_table_without_a_header():
    first, second = links("yourls-phpmyadmin.csv")
    assert (first.line, first.short_id, first.url) == (1, "docs", "https://docs.example/a?b=1&c=2")
    assert (first.title, first.visits, first.created_at) == ('Docs "beta"', 42, 1_556_705_472_000)
    assert (second.short_id, second.title, second.visits) == ("old", "", 0)


def test_yourls_plugin():
    assert [(each.short_id, each.url, each.visits) for each in links("yourls-plugin.csv")] == [
        ("docs", "https://docs.example/", 42),
        ("faq", "https://docs.example/faq,all", 0),
    ]


def test_yourls_dump():
    docs, faq, news = links("yourls.sql")
    assert (docs.short_id, docs.url) == ("docs", "https://docs.example/?q=it's")
    assert (docs.title, docs.visits, docs.line) == ("The docs; (all, of them)", 42, 13)
    assert (faq.short_id, faq.title, faq.line) == ("faq", "", 13)
    assert (news.short_id, news.title, news.line) == ("news", "Line\nbreak", 15)


def test_plain_table_with_semicolons_and_a_byte_order_mark():
    one, two = links("plain.csv")
    assert (one.short_id, one.domain, one.url) == ("one", "l.example", "https://shop.example/1")
    assert (one.title, one.visits) == ("One; the first", 7)
    assert (two.short_id, two.domain) == ("two", "l.example")


def test_a_table_of_other_columns_is_refused_with_what_is_needed(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(Usage, match="the columns a, b, which no export that we know has") as refusal:
        open_export(path, None)
    assert "longurl" in refusal.value.then


def test_a_source_that_does_not_fit_is_refused():
    with pytest.raises(Usage, match=r"yourls\.sql is no export of bitly"):
        open_export(EXPORTS / "yourls.sql", "bitly")


@pytest.mark.parametrize("row", ["('a','https://x.example/'", "('a','https://x.example/);", "('a')"])
def test_a_dump_that_breaks_off_is_refused_at_its_line(tmp_path, row):
    path = tmp_path / "dump.sql"
    path.write_text(f"-- dump\nINSERT INTO `yourls_url` VALUES\n{row}")
    with pytest.raises(Usage, match=r"dump\.sql:3: "):
        list(rows_of_dump(path, ending="url", columns=("keyword", "url")))


def test_a_dump_of_other_tables_is_refused(tmp_path):
    path = tmp_path / "dump.sql"
    path.write_text("INSERT INTO `yourls_options` VALUES (1,'x','y');")
    with pytest.raises(Usage, match="inserts nothing into a table whose name ends in url"):
        list(rows_of_dump(path, ending="url", columns=("keyword", "url")))
