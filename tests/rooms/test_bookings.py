"""What can be done to a booking, and what cannot."""

from dataclasses import replace

import pytest

from fingerpost.errors import Conflict, Invalid, TooLarge
from fingerpost.ports.table import Item
from fingerpost.rooms.errors import NotAllowed, Taken, Unknown
from fingerpost.rooms.model import Attendee, BookingRules, By, CheckIn, Person
from tests.rooms.conftest import HOUR, ME, MINUTE, House

JOAN = By(source="joan", client="c1")


def stored(house: House) -> list[Item]:
    return sorted((row.item for row in house.tables.main.walk()), key=repr)


def test_a_booking_is_read_back_as_it_was_made_and_is_one_event(house: House):
    room = house.room(projects=("P1",), product="U2")
    made = house.book(
        room,
        60,
        organizer=Person(name="Ann", email="ann@museum.example"),
        attendees=(Attendee(email="bob@museum.example"),),
        description="Bring the plans",
        external={"evoko": "e1"},
    )
    assert house.bookings.get(made.id) == made
    assert (made.state, made.version, made.sequence, made.zone) == ("confirmed", 1, 0, "Europe/Dublin")
    assert house.bookings.by_external("evoko", "e1") == made
    (event,) = house.rows("action")
    assert (event["type"], event["thng"], event["product"], event["projects"]) == ("_RoomBooked", room.id, "U2", ["P1"])
    assert f'"booking": "{made.id}"' in event["more"] and "ann@museum.example" in event["more"]


def test_what_is_taken_is_refused_with_the_interval_and_nothing_is_stored(house: House):
    room = house.room()
    first = house.book(room, 60, 60, title="Secret")
    before = stored(house)
    for start, minutes in ((60, 60), (30, 31), (119, 30), (0, 600), (90, 1)):
        with pytest.raises(Taken) as refused:
            house.book(room, start, minutes)
        assert (refused.value.start, refused.value.end) == (first.start, first.end)
        assert "Secret" not in str(refused.value)
    assert stored(house) == before


def test_bookings_that_only_touch_do_not_meet(house: House):
    room = house.room()
    for start in (60, 90, 30):
        house.book(room, start)
    assert [each.start for each in house.bookings.of_room(room.id, house.now, house.now + 3 * HOUR)] == [
        house.now + minutes * MINUTE for minutes in (30, 60, 90)
    ]


def test_a_booking_across_midnight_holds_both_days(house: House):
    room = house.room()
    house.book(room, 11 * 60, 26 * 60)  # from 23:00 to 01:00 two days on
    for start in (11 * 60 - 29, 12 * 60, 36 * 60, 37 * 60 - 1):
        with pytest.raises(Taken):
            house.book(room, start)
    house.book(room, 37 * 60)
    assert len(house.bookings.of_room(room.id, house.now, house.now + 72 * HOUR)) == 2


def test_intervals_of_the_past_are_legal_and_can_be_checked_in_and_cancelled(house: House):
    room = house.room(check_in=CheckIn())
    made = house.book(room, -9 * 365 * 1440)
    assert made.release_at is None
    assert house.bookings.check_in(made.id, by=ME).state == "checkedIn"
    assert house.bookings.cancel(made.id, by=ME).state == "cancelled"


@pytest.mark.parametrize(("start", "minutes"), [(0, 0), (0, -1), (0, 31 * 1440 + 1), (-60 * 24 * 365 * 80, 30)])
def test_an_interval_that_is_none_is_refused(house: House, start, minutes):
    with pytest.raises(Invalid):
        house.book(house.room(), start, minutes)


