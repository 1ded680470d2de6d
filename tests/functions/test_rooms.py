"""Rooms and their bookings, through the operators' API."""

from typing import Any

import pytest

from fingerpost import work
from fingerpost.rooms import queries, removal, setup
from tests.functions.lists import next_page
from tests.functions.people import colleague, operator_role
from tests.functions.rooms import booking, room
from tests.functions.world import API_URL, DAY, DOMAIN, HOUR, SUNDAY_NOON, Client, World

MONDAY_NINE = SUNDAY_NOON + 21 * HOUR


def test_a_room_is_made_with_a_thng_and_a_redirection(world: World, operator: Client):
    answer = world.answered("rooms/create-room", PROJECT=world.project)
    made = answer.document
    assert (answer.status, answer.location) == (201, f"{API_URL}/rooms/{made['id']}")
    assert (made["slug"], made["email"], made["capacity"]) == ("glass-room", f"glass-room@rooms.{DOMAIN}", 6)
    assert made["checkIn"] == {"opensBefore": 10, "grace": 15}
    assert made["equipment"] == {"wifi": True, "projector": False, "display": None}
    assert made["shortUrl"] == f"https://{DOMAIN}/{made['shortId']}"
    assert operator.read(f"/thngs/{made['id']}")["name"] == "Glass Room"
    link = operator.read(f"/redirections/{made['shortId']}", on_short=True)
    assert link["evrythngId"] == made["id"]
    assert world.scan(made["shortId"]).location == f"{API_URL}/door/{made['id']}"
    assert operator.get(f"/redirections/{made['shortId']}.qr", on_short=True).status == 200
    assert operator.read(f"/rooms/{made['id']}") == made
    assert operator.read("/rooms") == [made]


def test_a_thng_becomes_a_room_with_the_redirection_that_it_has(world: World, operator: Client):
    thng = world.thng()
    short_id = operator.link(thng["id"])["shortId"]
    made = world.answered("rooms/make-thng-a-room", THNG=thng["id"]).document
    assert (made["id"], made["name"], made["shortId"]) == (thng["id"], thng["name"], short_id)
    assert "is a room already" in world.answered("rooms/make-thng-a-room", THNG=thng["id"]).error
    assert operator.delete(f"/thngs/{thng['id']}").status == 409
    assert operator.delete(f"/rooms/{thng['id']}").status == 200
    assert operator.get(f"/rooms/{thng['id']}").status == 404
    assert operator.delete(f"/thngs/{thng['id']}").status == 200


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x", "slug": "Not a slug"}, "slug"),
        ({"name": "x", "email": "nowhere"}, "email"),
        ({"name": "x", "capacity": -1}, "capacity"),
        ({"name": "x", "timezone": "Europe/Dubln"}, "timezone"),
        ({"name": "x", "structure": "U" * 24}, "structure"),
        ({"name": "x", "equipment": {"sauna": True}}, "equipment"),
        ({"name": "x", "customEquipment": {"U" * 24: True}}, "customEquipment"),
        ({"name": "x", "auth": {"doorSettings": True}}, "auth"),
        ({"name": "x", "rules": {"opens": "20:00", "closes": "08:00"}}, "rules"),
        ({"name": "x", "rules": {"opens": "25:00"}}, "rules.opens"),
        ({"name": "x", "rules": {"days": ["funday"]}}, "rules.days"),
        ({"name": "x", "rules": {"minMinutes": 60, "maxMinutes": 30}}, "rules"),
        ({"name": "x", "checkIn": {"grace": 0}}, "checkIn.grace"),
        ({"name": "x", "managers": ["nobody"]}, "managers"),
        ({"name": "x", "shortId": "no/good"}, "shortId"),
    ],
)
def test_a_room_that_cannot_be_is_refused_and_the_finding_names_the_field(world: World, operator, sent, field):
    answer = operator.post("/rooms", sent)
    assert answer.status == 400
    assert field in answer.error
    assert operator.read("/rooms") == operator.read("/thngs") == operator.read("/redirections") == []


def test_a_name_that_another_room_has_is_refused_and_nothing_is_left_of_the_new_one(world: World, operator: Client):
    first = room(world, slug="harbour", email="harbour@museum.example")
    for sent, field in (({"slug": "harbour"}, "slug"), ({"email": "Harbour@museum.example"}, "email")):
        answer = operator.post("/rooms", {"name": "Other", "shortId": "OTHER", **sent})
        assert answer.status == 409
        assert answer.document["details"][0]["field"] == field
    assert operator.post("/rooms", {"name": "Other", "shortId": first["shortId"]}).status == 409
    assert len(operator.read("/thngs")) == len(operator.read("/rooms")) == 1
    assert operator.post("/rooms", {"name": "Other", "shortId": "OTHER"}).status == 201


