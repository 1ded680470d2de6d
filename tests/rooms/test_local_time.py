"""Wall-clock times, opening hours and series in every zone of the world, around every change of its clocks."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import dateutil.rrule
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fingerpost.errors import Invalid
from fingerpost.rooms.local_time import day_bounds, local_of, minute_of_day, moment_of
from fingerpost.rooms.model import HOUR_MS, MINUTE_MS, BookingRules
from fingerpost.rooms.recurrence import starts_of
from fingerpost.rooms.rules import is_open
from fingerpost.timezones import zone_names

ZONES = sorted(zone_names())
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = datetime(2025, 7, 1, tzinfo=UTC)  # to August 2027: two changes each way
WEEKS = 110
DAY = timedelta(days=1)
SAMOA = ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC))  # which had no 30 December 2011


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def transition(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The first second of another offset between two moments of different ones."""
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low).total_seconds() // 2)
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high


@cache
def transitions(name: str) -> tuple[datetime, ...]:
    zone = ZoneInfo(name)
    days = [FIRST + number * DAY for number in range(WEEKS * 7)]
    changed = [
        (low, high)
        for low, high in pairwise(days)
        if low.astimezone(zone).utcoffset() != high.astimezone(zone).utcoffset()
    ]
    return tuple(transition(zone, low, high) for low, high in changed)


def moment_by_search(local: datetime, zone: ZoneInfo) -> datetime:
    """The first moment at which the clocks show `local`; else `local` by the offset before the gap (RFC 5545)."""
    near = [local.replace(tzinfo=UTC) + timedelta(hours=hours) for hours in range(-40, 41)]
    offsets = {offset for each in near if (offset := each.astimezone(zone).utcoffset()) is not None}
    shown = [each for offset in offsets if wall(each := local.replace(tzinfo=UTC) - offset, zone) == local]
    if shown:
        return min(shown)
    low, high = next((low, high) for low, high in pairwise(near) if wall(low, zone) < local < wall(high, zone))
    before = (transition(zone, low, high) - timedelta(seconds=1)).astimezone(zone).utcoffset()
    assert before is not None
    return local.replace(tzinfo=UTC) - before


def ms(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)


def around(change: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Local times by the quarter hour on both sides of a change, and just beside it."""
    after = wall(change, zone)
    for minutes in range(-150, 151, 15):
        yield after + timedelta(minutes=minutes)
    yield after - timedelta(seconds=1)


def test_most_zones_of_the_world_are_tried_and_many_have_changes():
    changing = [name for name in ZONES if transitions(name)]
    assert len(ZONES) > 400 and len(changing) > 150
    assert {len(transitions(name)) for name in ("Europe/Dublin", "America/New_York")} == {4}


@pytest.mark.parametrize("letters", ["A", "B", "C", "E", "I", "M", "P", "U"])
def test_a_local_time_is_the_moment_that_a_search_finds_in_every_zone_around_every_change(letters):
    """One that does not exist has the offset before the gap; of one that comes twice it is the first."""
    for name in (name for name in ZONES if name.startswith(letters) or (letters == "U" and name[0] not in "ABCEIMP")):
        zone = ZoneInfo(name)
        for change in transitions(name) or (FIRST,):
            for local in around(change, zone):
                assert moment_of(local, zone) == ms(moment_by_search(local, zone)), (name, local)


def test_a_day_that_a_zone_skipped_is_empty():
    zone = ZoneInfo(SAMOA[0])
    assert moment_of(datetime(2011, 12, 30, 12), zone) == ms(moment_by_search(datetime(2011, 12, 30, 12), zone))
    assert minute_of_day(date(2011, 12, 31), 0, zone) == ms(SAMOA[1])


@given(st.sampled_from(ZONES), st.dates(date(2025, 7, 1), date(2027, 8, 1)))
def test_the_days_of_a_zone_follow_upon_one_another_without_a_gap(name, day):
    zone = ZoneInfo(name)
    start, end = day_bounds(day, zone)
    assert end == day_bounds(day + DAY, zone)[0]
    assert 23 * HOUR_MS <= end - start <= 25 * HOUR_MS
    assert local_of(start, zone).date() == day and local_of(end - 1, zone).date() == day


# ---- opening hours


@st.composite
def zone_and_local(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone and a local time, mostly near a change of its clocks."""
    name = draw(st.sampled_from(ZONES))
    changes = transitions(name)
    base = wall(draw(st.sampled_from(changes)), ZoneInfo(name)) if changes else datetime(2026, 3, 29, 1)
    offset = draw(st.integers(-4 * 96, 4 * 96)) if draw(st.booleans()) else draw(st.integers(-12, 12))
    return name, base.replace(second=0, microsecond=0) + timedelta(minutes=15 * offset)


@given(zone_and_local(), st.integers(0, 1_439), st.integers(1, 1_440), st.sets(st.integers(1, 7)), st.integers(1, 200))
def test_a_room_is_open_when_every_quarter_hour_is(where, opens, length, days, quarters):
    name, local = where
    zone = ZoneInfo(name)
    closes = min(opens + length, 1_440)
    rules = BookingRules(opens=opens, closes=closes, days=tuple(days))
    start = moment_of(local, zone)
    end = start + quarters * 15 * MINUTE_MS
    near = [local.date() + number * DAY for number in range(-2, quarters // 90 + 4)]
    hours = []
    for day in near:
        if day.isoweekday() in days:
            midnight = datetime(day.year, day.month, day.day)
            hours.append(
                [ms(moment_by_search(midnight + timedelta(minutes=minutes), zone)) for minutes in (opens, closes)]
            )
    points = sorted({start, *(each for pair in hours for each in pair if start < each < end)})
    expected = all(any(begin <= point < stop for begin, stop in hours) for point in points)
    assert is_open(rules, zone, start, end) == expected


# ---- series


@st.composite
def recurrences(draw: st.DrawFn) -> tuple[str, dict[str, object]]:
    """A rule as text, and as what it means."""
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]))
    interval = draw(st.integers(1, 3))
    meaning: dict[str, object] = {"frequency": frequency, "interval": interval, "count": draw(st.integers(1, 12))}
    text = f"FREQ={frequency};INTERVAL={interval};COUNT={meaning['count']}"
    if frequency == "WEEKLY" and draw(st.booleans()):
        days = draw(st.sets(st.integers(0, 6), min_size=1))
        meaning["days"] = days
        text += ";BYDAY=" + ",".join(("MO", "TU", "WE", "TH", "FR", "SA", "SU")[day] for day in sorted(days))
    return text, meaning


