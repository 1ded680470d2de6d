"""Tables of rooms through RoomVox's API: looked at before, read in, written out again."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost import wiring
from fingerpost.errors import Invalid
from fingerpost.rooms.model import Room
from fingerpost.rooms.roomvox import importing, table
from tests.functions.roomvox import glass_room, vox
from tests.functions.world import Answer, Client, World

TABLES = "/apps/roomvox/api/rooms"
BOUNDARY = "----museum"
TWO = b"name,email,capacity\nHarbour Room,harbour@museum.example,8\nLantern Room,lantern@museum.example,4\n"


def sent(client: Client, path: str, content: bytes | None, mode: str | None = None) -> Answer:
    """As a browser, or `curl -F file=@rooms.csv -F mode=update`, sends it."""
    parts = []
    if mode is not None:
        parts.append(b'Content-Disposition: form-data; name="mode"\r\n\r\n' + mode.encode())
    if content is not None:
        head = b'Content-Disposition: form-data; name="file"; filename="rooms.csv"\r\nContent-Type: text/csv\r\n\r\n'
        parts.append(head + content)
    body = b"".join(f"--{BOUNDARY}\r\n".encode() + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()
    headers = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    return client.post(f"{TABLES}/{path}", raw_body=body, headers=headers)


def preview(client: Client, content: bytes) -> Any:
    answer = sent(client, "import/preview", content)
    assert answer.status == 200, answer
    return answer.document


def imported(client: Client, content: bytes, mode: str | None = None) -> Any:
    answer = sent(client, "import", content, mode)
    assert answer.status == 200, answer
    return answer.document


@pytest.fixture
def admin(world: World) -> Client:
    return vox(world, "admin")


def test_a_preview_says_what_would_come_of_each_line_and_does_nothing(world: World, admin: Client):
    glass_room(world, email="glass@museum.example")
    before = world.rows()
    content = b"name,email,capacity\nGlass Room,,6\nOther,GLASS@museum.example,6\nNew,new@museum.example,many\n\n"
    found = preview(admin, content)
    assert {key: row for key, row in world.rows().items() if row["k"] != "roomKey"} == {
        key: row for key, row in before.items() if row["k"] != "roomKey"
    }
    assert (found["columns"], found["total"], found["detected_format"]) == (["name", "email", "capacity"], 3, "roomvox")
    assert [(each["line"], each["action"], each["matchedId"], each["matchedName"]) for each in found["rows"]] == [
        (2, "update", "glass-room", "Glass Room"),
        (3, "update", "glass-room", "Glass Room"),
        (4, "create", None, None),
    ]
    assert found["rows"][0]["data"] == {"name": "Glass Room", "capacity": "6"}
    assert [each["errors"] for each in found["rows"]] == [[], [], ["capacity: 'many' is no number"]]


def test_rooms_are_made_and_those_that_there_are_stay_as_they_are(world: World, operator: Client, admin: Client):
    nothing_wrong = {"errors": [], "remaining": 0}
    assert imported(admin, TWO) == {"created": 2, "updated": 0, "skipped": 0, **nothing_wrong}
    assert imported(admin, TWO) == {"created": 0, "updated": 0, "skipped": 2, **nothing_wrong}
    changed = TWO.replace(b",8", b",9")
    assert imported(admin, changed)["skipped"] == 2
    assert imported(admin, changed, "update") == {"created": 0, "updated": 1, "skipped": 1, **nothing_wrong}
    rooms = {each["slug"]: each for each in operator.read("/rooms")}
    assert {name: each["capacity"] for name, each in rooms.items()} == {"harbour-room": 9, "lantern-room": 4}
    audited = operator.read("/audit?what=room")
    assert len(audited) == 3
    assert world.scan(rooms["harbour-room"]["shortId"]).status == 307, "each has a code"


def test_lines_that_are_wrong_keep_no_other_from_being_done(world: World, admin: Client):
    content = (
        b"name;email;facilities\nA;a@museum.example;wifi\n;b@museum.example;\nC;nowhere;\nD;a@museum.example;sauna\n"
    )
    found = imported(admin, content, "update")
    assert (found["created"], found["skipped"]) == (1, 0)
    assert [(each["line"], each["name"]) for each in found["errors"]] == [(3, ""), (4, "C"), (5, "D")]
    assert found["errors"][0]["errors"] == ["name: a room needs a name"]
    assert "e-mail" in found["errors"][1]["errors"][0] and "sauna" in found["errors"][2]["errors"][0]


def test_a_line_about_a_room_of_an_earlier_line_is_an_update_of_it(admin: Client):
    found = imported(admin, b"name,capacity\nA,4\nA,5\n", "update")
    assert (found["created"], found["updated"]) == (1, 1)


def test_what_exchange_exports_is_read(world: World, admin: Client):
    content = (
        "\ufeffDisplayName\tPrimarySmtpAddress\tResourceCapacity\tTags\r\nMünster\tm@museum.example\t6\tBeamer\r\n"
    )
    assert preview(admin, content.encode())["detected_format"] == "ms365"
    assert imported(admin, content.encode())["created"] == 1
    (room,) = admin.read("/api/v1/rooms")
    assert (room["name"], room["capacity"], room["facilities"]) == ("Münster", 6, ["projector"])
    older = "name;capacity\nCafé;4\n".encode("cp1252")
    assert imported(admin, older)["created"] == 1
    assert {each["name"] for each in admin.read("/api/v1/rooms")} == {"Münster", "Café"}


def test_what_is_exported_can_be_imported_and_changes_nothing(world: World, admin: Client):
    address = {"building": "Harbour Museum", "street": "1 Pier Road", "postalCode": "D01 X2Y3", "city": "Dublin"}
    glass_room(
        world,
        address=address,
        description="a, b\n=c",
        equipment={"wifi": True, "ac": False},
        approval=True,
        number="-1",
    )
    glass_room(world, slug="other", capacity=7, type="studio", active=False)
    answer = admin.get(f"{TABLES}/export")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert imported(admin, answer.content, "update")["skipped"] == 2
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert {row["roomNumber"] for row in rows} == {"'-1", ""}, "no spreadsheet takes it for a formula"
    sample = admin.get(f"{TABLES}/sample-csv").content
    assert preview(admin, sample)["rows"][0]["errors"] == []


def test_only_an_admin_token_imports_and_one_for_some_rooms_those_alone(world: World, admin: Client):
    mine, other = glass_room(world, email="mine@museum.example"), glass_room(world, slug="other")
    refused = {"error": "Insufficient permissions. Required scope: admin"}
    for path in ("import", "import/preview", "import/uploads"):
        assert sent(vox(world, "book"), path, TWO).document == refused
    bound = vox(world, "admin", rooms=[mine["id"]])
    table_of_all = admin.get(f"{TABLES}/export").content
    assert len(bound.get(f"{TABLES}/export").content.splitlines()) == 2 < len(table_of_all.splitlines())
    content = f"name,email,capacity\nMine,mine@museum.example,3\nX,{other['email']},3\nNew,,3\n".encode()
    found = imported(bound, content, "update")
    assert found["updated"] == 1
    assert {each["errors"][0] for each in found["errors"]} == {"Token does not have access to this room"}
    shown = preview(bound, content)["rows"]
    assert [each["matchedId"] for each in shown] == ["glass-room", None, None]


@pytest.mark.parametrize(
    ("content", "mode", "status", "error"),
    [
        (None, "create", 400, "No file uploaded"),
        (TWO, "replace", 400, "Invalid mode: create, update"),
        (b"", None, 400, "The first line of the file names its columns, one of them name or DisplayName"),
        (b"\x00\x01", None, 400, "The file is no text"),
        (b'name\n"' + b"x" * 1_000_001, None, 400, "Line 2 is no CSV: field larger than field limit (1000000)"),
        (b"x" * (table.MAX_BYTES + 1), None, 413, "File too large. Maximum size is 5 MB (5,242,880 bytes)"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(admin: Client, content, mode, status, error):
    answer = sent(admin, "import", content, mode)
    assert (answer.status, answer.document) == (status, {"error": error})
    assert admin.post(f"{TABLES}/import").document == {"error": "No file uploaded"}


def test_a_file_of_five_megabytes_is_read(admin: Client):
    line = b"Room %d,,1," + b"x" * 1_000 + b"\n"
    content = b"name,email,capacity,unknown\n" + b"".join(line % number for number in range(4_900))
    content += b"\n" * (table.MAX_BYTES - len(content))
    found = preview(admin, content)
    assert found["total"] == 4_900 and found["rows"][0]["data"] == {"name": "Room 0", "capacity": "1"}


def test_what_the_time_of_a_request_is_too_short_for_is_done_by_the_next(monkeypatch, admin: Client):
    from functions.roomvox import app

    with monkeypatch.context() as patch:
        patch.setattr(app, "IMPORT_SECONDS", 0)
        assert imported(admin, TWO)["remaining"] == 2
    assert imported(admin, TWO)["created"] == 2


def test_a_table_is_sent_as_it_is_too(admin: Client):
    answer = admin.post(f"{TABLES}/import?mode=update", raw_body=TWO, headers={"content-type": "text/csv"})
    assert answer.document["created"] == 2


class Bucket:
    """Blobs to which others put, as those of AWS."""

    def __init__(self, blobs: Any):
        self._blobs = blobs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blobs, name)

    def upload_address(self, name: str, *, content_type: str, seconds: int) -> str:
        return f"https://bucket.example/{name}?for={seconds}"


def test_a_file_that_no_request_carries_is_put_where_the_413_says(world: World, monkeypatch, admin: Client):
    monkeypatch.setattr(wiring, "bundles", lambda: Bucket(world.bundles))
    answer = sent(admin, "import/preview", TWO + b"x" * importing.CARRIED_BYTES)
    assert answer.status == 413
    upload = answer.document["upload"]
    assert (upload["method"], upload["contentType"]) == ("PUT", "text/csv")
    asked = admin.post(f"{TABLES}/import/uploads")
    assert asked.status == 201 and asked.document["name"] != upload["name"]
    blob = upload["url"].removeprefix("https://bucket.example/").partition("?")[0]
    body = {"upload": upload["name"], "mode": "update"}
    assert admin.post(f"{TABLES}/import", body).document == {"error": "Upload not found"}
    world.bundles.put_if_absent(blob, TWO, content_type="text/csv")
    assert admin.post(f"{TABLES}/import/preview", body).document["total"] == 2
    assert admin.post(f"{TABLES}/import/preview", {"upload": "../x"}).status == 404
    assert admin.post(f"{TABLES}/import", body).document["created"] == 2
    assert world.bundles.head(blob) is None, "it is gone when it is done"
    world.bundles.put_if_absent(blob, b"x" * (table.MAX_BYTES + 1), content_type="text/csv")
    assert admin.post(f"{TABLES}/import", body).status == 413


def test_where_requests_carry_every_file_there_is_no_other_address(admin: Client):
    answer = admin.post(f"{TABLES}/import/uploads")
    assert (answer.status, set(answer.document)) == (409, {"error"})


@given(st.lists(st.tuples(*[st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)] * 3), max_size=6))
def test_every_text_survives_being_written_and_read(texts):
    rooms = [
        Room(id="U", account="A", name=f"x{name}", slug="x", zone="UTC", kind=kind, description=about)
        for name, kind, about in texts
    ]
    lines = table.read(table.written(rooms).encode()).lines
    assert [(each.cells["name"], each.cells["roomType"], each.cells["description"]) for each in lines] == [
        (room.name, room.kind, room.description) for room in rooms
    ]


@given(st.binary(max_size=200))
def test_whatever_a_file_holds_it_is_read_or_refused(content):
    try:
        table.read(b"name,email\n" + content)
        table.read(content)
    except Invalid:
        return