def test_a_change_moves_the_slot_and_frees_the_old_one(house: House):
    room, other = house.room(), house.room()
    made = house.book(room, 60)
    moved = house.bookings.change(made.id, by=ME, room=other, start=made.start + HOUR, end=made.end + HOUR, title="New")
    assert (moved.room, moved.start, moved.title, moved.sequence, moved.version) == (
        other.id,
        made.start + HOUR,
        "New",
        1,
        2,
    )
    house.book(room, 60)
    with pytest.raises(Taken):
        house.book(other, 120)
    assert [each.id for each in house.bookings.of_room(other.id, made.start, made.end + 2 * HOUR)] == [made.id]
    assert house.events() == ["_RoomBooked", "_RoomBooked", "_RoomChanged"]


def test_a_refused_change_leaves_all_as_it_was(house: House):
    room, other = house.room(), house.room(rules=BookingRules(max_minutes=60))
    made = house.book(room, 60)
    house.book(room, 120)
    house.book(other, 60)
    before = stored(house)
    for change in (
        {"end": made.end + HOUR},
        {"room": other},
        {"start": made.end, "end": made.start},
        {"room": other, "start": made.start + 9 * HOUR, "end": made.end + 11 * HOUR},
        {"title": "x" * 501},
    ):
        with pytest.raises((Taken, NotAllowed, Invalid)):
            house.bookings.change(made.id, by=ME, **change)
    assert stored(house) == before


def test_a_change_that_changes_nothing_is_no_event(house: House):
    made = house.book(house.room(), 60)
    assert house.bookings.change(made.id, by=ME, title=made.title, end=made.end) == made
    assert house.events() == ["_RoomBooked"]


def test_cancelling_frees_the_slot_and_is_told_once(house: House):
    room = house.room()
    made = house.book(room, 60)
    assert house.bookings.cancel(made.id, by=ME).state == "cancelled"
    assert house.bookings.cancel(made.id, by=ME).state == "cancelled"
    house.book(room, 60)
    assert house.events() == ["_RoomBooked", "_RoomBooked", "_RoomCancelled"]
    assert len(house.bookings.of_room(room.id, made.start, made.end)) == 1
    shown = house.bookings.of_room(room.id, made.start, made.end, states=("cancelled",))
    assert [each.id for each in shown] == [made.id]


def test_a_tentative_booking_holds_its_slot_until_it_is_declined(house: House):
    room = house.room(approval=True)
    made = house.book(room, 60)
    assert made.state == "tentative"
    with pytest.raises(Taken):
        house.book(room, 60)
    with pytest.raises(NotAllowed):
        house.bookings.check_in(made.id, by=ME)
    assert house.bookings.decline(made.id, by=ME).state == "declined"
    again = house.book(room, 60)
    assert house.bookings.approve(again.id, by=ME).state == "confirmed"
    assert house.bookings.approve(again.id, by=ME).version == 2
    with pytest.raises(NotAllowed, match="confirmed"):
        house.bookings.decline(again.id, by=ME)


def test_more_time_in_a_room_with_approval_waits_for_it_again(house: House):
    made = house.book(house.room(approval=True), 60)
    house.bookings.approve(made.id, by=ME)
    assert house.bookings.change(made.id, by=ME, end=made.end - MINUTE).state == "confirmed"
    assert house.bookings.change(made.id, by=ME, end=made.end + HOUR).state == "tentative"


def test_who_has_checked_in_ahead_gets_no_room_that_nobody_approved(house: House):
    elsewhere, strict = house.room(), house.room(approval=True)
    made = house.book(elsewhere, 60)
    house.bookings.check_in(made.id, by=ME)
    moved = house.bookings.change(made.id, by=ME, room=strict)
    assert (moved.state, moved.checked_in_at) == ("tentative", None)
    house.bookings.approve(made.id, by=ME)
    house.bookings.check_in(made.id, by=ME)
    assert house.bookings.change(made.id, by=ME, end=made.end + HOUR).state == "tentative"


def test_a_meeting_that_runs_in_a_room_with_approval_is_extended_by_those_who_are_there(house: House):
    strict = house.room(approval=True)
    made = house.book(strict, 10)
    house.bookings.approve(made.id, by=ME)
    house.clock.now = made.start
    house.bookings.check_in(made.id, by=ME)
    assert house.bookings.change(made.id, by=ME, end=made.end + 15 * MINUTE).state == "checkedIn"
    assert house.bookings.change(made.id, by=ME, start=made.start - HOUR).state == "tentative"


