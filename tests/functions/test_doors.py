"""At the door of a room, with a phone and without a login: the pages, the forms, and what keeps them in bounds."""

import re
from typing import Any

import pytest

from fingerpost import wiring
from fingerpost.access.guessing import MAX_TRIES
from fingerpost.ports.connections import ConnectionGone
from fingerpost.rooms.doors import displays, service
from functions.live.app import handler as live
from tests.functions.doors import Phone, words
from tests.functions.joan import joan_client
from tests.functions.rooms import booking, room
from tests.functions.world import API_URL, DOMAIN, HOUR, SECOND, World

MINUTE = 60 * SECOND
CHECK_IN = {"checkIn": {"opensBefore": 10, "grace": 10}}


@pytest.fixture(autouse=True)
def nobody_has_been_here(monkeypatch) -> None:
    monkeypatch.setattr(service, "rates", service.Rates())


@pytest.fixture
def phone(world: World) -> Phone:
    made = room(world, equipment={"projector": True, "wifi": True, "ac": None, "lights": False}, capacity=8)
    return Phone(world, made["id"])


def bookings(phone: Phone, **query: Any) -> Any:
    return phone.world.operator.read(f"/rooms/{phone.room}/bookings", **query)


# ---- what a page says ------------------------------------------------------------------------------------------------


def test_who_scans_a_room_sees_that_it_is_free_and_books_half_an_hour(world: World, phone: Phone):
    link = world.operator.read(f"/rooms/{phone.room}")["shortId"]
    assert world.scan(link).location == f"{API_URL}/door/{phone.room}"
    said = words(phone.look())
    assert "Harbour Room 8 seats Free Nothing else is booked" in said
    assert "15 min until 12:15 30 min until 12:30 60 min until 13:00" in said
    answer = phone.do("book", minutes=30, title="Stand-up", name="Ann")
    assert (answer.status, answer.location) == (303, f"/door/{phone.room}?said=book")
    said = words(phone.look(answer.location))
    assert "The room is yours. Booked until 12:30 Stand-up, Ann Nothing else is booked" in said
    [booked] = bookings(phone)
    assert (booked["source"], booked["state"], booked["title"]) == ("door", "checkedIn", "Stand-up")
    assert (booked["start"], booked["end"]) == (world.clock(), world.clock() + 30 * MINUTE)


def test_the_stories_of_a_door(world: World, phone: Phone):
    page = world.answered("doors/room-page", ROOM=phone.room)
    phone.cookie = page.headers["set-cookie"].partition(";")[0]
    assert "The room is yours." in words(page)  # whoever follows the address of somebody who has booked
    assert "Book it now" in words(world.answered("doors/booking-form", ROOM=phone.room))
    assert "Scan to book" in words(world.answered("doors/display", ROOM=phone.room))
    phone.look()
    known = {"ROOM": phone.room, "BROWSER": phone.cookie.partition("=")[2], "TICKET": phone.form("book")["ticket"]}
    assert world.answered("doors/book-30-minutes", **known).status == 303
    [booked] = bookings(phone)
    assert world.answered("doors/check-in", **known, BOOKING=booked["id"]).status == 303
    ended = world.answered("doors/end-at-display", **known, BOOKING=booked["id"])
    assert ended.location == f"/door/{phone.room}/display?said=end"
    assert world.answered("doors/report-projector", **known).status == 303
    assert world.operator.read(f"/rooms/{phone.room}")["equipment"]["projector"] is False


def test_the_page_offers_only_what_fits_before_the_next_meeting(world: World, phone: Phone):
    start = world.clock() + 50 * MINUTE
    world.operator.made(f"/rooms/{phone.room}/bookings", {"start": start, "end": start + HOUR, "title": "Board"})
    said = words(phone.look())
    assert "Free until 12:50 Next meeting 12:50" in said
    assert "15 min until 12:15 30 min until 12:30 50 min until 12:50 For how long" not in said
    assert re.findall(r'value="(\d+)">\d+ min', phone.page) == ["15", "30", "50"]
    assert "Next 12:50 to 13:50 Booked" in said
    assert "Board" not in phone.page  # unless the room says so
    world.operator.put(f"/rooms/{phone.room}", {"showTitles": True})
    assert "12:50 to 13:50 Board" in words(phone.look())


