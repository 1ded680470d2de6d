"""Live rooms of the ROOM service: who comes, leads, shares and goes, what is signalled, and what expires."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fingerpost import wiring
from fingerpost.rooms.hub.parameters import PARAMETERS
from fingerpost.rooms.hub.presence import MAX_ATTENDEES
from fingerpost.rooms.hub.services import SERVICES
from tests.functions.hubs import SERVICES as PATH
from tests.functions.hubs import Hub, HubClient, Wires, hub_of
from tests.functions.joan import dublin_room, joan_client
from tests.functions.test_anything import VALUES
from tests.functions.world import HOUR, World

ON = {"is_mic_enabled": 1, "is_video_enabled": 1, "is_share_enabled": 0, "is_write_enabled": 0}


@pytest.fixture
def wires(monkeypatch: pytest.MonkeyPatch) -> Wires:
    wires = Wires()
    monkeypatch.setattr(wiring, "connections", lambda: wires)
    return wires


@pytest.fixture
def hub(world: World, wires: Wires) -> Hub:
    return hub_of(world, dublin_room(world))


def come(client: HubClient, socket: str, room: str = "", **more: Any) -> Any:
    client.world.clock.now += 1
    sent = {"socket_id": socket, "device_id": f"device of {socket}", "room_type": "meeting", **more}
    if room:
        return client.said("join", id=room, **sent)
    return client.said("get", **sent)


def here(client: HubClient, room: str) -> list[tuple[str, str]]:
    return [(each["socket_id"], each["role"]) for each in client.said("users", room_id=room)]


# ---- coming and going ------------------------------------------------------------------------------------------------


def test_a_hub_has_one_live_room_of_each_type_and_who_is_first_presents(hub: Hub):
    first = come(hub.reader, "s1")
    second = come(hub.admin, "s2")
    assert first["id"] == second["id"] == first["room_id"]
    assert (first["role"], second["role"]) == ("presenter", "listener")
    assert second["presenter_id"] == hub.reader.id
    assert (first["permission"], second["permission"], first["status"]) == (2, 6, "waiting")
    assert come(hub.admin, "s2", room_type="call")["id"] != first["id"]
    assert come(hub_of(hub.world).admin, "s3")["id"] != first["id"]


def test_to_come_again_changes_nothing(hub: Hub):
    room = come(hub.reader, "s1")["id"]
    come(hub.admin, "s2")
    assert come(hub.reader, "s1")["role"] == "presenter"
    assert here(hub.reader, room) == [("s1", "presenter"), ("s2", "listener")]


def test_joining_answers_the_room_with_everybody_in_it(hub: Hub):
    room = come(hub.reader, "s1")["id"]
    joined = come(hub.admin, "s2", room, endpointAddress="10.0.0.1", endpointRoute="eu")
    assert (joined["wicket_id"], joined["area"], joined["details"]["name"]) == (hub.id, "share", "Harbour meetings")
    assert [each["username"] for each in joined["attendees"]] == ["Ben Doyle", "Clare Roche"]
    assert joined["attendees"][1]["endpointAddress"] == "10.0.0.1"


def test_who_joins_is_announced_to_the_peers_and_to_who_runs_the_hub(hub: Hub, wires: Wires):
    for name, client in (("a", hub.admin), ("w", hub.writer), ("r", hub.reader), ("r2", hub.reader)):
        assert wires.open(name, client) == 200
    room = come(hub.writer, "w")["id"]
    come(hub.reader, "r", room)
    for listening in ("a", "w"):
        [told] = wires.heard(listening)
        assert (told["service"], told["data"]["username"]) == ("room.join", "Ben Doyle")
    assert wires.heard("r") == wires.heard("r2") == []


def test_who_leaves_is_missed_and_the_room_is_handed_on(hub: Hub, wires: Wires):
    for name, client in (("a", hub.admin), ("w", hub.writer), ("r", hub.reader)):
        wires.open(name, client)
    room = come(hub.writer, "w")["id"]
    come(hub.reader, "r", room)
    come(hub.admin, "a", room)
    hub.writer.said("unified_room", flag="add", id=room)
    wires.told.clear()
    own = hub.writer.said("leave", socket_id="w", room_id=room, hub_id=hub.id)
    assert [(each["uid"], each["is_mic_enabled"]) for each in own] == [(hub.writer.id, 1)]
    for listening in ("a", "r"):
        [told] = wires.heard(listening)
        assert told["service"] == "room.leave"
        assert (told["data"]["uid"], told["data"]["presenter_id"]) == (hub.writer.id, hub.reader.id)
    assert wires.heard("w") == []
    assert here(hub.admin, room) == [("r", "presenter"), ("a", "listener")]
    assert hub.admin.said("unified_room", flag="get", id=room) == []
    assert hub.writer.said("leave", socket_id="w", room_id=room, hub_id=hub.id) == []


def test_the_last_one_closes_the_room(hub: Hub):
    room = come(hub.reader, "s1")["id"]
    hub.reader.said("leave", socket_id="s1", room_id=room, hub_id=hub.id)
    assert not [row for row in hub.world.rows().values() if row["k"] in ("hubRoom", "hubAttendee", "hubRoomOf")]
    assert come(hub.admin, "s2")["role"] == "presenter"


def test_of_many_who_come_at_once_one_presents(hub: Hub):
    clients, barrier = (hub.admin, hub.writer, hub.reader), Barrier(9)

    def run(turn: int) -> Any:
        barrier.wait()
        sent = {"socket_id": f"s{turn}", "device_id": "d", "room_type": "meeting"}
        return clients[turn % 3].said("get", **sent)

    with ThreadPoolExecutor(9) as pool:
        rooms = list(pool.map(run, range(9)))
    assert len({each["id"] for each in rooms}) == 1
    assert [each["role"] for each in rooms].count("presenter") == 1
    assert [role for _, role in here(hub.admin, rooms[0]["id"])].count("presenter") == 1
    assert len(here(hub.admin, rooms[0]["id"])) == 9


def test_a_connection_that_ends_takes_its_presence_with_it(hub: Hub, wires: Wires):
    wires.open("w", hub.writer)
    wires.open("r", hub.reader)
    room = come(hub.writer, "w")["id"]
    come(hub.reader, "r", room)
    hub.reader.said("unified_room", flag="add", id=room)
    wires.told.clear()
    assert wires.close("r") == 200
    assert wires.close("r") == 200
    assert [each["service"] for each in wires.heard("w")] == ["room.leave"]
    assert here(hub.admin, room) == [("w", "presenter")]
    assert hub.admin.said("unified_room", flag="get", id=room) == []
    assert wires.close("w") == 200
    assert not [row for row in hub.world.rows().values() if row["k"].startswith("hub") and "doc" not in row]


def test_a_connection_that_has_ended_unnoticed_is_found_out_when_it_is_told_something(hub: Hub, wires: Wires):
    for name, client in (("a", hub.admin), ("w", hub.writer), ("r", hub.reader)):
        wires.open(name, client)
    room = come(hub.writer, "w")["id"]
    come(hub.reader, "r", room)
    wires.gone.add("w")
    come(hub.admin, "a", room)
    assert here(hub.admin, room) == [("r", "presenter"), ("a", "listener")]


def test_presence_expires(hub: Hub, wires: Wires):
    wires.open("r", hub.reader)
    room = come(hub.reader, "r")["id"]
    come(hub.admin, "s2")
    hub.world.clock.now += 3 * HOUR
    assert here(hub.admin, room) == []
    assert come(hub.admin, "s2")["role"] == "presenter"


def test_a_socket_of_somebody_else_is_not_taken(hub: Hub, wires: Wires):
    wires.open("w", hub.writer)
    sent = {"socket_id": "w", "device_id": "d", "room_type": "meeting"}
    assert hub.reader.refused("get", **sent)[0] == 403
    come(hub.writer, "w")
    assert hub.reader.refused("leave", socket_id="w", room_id="x", hub_id=hub.id)[0] == 403


def test_a_live_room_is_not_without_end(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("fingerpost.rooms.hub.live_rooms.MAX_ATTENDEES", 2)
    assert MAX_ATTENDEES > 2
    come(hub.reader, "s1")
    come(hub.reader, "s2")
    sent = {"socket_id": "s3", "device_id": "d", "room_type": "meeting"}
    assert hub.reader.refused("get", **sent)[0] == 400
    come(hub.reader, "s2")


def test_an_administrator_shuts_a_room_down_for_everybody(hub: Hub, wires: Wires):
    wires.open("r", hub.reader)
    room = come(hub.reader, "r")["id"]
    come(hub.admin, "s2")
    assert hub.admin.said("shutdown", room_id=room) == {}
    assert [each["service"] for each in wires.heard("r")] == ["room.shutdown"]
    assert here(hub.admin, room) == []
    assert hub.admin.said("users") == []


# ---- taking part -----------------------------------------------------------------------------------------------------


def test_the_presenters_request_starts_the_meeting_for_the_others(hub: Hub, wires: Wires):
    wires.open("r", hub.reader)
    room = come(hub.writer, "s1")["id"]
    come(hub.reader, "r", room)
    listener = hub.reader.said("requestAccess", socket_id="r", room_id=room, hub_id=hub.id)
    assert (listener["user"]["role"], listener["presenter_id"], listener["status"]) == ("listener", hub.writer.id, 2)
    assert wires.heard("r") == []
    presenter = hub.writer.said("requestAccess", socket_id="s1", room_id=room, hub_id=hub.id)
    assert presenter["user"] == {
        "avatar_id": hub.writer.id,
        "deviceId": "device of s1",
        "role": "presenter",
        "room_id": room,
        "ssid": "s1",
        "uid": hub.writer.id,
        "uname": "Nora Byrne",
        "username": "Nora Byrne",
    }
    assert [each["socket_id"] for each in presenter["peers"]] == ["r"]
    assert [each["service"] for each in wires.heard("r")] == ["meeting.start"]
    assert come(hub.reader, "r", room)["status"] == "started"


def test_who_has_no_privilege_is_told_so_in_the_words_of_the_document(hub: Hub):
    room = come(hub.writer, "s1")["id"]
    stranger = hub_of(hub.world).admin
    sent = {"socket_id": "s", "room_id": room}
    assert hub.nobody.refused("requestAccess", hub_id=hub.id, **sent) == (400, "WEAK_PRIVILEGE OOOP")
    assert stranger.refused("requestAccess", hub_id=hub.id, **sent) == (400, "WEAK_PRIVILEGE OOOP")
    assert hub.nobody.refused("requestAccess", **sent) == (400, "VARIABLE **hub_id** IS MANDATORY")


def test_a_meeting_that_starts_is_checked_in_to_in_its_room(world: World, wires: Wires):
    hub = hub_of(world, dublin_room(world, checkIn={"opensBefore": 10, "grace": 10}))
    node = hub.admin.said("book")
    assert node["booking"]["state"] == "confirmed"
    come(hub.admin, "s1", node["id"])
    hub.admin.said("requestAccess", socket_id="s1", room_id=node["id"], hub_id=hub.id)
    [seen] = hub.admin.said("list")
    assert seen["booking"]["state"] == "checkedIn"


def test_a_meeting_of_another_hub_is_not_checked_in_to(world: World, wires: Wires):
    hub, other = hub_of(world, dublin_room(world, checkIn={"opensBefore": 10, "grace": 10})), hub_of(world)
    node = hub.admin.said("book", stime=world.clock() // 1_000 + 300)
    other.admin.said("requestAccess", socket_id="s1", room_id=node["id"], hub_id=other.id)
    [seen] = hub.admin.said("list")
    assert seen["booking"]["state"] == "confirmed"


def test_a_guest_is_asked_in_over_their_own_connection(hub: Hub, wires: Wires):
    wires.open("r", hub.reader)
    room = come(hub.writer, "s1")["id"]
    guest = {"uid": hub.reader.id, "socket_id": "r", "device_id": "d"}
    answer = hub.writer.said("invite", room_id=room, guest=guest, room_type="meeting", socket_id="s1")
    [told] = wires.heard("r")
    assert answer == [guest, told]
    assert (told["type"], told["service"], told["target"]) == ("linkup", "signaling.message", guest)
    assert (told["origin"]["socket_id"], told["origin"]["uid"], told["origin"]["role"]) == (
        "s1",
        hub.writer.id,
        "listener",
    )
    hub.writer.said("invite", room_id=room, guest={"uid": hub.reader.id}, room_type="meeting")
    assert len(wires.heard("r")) == 1
    assert hub.writer.refused("invite", room_id="none", guest=guest, room_type="meeting")[0] == 404


def test_nothing_is_written_to_a_connection_of_another_hub(hub: Hub, wires: Wires):
    other = hub_of(hub.world)
    wires.open("o", other.admin)
    room = come(hub.writer, "s1")["id"]
    hub.writer.said("invite", room_id=room, guest={"uid": other.admin.id, "socket_id": "o"}, room_type="meeting")
    assert wires.heard("o") == []


def test_a_screen_is_shared_with_everybody_who_is_in_the_room(hub: Hub, wires: Wires):
    for name, client in (("w", hub.writer), ("r", hub.reader)):
        wires.open(name, client)
    room = come(hub.writer, "w")["id"]
    come(hub.reader, "r", room)
    wires.told.clear()
    sent = {"parent_id": room, "parent_type": "meeting", "device_id": "d"}
    screen = hub.reader.said("get_screen", socket_id="r", **sent)
    assert (screen["type"], screen["role"], screen["parent_id"]) == ("screen", "presenter", room)
    assert screen["id"] != room
    [told] = wires.heard("w")
    assert (told["type"], told["target"]["room_id"], told["target"]["role"]) == ("screen", screen["id"], "listener")
    assert sorted(here(hub.admin, screen["id"])) == [("r", "presenter"), ("w", "listener")]
    assert hub.writer.said("request_screen_access", socket_id="w") == {
        "room_id": screen["id"],
        "presenter_id": hub.reader.id,
    }
    [asked] = wires.heard("r")
    assert (asked["service"], asked["data"]["uid"]) == ("room.request_screen_access", hub.writer.id)
    assert hub.admin.refused("get_screen", socket_id="s9", **sent) == (400, "WEAK_PRIVILEGE OOOP")


def test_screens_are_not_shared_in_private_hubs_and_nobody_shares_one_at_first(world: World, wires: Wires):
    private = hub_of(world, area="private")
    room = come(private.writer, "s1")["id"]
    sent = {"parent_id": room, "parent_type": "meeting", "socket_id": "s1", "device_id": "d"}
    assert private.writer.refused("get_screen", **sent) == (400, "PRIVATE_HUB")
    assert private.reader.said("request_screen_access") == {}


# ---- what is switched on ---------------------------------------------------------------------------------------------


def test_what_somebody_has_switched_on_is_seen_by_all(hub: Hub):
    room = come(hub.writer, "s1")["id"]
    [mine] = hub.writer.said("unified_room", flag="add", id=room, metadata={"hand": "up"})
    assert mine == {
        "id": room,
        "uid": hub.writer.id,
        "is_mic_enabled": 1,
        "is_video_enabled": 0,
        "is_share_enabled": 0,
        "is_write_enabled": 0,
        "metadata": {"hand": "up"},
        "username": "Nora Byrne",
    }
    hub.reader.said("unified_room", flag="add", id=room, is_mic_enabled=0)
    seen = hub.nobody.said("unified_room", flag="get", id=room, hub_id=hub.id)
    assert {each["uid"]: each["is_mic_enabled"] for each in seen} == {hub.writer.id: 1, hub.reader.id: 0}
    [one] = hub.admin.said("unified_room", flag="get", id=room, uid=hub.reader.id)
    assert one["username"] == "Ben Doyle"
    hub.writer.said("unified_room", flag="update", id=room, **ON)
    [one] = hub.admin.said("unified_room", flag="get", id=room, uid=hub.writer.id)
    assert (one["is_video_enabled"], one["metadata"]) == (1, {"hand": "up"})
    left = hub.writer.said("unified_room", flag="remove", id=room)
    assert [each["uid"] for each in left] == [hub.reader.id]


@pytest.mark.parametrize("missing", ON)
def test_an_update_says_all_four(hub: Hub, missing):
    room = come(hub.writer, "s1")["id"]
    hub.writer.said("unified_room", flag="add", id=room)
    sent = {name: value for name, value in ON.items() if name != missing}
    refused = hub.writer.refused("unified_room", flag="update", id=room, **sent)
    assert refused == (400, f"VARIABLE **{missing}** IS MANDATORY")


def test_what_one_has_said_of_oneself_no_other_changes_but_an_administrator(hub: Hub):
    room = come(hub.writer, "s1")["id"]
    hub.writer.said("unified_room", flag="add", id=room)
    theirs = {"id": room, "uid": hub.writer.id}
    assert hub.reader.refused("unified_room", flag="remove", **theirs)[0] == 403
    assert hub.nobody.refused("unified_room", flag="update", hub_id=hub.id, **theirs, **ON)[0] == 403
    assert hub.admin.said("unified_room", flag="update", **theirs, **ON)[0]["is_video_enabled"] == 1
    assert hub.admin.said("unified_room", flag="remove", **theirs) == []


def test_who_has_no_session_says_who_they_are_and_only_where_a_room_is_open(hub: Hub):
    sent = {"flag": "add", "hub_id": hub.id}
    assert hub.nobody.refused("unified_room", id="none", uid="u1", **sent) == (404, "NOT_FOUND")
    room = come(hub.writer, "s1")["id"]
    assert hub.nobody.refused("unified_room", id=room, **sent) == (400, "VARIABLE **uid** IS MANDATORY")
    assert [each["uid"] for each in hub.nobody.said("unified_room", id=room, uid="u1", **sent)] == ["u1"]
    assert hub.nobody.refused("unified_room", flag="get", id=room) == (400, "VARIABLE **hub_id** IS MANDATORY")


@pytest.mark.parametrize(
    "sent",
    [{"flag": "dance"}, {"is_mic_enabled": 2}, {"metadata": [1]}, {"metadata": {"a": "x" * 9_000}}, {"uid": "x" * 300}],
)
def test_state_that_makes_no_sense_is_refused(hub: Hub, sent):
    room = come(hub.writer, "s1")["id"]
    assert hub.writer.refused("unified_room", **{"flag": "add", "id": room, **sent})[0] == 400


# ---- over the connection ---------------------------------------------------------------------------------------------


def test_a_connection_opens_with_the_key_of_a_member_or_a_public_link(hub: Hub, wires: Wires):
    assert wires.open("r", hub.reader) == 200
    assert wires.open("x", hub.guest("x" * 40)) == 401
    assert wires.open("h", hub.guest(_hello(hub))) == 401
    link = hub.admin.said("public_link", nid=hub.admin.said("book")["id"])["link"]
    assert wires.open("g", hub.opened(link)) == 200
    told = wires.say("r", service="socket.info")
    assert (told["__ack__"], told["data"]) == (
        "socket.info",
        {"socket_id": "r", "hub_id": hub.id, "uid": hub.reader.id, "username": "Ben Doyle"},
    )
    assert wires.say("unknown", service="socket.info")["error_code"] == 403
    assert wires.say("r", service="dance")["error_code"] == 404


def test_peers_signal_to_each_other(hub: Hub, wires: Wires):
    clients = {"a": hub.admin, "w": hub.writer, "r": hub.reader}
    for name, client in clients.items():
        wires.open(name, client)
    room = come(hub.writer, "w")["id"]
    come(hub.reader, "r", room)
    wires.told.clear()
    offer = {"service": "signaling.message", "room_id": room, "payload": {"type": "offer", "sdp": "v=0"}}
    assert wires.say("w", **offer, target={"socket_id": "r"})["data"] == {"told": 1}
    [told] = wires.heard("r")
    assert told["payload"] == offer["payload"]
    assert told["origin"] == {"socket_id": "w", "uid": hub.writer.id, "username": "Nora Byrne"}
    come(hub.admin, "a", room)
    wires.told.clear()
    assert wires.say("r", **offer)["data"] == {"told": 2}
    assert len(wires.heard("a")) == len(wires.heard("w")) == 1
    assert wires.say("r", **offer, target={"socket_id": "nobody"})["error_code"] == 404


def test_who_is_not_in_a_room_signals_nothing_there(hub: Hub, wires: Wires):
    wires.open("w", hub.writer)
    wires.open("r", hub.reader)
    room = come(hub.writer, "w")["id"]
    assert wires.say("r", service="signaling.message", room_id=room)["error_code"] == 404
    assert wires.say("r", service="signaling.message")["error"] == "VARIABLE **room_id** IS MANDATORY"
    assert wires.heard("w") == []


def test_who_is_shown_out_is_told_nothing_more_and_is_not_there_any_more(hub: Hub, wires: Wires):
    wires.open("w", hub.writer)
    wires.open("r", hub.reader)
    room = come(hub.writer, "w")["id"]
    come(hub.reader, "r", room)
    hub.world.operator.delete(f"/rooms/hubs/{hub.id}/members/{hub.reader.id}")
    wires.told.clear()
    assert here(hub.admin, room) == [("w", "presenter")]
    wires.say("w", service="signaling.message", room_id=room)
    assert wires.heard("r") == []
    assert wires.say("r", service="socket.info")["error_code"] == 403


def test_who_is_invited_hears_of_it_and_a_change_by_another_system_reaches_the_hub(hub: Hub, wires: Wires):
    wires.open("r", hub.reader)
    wires.open("o", hub_of(hub.world).admin)
    hub.world.settle()
    wires.told.clear()
    node = hub.admin.said("book", date="2026-03-16T09:00", attendees=[hub.reader.id])
    [told] = wires.heard("r")
    assert (told["service"], told["data"]["nid"], told["data"]["from"]) == ("room.scheduled", node["id"], "Clare Roche")
    hub.world.settle()
    [told] = wires.heard("r")
    assert (told["service"], told["data"]["event"], told["data"]["nid"]) == ("room.changed", "_RoomBooked", node["id"])
    joan_client(hub.world).book(hub.room["email"], "2026-03-16T11:00", "2026-03-16T12:00", title="Secret")
    hub.world.settle()
    [told] = wires.heard("r")
    assert (told["data"]["event"], "Secret" in str(told), "nid" in told["data"]) == ("_RoomBooked", False, False)
    assert wires.heard("o") == []


# ---- whatever is sent ------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=250, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from([each.name for each in SERVICES]),
    known=st.dictionaries(st.sampled_from(list(PARAMETERS)), VALUES, max_size=6),
    by_query=st.booleans(),
)
def test_no_parameters_are_a_500(hub: Hub, name, known, by_query):
    sensible = {"flag": "add", "id": "r", "room_id": "r", "socket_id": "s", "device_id": "d", "room_type": "meeting"}
    sent = {**sensible, "stime": 1_773_651_600, "etime": 1_773_655_200, "guest": {"uid": "u"}, **known}
    if by_query:
        query = quote(json.dumps(sent).encode(errors="replace"))
        path = f"{PATH}{name}?{query}"
        answer = hub.world.nobody.get(path, headers=hub.admin.headers)
    else:
        answer = hub.admin.ask(name, **sent)
    assert answer.status < 500, answer


def _hello(hub: Hub) -> str:
    return hub.nobody.ask("hello", name="Visitor").headers["set-cookie"].partition(";")[0].removeprefix("regsid=")
