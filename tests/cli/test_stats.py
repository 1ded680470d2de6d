"""Statistics from the command line: drawn, in tables, as CSV."""

import csv

import pytest

from fingerpost.local.visitors import SCANS


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def statistics(fingerpost):
    """What the server says of the museum's two weeks, once all of them have been summed."""
    for _ in range(200):
        found = fingerpost("stats", "--by", "country,day,rule", "--json").json
        recorded = fingerpost("rules", "backtest", "live", "--json").json
        if found["hits"] == recorded["scans"] == SCANS:
            return found
    raise AssertionError(f"{found['hits']} hits of {recorded['scans']} scans")


def test_hits_are_drawn_by_day_and_told_by_country_and_rule(fingerpost, statistics):
    lines = fingerpost("stats").out.splitlines()
    assert lines[0].startswith("All links, 20")
    assert lines[1].startswith(f"{statistics['hits']:,} hits by ")
    assert "hits by day" in lines
    assert any("┤" in line and "█" in line for line in lines)  # the plot
    most = statistics["by"]["country"][0]
    row = next(line for line in lines if line.startswith(f"{most['value']} "))
    assert row.split()[1:3] == [f"{most['hits']:,}", f"{most['share']:.1%}"]
    assert row.split()[3] == "█" * 30
    assert any("On offer in Ireland" in line for line in lines)


@pytest.mark.usefixtures("statistics")
def test_statistics_of_one_link_by_what_is_asked(fingerpost):
    said = fingerpost("stats", "TURF1891", "--by", "city", "--by", "browser", "--limit", "2").out
    assert said.startswith("TURF1891, ")
    assert "hits by day" not in said
    assert sum(line.startswith(("city", "browser")) for line in said.splitlines()) == 2


def test_csv_has_every_value(fingerpost, statistics, tmp_path):
    said = fingerpost("stats", "--by", "country", "--csv", "hits.csv")
    assert said.out.startswith("hits.csv: ")
    with (tmp_path / "hits.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["value"]: int(row["hits"]) for row in rows} == {
        each["value"]: each["hits"] for each in statistics["by"]["country"]
    }
    assert fingerpost("stats", "--by", "country", "--csv", "-").out.count("\n") == len(rows) + 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--by", "weather"], "there are no statistics by 'weather'"), (["--from", "soon"], "'soon' is no day")],
)
def test_what_cannot_be_asked_is_refused_with_what_can(fingerpost, arguments, message):
    said = fingerpost("stats", *arguments, code=2)
    assert message in said.err
    assert "Next: Write" in said.err
