"""Properties and locations at their own addresses: set, read, looked up in their history, erased."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from .. import keys, wiring
from ..body import json_name, validated
from ..caller import Caller
from ..cursor import decode, encode, filter_digest
from ..errors import Finding, Invalid, TooLarge
from ..listing import BATCH, READ_BUDGET, Ask, PageOf, test_of
from ..ports.table import LAST, Item, Row
from ..resources import Document, Kind, Resources, Stored, from_item
from ..rules.plan import time_span
from .documents import SentLocation, SentProperty
from .erase import ROWS_AT_ONCE, SECOND_LOOK_MS, Erasing, Floors, floor_of, tasks_of
from .model import PLACE, location_document
from .properties import LOCATION, SYSTEM, Properties, Reading, current, reading_of

MAX_READINGS = 5_000  # in one request
MAX_CURRENT_BYTES = 256 * 1024  # of all current values of one thing: DynamoDB rewrites them with each of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A thng or product that the caller sees, and its row of current values, read together."""

    stored: Stored
    row: Item

    @classmethod
    def of(cls, caller: Caller, kind: Kind, resource_id: str, *, to_change: bool = False) -> Self:
        """Raises NotFound for what does not exist or the key cannot see, Forbidden for what it may not change."""
        may = caller.changes if to_change else caller.sees
        document, now = keys.document(resource_id), keys.current(resource_id)
        found = caller.tables.main.get_many([document, now], consistent=True)
        stored = from_item(kind, resource_id, found.get(document))
        if stored is None or not may(stored.document):
            raise Resources(caller.tables, kind).missing(resource_id)
        return cls(stored=stored, row=found.get(now, {}))


class Span(NamedTuple):
    """From when to when a history is asked for, both included; milliseconds since the epoch."""

    first: int
    last: int


type Sent[T] = Sequence[tuple[str, T]]  # with each where it stands in the body: `[3]`, or nothing when it is alone


def sent_properties(content: Any, key: str | None = None) -> Sent[SentProperty]:
    """What clients send of properties: an array, or the one there is. `key` is the address's. Raises Invalid."""
    sent = [(at, validated(SentProperty, each, at)) for at, each in _each(content, "property")]
    for at, each in sent:
        if each.key is None and key is None:
            raise _invalid(at, "key", "a property needs a key")
        if each.key is not None and key is not None and each.key != key:
            raise _invalid(at, "key", f"is {each.key!r}, but the address says {key!r}")
    return sent


def sent_locations(content: Any) -> Sent[SentLocation]:
    """An array of locations, or the one there is. Raises Invalid."""
    return [(at, validated(SentLocation, each, at)) for at, each in _each(content, "location")]


def set_properties(
    caller: Caller, kind: Kind, resource_id: str, sent: Sent[SentProperty], key: str | None = None
) -> list[Document]:
    """The properties as they were set, in the order sent: those that came late are in the history alone."""
    opened = Opened.of(caller, kind, resource_id, to_change=True)
    times = [caller.time_of(each.timestamp, _field(at, "timestamp")) for at, each in sent]
    readings = [Reading(key or each.key or "", each.value, at) for (_, each), at in zip(sent, times, strict=True)]
    _record(caller, opened, readings)
    return [shown_property(each) for each in readings]


def set_locations(caller: Caller, kind: Kind, resource_id: str, sent: Sent[SentLocation]) -> list[Document]:
    """Raises Invalid for a place that the caller does not see."""
    opened = Opened.of(caller, kind, resource_id, to_change=True)
    places = _places(caller, sent)
    readings = []
    for at, each in sent:
        place = places[each.place] if each.place is not None else {}
        point = each.point() or ((place["latitude"], place["longitude"]) if "latitude" in place else None)
        value = {"place": each.place} if point is None else location_document(point[0], point[1], each.place)
        readings.append(Reading(LOCATION, value, caller.time_of(each.timestamp, _field(at, "timestamp"))))
    _record(caller, opened, readings)
    return [shown_location(each, opened.stored) for each in readings]


def current_properties(caller: Caller, opened: Opened, ask: Ask, secret: bytes) -> PageOf[Reading]:
    """The last value of each property, by key. `secret` signs the cursors."""
    digest = filter_digest(caller.principal.account, "properties", opened.stored.id, ask.filter_text)
    after = decode(secret, ask.token, digest) if ask.token else ""
    test = None if ask.node is None else test_of(ask.node)
    found = [
        each
        for each in sorted(current(opened.row) if opened.row else [])
        if each.key > after and (test is None or test({"timestamp": each.at}))
    ]
    items = found[: ask.per_page]
    return PageOf(tuple(items), encode(secret, items[-1].key, digest) if len(found) > len(items) else None)


