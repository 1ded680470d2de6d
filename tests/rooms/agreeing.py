"""What holds of a house whatever was done to it, and wherever that was cut off."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from fingerpost.rooms.ledger import from_item
from fingerpost.rooms.model import Room
from fingerpost.rooms.records import from_item as record_of
from tests.rooms.conftest import MINUTE, House


def ledger_of(house: House) -> Counter[tuple[str, str, int, int]]:
    """(room, booking, start, end) of everything that holds, as many times as it stands in days."""
    found: Counter[tuple[str, str, int, int]] = Counter()
    for row in house.tables.main.walk():
        if row.item["k"] == "roomDay":
            for entry in from_item(row.item).entries:
                found[row.key.pk.removeprefix("day#"), entry.booking, entry.start, entry.end] += 1
    return found


def assert_consistent(house: House, rooms: Sequence[Room]) -> None:
    """No overlap, days and bookings that say the same, one event for each change."""
    records = [
        record_of(row.key.pk.removeprefix("bk#"), row.item)
        for row in house.tables.main.walk()
        if row.item["k"] == "booking"
    ]
    holding = [each for record in records for each in record.occurrences() if each.holds]
    ledger = ledger_of(house)
    assert ledger.keys() == {(each.room, each.id, each.start, each.end) for each in holding}
    for each in holding:
        days = (each.end - 1) // 86_400_000 - each.start // 86_400_000 + 1
        assert ledger[each.room, each.id, each.start, each.end] == days
    for room in rooms:
        own = sorted((each.start, each.end) for each in holding if each.room == room.id)
        margin = room.rules.buffer_minutes * MINUTE
        assert all(first[1] + margin <= second[0] for first, second in pairwise(own))
    assert len(house.rows("action")) == sum(record.whole.version for record in records), "one event for each change"
