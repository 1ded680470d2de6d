"""RoomVox's API: its tokens, rooms, bookings, in the words of its document. It is Sunday 15 March 2026, noon of UTC."""

import json

import pytest

from tests.functions.rooms import booking
from tests.functions.roomvox import BOOKINGS, ROOM, V1, glass_room, token, vox, walk_in
from tests.functions.world import DAY, HOUR, Client, World

SCOPES = {"read": 1, "book": 2, "admin": 3}


@pytest.fixture(autouse=True)
def made(world: World):
    return glass_room(world, equipment={"wifi": True, "projector": False})


@pytest.mark.parametrize("sent", [None, "", "rvx_abc", "Basic rvx_abc", "Bearer"])
def test_who_shows_no_token_is_told_so(world: World, sent):
    answer = Client(world, sent).get(f"{V1}/rooms")
    assert (answer.status, answer.document) == (401, {"error": "Missing or invalid Authorization header"})
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_that_opens_nothing_is_told_so_and_a_revoked_one_opens_nothing_at_once(world: World, operator: Client):
    made = operator.made(
        "/rooms/credentials/roomvox", {"name": "x", "scope": "read", "expiresAt": world.clock() + HOUR}
    )
    client = Client(world, f"bearer {made['token']}")
    assert client.get(f"{V1}/rooms").status == 200
    operator.delete(f"/rooms/credentials/roomvox/{made['id']}")
    expired = vox(world, "read", expiresAt=world.clock() + HOUR)
    world.clock.now += 2 * HOUR
    for each in (client, expired, Client(world, "Bearer rvx_" + "a" * 40), Client(world, "Bearer " + "a" * 80)):
        answer = each.get(f"{V1}/rooms")
        assert (answer.status, answer.document) == (401, {"error": "Invalid or expired API token"})


@pytest.mark.parametrize("scope", SCOPES)
def test_scopes_hold_one_another(world: World, scope):
    client = vox(world, scope)
    uid = vox(world).made(BOOKINGS, walk_in())["uid"]
    calls = [
        ("read", "GET", f"{V1}/rooms"),
        ("read", "GET", ROOM),
        ("read", "GET", f"{ROOM}/status"),
        ("read", "GET", f"{ROOM}/availability"),
        ("read", "GET", BOOKINGS),
        ("read", "GET", f"{ROOM}/calendar.ics"),
        ("book", "POST", BOOKINGS),
        ("book", "DELETE", f"{BOOKINGS}/{uid}"),
        ("admin", "GET", f"{V1}/statistics"),
    ]
    for needed, method, path in calls:
        sent = [walk_in("2026-03-17T11:00:00Z", "2026-03-17T12:00:00Z")] if method == "POST" else []
        answer = client.call(method, path, *sent)
        if SCOPES[needed] <= SCOPES[scope]:
            assert answer.status in (200, 201), answer
        else:
            assert answer.status == 403
            assert answer.document == {"error": f"Insufficient permissions. Required scope: {needed}"}


def test_a_token_for_some_rooms_sees_and_books_those_alone(world: World, made):
    other = glass_room(world, slug="other")
    client = vox(world, "admin", rooms=[other["id"]])
    assert [each["id"] for each in client.read(f"{V1}/rooms")] == ["other"]
    for path in (ROOM, f"{ROOM}/status", f"{ROOM}/calendar.ics", f"{V1}/statistics?room=glass-room"):
        answer = client.get(path)
        assert (answer.status, answer.document) == (403, {"error": "Token does not have access to this room"})
    assert client.post(BOOKINGS, walk_in()).status == 403
    theirs = booking(world, made["id"])["id"]
    answer = client.delete(f"{V1}/rooms/other/bookings/{theirs}")
    assert (answer.status, answer.document) == (404, {"error": "Booking not found"})
    assert [each["roomId"] for each in client.read(f"{V1}/statistics")["utilization"]] == ["other"]
    answer = client.get(f"{V1}/rooms/nowhere")
    assert (answer.status, answer.document) == (404, {"error": "Room not found"})


def test_the_log_says_which_token_asked_for_what_and_never_the_token(world: World, capfd):
    secret = token(world, "read")
    Client(world, f"Bearer {secret}").get(f"{ROOM}/status")
    out, err = capfd.readouterr()
    (said,) = (json.loads(each) for each in err.splitlines())
    assert (said["token"], said["method"], said["path"]) == (secret[:8], "GET", f"{ROOM}/status")
    assert secret not in out + err


