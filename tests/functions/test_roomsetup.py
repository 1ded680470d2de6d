"""What rooms are set up with, through the operators' API."""

import pytest

from fingerpost.errors import Unauthenticated
from fingerpost.rooms import credentials, hubs, logins
from tests.functions.people import colleague, operator_role
from tests.functions.rooms import room
from tests.functions.world import ROOTS, SUNDAY_NOON, Client, World

LEVELS = ("country", "city", "building", "floor")


def structure(operator: Client, level: str, parent: str | None = None) -> str:
    sent = {"name": level, "level": level, **({"parent": parent} if parent else {})}
    made: str = operator.made("/rooms/structures", sent)["id"]
    return made


def test_a_floor_is_in_a_building_in_a_city_in_a_country(world: World, operator: Client):
    parent: str | None = None
    for level in LEVELS[:2]:
        parent = structure(operator, level, parent)
    building = world.answered("roomsetup/create-building").document
    assert operator.put(f"/rooms/structures/{building['id']}", {"parent": parent}).document["parent"] == parent
    parent = building["id"]
    floor = world.answered("roomsetup/create-floor", STRUCTURE=str(parent)).document
    assert (floor["name"], floor["parent"]) == ("Ground floor", parent)
    assert room(world, structure=floor["id"])["structure"] == floor["id"]
    path = f"/rooms/structures/{floor['id']}"
    tag = operator.get(path).headers["etag"]
    assert operator.put(path, {"name": "First floor"}, headers={"if-match": tag}).document["name"] == "First floor"
    assert operator.put(path, {"name": "Cellar"}, headers={"if-match": tag}).status == 412


def test_nothing_is_in_itself_nor_in_what_is_in_it(world: World, operator: Client):
    country = structure(operator, "country")
    city = structure(operator, "city", country)
    other = structure(operator, "city")
    for what, parent in ((city, city), (country, city), (city, other), (city, "U" * 24)):
        answer = operator.put(f"/rooms/structures/{what}", {"parent": parent})
        assert (answer.status, answer.document["details"][0]["field"]) == (400, "parent")
    assert operator.post("/rooms/structures", {"name": "x", "level": "city", "parent": other}).status == 400
    assert operator.post("/rooms/structures", {"name": "x", "level": "shed"}).status == 400


def test_a_structure_is_deleted_when_nothing_is_in_it(world: World, operator: Client):
    country = structure(operator, "country")
    city = structure(operator, "city", country)
    made = room(world, structure=city)["id"]
    assert "structure city is in it" in operator.delete(f"/rooms/structures/{country}").error
    assert "room Harbour Room is in it" in operator.delete(f"/rooms/structures/{city}").error
    operator.put(f"/rooms/{made}", {"structure": None})
    for each in (city, country):
        assert operator.delete(f"/rooms/structures/{each}").status == 200


def test_equipment_of_ones_own_is_in_rooms(world: World, operator: Client):
    lectern = operator.made("/rooms/equipment", {"name": "Lectern"})["id"]
    assert room(world, customEquipment={lectern: False})["customEquipment"] == {lectern: False}
    assert operator.put(f"/rooms/equipment/{lectern}", {"name": "Pulpit"}).document["name"] == "Pulpit"
    assert operator.post("/rooms/equipment", {}).status == 400


def test_a_person_is_never_shown_what_opens_anything(world: World, operator: Client):
    made = world.answered("roomsetup/add-person").document
    assert (made["hasPin"], made["hasRfid"], made["hasPassword"]) == (True, True, False)
    path = f"/rooms/people/{made['id']}"
    changed = operator.put(path, {"pin": None, "password": "turf cutters", "username": "ann", "admin": True})
    assert (changed.document["hasPin"], changed.document["hasPassword"]) == (False, True)
    digest = logins.digest_of("turf cutters")
    assert logins.log_in(world.tables, ROOTS, "username", "ann", digest, SUNDAY_NOON).kind == "admin"
    seen = repr([operator.read(path), operator.read("/rooms/people"), operator.read("/audit")])
    for secret in ("4711", "04:A2:2B:9C", "turf cutters", "argon2"):
        assert secret not in seen
    assert operator.post("/rooms/people", {"name": "Ben", "rfid": "04:a2:2b:9c"}).status == 409
    assert operator.post("/rooms/people", {"name": "Ben", "pin": "12"}).status == 400


def test_a_device_shows_a_room(world: World, operator: Client):
    made, other = room(world)["id"], room(world, "Other Room")["id"]
    device = operator.made("/rooms/devices", {"uuid": "7b0d1f52", "room": made, "battery": 80})
    assert operator.post("/rooms/devices", {"uuid": "7b0d1f52", "room": other}).status == 409
    assert operator.post("/rooms/devices", {"uuid": "x", "room": "U" * 24}).status == 400
    path = f"/rooms/devices/{device['id']}"
    assert operator.put(path, {"room": other, "battery": 12}).document["room"] == other
    assert operator.put(path, {"room": None}).status == 400
    assert operator.delete(path).status == 200
    assert operator.post("/rooms/devices", {"uuid": "7b0d1f52", "room": made}).status == 201


