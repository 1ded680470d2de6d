"""The panels' DDP server: connecting, logging in, subscribing."""

import pytest

from fingerpost import wiring
from fingerpost.rooms import people, plain, setup, structures
from fingerpost.rooms.documents import SentRoom
from fingerpost.rooms.kinds import EQUIPMENT
from fingerpost.rooms.logins import DEFAULT_USER, delete_group, digest_of
from tests.functions.panels import House, Panel
from tests.functions.world import HOUR, ROOTS, World

MINUTE = 60_000


# Connecting


@pytest.mark.parametrize("version", ["1", 1, "pre1", "7"])
def test_a_client_is_connected_at_once_also_when_its_version_is_a_number(house: House, version):
    panel = Panel(house, "c1")
    (answer,) = panel.say({"msg": "connect", "version": version, "support": ["1", "pre2", "pre1"], "session": "old"})
    assert answer.keys() == {"msg", "session"} and answer["msg"] == "connected"


def test_without_a_common_version_the_server_says_its_own_and_closes(house: House):
    panel = Panel(house, "c1")
    assert panel.say({"msg": "connect", "version": "9", "support": ["9"]}) == [{"msg": "failed", "version": "1"}]
    assert house.wires.closed == ["c1"]


def test_nothing_is_said_before_connect_and_connect_is_said_once(house: House):
    panel = Panel(house, "c1")
    ping = {"msg": "ping", "id": "1"}
    assert panel.say(ping) == [{"msg": "error", "reason": "Must connect first", "offendingMessage": ping}]
    sub = {"msg": "sub", "id": "1", "name": "allRooms", "params": ["ALL"]}
    assert panel.say(sub)[0]["offendingMessage"] == sub
    panel.open()
    (again,) = panel.say({"msg": "connect", "version": "1", "support": ["1"]})
    assert (again["msg"], again["reason"]) == ("error", "Already connected")


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ("{", "Parse error"),
        ('"\\ud800"', "Parse error"),
        ("[]", "Bad request"),
        ('{"msg": 1}', "Bad request"),
        ({"msg": "dance"}, "Bad request"),
        ({"msg": "method", "id": 1, "method": "login", "params": []}, "Malformed method invocation"),
        ({"msg": "method", "id": "1", "params": []}, "Malformed method invocation"),
        ({"msg": "method", "id": "1", "method": "login", "params": {}}, "Malformed method invocation"),
        ({"msg": "sub", "id": "1", "params": []}, "Malformed subscription"),
        ({"msg": "sub", "id": "1", "name": "users", "params": "ALL"}, "Malformed subscription"),
        ({"msg": "unsub"}, "Malformed subscription"),
    ],
)
def test_a_message_that_is_none_of_the_protocol_is_refused_and_the_connection_goes_on(house: House, sent, reason):
    panel = house.panel()
    (answer,) = panel.say(sent)
    assert (answer["msg"], answer["reason"]) == ("error", reason)
    assert panel.say({"msg": "ping"}) == [{"msg": "pong"}]


def test_pings_are_answered_with_their_id_and_pongs_with_nothing(house: House):
    panel = house.panel()
    assert panel.say({"msg": "ping", "id": "a7"}) == [{"msg": "pong", "id": "a7"}]
    assert panel.say({"msg": "pong"}) == []


def test_the_server_pings_each_connection_for_as_long_as_it_is_open(house: House, world: World):
    panel, idle = house.panel(), Panel(house, "silent")
    for _ in range(3):
        world.settle()
        assert panel.hear() == []
        world.clock.now += 240_000
        world.settle()
        assert panel.hear() == [{"msg": "ping"}]
    assert idle.hear() == []
    panel.leave()
    world.clock.now += 240_000
    world.settle()
    assert panel.hear() == [] and world.queues["work"].receive() == []


