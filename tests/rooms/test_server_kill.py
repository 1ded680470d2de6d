"""`kill -9` while forty ask a real server for one slot: one booking, on which every read and every repeat agree."""

import json
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from threading import Barrier, Event
from typing import Any

from tests.running import Server

AT_ONCE, ROUNDS = 40, 3
HOUR = 3_600_000


def ask(server: Server, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
    """Status and document; status 0 when no answer came."""
    headers = {"authorization": server.key, "content-type": "application/json"}
    headers |= {"idempotency-key": key} if key else {}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.api + path, data, headers)
    try:
        try:
            answer = urllib.request.urlopen(request, timeout=20)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            return answer.status, json.load(answer)
    except (OSError, HTTPException, ValueError):  # a kill may cut off either
        return 0, None


def test_a_kill_among_forty_who_want_one_slot_leaves_one_booking_and_one_event(tmp_path):
    server = Server(tmp_path, FINGERPOST_DEMO="0")
    server.start()
    try:
        _, room = ask(server, "/rooms", {"name": "Glass Room", "timezone": "Europe/Dublin"})
        path = f"/rooms/{room['id']}/bookings"
        start = int(time.time()) * 1_000 // HOUR * HOUR + 24 * HOUR
        booked: dict[int, str] = {}
        for round_ in range(ROUNDS):
            slot = start + round_ * HOUR
            barrier, answered = Barrier(AT_ONCE + 1), Event()

            def book(
                turn: int, slot: int = slot, barrier: Barrier = barrier, answered: Event = answered
            ) -> tuple[int, Any]:
                body = {"start": slot, "end": slot + HOUR, "title": f"Talk {turn}"}
                barrier.wait()
                found = ask(server, path, body, f"{slot}-{turn}")
                answered.set()
                return found

            with ThreadPoolExecutor(AT_ONCE) as pool:
                first = [pool.submit(book, turn) for turn in range(AT_ONCE)]
                barrier.wait()
                if round_:  # once before anybody was answered, perhaps
                    answered.wait(20)
                server.kill()
                outcomes = [each.result() for each in first]
            server.start()
            won = {document["id"] for status, document in outcomes if status == 201}
            assert len(won) <= 1
            barrier = Barrier(AT_ONCE + 1)
            with ThreadPoolExecutor(AT_ONCE) as pool:
                again = [pool.submit(book, turn, slot, barrier) for turn in range(AT_ONCE)]
                barrier.wait()
                repeats = [each.result() for each in again]
            assert Counter(status for status, _ in repeats) == {201: 1, 409: AT_ONCE - 1}
            (holder,) = {document["id"] for status, document in repeats if status == 201}
            assert won <= {holder}, "whoever was answered before the kill has it"
            booked[slot] = holder
        _, found = ask(server, f"{path}?from={start}&to={start + ROUNDS * HOUR}")
        assert {each["start"]: each["id"] for each in found} == booked
        for _ in range(200):  # the feed catches up
            _, events = ask(server, f"/thngs/{room['id']}/actions/_RoomBooked?perPage=100")
            if len(events) == ROUNDS:
                break
            time.sleep(0.1)
        assert Counter(each["customFields"]["booking"] for each in events) == Counter(booked.values())
    finally:
        server.stop()
