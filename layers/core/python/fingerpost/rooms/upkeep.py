"""What the change feed has for those who listen to rooms (telling.py tells them). Standard library only."""

from typing import Any

from ..ports.table import Change

type Task = dict[str, Any]

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
