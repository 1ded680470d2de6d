"""The ROOM service: envelopes, sessions and privileges; meetings that reserve their room; public links."""

import itertools
import json
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost import wiring
from fingerpost.errors import Invalid
from fingerpost.rooms.hub.asking import Asked
from fingerpost.rooms.hub.meeting import when_of
from fingerpost.rooms.kinds import HUB_MEETING
from fingerpost.rooms.local_time import zone_of
from tests.functions.hubs import SERVICES, Hub, HubClient, Wires, hub_of
from tests.functions.joan import dublin_room, joan_client
from tests.functions.rooms import booking
from tests.functions.world import API_URL, DAY, HOUR, SECOND, World
from tests.stores import Crash, crashing, dangling_rows, hooked

MINUTE = 60 * SECOND
MONDAY_NINE = 1_773_651_600  # 2026-03-16T09:00:00Z, in seconds
CALLS: dict[str, dict[str, Any]] = {
    "book": {},
    "get_meeting_members": {"nid": "x"},
    "public_link": {"nid": "x"},
    "shutdown": {"room_id": "x"},
    "remove": {"nid": "x"},
    "update": {"flag": "all", "nid": "x"},
    "invite": {"room_id": "x", "guest": {"uid": "u"}, "room_type": "meeting"},
    "get": {"device_id": "d", "socket_id": "s", "room_type": "meeting"},
    "get_screen": {"parent_id": "x", "parent_type": "meeting", "socket_id": "s", "device_id": "d"},
    "join": {"id": "x", "socket_id": "s", "device_id": "d", "room_type": "meeting"},
    "leave": {"socket_id": "s", "room_id": "x", "hub_id": ""},
    "request_screen_access": {},
    "users": {},
    "list": {},
    "check_availability": {"stime": 1, "etime": 2},
}
REMAINING = "x-ratelimit-remaining"
ADMIN = ("book", "get_meeting_members", "public_link", "shutdown", "remove", "update")


@pytest.fixture
def glass(world: World) -> Any:
    return dublin_room(world)


@pytest.fixture
def hub(world: World, glass: Any) -> Hub:
    return hub_of(world, glass)


def booked(hub: Hub, **sent: Any) -> Any:
    return hub.admin.said("book", **{"title": "Stand-up", "date": "2026-03-16T09:00", **sent})


def in_room(hub: Hub) -> list[Any]:
    at = MONDAY_NINE * 1_000
    query = {"from": at - DAY, "to": at + 30 * DAY}
    found: list[Any] = hub.world.operator.read(f"/rooms/{hub.room['id']}/bookings", **query)
    return found


# ---- envelopes, sessions, privileges ---------------------------------------------------------------------------------


def test_an_answer_comes_in_its_envelope(world: World, hub: Hub):
    answer = hub.reader.ask("users")
    assert answer.document == {
        "__ack__": "room.users",
        "__status__": "ok",
        "__expiry__": 0,
        "__timestamp__": world.clock(),
        "data": [],
    }


@pytest.mark.parametrize(
    "path", ["/-/svc/room.users", "/-/en/svc/room.users", "/-/a/b/svc/room.users", "/-/api/room.users"]
)
def test_whatever_stands_before_the_service_is_the_clients_own_business(hub: Hub, path):
    assert hub.world.nobody.get(path, headers=hub.reader.headers).document["__ack__"] == "room.users"


def test_parameters_come_as_json_as_a_query_or_as_one_object_that_is_the_query(hub: Hub):
    sent = {"device_id": "d", "socket_id": "s", "room_type": "meeting"}
    by_body = hub.reader.said("get", **sent)
    as_object = hub.reader.by_query("get", **sent).document["data"]
    by_names = hub.world.nobody.get(f"{SERVICES}get", headers=hub.reader.headers, **sent).document["data"]
    assert by_body == as_object == by_names


def test_a_nested_value_in_a_query_is_json(hub: Hub):
    people = json.dumps([{"email": "x@y.example", "name": "X"}])
    path = f"{SERVICES}book?title=T&date=2026-03-16T09:00&attendees={quote(people)}"
    node = hub.world.nobody.get(path, headers=hub.admin.headers).document["data"]
    assert [each["email"] for each in node["metadata"]["content"]["attendees"]] == ["x@y.example"]


