"""How a room stands at a moment: pure."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.rooms.standing import STATUSES, Slot, fields_of, slots_of, standing_of

NOON = 1_773_576_000_000  # 2026-03-15T12:00:00Z, a Sunday
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def room(**more: Any) -> dict[str, Any]:
    plain = {"name": "Harbour Room", "slug": "harbour-room", "timezone": "Europe/Dublin", "active": True}
    return {**plain, "approval": False, "equipment": {}, "customEquipment": {}, "rules": {}, **more}


def slot(start: int, minutes: int = 60, *, due: int = 0, booking: str = "b") -> Slot:
    """`start` is in minutes from noon."""
    at = NOON + start * MINUTE
    return Slot(at, at + minutes * MINUTE, booking, due and NOON + due * MINUTE)


CHECKED = {"checkIn": {"opensBefore": 10, "grace": 10}}
WEEKDAYS = {"rules": {"days": ["mon", "tue", "wed", "thu", "fri"]}}


@pytest.mark.parametrize(
    ("room", "slots", "status"),
    [
        (room(), [], "free"),
        (room(), [slot(15)], "free"),
        (room(), [slot(14)], "soon"),
        (room(rules={"bufferMinutes": 5}), [slot(19)], "soon"),
        (room(rules={"minMinutes": 30}), [slot(29)], "soon"),
        (room(), [slot(-30)], "booked"),
        (room(), [slot(0)], "booked"),
        (room(), [slot(-60)], "free"),
        (room(), [slot(-60), slot(0)], "booked"),
        (room(**CHECKED), [slot(-5, due=5)], "checkin"),
        (room(**CHECKED), [slot(10, due=20)], "checkin"),
        (room(**CHECKED), [slot(11, due=21)], "soon"),
        (room(**CHECKED), [slot(-30, 40), slot(10, due=20)], "booked"),
        (room(active=False), [], "unavailable"),
        (room(active=False), [slot(-30)], "booked"),
        (room(rules={"bufferMinutes": 10}), [slot(-65)], "unavailable"),
        (room(rules={"bufferMinutes": 10}), [slot(10)], "unavailable"),
        (room(**WEEKDAYS), [], "unavailable"),
        (room(rules={"opens": "08:00", "closes": "12:10"}), [], "soon"),
        (room(rules={"opens": "08:00", "closes": "12:00"}), [], "unavailable"),
        (room(rules={"opens": "08:00", "closes": "18:00"}), [], "free"),
    ],
)
def test_a_room_is_free_taken_about_to_be_taken_waited_for_or_not_to_be_had(room, slots, status):
    assert standing_of(room, slots, NOON).status == status


def test_opening_hours_are_those_of_the_rooms_own_clocks():
    early = room(timezone="Pacific/Auckland", rules={"opens": "08:00", "closes": "18:00"})  # one in the morning there
    assert standing_of(early, [], NOON).status == "unavailable"


def test_who_did_not_come_in_time_holds_nothing_even_before_that_is_written_down():
    day = {"k": "roomDay", "sv": 1, "v": 1, "iv": [[NOON - HOUR, NOON + HOUR, "late", NOON]], "past": []}
    assert slots_of([day, None], NOON) == []
    assert slots_of([day, day], NOON - 1) == [Slot(NOON - HOUR, NOON + HOUR, "late", NOON)]


def test_the_fields_of_rules_say_who_has_the_room_and_for_how_long_it_is_free():
    days = [{"k": "roomDay", "sv": 1, "v": 1, "iv": [[NOON + HOUR, NOON + 2 * HOUR, "next", 0]], "past": []}, None]
    fields = fields_of("U1", room(capacity=8, equipment={"wifi": True, "ac": False}), days, NOON)
    told = {
        "id": "U1", "name": "Harbour Room", "slug": "harbour-room", "timezone": "Europe/Dublin", "capacity": 8,
        "active": True, "approval": False, "status": "free", "freeMinutes": 60, "equipment.wifi": True,
        "equipment.ac": False, "nextBooking.id": "next", "nextBooking.start": NOON + HOUR,
        "nextBooking.end": NOON + 2 * HOUR, "nextBooking.minutes": 60, "nextBooking.inMinutes": 60,
        "nextBooking.awaitsCheckIn": False,
    }  # fmt: skip
    assert fields == told
    later = fields_of("U1", room(), days, NOON + HOUR + 10 * MINUTE)
    assert (later["status"], later["currentBooking.id"], later["currentBooking.minutesLeft"]) == ("booked", "next", 50)
    assert later["freeMinutes"] == 0 and "nextBooking.id" not in later


SLOTS = st.lists(
    st.builds(
        slot,
        st.integers(-300, 300),
        st.integers(1, 90),
        due=st.sampled_from([0, 5, 30]),
        booking=st.sampled_from("abc"),
    ),
    max_size=6,
)


@given(SLOTS, st.sampled_from([room(), room(**CHECKED), room(rules={"bufferMinutes": 7}), room(active=False)]))
def test_whatever_is_booked_a_room_that_can_be_had_is_free_until_the_next_one(slots, room):
    ordered = sorted(slots)
    standing = standing_of(room, ordered, NOON)
    assert standing.status in STATUSES
    assert (standing.until is not None) == (standing.status in ("free", "soon"))
    if standing.until is not None:
        assert standing.until > NOON
        assert not any(each.start < standing.until and each.end > NOON for each in ordered)