def test_a_ping_that_comes_twice_is_sent_once(house: House, world: World):
    panel = house.panel()
    world.clock.now += 240_000
    for _ in range(2):
        assert world.story("work/panel-ping", CONNECTION=panel.id) == {"batchItemFailures": []}
    assert panel.hear() == [{"msg": "ping"}]


def test_a_connection_that_is_gone_is_forgotten(house: House, world: World):
    panel = house.at_the_door()
    panel.subscribe("allRooms", "ALL")
    house.room()
    house.wires.gone.add(panel.id)
    world.settle()
    assert house.rows("panel", "panelDocuments", "panelWatcher") == []


def test_who_leaves_leaves_nothing(house: House):
    panel = house.at_the_door()
    house.room()
    panel.subscribe("allRooms", "ALL")
    panel.subscribe("users")
    panel.leave()
    panel.leave()
    assert house.rows("panel", "panelDocuments", "panelWatcher") == []


# Logging in


def test_a_group_s_token_is_the_password_of_its_default_user(house: House):
    panel = house.panel()
    answer = panel.log_in()
    assert answer.keys() == {"id", "token", "tokenExpires", "type"}
    assert (answer["id"], answer["type"]) == (house.group.id, "password")
    assert answer["tokenExpires"] == {"$date": wiring.clock() + 90 * 24 * HOUR}


def test_who_has_logged_in_logs_in_again_with_the_token(house: House, world: World):
    first = house.panel().log_in()
    world.clock.now += HOUR
    again = house.panel().result("login", {"resume": first["token"]})
    assert again == {**first, "type": "resume"}
    world.clock.now += 90 * 24 * HOUR
    assert house.panel().refused("login", {"resume": first["token"]})[0] == 403


def test_who_logs_out_is_nobody_and_the_token_opens_nothing(house: House):
    room = house.room()
    panel = house.panel()
    token = panel.log_in()["token"]
    panel.subscribe("allRooms", "ALL")
    answers = panel.call("logout")
    assert {"msg": "result", "id": "2"} in answers
    assert {"msg": "removed", "collection": "rooms", "id": room.evoko_id} in answers
    assert panel.refused("createBooking", {}) == (401, "User is not authorized!")
    reason = "You've been logged out by the server. Please log in again."
    assert house.panel().refused("login", {"resume": token}) == (403, reason)


def test_admins_log_in_with_their_own_password_and_others_not_at_all(house: House):
    house.person("Ann", username="ann", email="ann@museum.example", password="turf cutters", admin=True)
    house.person("Bob", username="bob", password="leaping horse")
    panel = house.panel()
    digest = {"digest": digest_of("turf cutters"), "algorithm": "sha-256"}
    for user in ({"username": "ann"}, {"email": "ann@museum.example"}):
        assert panel.result("login", {"user": user, "password": digest})["type"] == "password"
    assert panel.result("login", {"user": {"username": "Ann"}, "password": "turf cutters"})
    wrong = {"digest": digest_of("leaping horse"), "algorithm": "sha-256"}
    assert panel.refused("login", {"user": {"username": "ann"}, "password": wrong}) == (403, "Incorrect password")
    assert panel.refused("login", {"user": {"username": "bob"}, "password": wrong}) == (401, "User is not authorized!")
    assert panel.refused("login", {"user": {"username": "cat"}, "password": wrong}) == (403, "User not found")
    assert panel.refused("login", {"user": {"username": DEFAULT_USER}, "password": wrong})[0] == 403


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ([], "Unrecognized options for login request"),
        ([{"ldap": True}], "Unrecognized options for login request"),
        ([{"user": {}, "password": "x"}], "Match failed"),
        ([{"user": {"username": "a", "email": "b"}, "password": "x"}], "Match failed"),
        ([{"user": {"username": "a"}, "password": {"digest": "x", "algorithm": "md5"}}], "Match failed"),
        ([{"user": "a", "password": 7}], "Match failed"),
    ],
)
def test_a_login_of_another_shape_is_refused(house: House, params, reason):
    assert house.panel().refused("login", *params) == (400, reason)