def test_a_far_meeting_is_told_with_its_day(world: World, phone: Phone):
    booking(world, phone.room, 24 * 9)
    assert "Free Next meeting Tuesday 24 March, 12:00" in words(phone.look())


def test_times_are_by_the_rooms_own_clocks(world: World, phone: Phone):
    world.operator.put(f"/rooms/{phone.room}", {"timezone": "Asia/Kathmandu"})
    said = words(phone.look())
    assert "15 min until 18:00" in said and "17:45 on Sunday 15 March, Asia/Kathmandu" in said


def test_who_has_booked_checks_in_stays_longer_and_ends(world: World, phone: Phone):
    world.operator.put(f"/rooms/{phone.room}", CHECK_IN)
    made = world.operator.made(
        f"/rooms/{phone.room}/bookings", {"start": world.clock() + 5 * MINUTE, "end": world.clock() + HOUR}
    )
    said = words(phone.look("check-in"))
    assert "Check in by 12:15" in said and "Is this your meeting, 12:05 to 13:00?" in said
    assert not phone.offers("end")
    assert "You are checked in." in phone.follow("check-in")
    assert bookings(phone)[0]["state"] == "checkedIn"
    world.clock.now += 10 * MINUTE
    assert "15 min longer until 13:15 30 min longer until 13:30" in words(phone.look())
    assert "The meeting is longer now. Booked until 13:15" in phone.follow("extend", minutes=15)
    assert "The meeting is over, the room is free. Free" in phone.follow("end")
    ended = world.operator.read(f"/rooms/{phone.room}/bookings/{made['id']}")
    assert (ended["state"], ended["end"]) == ("ended", world.clock())


def test_who_does_not_come_loses_the_room_also_on_the_page(world: World, phone: Phone):
    world.operator.put(f"/rooms/{phone.room}", CHECK_IN)
    booking(world, phone.room, 0)
    assert "Check in by 12:10 Booked 12:00 to 13:00; it is free again if nobody checks in" in words(phone.look())
    world.clock.now += 10 * MINUTE
    assert "Free Nothing else is booked" in words(phone.look())
    assert "The room is yours." in phone.follow("book", minutes=60)


def test_a_room_that_waits_for_approval_says_so(world: World, phone: Phone):
    world.operator.put(f"/rooms/{phone.room}", {"approval": True})
    assert "Bookings of this room wait for approval: yours holds it until then." in words(phone.look("book"))
    assert "Booked until 12:15 Walk-in It waits for approval." in phone.follow("book", minutes=15)
    assert bookings(phone)[0]["state"] == "tentative"


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"opens": "08:00", "closes": "11:00"}, "Not available The room is closed."),
        ({"days": ["mon", "tue"]}, "Not available The room is closed."),
        ({"opens": "08:00", "closes": "18:00"}, "Free until 18:00 The room closes at 18:00"),
        ({"opens": "08:00", "closes": "12:12"}, "Free for 12 min The room closes at 12:12"),
    ],
)
def test_the_hours_of_a_room_are_told(world: World, phone: Phone, rules, said):
    world.operator.put(f"/rooms/{phone.room}", {"rules": rules})
    assert said in words(phone.look())


def test_what_is_broken_is_told_and_what_works_can_be_reported_once(world: World, phone: Phone):
    custom = world.operator.made("/rooms/equipment", {"name": "Lectern"})["id"]
    world.operator.put(f"/rooms/{phone.room}", {"customEquipment": {custom: True}})
    said = words(phone.look())
    assert "Out of order Lights is broken" in said
    assert "Choose Projector Wi-Fi Lectern" in said
    for _ in range(2):
        assert "Thank you, it is reported as broken." in phone.follow("report", equipment=f"custom:{custom}")
    assert "Lectern is broken" in words(phone.look())
    world.settle()
    reported = [each for each in world.recorded() if each["type"] == "_EquipmentReported"]
    assert len(reported) == 1
    assert "Choose what is broken" in words(phone.do("report", equipment="ac"))


# ---- what keeps it in bounds -----------------------------------------------------------------------------------------


def test_the_same_form_sent_twice_is_one_booking(world: World, phone: Phone):
    phone.look()
    sent = {**phone.form("book"), "minutes": 30}
    assert [phone.send("book", sent).status for _ in range(2)] == [303, 303]
    assert len(bookings(phone)) == 1


