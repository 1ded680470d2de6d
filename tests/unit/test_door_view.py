"""What the pages of a door offer, whatever is booked, wherever the room is: pure."""

from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.access.secrets import RootSecrets
from fingerpost.rooms.doors import pages
from fingerpost.rooms.doors.tickets import LASTING_MS, Holder, Stale, check, issued
from fingerpost.rooms.doors.view import equipment_title, minute, view_of
from fingerpost.rooms.model import MINUTE_MS, Booking, CheckIn, Room
from fingerpost.rooms.rules import booking_rules_of, check_rules

NOON = 1_773_576_000_000  # 2026-03-15T12:00:00Z
ZONES = sorted(available_timezones())
RULES = st.sampled_from(
    [
        {},
        {"bufferMinutes": 7},
        {"minMinutes": 20},
        {"maxMinutes": 25},
        {"opens": "08:00", "closes": "18:30"},
        {"days": ["sun"]},
    ]
)
TITLE = '<b>"Board" & co</b>'


def room_of(zone: str, rules: dict[str, object], *, checks: bool) -> tuple[Room, dict[str, object]]:
    check_in = {"opensBefore": 10, "grace": 10} if checks else None
    document = {
        "timezone": zone,
        "active": True,
        "rules": rules,
        "equipment": {},
        "customEquipment": {},
        "checkIn": check_in,
    }
    room = Room(
        id="U1", account="U0", name="Pier", slug="pier", zone=zone, rules=booking_rules_of(rules), show_titles=True,
        check_in=CheckIn() if checks else None, facilities={"videoConference": True, "ac": False, "wifi": None},
    )  # fmt: skip
    return room, document


@st.composite
def booked(draw: st.DrawFn) -> list[Booking]:
    """Bookings that do not meet, around noon."""
    at, found = NOON - 200 * MINUTE_MS, []
    for number, (gap, length) in enumerate(
        draw(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 200)), max_size=6))
    ):
        start = at + gap * MINUTE_MS
        at = start + length * MINUTE_MS
        state = draw(st.sampled_from(["tentative", "confirmed", "checkedIn", "released", "ended"]))
        due = start + 10 * MINUTE_MS if state == "confirmed" and draw(st.booleans()) else None
        booking = Booking(
            id=f"U{number}", room="U1", start=start, end=at, zone="UTC", title=TITLE, state=state, source="api",
            release_at=due, created_at=0, updated_at=0,
        )  # fmt: skip
        found.append(booking.seen_at(NOON))
    return found


@given(booked(), st.sampled_from(ZONES), RULES, st.booleans(), st.integers(0, 59_999))
def test_what_is_offered_can_be_had(bookings, zone, rules, checks, later):
    at = NOON + later
    room, document = room_of(zone, rules, checks=checks)
    bookings = [each.seen_at(at) for each in bookings]
    view = view_of(room, document, bookings, {}, at)
    holding = [each for each in bookings if each.holds]
    margin = room.rules.buffer_minutes * MINUTE_MS
    for choice in view.lengths:
        start, end = minute(at), minute(at) + choice.minutes * MINUTE_MS
        assert not [each for each in holding if each.start < end + margin and start < each.end + margin]
        check_rules(room, start, end, at)
    for choice in view.extensions:
        running = next(each for each in holding if each.runs_at(at))
        end = running.end + choice.minutes * MINUTE_MS
        assert not [each for each in holding if each.start > at and each.start < end + margin]
    assert view.changes_at is None or view.changes_at > at
    assert (view.now is not None) == (view.status in ("checkin", "booked"))
    frame = pages.Frame(path="/door/U1", ticket="t")
    for page in (
        pages.room_page(view, frame),
        pages.display_page(view, frame, code="<svg/>", live="wss://x/ws?door=y"),
    ):
        assert TITLE not in page and f'class="{view.status}' in page.replace("display ", "")


def test_equipment_is_named_as_people_name_it():
    names = [equipment_title(each) for each in ("videoConference", "ac", "wifi", "whiteboard")]
    assert names == ["Video conference", "Air conditioning", "Wi-Fi", "Whiteboard"]


ROOTS = RootSecrets(2, {1: bytes(32), 2: bytes(range(32))})
HOLDER = Holder("form", "U0", "U1", "browser")


def test_a_ticket_outlives_the_root_secret_it_was_signed_with_and_its_time_not():
    old = issued(RootSecrets(1, ROOTS.roots), HOLDER, NOON, "nonce-of-it")
    assert check(ROOTS, old, HOLDER, NOON + LASTING_MS["form"]) == "nonce-of-it"
    for at in (NOON + LASTING_MS["form"] + 1, NOON - 60_001):
        with pytest.raises(Stale):
            check(ROOTS, old, HOLDER, at)


@given(st.text(max_size=200))
def test_no_text_is_a_ticket(text):
    with pytest.raises(Stale):
        check(ROOTS, text, HOLDER, NOON)


@pytest.mark.parametrize("place", range(4))
def test_a_ticket_is_nobody_elses(place):
    ticket = issued(ROOTS, HOLDER, NOON, "nonce-of-it")
    other = [*HOLDER]
    other[place] = "display" if place == 0 else "other"
    with pytest.raises(Stale):
        check(ROOTS, ticket, Holder(*other), NOON)
