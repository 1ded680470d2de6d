"""Rooms, and what opens the room APIs, from the command line, against a running server."""

import json

import pytest


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def test_a_room_is_made_shown_changed_and_removed(fingerpost):
    made = fingerpost("rooms", "add", "Glass Room", "--capacity", "6", "--timezone", "Europe/Dublin", "--json").json
    assert (made["slug"], made["capacity"]) == ("glass-room", 6)
    assert "Glass Room" in fingerpost("rooms", "list", "--filter", "capacity=6").out
    assert made["shortUrl"] in fingerpost("rooms", "show", "glass-room").out
    for change in ("equipment.wifi=true", "equipment.wifi=false"):
        changed = fingerpost("rooms", "set", made["email"], "capacity=7", change, "rules.opens=08:00", "--json").json
    assert (changed["capacity"], changed["equipment"]) == (7, {"wifi": False})
    assert changed["rules"] == {"opens": "08:00"}
    assert "no FIELD=VALUE" in fingerpost("rooms", "set", "glass-room", "capacity", code=2).err
    assert fingerpost("rooms", "remove", "glass-room", code=2).out == ""
    fingerpost("rooms", "remove", made["id"], "--yes")
    assert "There is no room glass-room" in fingerpost("rooms", "show", "glass-room", code=2).err


def test_a_room_with_a_manager_waits_for_approval(fingerpost, server):
    made = fingerpost("rooms", "add", "Attic", "--manager", "keeper@museum.example", "--json").json
    assert made["approval"] is True
    slot = {"start": "2999-01-01T10:00:00Z", "end": "2999-01-01T11:00:00Z", "title": "Hanging"}
    server.ask(f"/rooms/{made['id']}/bookings", slot)
    told = fingerpost("rooms", "bookings", "attic", "--from", "2999-01-01", "--to", "2999-01-02").out
    assert "Hanging" in told and "tentative" in told
    assert fingerpost("rooms", "bookings", "attic", "--json").json == []


def test_rooms_are_imported_from_a_table_and_again_from_a_changed_one(fingerpost, tmp_path):
    table = tmp_path / "rooms.csv"
    table.write_text(
        "\ufeffDisplayName;PrimarySmtpAddress;ResourceCapacity;Tags\r\n"
        "Quay Room;quay@museum.example;4;wifi,beamer\r\nPier Room;pier@museum.example;many;\r\n"
    )
    rehearsed = fingerpost("rooms", "import", str(table), "--dry-run", "--json", code=1).json
    assert [each["what"] for each in rehearsed] == ["would be made", "failed"]
    first = fingerpost("rooms", "import", str(table), "--json", code=1).json
    assert [each["what"] for each in first] == ["made", "failed"]
    assert first[1]["why"] == ["capacity: 'many' is no number"]
    table.write_text("name,email,facilities\nQuay Room West,quay@museum.example,display\n")
    (second,) = fingerpost("rooms", "import", str(table), "--json").json
    assert (second["what"], second["id"]) == ("changed", first[0]["id"])
    shown = fingerpost("rooms", "show", "quay-room", "--json").json
    assert (shown["name"], shown["capacity"]) == ("Quay Room West", 4)
    assert shown["equipment"] == {"wifi": True, "projector": True, "display": True}
    table.write_text("seats\n4\n")
    assert "no column with names" in fingerpost("rooms", "import", str(table), code=2).err


def test_a_token_is_printed_once_and_revoked(fingerpost):
    made = fingerpost(
        "rooms", "tokens", "add", "roomvox", "Door", "--scope", "book", "--room", "harbour-room", "--json"
    )
    token = made.json
    assert token["token"].startswith("rvx_") and token["scope"] == "book"
    listed = fingerpost("rooms", "tokens", "list").out
    assert token["prefix"] in listed and token["token"] not in listed
    assert fingerpost("rooms", "tokens", "revoke", "roomvox", token["id"], code=2).out == ""
    fingerpost("rooms", "tokens", "revoke", "roomvox", token["id"], "--yes")
    assert token["id"] not in fingerpost("rooms", "tokens", "list").out
    for api, secret in (("joan", "clientSecret"), ("evoko", "groupToken")):
        assert fingerpost("rooms", "tokens", "add", api, "Lobby", "--json").json[secret]
    assert "There is no API zoom" in fingerpost("rooms", "tokens", "add", "zoom", "x", code=2).err


