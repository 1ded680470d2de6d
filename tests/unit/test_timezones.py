"""When offsets change, in every zone there is."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerpost.clock import DAY_MS
from fingerpost.errors import Invalid
from fingerpost.timezones import next_change, offset_at, time_in, zone_named, zone_names

ZONES = sorted(zone_names())
FROM, UNTIL = 1_577_836_800_000, 2_524_608_000_000  # 2020 to 2050
HOUR = 3_600_000


def test_the_platforms_own_example():
    assert time_in(1_428_576_687_786, ZoneInfo("Europe/Zurich")) == {
        "timestamp": 1_428_576_687_786,
        "offset": 7_200_000,
        "localTime": "2015-04-09T12:51:27.786+02:00",
        "nextChange": 1_445_734_800_000,
    }
    assert time_in(1_510_920_720_696, ZoneInfo("Europe/London")) == {
        "timestamp": 1_510_920_720_696,
        "offset": 0,
        "localTime": "2017-11-17T12:12:00.696Z",
        "nextChange": 1_521_939_600_000,
    }


def test_a_zone_that_never_changes_says_nothing_of_it():
    assert time_in(1_000, ZoneInfo("Etc/GMT+1")) == {
        "timestamp": 1_000,
        "offset": -HOUR,
        "localTime": "1969-12-31T23:00:01.000-01:00",
    }
    assert "nextChange" not in time_in(FROM, ZoneInfo("UTC"))


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(ZONES), st.integers(FROM, UNTIL), st.lists(st.floats(0, 1), min_size=5, max_size=20))
def test_nothing_changes_before_the_next_change_and_it_is_one(name, at, shares):
    zone = ZoneInfo(name)
    change = next_change(at, zone)
    end = change if change is not None else at + 3 * 365 * DAY_MS
    assert change is None or change > at
    for share in shares:
        assert offset_at(at + int((end - 1 - at) * share), zone) == offset_at(at, zone)
    if change is not None:
        assert offset_at(change - 1, zone) == offset_at(at, zone) != offset_at(change, zone)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(ZONES), st.integers(FROM, UNTIL))
def test_on_both_sides_of_a_change_the_next_one_is_told_right(name, at):
    zone = ZoneInfo(name)
    change = next_change(at, zone)
    if change is not None:
        assert next_change(change - 1, zone) == change
        following = next_change(change, zone)
        assert following is None or following > change
        assert next_change(change + 1, zone) == following


@pytest.mark.parametrize("name", ZONES)
def test_every_zone_can_be_asked_for(name):
    document = time_in(FROM, zone_named(name))
    assert document["offset"] == offset_at(FROM, ZoneInfo(name))


@pytest.mark.parametrize(
    "name",
    ["", "Europe/Zürich", "europe/zurich", "../etc/passwd", "/etc/localtime", "Europe", "right/UTC", "\0", "x" * 5000],
)
def test_what_is_no_zone_is_refused(name):
    with pytest.raises(Invalid):
        zone_named(name)


def test_a_mistake_is_told_the_nearest_name():
    with pytest.raises(Invalid, match="did you mean Europe/Zurich") as refused:
        zone_named("Europe/Zürich")
    assert refused.value.details[0].suggestion == "Europe/Zurich"
