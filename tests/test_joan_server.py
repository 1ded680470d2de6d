"""Joan's own example code on a running server: requests_oauthlib, the document's curl lines; a race with others."""

import json
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError
from requests_oauthlib import OAuth2Session

from tests.running import Server, running

RACERS = 40
TOMORROW = datetime.now(UTC).date() + timedelta(days=1)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("joan")) as each:
        yield each


@pytest.fixture(autouse=True)
def plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


def told(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((server.home / ".fingerpost" / "demo.json").read_text())
    return found


def session_of(server: Server, secret: str | None = None) -> OAuth2Session:
    """As the document's example gets its token."""
    joan = told(server)["joan"]
    session = OAuth2Session(client=BackendApplicationClient(client_id=joan["clientId"]))
    session.fetch_token(
        token_url=f"{server.api}/api/token/",
        client_id=joan["clientId"],
        client_secret=secret or joan["clientSecret"],
    )
    return session


def at(hour: int, minute: int = 0) -> str:
    return f"{TOMORROW}T{hour:02d}:{minute:02d}:00Z"


def test_the_python_example_gets_a_token_and_the_rooms(server: Server):
    session = session_of(server)
    token = session.token
    assert (token["token_type"], token["expires_in"], token["scope"]) == ("Bearer", 36_000, ["read", "write"])
    response = requests.get(
        f"{server.api}/api/v1.0/rooms/", headers={"Authorization": "Bearer " + token["access_token"]}, timeout=30
    )
    assert response.status_code == 200
    assert {each["name"] for each in response.json()["results"]} >= {"Harbour Room", "Lantern Room", "Council Room"}
    with pytest.raises(InvalidClientError):
        session_of(server, "wrong")


def test_the_curl_examples_work_as_they_are_written(server: Server):
    joan = told(server)["joan"]

    def curl(line: str) -> Any:
        written = line.replace("https://portal.getjoan.com", server.api)
        return json.loads(subprocess.run(shlex.split(written), capture_output=True, check=True, timeout=30).stdout)

    token = curl(
        f"curl -u {joan['clientId']}:{joan['clientSecret']} https://portal.getjoan.com/api/token/ "
        "-d 'grant_type=client_credentials'"
    )
    assert set(token) == {"access_token", "token_type", "expires_in", "scope"}
    rooms = curl(
        f'curl -H "Authorization: Bearer {token["access_token"]}" -X GET https://portal.getjoan.com/api/v1.0/rooms/'
    )
    assert set(rooms) == {"count", "next", "previous", "results"}
    assert {"id", "name", "email", "manualEntry"} <= rooms["results"][0].keys()


def test_a_script_spends_a_day_with_a_room(server: Server):
    session, base, room = session_of(server), f"{server.api}/api/v1.0", told(server)["rooms"]["second"]

    def post(path: str, status: int = 200, **sent: Any) -> Any:
        response = session.post(f"{base}/{path}/", json=sent)
        assert response.status_code == status, response.text
        return response.json()

    booked = {"source": room["email"], "start": at(9), "end": at(10), "timezone": "America/Detroit", "title": "Talk"}
    event = post("events/book", 201, **booked, organizer="ann@museum.example", auto_confirm=True)
    named = {"event_id": event["id"], "room_id": event["resource"]}
    assert event["organizer"]["displayName"] == "Ann Keane"
    post("events/book", 409, **{**booked, "title": "Other"})
    free = post("get_room", eventStart=at(9), duration=30)["results"]
    assert room["joanId"] not in [each["id"] for each in free]
    post("events/extend", **named, extend_until=at(10, 30))
    invited = post("events/invite", **named, event_name="Talk", room_name="Lantern Room", email="ben@museum.example")
    page = requests.get(invited["confirm"], headers={"Accept": "text/html"}, timeout=30)
    assert (page.status_code, "You have accepted" in page.text) == (200, True)
    moved = {"old_calendar_id": event["resource"], "new_calendar_name": "Harbour Room"}
    main = told(server)["rooms"]["main"]
    post("events/move", event_id=event["id"], new_calendar_id=main["email"], **moved)
    [shown] = [
        each
        for schedule in session.get(f"{base}/events/").json()
        for each in schedule["events"]
        if each["id"] == event["id"]
    ]
    assert (shown["resource"], shown["attendees"][0]["responseStatus"]) == (main["email"], "accepted")
    post("events/cancel", event_id=event["id"], room_id=main["joanId"], timezone="America/Detroit")
    device = session.get(f"{base}/devices/").json()["results"][0]
    assert device["calendar"] == main["email"]
    assert post("events/book", 201, source=device["uuid"], start=at(9), end=at(10))["resource"] == main["email"]
    assert session.get(f"{base}/rooms").status_code == 200  # without the slash, and without a redirect


def test_of_forty_who_want_a_slot_through_three_apis_one_gets_it(server: Server):
    """Whoever comes too late is refused in the words of the API that was asked."""
    room, start = told(server)["rooms"]["second"], int(datetime.fromisoformat(at(15)).timestamp()) * 1_000
    joan = {"Authorization": f"Bearer {session_of(server).token['access_token']}"}
    roomvox = {"Authorization": f"Bearer {told(server)['roomvox']['book']}"}
    times = {"start": at(15), "end": at(16)}
    ways: list[tuple[str, dict[str, str], dict[str, Any]]] = [
        (f"{server.api}/api/v1.0/events/book/", joan, {"source": room["joanId"], **times}),
        (f"{server.api}/apps/roomvox/api/v1/rooms/{room['roomvoxId']}/bookings", roomvox, times),
        (f"{server.api}/rooms/{room['id']}/bookings", {"Authorization": server.key}, times),
    ]

    def race(number: int) -> tuple[int, int, Any]:
        address, headers, sent = ways[number % 3]
        response = requests.post(address, json={**sent, "title": f"Racer {number}"}, headers=headers, timeout=60)
        return response.status_code, number % 3, response.json()

    with ThreadPoolExecutor(RACERS) as threads:
        answers = list(threads.map(race, range(RACERS)))
    assert sorted(status for status, _, _ in answers) == [201, *[409] * (RACERS - 1)]
    words = {way: document for status, way, document in answers if status == 409}
    assert words[0] == {"detail": "The room is already booked during this time."}
    assert words[1] == {"error": "Room is already booked during this time"}
    assert words[2]["code"] == "taken"
    assert len(server.ask(f"/rooms/{room['id']}/bookings?from={start}&to={start + 3_600_000}")) == 1
