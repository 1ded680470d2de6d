"""Removing what properties and locations have been: whole, or up to a time. Standard library only.

    0 a task for the work queue, which looks a minute later whether there is anything left to do
    1 in the row `now`: what is current goes if it is older than the time; the key's floor (`f:<key>`) is that time
    2 the history's rows below the floor, as many as one request can
    3 in the row `now`: the floor goes

Readers show nothing below a floor, so all of it seems gone at once, and a process may end anywhere. A value that became
current while its history's row was being removed is put into the history again: by step 3, or by who made it current
after that (properties.py). What is older than a floor and comes while it stands goes with the rest.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import batched
from typing import Any

from .. import keys
from ..errors import Conflict
from ..ports.table import (
    MAX_TRANSACTION_WRITES,
    AtMost,
    ConditionFailed,
    Delete,
    Equals,
    FieldChange,
    Item,
    Remove,
    Set,
    Tables,
)
from ..retry import attempts
from ..shapes import stamp
from .properties import KEYS_AT_ONCE, LONGEST_REQUEST_MS, current, history_rows, time_of

ROWS_AT_ONCE = 500  # removed in one request, or for one message of the work queue
PAGE = MAX_TRANSACTION_WRITES  # twice the units of single deletes in a hundredth of the calls
ATTEMPTS = 12
SECOND_LOOK_MS = LONGEST_REQUEST_MS
END = 10**15 - 1  # after every time that a history's row can have

type Floors = Mapping[str, int]  # by key: what is older than this goes. Milliseconds since the epoch
type Task = dict[str, Any]


def floor_of(row: Item, key: str) -> int:
    """Below this time a history is being removed; 0 when it is not."""
    return int(row.get(f"f:{key}", 0))


def tasks_of(resource_id: str, floors: Floors, *, gone: bool = False) -> Iterator[Task]:
    """What the work queue is told; `gone` when the thing itself is, and with it the row `now`."""
    for some in batched(sorted(floors), KEYS_AT_ONCE, strict=False):
        yield {"do": "erase", "id": resource_id, "gone": gone, "floors": {key: floors[key] for key in some}}


class Erasing:
    """Removes the histories of one account's things."""

    def __init__(self, tables: Tables):
        self._main, self._log = tables.main, tables.log

    def end_of(self, resource_id: str, key: str, row: Item) -> int:
        """A floor above all that the property has been; 0 when it has been nothing."""
        page = self._log.query(keys.histories(resource_id, key), descending=True, limit=1, consistent=True)
        known = [int(row[f"t:{key}"])] if f"t:{key}" in row else []
        return max([*known, *(time_of(each) for each in page.rows)], default=-1) + 1

    def lower(self, resource_id: str, floors: Floors, at: int) -> None:
        """Take what is older than its floor out of sight. Raises Conflict when newer values keep coming."""
        for some in batched(sorted(floors), KEYS_AT_ONCE, strict=False):
            self._lower(resource_id, {key: floors[key] for key in some}, at)

    def carry_out(self, task: Task, at: int, rows: int = ROWS_AT_ONCE) -> tuple[Task | None, int]:
        """Remove up to so many rows. Answers the task that goes on from there, if there is more, and how many are left.

        A floor that stands no more was somebody else's to finish: what is below it now has come since.
        """
        row = self._main.get(keys.current(task["id"]), consistent=True) or {}
        wanted = {key: each for key, each in task["floors"].items() if task["gone"] or floor_of(row, key) == each}
        for key, floor in wanted.items():
            rows = self._remove(task["id"], key, floor, rows)
            if not rows:
                rest = list(wanted)[list(wanted).index(key) :]
                return {**task, "floors": {each: wanted[each] for each in rest}}, 0
            if not task["gone"]:
                self._finish(task["id"], key, floor, at)
        return None, rows

    def _remove(self, resource_id: str, key: str, floor: int, rows: int) -> int:
        """Answers how many of `rows` are left; none when there may be more to remove."""
        after: str | None = None
        while rows:
            page = self._log.query(
                keys.histories(resource_id, key),
                high=keys.moment(floor),
                after=after,
                limit=min(PAGE, rows),
                consistent=True,
            )
            if page.rows:
                self._log.transact([Delete(row.key) for row in page.rows])
            rows -= len(page.rows)
            if page.after is None:
                return max(rows, 1)
            after = page.after
        return 0

    def _lower(self, resource_id: str, floors: Floors, at: int) -> None:
        key = keys.current(resource_id)
        for _ in attempts(ATTEMPTS):
            row = self._main.get(key, consistent=True) or {}
            changes: list[FieldChange] = [Set(name, mark) for name, mark in {**stamp("now"), "d": at}.items()]
            when: list[AtMost] = []
            for name, floor in floors.items():
                changes.append(Set(f"f:{name}", max(floor, floor_of(row, name))))
                if row.get(f"t:{name}", floor) < floor:
                    changes += [Remove(f"v:{name}"), Remove(f"t:{name}")]
                    when.append(AtMost(f"t:{name}", floor - 1))
            try:
                self._main.update(key, tuple(changes), when=tuple(when))
                return
            except ConditionFailed:
                continue  # a newer value came
        raise Conflict(f"The properties of {resource_id} keep changing; send the request again")

    def _finish(self, resource_id: str, key: str, floor: int, at: int) -> None:
        row_key, own = keys.current(resource_id), (Equals(f"f:{key}", floor),)
        try:
            _, row = self._main.update(row_key, (Set("d", at),), when=own)
        except ConditionFailed as failure:
            row = failure.old or {}  # the thing is gone, or another erasure has a floor of its own
        lost = [each for each in current(row) if each.key == key and each.at < floor] if row else []
        self._log.put_many(history_rows(resource_id, lost))
        if floor_of(row, key) == floor:
            with suppress(ConditionFailed):
                self._main.update(row_key, (Remove(f"f:{key}"),), when=own)
