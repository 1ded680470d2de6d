"""Series: all of their occurrences or none, and each of them a booking of its own afterwards."""

import pytest

from fingerpost.errors import Invalid
from fingerpost.rooms.errors import NotAllowed, Taken, Unknown
from fingerpost.rooms.model import BookingRules, CheckIn
from tests.rooms.conftest import HOUR, ME, MINUTE, House

DAY = 24 * HOUR
WEEKLY = "FREQ=WEEKLY;COUNT=3"


def test_every_occurrence_is_a_booking_at_the_room_s_own_time_of_day(house: House):
    room = house.room()
    series = house.book(room, 60, rrule=WEEKLY)  # Sundays at one; Dublin's clocks change on 29 March
    found = house.bookings.of_room(room.id, house.now, house.now + 30 * DAY)
    assert [each.start - series.start for each in found] == [0, 7 * DAY, 14 * DAY - HOUR]
    assert {each.series for each in found} == {series.id} and {each.zone for each in found} == {room.zone}
    assert [house.bookings.get(each.id) for each in found] == found
    assert found[1].id == f"{series.id}_20260322T130000Z" and found[1].recurrence_id == found[1].start
    assert series.rrule == WEEKLY and found[0].rrule is None
    assert house.events() == ["_RoomBooked"]


def test_one_clash_refuses_the_whole_series(house: House):
    room = house.room()
    house.book(room, 7 * 1440 + 60)
    rows = len(list(house.tables.main.walk()))
    with pytest.raises(Taken):
        house.book(room, 60, rrule=WEEKLY)
    assert len(list(house.tables.main.walk())) == rows


def test_one_occurrence_against_the_rules_refuses_the_whole_series(house: House):
    room = house.room(rules=BookingRules(horizon_days=10))
    with pytest.raises(NotAllowed) as refused:
        house.book(room, 60, rrule=WEEKLY)
    assert refused.value.rule == "horizon"
    assert house.book(room, 60, rrule="FREQ=WEEKLY").rrule == "FREQ=WEEKLY;COUNT=2", "without an end it fits"


def test_a_series_that_meets_itself_is_refused(house: House):
    with pytest.raises(Taken):
        house.book(house.room(), 60, 26 * 60, rrule="FREQ=DAILY;COUNT=3")


def test_a_series_holds_as_many_days_as_one_transaction_does(house: House):
    room = house.room(zone="UTC", check_in=CheckIn())
    series = house.book(room, 60, rrule="FREQ=DAILY;COUNT=90", key="k")
    assert len(house.bookings.of_room(room.id, house.now, house.now + 200 * DAY)) == 90
    assert house.bookings.cancel(series.id, by=ME).state == "cancelled"
    assert house.bookings.free([room], series.start, series.end) == {room.id}
    with pytest.raises(Invalid, match="at most 90 days"):
        house.book(room, 60, rrule="FREQ=DAILY;COUNT=91")
    with pytest.raises(Invalid, match="at most 90 days"):
        house.book(room, 11 * 60 + 45, rrule="FREQ=DAILY;COUNT=46")  # across midnight


def test_the_days_that_the_room_s_buffer_reaches_into_are_days_of_a_series(house: House):
    room = house.room(zone="UTC", rules=BookingRules(buffer_minutes=30))
    at = 11 * 60 + 15  # from noon: 23:15 to 23:45
    series = house.book(room, at, rrule="FREQ=WEEKLY")
    assert series.rrule == "FREQ=WEEKLY;COUNT=45", "without an end it fits"
    assert house.bookings.cancel(series.id, by=ME).state == "cancelled"
    with pytest.raises(Invalid, match="at most 90 days"):
        house.book(room, at, rrule="FREQ=WEEKLY;COUNT=46")
    assert house.book(room, at, rrule="FREQ=DAILY;COUNT=89").rrule == "FREQ=DAILY;COUNT=89"


def test_one_occurrence_is_cancelled_by_its_id_or_by_when_the_rule_has_it(house: House):
    room = house.room()
    series = house.book(room, 60, rrule=WEEKLY)
    first, second, third = house.bookings.of_room(room.id, house.now, house.now + 30 * DAY)
    house.bookings.cancel(first.id, by=ME)
    house.bookings.cancel(series.id, recurrence_id=third.recurrence_id, by=ME)
    assert house.bookings.of_room(room.id, house.now, house.now + 30 * DAY) == [house.bookings.get(second.id)]
    house.book(room, 60)
    for wrong in (second.start + MINUTE, second.start + 1, -(10**18)):
        with pytest.raises(Unknown):
            house.bookings.cancel(series.id, recurrence_id=wrong, by=ME)


def test_a_recurrence_id_of_what_does_not_recur_says_nothing(house: House):
    made = house.book(house.room(), 60)
    assert house.bookings.cancel(made.id, recurrence_id=made.start, by=ME).state == "cancelled"