def test_what_waits_for_approval_is_confirmed_by_moving_it_where_none_is_needed(house: House):
    made = house.book(house.room(approval=True), 60)
    moved = house.bookings.change(made.id, by=ME, room=house.room(check_in=CheckIn(grace_min=10)))
    assert (moved.state, moved.release_at) == ("confirmed", made.start + 10 * MINUTE)


def test_a_running_booking_ends_when_it_is_finished_and_what_is_left_is_free(house: House):
    room = house.room()
    made = house.book(room, 0, 60)
    with pytest.raises(NotAllowed, match="has not begun"):
        house.bookings.finish(house.book(room, 90).id, by=ME)
    house.clock.now += 20 * MINUTE
    ended = house.bookings.finish(made.id, by=ME)
    assert (ended.state, ended.end) == ("ended", house.now)
    assert house.bookings.finish(made.id, by=ME) == ended
    house.book(room, 0, 30)
    states = [each.state for each in house.bookings.of_room(room.id, made.start, made.end)]
    assert states == ["ended", "confirmed"]


def test_what_is_no_booking_is_unknown(house: House):
    for booking_id in ("", "U" * 24, "U#1", "x_20260101T000000Z", "U" * 5_000, "_", "\x00"):
        with pytest.raises(Unknown):
            house.bookings.get(booking_id)
        with pytest.raises(Unknown):
            house.bookings.cancel(booking_id, by=ME)
    with pytest.raises(Unknown):
        house.bookings.by_external("joan", "7")


def test_another_account_sees_nothing_of_it(house: House, store):
    made = house.book(house.room(), 60)
    with pytest.raises(Unknown):
        House(store[0].of("another"), house.clock, house.rooms).bookings.get(made.id)


def test_an_external_id_is_one_bookings(house: House):
    room = house.room()
    house.book(room, 60, external={"joan": "7"})
    with pytest.raises(Conflict, match="joan"):
        house.book(room, 120, external={"joan": "7"})
    assert len(house.rows("booking")) == 1


# ---- requests that come twice


def test_one_key_is_one_booking_also_after_it_was_cancelled(house: House):
    room = house.room()
    made = house.book(room, 60, by=JOAN, key="k")
    assert house.book(room, 60, by=JOAN, key="k") == made
    cancelled = house.bookings.cancel(made.id, by=JOAN)
    assert house.book(room, 60, by=JOAN, key="k") == cancelled
    assert len(house.rows("booking")) == 1
    with pytest.raises(Conflict, match="key was used"):
        house.book(room, 120, by=JOAN, key="k")
    house.book(room, 60, by=replace(JOAN, client="c2"), key="k")


def test_without_a_key_the_same_request_within_a_minute_is_a_repeat_of_the_first(house: House):
    room = house.room()
    made = house.book(room, 60, by=JOAN)
    start = made.start
    for seconds in (2, 57):
        house.clock.now += seconds * 1_000
        assert house.bookings.book(room, start, made.end, by=JOAN, title="Talk") == made
    house.clock.now += 2_000
    with pytest.raises(Taken):
        house.bookings.book(room, start, made.end, by=JOAN, title="Talk")


def test_who_cancels_and_books_again_at_once_gets_a_new_booking(house: House):
    room = house.room()
    made = house.book(room, 60, by=JOAN)
    house.bookings.cancel(made.id, by=JOAN)
    again = house.book(room, 60, by=JOAN)
    assert again.id != made.id and again.state == "confirmed"


def test_a_booking_that_was_moved_since_answers_no_request_for_its_old_slot(house: House):
    glass, other = house.room(), house.room()
    first = house.book(glass, 60, by=JOAN)
    house.clock.now += 5_000
    house.bookings.change(first.id, room=other, by=JOAN)
    again = house.bookings.book(glass, first.start, first.end, by=JOAN, title="Talk")
    assert (again.id != first.id, again.room) == (True, glass.id)