def test_the_cookie_is_a_session_as_well_as_the_headers(hub: Hub):
    headers = {"cookie": f"a=b; regsid={hub.reader.key}"}
    assert hub.world.nobody.get(f"{SERVICES}users", headers=headers).status == 200


@pytest.mark.parametrize("service", CALLS)
def test_each_service_takes_the_privilege_of_the_document(hub: Hub, service):
    level = 2 if service in ADMIN else 1 if service == "invite" else 0
    for rank, client in enumerate((hub.reader, hub.writer, hub.admin)):
        sent = CALLS[service] | ({"hub_id": hub.id} if "hub_id" in CALLS[service] else {})
        answer = client.ask(service, **sent)
        denied = answer.status == 403
        assert denied == (rank < level), answer
        if denied:
            assert answer.document["error"] == f"room.{service}: PERMISSION_DENIED"


@pytest.mark.parametrize("service", CALLS)
def test_without_a_key_and_with_one_that_opens_nothing_there_is_no_service_but_the_public_ones(hub: Hub, service):
    for key in (None, "x" * 40, "guest.1.abc.def", "guest.", "guest.9.a.b", "é"):
        client = HubClient(hub.world, hub.id, key)
        assert client.refused(service, **CALLS[service]) == (403, f"room.{service}: PERMISSION_DENIED")


@pytest.mark.parametrize(
    ("service", "name"),
    [("get_meeting_members", "nid"), ("get", "socket_id"), ("join", "id"), ("leave", "hub_id"), ("update", "flag")],
)
def test_what_is_mandatory_is_named_as_in_the_product(hub: Hub, service, name):
    sent = {key: value for key, value in CALLS[service].items() if key != name}
    assert hub.admin.refused(service, **sent) == (400, f"VARIABLE **{name}** IS MANDATORY")


def test_a_key_is_of_one_hub(hub: Hub):
    other = hub_of(hub.world)
    assert hub.admin.refused("get", **CALLS["get"], hub_id=other.id)[0] == 403
    nid = booked(hub)["id"]
    assert other.admin.refused("remove", nid=nid) == (404, "NOT_FOUND")


def test_requests_are_counted_by_the_key_of_the_hub_whatever_else_they_carry(hub: Hub):
    left = [
        int(hub.world.nobody.get(f"{SERVICES}users", headers={**hub.reader.headers, **more}).headers[REMAINING])
        for more in ({}, {"authorization": "a"}, {"authorization": "b"})
    ]
    assert [left[0] - each for each in left] == [0, 1, 2]


def test_who_is_shown_out_asks_no_more(hub: Hub):
    assert hub.reader.ask("users").status == 200
    hub.world.operator.delete(f"/rooms/hubs/{hub.id}/members/{hub.reader.id}")
    assert hub.reader.refused("users")[0] == 403


def test_a_service_that_nobody_knows_and_a_method_that_is_not_taken_are_refused_in_the_envelope(hub: Hub):
    assert hub.admin.refused("dance")[0] == 404
    answer = hub.world.nobody.call("DELETE", f"{SERVICES}users", headers=hub.admin.headers)
    assert (answer.status, answer.document["__ack__"]) == (405, "room.users")


# ---- meetings --------------------------------------------------------------------------------------------------------


def test_a_meeting_on_a_hub_with_a_room_reserves_it(hub: Hub):
    node = booked(hub, message="News")
    assert (node["category"], node["ext"], node["filename"]) == ("schedule", "schedule", "Stand-up")
    content = node["metadata"]["content"]
    assert node["metadata"]["room_status"] == "booked"
    assert (content["title"], content["message"], content["date"]) == ("Stand-up", "News", "2026-03-16T09:00")
    assert (content["attendees"], content["stime"], content["etime"]) == ([], MONDAY_NINE, MONDAY_NINE + 1_800)
    [reserved] = in_room(hub)
    assert (reserved["id"], reserved["title"], reserved["source"]) == (node["booking"]["id"], "Stand-up", "hub")
    assert (reserved["start"], reserved["end"]) == (MONDAY_NINE * 1_000, (MONDAY_NINE + 1_800) * 1_000)
    assert (reserved["organizer"]["name"], reserved["description"]) == ("Clare Roche", "News")