def test_a_hub_has_members_whose_keys_are_shown_once(world: World, operator: Client):
    made = room(world)["id"]
    hub = operator.made("/rooms/hubs", {"name": "Harbour meetings", "room": made})
    assert hub["area"] == "private"
    path = f"/rooms/hubs/{hub['id']}"
    ann = operator.made(f"{path}/members", {"name": "Ann", "email": "a@museum.example", "privilege": "admin"})
    member = hubs.member_of(world.tables, ann["key"])
    assert (member.hub, member.room, member.privilege) == (hub["id"], made, "admin")
    (shown,) = operator.read(f"{path}/members")
    assert shown == {name: value for name, value in ann.items() if name != "key"}
    assert operator.put(path, {"room": None, "area": "public"}).document["area"] == "public"
    assert hubs.member_of(world.tables, ann["key"]).room is None
    assert operator.delete(f"{path}/members/{ann['id']}").status == 200
    with pytest.raises(Unauthenticated):
        hubs.member_of(world.tables, ann["key"])
    assert operator.post("/rooms/hubs", {"name": "x", "room": "U" * 24}).status == 400


def test_a_roomvox_token_is_shown_once_and_revoked_at_once(world: World, operator: Client):
    made = room(world)["id"]
    answer = world.answered("roomsetup/create-roomvox-token", ROOM=made)
    told = answer.document
    known = credentials.roomvox_token(world.tables, told["token"], world.clock())
    assert (known.id, known.scope, known.rooms) == (told["id"], "read", frozenset({made}))
    (listed,) = operator.read("/rooms/credentials/roomvox")
    assert (listed["prefix"], listed["lastUsedAt"]) == (told["token"][:8], SUNDAY_NOON)
    assert "token" not in listed
    assert operator.delete(f"/rooms/credentials/roomvox/{told['id']}").status == 200
    with pytest.raises(Unauthenticated):
        credentials.roomvox_token(world.tables, told["token"], world.clock())
    assert operator.delete(f"/rooms/credentials/roomvox/{told['id']}").status == 404


@pytest.mark.parametrize(
    "sent",
    [
        {"name": "x"},
        {"name": "x", "scope": "owner"},
        {"name": "x", "scope": "read", "rooms": ["U" * 24]},
        {"name": "x", "scope": "read", "expiresAt": SUNDAY_NOON},
    ],
)
def test_a_roomvox_token_for_nothing_is_refused(operator: Client, sent):
    assert operator.post("/rooms/credentials/roomvox", sent).status == 400
    assert operator.read("/rooms/credentials/roomvox") == []


def test_a_joan_client_and_an_evoko_group_open_what_they_should(world: World, operator: Client):
    client = operator.made("/rooms/credentials/joan", {"name": "Lobby"})
    assert credentials.joan_client(world.tables, client["clientId"], client["clientSecret"]).id == client["id"]
    group = operator.made("/rooms/credentials/evoko", {"name": "panels"})
    assert logins.group_of(world.tables, group["groupToken"])[1].id == group["id"]
    for api, secret in (("joan", "clientSecret"), ("evoko", "groupToken")):
        (listed,) = operator.read(f"/rooms/credentials/{api}")
        assert secret not in listed
        assert operator.delete(f"/rooms/credentials/{api}/{listed['id']}").status == 200
        assert operator.read(f"/rooms/credentials/{api}") == []


def test_a_repeated_request_answers_the_same_secret_and_makes_one_credential(operator: Client):
    for api in ("joan", "evoko"):
        sent, headers = {"name": "panels"}, {"idempotency-key": api}
        made = [operator.post(f"/rooms/credentials/{api}", sent, headers=headers).document for _ in range(2)]
        assert made[0] == made[1]
        assert len(operator.read(f"/rooms/credentials/{api}")) == 1


def test_no_secret_is_in_the_audit_log_or_in_the_log(world: World, operator: Client, capfd):
    token = operator.made("/rooms/credentials/roomvox", {"name": "x", "scope": "read"})["token"]
    client = operator.made("/rooms/credentials/joan", {"name": "x"})["clientSecret"]
    group = operator.made("/rooms/credentials/evoko", {"name": "x"})["groupToken"]
    hub = operator.made("/rooms/hubs", {"name": "x"})["id"]
    sent = {"name": "Ann", "email": "a@museum.example", "privilege": "read"}
    key = operator.made(f"/rooms/hubs/{hub}/members", sent)["key"]
    told = repr(operator.read("/audit")) + "".join(capfd.readouterr())
    for secret in (token, client, group, key):
        assert secret not in told
    assert "roomvoxToken" in told


def test_credentials_are_for_who_may_change_roles_and_settings_for_who_changes_all_resources(world: World):
    editor = colleague(world, operator_role(world, "global_read", "gl_resource_update")).client
    assert editor.post("/rooms/equipment", {"name": "x"}).status == 201
    assert editor.post("/rooms/credentials/joan", {"name": "x"}).status == 403
    assert editor.read("/rooms/credentials/joan") == []


def test_a_hub_with_somebody_in_it_as_the_gateway_hands_it_over(world: World):
    made = room(world)["id"]
    hub = world.answered("roomsetup/create-hub", ROOM=made).document
    assert (hub["room"], hub["area"]) == (made, "share")
    let_in = world.answered("roomsetup/let-into-hub", HUB=hub["id"])
    assert (let_in.status, let_in.document["privilege"], len(let_in.document["key"])) == (201, "admin", 40)