def test_two_who_ask_for_the_same_in_the_same_moment_are_two(house: House):
    room = house.room()
    house.book(room, 60, by=JOAN)
    with pytest.raises(Taken):
        house.book(room, 60, by=JOAN)
    assert house.events() == ["_RoomBooked"]


def test_nobody_is_taken_for_another_without_a_client_or_where_clients_can_send_keys(house: House):
    room = house.room()
    for by in (By(source="joan"), By(source="roomvox", client="c1")):
        made = house.book(room, 60, by=by)
        house.clock.now += 5_000
        with pytest.raises(Taken):
            house.bookings.book(room, made.start, made.end, by=by, title="Talk")
        house.bookings.cancel(made.id, by=by)


# ---- who has the room


def test_what_runs_and_what_comes_next(house: House):
    room = house.room()
    later = house.book(room, 40 * 1440)
    running = house.book(room, -10, 30)
    soon = house.book(room, 20)
    calendar = house.bookings
    assert calendar.running(room.id, house.now) == running
    assert calendar.running(room.id, running.end) == soon
    assert calendar.running(room.id, soon.end) is None
    assert calendar.next(room.id, house.now) == soon
    assert calendar.next(room.id, soon.start) == later
    assert calendar.next(room.id, later.start) is None


def test_which_rooms_are_free(house: House):
    room, other, closed = house.room(), house.room(), house.room(active=False)
    made = house.book(room, 60)
    rooms = [room, other, closed]
    assert house.bookings.free(rooms, made.start, made.end) == {other.id}
    assert house.bookings.free(rooms, made.end, made.end + HOUR) == {room.id, other.id}
    assert house.bookings.busy(rooms, made.end - 1, made.end + HOUR)[room.id] == [(made.start, made.end)]


# ---- check-in


def test_whoever_does_not_come_loses_the_slot_even_before_it_is_written_down(house: House):
    room = house.room(check_in=CheckIn(opens_before_min=10, grace_min=15))
    made = house.book(room, 60)
    assert made.release_at == made.start + 15 * MINUTE
    with pytest.raises(NotAllowed, match="10 minutes before"):
        house.bookings.check_in(made.id, by=ME)
    house.clock.now = made.start + 15 * MINUTE - 1
    assert house.bookings.get(made.id).state == "confirmed"
    house.clock.now += 1
    assert house.bookings.get(made.id).state == "released"
    assert house.bookings.running(room.id, house.now) is None
    assert house.bookings.free([room], house.now, made.end) == {room.id}
    with pytest.raises(NotAllowed, match="released"):
        house.bookings.check_in(made.id, by=ME)
    assert house.events() == ["_RoomBooked"]
    house.book(room, 0, 15)
    assert house.events() == ["_RoomBooked", "_RoomBooked", "_RoomReleased"]


def test_whoever_comes_in_time_keeps_the_slot(house: House):
    room = house.room(check_in=CheckIn())
    made = house.book(room, 5)
    there = house.bookings.check_in(made.id, by=ME)
    assert (there.state, there.checked_in_at, there.release_at) == ("checkedIn", house.now, None)
    house.clock.now = made.start + 20 * MINUTE
    assert house.bookings.check_in(made.id, by=ME) == there
    with pytest.raises(Taken):
        house.book(room, 0, 5)


def test_whoever_books_on_the_spot_is_there(house: House):
    made = house.book(house.room(check_in=CheckIn()), 0, walk_in=True)
    assert (made.state, made.checked_in_at, made.release_at) == ("checkedIn", house.now, None)


def test_a_booking_made_after_its_start_has_its_grace_from_then_on(house: House):
    made = house.book(house.room(check_in=CheckIn(grace_min=10)), -30, 60)
    assert made.release_at == house.now + 10 * MINUTE