def test_a_repeated_request_makes_one_room(world: World, operator: Client):
    made = [operator.post("/rooms", {"name": "x"}, headers={"idempotency-key": "1"}).document for _ in range(2)]
    assert made[0] == made[1]
    assert len(operator.read("/rooms")) == 1


def test_a_change_is_for_the_version_that_was_read(world: World, operator: Client):
    made = room(world, equipment={"wifi": True}, capacity=4)
    path = f"/rooms/{made['id']}"
    tag = operator.get(path).headers["etag"]
    world.clock.now += 1_000
    answer = operator.put(path, {"name": "Quay Room", "rules": {"opens": "09:00"}}, headers={"if-match": tag})
    assert answer.status == 200
    changed = answer.document
    assert (changed["name"], changed["capacity"], changed["rules"]) == ("Quay Room", 4, {"opens": "09:00"})
    assert changed["updatedAt"] == SUNDAY_NOON + 1_000
    assert operator.read(f"/thngs/{made['id']}")["name"] == "Quay Room"
    assert operator.put(path, {"capacity": 5}, headers={"if-match": tag}).status == 412
    assert operator.read(path) == changed
    cleared = operator.put(path, {"capacity": None, "timezone": None, "rules": None}).document
    assert ("capacity" in cleared, cleared["timezone"], cleared["rules"]) == (False, "UTC", {})
    assert operator.put(path, {"slug": None}).status == 400


def test_a_thng_that_is_no_room_is_renamed_without_a_task_about_a_room(world: World, operator: Client, monkeypatch):
    asked: list[str] = []
    monkeypatch.setitem(work.TASKS, "alikeRoom", lambda task, _tables, _at: asked.append(task["id"]))
    made, lamps = room(world), [world.thng(name="Lamp")["id"] for _ in range(3)]
    for each in (*lamps, made["id"]):
        assert operator.put(f"/thngs/{each}", {"name": "Lantern"}).status == 200
        assert operator.put(f"/thngs/{each}", {"tags": ["old"]}).status == 200
    assert operator.delete(f"/thngs/{lamps[0]}").status == 200
    world.settle()
    assert asked == [made["id"]]


def test_a_room_renamed_as_a_thng_is_renamed_as_a_room(world: World, operator: Client):
    made = room(world)
    operator.put(f"/thngs/{made['id']}", {"name": "Quay Room", "description": "by the quay"})
    world.settle()
    project = operator.made("/projects", {"name": "Other"})["id"]
    operator.put(f"/thngs/{made['id']}", {"scopes": {"projects": [project]}})
    world.settle()
    assert [each["id"] for each in operator.read("/rooms", project=project)] == [made["id"]]
    assert operator.read("/rooms", project=world.project) == []
    assert operator.read(f"/rooms/{made['id']}")["name"] == "Quay Room"
    assert [each["id"] for each in operator.read("/rooms", filter="name=Quay Room")] == [made["id"]]


def test_rooms_are_seen_and_changed_where_the_role_reaches(world: World, operator: Client):
    ours = room(world)
    project = operator.made("/projects", {"name": "Other"})["id"]
    theirs = room(world, "Other Room", project=project)
    editor = colleague(world, operator_role(world, "project_read", "project_resource_update", projects=(project,)))
    assert [each["id"] for each in editor.client.read("/rooms")] == [theirs["id"]]
    assert editor.client.get(f"/rooms/{ours['id']}/bookings").status == 404
    assert editor.client.put(f"/rooms/{theirs['id']}", {"capacity": 3}).status == 200
    slot = {"start": MONDAY_NINE, "end": MONDAY_NINE + HOUR}
    made = editor.client.made(f"/rooms/{theirs['id']}/bookings", slot)
    answer = editor.client.put(f"/rooms/{theirs['id']}/bookings/{made['id']}", {"room": ours["id"]})
    assert answer.status == 404


# Bookings


