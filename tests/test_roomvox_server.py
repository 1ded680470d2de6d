"""RoomVox's document on a running server: its curl examples as they are written, a calendar that subscribes, a race."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from icalendar import Calendar

from tests.rooms.roomvox.strict import check
from tests.running import Server, running

RACERS = 40
STATUS = """
curl -H "Authorization: Bearer rvx_abc..." \\
  https://nextcloud.example.com/apps/roomvox/api/v1/rooms/boardroom/status
"""
BOOKINGS = """
curl -H "Authorization: Bearer rvx_abc..." \\
  "https://nextcloud.example.com/apps/roomvox/api/v1/rooms/boardroom/bookings?from=2026-06-02T00:00:00Z&to=2026-06-03T00:00:00Z"
"""
WALK_IN = """
curl -X POST \\
  -H "Authorization: Bearer rvx_abc..." \\
  -H "Content-Type: application/json" \\
  -d '{
    "summary": "Quick sync",
    "start": "2026-06-02T11:00:00+02:00",
    "end": "2026-06-02T11:30:00+02:00",
    "organizerEmail": "walkin@example.com"
  }' \\
  https://nextcloud.example.com/apps/roomvox/api/v1/rooms/boardroom/bookings
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("roomvox")) as each:
        each.ask("/rooms", {"name": "Boardroom", "timezone": "Europe/Amsterdam", "capacity": 10})
        yield each


def told(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((server.home / ".fingerpost" / "demo.json").read_text())
    return found


def curl(server: Server, command: str, scope: str = "book") -> Any:
    here = command.replace("https://nextcloud.example.com", server.api).replace(
        "rvx_abc...", told(server)["roomvox"][scope]
    )
    done = subprocess.run(["bash", "-c", here], cwd=server.home, capture_output=True, check=True, timeout=60)
    return json.loads(done.stdout)


def bearer(server: Server, scope: str = "book") -> dict[str, str]:
    return {"Authorization": f"Bearer {told(server)['roomvox'][scope]}"}


def test_the_curl_examples_work_as_they_are_written(server: Server):
    status = curl(server, STATUS, "read")
    assert (status["id"], status["name"], status["status"]) == ("boardroom", "Boardroom", "available")
    booked = curl(server, WALK_IN)
    assert (booked["summary"], booked["start"], booked["status"]) == (
        "Quick sync",
        "2026-06-02T11:00:00+02:00",
        "accepted",
    )
    assert curl(server, BOOKINGS, "read") == [booked]
    assert curl(server, WALK_IN) == {"error": "Room is already booked during this time"}
    assert curl(server, WALK_IN, "read") == {"error": "Insufficient permissions. Required scope: book"}
    assert curl(server, STATUS, "restricted") == {"error": "Token does not have access to this room"}
    assert curl(server, WALK_IN.replace("/boardroom/", "/council-room/"))["status"] == "pending"


def test_a_table_is_looked_at_and_imported(server: Server):
    (server.home / "rooms.csv").write_text("name,email,capacity\nAttic,attic@museum.example,3\n")
    form = 'curl -H "Authorization: Bearer rvx_abc..." -F file=@rooms.csv https://nextcloud.example.com'
    assert curl(server, f"{form}/api/rooms/import/preview", "admin")["rows"][0]["action"] == "create"
    done = curl(server, f"{form}/index.php/apps/roomvox/api/rooms/import -F mode=update", "admin")
    assert (done["created"], done["errors"]) == (1, [])
    assert "attic" in [each["id"] for each in curl(server, STATUS.replace("/boardroom/status", ""), "read")]


def test_what_an_operator_books_is_in_the_feed_at_once(server: Server):
    room = told(server)["rooms"]["main"]
    sent = {
        "start": "2026-10-19T09:00:00Z",
        "end": "2026-10-19T10:00:00Z",
        "title": "Talk",
        "rrule": "FREQ=WEEKLY;COUNT=3",
    }
    made = server.ask(f"/rooms/{room['id']}/bookings", sent)
    feed = f"{server.api}/apps/roomvox/api/v1/rooms/{room['roomvoxId']}/calendar.ics?from=2026-10-01&to=2026-12-01"
    answer = requests.get(feed, headers=bearer(server, "read"), timeout=30)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    check(answer.content)
    (event,) = Calendar.from_ical(answer.content).walk("VEVENT")
    assert (event["UID"], event["SUMMARY"], event["RRULE"]["COUNT"]) == (made["id"], "Talk", [3])
    assert event["DTSTART"].to_ical() == b"20261019T100000" and event["DTSTART"].params["TZID"] == "Europe/Dublin"


def test_of_forty_tablets_that_send_the_same_request_one_gets_the_room(server: Server):
    address = f"{server.api}/apps/roomvox/api/v1/rooms/boardroom/bookings"
    sent = {"summary": "Walk-in", "start": "2026-06-04T11:00:00+02:00", "end": "2026-06-04T11:30:00+02:00"}

    def race(_number: int) -> int:
        return requests.post(address, json=sent, headers=bearer(server), timeout=60).status_code

    with ThreadPoolExecutor(RACERS) as threads:
        statuses = list(threads.map(race, range(RACERS)))
    assert sorted(statuses) == [201, *[409] * (RACERS - 1)]
    found = requests.get(f"{address}?from=2026-06-04&to=2026-06-05", headers=bearer(server, "read"), timeout=30).json()
    assert len(found) == 1


def test_the_log_names_tokens_by_their_beginning(server: Server):
    secret = told(server)["roomvox"]["read"]
    curl(server, STATUS, "read")
    log = (server.home / "log").read_text()
    assert secret[:8] in log and secret not in log