def test_a_moved_occurrence_keeps_its_id_and_goes_with_its_series(house: House):
    room, other = house.room(), house.room()
    series = house.book(room, 60, rrule=WEEKLY)
    _, second, _ = house.bookings.of_room(room.id, house.now, house.now + 30 * DAY)
    moved = house.bookings.change(second.id, by=ME, room=other, start=second.start + HOUR, end=second.end + HOUR)
    assert (moved.id, moved.recurrence_id, moved.room) == (second.id, second.start, other.id)
    house.book(room, 7 * 1440 + 60)
    with pytest.raises(Taken):
        house.book(other, 7 * 1440 + 120)
    renamed = house.bookings.change(series.id, by=ME, title="All hands")
    assert renamed.title == house.bookings.get(moved.id).title == "All hands"
    house.bookings.cancel(series.id, by=ME)
    assert house.bookings.get(moved.id).state == "cancelled"
    house.book(other, 7 * 1440 + 120)
    assert len(house.bookings.of_room(room.id, house.now, house.now + 30 * DAY)) == 1


def test_a_series_keeps_its_times(house: House):
    series = house.book(house.room(), 60, rrule=WEEKLY)
    for change in ({"start": series.start + 1}, {"end": series.end + 1}, {"room": house.room()}):
        with pytest.raises(Invalid, match="one by one"):
            house.bookings.change(series.id, by=ME, **change)
    for verb in (house.bookings.check_in, house.bookings.finish):
        with pytest.raises(Invalid, match="one by one"):
            verb(series.id, by=ME)


def test_a_series_is_approved_or_declined_as_a_whole(house: House):
    room = house.room(approval=True, check_in=CheckIn(grace_min=10))
    series = house.book(room, 60, rrule=WEEKLY)
    assert {each.state for each in house.bookings.of_room(room.id, house.now, house.now + 30 * DAY)} == {"tentative"}
    house.bookings.approve(series.id, by=ME)
    found = house.bookings.of_room(room.id, house.now, house.now + 30 * DAY)
    assert [each.release_at for each in found] == [each.start + 10 * MINUTE for each in found]
    other = house.book(house.room(approval=True), 60, rrule=WEEKLY)
    assert house.bookings.decline(other.id, by=ME).state == "declined"
    assert house.bookings.of_room(other.room, house.now, house.now + 30 * DAY) == []


def test_each_occurrence_is_checked_in_finished_and_released_on_its_own(house: House):
    room = house.room(check_in=CheckIn(grace_min=10))
    house.book(room, 5, 60, rrule=WEEKLY)
    first, second, third = house.bookings.of_room(room.id, house.now, house.now + 30 * DAY)
    house.bookings.check_in(first.id, by=ME)
    house.clock.now = first.start + 20 * MINUTE
    assert house.bookings.finish(first.id, by=ME).end == house.now
    house.clock.now = second.start + 10 * MINUTE
    assert house.bookings.release(second.id, by=ME).state == "released"
    assert house.bookings.get(third.id).state == "confirmed"
    states = [each.state for each in house.bookings.of_room(room.id, first.start, third.end, states=("released",))]
    assert states == ["released"]
    assert house.events() == ["_RoomBooked", "_RoomCheckedIn", "_RoomFinished", "_RoomReleased"]


def test_calendars_get_a_series_whole(house: House):
    room = house.room()
    series = house.book(room, 60, rrule=WEEKLY)
    single = house.book(room, 120)
    house.bookings.cancel(f"{series.id}_20260322T130000Z", by=ME)
    records = house.bookings.records_of(room.id, house.now, house.now + 30 * DAY)
    assert {each.whole.id for each in records} == {series.id, single.id}
    (whole,) = (each for each in records if each.is_series)
    assert [each.state for each in whole.occurrences()] == ["confirmed", "cancelled", "confirmed"]


def test_a_series_is_cancelled_with_the_occurrence_that_somebody_is_at_and_without_what_is_over(house: House):
    room = house.room(check_in=CheckIn())
    series = house.book(room, 5, 60, rrule=WEEKLY)
    first, second, third = house.bookings.of_room(room.id, house.now, house.now + 30 * DAY)
    house.bookings.check_in(first.id, by=ME)
    house.clock.now = first.start + MINUTE
    house.bookings.finish(first.id, by=ME)
    house.clock.now = second.start
    house.bookings.check_in(second.id, by=ME)
    house.bookings.cancel(series.id, by=ME)
    assert [house.bookings.get(each.id).state for each in (first, second, third)] == ["ended", "cancelled", "cancelled"]
    house.book(room, 0)


def test_whoever_books_a_series_on_the_spot_is_there_the_first_time(house: House):
    room = house.room(check_in=CheckIn())
    series = house.book(room, 0, 60, rrule=WEEKLY, walk_in=True)
    found = house.bookings.of_room(room.id, house.now, house.now + 30 * DAY)
    assert [each.state for each in found] == ["checkedIn", "confirmed", "confirmed"]
    assert [each.checked_in_at for each in found] == [house.now, None, None]
    assert [each.release_at for each in found] == [None, *(each.start + 10 * MINUTE for each in found[1:])]
    assert series.state == "confirmed"
