"""Free and busy: every moment of the open hours is in one slot, and it is free exactly when nobody has the room."""

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from fingerpost.clock import DAY_MS
from fingerpost.rooms.local_time import local_of, zone_of
from fingerpost.rooms.model import HOUR_MS, MINUTE_MS, BookingRules
from fingerpost.rooms.roomvox.availability import Busy, open_ms, slots_of
from fingerpost.rooms.roomvox.times import Range, day_range
from fingerpost.rooms.rules import is_open
from fingerpost.timezones import zone_names

NOON = 1_773_576_000_000  # 15 March 2026, 12:00 of UTC
ZONES = st.sampled_from(sorted(zone_names()))
MINUTES = st.integers(0, 1_440)
RULES = st.builds(
    lambda ends, days: BookingRules(opens=min(ends), closes=max(ends), days=tuple(days)),
    st.tuples(MINUTES, MINUTES).filter(lambda ends: ends[0] != ends[1]),
    st.sets(st.integers(1, 7)),
)
BUSY = st.lists(st.integers(-60, 4 * 1_440), unique=True, max_size=16).map(
    lambda ends: [Busy(NOON + a * MINUTE_MS, NOON + b * MINUTE_MS, "x") for a, b in list(pairwise(sorted(ends)))[::2]]
)


@settings(max_examples=300, deadline=None)
@given(zone=ZONES, rules=RULES, taken=BUSY, month=st.integers(0, 11), length=st.integers(1, 4 * 1_440))
def test_free_and_busy_are_the_exact_complement_of_each_other_within_the_open_hours(zone, rules, taken, month, length):
    clocks, shift = zone_of(zone), month * 30 * DAY_MS
    taken = [Busy(each.start + shift, each.end + shift, each.title) for each in taken]
    wanted = Range(NOON + shift, NOON + shift + length * MINUTE_MS)
    slots = slots_of(wanted, rules, clocks, taken)
    assert all(first.end <= second.start for first, second in pairwise(slots))
    assert all(wanted.start <= each.start < each.end <= wanted.end for each in slots)
    assert sum(each.end - each.start for each in slots) == open_ms(wanted, rules, clocks)
    edges = sorted({wanted.start, wanted.end, *(edge for each in slots for edge in (each.start, each.end))})
    probes = {*edges, *((a + b) // 2 for a, b in pairwise(edges)), *(each.start for each in taken)}
    for at in (each for each in probes if wanted.start <= each < wanted.end):
        found = [each.status for each in slots if each.start <= at < each.end]
        held = any(each.start <= at < each.end for each in taken)
        opened = rules.any_time or is_open(rules, clocks, at, at + 1)
        assert found == ([] if not opened else ["busy" if held else "free"]), local_of(at, clocks)


@settings(max_examples=200, deadline=None)
@given(zone=ZONES, day=st.integers(0, 365 * 3))
def test_an_empty_day_is_one_free_slot_however_long_it_is(zone, day):
    date = datetime.fromtimestamp(NOON / 1_000 + day * 86_400, UTC).date()
    whole = day_range(date, zone_of(zone))
    (slot,) = slots_of(whole, BookingRules(), zone_of(zone), [])
    assert (slot.start, slot.end, slot.day, slot.status) == (*whole, date, "free")
    assert 22 * HOUR_MS <= slot.end - slot.start <= 26 * HOUR_MS
