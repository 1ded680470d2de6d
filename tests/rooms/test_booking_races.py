"""Many who book at once, on both engines: one winner, everybody else is told, one event; and nobody waits in vain."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Barrier
from typing import Any

import pytest

from fingerpost.errors import NotFound, Unavailable
from fingerpost.ports.table import Reason, Throttled, TransactionFailed
from fingerpost.rooms.errors import NotAllowed, Taken
from fingerpost.rooms.kinds import ROOM
from fingerpost.rooms.model import Booking, BookingRules, By, CheckIn, Room
from tests.ports.conftest import adapter, clock, empty_tables, engine, folder, tables  # noqa: F401
from tests.rooms.conftest import HOUR, ME, MINUTE, House
from tests.stores import SettableClock, hooked

AT_ONCE = 40
SOURCES = ("evoko", "joan", "roomvox", "hub")


@pytest.fixture
def house(tables, clock) -> House:  # noqa: F811
    standing = SettableClock(clock.now)
    return House(tables.of("A"), standing)


def at_once(work: Callable[[int], Booking], number: int = AT_ONCE) -> list[Booking | str]:
    """What each of so many threads came to: its booking, or the name of its refusal."""
    barrier = Barrier(number)

    def run(turn: int) -> Booking | str:
        barrier.wait()
        try:
            return work(turn)
        except (Taken, NotAllowed, Unavailable) as refused:
            return type(refused).__name__

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def names(outcomes: list[Booking | str]) -> Counter[str]:
    return Counter(each if isinstance(each, str) else "booked" for each in outcomes)


def agree(house: House, room: Room, expected: int) -> None:
    """Every read says the same."""
    found = house.bookings.of_room(room.id, house.now, house.now + 48 * HOUR)
    assert len(found) == len({each.id for each in found}) == expected
    assert [(each.start, each.end) for each in found] == house.bookings.busy([room], house.now, house.now + 48 * HOUR)[
        room.id
    ]


def test_of_forty_who_want_the_same_slot_one_has_it(house: House):
    room = house.room()
    outcomes = at_once(lambda turn: house.book(room, 60, by=By(source=SOURCES[turn % 4], client="c")))
    assert names(outcomes) == {"booked": 1, "Taken": AT_ONCE - 1}
    assert house.events() == ["_RoomBooked"]
    assert len(house.rows("booking")) == 1 >= len(house.rows("bookingRequest"))
    agree(house, room, 1)


def test_of_forty_who_overlap_in_part_those_have_it_who_fit(house: House):
    room = house.room()
    outcomes = at_once(lambda turn: house.book(room, 11 * 60 + 10 * turn, 25))
    booked = sorted(each.start for each in outcomes if isinstance(each, Booking))
    assert all(second - first >= 25 * MINUTE for first, second in pairwise(booked))
    starts = [house.now + (11 * 60 + 10 * turn) * MINUTE for turn in range(AT_ONCE)]
    assert all(any(abs(start - each) < 25 * MINUTE for each in booked) for start in starts), "nobody fits any more"
    assert names(outcomes)["Unavailable"] == 0
    agree(house, room, len(booked))


def test_forty_who_want_different_slots_of_one_day_all_have_theirs(house: House):
    room = house.room()
    outcomes = at_once(lambda turn: house.book(room, 15 * turn, 15))
    assert names(outcomes) == {"booked": AT_ONCE}
    assert house.events() == ["_RoomBooked"] * AT_ONCE
    agree(house, room, AT_ONCE)


def test_forty_with_one_key_have_one_booking_between_them(house: House):
    room = house.room()
    joan = By(source="joan", client="c1")
    outcomes = at_once(lambda _turn: house.book(room, 60, by=joan, key="k"))
    assert len({each.id for each in outcomes if isinstance(each, Booking)}) == 1
    assert names(outcomes) == {"booked": AT_ONCE}
    assert house.events() == ["_RoomBooked"]


def test_forty_without_a_key_of_one_client_are_forty_who_want_the_same_slot(house: House):
    room = house.room()
    joan = By(source="joan", client="c1")
    outcomes = at_once(lambda _turn: house.book(room, 60, by=joan))
    assert names(outcomes) == {"booked": 1, "Taken": AT_ONCE - 1}
    (won,) = (each for each in outcomes if isinstance(each, Booking))
    house.clock.now += 5_000
    repeats = at_once(lambda _turn: house.bookings.book(room, won.start, won.end, by=joan, title=won.title), 10)
    assert {each.id for each in repeats if isinstance(each, Booking)} == {won.id}
    assert house.events() == ["_RoomBooked"]


def test_two_rooms_that_swap_their_bookings_neither_lose_nor_double_one(house: House):
    room, other = house.room(), house.room()
    made = [house.book(room, 60), house.book(other, 120)]

    def swap(turn: int) -> Booking:
        target = (room, other)[(turn // 2) % 2]
        return house.bookings.change(made[turn % 2].id, by=ME, room=target)

    outcomes = at_once(swap, 12)
    assert names(outcomes) == {"booked": 12}
    found = [house.bookings.get(each.id) for each in made]
    for each, start in zip(found, (60, 120), strict=True):
        assert each.start == house.now + start * MINUTE
        holders = [one.id for one in (room, other) if house.bookings.running(one.id, each.start) is not None]
        assert holders == [each.room]


def test_check_in_and_release_at_once_come_to_one_of_the_two(house: House):
    room = house.room(check_in=CheckIn(grace_min=10))
    for _ in range(5):
        made = house.book(room, 1, 30)
        assert made.release_at is not None
        house.clock.now = made.release_at - 1
        there = house.bookings

        def act(turn: int, made: Booking = made, there: Any = there) -> Booking:
            if turn % 2:
                house.clock.now = made.release_at or 0
                return there.release(made.id, by=ME)
            return there.check_in(made.id, by=ME)

        at_once(act, 6)
        state = house.bookings.get(made.id).state
        assert state in ("checkedIn", "released")
        events = [event for event in house.events() if event in ("_RoomCheckedIn", "_RoomReleased")]
        assert len(events) == len(house.rows("booking"))
        house.clock.now = made.end


def test_a_cancel_beside_many_bookings_of_its_slot_gives_it_to_one(house: House):
    room = house.room()
    made = house.book(room, 60)

    def act(turn: int) -> Booking:
        return house.bookings.cancel(made.id, by=ME) if turn == 0 else house.book(room, 60)

    outcomes = at_once(act, 12)
    kept = house.bookings.of_room(room.id, house.now, house.now + 3 * HOUR)
    assert len(kept) == names(outcomes)["booked"] - 1 <= 1


# ---- a store that is contended or answers not at all


def test_when_others_always_come_first_the_request_may_be_sent_again(house: House, monkeypatch):
    monkeypatch.setattr("fingerpost.retry.time.sleep", lambda _seconds: None)

    def refusing(name: str, method: Any, args: Any) -> Any:
        if name == "transact":
            raise TransactionFailed([Reason("conflict") for _ in args[0]])
        return method(*args)

    busy = House(hooked(house.tables, refusing), house.clock, house.rooms)
    with pytest.raises(Unavailable, match="again"):
        busy.book(house.room(), 60)
    assert house.rows("booking") == []


def test_a_commit_whose_answer_was_lost_is_not_made_twice(house: House, monkeypatch):
    monkeypatch.setattr("fingerpost.retry.time.sleep", lambda _seconds: None)
    lost = iter([True])

    def losing(name: str, method: Any, args: Any) -> Any:
        answer = method(*args)
        if name == "transact" and next(lost, False):
            raise Throttled
        return answer

    room = house.room()
    made = House(hooked(house.tables, losing), house.clock, house.rooms).book(room, 60)
    assert house.bookings.get(made.id) == made
    assert house.events() == ["_RoomBooked"]
    agree(house, room, 1)


def meanwhile(house: House, method: str, what: Callable[[], object], *, when: Callable[[Any], bool]) -> House:
    """The same house, in which `what` happens just before the first call of a method that `when` is for."""
    waiting = iter([True])

    def around(name: str, do: Any, args: Any) -> Any:
        if name == method and when(args) and next(waiting, False):
            what()
        return do(*args)

    return House(hooked(house.tables, around), house.clock, house.rooms)


def test_the_buffer_between_two_bookings_holds_across_midnight_also_for_two_at_once(house: House):
    house.clock.now = 1_773_576_000_000  # noon
    room = house.room(rules=BookingRules(buffer_minutes=15))
    late = meanwhile(house, "transact", lambda: house.book(room, 12 * 60), when=lambda _args: True)
    with pytest.raises(Taken):
        late.book(room, 11 * 60 + 30)
    agree(house, room, 1)


def test_a_room_that_is_removed_meanwhile_is_not_booked_and_nothing_is_moved_there(house: House):
    room, other = house.room(), house.room()
    made = house.book(room, 60)
    gone = lambda: house.tables.main.delete(ROOM.key(other.id))  # noqa: E731
    with pytest.raises(NotFound, match=other.id):
        meanwhile(house, "transact", gone, when=lambda _args: True).book(other, 60)
    with pytest.raises(NotFound, match=other.id):
        house.bookings.change(made.id, by=ME, room=other)
    assert house.bookings.get(made.id) == made
    assert house.events() == ["_RoomBooked"]
    agree(house, room, 1)
    agree(house, other, 0)


def test_what_moves_to_another_room_while_it_is_read_is_not_shown_in_the_old_one(house: House):
    def reads_bookings(args: Any) -> bool:
        return any(key.pk.startswith("bk#") for key in args[0])

    for read in ("of_room", "next"):
        room, other = house.room(), house.room()
        made = house.book(room, 60)
        move = lambda made=made, other=other: house.bookings.change(made.id, by=ME, room=other)  # noqa: E731
        calendar = meanwhile(house, "get_many", move, when=reads_bookings).bookings
        if read == "of_room":
            assert calendar.of_room(room.id, house.now, made.end) == []
        else:
            assert calendar.next(room.id, house.now) is None
