"""Times as Joan's clients write them."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.rooms.joan.times import read_bound, read_time, written
from fingerpost.rooms.local_time import instant_of
from fingerpost.timezones import zone_names

HOUR = 3_600_000
ZONES = st.sampled_from(sorted(zone_names())).map(ZoneInfo)
MOMENTS = st.integers(24 * HOUR, 32_000_000_000_000)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1_000)


@given(at=MOMENTS, zone=ZONES)
def test_what_is_written_is_read_as_the_same_moment_in_every_zone(at: int, zone: ZoneInfo):
    offset = datetime.fromtimestamp(at / 1_000, zone).utcoffset()
    if offset is not None and offset.seconds % 60 == 0:  # some zones had seconds in theirs, which ISO 8601 has not
        assert instant_of(read_time(written(at, zone)), ZoneInfo("UTC")) == at


@given(at=MOMENTS, offset=OFFSETS, zone=ZONES)
def test_an_offset_wins_over_every_zone(at: int, offset: timezone, zone: ZoneInfo):
    text = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).astimezone(offset).isoformat()
    for spelt in (text, text.replace("T", " "), text.replace("T", "t"), text[:-3] + text[-2:]):
        assert instant_of(read_time(spelt), zone) == at


@given(text=st.text(max_size=40) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.+Z-]{0,20}", fullmatch=True))
def test_whatever_is_no_time_is_a_value_error(text: str):
    try:
        assert 1970 <= read_time(text).year <= 2999
    except ValueError as error:
        assert str(error).startswith("Datetime ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-29T01:30", "2026-03-29T02:30+01:00"),  # does not exist: by the offset before the gap
        ("2026-10-25T01:30", "2026-10-25T01:30+01:00"),  # comes twice: the first
        ("2026-3-9T9:05", "2026-03-09T09:05+00:00"),
        ("2026-03-09T09:05:06.1234567", "2026-03-09T09:05:06.123+00:00"),
        ("2026-03-09T09:05+05", "2026-03-09T09:05+05:00"),
        ("2026-03-09T09:05-0330", "2026-03-09T09:05-03:30"),
    ],
)
def test_times_that_are_odd_are_read(text: str, expected: str):
    assert instant_of(read_time(text), ZoneInfo("Europe/Dublin")) == ms(expected)


def test_a_day_is_23_to_25_hours_of_the_zones_clocks():
    zone = ZoneInfo("Europe/Dublin")
    for day, hours in (("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25)):
        assert read_bound(day, zone, ends=True) - read_bound(day, zone, ends=False) == hours * HOUR
    for wrong in ("2026-02-30", "1969-12-31", "3000-01-01", "2026-2-3", ""):
        with pytest.raises(ValueError, match="Datetime"):
            read_bound(wrong, zone, ends=False)
