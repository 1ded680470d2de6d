"""What the change feed has for those who watch: values that changed, devices whose connections ended unnoticed."""

from typing import Any

from ..ports.table import Change
from .model import changed

type Task = dict[str, Any]


def work_of(change: Change) -> list[Task]:
    """The tasks that one change makes necessary. A thing that nobody watches makes none: its own row says so."""
    account, _, rest = change.key.pk.partition("#")
    if change.key.sk == "now" and change.new is not None and change.new.get("watched", 0) >= change.at:
        if readings := changed(change.old, change.new):
            named = [[each.key, each.value, each.at] for each in readings]
            return [{"do": "tell", "account": account, "id": rest.removeprefix("t#"), "readings": named}]
    elif change.expired and change.old is not None and change.old.get("k") == "presence":
        return [{"do": "absent", "account": account, "id": rest.removeprefix("here#")}]
    return []