def test_a_room_that_somebody_else_took_meanwhile_is_said_to_be_taken(world: World, phone: Phone):
    other = Phone(world, phone.room)
    other.look()
    phone.look()
    assert other.do("book", minutes=30).status == 303
    answer = phone.do("book", minutes=30, title="Mine")
    assert answer.status == 409
    assert "The room is already booked during this time" in words(answer)
    assert 'role="alert"' in phone.page and not phone.offers("book")


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
def test_a_form_of_another_site_does_nothing(world: World, phone: Phone, headers):
    phone.look()
    answer = phone.do("book", minutes=15, headers=headers)
    assert (answer.status, bookings(phone)) == (403, [])
    assert "A form of another site" in words(answer)


def test_a_form_is_taken_at_whatever_address_the_page_was_opened(phone: Phone):
    phone.headers = {"host": "192.0.2.7:8000"}
    phone.look()
    assert phone.do("book", minutes=15, headers={"origin": "http://192.0.2.7:8000"}).status == 303


def test_a_ticket_is_of_one_room_one_browser_and_half_an_hour(world: World, phone: Phone):
    phone.look()
    sent = {**phone.form("book"), "minutes": 15}
    other = Phone(world, room(world, "Lantern Room")["id"])
    other.look()
    stranger = Phone(world, phone.room)
    for each in (
        Phone(world, other.room, phone.cookie).send("book", sent),
        stranger.send("book", sent),
        Phone(world, phone.room, other.cookie).send("book", sent),
        phone.send("book", {**sent, "ticket": sent["ticket"].replace("form", "display")}),
        phone.send("book", {**sent, "ticket": ""}),
    ):
        assert each.status == 403, words(each)
    world.clock.now += 30 * MINUTE + 1
    assert "This page was open for too long; here it is anew" in words(phone.send("book", sent))
    assert bookings(phone) == []
    assert phone.do("book", minutes=15).status == 303  # by the form that came with the answer


def test_too_much_at_one_door_is_refused_for_a_minute(world: World, phone: Phone):
    phone.look()
    statuses = [phone.do("report", equipment="wifi").status for _ in range(service.PER_MINUTE + 1)]
    assert statuses == [303] * service.PER_MINUTE + [429]
    world.clock.now += MINUTE
    assert phone.do("report", equipment="wifi").status == 303


def test_where_the_room_asks_for_a_pin_the_page_does_and_the_booking_is_that_persons(world: World, phone: Phone):
    world.operator.made("/rooms/people", {"name": "Ann", "email": "ann@museum.example", "pin": "4711"})
    world.operator.put(
        f"/rooms/{phone.room}", {"auth": {"bookMeetingSettings": True, "endOngoingMeetingSettings": True}}
    )
    assert "Your PIN" in words(phone.look("book"))
    assert "This room asks for your PIN" in words(phone.do("book", minutes=15))
    answer = phone.do("book", minutes=15, pin="4712", title="Stand-up <b>")
    assert (answer.status, bookings(phone)) == (403, [])
    assert "Nobody has this PIN" in words(answer) and 'value="Stand-up &lt;b&gt;"' in phone.page
    phone.follow("book", minutes=15, pin="4711")
    [booked] = bookings(phone)
    assert (booked["organizer"]["name"], booked["organizer"]["email"]) == ("Ann", "ann@museum.example")
    assert phone.do("end").status == 403
    assert phone.do("extend", minutes=15).status == 303  # which this room asks nothing for
    assert phone.do("end", pin="4711").status == 303


def test_pins_cannot_be_guessed(world: World, phone: Phone):
    world.operator.made("/rooms/people", {"name": "Ann", "pin": "4711"})
    world.operator.put(f"/rooms/{phone.room}", {"auth": {"bookMeetingSettings": True}})
    phone.look()
    for number in range(MAX_TRIES):
        world.clock.now += 10 * SECOND
        assert phone.do("book", minutes=15, pin=str(number)).status == 403
    answer = phone.do("book", minutes=15, pin="4711")
    assert answer.status == 429 and int(answer.headers["retry-after"]) > 0
    assert "There were too many wrong PINs at this door" in words(answer)


