"""A booking as it lies in the store: one row, also for a series, with what single occurrences have changed. Pure.

The id of an occurrence is the series', `_`, and when it began as the rule has it: `U…_20260302T090000Z`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from copy import replace
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from ..ports.table import Item
from ..shapes import stamp, upgraded
from .errors import Unknown
from .model import HOLDING, Attendee, Booking, Person

_STAMP = "%Y%m%dT%H%M%SZ"
_OF_ROW = ("id", "version")
_OF_OCCURRENCE = ("id", "version", "series", "recurrence_id")
_NOTHING = Booking(id="", room="", start=0, end=0, zone="", state="ended", source="api", created_at=0, updated_at=0)
_DEFAULTS: Mapping[str, Any] = asdict(_NOTHING)


@dataclass(frozen=True, slots=True)
class Record:
    """`whole` is the booking; of a series, what its occurrences have in common. `starts` are their recurrence ids."""

    whole: Booking
    starts: tuple[int, ...] = ()
    changed: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)  # by recurrence id: fields that differ

    @property
    def is_series(self) -> bool:
        return bool(self.starts)

    def get(self, booking_id: str) -> Booking:
        """The booking, the series as a whole, or one of its occurrences. Raises Unknown."""
        if booking_id == self.whole.id:
            return self.whole
        start = recurrence_id_in(booking_id)
        if start is None or start not in self.starts:
            raise Unknown(f"There is no booking {booking_id[:80]}")
        return self.occurrence(start)

    def occurrence(self, start: int) -> Booking:
        return replace(self._plain(start), **_read(self.changed.get(start, {})))

    def occurrences(self) -> list[Booking]:
        """What can hold a slot: the booking itself, or every occurrence of the series."""
        return [self.occurrence(start) for start in self.starts] if self.is_series else [self.whole]

    def with_booking(self, booking: Booking) -> "Record":
        """The same row with one booking or occurrence as it is now."""
        if booking.id == self.whole.id:
            return replace(self, whole=booking)
        start = booking.recurrence_id
        assert start is not None
        plain, own = _written(self._plain(start)), _written(booking)
        apart = {name: own.get(name, _DEFAULTS.get(name)) for name in own.keys() | plain.keys()}
        differing = {
            name: value
            for name, value in apart.items()
            if name not in _OF_OCCURRENCE and value != plain.get(name, _DEFAULTS.get(name))
        }
        return replace(self, changed={**self.changed, start: differing})

    def with_state(self, whole: Booking) -> "Record":
        """The series in another state, with every occurrence of it that still held its slot."""
        changed = {
            start: {name: value for name, value in own.items() if name != "state" or value not in HOLDING}
            for start, own in self.changed.items()
        }
        return replace(self, whole=whole, changed=changed)

    def _plain(self, start: int) -> Booking:
        """An occurrence as the rule has it."""
        whole = self.whole
        length = whole.end - whole.start
        occurrence_id = f"{whole.id}_{stamp_of(start)}"
        return replace(
            whole, id=occurrence_id, start=start, end=start + length, series=whole.id, recurrence_id=start, rrule=None
        )


def stamp_of(at: int) -> str:
    """A moment of whole seconds as ids have it."""
    return datetime.fromtimestamp(at // 1_000, UTC).strftime(_STAMP)


def recurrence_id_in(booking_id: str) -> int | None:
    """When the occurrence that an id names began as the rule has it; None when it names none."""
    _, _, text = booking_id.partition("_")
    try:
        return int(datetime.strptime(text, _STAMP).replace(tzinfo=UTC).timestamp()) * 1_000
    except ValueError:
        return None


def row_id(booking_id: str) -> str:
    """The id of the row that a booking is in: of an occurrence, its series'."""
    return booking_id.partition("_")[0]


def to_item(record: Record, event: str, subject: str, rooms: Sequence[str]) -> Item:
    """A record's row. `event` is what made it, `subject` the booking or occurrence that it is about, `rooms` where."""
    document: dict[str, Any] = {name: value for name, value in _written(record.whole).items() if name not in _OF_ROW}
    if record.is_series:
        document |= {"starts": list(record.starts), "changed": {str(k): v for k, v in record.changed.items()}}
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    told = {"event": event, "subject": subject, "rooms": list(rooms)}
    return {**stamp("booking"), "v": record.whole.version, **told, "doc": text}


def from_item(booking_id: str, item: Item) -> Record:
    row = upgraded(item)
    document: dict[str, Any] = json.loads(row["doc"])
    starts, changed = document.pop("starts", ()), document.pop("changed", {})
    whole = Booking(id=booking_id, version=row["v"], **_read(document))
    return Record(whole, tuple(starts), {int(start): own for start, own in changed.items()})


def _written(booking: Booking) -> dict[str, Any]:
    """Fields that are not as a booking has them anyway, as JSON has them."""
    document = asdict(booking)
    document["attendees"] = list(document["attendees"])
    return {name: value for name, value in document.items() if name not in _DEFAULTS or value != _DEFAULTS[name]} | {
        name: document[name] for name in _ALWAYS
    }


_ALWAYS = ("room", "start", "end", "zone", "state", "source", "created_at", "updated_at")
_FIELDS = frozenset(each.name for each in fields(Booking))


def _read(document: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in document.items() if name in _FIELDS}
    if "organizer" in known:
        known["organizer"] = Person(**known["organizer"])
    if "attendees" in known:
        known["attendees"] = _attendees(known["attendees"])
    return known


def _attendees(documents: Iterable[Mapping[str, Any]]) -> tuple[Attendee, ...]:
    return tuple(Attendee(**each) for each in documents)
