"""A room's feed: what any client makes of it is what is booked, and the text of it is what RFC 5545 says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dateutil.rrule import rruleset, rrulestr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from fingerpost.clock import DAY_MS
from fingerpost.errors import Invalid
from fingerpost.rooms.errors import NotAllowed, Taken
from fingerpost.rooms.local_time import moment_of, zone_of
from fingerpost.rooms.model import Person, Room
from fingerpost.rooms.roomvox.feed import calendar_of
from fingerpost.rooms.roomvox.shown import STATUS
from fingerpost.rooms.roomvox.vtimezone import vtimezone
from fingerpost.timezones import next_change, zone_names
from tests.rooms.conftest import HOUR, ME, MINUTE, House
from tests.rooms.roomvox.strict import check

YEAR = 366 * DAY_MS
UNTOUCHED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def feed_of(house: House, room: Room, location: str = "Dublin") -> bytes:
    content = calendar_of(room, location, house.bookings.records_of(room.id, house.now - YEAR, house.now + YEAR))
    check(content)
    return content


def accepted(house: House, room: Room) -> list[tuple[int, int, str]]:
    found = house.bookings.of_room(room.id, house.now - YEAR, house.now + YEAR)
    return [(each.start // 1_000, each.end // 1_000, each.title) for each in found if STATUS[each.state] == "accepted"]


def read_back(content: bytes) -> list[tuple[int, int, str]]:
    """(start, end, summary) of every occurrence as a client expands it, in seconds."""
    events = list(Calendar.from_ical(content).walk("VEVENT"))
    replaced = {(str(each["UID"]), each["RECURRENCE-ID"].dt) for each in events if "RECURRENCE-ID" in each}
    found: list[tuple[int, int, str]] = []
    for each in events:
        length = each["DTEND"].dt.timestamp() - each["DTSTART"].dt.timestamp()  # exact, RFC 5545, 3.8.5.3
        for start in expanded(each):
            if "RECURRENCE-ID" not in each and (str(each["UID"]), start) in replaced:
                continue
            found.append((int(start.timestamp()), int(start.timestamp() + length), str(each["SUMMARY"])))
    return sorted(found)


def expanded(event: Any) -> list[datetime]:
    start: datetime = event["DTSTART"].dt
    rules = rruleset()
    rules.rdate(start.replace(tzinfo=None))
    if "RRULE" in event:
        rules.rrule(rrulestr(event["RRULE"].to_ical().decode(), dtstart=start.replace(tzinfo=None)))
    for name, add in (("RDATE", rules.rdate), ("EXDATE", rules.exdate)):
        lists = event.get(name, [])
        for several in lists if isinstance(lists, list) else [lists]:
            for each in several.dts:
                add(each.dt.replace(tzinfo=None))
    return [each.replace(tzinfo=start.tzinfo) for each in rules]


def test_a_booking_is_shown_as_it_is(house: House):
    room = house.room(name="Glass Room", zone="Europe/Berlin")
    made = house.book(
        room,
        60,
        title="Stand-up; all, of us",
        description="a\nb",
        organizer=Person(name='Ann "K"', email="ann@museum.example"),
    )
    (event,) = Calendar.from_ical(feed_of(house, room)).walk("VEVENT")
    assert (event["UID"], event["SUMMARY"], event["DESCRIPTION"]) == (made.id, "Stand-up; all, of us", "a\nb")
    assert (event["LOCATION"], event["STATUS"], event["SEQUENCE"]) == ("Glass Room, Dublin", "CONFIRMED", 0)
    assert event["ORGANIZER"] == "mailto:ann@museum.example" and event["ORGANIZER"].params["CN"] == "Ann 'K'"
    assert event["DTSTART"].dt.timestamp() * 1_000 == made.start and event["DTEND"].dt.timestamp() * 1_000 == made.end
    house.bookings.change(made.id, by=ME, title="Later")
    assert b"SEQUENCE:1" in feed_of(house, room)


def test_what_is_not_accepted_is_not_in_it(house: House):
    room, asked = house.room(), house.room(approval=True)
    house.bookings.cancel(house.book(room, 60).id, by=ME)
    house.book(asked, 60)
    house.book(asked, 120, rrule="FREQ=DAILY;COUNT=3")
    for each in (room, asked):
        assert b"BEGIN:VEVENT" not in feed_of(house, each)


def test_a_series_is_one_master_with_its_rule_exceptions_and_changes(house: House):
    room, other = house.room(zone="America/New_York"), house.room(zone="America/New_York")
    start = moment_of(datetime(2026, 2, 23, 9), zone_of(room.zone))
    made = house.bookings.book(room, start, start + HOUR, by=ME, title="Weekly", rrule="FREQ=WEEKLY;COUNT=5")
    _, second, third, fourth, _ = house.bookings.of_room(room.id, start, start + YEAR)
    house.bookings.cancel(second.id, by=ME)
    house.bookings.change(third.id, by=ME, start=third.start + HOUR, end=third.end + HOUR, title="Moved")
    house.bookings.change(fourth.id, by=ME, room=other)
    content = feed_of(house, room)
    master, changed = Calendar.from_ical(content).walk("VEVENT")
    assert master["UID"] == changed["UID"] == made.id
    assert master["RRULE"] == {"FREQ": ["WEEKLY"], "COUNT": [5]}
    assert content.decode().count("DTSTART;TZID=America/New_York:20260223T090000") == 1
    gone = {each.dt.timestamp() * 1_000 for several in [master["EXDATE"]] for each in several.dts}
    assert gone == {second.start, fourth.start}
    assert changed["RECURRENCE-ID"].dt.timestamp() * 1_000 == third.start and changed["SUMMARY"] == "Moved"
    assert read_back(content) == accepted(house, room)
    (elsewhere,) = Calendar.from_ical(feed_of(house, other)).walk("VEVENT")
    assert elsewhere["UID"] == fourth.id and "RRULE" not in elsewhere
    assert master["SEQUENCE"] == 3


def test_a_feed_without_bookings_is_a_calendar(house: House):
    for zone in ("UTC", "Europe/Dublin"):
        assert list(Calendar.from_ical(feed_of(house, house.room(zone=zone))).walk("VEVENT")) == []


RULES = [
    "FREQ=DAILY;COUNT=12",
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3;UNTIL=20261030",
    "FREQ=DAILY;BYHOUR=1,2;COUNT=8",
    "FREQ=WEEKLY;COUNT=1",
    "FREQ=WEEKLY;UNTIL=20261101T000000Z",
    "FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=9",
    "FREQ=MONTHLY;BYMONTHDAY=31;COUNT=4",
    "FREQ=MONTHLY;BYDAY=-1SU;COUNT=6",
]
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)


@UNTOUCHED
@given(name=ANY_TEXT, location=ANY_TEXT, title=ANY_TEXT, description=ANY_TEXT, who=ANY_TEXT, email=ANY_TEXT)
def test_whatever_texts_say_the_feed_is_a_calendar(house: House, name, location, title, description, who, email):
    room = house.room(name=name)
    person = Person(name=who, email=email)
    house.book(room, 60, title=title, description=description, organizer=person)
    house.book(room, 180, title=title, organizer=Person(name=who, email="a@b.example"), rrule="FREQ=DAILY;COUNT=2")
    Calendar.from_ical(feed_of(house, room, location))


@UNTOUCHED
@given(
    zone=st.sampled_from(sorted(zone_names())),
    begins=st.integers(0, 60 * 24 * 365),
    minutes=st.sampled_from([15, 30, 60, 1500]),
    rule=st.sampled_from(RULES),
    changes=st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["cancel", "later", "rename"])), max_size=5),
)  # fmt: skip
def test_what_a_client_expands_is_what_is_booked(house: House, zone, begins, minutes, rule, changes):
    room = house.room(zone=zone)
    start = house.now + begins * MINUTE
    try:
        house.bookings.book(room, start, start + minutes * MINUTE, by=ME, title="Series", rrule=rule)
    except (Invalid, Taken, NotAllowed):
        return
    for number, what in changes:
        there = house.bookings.of_room(room.id, start - DAY_MS, start + YEAR)
        if not there:
            break
        each = there[number % len(there)]
        try:
            if what == "cancel":
                house.bookings.cancel(each.id, by=ME)
            elif what == "later":
                house.bookings.change(each.id, by=ME, start=each.start + 7 * MINUTE, end=each.end + 7 * MINUTE)
            else:
                house.bookings.change(each.id, by=ME, title=f"Series {number}")
        except (Taken, NotAllowed):
            continue
    records = house.bookings.records_of(room.id, start - DAY_MS, start + YEAR)
    content = calendar_of(room, "", records)
    check(content)
    there = house.bookings.of_room(room.id, start - DAY_MS, start + YEAR)
    assert read_back(content) == [(each.start // 1_000, each.end // 1_000, each.title) for each in there]


@pytest.mark.parametrize("hour", [0, 1])
@pytest.mark.parametrize("minutes", [30, 60, 90, 26 * 60])
def test_what_begins_or_ends_in_an_hour_that_comes_twice_is_told_apart(house: House, hour, minutes):
    room = house.room(zone="Europe/Dublin")  # clocks go back on 25 October 2026 at 01:00 of UTC
    start = moment_of(datetime(2026, 10, 25, hour, 30), zone_of("UTC"))
    house.bookings.book(room, start, start + minutes * MINUTE, by=ME, title="Night", rrule="FREQ=WEEKLY;COUNT=3")
    house.bookings.book(
        room, start - 8 * DAY_MS, start - 8 * DAY_MS + 30 * MINUTE, by=ME, rrule="FREQ=DAILY;INTERVAL=30;COUNT=3"
    )
    for each in house.bookings.of_room(room.id, start + 1, start + YEAR)[:1]:
        house.bookings.change(each.id, by=ME, title="Moved")
    assert read_back(feed_of(house, room)) == accepted(house, room)


def test_the_clocks_of_every_zone_are_told_to_the_second():
    """By the rule of RFC 5545, 3.6.5: the latest onset counts, on the clocks that were in force before it."""
    first, end = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1_000 for year in (2025, 2030))
    for name in sorted(zone_names()):
        zone, clocks = zone_of(name), vtimezone(name, 2025, 2029)
        onsets = sorted(onset for part in clocks.subcomponents for onset in onsets_of(part))
        changes = [first]
        while (following := next_change(changes[-1], zone)) is not None and following < end:
            changes.append(following)
        for at in (each + off for each in changes for off in (-HOUR, -1_000, 0, HOUR - 1_000, HOUR)):
            if first <= at < end:
                moment = datetime.fromtimestamp(at // 1_000, UTC)
                told = [offset for onset, offset in onsets if onset <= moment.replace(tzinfo=None)][-1]
                assert told == moment.astimezone(zone).utcoffset(), (name, moment)


def onsets_of(part: Any) -> list[tuple[datetime, timedelta]]:
    """When, by UTC, and to which offset."""
    walls = [part["DTSTART"].dt, *(each.dt for each in (part["RDATE"].dts if "RDATE" in part else []))]
    return [(wall - part["TZOFFSETFROM"].td, part["TZOFFSETTO"].td) for wall in walls]
