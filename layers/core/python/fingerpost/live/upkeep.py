"""What the change feed has for those who watch: values that changed, devices whose connections ended unnoticed."""

from typing import Any

from ..catalogue.properties import Reading
from ..ports.table import Change
from .model import changed
from .service import Live

type Task = dict[str, Any]


def work_of(change: Change) -> list[Task]:
    """The tasks that one change makes necessary. A thing that nobody watches makes none: its row says so."""
    account, _, rest = change.key.pk.partition("#")
    if change.key.sk == "now" and change.new is not None and change.new.get("watched", 0) >= change.at:
        readings = changed(change.old, change.new)
        if readings:
            named = [[each.key, each.value, each.at] for each in readings]
            return [{"do": "tell", "account": account, "id": rest.removeprefix("t#"), "readings": named}]
    if change.expired and change.old is not None and change.old.get("k") == "presence":
        return [{"do": "absent", "account": account, "id": rest.removeprefix("here#")}]
    return []


def perform(task: Task, live: Live, cause: str) -> bool:
    """Whether the task is one of these; then it is done."""
    match task["do"]:
        case "tell":
            live.tell(task["account"], task["id"], [Reading(*each) for each in task["readings"]])
        case "absent":
            live.absent(task["account"], task["id"], cause)
        case _:
            return False
    return True