def test_a_room_is_shown_with_everything_that_displays_know(world: World, made):
    address = {"building": "Harbour Museum", "street": "1 Pier Road", "postalCode": "D01 X2Y3", "city": "Dublin"}
    world.operator.put(f"/rooms/{made['id']}", {"address": address, "type": "studio", "number": "0.12", "capacity": 4})
    assert vox(world, "read").read(ROOM) == {
        "id": "glass-room",
        "name": "Glass Room",
        "email": made["email"],
        "capacity": 4,
        "roomNumber": "0.12",
        "roomType": "studio",
        "facilities": ["wifi"],
        "description": "",
        "location": "Harbour Museum, 1 Pier Road, D01 X2Y3 Dublin",
        "autoAccept": True,
        "active": True,
        "timezone": "Europe/Berlin",
    }


def test_a_room_without_an_address_is_where_its_structures_are(world: World, operator: Client, made):
    city = operator.made("/rooms/structures", {"name": "Dublin", "level": "city"})["id"]
    floor = operator.made("/rooms/structures", {"name": "Ground floor", "level": "floor", "parent": city})["id"]
    operator.put(f"/rooms/{made['id']}", {"structure": floor})
    assert vox(world, "read").read(ROOM)["location"] == "Ground floor, Dublin"


def test_rooms_are_filtered_and_paged(world: World):
    world.clock.now += 1
    glass_room(world, slug="big", capacity=20, type="board")
    world.clock.now += 1
    glass_room(world, slug="off", active=False)
    client = vox(world, "read")

    def found(query: str) -> list[str]:
        return [each["id"] for each in client.read(f"{V1}/rooms?{query}")]

    assert found("") == ["glass-room", "big", "off"]
    assert found("active=true") == ["glass-room", "big"]
    assert found("active=false") == ["off"]
    assert found("type=board") == found("capacity_min=10") == ["big"]
    assert found("limit=1&offset=1") == ["big"]
    assert client.get(f"{V1}/rooms?limit=1").headers["x-result-count"] == "3"
    assert client.get(f"{V1}/rooms?active=maybe").document == {"error": "active must be true or false, not 'maybe'"}
    assert client.get(f"{V1}/rooms?limit=many").document == {"error": "limit must be a number, not 'many'"}


def test_every_spelling_of_the_address_answers_the_same(world: World):
    client = vox(world, "read")
    first = client.read(f"{V1}/rooms")
    for base in ("/index.php/apps/roomvox/api/v1", "/api/v1"):
        assert client.read(f"{base}/rooms") == first
        assert client.read(f"{base}/rooms/glass-room/") == first[0]
    answer = client.get("/api/v1/nothing")
    assert answer.status == 404 and set(answer.document) == {"error"}
    assert client.call("PATCH", f"{V1}/rooms").status == 405


@pytest.mark.parametrize("seed", [True, False])
def test_both_spellings_of_a_booking_are_read_and_both_are_answered(world: World, seed):
    product = {
        "title": "Quick sync",
        "start": walk_in()["start"],
        "end": walk_in()["end"],
        "organizer": "walkin@example.com",
    }
    made = vox(world).made(BOOKINGS, walk_in() if seed else product)
    uid = made.pop("uid")
    assert made == {
        "title": "Quick sync",
        "summary": "Quick sync",
        "start": "2026-03-16T11:00:00+01:00",
        "end": "2026-03-16T11:30:00+01:00",
        "organizer": "walkin@example.com",
        "organizerEmail": "walkin@example.com",
        "description": "",
        "status": "accepted",
        "room": {"id": "glass-room", "name": "Glass Room"},
    }
    assert [each["uid"] for each in vox(world).read(BOOKINGS)] == [uid]


