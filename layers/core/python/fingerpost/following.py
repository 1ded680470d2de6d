"""What follows from the changes of the feed: tasks (work.py carries them out) and runs of reactor functions."""

import json
from typing import Any

from .live import upkeep as live
from .log import warning
from .ports.queue import Queue
from .ports.table import Change, Tables, Throttled, Unreachable
from .reactor import following as reactor
from .reactor import runs
from .reactor.dispatching import Batch, CompiledSets
from .reactor.events import events_of
from .redirection import upkeep
from .rooms import alike
from .rooms import upkeep as rooms

type Task = dict[str, Any]

_sets = CompiledSets()


def dispatch(changes: list[Change], tables: Tables, work: Queue, reactor: Queue) -> list[str]:
    """Put what changes make necessary on both queues. Answers the sequence numbers of records that must come again.

    `tables` are unscoped. A batch, or a part of it, may come any number of times: it makes the same tasks and runs.
    Raises what nobody can say of which record it is: then the batch is to be halved.
    """
    try:
        events = dict(events_of(changes, tables))
        batch = Batch(events.values(), tables, _sets)
        renamed = dict(alike.work_of(changes, tables))
    except (Throttled, Unreachable) as error:
        warning("dispatch could not begin", error=repr(error))
        return [each.sequence for each in changes]
    number = 0
    try:
        for number, change in enumerate(changes):
            tasks = work_of(change)
            if number in renamed:
                tasks.append(renamed[number])
            for task in tasks:
                work.send(json.dumps(task), group=task["account"])
            if (event := events.get(number)) is not None:
                for run in batch.runs_of(event):
                    runs.send(reactor, run)
    except Exception as error:  # this record and those after it come again
        warning("dispatch stopped", sequence=changes[number].sequence, error=repr(error))
        return [each.sequence for each in changes[number:]]
    return []


def work_of(change: Change) -> list[Task]:
    """The tasks that one change makes necessary, as it says by itself."""
    return [
        *upkeep.work_of(change),
        *live.work_of(change),
        *reactor.work_of(change),
        *rooms.work_of(change),
    ]
