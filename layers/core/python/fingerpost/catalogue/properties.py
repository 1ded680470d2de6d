"""Current properties and location beside a thng or product, and the history of each. Standard library only.

The row `now` has two attributes a property, `v:<key>` (its value as JSON) and `t:<key>` (its time in milliseconds), so
that each key is guarded by its own time; `v:` and `t:` with an empty key are the location. `actor`, `by`, `app`,
`cause` and `chain` say who changed it last, and by which reactor runs: an event of a change is made of the feed's
images of this row. `begun` is True in a row as it was written with its thng or product: what these begin with is no
change. The history is in `log`, and erase.py removes from it.

History is written before the row, so that what is current is in its history. A deletion may pass between the two: the
row's `d` says when the last one did, and a value that became current in the minute after is written once more.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import batched
from typing import Any, NamedTuple

from .. import keys, wiring
from ..caller import Caller
from ..ports.table import AbsentOrBelow, ConditionFailed, FieldChange, Item, Key, Put, Row, Set, Tables
from ..shapes import stamp, upgraded

LOCATION = ""
SYSTEM = "~"  # begins the keys of properties that the platform alone sets
KEYS_AT_ONCE = 25  # of one update: DynamoDB's expressions hold 4 KB and 300 operators
LONGEST_REQUEST_MS = 60_000


class Reading(NamedTuple):
    """A value that a property, or the location, has from a moment on."""

    key: str
    value: Any  # as JSON has it
    at: int  # milliseconds since the epoch


class Properties:
    """The properties of one account's thngs and products."""

    def __init__(self, tables: Tables):
        self._main, self._log = tables.main, tables.log

    def record(self, resource_id: str, readings: Sequence[Reading], caller: Caller) -> None:
        """Put each reading into its history, once; of each key the newest becomes current unless a later one is there.

        Of two of one time the one that comes last counts.
        """
        self._log.put_many(history_rows(resource_id, readings))
        for some in batched(newest(readings), KEYS_AT_ONCE, strict=False):
            self._advance(resource_id, some, caller)

    def begin(self, resource_id: str, readings: Sequence[Reading], caller: Caller) -> None:
        """The first values of a new resource, in one row."""
        if readings:
            self._log.put_many(history_rows(resource_id, readings))
            row: Item = {**stamp("now"), **_origin(caller, begun=True)}
            for key, value, at in readings:
                row |= {f"v:{key}": json.dumps(value), f"t:{key}": at}
            self._main.put(keys.current(resource_id), row)

    def forget(self, resource_id: str) -> None:
        """Remove the current row; the feed has its histories removed after it."""
        self._main.delete(keys.current(resource_id))

    def read_many(self, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Current values by resource; the location under LOCATION. A resource without any is left out."""
        rows = self._main.get_many([keys.current(each) for each in ids], consistent=True)
        return {key.pk.removeprefix("t#"): values(row) for key, row in rows.items()}

    def _advance(self, resource_id: str, readings: Sequence[Reading], caller: Caller) -> None:
        marks = tuple(Set(name, mark) for name, mark in {**stamp("now"), **_origin(caller)}.items())
        while readings:
            changes: list[FieldChange] = []
            for key, value, at in readings:
                changes += [Set(f"v:{key}", json.dumps(value)), Set(f"t:{key}", at)]
            when = tuple(AbsentOrBelow(f"t:{each.key}", each.at + 1) for each in readings)
            try:
                _, row = self._main.update(keys.current(resource_id), (*marks, *changes), when=when)
            except ConditionFailed as failure:
                row = failure.old or {}
                readings = [each for each in readings if row.get(f"t:{each.key}", -1) <= each.at]
                continue
            if row.get("d", 0) > wiring.clock() - LONGEST_REQUEST_MS:
                self._log.put_many(history_rows(resource_id, readings))
            return


def newest(readings: Iterable[Reading]) -> list[Reading]:
    """The latest reading of each key; of two of one time the one that comes last."""
    latest: dict[str, Reading] = {}
    for each in readings:
        if each.key not in latest or latest[each.key].at <= each.at:
            latest[each.key] = each
    return list(latest.values())


def values(row: Item) -> dict[str, Any]:
    """The values of a `now` row by key."""
    return {each.key: each.value for each in current(row)}


def current(row: Item) -> list[Reading]:
    """What a `now` row says, the location under LOCATION."""
    return [
        Reading(name[2:], json.loads(text), row[f"t:{name[2:]}"])
        for name, text in upgraded(row).items()
        if name.startswith("v:") and isinstance(text, str)
    ]


def history_rows(resource_id: str, readings: Iterable[Reading]) -> list[Put]:
    """The rows that readings leave in their histories, each once."""
    rows: dict[Key, Put] = {}
    for key, value, at in readings:
        text = json.dumps(value, sort_keys=True)
        row = keys.history(resource_id, key, at, text)
        # Both kinds hold the same; they are told apart for who reads an export.
        rows[row] = Put(row, {**(stamp("property") if key else stamp("location")), "value": text})
    return list(rows.values())


def time_of(row: Row) -> int:
    """When the value of a history's row was: what its sort key begins with."""
    return int(row.key.sk.partition("#")[0])


def reading_of(key: str, row: Row) -> Reading:
    """The value of a history's row."""
    return Reading(key, json.loads(upgraded(row.item)["value"]), time_of(row))


def _origin(caller: Caller, *, begun: bool = False) -> Mapping[str, Any]:
    principal = caller.principal
    return {
        "actor": principal.actor,
        "by": principal.id,
        "app": principal.app or "",
        "cause": caller.cause,
        "chain": list(caller.chain),
        "begun": begun,
    }
