"""Cron expressions in Quartz's form: when they are due, how EventBridge writes them, what is refused."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerpost.errors import Invalid
from fingerpost.reactor.cron import parse
from tests.stores import NOON  # a Sunday: 2026-03-15T12:00:00Z


def times(text, count=3, after=NOON):
    cron, found, at = parse(text), [], after
    while len(found) < count and (at := cron.after(at)) is not None:
        found.append(f"{datetime.fromtimestamp(at / 1000, UTC):%a %Y-%m-%d %H:%M:%S}")
    return found


CASES = {
    "0 45 14 * * ?": ["Sun 2026-03-15 14:45:00", "Mon 2026-03-16 14:45:00", "Tue 2026-03-17 14:45:00"],
    "30 0/20 12 * * *": ["Sun 2026-03-15 12:00:30", "Sun 2026-03-15 12:20:30", "Sun 2026-03-15 12:40:30"],
    "0 0 12 ? * MON-FRI": ["Mon 2026-03-16 12:00:00", "Tue 2026-03-17 12:00:00", "Wed 2026-03-18 12:00:00"],
    "0 0 12 ? * 2,7": ["Mon 2026-03-16 12:00:00", "Sat 2026-03-21 12:00:00", "Mon 2026-03-23 12:00:00"],
    "0 0 8 ? * FRI-MON": ["Mon 2026-03-16 08:00:00", "Fri 2026-03-20 08:00:00", "Sat 2026-03-21 08:00:00"],
    "0 0 0 L * ?": ["Tue 2026-03-31 00:00:00", "Thu 2026-04-30 00:00:00", "Sun 2026-05-31 00:00:00"],
    "0 0 0 15W * ?": ["Mon 2026-03-16 00:00:00", "Wed 2026-04-15 00:00:00", "Fri 2026-05-15 00:00:00"],
    "0 0 0 1W * ?": ["Wed 2026-04-01 00:00:00", "Fri 2026-05-01 00:00:00", "Mon 2026-06-01 00:00:00"],
    "0 0 0 31W AUG,OCT ?": ["Mon 2026-08-31 00:00:00", "Fri 2026-10-30 00:00:00", "Tue 2027-08-31 00:00:00"],
    "0 0 0 ? * 6#3": ["Fri 2026-03-20 00:00:00", "Fri 2026-04-17 00:00:00", "Fri 2026-05-15 00:00:00"],
    "0 0 0 ? * FRI#5": ["Fri 2026-05-29 00:00:00", "Fri 2026-07-31 00:00:00", "Fri 2026-10-30 00:00:00"],
    "0 0 0 ? * 6L": ["Fri 2026-03-27 00:00:00", "Fri 2026-04-24 00:00:00", "Fri 2026-05-29 00:00:00"],
    "0 0 0 ? * L": ["Sat 2026-03-21 00:00:00", "Sat 2026-03-28 00:00:00", "Sat 2026-04-04 00:00:00"],
    "0 0 22-1 * * ?": ["Sun 2026-03-15 22:00:00", "Sun 2026-03-15 23:00:00", "Mon 2026-03-16 00:00:00"],
    "0 0 0 29 2 ?": ["Tue 2028-02-29 00:00:00", "Sun 2032-02-29 00:00:00", "Fri 2036-02-29 00:00:00"],
    "0 0 0 1 1 ? 2027/2": ["Fri 2027-01-01 00:00:00", "Mon 2029-01-01 00:00:00", "Wed 2031-01-01 00:00:00"],
    "0 0 12 15 3 ? 2027": ["Mon 2027-03-15 12:00:00"],
    "0 0 0 30 2 ?": [],
    "0 0 0 1 1 ? 2020": [],
}


@pytest.mark.parametrize(("text", "expected"), CASES.items(), ids=CASES)
def test_the_next_times(text, expected):
    assert times(text) == expected


WRITTEN = {
    "0 45 14 * * ?": "cron(45 14 * * ? *)",
    "30 0/20 12 * * *": "cron(0,20,40 12 * * ? *)",
    "0 0 12 ? * mon-fri": "cron(0 12 ? * 2-6 *)",
    "0 0 0 L * ?": "cron(0 0 L * ? *)",
    "0 0 0 15W * ?": "cron(0 0 15W * ? *)",
    "0 0 0 ? JAN 6#3 2027-2029": "cron(0 0 ? 1 6#3 2027-2029)",
    "0 0 0 ? * 6L": "cron(0 0 ? * 6L *)",
    "0 0 22-1 * * ?": "cron(0 0-1,22-23 * * ? *)",
}


@pytest.mark.parametrize(("text", "expected"), WRITTEN.items(), ids=WRITTEN)
def test_as_eventbridge_writes_it(text, expected):
    assert parse(text).for_eventbridge == expected


REFUSED = {
    "": "0 parts",
    "* * * * *": "5 parts",
    "* 0 12 * * ?": "seconds are one number",
    "0/5 0 12 * * ?": "seconds are one number",
    "60 0 12 * * ?": "seconds are one number",
    "0 60 12 * * ?": "minutes: '60' is not from 0 to 59",
    "0 0 24 * * ?": "hours: '24'",
    "0 0 12 0 * ?": "day of month: '0'",
    "0 0 12 * 13 ?": "month: '13'",
    "0 0 12 ? * 8": "day of week: '8'",
    "0 0 12 ? * MONDAY": "day of week: 'MONDAY'",
    "0 0 12 1 * MON": "cannot both be said",
    "0 0 12 ? * ?": "cannot both be ?",
    "0 0 12 LW * ?": "day of month: 'LW'",
    "0 0 12 L-3 * ?": "day of month: 'L'",
    "0 0 12 1W,15W * ?": "day of month",
    "0 0 12 ? * 6#6": "day of week: '6#6'",
    "0 0/0 12 * * ?": "a step of 0",
    "0 0 12 * * ? 1969": "year",
    "0 0 12 * * ? 2030-2020": "ends before it begins",
    "0 a 12 * * ?": "minutes: 'A'",
    "0 ٣ 12 * * ?": "minutes",
    "0 0 12 * * ? " + "1" * 300: "parts",
}


@pytest.mark.parametrize(("text", "told"), REFUSED.items(), ids=[text[:20] for text in REFUSED])
def test_what_cannot_be_kept_is_refused_by_its_part(text, told):
    with pytest.raises(Invalid) as refused:
        parse(text)
    assert told in str(refused.value)
    assert refused.value.details[0].field == "cron"


PART = st.one_of(
    st.integers(0, 59).map(str), st.tuples(st.integers(0, 59), st.integers(1, 30)).map("{0[0]}/{0[1]}".format),
    st.just("*"), st.tuples(st.integers(0, 59), st.integers(0, 59)).map("{0[0]}-{0[1]}".format),
)  # fmt: skip


@settings(max_examples=60)
@given(PART, st.integers(0, 23), st.integers(0, 59), st.integers(0, 3 * 86_400_000))
def test_a_time_is_the_first_one_that_is_right(minutes, hour, second, later):
    """Held against asking every second of two days."""
    cron, at = parse(f"{second} {minutes} {hour} * * ?"), NOON + later
    found = cron.after(at)
    moment = datetime.fromtimestamp(at // 1000, UTC)
    moments = (moment + timedelta(seconds=1 + number) for number in range(2 * 86_400))
    expected = next(
        each for each in moments if each.hour == hour and each.second == second and each.minute in cron.minutes
    )
    assert found == int(expected.timestamp()) * 1000
    assert cron.is_at(found)
    assert not cron.is_at(found + 1)


@given(st.text(max_size=40))
def test_anything_at_all_is_read_or_refused(text):
    try:
        cron = parse(text)
    except Invalid:
        return
    list(islice(cron.for_eventbridge, 1))
