"""Which rooms match a search, and how well."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.rooms.evoko.matching import MAX_FAILED, Wanted, failed, matches, seats_in, wanted_of
from fingerpost.rooms.model import Room


def room(name="Glass", **more) -> Room:
    return Room(id=name, account="A", name=name, slug=name, zone="UTC", **more)


@pytest.mark.parametrize(
    ("text", "seats"),
    [
        ("1-5", (1, 5)),
        ("20-50", (20, 50)),
        ("50+", (50, None)),
        (" 1 - 100 ", (1, 100)),
        ("7", (7, 7)),
        (7, (7, 7)),
        ("", (0, None)),
        (None, (0, None)),
    ],
)
def test_seats_are_classes_with_both_ends_inside(text, seats):
    assert seats_in(text) == seats


@pytest.mark.parametrize("text", ["many", "5-", "-5", "1-2-3", True, [1], "9999999"])
def test_seats_of_another_form_are_refused(text):
    with pytest.raises(ValueError, match="1-5"):
        seats_in(text)


@pytest.mark.parametrize(("capacity", "fits"), [(4, False), (5, True), (10, True), (11, False)])
def test_a_room_fits_at_both_ends_of_a_class(capacity, fits):
    assert failed(Wanted(seats=(5, 10)), room(capacity=capacity)) == (not fits)


def test_what_is_not_wished_for_is_no_condition():
    sent = {
        "seats": "1-5",
        "equipment": {"wifi": True, "ac": False, "display": None, "lights": "yes"},
        "customEquipment": [{"_id": "a", "isChecked": True}, {"_id": "b", "isChecked": None}, {"_id": "c"}],
        "location": {"country": False, "city": "C", "building": "", "floor": None},
    }
    assert wanted_of(sent) == Wanted(seats=(1, 5), equipment=("wifi",), custom=("a",), places=("C",))
    assert wanted_of({}) == Wanted()


STATES = st.sampled_from([True, False, None])


@given(st.lists(STATES, max_size=5), st.integers(0, 12))
def test_none_fails_in_full_and_up_to_three_in_part(states, capacity):
    names = [f"f{number}" for number in range(len(states))]
    one = room(capacity=capacity, facilities=dict(zip(names, states, strict=True)))
    wanted = Wanted(seats=(5, 10), equipment=tuple(names))
    count = sum(state is not True for state in states) + (not 5 <= capacity <= 10)
    assert failed(wanted, one) == count
    full, partial = matches(wanted, [one], {})
    assert (bool(full), bool(partial)) == (count == 0, 0 < count <= MAX_FAILED)


def test_the_place_filters_and_the_best_come_first():
    rooms = [room("C", facilities={"wifi": False}), room("B"), room("A", facilities={"wifi": True, "ac": True})]
    wanted = Wanted(equipment=("wifi", "ac"))
    full, partial = matches(wanted, rooms, {})
    assert ([each.name for each in full], [each.name for each in partial]) == (["A"], ["B", "C"])
    here = Wanted(places=("floor", "house"))
    assert matches(here, rooms, {"B": ["land", "house", "floor"], "C": ["house"]}) == ([rooms[1]], [])