def test_people_come_get_another_pin_and_go(fingerpost):
    made = fingerpost(
        "rooms", "people", "add", "Dora", "--email", "dora@museum.example", "--pin", "9876", "--json"
    ).json
    assert (made["hasPin"], made["hasRfid"]) == (True, False)
    assert "somebody else has this PIN" in fingerpost("rooms", "people", "add", "Eva", "--pin", "9876", code=3).err
    person = fingerpost("rooms", "people", "set", "dora@museum.example", "--pin", "", "--rfid", "04:AA", "--json").json
    assert (person["hasPin"], person["hasRfid"]) == (False, True)
    assert "dora@museum.example" in fingerpost("rooms", "people", "list").out
    fingerpost("rooms", "people", "remove", made["id"], "--yes")
    assert "Nobody is called" in fingerpost("rooms", "people", "set", "dora@museum.example", code=2).err


def test_a_hub_is_made_and_somebody_let_in_and_shown_out(fingerpost):
    hub = fingerpost("rooms", "hubs", "add", "Lantern meetings", "--room", "lantern-room", "--json").json
    sent = ("Lantern meetings", "Ann", "ann@museum.example", "--privilege", "write", "--json")
    member = fingerpost("rooms", "hubs", "let-in", *sent).json
    assert (member["hub"], member["privilege"], len(member["key"])) == (hub["id"], "write", 40)
    rows = json.loads(fingerpost("rooms", "hubs", "list", "--json").out)
    assert [each["id"] for row in rows if row["id"] == hub["id"] for each in row["members"]] == [member["id"]]
    fingerpost("rooms", "hubs", "show-out", hub["id"], member["id"])
    assert member["id"] not in fingerpost("rooms", "hubs", "list").out


def test_a_house_is_set_up_with_floors_equipment_and_a_panel_at_a_door(fingerpost):
    fingerpost("rooms", "structures", "add", "Custom House", "--level", "building")
    floor = fingerpost("rooms", "structures", "add", "Loft", "--level", "floor", "--in", "Custom House", "--json").json
    (told,) = (line for line in fingerpost("rooms", "structures", "list").out.splitlines() if "Loft" in line)
    assert "Custom House" in told and "floor" in told
    easel = fingerpost("rooms", "equipment", "add", "Easel", "--json").json["id"]
    fingerpost("rooms", "add", "Loft Room", "--structure", floor["id"])
    fingerpost("rooms", "add", "Gable Room")
    shown = fingerpost("rooms", "set", "loft-room", f"customEquipment.{easel}=true", "--json").json
    assert (shown["structure"], shown["customEquipment"]) == (floor["id"], {easel: True})
    assert "in it" in fingerpost("rooms", "structures", "remove", "Loft", "--yes", code=3).err
    fingerpost("rooms", "structures", "rename", "Loft", "Attic")
    fingerpost("rooms", "equipment", "rename", "Easel", "Tripod")
    assert "Tripod" in fingerpost("rooms", "equipment", "list").out

    fingerpost("rooms", "devices", "add", "d-1", "loft-room", "--model", "joan-6")
    fingerpost("rooms", "devices", "move", "d-1", "gable-room")
    assert "Gable Room" in fingerpost("rooms", "devices", "list").out
    fingerpost("rooms", "devices", "remove", "d-1", "--yes")
    assert "There is no device d-1" in fingerpost("rooms", "devices", "remove", "d-1", "--yes", code=2).err
    fingerpost("rooms", "set", "loft-room", "structure=null", "customEquipment={}")
    fingerpost("rooms", "equipment", "remove", "Tripod", "--yes")
    fingerpost("rooms", "structures", "remove", "Attic", "--yes")


def test_bookings_are_made_approved_declined_and_cancelled_and_a_booked_room_stays(fingerpost):
    fingerpost("rooms", "add", "Crypt", "--manager", "keeper@museum.example")
    waiting = [
        fingerpost("rooms", "book", "crypt", f"+{hour}h", "--title", "Vigil", "--json").json for hour in (1, 3, 5)
    ]
    assert {each["state"] for each in waiting} == {"tentative"}
    first, second, third = (each["id"] for each in waiting)
    assert "confirmed" in fingerpost("rooms", "approve", "crypt", first).out
    assert "declined" in fingerpost("rooms", "decline", "crypt", second).out
    fingerpost("rooms", "cancel", "crypt", third)
    assert [each["id"] for each in fingerpost("rooms", "bookings", "crypt", "--json").json] == [first]
    assert "are ahead: 1." in fingerpost("rooms", "remove", "crypt", "--yes", code=3).err
    fingerpost("rooms", "remove", "crypt", "--yes", "--cancel-bookings")


def test_a_token_may_end_by_itself(fingerpost):
    made = fingerpost("rooms", "tokens", "add", "roomvox", "Fair", "--expires", "2999-01-01T00:00:00Z", "--json").json
    assert made["expiresAt"] == 32_472_144_000_000
    assert "no moment" in fingerpost("rooms", "tokens", "add", "roomvox", "Fair", "--expires", "soon", code=2).err