def test_what_is_registered_can_log_in(house: House):
    panel = house.at_the_door()
    group = panel.result("registerClientGroup2x", "myNewGroup")
    assert group["groupName"] == "myNewGroup" and len(group["groupToken"]) == 43
    error = panel.error("registerClientGroup2x", "myNewGroup")
    text = "Unable to register client group with that name!"
    assert error == {"isClientSafe": True, "error": text, "message": f"[{text}]", "errorType": "Meteor.Error"}
    nobody = house.panel()
    user = nobody.result("registerIntegrationUser", group["groupToken"])
    assert user["profile"]["clientGroup"] == "myNewGroup" and user["username"].startswith("device")
    assert user["createdAt"] == {"$date": wiring.clock()}
    assert nobody.log_in(user["username"], group["groupToken"])["id"] == user["_id"]
    reason = "Error while registering dev integration user!"
    assert nobody.refused("registerIntegrationUser", "wrong") == (401, reason)
    assert house.panel().refused("registerClientGroup2x", "another")[0] == 401


def test_a_group_that_is_deleted_lets_nobody_go_on(house: House, world: World):
    room = house.room()
    panel = house.at_the_door()
    panel.subscribe("allBookings", "ALL")
    delete_group(house.caller, house.group.id)
    house.book(room)
    world.settle()
    assert panel.hear() == [] and panel.documents["bookings"] == {}
    assert panel.refused("getAvailableRoomsAdvancedNew", {})[0] == 401


def test_a_method_that_there_is_not_is_said_so_and_updated_all_the_same(house: House):
    panel = house.at_the_door()
    assert panel.refused("danceMethod", {}) == (404, "Method 'danceMethod' not found")


# Subscribing


def test_a_room_is_shown_as_the_document_has_it(house: House):
    beamer = plain.create(house.caller, EQUIPMENT, {"name": "Fika"}).id
    room = house.room(capacity=4, equipment={"lights": True, "wifi": False}, customEquipment={beamer: True})
    panel = house.at_the_door()
    (added,) = panel.subscribe("allRooms", room.evoko_id)
    assert (added["msg"], added["collection"], added["id"]) == ("added", "rooms", room.evoko_id)
    fields = added["fields"]
    assert (fields["name"], fields["mail"], fields["numberOfSeats"]) == ("Fika room", room.email, 4)
    assert fields["equipment"] | {"lights": True, "wifi": False} == fields["equipment"]
    assert fields["equipment"]["projector"] is None and len(fields["equipment"]) == 11
    assert fields["customEquipment"] == [{"_id": beamer, "name": "Fika", "isChecked": True}]
    assert (fields["isActive"], fields["isDeleted"], fields["userIds"], fields["structureId"]) == (
        True,
        False,
        [],
        None,
    )


