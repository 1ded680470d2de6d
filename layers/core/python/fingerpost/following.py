"""Which tasks follow from the changes of the feed: they are put on the work queue (work.py carries them out)."""

import json
from typing import Any

from .live import upkeep as live
from .log import warning
from .ports.queue import Queue
from .ports.table import Change
from .reactor import upkeep as reactor
from .redirection import upkeep
from .rooms import telling as rooms

type Task = dict[str, Any]


def dispatch(changes: list[Change], queue: Queue) -> list[str]:
    """Put what changes make necessary on the queue. Answers the sequence numbers of records that must come again."""
    for number, change in enumerate(changes):
        try:
            for task in work_of(change):
                queue.send(json.dumps(task), group=task["account"])
        except Exception as error:  # this record and those after it come again
            warning("dispatch stopped", sequence=change.sequence, error=repr(error))
            return [each.sequence for each in changes[number:]]
    return []


def work_of(change: Change) -> list[Task]:
    """The tasks that one change makes necessary."""
    return [
        *upkeep.work_of(change),
        *live.work_of(change),
        *reactor.work_of(change),
        *rooms.work_of(change),
    ]
