"""Tables of rooms, as other systems write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerpost.rooms.documents import NewRoom
from fingerpost.rooms.sheet import COLUMNS, columns_of, document_of


def test_columns_of_roomvox_and_of_exchange_are_found_however_they_are_written():
    assert columns_of(COLUMNS) == {name: name for name in COLUMNS}
    exchange = ["DisplayName", "PrimarySmtpAddress", "Resource Capacity", "City", "Tags", "Phone"]
    assert columns_of(exchange) == {
        "name": "DisplayName",
        "email": "PrimarySmtpAddress",
        "capacity": "Resource Capacity",
        "city": "City",
        "facilities": "Tags",
    }


def test_a_line_says_what_a_room_is():
    line = {
        "name": " Harbour Room ",
        "email": "harbour@museum.example",
        "capacity": "8",
        "roomNumber": "0.12",
        "roomType": "meeting",
        "city": "Dublin",
        "facilities": "Projector, videoconf; WiFi",
        "autoAccept": "no",
        "active": "TRUE",
        "description": "",
    }
    document, mistakes = document_of(line)
    assert mistakes == []
    assert document == {
        "name": "Harbour Room",
        "email": "harbour@museum.example",
        "number": "0.12",
        "type": "meeting",
        "capacity": 8,
        "address": {"city": "Dublin"},
        "approval": True,
        "active": True,
        "equipment": {"projector": True, "videoConference": True, "wifi": True},
    }
    assert NewRoom.model_validate(document)


@pytest.mark.parametrize(
    ("cells", "mistake"),
    [
        ({}, "name: a room needs a name"),
        ({"name": "x", "capacity": "many"}, "capacity: 'many' is no number"),
        ({"name": "x", "autoAccept": "perhaps"}, "autoAccept: 'perhaps' is neither true nor false"),
        ({"name": "x", "facilities": "sauna"}, "facilities: 'sauna' is not known"),
    ],
)
def test_what_cannot_be_read_of_a_line_is_said(cells, mistake):
    assert document_of(cells)[1] == [mistake]


@given(st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=20)))
def test_any_line_is_read_or_its_mistakes_are_said(cells):
    document, mistakes = document_of(cells)
    assert all(mistake.partition(":")[0] in COLUMNS for mistake in mistakes)
    assert mistakes or document["name"] == cells["name"].strip()
