"""Moments as panels' clients write them."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.rooms.evoko.ejson import Moment
from fingerpost.rooms.evoko.times import is_quarter, iso, moment_in

STOCKHOLM = ZoneInfo("Europe/Stockholm")
NOON = 1_773_576_000_000  # 2026-03-15T12:00:00Z
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2900, 1, 1), timezones=OFFSETS)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-15T12:00:00Z",
        "2026-03-15T12:00:00z",
        "2026-03-15T12:00:00.000Z",
        "2026-03-15T12:00:00+00:00",
        "2026-03-15T12:00:00:00+00:00",
        "2026-03-15T12:00+0000",
        "2026-03-15 13:00:00 +01:00",
        "2026-03-15T13:00:00",
        " 2026-03-15T13:00 ",
        Moment(NOON),
    ],
)
def test_one_moment_in_many_words(text):
    assert moment_in(text, STOCKHOLM) == NOON


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "2026-02-30T12:00:00Z",
        "2026-03-15T25:00:00Z",
        "2026-03-15T12:00:00+25:00",
        "1969-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T00:00:00Z",
        "٢٠٢٦-03-15T12:00:00Z",
        Moment(-1),
        Moment(10**17),
        None,
        True,
        5,
        ["2026-03-15T12:00:00Z"],
    ],
)
def test_what_is_no_moment_is_refused(value):
    with pytest.raises(ValueError, match=r"\w"):
        moment_in(value, STOCKHOLM)


@given(MOMENTS)
def test_a_moment_with_an_offset_is_that_one_whatever_the_zone(moment):
    at = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert moment_in(moment.isoformat(), STOCKHOLM) == at
    assert moment_in(iso(at), STOCKHOLM) == at


@given(st.sampled_from(sorted(available_timezones())), st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)))
def test_a_quarter_by_the_room_s_clocks_is_one(zone, local):
    """Every offset since 1990 that is in use is a multiple of a quarter hour, but for a few that no panel has."""
    info = ZoneInfo(zone)
    quarter = local.replace(minute=local.minute // 15 * 15, second=0, microsecond=0)
    offset = quarter.replace(tzinfo=info).utcoffset()
    if offset is not None and offset % timedelta(minutes=15) == timedelta():
        assert is_quarter(moment_in(quarter.isoformat(), info))


def test_only_the_minutes_of_an_end_count():
    assert is_quarter(NOON) and is_quarter(NOON + 45 * 60_000 + 30_000)
    assert not is_quarter(NOON + 60_000)