def test_a_time_without_an_offset_is_by_the_clocks_of_the_room(world: World):
    made = vox(world).made(BOOKINGS, walk_in("2026-06-02T11:00:00", "2026-06-02 11:30"))
    assert (made["start"], made["end"]) == ("2026-06-02T11:00:00+02:00", "2026-06-02T11:30:00+02:00")


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        ({}, 400, "title, start, and end are required"),
        (walk_in(summary=" "), 400, "title, start, and end are required"),
        (walk_in(start="tomorrow"), 400, "Invalid date format for start or end"),
        (walk_in(start="2026-13-01T00:00:00Z"), 400, "Invalid date format for start or end"),
        (walk_in(start="0001-01-01T00:00:00+14:00"), 400, "Invalid date format for start or end"),
        (walk_in(end="2026-03-16T11:00:00+01:00"), 400, "End time must be after start time"),
        (walk_in("2026-03-16T21:00:00+01:00", "2026-03-16T22:00:00+01:00"), 422, "Booking is outside available hours"),
        (walk_in("2026-05-16T11:00:00", "2026-05-16T12:00:00"), 422, "Booking exceeds maximum booking horizon"),
        (walk_in("2026-03-16T11:00", "2026-03-16T15:00"), 422, "A booking of this room lasts at most 120 minutes"),
        (walk_in("2026-03-17T11:15:00", "2026-03-17T12:00:00"), 409, "Room is already booked during this time"),
    ],
)  # fmt: skip
def test_a_booking_that_cannot_be_is_refused_in_the_words_of_the_document(world: World, made, sent, status, error):
    client = vox(world)
    client.made(BOOKINGS, walk_in("2026-03-17T11:00:00", "2026-03-17T12:00:00"))
    rules = {"opens": "08:00", "closes": "20:00", "horizonDays": 30, "maxMinutes": 120}
    world.operator.put(f"/rooms/{made['id']}", {"rules": rules})
    before = world.rows()
    answer = client.post(BOOKINGS, sent)
    assert (answer.status, answer.document) == (status, {"error": error})
    assert {key: row for key, row in world.rows().items() if row["k"] != "roomKey"} == {
        key: row for key, row in before.items() if row["k"] != "roomKey"
    }


def test_the_same_request_again_finds_the_room_taken_and_with_a_key_its_own_booking(world: World):
    client, key = vox(world), {"idempotency-key": "k1"}
    first = client.post(BOOKINGS, walk_in(), headers=key)
    assert client.post(BOOKINGS, walk_in(), headers=key).document == first.document
    assert client.post(BOOKINGS, walk_in()).status == 409


def test_where_a_manager_has_to_approve_a_booking_is_pending_and_the_managers_are_named_in_its_event(
    world: World, operator: Client, made
):
    operator.put(f"/rooms/{made['id']}", {"approval": True, "managers": ["keeper@museum.example"]})
    client = vox(world)
    pending = client.made(BOOKINGS, walk_in())
    assert pending["status"] == "pending"
    assert client.post(BOOKINGS, walk_in()).status == 409
    assert client.read(ROOM)["autoAccept"] is False
    world.settle()
    (event,) = operator.read("/actions/_RoomBooked")
    assert event["customFields"]["managers"] == "keeper@museum.example"
    assert event["customFields"]["state"] == "tentative"
    assert b"BEGIN:VEVENT" not in client.get(f"{ROOM}/calendar.ics").content
    operator.post(f"/rooms/{made['id']}/bookings/{pending['uid']}/approve")
    assert [each["status"] for each in client.read(BOOKINGS)] == ["accepted"]
    assert b"BEGIN:VEVENT" in client.get(f"{ROOM}/calendar.ics").content
    world.settle()
    (event,) = operator.read("/actions/_RoomApproved")
    assert "managers" not in event["customFields"]


def test_bookings_are_listed_by_range_and_status(world: World, operator: Client, made):
    client = vox(world)
    for day in (16, 17, 18):
        client.made(BOOKINGS, walk_in(f"2026-03-{day}T11:00:00", f"2026-03-{day}T12:00:00"))
    uid = client.read(BOOKINGS)[0]["uid"]
    assert client.delete(f"{BOOKINGS}/{uid}").document == {"status": "ok"}
    assert client.delete(f"{BOOKINGS}/{uid}").document == {"status": "ok"}

    def found(query: str) -> list[str]:
        return [each["start"][8:10] for each in client.read(f"{BOOKINGS}?{query}")]

    assert found("") == found("status=accepted") == ["17", "18"]
    assert found("status=cancelled") == ["16"]
    assert found("status=pending") == found("status=declined") == []
    assert found("from=2026-03-18T00:00:00Z&to=2026-03-19T00:00:00Z") == ["18"]
    assert found("from=2026-03-17T11:00:00+01:00&to=2026-03-17T12:00:00+01:00") == ["17"], "the + is a space in a query"
    assert found("to=2026-03-18") == ["17"]
    assert found("limit=1") == ["17"] and found("offset=1") == ["18"]
    assert client.get(f"{BOOKINGS}?status=perhaps").status == 400


@pytest.mark.parametrize("path", [BOOKINGS, f"{ROOM}/availability", f"{ROOM}/calendar.ics"])
@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("from=2026-01-01&to=2027-01-01", None),
        ("from=2026-03-28T12:00:00Z&to=2027-03-28T12:00:00Z", None),
        ("from=2026-01-01&to=2027-01-01T00:00:01", "Date range must not exceed 365 days"),
        ("from=2026-01-01&to=2026-01-01", '"from" must be before "to"'),
        ("from=yesterday&to=2026-01-01", 'Invalid "from" date format'),
        ("from=2026-01-01&to=2026-02-30", 'Invalid "to" date format'),
    ],
)
def test_a_range_has_365_days_at_most(world: World, path, query, error):
    answer = vox(world, "read").get(f"{path}?{query}")
    if error is None:
        assert answer.status == 200
    else:
        assert (answer.status, answer.document) == (400, {"error": error})