def test_left_to_itself_a_meeting_has_a_title_and_is_now(world: World, hub: Hub):
    content = hub.admin.said("book")["metadata"]["content"]
    assert content["title"] == "Meeting scheduled by Clare Roche"
    assert content["date"] == "Sunday, March 15, 2026 12:00 PM"
    assert (content["stime"], content["etime"]) == (world.clock() // 1_000, world.clock() // 1_000 + 1_800)


def test_a_long_title_is_cut(hub: Hub):
    assert booked(hub, title="x" * 300)["filename"] == "x" * 100


@pytest.mark.parametrize(
    ("sent", "start", "minutes"),
    [
        ({"date": "2026-03-16T09:00:00+01:00"}, MONDAY_NINE - 3_600, 30),
        ({"date": "Mon, 16 Mar 2026 09:00:00 GMT"}, MONDAY_NINE, 30),
        ({"date": "Mon Mar 16 2026 10:00:00 GMT+0100"}, MONDAY_NINE, 30),
        ({"date": "Mon Mar 16 2026 10:00:00 GMT+0100 (Central European Standard Time)"}, MONDAY_NINE, 30),
        ({"date": "Mon Mar 16 2026 10:00:00 +0100 (CET)"}, MONDAY_NINE, 30),
        ({"date": "16 March 2026 12:00 UTC+3"}, MONDAY_NINE, 30),
        ({"date": "16 March 2026 9:00 AM", "duration": 45}, MONDAY_NINE, 45),
        ({"date": "Monday, March 16, 2026 9:00 AM"}, MONDAY_NINE, 30),
        ({"date": str(MONDAY_NINE)}, MONDAY_NINE, 30),
        ({"date": MONDAY_NINE * 1_000}, MONDAY_NINE, 30),
        ({"stime": MONDAY_NINE, "etime": MONDAY_NINE + 7_200}, MONDAY_NINE, 120),
        ({"stime": str(MONDAY_NINE), "date": "after lunch"}, MONDAY_NINE, 30),
        ({"date": "2026-07-01T09:00"}, 1_782_892_800, 30),  # summer in Dublin
    ],
)
def test_a_time_is_read_in_every_form_that_clients_send(hub: Hub, sent, start, minutes):
    content = hub.admin.said("book", **sent)["metadata"]["content"]
    assert (content["stime"], content["etime"] - content["stime"]) == (start, minutes * 60)


@given(date=st.text(max_size=40) | st.from_regex(r"[0-9TZ:+. /AMPajun-]{1,30}", fullmatch=True))
def test_any_text_is_a_time_or_is_refused(date):
    at, zone = 1_773_576_000_000, zone_of("Europe/Dublin")
    try:
        when = when_of(Asked({"date": date}), at, zone, binding=True)
    except Invalid:
        assert when_of(Asked({"date": date}), at, zone, binding=False).start is None
    else:
        assert when.start is not None
        assert 0 <= when.start <= 32_503_680_000_000


@pytest.mark.parametrize(
    "sent",
    [
        {"date": "after lunch"},
        {"date": "2026-02-31T09:00"},
        {"date": "2026-03-16 09:00 PST"},  # which of the zones of that name is anybody's guess
        {"date": "99999999999999"},
        {"date": "9" * 60},
        {"stime": MONDAY_NINE, "etime": MONDAY_NINE},
        {"stime": "soon"},
        {"duration": 0},
        {"title": {"a": 1}},
        {"recur": {"freq": "hourly"}},
        {"recur": 7},
        {"attendees": ["nobody"]},
        {"attendees": [{"email": "x"}]},
        {"attendees": ["a@b.example"] * 201},
    ],
)
def test_what_cannot_be_booked_is_refused_and_holds_nothing(hub: Hub, sent):
    assert hub.admin.refused("book", **{"date": "2026-03-16T09:00", **sent})[0] == 400
    assert in_room(hub) == []
    assert hub.admin.said("list") == []


def test_a_taken_room_is_refused_in_the_words_of_the_service(hub: Hub):
    booking(hub.world, hub.room["id"], 21)
    assert hub.admin.refused("book", date="2026-03-16T09:15") == (409, "ROOM_NOT_AVAILABLE")
    assert hub.admin.said("list") == []


def test_the_rules_of_the_room_hold_here_too(world: World):
    closed = hub_of(world, dublin_room(world, rules={"opens": "10:00", "closes": "18:00"}))
    assert closed.admin.refused("book", date="2026-03-16T09:00") == (400, "ROOM_NOT_ALLOWED")


def test_a_meeting_that_recurs_reserves_each_of_its_times(hub: Hub):
    until = MONDAY_NINE + 3 * 7 * 86_400
    node = booked(hub, recur={"freq": "weekly", "until": until})
    assert node["metadata"]["content"]["recur"] == {"freq": "weekly", "until": until}
    starts = [each["start"] // 1_000 for each in in_room(hub)]
    summer = MONDAY_NINE + 14 * 86_400 - 3_600  # Dublin's clocks go on on 29 March
    assert starts == [MONDAY_NINE, MONDAY_NINE + 7 * 86_400, summer, summer + 7 * 86_400]
    assert hub.admin.refused("book", stime=summer) == (409, "ROOM_NOT_AVAILABLE")
    assert hub.admin.said("remove", nid=node["id"]) == {"nid": node["id"]}
    assert in_room(hub) == []


def test_a_hub_without_a_room_has_meetings_all_the_same(world: World):
    loose = hub_of(world)
    node = loose.admin.said("book", title="Walk", date="after lunch")
    assert (node["booking"], node["metadata"]["content"]["stime"]) == (None, None)
    assert node["metadata"]["content"]["date"] == "after lunch"
    assert [each["id"] for each in loose.reader.said("list")] == [node["id"]]


def test_a_repeat_with_the_same_key_books_once(hub: Hub):
    sent = {"title": "Stand-up", "date": "2026-03-16T09:00"}
    headers = {**hub.admin.headers, "idempotency-key": "k1"}
    first, again = (hub.world.nobody.post(f"{SERVICES}book", sent, headers=headers) for _ in range(2))
    assert first.document["data"]["id"] == again.document["data"]["id"]
    assert len(in_room(hub)) == 1


def test_a_process_that_ends_leaves_a_meeting_with_its_room_or_neither(hub: Hub, monkeypatch):
    for step in itertools.count():
        dying = hooked(hub.world.tables, crashing(step))
        sent = {"stime": MONDAY_NINE + step * 3_600, "duration": 15}
        with monkeypatch.context() as patch, suppress(Crash):
            patch.setattr(wiring, "tables", lambda dying=dying: dying)
            hub.admin.said("book", **sent)
            break
        listed = [each["booking"]["id"] for each in hub.admin.said("list")]
        assert [each["id"] for each in in_room(hub)] == listed
        assert hub.admin.refused("book", **sent)[0] == 409 if listed else hub.admin.said("book", **sent)
        for each in hub.admin.said("list"):
            hub.admin.said("remove", nid=each["id"])
    assert step > 5


def test_what_a_room_refuses_leaves_nothing_to_be_listed(hub: Hub):
    booked(hub)
    before = dangling_rows(hub.world.tables.of(hub.world.account), HUB_MEETING)
    assert hub.admin.refused("book", date="2026-03-16T09:15") == (409, "ROOM_NOT_AVAILABLE")
    assert hub.admin.refused("book", date="2026-03-16T11:00", recur={"freq": "daily", "until": 4_000_000_000})[0] == 400
    assert dangling_rows(hub.world.tables.of(hub.world.account), HUB_MEETING) == before


def test_a_repeat_after_a_process_has_ended_is_the_same_meeting(hub: Hub, monkeypatch):
    sent, headers = {"title": "Stand-up", "date": "2026-03-16T09:00"}, {**hub.admin.headers, "idempotency-key": "k1"}
    for step in itertools.count():
        dying = hooked(hub.world.tables, crashing(step))
        with monkeypatch.context() as patch, suppress(Crash):
            patch.setattr(wiring, "tables", lambda dying=dying: dying)
            answer = hub.world.nobody.post(f"{SERVICES}book", sent, headers=headers)
            break
    [node] = hub.admin.said("list")
    assert (answer.document["data"]["id"], answer.document["data"]["booking"]["id"]) == (
        node["id"],
        in_room(hub)[0]["id"],
    )


def test_a_repeat_that_overtakes_the_first_is_the_same_meeting(hub: Hub, monkeypatch):
    sent, headers = {"title": "Stand-up", "date": "2026-03-16T09:00"}, {**hub.admin.headers, "idempotency-key": "k1"}
    faster: list[Any] = []

    def around(name: str, method: Any, args: Any) -> Any:
        if name == "transact" and not faster:
            faster.append(None)
            faster[0] = hub.world.nobody.post(f"{SERVICES}book", sent, headers=headers)
        return method(*args)

    slow = hooked(hub.world.tables, around)
    monkeypatch.setattr(wiring, "tables", lambda: slow)
    answer = hub.world.nobody.post(f"{SERVICES}book", sent, headers=headers)
    assert (answer.status, answer.document["data"]) == (200, faster[0].document["data"])
    assert [each["id"] for each in hub.admin.said("list")] == [answer.document["data"]["id"]]


def test_the_flag_says_what_is_updated_and_nothing_else_is(hub: Hub):
    nid = booked(hub, message="News")["id"]
    sent = {"title": "Review", "message": "Figures", "date": "2026-03-16T11:00", "attendees": ["x@y.example"]}
    assert hub.admin.said("update", flag="title", nid=nid, **sent)["title"] == "Review"
    said = hub.admin.said("update", flag="agenda", nid=nid, **sent)
    assert (said["message"], said["date"], said["attendees"]) == ("Figures", "2026-03-16T09:00", [])
    said = hub.admin.said("update", flag="when", nid=nid, **sent)
    assert (said["stime"], said["date"]) == (MONDAY_NINE + 7_200, "2026-03-16T11:00")
    assert hub.admin.said("update", flag="member", nid=nid, **sent)["attendees"][0]["email"] == "x@y.example"
    [reserved] = in_room(hub)
    assert (reserved["title"], reserved["description"], reserved["start"]) == (
        "Review",
        "Figures",
        (MONDAY_NINE + 7_200) * 1_000,
    )
    assert [each["email"] for each in reserved["attendees"]] == ["x@y.example"]
    said = hub.admin.said("update", flag="all", nid=nid, title="Last", attendees=[])
    assert (said["title"], said["message"], said["attendees"], said["stime"]) == ("Last", "", [], MONDAY_NINE + 7_200)
    assert hub.admin.refused("update", flag="some", nid=nid)[0] == 400


@pytest.mark.parametrize(("flag", "changes"), [("title", False), ("agenda", False), ("when", True), ("all", True)])
def test_how_a_meeting_recurs_is_a_matter_of_when_it_is(world: World, flag, changes):
    loose, weekly = hub_of(world), {"freq": "weekly"}
    nid = loose.admin.said("book", date="2026-03-16T09:00")["id"]
    said = loose.admin.said("update", flag=flag, nid=nid, title="x", date="2026-03-16T09:00", recur=weekly)
    assert said["recur"] == (weekly if changes else None)


def test_a_meeting_cannot_be_moved_to_where_another_is(hub: Hub):
    nid = booked(hub)["id"]
    booking(hub.world, hub.room["id"], 23)
    moved = {"flag": "when", "nid": nid, "date": "2026-03-16T11:00"}
    assert hub.admin.refused("update", **moved) == (409, "ROOM_NOT_AVAILABLE")
    [node] = hub.admin.said("list")
    assert node["metadata"]["content"]["stime"] == MONDAY_NINE


def test_members_and_strangers_are_invited_each_once(hub: Hub):
    people = [hub.reader.id, "read@museum.example", {"email": "X@y.example", "name": "X"}, "x@Y.example"]
    nid = booked(hub, attendees=people)["id"]
    found = hub.admin.said("get_meeting_members", nid=nid)
    assert [(each["email"], each["name"]) for each in found] == [
        ("read@museum.example", "Ben Doyle"),
        ("x@Y.example", "x"),
    ]
    assert found[0]["id"] == hub.reader.id


def test_what_another_system_does_to_the_booking_is_seen_here(hub: Hub):
    node = booked(hub)
    joan = joan_client(hub.world)
    named = {"event_id": node["booking"]["id"], "room_id": hub.room["email"]}
    assert joan.post("events/extend/", {**named, "extend_until": "2026-03-16T10:00Z"}).status == 200
    [seen] = hub.reader.said("list")
    assert seen["metadata"]["content"]["etime"] == MONDAY_NINE + 3_600
    assert joan.post("events/cancel/", {**named, "timezone": "Europe/Dublin"}).status == 200
    [seen] = hub.reader.said("list")
    assert seen["metadata"]["room_status"] == "cancelled"
    assert hub.admin.refused("update", flag="title", nid=node["id"], title="x") == (400, "ROOM_NOT_ALLOWED")
    assert hub.admin.said("remove", nid=node["id"]) == {"nid": node["id"]}


def test_every_change_of_a_meeting_is_one_event_of_its_room(hub: Hub):
    nid = booked(hub)["id"]
    hub.admin.said("update", flag="title", nid=nid, title="Review")
    hub.admin.said("update", flag="title", nid=nid, title="Review")
    hub.admin.said("remove", nid=nid)
    assert hub.admin.refused("remove", nid=nid) == (404, "NOT_FOUND")
    told = [row["type"] for row in hub.world.recorded() if row["type"].startswith("_Room")]
    assert sorted(told) == ["_RoomBooked", "_RoomCancelled", "_RoomChanged"]


def test_a_list_is_of_the_meetings_between_two_moments(hub: Hub):
    once = booked(hub)["id"]
    weekly = hub.admin.said("book", date="2026-03-17T09:00", recur={"freq": "weekly"}, title="Weekly")["id"]

    def listed(start: int, end: int) -> list[str]:
        return [each["id"] for each in hub.reader.said("list", stime=start, etime=end)]

    assert listed(MONDAY_NINE, MONDAY_NINE + 60) == [once]
    assert listed(MONDAY_NINE + 1_800, MONDAY_NINE + 3_600) == []
    fortnight = MONDAY_NINE + 15 * 86_400 - 3_600
    assert listed(fortnight, fortnight + 60) == [weekly]


def test_whoever_has_a_meeting_already_is_busy(hub: Hub):
    nid = booked(hub, attendees=["read@museum.example"])["id"]
    asked = {"stime": MONDAY_NINE + 600, "etime": MONDAY_NINE + 4_000}
    people = [hub.reader.id, "write@museum.example"]
    found = hub.reader.said("check_availability", attendees=people, **asked)
    assert [(each["uid"], each["busy"]) for each in found] == [(hub.reader.id, True), (hub.writer.id, False)]
    assert [each["nid"] for each in found[0]["conflicts"]] == [nid]
    assert not hub.reader.said("check_availability", attendees=people, nid=nid, **asked)[0]["busy"]


# ---- public links ----------------------------------------------------------------------------------------------------


def test_a_link_opens_its_meeting_and_has_a_qr_code(hub: Hub):
    node = booked(hub)
    made = hub.admin.said("public_link", nid=node["id"])
    link = made["link"].removeprefix(API_URL)
    answer = hub.world.nobody.get(link)
    assert answer.document["data"]["meeting"]["filename"] == "Stand-up"
    assert (answer.document["data"]["room_id"], answer.document["data"]["permission"]) == (node["id"], 4)
    assert "HttpOnly; SameSite=Lax; Secure" in answer.headers["set-cookie"]
    page = hub.world.nobody.get(link, headers={"accept": "text/html"})
    assert b"Monday, March 16, 2026 9:00 AM, Europe/Dublin" in page.content
    code = hub.world.nobody.get(made["qr"].removeprefix(API_URL))
    assert (code.status, code.headers["content-type"]) == (200, "image/svg+xml")
    image = hub.world.nobody.get(made["qr"].removeprefix(API_URL), headers={"accept": "image/png"}, w=200, h=200)
    assert image.content.startswith(b"\x89PNG")


def test_a_link_with_a_password_says_nothing_without_it(hub: Hub):
    nid = booked(hub)["id"]
    link = hub.admin.said("public_link", nid=nid, password="turf cutters")["link"].removeprefix(API_URL)
    answer = hub.world.nobody.get(link)
    assert (answer.status, answer.document["error"]) == (403, "PASSWORD_REQUIRED")
    page = hub.world.nobody.get(link, headers={"accept": "text/html"})
    assert (page.status, b"Stand-up" in page.content, b'type="password"' in page.content) == (200, False, True)
    wrong = hub.world.nobody.post(link, {"password": "turf"})
    assert (wrong.status, wrong.document["error"]) == (403, "WRONG_PASSWORD")
    form = {"accept": "text/html", "content-type": "application/x-www-form-urlencoded"}
    again = hub.world.nobody.post(link, raw_body=b"password=turf", headers=form)
    assert (again.status, b'role="alert"' in again.content) == (403, True)
    let_in = hub.world.nobody.post(link, raw_body=b"password=turf+cutters&name=%3CVisitor%3E", headers=form)
    assert (let_in.status, b"&lt;Visitor&gt;" in let_in.content) == (200, True)
    stored = json.dumps([row for row in hub.world.rows().values() if row["k"] == "roomKey"], default=str)
    assert "$argon2id$" in stored
    assert "turf cutters" not in stored


def test_the_pages_of_a_link_load_nothing_run_nothing_and_stand_in_no_frame(hub: Hub):
    link = hub.admin.said("public_link", nid=booked(hub)["id"])["link"].removeprefix(API_URL)
    for path in (link, f"{link}x"):
        headers = hub.world.nobody.get(path, headers={"accept": "text/html"}).headers
        policy = headers["content-security-policy"].split("; ")
        assert {"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"} <= set(policy)
        assert not any("unsafe" in each or each.startswith("script-src") for each in policy)
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


def test_guessing_a_password_is_throttled(hub: Hub):
    nid = booked(hub)["id"]
    link = hub.admin.said("public_link", nid=nid, password="turf cutters")["link"].removeprefix(API_URL)
    tries = [hub.world.nobody.post(link, {"password": f"guess {each}"}).status for each in range(11)]
    assert (tries[:10], tries[10]) == ([403] * 10, 429)


@pytest.mark.parametrize(("sent", "hours"), [({"days": 1}, 24), ({"hours": 2}, 2), ({"days": "1", "hours": 1}, 25)])
def test_a_link_ends_when_it_was_said_to(hub: Hub, sent, hours):
    nid = booked(hub)["id"]
    made = hub.admin.said("public_link", nid=nid, **sent)
    guest = hub.opened(made["link"])
    assert made["expires"] == hub.world.clock() + hours * HOUR
    hub.world.clock.now += hours * HOUR - MINUTE
    assert hub.world.nobody.get(made["link"].removeprefix(API_URL)).status == 200
    hub.world.clock.now += 2 * MINUTE
    assert hub.world.nobody.get(made["link"].removeprefix(API_URL)).status == 404
    assert guest.refused("users")[0] == 403


def test_a_link_goes_with_its_meeting_and_so_do_its_guests(hub: Hub):
    nid = booked(hub)["id"]
    made = hub.admin.said("public_link", nid=nid)
    guest = hub.opened(made["link"], name="Visitor")
    assert guest.said("users") == []
    hub.admin.said("remove", nid=nid)
    link = made["link"].removeprefix(API_URL)
    assert [hub.world.nobody.get(each).status for each in (link, f"{link}/qr")] == [404, 404]
    assert hub.world.nobody.get(link, headers={"accept": "text/html"}).headers["content-type"].startswith("text/html")
    assert guest.refused("users")[0] == 403


def test_a_link_goes_with_its_hub(hub: Hub):
    link = hub.admin.said("public_link", nid=booked(hub)["id"])["link"].removeprefix(API_URL)
    hub.world.operator.delete(f"/rooms/hubs/{hub.id}")
    assert hub.world.nobody.get(link).status == 404
    assert hub.admin.refused("list")[0] == 403


def test_a_guest_enters_the_live_room_of_the_meeting_and_no_other(hub: Hub):
    node = booked(hub)
    guest = hub.opened(hub.admin.said("public_link", nid=node["id"])["link"], name="Visitor")
    sent = {"socket_id": "s", "device_id": "d", "room_type": "meeting"}
    assert guest.said("get", **sent)["id"] == node["id"]
    assert guest.said("join", id=node["id"], **sent)["username"] == "Visitor"
    other = hub.admin.said("get", **sent)["id"]
    assert guest.refused("join", id=other, **sent)[0] == 403
    assert guest.refused("requestAccess", socket_id="s", room_id=other, hub_id=hub.id) == (400, "WEAK_PRIVILEGE OOOP")
    assert guest.refused("unified_room", flag="add", id=other)[0] == 403
    for service in (*ADMIN, "list", "check_availability"):
        assert guest.refused(service, **CALLS[service])[0] == 403


@pytest.mark.parametrize(("permission", "may_invite"), [(2, False), ("read", False), (4, True), (8, True), (16, True)])
def test_a_link_allows_for_what_it_was_made_for(hub: Hub, permission, may_invite):
    node = booked(hub)
    link = hub.admin.said("public_link", nid=node["id"], permission=permission)["link"]
    guest = hub.opened(link)
    guest.said("get", socket_id="s", device_id="d", room_type="meeting")
    sent = {"room_id": node["id"], "guest": {"uid": "u"}, "room_type": "meeting"}
    assert (guest.ask("invite", **sent).status == 200) == may_invite
    assert guest.refused("remove", nid=node["id"])[0] == 403
    assert hub.admin.refused("public_link", nid=node["id"], permission=7)[0] == 400


def test_a_meeting_has_fifty_links_that_open_at_most(hub: Hub):
    nid = booked(hub)["id"]
    for _ in range(50):
        hub.admin.said("public_link", nid=nid, hours=1)
    assert hub.admin.refused("public_link", nid=nid)[0] == 400
    hub.world.clock.now += 2 * HOUR
    hub.admin.said("public_link", nid=nid)


def test_hello_binds_a_name_to_the_session(hub: Hub):
    answer = hub.nobody.ask("hello", name="Visitor")
    assert answer.document["data"] == {}
    guest = hub.guest(answer.headers["set-cookie"].partition(";")[0].removeprefix("regsid="))
    assert guest.refused("requestAccess", socket_id="s", room_id="x", hub_id=hub.id) == (400, "WEAK_PRIVILEGE OOOP")
    assert guest.refused("users")[0] == 403
    assert hub.nobody.refused("hello") == (400, "VARIABLE **name** IS MANDATORY")
    node = booked(hub)
    by_link = hub.opened(hub.admin.said("public_link", nid=node["id"])["link"])
    renamed = by_link.ask("hello", name="Ann").headers["set-cookie"].partition(";")[0].removeprefix("regsid=")
    assert hub.guest(renamed).said("get", socket_id="s", device_id="d", room_type="meeting")["username"] == "Ann"


def test_a_guests_session_is_over_after_a_day(hub: Hub):
    guest = hub.opened(hub.admin.said("public_link", nid=booked(hub)["id"])["link"])
    hub.world.clock.now += DAY
    assert guest.refused("users")[0] == 403


# ---- as AWS hands requests over --------------------------------------------------------------------------------------


def test_a_meeting_as_the_gateway_hands_it_over(world: World, hub: Hub, monkeypatch):
    monkeypatch.setattr("fingerpost.wiring.connections", Wires)
    known = {"HUB_KEY": str(hub.admin.key)}
    node = world.answered("hub/book", **known).document["data"]
    known["NID"] = node["id"]
    assert world.answered("hub/get-meeting-members", **known).document["data"] == []
    assert world.answered("hub/get", **known).document["data"]["role"] == "presenter"
    assert world.answered("hub/hello").headers["set-cookie"].startswith("regsid=guest.")
    assert world.answered("hub/unified-room", **known).document["data"][0]["is_video_enabled"] == 1
    link = world.answered("hub/public-link", **known).document["data"]["link"]
    page = world.answered("hub/open-link", LINK=link.rpartition("/")[2])
    assert (page.status, b"This meeting has a password" in page.content) == (200, True)