def test_a_moved_booking_is_waited_for_at_its_new_time(house: House):
    room = house.room(check_in=CheckIn(grace_min=10))
    made = house.book(room, 60)
    moved = house.bookings.change(made.id, by=ME, start=made.start + HOUR, end=made.end + HOUR)
    assert moved.release_at == moved.start + 10 * MINUTE
    house.clock.now = moved.release_at
    house.book(room, 0, 15)


# ---- rules


@pytest.mark.parametrize(
    ("rules", "start", "minutes", "rule"),
    [
        (BookingRules(min_minutes=15), 60, 14, "length"),
        (BookingRules(max_minutes=60), 60, 61, "length"),
        (BookingRules(horizon_days=1), 36 * 60, 30, "horizon"),
        (BookingRules(opens=8 * 60, closes=18 * 60), 5 * 60 + 31, 30, "hours"),
        (BookingRules(days=(1, 2, 3, 4, 5)), 60, 30, "hours"),
    ],
)
def test_a_rule_of_the_room_that_is_broken_is_named(house: House, rules, start, minutes, rule):
    room = house.room(rules=rules)
    before = stored(house)
    with pytest.raises(NotAllowed) as refused:  # now is Sunday, 15 March 2026, noon in Dublin
        house.book(room, start, minutes)
    assert refused.value.rule == rule
    assert stored(house) == before


def test_a_room_that_is_switched_off_cannot_be_booked(house: House):
    with pytest.raises(NotAllowed) as refused:
        house.book(house.room(active=False), 60)
    assert refused.value.rule == "active"


def test_between_two_bookings_there_is_the_room_s_buffer_also_across_midnight(house: House):
    room = house.room(rules=BookingRules(buffer_minutes=15))
    house.book(room, 12 * 60, 30)  # from midnight on
    for start in (12 * 60 - 44, 12 * 60 + 44):
        with pytest.raises(Taken):
            house.book(room, start)
    house.book(room, 12 * 60 - 45)
    house.book(room, 12 * 60 + 45)


# ---- who comes


def test_who_is_invited_answers_by_the_token_of_the_invitation(house: House):
    made = house.book(house.room(), 60)
    ann = Attendee(email="Ann@museum.example", name="Ann", token="t1")
    house.bookings.invite(made.id, ann, by=ME)
    house.bookings.invite(made.id, Attendee(email="bob@museum.example", token="t2"), by=ME)
    house.bookings.invite(made.id, ann, by=ME)
    assert house.bookings.respond(made.id, "t1", "accepted", by=ME).attendees[0].partstat == "accepted"
    house.bookings.respond(made.id, "t1", "accepted", by=ME)
    house.bookings.respond(made.id, "t2", "declined", by=ME)
    house.bookings.invite(made.id, replace(ann, email="ann@museum.example"), by=ME)
    found = house.bookings.get(made.id).attendees
    assert [(each.email, each.partstat) for each in found] == [
        ("bob@museum.example", "declined"),
        ("ann@museum.example", "needsAction"),
    ]
    assert house.events() == ["_RoomBooked", *["_RoomChanged"] * 5]
    for wrong in ("", "t3", "ü"):
        with pytest.raises(Unknown):
            house.bookings.respond(made.id, wrong, "accepted", by=ME)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"title": "x" * 501}, "title of a booking has at most 500"),
        ({"description": "x" * 8_001}, "at most 8,000"),
        ({"organizer": Person(name="x" * 321)}, "organizer of a booking has at most 320"),
        ({"attendees": (Attendee(email="a"),) * 201}, "at most 200 attendees"),
        ({"attendees": (Attendee(email="a" * 321),)}, "attendees of a booking has at most 320"),
        ({"external": {"joan": "x" * 321}}, "external ids"),
        ({"external": {f"{number}": "x" for number in range(6)}}, "at most 5 other systems"),
        ({"key": ""}, "1 to 255"),
        ({"key": "x" * 256}, "1 to 255"),
    ],
)
def test_a_booking_that_says_too_much_is_refused_and_nothing_is_stored(house: House, more, told):
    room = house.room()
    before = stored(house)
    with pytest.raises(Invalid, match=told):
        house.book(room, 60, **more)
    assert stored(house) == before