def test_the_status_says_what_is_now_until_when_and_what_comes_next(world: World, made):
    client = vox(world)
    later = client.made(BOOKINGS, walk_in("2026-03-15T14:00:00+01:00", "2026-03-15T15:30:00+01:00"))
    status = client.read(f"{ROOM}/status")
    assert (status["id"], status["name"], status["status"]) == ("glass-room", "Glass Room", "available")
    assert status["nextBooking"] == later
    assert status["freeUntil"] == status["until"] == "2026-03-15T14:00:00+01:00"
    assert status["currentBooking"] is None
    world.clock.now += 90 * 60_000 + 1
    status = client.read(f"{ROOM}/status")
    assert status["status"] == "reserved"
    assert status["currentBooking"] == {**later, "minutesRemaining": 60}
    assert status["until"] == later["end"] and status["freeUntil"] is None and status["nextBooking"] is None
    assert status["todayBookings"] == [later]
    world.operator.put(f"/rooms/{made['id']}", {"active": False})
    assert client.read(f"{ROOM}/status")["status"] == "unavailable"
    world.operator.put(f"/rooms/{made['id']}", {"active": True, "rules": {"opens": "08:00", "closes": "18:00"}})
    world.clock.now += 6 * HOUR
    assert client.read(f"{ROOM}/status")["status"] == "unavailable"


def test_availability_fills_the_open_hours_of_a_day(world: World, made):
    client = vox(world)
    rules = {"opens": "08:00", "closes": "18:00", "days": ["mon", "tue"]}
    world.operator.put(f"/rooms/{made['id']}", {"rules": rules})
    client.made(BOOKINGS, walk_in("2026-03-16T09:00:00", "2026-03-16T09:30:00"))
    answer = client.read(f"{ROOM}/availability?date=2026-03-16")
    assert answer["room"] == {"id": "glass-room", "name": "Glass Room"}
    assert answer["availabilityRules"] == {"start": "08:00", "end": "18:00", "days": ["mon", "tue"]}
    assert [(each["start"], each["end"], each["status"], each.get("title")) for each in answer["slots"]] == [
        ("08:00", "09:00", "free", None),
        ("09:00", "09:30", "busy", "Quick sync"),
        ("09:30", "18:00", "free", None),
    ]
    assert answer["slots"][1]["startsAt"] == "2026-03-16T09:00:00+01:00"
    assert client.read(f"{ROOM}/availability?date=2026-03-18")["slots"] == []
    week = client.read(f"{ROOM}/availability?from=2026-03-16T10:00:00&to=2026-03-20")
    assert [(each["date"], each["start"], each["end"]) for each in week["slots"]] == [
        ("2026-03-16", "10:00", "18:00"),
        ("2026-03-17", "08:00", "18:00"),
    ]
    assert client.get(f"{ROOM}/availability?date=16.03.2026").document == {"error": "Invalid date format"}


def test_a_whole_day_ends_at_24(world: World):
    (slot,) = vox(world, "read").read(f"{ROOM}/availability")["slots"]
    assert (slot["date"], slot["start"], slot["end"]) == ("2026-03-15", "00:00", "24:00")


def test_one_of_a_series_is_cancelled_by_its_recurrence_id(world: World):
    client = vox(world)
    made = client.made(BOOKINGS, walk_in("2026-03-16T10:00:00", "2026-03-16T11:00:00", rrule="FREQ=WEEKLY;COUNT=3"))
    assert made["rrule"] == "FREQ=WEEKLY;COUNT=3"
    listed = client.read(BOOKINGS)
    assert {each["uid"] for each in listed} == {made["uid"]}
    assert [each["recurrenceId"] for each in listed] == [
        "2026-03-16T10:00:00+01:00", "2026-03-23T10:00:00+01:00", "2026-03-30T10:00:00+02:00",
    ]  # fmt: skip
    answer = world.answered("roomvox/cancel-one-of-a-series", BOOKING=made["uid"], ROOMVOX_TOKEN=client.key[7:])
    assert (answer.status, answer.document) == (200, {"status": "ok"})
    assert [each["start"][:10] for each in client.read(BOOKINGS)] == ["2026-03-16", "2026-03-30"]
    for wrong, status in (("2026-03-24T10:00:00", 404), ("soon", 400)):
        assert client.delete(f"{BOOKINGS}/{made['uid']}?recurrenceId={wrong}").status == status
    assert client.delete(f"{BOOKINGS}/{made['uid']}").status == 200
    assert client.read(BOOKINGS) == []