def test_a_meeting_of_another_room_cannot_be_ended_here(world: World, phone: Phone):
    other = booking(world, room(world, "Lantern Room")["id"], 0)
    phone.look()
    booking(world, phone.room, 0)
    phone.look()
    assert phone.do("end", booking=other["id"]).status == 409
    answer = phone.do("end", booking="U" + "x" * 23)
    assert (answer.status, "That meeting is not there any more" in words(answer)) == (404, True)


@pytest.mark.parametrize("body", [b"\xff", b"minutes=x", b"title=" + b"x" * 101, b"x" * 9_000, b"a=1&" * 30, b"{}"])
def test_what_no_form_sends_is_refused_on_a_page(phone: Phone, body):
    phone.look()
    sent = {"content-type": "application/x-www-form-urlencoded", "cookie": phone.cookie}
    answer = phone.world.nobody.post(f"/door/{phone.room}/book", raw_body=body, headers=sent)
    assert 400 <= answer.status < 500 and 'role="alert"' in answer.content.decode()


@pytest.mark.parametrize("path", ["/door/nowhere", "/door/U2DTQ80001G8e1MUXdngUeK4/display", "/door/x/y/z"])
def test_where_there_is_no_room_a_page_says_so(world: World, path):
    answer = world.nobody.get(path)
    assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no such room" in words(answer)


def test_a_room_that_was_removed_has_no_page(world: World, phone: Phone):
    assert world.operator.delete(f"/rooms/{phone.room}").status == 200
    assert phone.look().status == 404


