"""Current properties and location beside a thng or product, and their history.

The row `now` has two attributes a property, `v:<key>` (its value as JSON) and `t:<key>` (its time in milliseconds), so
that each key is guarded by its own time; `v:` and `t:` with an empty key are the location. The history is in `log`.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .. import keys
from ..ports.table import AbsentOrBelow, ConditionFailed, FieldChange, Item, Put, Set, Tables
from ..shapes import stamp, upgraded

LOCATION = ""


class Properties:
    """The current values of one account's thngs and products."""

    def __init__(self, tables: Tables):
        self._main, self._log = tables.main, tables.log

    def record(self, resource_id: str, values: Mapping[str, Any], at: int) -> None:
        """Set each key as of `at` unless a later value is there; every value goes into the history, once."""
        self._log.put_many([_history_row(resource_id, key, value, at) for key, value in values.items()])
        for key, value in values.items():
            changes: tuple[FieldChange, ...] = (Set(f"v:{key}", json.dumps(value)), Set(f"t:{key}", at))
            marks = tuple(Set(name, mark) for name, mark in stamp("now").items())
            try:
                self._main.update(keys.current(resource_id), marks + changes, when=(AbsentOrBelow(f"t:{key}", at),))
            except ConditionFailed:
                continue  # a later value is current

    def begin(self, resource_id: str, values: Mapping[str, Any], at: int) -> None:
        """The first values of a new resource, in one row."""
        if values:
            self._log.put_many([_history_row(resource_id, key, value, at) for key, value in values.items()])
            row: Item = stamp("now")
            for key, value in values.items():
                row |= {f"v:{key}": json.dumps(value), f"t:{key}": at}
            self._main.put(keys.current(resource_id), row)

    def forget(self, resource_id: str) -> None:
        """Remove the current row; the history expires by itself or is deleted by its own address."""
        self._main.delete(keys.current(resource_id))

    def read_many(self, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Current values by resource; the location under LOCATION. A resource without any is left out."""
        rows = self._main.get_many([keys.current(each) for each in ids], consistent=True)
        return {key.pk.removeprefix("t#"): values(row) for key, row in rows.items()}


def values(row: Item) -> dict[str, Any]:
    """The values of a `now` row by key."""
    return {
        name[2:]: json.loads(text)
        for name, text in upgraded(row).items()
        if name.startswith("v:") and isinstance(text, str)
    }


def _history_row(resource_id: str, key: str, value: Any, at: int) -> Put:
    text = json.dumps(value, sort_keys=True)
    if key == LOCATION:
        return Put(keys.locations(resource_id, at, text), {**stamp("location"), "value": text})
    return Put(keys.history(resource_id, key, at, text), {**stamp("property"), "value": text})
