"""Who hears of a committed change of a room: panels, hubs, door pages. It comes by the feed and the work queue.

A listener is told at least once, in no promised order, and reads anew what it shows. One that fails keeps nobody else
from hearing; the task comes again, for all of them.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..log import error
from ..ports.table import Change, Tables

type Task = dict[str, Any]


class Told(NamedTuple):
    """Something about a room has changed. `booking` is empty when the room itself has: its equipment, its rules."""

    account: str
    room: str
    booking: str
    event: str  # of events.py; `_RoomSetUp` of a change of the room itself


type Listener = Callable[[Told, Tables], None]  # (what happened, the account's own tables)


def _panels(told: Told, tables: Tables) -> None:
    from .evoko.telling import hear  # noqa: PLC0415 - the feed's reader imports this, and has no libraries

    hear(told, tables)


LISTENERS: Sequence[Listener] = (_panels,)
SET_UP = ("structure", "equipment", "person", "evokoUser")  # other documents that panels show


def work_of(change: Change) -> list[Task]:
    """The tasks that one change of the feed makes necessary: one for each room that it is about."""
    kind = (change.new or change.old or {}).get("k")
    account, _, rest = change.key.pk.partition("#")
    if kind == "booking" and change.new is not None:
        told = (change.new["subject"], change.new["event"])
        return [_task(account, room, *told) for room in change.new["rooms"]]
    if kind == "room":
        return [_task(account, rest.removeprefix("t#"), "", "_RoomSetUp")]
    if kind in SET_UP:
        return [{"do": "panels", "account": account, "kind": kind}]
    return []


def _task(account: str, room: str, booking: str, event: str) -> Task:
    return {"do": "room", "account": account, "room": room, "booking": booking, "event": event}


def tell(task: Task, tables: Tables, listeners: Sequence[Listener] | None = None) -> None:
    """Carry out a task: pass it on to everybody. `tables` are unscoped. Raises what a listener has raised."""
    told = Told(task["account"], task["room"], task["booking"], task["event"])
    own = tables.of(told.account)
    failures: list[Exception] = []
    for listener in LISTENERS if listeners is None else listeners:
        try:
            listener(told, own)
        except Exception as failure:
            error("a listener of rooms failed", listener=listener.__qualname__, room=told.room, error=repr(failure))
            failures.append(failure)
    if failures:
        raise ExceptionGroup("listeners of rooms failed", failures)