def test_pages_load_nothing_run_nothing_and_stay_with_whoever_asked(world: World, phone: Phone):
    answer = phone.look()
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy and "unsafe" not in policy
    assert {"form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy.split("; "))
    assert (answer.headers["cache-control"], answer.headers["x-robots-tag"]) == ("no-store", "noindex")
    cookie = answer.headers.get("set-cookie", "")
    assert cookie.endswith("; Path=/door/; Max-Age=31536000; HttpOnly; SameSite=Lax; Secure")
    assert not re.findall(r'(?:src|href)="(?!data:,|/door/)', phone.page)
    assert "<script" not in phone.page and '<html lang="en">' in phone.page
    assert "set-cookie" not in phone.look().headers
    shown = phone.look("display").headers["content-security-policy"]
    assert "script-src 'sha256-" in shown and f"connect-src 'self' {wiring.settings().live_url}" in shown


# ---- rules and the display -------------------------------------------------------------------------------------------


def test_rules_lead_a_scan_to_booking_to_check_in_or_to_the_page(world: World, phone: Phone):
    door = f"{API_URL}/door/{{room.id}}"
    world.operator.publish(
        {"match": "room.status=free,soon", "redirectUrl": f"{door}/book"},
        {"match": "room.status=checkIn", "redirectUrl": f"{door}/check-in"},
        {"match": "room.id=*", "redirectUrl": door},
    )
    made = world.operator.read(f"/rooms/{phone.room}")
    world.operator.put(f"/rooms/{phone.room}", CHECK_IN)
    assert world.scan(made["shortId"]).location == f"{API_URL}/door/{phone.room}/book"
    booked = booking(world, phone.room, 0)
    assert world.scan(made["shortId"]).location == f"{API_URL}/door/{phone.room}/check-in"
    assert "Check in" in words(phone.look(f"/door/{phone.room}/check-in"))
    assert world.operator.post(f"/rooms/{phone.room}/bookings/{booked['id']}/checkIn").status == 200
    assert world.scan(made["shortId"]).location == f"{API_URL}/door/{phone.room}"
    told = world.operator.post(
        "/redirector/simulate", {"scan": {"shortId": made["shortId"], "shortDomain": DOMAIN}}
    ).document
    assert "room.status is booked" in str(told["rules"][0])


def test_rules_on_rooms_are_tried_on_recorded_scans(world: World, phone: Phone):
    made, lamp = world.operator.read(f"/rooms/{phone.room}"), world.thng()
    other = world.operator.link(lamp["id"])["shortId"]
    for _ in range(3):
        world.scan(made["shortId"])
        world.scan(other)
        world.clock.now += HOUR
    booking(world, phone.room, -2, 1)  # when the second of them came
    world.settle()
    rules = [{"match": "room.status=booked", "redirectUrl": "https://x.example/{room.currentBooking.minutesLeft}"}]
    told = world.operator.post("/redirector/backtest", {"rules": rules}).document
    assert (told["scans"], told["changed"]) == (6, 1), told


def test_rules_of_the_reactor_ask_how_a_room_stands_too(world: World, phone: Phone):
    path = f"/projects/{world.project}/applications/{world.application_id}/reactor/rules/simulate"
    rule = {
        "name": "a big room is taken",
        "when": "actionCreated",
        "filter": "action.type=_RoomBooked & room.status=booked & room.capacity>=6 & room.equipment.projector=true",
        "then": [{"putOnQueue": {"queue": "rooms", "body": "{room.name}: {room.currentBooking.minutes}"}}],
    }
    booking(world, phone.room, 0)
    event = {"action": {"type": "_RoomBooked", "thng": phone.room}}
    (told,) = world.operator.post(path, {"event": event, "rules": [rule]}).document["rules"]
    assert told["steps"][0]["does"]["putOnQueue"]["body"] == "Harbour Room: 60"
    world.clock.now += HOUR
    (told,) = world.operator.post(path, {"event": event, "rules": [rule]}).document["rules"]
    assert "room.status is free" in told["says"]


def test_a_display_is_told_of_what_any_api_changes_and_of_nothing_else(world: World, phone: Phone, monkeypatch):
    told: list[tuple[str, str]] = []

    class Connections:
        def send(self, connection: str, text: str) -> None:
            told.append((connection, text))

    monkeypatch.setattr(wiring, "connections", Connections)
    phone.look("display")
    live_url = re.search(r'data-live="([^"]+)"', phone.page)
    assert live_url is not None and live_url[1].startswith("wss://api.example/ws?door=")
    context = {"connectionId": "Tq3x1cJpjoECJZA=", "routeKey": "$connect", "requestId": "r"}
    ticket = live_url[1].partition("=")[2]
    event = {"requestContext": context, "queryStringParameters": {"door": ticket}}
    assert live(event) == {"statusCode": 200}
    forged = ticket[:-1] + ("A" if ticket[-1] != "A" else "E")
    assert live({**event, "queryStringParameters": {"door": forged}})["statusCode"] == 403
    assert live({**event, "queryStringParameters": {"door": "x"}})["statusCode"] == 403
    lantern = room(world, "Lantern Room")
    world.settle()
    told.clear()
    joan = joan_client(world)
    joan.book(lantern["email"])
    world.settle()
    assert told == []
    joan.book(world.operator.read(f"/rooms/{phone.room}")["email"])
    world.settle()
    assert set(told) == {("Tq3x1cJpjoECJZA=", f'{{"changed": "{phone.room}"}}')}
    assert "Monday 16 March" in words(phone.look("display"))


def test_displays_that_have_gone_make_place_for_others(world: World, phone: Phone, monkeypatch):
    gone: set[str] = set()
    told: list[tuple[str, str]] = []

    class Connections:
        def send(self, connection: str, text: str) -> None:
            if connection in gone:
                raise ConnectionGone(connection)
            told.append((connection, text))

    monkeypatch.setattr(wiring, "connections", Connections)
    phone.look("display")
    live_url = re.search(r'data-live="([^"]+)"', phone.page)
    assert live_url is not None
    ticket = live_url[1].partition("=")[2]

    def listens(connection: str) -> int:
        context = {"connectionId": connection, "routeKey": "$connect", "requestId": "r"}
        status: int = live({"requestContext": context, "queryStringParameters": {"door": ticket}})["statusCode"]
        return status

    assert [listens(f"c{each}") for each in range(displays.MAX_DISPLAYS)] == [200] * displays.MAX_DISPLAYS
    assert listens("one more") == 429
    assert not any("changed" in text for _, text in told)
    gone.add("c7")
    assert [listens("another"), listens("one more")] == [200, 429]


def test_a_display_offers_what_needs_no_typing_and_stays_a_display(world: World, phone: Phone):
    phone.look("display")
    assert phone.form("book")["from"] == "display"
    answer = phone.do("book", minutes=15)
    assert answer.location == f"/door/{phone.room}/display?said=book"
    assert "End it now" in words(phone.look(answer.location))
    world.operator.put(f"/rooms/{phone.room}", {"auth": {"endOngoingMeetingSettings": True}})
    assert "End it now" not in words(phone.look("display"))
