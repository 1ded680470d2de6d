"""Whatever is done, in whatever order: no two bookings overlap, days and bookings agree, nothing goes untold."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fingerpost.errors import FingerpostError
from fingerpost.ports.table import Row
from fingerpost.rooms.model import BookingRules, CheckIn
from tests.rooms.agreeing import assert_consistent
from tests.rooms.conftest import ME, MINUTE, House
from tests.stores import new_account

VERBS = ("cancel", "approve", "decline", "check_in", "finish", "release")
minutes = st.integers(-120, 3 * 1_440)
lengths = st.sampled_from([1, 15, 30, 60, 61, 1_440, 1_500])
steps = st.one_of(
    st.tuples(st.just("book"), st.integers(0, 2), minutes, lengths, st.booleans()),
    st.tuples(st.just("series"), st.integers(0, 2), minutes, lengths, st.integers(1, 3)),
    st.tuples(st.just("move"), st.integers(0, 9), st.integers(0, 2), minutes, lengths),
    st.tuples(st.sampled_from(VERBS), st.integers(0, 9)),
    st.tuples(st.just("wait"), st.integers(1, 600)),
)


def rows_of(house: House) -> list[Row]:
    return sorted(house.tables.main.walk(), key=lambda row: row.key)


@settings(max_examples=60)
@given(st.lists(steps, max_size=25))
def test_the_days_and_the_bookings_agree_and_nothing_overlaps(store, script):
    tables, clock = store
    house = House(tables.of(new_account()), clock)
    house.clock.now = now = 1_773_576_000_000
    rooms = [
        house.room(),
        house.room(check_in=CheckIn(grace_min=10)),
        house.room(approval=True, rules=BookingRules(buffer_minutes=10)),
    ]
    made: list[str] = []
    for step in script:
        before = rows_of(house)
        try:
            match step:
                case ("wait", length):
                    house.clock.now += length * MINUTE
                    continue
                case ("book", room, start, length, there):
                    made.append(house.book(rooms[room], start, length, walk_in=there).id)
                case ("series", room, start, length, count):
                    series = house.book(rooms[room], start, length, rrule=f"FREQ=DAILY;COUNT={count}")
                    found = house.bookings.record(series.id).occurrences()
                    made += [series.id, *(each.id for each in found)]
                case ("move", number, room, start, length):
                    begin = now + start * MINUTE
                    house.bookings.change(
                        made[number % len(made)], by=ME, room=rooms[room], start=begin, end=begin + length * MINUTE
                    )
                case (verb, number):
                    getattr(house.bookings, verb)(made[number % len(made)], by=ME)
        except ZeroDivisionError:
            continue  # there is none yet
        except FingerpostError:
            after = rows_of(house)
            told = [row.item["type"] for row in after if row not in before and row.item["k"] == "action"]
            assert after == before or set(told) == {"_RoomReleased"}, "what was overdue is let go on the way"
    assert_consistent(house, rooms)
