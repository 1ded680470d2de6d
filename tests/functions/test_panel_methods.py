"""What panels do: book, change, end, check in; and what they are told when they may not."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from fingerpost import wiring
from fingerpost.rooms.errors import Taken
from fingerpost.rooms.model import By, Room
from tests.functions.panels import JOAN, House, Panel, at, handler
from tests.functions.world import HOUR

MINUTE = 60_000
NOON = "2026-03-15T12:00:00+00:00"  # when the tests take place
DONE = {"type": "success", "body": None}


@pytest.fixture
def room(house: House) -> Room:
    return house.room(capacity=4, equipment={"wifi": True, "lights": True, "display": False})


def sent(room: Room, start: str = at(14), end: str = at(14, 30), **more):
    return {"roomId": room.evoko_id, "startDate": start, "endDate": end, "subject": "Fika meeting!", **more}


def booked(panel: Panel, room: Room, *when: str, **more) -> str:
    answer = panel.result("createBooking", sent(room, *when, **more))
    assert (answer["type"], answer["message"]) == ("success", "MeetingSuccessCreated")
    booking: str = answer["body"]["id"]
    return booking


# Booking


def test_a_meeting_is_created_and_the_one_who_did_has_it_before_it_is_updated(house: House, panel: Panel, room: Room):
    panel.subscribe("allBookings", "ALL")
    answers = panel.call("createBooking", sent(room))
    assert [each["msg"] for each in answers] == ["result", "added", "updated"]
    (booking,) = panel.documents["bookings"].values()
    assert booking["booking"]["subject"] == "Fika meeting!" and booking["source"] == "evoko"
    house.world.settle()
    assert panel.hear() == []


def test_the_example_of_the_vendor_s_document_works_as_it_is_written(panel: Panel, room: Room):
    booking = booked(
        panel,
        room,
        "2019-01-01T15:00:00:00+00:00",
        "2019-01-01T15:30:00:00+00:00",
        confirmed=False,
        pin=9999,
        rfid=None,
    )
    confirmed = panel.result("confirmMeeting", {"bookingId": booking, "pin": None, "rfid": None})
    assert confirmed == {**DONE, "message": "Booking is successfully confirmed!"}
    moved = {"startDate": "2019-01-01T15:00:00+00:00", "endDate": "2019-01-01T15:45:00+00:00", "ongoing": False}
    assert panel.result("updateEvent", {"bookingId": booking, **moved}) == {**DONE, "message": "MeetingSuccessUpdate"}
    gone = panel.result("deleteEvent", {"bookingId": booking, "pin": 9999, "ongoing": True})
    assert gone == {**DONE, "message": "MeetingSuccessDelete"}


def test_two_meetings_do_not_share_a_slot_whatever_made_the_first(house: House, panel: Panel, room: Room):
    booked(panel, room)
    for who in (panel, house.at_the_door()):
        assert who.refused("createBooking", sent(room)) == (400, "MeetingSuccessExists")
    booked(panel, room, at(14, 30), at(15))
    house.book(room, start=4 * HOUR)
    assert panel.refused("createBooking", sent(room, at(15, 45), at(16, 15))) == (400, "MeetingSuccessExists")
    with pytest.raises(Taken):
        house.book(room, start=2 * HOUR)


@pytest.mark.parametrize(("start", "confirmed", "came"), [
    (at(12), None, True),
    (at(11, 50), None, True),
    (at(13), None, False),
    (at(12), False, False),
    (at(13), True, True),
])  # fmt: skip
def test_an_instant_meeting_is_checked_in_and_a_future_one_is_not_unless_it_is_said(
    panel: Panel, room: Room, start, confirmed, came
):
    panel.subscribe("allBookings", "ALL")
    booking = booked(panel, room, start, at(14), confirmed=confirmed)
    assert panel.documents["bookings"][booking]["booking"]["confirmed"] is came


@pytest.mark.parametrize("subject", [None, "", "  ", 7])
def test_a_meeting_without_a_subject_was_booked_on_screen(house: House, panel: Panel, room: Room, subject):
    assert house.bookings.get(booked(panel, room, subject=subject)).title == "Booked on screen"


@pytest.mark.parametrize(
    ("change", "reason", "details"),
    [
        ({"roomId": None}, "Parameter roomId not specified!", None),
        ({"startDate": None}, "Parameter startDate not specified!", None),
        ({"endDate": None}, "Parameter endDate not specified!", None),
        ({"endDate": at(14, 20)}, "GenericError5", "endDate: its minutes must be 00, 15, 30 or 45"),
        ({"endDate": "soon"}, "GenericError5", "endDate: write it as in 2026-03-15T12:00:00+00:00"),
        ({"startDate": "2026-13-01T00:00:00Z"}, "GenericError5", "startDate: month must be in 1..12"),
        ({"startDate": at(15)}, "GenericError5", "A booking ends after it starts"),
        ({"startDate": 7}, "GenericError5", "startDate: write it as in 2026-03-15T12:00:00+00:00"),
    ],
)
def test_what_is_missing_or_makes_no_sense_is_said(panel: Panel, room: Room, change, reason, details):
    error = panel.error("createBooking", sent(room) | change)
    assert (error["error"], error["reason"], error.get("details")) == (400, reason, details)


def test_a_start_may_be_off_the_quarter_and_times_without_offset_are_the_room_s(house: House, panel: Panel, room: Room):
    booking = house.bookings.get(booked(panel, room, "2026-03-15T15:07:00", "2026-03-15T15:30:00"))
    assert (booking.start - wiring.clock(), booking.end - wiring.clock()) == (
        2 * HOUR + 7 * MINUTE,
        2 * HOUR + 30 * MINUTE,
    )
    moment = wiring.clock() + 5 * HOUR
    dates = {"startDate": {"$date": moment}, "endDate": {"$date": moment + HOUR}}
    assert panel.result("createBooking", sent(room) | dates)["type"] == "success"


def test_a_room_that_is_not_there_or_not_in_use_is_not_found(house: House, panel: Panel):
    for name in ("nowhere", house.room("Closed", active=False).evoko_id):
        params = {"roomId": name, "startDate": at(14), "endDate": at(15)}
        assert panel.refused("createBooking", params) == (404, "RoomNotActiveNotFound")


def test_a_rule_of_the_room_is_said_in_its_words(house: House, panel: Panel):
    room = house.room("Short", rules={"maxMinutes": 30})
    error = panel.error("createBooking", sent(room, at(14), at(15)))
    assert (error["reason"], error["details"]) == ("GenericError5", "A booking of this room lasts at most 30 minutes")


def test_nobody_who_is_not_logged_in_does_anything(house: House, room: Room):
    stranger = house.panel()
    for method in ("createBooking", "updateEvent", "deleteEvent", "confirmMeeting", "getAvailableRoomsAdvancedNew"):
        assert stranger.refused(method, sent(room)) == (401, "User is not authorized!")
    assert house.world.settle() is None and house.rows("booking") == []


def test_a_method_takes_an_object(panel: Panel):
    assert panel.refused("createBooking") == panel.refused("createBooking", "x") == (400, "Match failed")


# Changing


def test_a_meeting_is_moved_and_extended_by_any_of_the_names_of_its_id(house: House, panel: Panel, room: Room):
    booking = booked(panel, room)
    for name, end in (("bookingId", at(14, 45)), ("_id", at(15)), ("id", at(15, 15))):
        panel.result("updateEvent", {name: booking, "startDate": at(14), "endDate": end})
    assert house.bookings.get(booking).end == wiring.clock() + 3 * HOUR + 15 * MINUTE


def test_a_meeting_cannot_be_extended_into_another_and_stays_as_it_was(house: House, panel: Panel, room: Room):
    booking = booked(panel, room)
    booked(panel, room, at(14, 30), at(15))
    before = house.bookings.get(booking)
    change = {"bookingId": booking, "startDate": at(14), "endDate": at(14, 45)}
    assert panel.refused("updateEvent", change) == (400, "MeetingInvalidExtend")
    assert house.bookings.get(booking) == before
    assert panel.refused("updateEvent", change | {"bookingId": "Unone"}) == (400, "MeetingInvalidExtend")
    assert panel.refused("updateEvent", change | {"endDate": at(14, 50)}) == (400, "GenericError5")
    assert panel.refused("updateEvent", {**change, "bookingId": None})[1] == "Parameter bookingId not specified!"


def test_what_is_deleted_is_gone_for_all_and_may_be_deleted_again(house: House, panel: Panel, room: Room):
    other = house.at_the_door()
    other.subscribe("allBookings", room.evoko_id)
    booking = house.book(room).id
    house.world.settle()
    other.hear()
    for _ in range(2):
        panel.result("deleteEvent", {"bookingId": booking})
    house.world.settle()
    assert other.hear() == [{"msg": "removed", "collection": "bookings", "id": booking}]
    assert panel.refused("deleteEvent", {"bookingId": "Unone"}) == (400, "GenericError5")


def test_check_in_has_its_window(house: House, panel: Panel):
    room = house.room("Strict", checkIn={"opensBefore": 10, "grace": 10})
    booking = booked(panel, room)
    error = panel.error("confirmMeeting", {"bookingId": booking})
    assert (error["reason"], error["details"]) == ("GenericError5", "Check-in opens 10 minutes before the start")
    house.world.clock.now += 115 * MINUTE
    panel.result("confirmMeeting", {"bookingId": booking})
    assert house.bookings.get(booking).state == "checkedIn"


# PINs and RFIDs


def test_a_room_asks_for_a_pin_where_its_setting_says_so(house: House, panel: Panel):
    ann = house.person("Ann", email="ann@museum.example", pin="1234", rfid="04:a2:b3")
    room = house.room(auth={"bookFutureMeetingSettings": True})
    assert panel.refused("createBooking", sent(room)) == (400, "PinIsRequired")
    assert panel.refused("createBooking", sent(room, pin=9999)) == (400, "PinWrongNumber")
    assert panel.refused("createBooking", sent(room, rfid="ff:ff")) == (400, "RFIDWrongNumber")
    made = house.bookings.get(booked(panel, room, pin=1234))
    assert (made.organizer.name, made.organizer.user, made.created_by) == ("Ann", ann, f"evoko:{ann}")
    booked(panel, room, at(15), at(16), rfid="04:A2:B3", pin=None)
    booked(panel, room, at(12), at(12, 30))  # an instant one asks for nothing


@pytest.mark.parametrize(
    ("setting", "start", "method", "more"),
    [
        ("bookMeetingSettings", at(12), "createBooking", {}),
        ("extendOngoingMeetingSettings", at(12), "updateEvent", {"ongoing": False}),
        ("extendFutureMeetingSettings", at(14), "updateEvent", {"ongoing": True}),
        ("endOngoingMeetingSettings", at(12), "deleteEvent", {}),
        ("endFutureMeetingSettings", at(14), "deleteEvent", {}),
        ("confirmMeetingSettings", at(14), "confirmMeeting", {}),
        ("reportSettings", at(14), "editRoomEquipmentReport", {}),
    ],
)
def test_each_method_goes_by_the_setting_of_its_kind_whatever_the_client_says(
    house: House, panel: Panel, setting, start, method, more
):
    house.person("Ann", pin="0007")
    room = house.room(auth={setting: True})
    booking = house.bookings.book(
        room, wiring.clock() + (0 if start == at(12) else 2 * HOUR), wiring.clock() + 3 * HOUR, by=JOAN
    )
    if method == "createBooking":
        house.bookings.cancel(booking.id, by=JOAN)
    params = {
        **sent(room, start, at(15)),
        "bookingId": booking.id,
        "roomObject": {"_id": room.evoko_id, "equipment": {"wifi": True}},
        **more,
    }
    assert panel.refused(method, params) == (400, "PinIsRequired")
    assert panel.refused(method, params | {"pin": "7"}) == (400, "PinWrongNumber")
    assert panel.result(method, params | {"pin": "0007"})["type"] == "success"


def test_a_pin_is_not_to_be_guessed(house: House, panel: Panel):
    house.person("Ann", pin="1234")
    room = house.room(auth={"bookFutureMeetingSettings": True})
    for pin in range(10):
        assert panel.refused("createBooking", sent(room, pin=5000 + pin))[1] == "PinWrongNumber"
    assert panel.refused("createBooking", sent(room, pin=1234))[0] == 429


# At once


def test_of_many_who_book_one_slot_through_two_apis_one_has_it(house: House, room: Room):
    panels = [house.at_the_door() for _ in range(6)]
    start = wiring.clock() + 2 * HOUR

    def by_panel(panel: Panel) -> bool:
        answer = panel.call("createBooking", sent(room))[0]
        assert "result" in answer or answer["error"]["reason"] == "MeetingSuccessExists", answer
        return "result" in answer

    def by_joan(number: int) -> bool:
        try:
            house.bookings.book(room, start, start + 30 * MINUTE, by=By(source="joan", client=f"c{number}"))
        except Taken:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        won = [*pool.map(by_panel, panels), *pool.map(by_joan, range(6))]
    assert won.count(True) == 1
    assert [each["type"] for each in house.rows("action")] == ["_RoomBooked"]


def test_a_message_that_the_queue_brings_twice_books_once(house: House, panel: Panel, room: Room):
    message = {"msg": "method", "id": "m1", "method": "createBooking", "params": [sent(room)]}
    context = {"routeKey": "$default", "connectionId": panel.id, "requestId": "the same"}
    answers = []
    for _ in range(2):
        handler({"requestContext": context, "body": json.dumps(message)})
        answers.append(panel.hear()[0])
    assert answers[0] == answers[1] and "result" in answers[0]