def history(caller: Caller, opened: Opened, key: str, ask: Ask, span: Span, secret: bytes) -> PageOf[Reading]:
    """One page of what a property (or the location, LOCATION) has been, newest first unless asked otherwise.

    What is of one millisecond has no order of its own. `secret` signs the cursors.
    """
    low, high = time_span(ask.node, "timestamp")
    first, last = max(low, span.first, floor_of(opened.row, key)), min(high, span.last)
    digest = filter_digest(
        caller.principal.account, "history", opened.stored.id, key, ask.filter_text, f"{span} {ask.ascending}"
    )
    after = decode(secret, ask.token, digest) if ask.token else None
    test = None if ask.node is None else test_of(ask.node)
    items: list[Reading] = []
    if first > last:
        return PageOf((), None)
    rows = _rows(caller, keys.histories(opened.stored.id, key), (first, last), after, ask)
    for examined, row in enumerate(rows):
        reading = reading_of(key, row)
        holds = test is None or test({"timestamp": reading.at})
        if (holds and len(items) == ask.per_page) or examined == READ_BUDGET:
            return PageOf(tuple(items), encode(secret, after or "", digest))
        if holds:
            items.append(reading)
        after = row.key.sk
    return PageOf(tuple(items), None)


def erase(caller: Caller, opened: Opened, key: str, before: int | None) -> None:
    """Remove what a property (or the location) was before a time; without one all that it has been."""
    end = Erasing(caller.tables).end_of(opened.stored.id, key, opened.row)
    if floor := end if before is None else min(before, end):
        _erase(caller, opened, {key: floor})


def erase_all(caller: Caller, opened: Opened) -> None:
    """Remove every property but the platform's own. The location stays."""
    known = current(opened.row) if opened.row else []
    _erase(caller, opened, {each.key: each.at + 1 for each in known if each.key and not each.key.startswith(SYSTEM)})


def shown_property(reading: Reading, *, key: bool = True) -> Document:
    """`createdAt` is the reading's own time: posted twice, it is the same document."""
    document = {"timestamp": reading.at, "createdAt": reading.at, "value": reading.value}
    return {"key": reading.key, **document} if key else document


def shown_location(reading: Reading, thng: Stored) -> Document:
    scopes = {"users": ["all"], "projects": [], **thng.document.get("scopes", {})}
    return {"timestamp": reading.at, "createdAt": reading.at, **reading.value, "scopes": scopes}


def _erase(caller: Caller, opened: Opened, floors: Floors) -> None:
    erasing, queue, account = Erasing(caller.tables), wiring.queue("work"), caller.principal.account
    tasks = list(tasks_of(opened.stored.id, floors))
    for task in tasks:  # first: whatever happens to this request, what it has begun will be finished
        queue.send(json.dumps({**task, "account": account}), group=account, delay_ms=SECOND_LOOK_MS)
    erasing.lower(opened.stored.id, floors, wiring.clock())
    rows = ROWS_AT_ONCE
    for task in tasks:
        following, rows = erasing.carry_out(task, wiring.clock(), rows)
        if following is not None:
            return


def _record(caller: Caller, opened: Opened, readings: Sequence[Reading]) -> None:
    after = {name: text for name, text in opened.row.items() if name.startswith("v:")}
    largest = 0
    for each in readings:
        text = after[f"v:{each.key}"] = json.dumps(each.value)
        largest = max(largest, len(text))
    if (size := max(largest, sum(len(name.encode()) + len(text) for name, text in after.items()))) > MAX_CURRENT_BYTES:
        raise TooLarge(
            f"The properties of {opened.stored.id} would have {size:,} bytes together; "
            f"the limit is {MAX_CURRENT_BYTES:,} bytes (256 KB)"
        )
    if readings:
        Properties(caller.tables).record(opened.stored.id, readings, caller)


def _rows(caller: Caller, partition: str, span: tuple[int, int], after: str | None, ask: Ask) -> Iterator[Row]:
    low, high, limit = keys.moment(span[0]), keys.moment(span[1]) + LAST, ask.per_page + 1
    while True:
        page = caller.tables.log.query(
            partition, low=low, high=high, after=after, descending=not ask.ascending, limit=limit, consistent=True
        )
        yield from page.rows
        if page.after is None:
            return
        after, limit = page.after, BATCH


def _places(caller: Caller, sent: Sent[SentLocation]) -> dict[str, Document]:
    """The places that locations name, read together. Raises Invalid for one that the caller does not see."""
    wanted = list(dict.fromkeys(each.place for _, each in sent if each.place is not None))
    found = Resources(caller.tables, PLACE).read_many(wanted, consistent=True) if wanted else {}
    for at, each in sent:
        place = found.get(each.place) if each.place is not None else None
        if each.place is not None and (place is None or not caller.sees(place.document)):
            raise _invalid(at, "place", f"there is no place {each.place[:60]}")
    return {place_id: place.document for place_id, place in found.items()}


def _each(content: Any, what: str) -> list[tuple[str, Any]]:
    each = content if isinstance(content, list) else [content]
    if len(each) > MAX_READINGS:
        raise TooLarge(f"One request sets at most {MAX_READINGS:,} values; this one has {len(each):,}")
    for one in each:
        if not isinstance(one, dict):
            raise Invalid(f"The body must be a {what} or an array of them, not {json_name(one)}")
    return [(f"[{number}]" if content is each else "", one) for number, one in enumerate(each)]


def _invalid(at: str, name: str, message: str) -> Invalid:
    field = _field(at, name)
    return Invalid(f"{field}: {message}", details=[Finding(field=field, message=message)])


def _field(at: str, name: str) -> str:
    """A field of one of the values sent; `at` is its place among them, or nothing."""
    return f"{at}.{name}" if at else name
