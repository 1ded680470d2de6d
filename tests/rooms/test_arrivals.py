"""Slots of those who do not come are written down as free soon after, by one sweep that is on its way at a time."""

import json
import random
from collections import Counter
from contextlib import suppress
from copy import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerpost.ports.queue import MAX_DELAY_MS
from fingerpost.rooms import keys
from fingerpost.rooms.arrivals import LOST_MS, Arrivals
from fingerpost.rooms.model import CheckIn
from tests.rooms.conftest import HOUR, ME, MINUTE, House
from tests.stores import Crash, crashing, hooked, new_account

GRACE = CheckIn(grace_min=10)


class Delayed:
    """A work queue by the house's clock; whatever is due is delivered when `run` is called, in any order."""

    def __init__(self, house: House):
        self.house, self.waiting = house, list[tuple[int, int]]()

    def send(self, body: str, *, group: str = "", delay_ms: int = 0) -> None:
        task = json.loads(body)
        assert (task["do"], task["account"], group) == ("sweep", self.house.tables.account, task["account"])
        assert 0 <= delay_ms <= MAX_DELAY_MS
        self.waiting.append((self.house.now + delay_ms, task["at"]))

    @property
    def arrivals(self) -> Arrivals:
        return Arrivals(self.house.tables, self, self.house.clock, self.house.rooms)  # type: ignore[arg-type]

    def run(self) -> int:
        """Deliver what is due; how many there were."""
        due = [each for each in self.waiting if each[0] <= self.house.now]
        self.waiting = [each for each in self.waiting if each[0] > self.house.now]
        for _, planned in due:
            self.arrivals.sweep(planned)
        return len(due)

    def run_until(self, at: int) -> int:
        swept = 0
        while self.waiting and (soonest := min(self.waiting)[0]) <= at:
            self.house.clock.now = max(self.house.now, soonest)
            swept += self.run()
        self.house.clock.now = at
        return swept


@pytest.fixture
def queue(house: House) -> Delayed:
    return Delayed(house)


def states(house: House) -> Counter[str]:
    rows = (row for row in house.tables.main.walk() if row.item["k"] == "booking")
    return Counter(house.bookings.record(row.key.pk.removeprefix("bk#")).whole.state for row in rows)


def test_a_booking_that_nobody_checked_in_to_is_released_when_its_grace_is_over(house: House, queue: Delayed):
    room = house.room(check_in=GRACE)
    made = house.book(room, 60)
    queue.arrivals.expect([made])
    queue.run_until(made.start + 10 * MINUTE - 1)
    assert states(house) == {"confirmed": 1}
    queue.run_until(made.start + 10 * MINUTE)
    assert states(house) == {"released": 1}
    assert house.events() == ["_RoomBooked", "_RoomReleased"]
    assert (queue.waiting, house.tables.log.get(keys.SWEEP)) == ([], None)


def test_whoever_came_and_what_was_cancelled_stays_as_it_is(house: House, queue: Delayed):
    room = house.room(check_in=GRACE)
    made = [house.book(room, 30 * number) for number in range(1, 4)]
    queue.arrivals.expect(made)
    house.bookings.cancel(made[1].id, by=ME)
    house.clock.now = made[0].start
    house.bookings.check_in(made[0].id, by=ME)
    queue.run_until(made[2].end)
    assert states(house) == {"checkedIn": 1, "cancelled": 1, "released": 1}


def test_a_moved_booking_is_waited_for_at_its_new_time(house: House, queue: Delayed):
    made = house.book(house.room(check_in=GRACE), 60)
    queue.arrivals.expect([made])
    moved = house.bookings.change(made.id, by=ME, start=made.start + HOUR, end=made.end + HOUR)
    queue.arrivals.expect([moved])
    queue.run_until(moved.start)
    assert states(house) == {"confirmed": 1}
    queue.run_until(moved.end)
    assert states(house) == {"released": 1}


def test_one_sweep_is_on_its_way_however_many_are_waited_for(house: House, queue: Delayed):
    room = house.room(check_in=GRACE)
    made = [house.book(room, 30 * number) for number in range(1, 9)]
    for each in made:
        queue.arrivals.expect([each])
        queue.arrivals.expect([each])
    assert len(queue.waiting) == 1
    swept = queue.run_until(made[-1].end)
    assert states(house) == {"released": 8}
    assert swept <= 8 + (made[-1].end - made[0].start) // MAX_DELAY_MS + 1


def test_a_nearer_booking_is_not_kept_waiting_by_a_later_sweep(house: House, queue: Delayed):
    room = house.room(check_in=CheckIn(grace_min=1))
    later = house.book(room, 12)
    queue.arrivals.expect([later])
    sooner = house.book(room, 1, 5)
    queue.arrivals.expect([sooner])
    queue.run_until(sooner.start + MINUTE)
    assert states(house) == {"confirmed": 1, "released": 1}
    queue.run_until(later.end)
    assert states(house) == {"released": 2}


def test_a_lost_sweep_is_replaced_when_the_next_booking_comes(house: House, queue: Delayed):
    room = house.room(check_in=GRACE)
    queue.arrivals.expect([house.book(room, 1)])
    queue.waiting.clear()
    house.clock.now += 11 * MINUTE + LOST_MS + 1
    queue.arrivals.expect([house.book(room, 60)])
    queue.run_until(house.now + 16 * MINUTE)
    assert states(house) == {"confirmed": 1, "released": 1}


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(1, 25))
def test_wherever_a_sweep_or_a_note_is_cut_off_the_queue_brings_it_again_and_nothing_is_forgotten(store, seed, number):
    """Tasks come at least once: one that was cut off comes again, and so does any other now and then."""
    chance = random.Random(seed)
    house = House(store[0].of(new_account()), store[1])
    house.clock.now = 1_773_576_000_000
    queue, room = Delayed(house), house.room(check_in=CheckIn(grace_min=5))
    made = [house.book(room, 20 * turn + 1, 20) for turn in range(number)]

    def cut_off(what: str, *args: object) -> None:
        for _ in range(chance.randrange(3)):
            tables = replace(hooked(house.tables, crashing(chance.randrange(8))), account=house.tables.account)
            with suppress(Crash):
                getattr(Arrivals(tables, queue, house.clock, house.rooms), what)(*args)
        getattr(queue.arrivals, what)(*args)

    for each in chance.sample(made, len(made)):
        cut_off("expect", [each])
    end = made[-1].end
    while queue.waiting and min(queue.waiting)[0] <= end:
        soonest = min(queue.waiting)
        queue.waiting.remove(soonest)
        house.clock.now = max(house.now, soonest[0])
        cut_off("sweep", soonest[1])
    assert states(house) == {"released": number}
    assert house.events() == ["_RoomBooked"] * number + ["_RoomReleased"] * number
