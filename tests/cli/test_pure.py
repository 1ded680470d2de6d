"""What the command line works out by itself: moments, tables, merged backtests, lines and bars."""

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.cli.failure import Usage
from fingerpost.cli.merging import Merged
from fingerpost.cli.reading import base_of, day_of, moment_of, pairs_of
from fingerpost.cli.redirections import LinkName, link_named
from fingerpost.cli.stats import BAR, bar
from fingerpost.cli.tables import open_table
from fingerpost.cli.tail import line_of

NOW = 1_795_953_600_000  # 2026-11-29T12:00Z
HOUR = 3_600_000


@pytest.fixture
def _noon(monkeypatch):
    monkeypatch.setattr("fingerpost.cli.reading.now_ms", lambda: NOW)


# ---- what people write -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_noon")
@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2h", NOW - 2 * HOUR),
        ("7d", NOW - 7 * 24 * HOUR),
        ("+90m", NOW + 90 * 60_000),
        ("2026-11-29T12:00:00Z", NOW),
        ("2026-11-29 13:00+01:00", NOW),
        (str(NOW), NOW),
        ("999999w", 0),
        (None, None),
    ],
)
def test_moments(text, at):
    assert moment_of(text, "--at") == at


def test_a_moment_without_a_zone_is_this_machines():
    assert moment_of("2026-11-29", "--at") == int(datetime(2026, 11, 29).astimezone().timestamp() * 1000)


@pytest.mark.parametrize("text", ["tomorrow", "", "2026-13-01", "7", "7x", "99999-01-01"])
def test_what_is_no_moment_is_refused_with_what_would_do(text):
    with pytest.raises(Usage, match="--at: ") as refusal:
        moment_of(text, "--at")
    assert "7d for a week ago" in refusal.value.then


@pytest.mark.usefixtures("_noon")
def test_days():
    assert [day_of(each, "--from") for each in ("7d", "2026-11-01", None)] == ["2026-11-22", "2026-11-01", None]
    with pytest.raises(Usage):
        day_of("1.11.", "--from")


def test_pairs_and_applications():
    assert pairs_of(["a=1", "b=x=y", "c="], "--query") == {"a": "1", "b": "x=y", "c": ""}
    for wrong in ("a", "=1"):
        with pytest.raises(Usage, match="is no pair"):
            pairs_of([wrong], "--query")
    assert base_of(None) == "/redirector"
    assert base_of("P/A") == "/projects/P/applications/A/redirector"
    for wrong in ("P", "P/", "/A", "P/A/x"):
        with pytest.raises(Usage, match="names no application"):
            base_of(wrong)


# ---- tables ----------------------------------------------------------------------------------------------------------

CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=12).filter(
    lambda text: text == text.strip() and "\\" not in text
)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=8), st.sampled_from([",", ";", "\t"]), st.booleans())
def test_a_table_reads_as_it_was_written(tmp_path_factory, rows, delimiter, with_mark):
    path = tmp_path_factory.mktemp("table") / "table.csv"
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter).writerows([["name", "tags", "url"], *rows])
    path.write_text(written.getvalue(), encoding="utf-8-sig" if with_mark else "utf-8", newline="")
    assert [list(record.cells.values()) for record in open_table(path).records()] == rows


def test_records_tell_where_they_begin(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text('name,note\nA,"two\nlines"\n\nB,one\n')
    assert [(each.line, each.cells["name"]) for each in open_table(path).records()] == [(2, "A"), (5, "B")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"name\ncaf\xe9\n", "not UTF-8"),
        (b"name,url\nA,https://a.example/?x=1,2\n", ":2: 3 cells, but the header names 2"),
        (b"name,note\nA," + b"x" * 1_000_001 + b"\n", ":2: this is no CSV: field larger than"),
    ],
    ids=["empty", "latin", "cells", "long"],
)
def test_a_table_that_cannot_be_told_apart_is_refused_at_its_line(tmp_path, content, message):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(Usage) as refusal:
        list(open_table(path).records())
    assert message in str(refusal.value)


# ---- backtests in several answers (tests/unit/test_merged_backtests.py has the rest) ---------------------------------


def test_one_answer_stays_as_it_is():
    merged, only = Merged(), {"scans": 1, "changed": 0, "groups": [], "says": "of 1 scan"}
    merged.add(only)
    assert merged.whole() is only


# ---- lines and bars --------------------------------------------------------------------------------------------------


def test_an_action_in_a_line():
    at = int(datetime(2026, 11, 29, 12, tzinfo=UTC).timestamp() * 1000)
    scan = {
        "timestamp": at,
        "type": "implicitScans",
        "thng": "U1",
        "shortId": "LAMP7",
        "context": {"city": "Cork", "countryCode": "IE"},
        "reactions": [{"type": "redirection", "redirectUrl": "https://a.example/", "rule": 2, "variant": "B"}],
    }
    assert line_of(scan).split("  ")[1:] == [
        "implicitScans",
        "LAMP7",
        "Cork, IE",
        "rule 2, variant B -> https://a.example/",
    ]
    assert line_of({"timestamp": at, "type": "checkins", "thng": "U1"}).split("  ")[1:] == ["checkins", "thng U1"]


@given(st.floats(-1, 2, allow_nan=False))
def test_a_bar_is_as_long_as_its_share(share):
    drawn = bar(share)
    assert len(drawn) <= BAR
    assert abs(drawn.count("█") - max(0.0, min(share, 1.0)) * BAR) <= 1


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("LAMP7", LinkName("LAMP7")),
        ("tn.gg/LAMP7", LinkName("LAMP7", "tn.gg")),
        ("localhost:8001/LAMP7/", LinkName("LAMP7", "localhost:8001")),
        ("https://tn.gg/LAMP7", LinkName("LAMP7", "tn.gg")),
    ],
)
def test_a_link_is_named_by_its_id_or_its_whole_url(text, name):
    assert link_named(text) == name
