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