def test_a_booking_is_made_read_moved_and_cancelled(world: World, operator: Client):
    made = room(world)
    path = f"/rooms/{made['id']}/bookings"
    sent = {
        "start": "2026-03-16T10:00:00+01:00",
        "end": "2026-03-16T11:00:00+01:00",
        "title": "Hanging",
        "organizer": {"name": "Ann", "email": "ann@museum.example"},
        "attendees": [{"email": "ben@museum.example"}],
    }
    answer = operator.post(path, sent)
    booked = answer.document
    assert (answer.status, answer.location) == (201, f"{API_URL}{path}/{booked['id']}")
    assert (booked["start"], booked["end"], booked["state"]) == (MONDAY_NINE, MONDAY_NINE + HOUR, "confirmed")
    assert booked["organizer"] == sent["organizer"]
    assert booked["attendees"] == [{"name": "", "email": "ben@museum.example", "partstat": "needsAction"}]
    one = f"{path}/{booked['id']}"
    assert operator.read(path) == [booked]
    assert operator.read(one) == booked
    moved = operator.put(one, {"start": MONDAY_NINE + HOUR, "end": MONDAY_NINE + 2 * HOUR}).document
    assert (moved["start"], moved["title"]) == (MONDAY_NINE + HOUR, "Hanging")
    other = room(world, "Other Room")
    assert operator.put(one, {"room": other["id"]}).document["room"] == other["id"]
    assert operator.get(one).status == 404
    elsewhere = f"/rooms/{other['id']}/bookings/{booked['id']}"
    assert operator.delete(elsewhere).status == 200
    assert operator.read(f"/rooms/{other['id']}/bookings") == []
    assert operator.read(elsewhere)["state"] == "cancelled"
    cancelled = operator.read(f"/rooms/{other['id']}/bookings", status="cancelled,declined")
    assert [each["id"] for each in cancelled] == [booked["id"]]


def test_a_room_stays_while_something_is_booked_there(world: World, operator: Client):
    made = room(world)
    one = f"/rooms/{made['id']}"
    over, running, ahead, far = (booking(world, made["id"], start) for start in (-2, 0, 1, 24 * 900))
    series = booking(world, made["id"], -40, rrule="FREQ=DAILY;COUNT=5")
    answer = operator.delete(one)
    assert answer.status == 409 and "are ahead: 6." in answer.error and "cancelBookings" in answer.error
    assert operator.delete(one, cancelBookings="perhaps").status == 400
    assert operator.read(one)["active"] is True
    stale = operator.delete(one, headers={"if-match": '"other"'}, cancelBookings="true")
    assert stale.status == 412 and operator.read(one)["active"] is True
    assert operator.delete(one, cancelBookings="true").status == 200
    assert operator.get(one).status == 404

    world.settle()
    told = operator.read(f"/thngs/{made['id']}/actions/_RoomCancelled")
    cancelled = [each["customFields"]["booking"] for each in told]
    assert {running["id"], ahead["id"], far["id"]} < set(cancelled) and over["id"] not in cancelled
    assert len(cancelled) == len(set(cancelled)) == 6 and sum(each.startswith(series["id"]) for each in cancelled) == 3
    operator.made("/rooms", {"thng": made["id"]})
    booked = operator.read(f"/rooms/{made['id']}/bookings", **{"from": "2026-03-01", "to": "2026-04-01"})
    assert [each["state"] for each in booked] == ["confirmed"] * 3  # what was over


def test_a_room_with_more_bookings_than_one_request_cancels_is_closed_until_it_is_empty(
    world: World, operator: Client, monkeypatch
):
    monkeypatch.setattr(removal, "MAX_CANCELLED", 2)
    made = room(world)
    one = f"/rooms/{made['id']}"
    for start in (1, 2, 3):
        booking(world, made["id"], start)
    assert "2 or more" in operator.delete(one).error
    answer = operator.delete(one, cancelBookings="true")
    assert (answer.status, operator.read(one)["active"]) == (503, False)
    assert len(operator.read(f"{one}/bookings")) == 1
    assert operator.delete(one, cancelBookings="true").status == 200


@pytest.mark.parametrize("query", [{}, {"cancelBookings": "true"}])
def test_what_is_booked_while_a_room_is_removed_is_cancelled(world: World, operator: Client, monkeypatch, query):
    made, late = room(world), []
    remove = setup.delete

    def removed(*args: Any) -> None:
        late.append(booking(world, made["id"], 1))
        remove(*args)

    monkeypatch.setattr(setup, "delete", removed)
    assert operator.delete(f"/rooms/{made['id']}", **query).status == 200
    world.settle()
    told = operator.read(f"/thngs/{made['id']}/actions/_RoomCancelled")
    assert [each["customFields"]["booking"] for each in told] == [each["id"] for each in late]


def test_a_slot_that_is_taken_is_refused_without_a_word_of_whose_it_is(world: World, operator: Client):
    made = room(world)
    booking(world, made["id"], 1, title="Secret talks")
    start = SUNDAY_NOON + HOUR
    answer = operator.post(f"/rooms/{made['id']}/bookings", {"start": start + 1, "end": start + 2})
    assert (answer.status, answer.document["code"]) == (409, "taken")
    assert b"Secret" not in answer.content


def test_more_bookings_than_one_answer_holds_are_asked_for_in_parts(world: World, operator: Client, monkeypatch):
    monkeypatch.setattr(queries, "MAX_LISTED", 2)
    made = room(world)
    path = f"/rooms/{made['id']}/bookings"
    first, second, _ = [booking(world, made["id"], start) for start in (1, 3, 5)]
    refused = operator.get(path)
    assert (refused.status, refused.document["code"]) == (400, "tooLarge")
    assert "more than 2 bookings" in refused.document["errors"][0]
    assert [each["id"] for each in operator.read(path, to=str(second["end"]))] == [first["id"], second["id"]]