def days_by_search(first: date, meaning: dict[str, object]) -> Iterator[date]:
    """Day after day, whether the rule means it. Weeks begin on Monday."""
    interval = meaning["interval"]
    assert isinstance(interval, int)
    monday = first - timedelta(days=first.weekday())
    day = first
    while True:
        match meaning["frequency"]:
            case "DAILY":
                meant = (day - first).days % interval == 0
            case "WEEKLY":
                days = meaning.get("days", {first.weekday()})
                assert isinstance(days, set)
                meant = ((day - monday).days // 7) % interval == 0 and day.weekday() in days
            case _:
                months = (day.year - first.year) * 12 + day.month - first.month
                meant = months % interval == 0 and day.day == first.day
        if meant or day == first:
            yield day
        day += DAY


@given(zone_and_local(), recurrences())
def test_a_series_takes_place_at_the_same_time_of_day_on_both_sides_of_every_change(where, rule):
    name, local = where
    zone = ZoneInfo(name)
    text, meaning = rule
    start = ms(moment_by_search(local, zone))
    first = local_of(start, zone).replace(tzinfo=None)  # of a time that does not exist, the one that it became
    expected: list[int] = []
    for day in days_by_search(first.date(), meaning):
        moment = ms(moment_by_search(datetime.combine(day, first.time()), zone)) if day != first.date() else start
        expected.append(moment)
        if len(expected) == meaning["count"]:
            break
    found = starts_of(text, start, start + HOUR_MS, zone, max_days=90)
    assert list(found.starts) == expected
    assert list(found.ends) == [each + HOUR_MS for each in expected]


def test_nine_o_clock_in_new_york_is_another_moment_from_march_on():
    zone = ZoneInfo("America/New_York")
    start = ms(datetime(2026, 3, 2, 14, tzinfo=UTC))
    found = starts_of("RRULE:FREQ=WEEKLY;COUNT=2", start, start + HOUR_MS, zone, max_days=9)
    assert found.starts == (start, ms(datetime(2026, 3, 9, 13, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("until", "number"),
    [("20260304", 3), ("20260304T090000", 3), ("20260304T085959", 2), ("20260304T090000Z", 3), ("20260301", 1)],
)
def test_a_series_ends_with_its_until_which_belongs_to_it(until, number):
    start = ms(datetime(2026, 3, 2, 9, tzinfo=UTC))
    found = starts_of(f"FREQ=DAILY;UNTIL={until}", start, start + HOUR_MS, ZoneInfo("Europe/Dublin"), max_days=9)
    assert len(found.starts) == number


def test_a_series_without_an_end_is_cut_where_it_can_be_booked_no_further_and_says_so():
    start = ms(datetime(2026, 3, 2, 9, tzinfo=UTC))
    zone = ZoneInfo("Europe/Dublin")
    found = starts_of("INTERVAL=1;FREQ=DAILY", start, start + HOUR_MS, zone, max_days=90)
    assert (len(found.starts), found.rrule) == (90, "FREQ=DAILY;INTERVAL=1;COUNT=90")
    latest = start + 3 * 24 * HOUR_MS
    assert starts_of("FREQ=DAILY", start, start + HOUR_MS, zone, max_days=90, latest=latest).rrule.endswith("COUNT=4")


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("", "no part"),
        ("FREQ", "no part"),
        ("FREQ=SECONDLY", "FREQ is one of"),
        ("FREQ=HOURLY;COUNT=3", "FREQ is one of"),
        ("COUNT=3", "FREQ is one of"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20260401", "do not occur together"),
        ("FREQ=DAILY;COUNT=0", "COUNT is a number"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL is a number"),
        ("FREQ=DAILY;COUNT=91", "at most 90 days"),
        ("FREQ=DAILY;UNTIL=20270401", "at most 90 days"),
        ("FREQ=DAILY;UNTIL=yesterday", "UNTIL is a date"),
        ("FREQ=DAILY;UNTIL=20261301", "UNTIL is a date"),
        ("FREQ=DAILY;FREQ=DAILY", "no part"),
        ("FREQ=DAILY;X-MINE=1", "is not among"),
        ("FREQ=WEEKLY;BYDAY=XX", "is no recurrence rule"),
        ("FREQ=DAILY;BYMONTH=13;COUNT=2", "within 10 years"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2", "within 10 years"),
        ("FREQ=MONTHLY;BYDAY=+9MO", "BYDAY"),
        ("FREQ=MONTHLY;BYDAY=-9999999999999999MO", "BYDAY"),
        ("FREQ=DAILY;BYDAY=" + ",".join(["MO"] * 300), "at most 500 characters"),
        ("FREQ=DAILY\nDTSTART=20260101", "no part"),
    ],
)
def test_a_rule_that_is_none_is_refused_with_what_is_wrong(rule, told):
    start = ms(datetime(2026, 3, 2, 9, tzinfo=UTC))
    with pytest.raises(Invalid, match=told):
        starts_of(rule, start, start + HOUR_MS, ZoneInfo("Europe/Dublin"), max_days=90)


def test_a_rule_that_no_day_fits_is_not_followed_to_the_end_of_time(monkeypatch):
    looked_at = 0
    day_by_day = dateutil.rrule._iterinfo.ddayset

    def counted(*args):
        nonlocal looked_at
        looked_at += 1
        return day_by_day(*args)

    monkeypatch.setattr(dateutil.rrule._iterinfo, "ddayset", counted)
    start = ms(datetime(2026, 3, 2, 9, tzinfo=UTC))
    found = starts_of("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", start, start + HOUR_MS, ZoneInfo("UTC"), max_days=9)
    assert found.starts == (start,)
    assert 0 < looked_at < 420 * 366, "days"


@given(
    st.dates(date(1971, 1, 1), date(2985, 12, 31)),
    st.sampled_from(
        [
            "FREQ=DAILY;INTERVAL=99",
            "FREQ=DAILY;BYMONTHDAY=13;BYDAY=FR",
            "FREQ=WEEKLY;INTERVAL=5;BYDAY=SU,TU;WKST=SU",
            "FREQ=MONTHLY;BYMONTHDAY=-1",
            "FREQ=MONTHLY;BYDAY=MO,FR;BYSETPOS=-1",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
            "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO",
            "FREQ=YEARLY;BYYEARDAY=-366",
        ]
    ),
)
@example(date(1999, 2, 6), "FREQ=DAILY;BYMONTHDAY=13;BYDAY=FR")  # whose last day is the last of the ten years
def test_a_rule_means_the_days_of_its_own_years(day, rule):
    first = datetime.combine(day, datetime.min.time().replace(hour=9))
    start = ms(first.replace(tzinfo=UTC))
    found = starts_of(rule, start, start + HOUR_MS, ZoneInfo("UTC"), max_days=20)
    by_itself = dateutil.rrule.rrulestr(rule, dtstart=first).xafter(first, count=19)
    expected = [first, *(each for each in by_itself if each <= first + timedelta(days=3660))]
    assert list(found.starts) == [ms(each.replace(tzinfo=UTC)) for each in expected]


@given(st.text(alphabet="FREQ=DAILYWKMONTHBYDCU;0123456789,+-:ZPS", max_size=60))
def test_whatever_is_sent_as_a_rule_is_a_series_or_invalid(text):
    start = ms(datetime(2026, 3, 2, 9, tzinfo=UTC))
    for rule in (text, f"FREQ=WEEKLY;{text}"):
        try:
            found = starts_of(rule, start, start + HOUR_MS, ZoneInfo("Europe/Dublin"), max_days=90)
        except Invalid:
            continue
        assert found.starts[0] == start and list(found.starts) == sorted(set(found.starts))