def test_a_day_has_an_end_also_for_whoever_books_it_by_the_moment(house: House, monkeypatch):
    monkeypatch.setattr("fingerpost.rooms.commits.MAX_ENTRIES", 3)
    room = house.room()
    for number in range(3):
        house.book(room, 60 + number, 1)
    with pytest.raises(NotAllowed, match="at most 3 bookings a day") as refused:
        house.book(room, 70, 1)
    assert refused.value.rule == "full"


def test_a_series_that_holds_more_than_a_row_does_is_refused_and_stays_as_it_was(house: House):
    series = house.book(house.room(zone="UTC"), 60, rrule="FREQ=DAILY;COUNT=90")
    before = 0
    with pytest.raises(TooLarge, match="400 KB"):
        for each in house.bookings.record(series.id).occurrences():
            before = house.bookings.change(each.id, by=ME, description="é" * 8_000).version
    assert house.bookings.get(series.id).version == before > 10


def test_what_is_over_is_finished_as_it_had_ended(house: House):
    made = house.book(house.room(), -60)
    ended = house.bookings.finish(made.id, by=ME)
    assert (ended.state, ended.start, ended.end) == ("ended", made.start, made.end)
    just_begun = house.bookings.finish(house.book(house.room(), 0).id, by=ME)
    assert just_begun.end == just_begun.start + 1


def test_nobody_has_to_come_where_nothing_would_be_left_to_release(house: House):
    room = house.room(check_in=CheckIn(grace_min=30))
    assert house.book(room, 60, 30).release_at is None
    assert house.book(room, 90, 31).release_at is not None


def test_the_horizon_is_the_end_of_a_day_on_the_room_s_clocks(house: House):
    for zone, offset in (("UTC", 0), ("Pacific/Kiritimati", 14), ("America/New_York", -4)):
        room = house.room(zone=zone, rules=BookingRules(horizon_days=3))
        local_noon = 12 + offset
        left = 4 * 24 * 60 - local_noon % 24 * 60  # minutes to the end of the third day from now
        with pytest.raises(NotAllowed):
            house.book(room, left)
        house.book(room, left - 1)


def test_a_day_remembers_the_newest_of_what_was_cancelled(house: House, monkeypatch):
    monkeypatch.setattr("fingerpost.rooms.ledger.MAX_PAST", 2)
    room = house.room()
    gone = [house.bookings.cancel(house.book(room, 60).id, by=ME).id for _ in range(3)]
    found = house.bookings.of_room(room.id, house.now, house.now + 2 * HOUR, states=("cancelled",))
    assert {each.id for each in found} == set(gone[1:])


def test_the_bookings_of_several_rooms_are_those_of_each(house: House):
    rooms = [house.room(check_in=CheckIn()) for _ in range(4)]
    for number, room in enumerate(rooms[:3]):
        for turn in range(number + 1):
            house.book(room, 1_440 * turn - 600, 700)
    house.bookings.change(house.book(rooms[0], 300).id, by=ME, room=rooms[1])
    ids = [room.id for room in rooms]
    for days in (1, 3, 40):
        start, end = house.now - 8 * HOUR, house.now + (24 * days - 8) * HOUR
        found = house.bookings.of_rooms(ids, start, end)
        assert found == {each: house.bookings.of_room(each, start, end) for each in ids}
        assert list(found) == ids and found[ids[3]] == []
    assert house.bookings.of_rooms([], house.now, house.now + HOUR) == {}


def test_a_booking_has_the_zone_of_the_room_that_it_moves_to(house: House):
    made = house.book(house.room(), 60)
    moved = house.bookings.change(made.id, by=ME, room=house.room(zone="Asia/Tokyo"))
    assert (moved.zone, moved.start) == ("Asia/Tokyo", made.start)