def test_a_room_that_needs_approval_waits_for_it(world: World, operator: Client):
    made = room(world, approval=True)
    path = f"/rooms/{made['id']}/bookings"
    first, second = (booking(world, made["id"], start) for start in (1, 3))
    assert first["state"] == "tentative"
    assert operator.post(f"{path}/{first['id']}/approve").document["state"] == "confirmed"
    assert operator.post(f"{path}/{second['id']}/decline").document["state"] == "declined"
    assert operator.post(f"{path}/{second['id']}/approve").status == 422
    assert [each["id"] for each in operator.read(path)] == [first["id"]]


def test_who_has_come_checks_in_and_leaves_early(world: World, operator: Client):
    made = room(world, checkIn={"opensBefore": 10, "grace": 10})
    booked = booking(world, made["id"], 1)
    one = f"/rooms/{made['id']}/bookings/{booked['id']}"
    assert booked["releaseAt"] == SUNDAY_NOON + HOUR + 600_000
    assert operator.post(f"{one}/checkIn").status == 422
    world.clock.now = SUNDAY_NOON + HOUR
    assert operator.post(f"{one}/checkIn").document["checkedInAt"] == world.clock.now
    world.clock.now += 1_200_000
    ended = operator.post(f"{one}/finish").document
    assert (ended["state"], ended["end"]) == ("ended", world.clock.now)


def test_the_rules_of_a_room_refuse_with_their_reason(world: World, operator: Client):
    made = room(world, timezone="Europe/Dublin", rules={"opens": "09:00", "closes": "17:00", "maxMinutes": 120})
    for start, hours in ((1, 3), (20, 1), (9, 1)):
        at = SUNDAY_NOON + start * HOUR
        answer = operator.post(f"/rooms/{made['id']}/bookings", {"start": at, "end": at + hours * HOUR})
        assert (answer.status, answer.document["code"]) == (422, "notAllowed"), start
    assert operator.read(f"/rooms/{made['id']}/bookings") == []


def test_a_series_is_booked_and_one_of_it_cancelled(world: World, operator: Client):
    made = room(world, timezone="Europe/Dublin")["id"]
    whole = world.answered("rooms/book-a-series", ROOM=made).document
    found = world.answered("rooms/list-bookings", ROOM=made).document
    assert [each["start"] for each in found] == [MONDAY_NINE, MONDAY_NINE + 7 * DAY, MONDAY_NINE + 14 * DAY - HOUR]
    assert {each["series"] for each in found} == {whole["id"]}
    second = found[1]["recurrenceId"]
    path = f"/rooms/{made}/bookings"
    assert operator.delete(f"{path}/{whole['id']}", recurrenceId=second).status == 200
    left = world.answered("rooms/list-bookings", ROOM=made).document
    assert [each["id"] for each in left] == [found[0]["id"], found[2]["id"]]
    assert operator.delete(f"{path}/{found[0]['id']}").status == 200
    assert len(world.answered("rooms/list-bookings", ROOM=made).document) == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"from": 2_000_000_000_000, "to": 1}, "to"),
        ({"to": SUNDAY_NOON + 367 * DAY}, "to"),
        ({"status": "confirmed,busy"}, "status"),
    ],
)
def test_an_interval_or_a_state_that_cannot_be_is_refused(world: World, operator, query, field):
    answer = operator.get(f"/rooms/{room(world)['id']}/bookings", **query)
    assert answer.status == 400
    assert answer.document["details"][0]["field"] == field


@pytest.mark.parametrize("sent", [{}, {"start": 5, "end": 5}, {"start": 9, "end": 5}, {"start": "soon", "end": 9}])
def test_a_booking_without_a_time_is_refused(world: World, operator: Client, sent: dict[str, Any]):
    assert operator.post(f"/rooms/{room(world)['id']}/bookings", sent).status == 400


def test_lists_of_rooms_have_pages_and_a_count(world: World, operator: Client):
    made = [room(world, f"Room {number}", capacity=number)["id"] for number in range(5)]
    answer = operator.get("/rooms", perPage=3)
    assert answer.headers["x-result-count"] == "5"
    found = [each["id"] for each in answer.document]
    answer = next_page(operator, answer)
    assert answer is not None
    assert set(found + [each["id"] for each in answer.document]) == set(made)
    assert {each["id"] for each in operator.read("/rooms", filter="capacity>2")} == set(made[3:])
    assert [each["id"] for each in operator.read("/rooms", ids=f"{made[2]},{made[0]}")] == [made[2], made[0]]
