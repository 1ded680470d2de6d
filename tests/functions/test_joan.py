"""Joan's API: tokens, rooms, events, devices and invitations, as clients of that product use them."""

import re
from typing import Any

import pytest

from fingerpost.rooms import queries
from tests.functions.joan import V1, JoanClient, basic, dublin_room, joan_client, token_answer
from tests.functions.rooms import booking
from tests.functions.world import API_URL, HOUR, SECOND, SUNDAY_NOON, Client, World

GRANT = "grant_type=client_credentials"
MINUTE = 60 * SECOND
CLIENTS = "/rooms/credentials/joan"


@pytest.fixture
def joan(world: World) -> JoanClient:
    return joan_client(world)


@pytest.fixture
def glass(joan: JoanClient) -> Any:
    return dublin_room(joan.world)


def of(event: Any, room: Any, **more: Any) -> dict[str, Any]:
    """What names an event in the body of a request."""
    return {"event_id": event["id"], "room_id": room["email"], "timezone": "Europe/Dublin", **more}


# ---- tokens ----------------------------------------------------------------------------------------------------------


def test_a_client_gets_a_token_by_basic_or_in_the_form(world: World, joan: JoanClient):
    in_form = f"{GRANT}&client_id={joan.client_id}&client_secret={joan.secret}"
    for body, headers in ((GRANT, basic(joan.client_id, joan.secret)), (in_form, {})):
        answer = token_answer(world, body, headers)
        assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
        told = answer.document
        assert told | {"access_token": ""} == {
            "access_token": "",
            "token_type": "Bearer",
            "expires_in": 36_000,
            "scope": "read write",
        }
        assert Client(world, f"Bearer {told['access_token']}").get(f"{V1}/me/").status == 200


