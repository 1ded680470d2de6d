"""No 500 for any body or query that a client of Joan's API sends, and every refusal is in its words."""

import json
from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from fingerpost.rooms.joan.words import Refusal
from tests.functions.joan import V1, JoanClient, dublin_room, joan_client
from tests.functions.test_anything import ANY_CASE, VALUES, WORDS
from tests.functions.world import Answer, Client, World

FIELDS = (
    *("event_id", "room_id", "timezone", "finish", "lifetime", "extend_until", "old_calendar_id", "new_calendar_id"),
    *("new_calendar_name", "source", "start", "end", "organizer", "title", "auto_confirm", "eventStart", "duration"),
    *("event_name", "room_name", "email", "name", "capacity", "status", "amenities"),
)
KNOWN: dict[str, Any] = {
    "timezone": "America/Detroit",
    "start": "2026-03-16T09:00",
    "end": "2026-03-16T10:00Z",
    "extend_until": "2026-03-16T11:00",
    "email": "ben@museum.example",
    "lifetime": 5,
    "new_calendar_name": "x",
    "room_name": "x",
    "event_name": "x",
    "duration": 30,
}
PATHS = ["book", "cancel", "checkin", "extend", "move", "invite"]
ADDRESSES = [*(f"events/{each}/" for each in PATHS), "get_room/", "rooms/"]
_kept: dict[int, tuple[JoanClient, dict[str, Any]]] = {}


def known(world: World) -> tuple[JoanClient, dict[str, Any]]:
    """A client, and what fits each field; made once a store."""
    if id(world) not in _kept:
        _kept.clear()
        joan, room = joan_client(world), dublin_room(world)
        names = dict.fromkeys(("room_id", "source", "old_calendar_id", "new_calendar_id"), room["email"])
        event = joan.book(room["email"])["id"]
        _kept[id(world)] = (joan, {**KNOWN, **names, "event_id": event})
    return _kept[id(world)]


def is_a_refusal(answer: Answer) -> bool:
    document: Refusal = answer.document
    return bool(document) and all(isinstance(each, str | list) and each for each in document.values())


@settings(ANY_CASE, max_examples=200)
@given(
    address=st.sampled_from(ADDRESSES),
    odd=st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3),
    left_out=st.sets(st.sampled_from(FIELDS), max_size=2),
    limit=WORDS,
)
def test_no_body_is_a_500(world: World, address, odd, left_out, limit):
    joan, fitting = known(world)
    body = {name: value for name, value in {**fitting, **odd}.items() if name not in left_out}
    text = json.dumps(body).encode()
    query = f"?limit={quote(limit)}" if address == "get_room/" else ""
    client = Client(world, f"Bearer {joan.token}")
    headers = {"content-type": "application/json"}
    answer = client.post(f"{V1}/{address}{query}", raw_body=text, headers=headers)
    assert answer.status < 300 or (answer.status in (400, 404, 409) and is_a_refusal(answer)), answer


@settings(ANY_CASE, max_examples=100)
@given(path=st.sampled_from(["events/", "rooms/", "devices/", "users/"]), start=WORDS, end=WORDS, zone=WORDS)
def test_no_query_is_a_500(world: World, path, start, end, zone):
    joan, _ = known(world)
    if path == "events/":
        answer = joan.get(path, start=start, end=end, timezone=zone)
    else:
        answer = joan.get(path, limit=start, offset=end)
    assert answer.status == 200 or (answer.status == 400 and is_a_refusal(answer)), answer


@settings(ANY_CASE, max_examples=100)
@given(body=st.binary(max_size=80) | st.text(max_size=40).map(str.encode), header=st.text(max_size=40))
def test_no_request_for_a_token_is_a_500(world: World, body, header):
    sent = {"content-type": "application/x-www-form-urlencoded", "authorization": header}
    answer = world.nobody.post("/api/token/", raw_body=body, headers=sent)
    assert answer.status in (400, 401) and answer.document["error"]