def test_a_recurrence_id_of_what_does_not_recur_is_ignored(world: World, capsys):
    client = vox(world)
    uid = client.made(BOOKINGS, walk_in())["uid"]
    assert client.delete(f"{BOOKINGS}/{uid}?recurrenceId=20260316T100000Z").document == {"status": "ok"}
    assert "does not recur" in capsys.readouterr().err
    assert client.read(BOOKINGS) == []


@pytest.mark.parametrize("uid", ["nothing", "U" * 24, "U" * 24 + "_20260316T100000Z", "%00", "a%2Fb", "x" * 3000])
def test_a_booking_that_there_is_not_is_not_found(world: World, uid):
    answer = vox(world).delete(f"{BOOKINGS}/{uid}")
    assert (answer.status, answer.document) == (404, {"error": "Booking not found"})


def test_statistics_count_bookings_and_hours(world: World, operator: Client, made):
    client = vox(world)
    rules = {"opens": "08:00", "closes": "18:00"}
    operator.put(f"/rooms/{made['id']}", {"rules": rules, "type": "studio"})
    client.made(BOOKINGS, walk_in("2026-03-16T09:00:00", "2026-03-16T11:00:00"))
    client.made(BOOKINGS, walk_in("2026-03-20T09:00:00", "2026-03-20T10:00:00"))
    gone = client.made(BOOKINGS, walk_in("2026-03-17T09:00:00", "2026-03-17T10:00:00"))["uid"]
    client.delete(f"{BOOKINGS}/{gone}")
    operator.put(f"/rooms/{made['id']}", {"approval": True})
    client.made(BOOKINGS, walk_in("2026-03-17T09:00:00", "2026-03-17T10:00:00"))
    answer = vox(world, "admin").read(f"{V1}/statistics?from=2026-03-16&to=2026-03-17")
    assert answer == {
        "period": {"from": "2026-03-16", "to": "2026-03-17"},
        "rooms": {"total": 1, "active": 1, "byType": {"studio": 1}},
        "bookings": {"total": 3, "accepted": 1, "declined": 0, "pending": 1, "cancelled": 1},
        "utilization": [
            {
                "roomId": "glass-room",
                "roomName": "Glass Room",
                "totalHoursBooked": 2.0,
                "totalHoursAvailable": 20.0,
                "utilizationPercent": 10.0,
                "bookingCount": 1,
            }
        ],
    }
    period = vox(world, "admin").read(f"{V1}/statistics?room=glass-room")["period"]
    assert period == {"from": "2026-02-13", "to": "2026-03-15"}
    for query, error in (
        ("from=2025-01-01&to=2026-03-01", "Date range must not exceed 365 days"),
        ("from=x", 'Invalid "from" date format'),
        ("from=2026-03-02&to=2026-03-01", '"from" must be before "to"'),
    ):
        answer = vox(world, "admin").get(f"{V1}/statistics?{query}")
        assert (answer.status, answer.document) == (400, {"error": error})


def test_the_stories_of_a_display(world: World, made):
    key = world.answered("roomsetup/create-kiosk-token").document["token"]
    booked = world.answered("roomvox/walk-in", ROOMVOX_TOKEN=key)
    assert booked.status == 201
    status = world.answered("roomvox/read-status", ROOMVOX_TOKEN=key).document
    assert status["status"] == "reserved" and status["currentBooking"]["uid"] == booked.document["uid"]
    feed = world.answered("roomvox/read-feed", ROOMVOX_TOKEN=key)
    assert feed.headers["content-type"] == "text/calendar; charset=utf-8"
    assert f"UID:{booked.document['uid']}".encode() in feed.content


def test_what_another_api_books_is_there_at_once(world: World, made):
    client = vox(world)
    theirs = booking(world, made["id"], 1, title="Stand-up", organizer={"name": "Ann", "email": "ann@museum.example"})
    (listed,) = client.read(BOOKINGS)
    assert (listed["uid"], listed["title"], listed["organizer"]) == (theirs["id"], "Stand-up", "ann@museum.example")
    assert client.post(BOOKINGS, walk_in("2026-03-15T15:00:00+01:00", "2026-03-15T16:00:00+01:00")).status == 201
    taken = {"start": world.clock() + 2 * HOUR, "end": world.clock() + 2 * HOUR + DAY}
    assert world.operator.post(f"/rooms/{made['id']}/bookings", taken).document["code"] == "taken"