@pytest.mark.parametrize(
    ("body", "headers", "status", "error"),
    [
        ("", "right", 400, "invalid_request"),
        ("grant_type=password", "right", 400, "unsupported_grant_type"),
        (GRANT, "wrong", 401, "invalid_client"),
        (GRANT, "none", 401, "invalid_client"),
        (GRANT, "odd", 401, "invalid_client"),
        (f"{GRANT}&client_id=x&client_secret=y", "none", 401, "invalid_client"),
        (f"{GRANT}&scope=everything", "right", 400, "invalid_scope"),
        ("{", "right", 400, "invalid_request"),
        ("a=1&" * 200 + GRANT, "right", 400, "invalid_request"),
    ],
)
def test_what_is_wrong_with_a_request_for_a_token_is_said_as_oauth_has_it(world, joan, body, headers, status, error):
    known = {
        "right": basic(joan.client_id, joan.secret),
        "wrong": basic(joan.client_id, joan.secret[:-1] + "~"),
        "none": {},
        "odd": {"authorization": "Basic ???"},
    }
    answer = token_answer(world, body, known[headers])
    assert (answer.status, answer.document["error"]) == (status, error)
    assert ("www-authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize("authorization", [None, "Bearer x", "Bearer ", "Token {token}", "{token}", "Basic eA=="])
def test_without_a_token_that_holds_nothing_is_told(world: World, joan: JoanClient, authorization):
    key = authorization and authorization.format(token=joan.token)
    answer = Client(world, key).get(f"{V1}/rooms/")
    assert (answer.status, answer.document) == (401, {"detail": "Authentication credentials were not provided."})
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_holds_for_ten_hours_and_no_longer_than_its_client(world: World, joan: JoanClient, glass):
    world.clock.now += 10 * HOUR - 1
    assert joan.get("rooms/").status == 200
    world.clock.now += 1
    assert joan.get("rooms/").status == 401
    again = joan_client(world)
    [own] = [each for each in world.operator.read(CLIENTS) if each["clientId"] == again.client_id]
    assert world.operator.delete(f"{CLIENTS}/{own['id']}").status == 200
    assert again.get("rooms/").status == 401


def test_a_token_that_may_read_only_changes_nothing(world: World, joan: JoanClient, glass):
    answer = token_answer(world, f"{GRANT}&scope=read", basic(joan.client_id, joan.secret))
    assert answer.document["scope"] == "read"
    reader = JoanClient(world, joan.client_id, joan.secret, answer.document["access_token"])
    assert reader.get("events/").status == 200
    refused = reader.post("events/book/", {})
    assert (refused.status, refused.document["detail"][:22]) == (403, "You do not have permis")


# ---- rooms, users, devices -------------------------------------------------------------------------------------------


def test_lists_are_pages_and_a_page_says_where_the_others_are(world: World, joan: JoanClient):
    made = [dublin_room(world, f"Room {number}") for number in range(3)]
    told = joan.read("rooms/")
    assert (told["count"], told["next"], told["previous"]) == (3, None, None)
    assert [each["id"] for each in told["results"]] == [each["joanId"] for each in made]
    second = joan.read("rooms/", limit=1, offset=1)
    assert [each["name"] for each in second["results"]] == ["Room 1"]
    assert second["next"] == f"{API_URL}{V1}/rooms/?limit=1&offset=2"
    assert second["previous"] == f"{API_URL}{V1}/rooms/?limit=1"
    last = joan.read("rooms/", limit=2, offset=2)
    assert (len(last["results"]), last["next"]) == (1, None)
    assert joan.read("rooms/", limit="many", offset="-1")["results"] == told["results"]


def test_a_room_has_the_fields_of_the_document(world: World, joan: JoanClient):
    city = world.operator.made("/rooms/structures", {"name": "Dublin", "level": "city"})
    floor = world.operator.made("/rooms/structures", {"name": "Ground", "level": "floor", "parent": city["id"]})
    lectern = world.operator.made("/rooms/equipment", {"name": "Lectern"})["id"]
    room = dublin_room(
        world,
        email="glass@museum.example",
        capacity=8,
        structure=floor["id"],
        equipment={"wifi": True, "projector": False, "display": None},
        customEquipment={lectern: True},
    )
    expected = {
        "id": room["joanId"],
        "key": room["id"],
        "name": "Glass Room",
        "email": "glass@museum.example",
        "manualEntry": False,
        "timezone": "Europe/Dublin",
        "locations": [
            {"id_str": city["id"], "type": "city", "name": "Dublin"},
            {"id_str": floor["id"], "type": "floor", "name": "Ground"},
        ],
        "status": "active",
        "amenities": ["wifi", "Lectern"],
        "capacity": 8,
        "sync": True,
        "first_failed_sync": None,
    }
    assert joan.read("rooms/")["results"] == [expected]
    for name in (room["joanId"], room["email"], room["id"], room["slug"]):
        assert joan.read(f"rooms/{name}/") == expected
    assert joan.get("rooms/1/").document == {"detail": "Not found."}


def test_a_room_is_made_changed_and_removed(world: World, joan: JoanClient):
    sent = {"name": "Annex", "email": "annex@museum.example", "capacity": "6", "amenities": ["wifi"]}
    answer = joan.post("rooms/", sent)
    made = answer.document
    assert (answer.status, made["capacity"], made["amenities"], made["status"]) == (201, 6, ["wifi"], "active")
    assert world.operator.read(f"/rooms/{made['key']}")["email"] == "annex@museum.example"
    changed = joan.call("PATCH", f"rooms/{made['id']}/", {"status": "inactive", "amenities": ["display"]}).document
    assert (changed["status"], changed["amenities"], changed["name"]) == ("inactive", ["display"], "Annex")
    assert joan.call("PUT", f"rooms/{made['id']}", {"name": "Annexe"}).document["name"] == "Annexe"
    assert joan.call("PUT", f"rooms/{made['id']}/", {}).document == {"name": ["This field is required."]}
    twice = joan.post("rooms/", sent)
    assert (twice.status, list(twice.document)) == (400, ["email"])
    joan.call("PATCH", f"rooms/{made['id']}/", {"status": "active"})
    booking = joan.book(made["email"])
    booked = joan.call("DELETE", f"rooms/{made['id']}/")
    assert booked.status == 409 and "Cancel them" in booked.document["detail"]
    joan.post("events/cancel/", {"event_id": booking["id"], "room_id": made["email"], "timezone": "UTC"})
    assert joan.call("DELETE", f"rooms/{made['id']}/").status == 204
    assert joan.get(f"rooms/{made['id']}/").status == 404
    [entry] = [each for each in world.operator.read("/audit") if each["what"] == "room" and each["verb"] == "delete"]
    assert entry["by"]["type"] == "roomClient"


def test_a_room_that_is_sent_back_as_it_was_shown_stays_as_it_was(world: World, joan: JoanClient):
    lectern = world.operator.made("/rooms/equipment", {"name": "Lectern"})["id"]
    works = {"equipment": {"wifi": True, "projector": False}, "customEquipment": {lectern: True}}
    room = dublin_room(world, capacity=8, **works)
    shown = joan.read(f"rooms/{room['joanId']}/")
    assert joan.call("PUT", f"rooms/{room['joanId']}/", shown).document == shown
    assert world.operator.read(f"/rooms/{room['id']}") == room
    answer = joan.call("PATCH", f"rooms/{room['joanId']}/", {"amenities": ["wifi"]})
    assert answer.document["amenities"] == ["wifi"]
    answer = joan.call("PATCH", f"rooms/{room['joanId']}/", {"amenities": ["sauna"]})
    assert (answer.status, answer.document) == (400, {"amenities": ['"sauna" is not a valid choice.']})


def test_users_are_those_who_use_rooms_and_me_is_the_client(world: World, joan: JoanClient):
    world.operator.made("/rooms/people", {"name": "Ann Mary Keane", "email": "ann@museum.example", "admin": True})
    told = joan.read("users/")
    [ann] = told["results"]
    assert (ann["first_name"], ann["last_name"], ann["admin"]) == ("Ann", "Mary Keane", True)
    assert ann["permissions"] == ["read", "write", "admin"]
    assert set(ann["profile"]) == {"picture_id", "picture", "job_title", "job_role", "use_case", "discovery"}
    me = joan.read("me")
    assert (me["first_name"], me["company"]) == ("Lobby scripts", ann["company"])
    assert me["company"]["name"] == "Harbour Museum"


def test_devices_show_their_room(world: World, joan: JoanClient, glass):
    sent = {"uuid": "7b0d1f52-3c4e", "room": glass["id"], "battery": 84, "wifi": -58, "wifiQuality": 71}
    world.operator.made("/rooms/devices", sent)
    told = joan.read("devices/")
    [device] = told["results"]
    assert told["count"] == 1
    assert (device["uuid"], device["calendar"], device["battery"]) == ("7b0d1f52-3c4e", glass["email"], 84)
    assert device["roomResources"][0]["name"] == "Glass Room"
    assert joan.read("devices/7b0d1f52-3c4e/") == device
    assert joan.get("devices/nothing/").status == 404


# ---- booking ---------------------------------------------------------------------------------------------------------


def test_a_room_is_booked_by_address_number_key_or_device(world: World, joan: JoanClient, glass):
    world.operator.made("/rooms/devices", {"uuid": "7b0d1f52-3c4e", "room": glass["id"]})
    for hour, source in enumerate((glass["email"], glass["joanId"], glass["id"], "7b0d1f52-3c4e")):
        event = joan.book(source, f"2026-03-16T1{hour}:00", f"2026-03-16T1{hour}:30")
        assert event["resource"] == glass["email"]
    assert len(joan.read("events/")[0]["events"]) == 4


def test_an_event_has_what_clients_read(world: World, joan: JoanClient, glass):
    world.operator.made("/rooms/people", {"name": "Ann Keane", "email": "ann@museum.example"})
    event = joan.book(glass["email"], organizer="ann@museum.example", title="Stand-up")
    assert event["organizer"] == {"email": "ann@museum.example", "displayName": "Ann Keane"}
    assert (event["summary"], event["start"]) == ("Stand-up", "2026-03-16T09:00:00+00:00")
    assert (event["status"], event["confirmed"], event["end"]) == ("confirmed", False, "2026-03-16T10:00:00+00:00")
    answer = joan.get("events/")
    assert answer.document == [{"room": joan.read(f"rooms/{glass['joanId']}/"), "events": [event]}]
    [ours] = world.operator.read(f"/rooms/{glass['id']}/bookings")
    assert (ours["id"], ours["title"], ours["source"]) == (event["id"], "Stand-up", "joan")


@pytest.mark.parametrize(
    ("start", "zone", "expected"),
    [
        ("2026-07-01T09:00", None, "2026-07-01T09:00:00+01:00"),  # the room's own zone
        ("2026-07-01T09:00", "America/Detroit", "2026-07-01T14:00:00+01:00"),
        ("2026-07-01 09:00:30", "America/Detroit", "2026-07-01T14:00:30+01:00"),
        ("2026-07-01T09:00Z", "America/Detroit", "2026-07-01T10:00:00+01:00"),  # an offset wins
        ("2026-07-01T09:00:00.250+0200", None, "2026-07-01T08:00:00.250000+01:00"),
        ("2026-03-29T01:30", None, "2026-03-29T02:30:00+01:00"),  # does not exist: by the offset before the gap
        ("2026-10-25T01:30", None, "2026-10-25T01:30:00+01:00"),  # comes twice: the first
    ],
)
def test_a_time_is_of_its_offset_else_of_the_zone_that_is_named_else_of_the_room(joan, glass, start, zone, expected):
    more = {"timezone": zone} if zone else {}
    assert joan.book(glass["email"], start, later(start), **more)["start"] == expected


def later(start: str) -> str:
    """Three hours after it, written in the same way."""
    return re.sub(r"(?<=[T ])\d\d", lambda found: f"{int(found[0]) + 3:02d}", start)


@pytest.mark.parametrize(
    ("sent", "field", "message"),
    [
        ({"start": None}, "start", "This field may not be null."),
        ({"start": ""}, "start", "This field may not be blank."),
        ({"start": "tomorrow"}, "start", "Datetime has wrong format. "),
        ({"start": "2026-02-30T09:00"}, "start", "Datetime has wrong format. "),
        ({"start": "20260-02-03T09:00"}, "start", "Datetime has wrong format. "),
        ({"start": "0001-01-01T00:00"}, "start", "Datetime has a year"),
        ({"end": "2026-03-16T09:00"}, "end", "The end must be later than the start."),
        ({"end": ["x"]}, "end", "Not a valid string."),
        ({"timezone": "Europe/Dubln"}, "timezone", '"Europe/Dubln" is not a valid choice.'),
        ({"source": "nobody@x.example"}, "source", "There is no room and no device nobody@x.example."),
        ({"source": ""}, "source", "This field may not be blank."),
        ({"source": {}}, "source", "Not a valid string."),
        ({"organizer": "nobody"}, "organizer", "Enter a valid email address."),
        ({"auto_confirm": "perhaps"}, "auto_confirm", "Must be a valid boolean."),
        ({"title": "x" * 1_001}, "title", "Ensure this field has no more than 1000 characters."),
    ],
)
def test_what_is_wrong_with_a_field_is_said_beside_it(joan, glass, sent, field, message):
    body = {"source": glass["email"], "start": "2026-03-16T09:00", "end": "2026-03-16T10:00", **sent}
    answer = joan.post("events/book/", body)
    assert (answer.status, list(answer.document)) == (400, [field])
    assert answer.document[field][0].startswith(message)


def test_fields_that_are_missing_are_told_together(joan: JoanClient):
    required = ["This field is required."]
    assert joan.post("events/book/", {}).document == {"source": required, "start": required, "end": required}
    answer = joan.post("events/cancel/", {"event_id": "x"})
    assert answer.document == {"room_id": required, "timezone": required}
    assert joan.post("events/book/", []).status == 400


def test_what_may_be_left_out_may_be_null_and_a_form_is_read_as_json_is(world: World, joan: JoanClient, glass):
    assert joan.book(glass["email"], title=None, timezone=None, organizer=None, auto_confirm=None)["summary"] == ""
    body = f"source={glass['joanId']}&start=2026-03-17T09:00&end=2026-03-17T10:00&auto_confirm=true"
    client = Client(world, f"Bearer {joan.token}")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = client.post(f"{V1}/events/book/", raw_body=body.encode(), headers=headers)
    assert (answer.status, answer.document["confirmed"]) == (201, True)


def test_a_slot_that_somebody_has_through_any_api_is_a_409_that_tells_nothing_of_them(world, joan, glass):
    booking(world, glass["id"], start=21, title="Secret")
    answer = joan.post(
        "events/book/", {"source": glass["email"], "start": "2026-03-16T09:30", "end": "2026-03-16T10:30"}
    )
    assert (answer.status, answer.document) == (409, {"detail": "The room is already booked during this time."})
    joan.book(glass["email"], "2026-03-16T10:00", "2026-03-16T10:30")  # touching is no clash


def test_the_same_request_again_within_a_minute_is_one_event(world: World, joan: JoanClient, glass):
    first = joan.book(glass["email"], title="Stand-up")
    world.clock.now += 59 * SECOND
    assert joan.book(glass["email"], title="Stand-up") == first
    world.clock.now += SECOND
    sent = {"source": glass["email"], "start": "2026-03-16T09:00", "end": "2026-03-16T10:00", "title": "Stand-up"}
    assert joan.post("events/book/", sent).status == 409
    assert joan_client(world).post("events/book/", sent).status == 409  # another client's is another request
    assert len(world.operator.read(f"/rooms/{glass['id']}/bookings")) == 1


def test_a_key_makes_a_repeat_the_same_event_at_once_and_for_days(world: World, joan: JoanClient, glass):
    sent = {"source": glass["email"], "start": "2026-03-16T09:00", "end": "2026-03-16T10:00"}
    keyed = {"headers": {"idempotency-key": "monday"}}
    first = joan.post("events/book/", sent, **keyed)
    again = joan.post("events/book/", sent, **keyed)
    assert (first.status, again.status, again.document) == (201, 201, first.document)
    other = joan.post("events/book/", {**sent, "title": "Other"}, **keyed)
    assert (other.status, list(other.document)) == (409, ["detail"])


def test_the_rules_of_a_room_are_told_in_words(world: World, joan: JoanClient):
    room = dublin_room(world, rules={"opens": "08:00", "closes": "18:00", "days": ["mon"], "horizonDays": 30})
    sent = {"source": room["email"], "start": "2026-03-16T17:00", "end": "2026-03-16T19:00"}
    answer = joan.post("events/book/", sent)
    assert (answer.status, list(answer.document)) == (400, ["non_field_errors"])
    assert "from 08:00 to 18:00 on Mon" in answer.document["non_field_errors"][0]


def test_a_room_that_needs_approval_makes_the_event_tentative(world: World, joan: JoanClient):
    room = dublin_room(world, approval=True, managers=["keeper@museum.example"])
    assert joan.book(room["email"], auto_confirm=True)["status"] == "tentative"


# ---- what becomes of events ------------------------------------------------------------------------------------------


def test_an_event_that_runs_is_finished_and_gives_the_rest_of_its_time_back(world: World, joan: JoanClient, glass):
    event = joan.book(glass["email"], "2026-03-15T12:00Z", "2026-03-15T14:00Z")
    world.clock.now += 30 * MINUTE
    answer = joan.post("events/cancel/", of(event, glass, finish=True))
    assert (answer.status, answer.document["end"]) == (200, "2026-03-15T12:30:00+00:00")
    joan.book(glass["email"], "2026-03-15T12:30Z", "2026-03-15T13:00Z")


def test_without_finish_an_event_is_cancelled_and_gone_from_the_list(world: World, joan: JoanClient, glass):
    event = joan.book(glass["email"])
    too_early = joan.post("events/cancel/", of(event, glass, finish=True))
    assert (too_early.status, list(too_early.document)) == (409, ["detail"])
    answer = joan.post("events/cancel/", of(event, glass))
    assert (answer.status, answer.document["status"]) == (200, "cancelled")
    assert joan.post("events/cancel/", of(event, glass)).status == 200
    assert joan.read("events/")[0]["events"] == []
    joan.book(glass["email"], title="Another")


def test_check_in_keeps_the_room_and_auto_confirm_needs_none(world: World, joan: JoanClient):
    room = dublin_room(world, checkIn={"opensBefore": 10, "grace": 10})
    at = {"start": "2026-03-15T12:30Z", "end": "2026-03-15T13:30Z"}
    event = joan.book(room["email"], **at, auto_confirm=False)
    early = joan.post("events/checkin/", of(event, room, lifetime=30))
    assert (early.status, early.document["detail"]) == (409, "Check-in opens 10 minutes before the start.")
    world.clock.now += 35 * MINUTE
    checked = joan.post("events/checkin/", of(event, room, lifetime=30))
    assert (checked.status, checked.document["confirmed"]) == (200, True)
    sure = joan.book(room["email"], "2026-03-15T14:00Z", "2026-03-15T15:00Z", auto_confirm=True)
    awaited = joan.book(room["email"], "2026-03-15T15:00Z", "2026-03-15T16:00Z")
    world.clock.now = SUNDAY_NOON + 4 * HOUR - 30 * MINUTE
    shown = {each["id"]: each["confirmed"] for each in joan.read("events/")[0]["events"]}
    assert shown == {event["id"]: True, sure["id"]: True}
    assert joan.post("events/checkin/", of(awaited, room, lifetime=1)).status == 409
    assert joan.post("events/checkin/", of(event, room, lifetime="x")).document == {
        "lifetime": ["A valid integer is required."]
    }


def test_an_event_is_extended_unless_somebody_comes_next(world: World, joan: JoanClient, glass):
    event = joan.book(glass["email"])
    joan.book(glass["email"], "2026-03-16T11:00", "2026-03-16T12:00")
    answer = joan.post("events/extend/", of(event, glass, extend_until="2026-03-16T11:00"))
    assert (answer.status, answer.document["end"]) == (200, "2026-03-16T11:00:00+00:00")
    assert joan.post("events/extend/", of(event, glass, extend_until="2026-03-16T11:01")).status == 409
    back = joan.post("events/extend/", of(event, glass, extend_until="2026-03-16T10:00"))
    assert (back.status, list(back.document)) == (400, ["extend_until"])
    assert joan.read("events/")[0]["events"][0]["end"] == "2026-03-16T11:00:00+00:00"


def test_an_event_moves_to_another_room_if_that_is_free(world: World, joan: JoanClient, glass):
    other = dublin_room(world, "Fuzboll Room")
    event = joan.book(glass["email"])
    sent = {
        "event_id": event["id"],
        "old_calendar_id": glass["email"],
        "new_calendar_id": other["joanId"],
        "new_calendar_name": "Fuzboll Room",
    }
    answer = joan.post("events/move/", sent)
    assert (answer.status, answer.document["resource"]) == (200, other["email"])
    assert joan.post("events/move/", sent).document == answer.document  # it was made already
    joan.book(glass["email"])
    back = {**sent, "old_calendar_id": other["email"], "new_calendar_id": glass["email"]}
    assert joan.post("events/move/", back).status == 409
    assert joan.post("events/move/", {**sent, "new_calendar_id": "nowhere"}).status == 404


@pytest.mark.parametrize("path", ["cancel", "checkin", "extend", "invite"])
def test_an_event_is_found_in_its_own_room_only(world: World, joan: JoanClient, glass, path):
    other = dublin_room(world, "Fuzboll Room")
    event = joan.book(glass["email"])
    more = {"lifetime": 1, "extend_until": "2026-03-16T12:00", "event_name": "x", "room_name": "x", "email": "a@x.ie"}
    nothing = ({"id": "U" * 24}, {"id": "é" * 1_000}, {"id": "U" * 24 + "_x"}, {"id": "a/../b"})
    for sent in (of(event, other, **more), of(event, {"email": "x"}, **more), *(of(e, glass, **more) for e in nothing)):
        answer = joan.post(f"events/{path}/", sent)
        assert (answer.status, answer.document) == (404, {"detail": "Not found."})


# ---- the schedule, and rooms that are free ---------------------------------------------------------------------------


def test_events_are_those_of_this_week_or_of_the_days_that_are_asked_for(world: World, joan: JoanClient, glass):
    morning = joan.book(glass["email"], "2026-03-15T08:00", "2026-03-15T09:00")["id"]
    friday = joan.book(glass["email"], "2026-03-20T23:00", "2026-03-21T01:00")["id"]
    april = joan.book(glass["email"], "2026-04-15T08:00", "2026-04-15T09:00")["id"]

    def ids(**query: str) -> list[str]:
        [found] = joan.read("events/", **query)
        return [each["id"] for each in found["events"]]

    assert ids() == [morning, friday]
    assert ids(start="2026-03-21", end="2026-03-21") == [friday]
    assert ids(start="2026-03-21T01:00", end="2026-04-16T00:00Z") == [april]
    assert ids(start="2026-03-14T20:00", end="2026-03-15T04:30", timezone="America/Detroit") == [morning]
    for query, field in (
        ({"start": "x"}, "start"),
        ({"start": "2026-13-01"}, "start"),
        ({"start": "2026-03-16", "end": "2026-03-15"}, "end"),
        ({"start": "2026-03-16", "end": "2027-03-18"}, "end"),
        ({"timezone": "x"}, "timezone"),
    ):
        answer = joan.get("events/", **query)
        assert (answer.status, list(answer.document)) == (400, [field])


def test_more_events_than_one_answer_holds_are_asked_for_in_parts(joan: JoanClient, glass, monkeypatch):
    monkeypatch.setattr(queries, "MAX_LISTED", 2)
    for day in ("15", "16", "17"):
        joan.book(glass["email"], f"2026-03-{day}T14:00", f"2026-03-{day}T15:00")
    message = "There are more than 2 bookings in this time; ask for less of it."
    answer = joan.get("events/")
    assert (answer.status, answer.document) == (400, {"detail": message})
    [found] = joan.read("events/", end="2026-03-16")
    assert len(found["events"]) == 2


def test_a_room_that_is_not_active_is_in_no_schedule(world: World, joan: JoanClient, glass):
    world.operator.put(f"/rooms/{glass['id']}", {"active": False})
    assert joan.read("events/") == []
    assert joan.read("rooms/")["count"] == 1


def test_free_rooms_are_those_that_can_be_booked_for_all_of_the_time(world: World, joan: JoanClient, glass):
    dublin_room(world, "Closed", rules={"opens": "12:00"})
    dublin_room(world, "Fuzboll Room")
    booking(world, glass["id"], start=0, hours=1)

    def free(**sent: Any) -> list[str]:
        answer = joan.post("get_room/", sent)
        assert answer.status == 200, answer
        assert answer.document["count"] == len(answer.document["results"])
        return [each["name"] for each in answer.document["results"]]

    assert free() == ["Closed", "Fuzboll Room"]
    assert free(eventStart="2026-03-15T13:00", duration=60) == ["Glass Room", "Closed", "Fuzboll Room"]
    assert free(eventStart="2026-03-15T11:00", duration="60") == ["Glass Room", "Fuzboll Room"]
    assert free(eventStart="2026-03-15T11:30", duration=31) == ["Fuzboll Room"]
    assert free(eventStart="2026-03-15T08:00", duration=60, timezone="America/Detroit") == ["Closed", "Fuzboll Room"]
    assert joan.post("get_room/", {"duration": 0}).status == 400
    page = joan.post("get_room/?limit=1", {}).document
    assert (page["count"], len(page["results"]), page["next"][-17:]) == (2, 1, "?limit=1&offset=1")


# ---- invitations -----------------------------------------------------------------------------------------------------


@pytest.fixture
def invitation(world: World, joan: JoanClient, glass) -> Any:
    event = joan.book(glass["email"], title="Stand-up & <tea>")
    sent = of(event, glass, event_name="Stand-up", room_name="Glass Room", email="Ben@museum.example")
    answer = joan.post("events/invite/", sent)
    assert answer.status == 200, answer
    again = joan.post("events/invite/", {**sent, "email": "ben@museum.example"})
    assert again.document == answer.document
    return answer.document


def path_of(address: str) -> str:
    return address.removeprefix(API_URL)


def test_who_is_invited_says_yes_or_no_by_a_link_that_needs_no_token(world: World, joan: JoanClient, invitation):
    def statuses() -> list[str]:
        [event] = joan.read("events/")[0]["events"]
        return [each["responseStatus"] for each in event["attendees"]]

    assert statuses() == ["needsAction"]
    assert world.nobody.call("HEAD", path_of(invitation["confirm"])).status == 200
    assert statuses() == ["needsAction"]  # who only looks has said nothing
    answer = world.nobody.get(path_of(invitation["confirm"]))
    assert (answer.status, answer.document["status"], answer.document["event_name"]) == (
        200,
        "accepted",
        "Stand-up & <tea>",
    )
    assert statuses() == ["accepted"]
    page = world.nobody.get(path_of(invitation["reject"]), headers={"accept": "text/html,*/*"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "You have declined" in page.content.decode() and "&lt;tea&gt;" in page.content.decode()
    assert statuses() == ["declined"]
    assert joan.read(f"events/invite/{invitation['id']}/")["status"] == "accepted"


def test_a_link_that_was_made_up_or_is_of_an_event_that_is_off_opens_nothing(world, joan, glass, invitation):
    link = invitation["id"]
    version, account, event, mark, signature = link.split(".")
    for made_up in (
        link[:-1] + ("A" if link[-1] != "A" else "B"),
        ".".join((version, account, event, "0" * 16, signature)),
        ".".join(("2", account, event, mark, signature)),
        ".".join((version, "UOther", event, mark, signature)),
        "x",
        "é",
    ):
        assert world.nobody.get(f"{V1}/events/invite/{made_up}/").status == 404
    joan.post("events/cancel/", {"event_id": event, "room_id": glass["email"], "timezone": "UTC"})
    answer = world.nobody.get(path_of(invitation["confirm"]))
    assert (answer.status, answer.document) == (409, {"detail": "This event does not take place."})


# ---- addresses -------------------------------------------------------------------------------------------------------


def test_every_address_is_there_with_and_without_its_slash_and_others_are_not(world: World, joan: JoanClient, glass):
    for path in ("me", "users", "rooms", f"rooms/{glass['joanId']}", "events", "devices"):
        assert joan.read(path) == joan.read(f"{path}/")
    addresses = joan.read("")
    assert addresses["rooms"] == f"{API_URL}{V1}/rooms/"
    assert Client(world, f"Bearer {joan.token}").get(V1).document == addresses
    assert joan.get("nothing/").document == {"detail": "Not found."}
    assert world.nobody.get("/api/v2/x").document == {"detail": "Not found."}
    answer = joan.call("PUT", "rooms/", {})
    assert (answer.status, answer.document) == (405, {"detail": 'Method "PUT" not allowed.'})
    assert answer.headers["allow"] == "GET, POST"


def test_rooms_of_another_account_are_not_there(world: World, joan: JoanClient):
    foreign = world.stranger.made("/rooms", {"name": "Foreign"})
    assert joan.read("rooms/")["results"] == []
    assert joan.get(f"rooms/{foreign['joanId']}/").status == 404
    answer = joan.post(
        "events/book/", {"source": foreign["email"], "start": "2026-03-16T09:00", "end": "2026-03-16T10:00"}
    )
    assert (answer.status, list(answer.document)) == (400, ["source"])


def test_every_change_is_one_event_of_the_room(world: World, joan: JoanClient, glass):
    event = joan.book(glass["email"], "2026-03-15T12:00Z", "2026-03-15T13:00Z")
    world.clock.now += 2 * SECOND
    assert joan.book(glass["email"], "2026-03-15T12:00Z", "2026-03-15T13:00Z") == event
    joan.post("events/extend/", of(event, glass, extend_until="2026-03-15T14:00Z"))
    joan.post("events/checkin/", of(event, glass, lifetime=1))
    joan.post("events/cancel/", of(event, glass, finish=True))
    told = [row["type"] for row in world.recorded() if row["type"].startswith("_Room")]
    assert sorted(told) == ["_RoomBooked", "_RoomChanged", "_RoomCheckedIn", "_RoomFinished"]


# ---- as AWS hands requests over --------------------------------------------------------------------------------------


def test_a_day_of_a_client_as_the_gateway_hands_it_over(world: World, joan: JoanClient, glass):
    made = world.answered("roomsetup/create-joan-client").document
    credentials = basic(made["clientId"], made["clientSecret"])["authorization"].removeprefix("Basic ")
    token = world.answered("joan/token", JOAN_BASIC=credentials).document["access_token"]
    known = {"JOAN_TOKEN": token, "ROOM": glass["email"], "EVENT_ROOM": glass["email"]}
    assert world.answered("joan/list-rooms", **known).document["count"] == 1
    assert world.answered("joan/find-a-room", **known).document["count"] == 1
    booked = world.answered("joan/book", **known)
    event = booked.document
    assert (booked.status, event["start"]) == (201, "2026-03-16T09:00:00+00:00")
    extended = world.answered("joan/extend", EVENT=event["id"], **known).document
    assert extended["end"] == "2026-03-16T10:30:00+00:00"
    invited = world.answered("joan/invite", EVENT=event["id"], **known).document
    page = world.answered("joan/confirm-invitation", INVITATION=invited["id"])
    assert (page.status, b"You have accepted" in page.content) == (200, True)
    [schedule] = world.answered("joan/list-events", **known).document
    assert [each["id"] for each in schedule["events"]] == [event["id"]]
    assert world.answered("joan/cancel", EVENT=event["id"], **known).document["status"] == "cancelled"
