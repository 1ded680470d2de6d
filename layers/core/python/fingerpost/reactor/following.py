"""Which tasks follow from changes of the feed: of schedules, and when an application goes. work.py does them."""

import json
from typing import Any

from ..access.store import APPLICATION
from ..ports.table import Change
from ..shapes import upgraded

type Task = dict[str, Any]


def work_of(change: Change) -> list[Task]:
    """The tasks that one change makes necessary."""
    match (change.new or change.old or {}).get("k"):
        case "schedule":
            account, _, app = change.key.pk.split("#", 2)
            return [{"do": "arm", "account": account, "app": app, "schedule": change.key.sk}]
        case APPLICATION.name if change.key.sk == "doc" and change.new is None and change.old is not None:
            account, _, app = change.key.pk.split("#", 2)
            project = json.loads(upgraded(change.old)["doc"])["project"]
            return [{"do": "unscript", "account": account, "app": app, "project": project}]
        case _:
            return []