def test_the_other_collections_hold_what_was_set_up(house: House, world: World):
    country = structures.create(house.caller, {"name": "Sweden", "level": "country"}).id
    floor = structures.create(house.caller, {"name": "Ground", "level": "floor", "parent": country}).id
    room = house.room(structure=floor, auth={"bookMeetingSettings": True})
    item = plain.create(house.caller, EQUIPMENT, {"name": "Fika"}).id
    ann = house.person("Ann", email="ann@museum.example", pin="0123", password="turf cutters")
    panel = house.at_the_door()
    for name, *params in (["structuresFlat"], ["customEquipment"], ["users"], ["specificSettings", room.evoko_id]):
        panel.subscribe(name, *params)
    documents = panel.documents
    assert documents["structures_flat"][floor] == {
        "name": "Ground",
        "level": 4,
        "parent": country,
        "roomIds": [room.evoko_id],
    }
    assert documents["customEquipment"] == {item: {"name": "Fika"}}
    shown = documents["users"][ann]
    assert shown["profile"]["name"] == "Ann" and shown["profile"]["hasPin"] is True and "0123" not in str(shown)
    settings = documents["settings"][room.evoko_id]
    assert settings["bookMeetingSettings"] == {"auth": True} and settings["reportSettings"] == {"auth": False}
    world.settle()
    panel.hear()
    people.update(house.caller, ROOTS, ann, {"name": "Anna"})
    plain.create(house.caller, EQUIPMENT, {"name": "More fika"})
    structures.create(house.caller, {"name": "Norway", "level": "country"})
    setup.update(house.caller, room.id, SentRoom(auth={"reportSettings": True}))
    world.settle()
    panel.hear()
    assert documents["users"][ann]["profile"]["name"] == "Anna"
    assert {each["name"] for each in documents["customEquipment"].values()} == {"Fika", "More fika"}
    assert len(documents["structures_flat"]) == 3
    assert documents["settings"][room.evoko_id]["reportSettings"] == {"auth": True}


def test_a_subscription_that_there_is_not_or_that_names_no_room_is_refused(house: House):
    panel = house.at_the_door()
    (answer,) = panel.say({"msg": "sub", "id": "s", "name": "everything", "params": []})
    assert (answer["msg"], answer["id"]) == ("nosub", "s")
    assert (answer["error"]["error"], answer["error"]["reason"]) == (404, "Subscription 'everything' not found")
    (answer,) = panel.say({"msg": "sub", "id": "s", "name": "allBookings", "params": []})
    assert (answer["error"]["error"], answer["error"]["reason"]) == (400, "Parameter roomId not specified!")
    assert panel.subscribe("allRooms", "no such room") == []


def test_a_subscription_with_an_id_that_is_in_use_is_ignored(house: House):
    house.room()
    panel = house.at_the_door()
    assert len(panel.subscribe("allRooms", "ALL", sub="s")) == 1
    assert panel.say({"msg": "sub", "id": "s", "name": "users", "params": []}) == []


def test_what_two_subscriptions_cover_is_sent_once_and_removed_with_the_last(house: House):
    one, other = house.room(), house.room("Another")
    panel = house.at_the_door()
    assert len(panel.subscribe("allRooms", one.evoko_id, sub="one")) == 1
    assert [each["id"] for each in panel.subscribe("allRooms", "ALL", sub="all")] == [other.evoko_id]
    assert panel.unsubscribe("one") == []
    gone = panel.unsubscribe("all")
    assert {each["msg"] for each in gone} == {"removed"} and {each["id"] for each in gone} == {
        one.evoko_id,
        other.evoko_id,
    }


def test_unsubscribing_is_answered_also_when_there_was_nothing(house: House):
    assert house.panel().unsubscribe("never was") == []


def test_what_was_subscribed_to_before_the_login_fills_with_it(house: House):
    room = house.room()
    panel = house.panel()
    assert panel.subscribe("allRooms", room.evoko_id) == []
    panel.log_in()
    assert panel.documents["rooms"].keys() == {room.evoko_id}


def test_after_a_reconnection_a_client_unsubscribes_and_subscribes_as_before(house: House):
    room = house.room()
    token = house.at_the_door().log_in()["token"]
    panel = house.panel()
    panel.result("login", {"resume": token})
    assert panel.unsubscribe("s1") == []
    assert [each["id"] for each in panel.subscribe("allRooms", "ALL", sub="s1")] == [room.evoko_id]


def test_one_account_s_panels_see_nothing_of_another_s(house: House, world: World):
    house.room()
    assert world.stranger.key  # makes the other account
    own = world.account
    world.account = next(row["account"] for row in world.rows().values() if row["k"] == "key" and row["account"] != own)
    other = House(world, house.wires)
    panel = other.at_the_door()
    assert panel.subscribe("allRooms", "ALL") == [] == panel.subscribe("users")
