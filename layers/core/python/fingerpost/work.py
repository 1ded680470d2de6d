"""The tasks of the work queue: what goes on after an answer, or follows from a change."""

import json

from .catalogue import bulk
from .catalogue.erase import Erasing
from .catalogue.properties import Reading
from .insight import erasure
from .live.service import live
from .ports.queue import Queue
from .ports.table import Tables
from .redirection.exhaustion import mark_exhausted
from .redirection.upkeep import Task, refresh_hints, unlink_page

WHERE = ("part", "shard", "after")  # how far a task has come
SECOND_LOOK_MS = 120_000  # longer than any request: what was being created while its product went is there by then


def perform(task: Task, tables: Tables, queue: Queue, at: int) -> None:
    """Carry out one task; doing it again does no harm. `tables` are unscoped."""
    match task["do"]:
        case "hint":
            refresh_hints(tables, task["account"], task["id"])
        case "unlink" | "disband":
            following = unlink_page(tables, task, at)
            if following is not None:
                queue.send(json.dumps(following), group=task["account"])
            elif not task.get("again"):
                second = {name: each for name, each in task.items() if name not in WHERE} | {"again": True}
                queue.send(json.dumps(second), group=task["account"], delay_ms=SECOND_LOOK_MS)
        case "erase":
            rest, _ = Erasing(tables.of(task["account"])).carry_out(task, at)
            if rest is not None:
                queue.send(json.dumps(rest), group=task["account"])
        case "forget":
            if (rest := erasure.carry_out(tables, task, at)) is not None:
                queue.send(json.dumps(rest), group=task["account"])
        case "exhaust":
            mark_exhausted(tables, task["account"], task["link"], at)
        case "tell":
            readings = [Reading(*each) for each in task["readings"]]
            live().tell(task["account"], task["id"], readings)
        case "absent":
            live().absent(task["account"], task["id"], "expired")
        case "change":
            if (rest := bulk.carry_out(tables, task)) is not None:
                queue.send(json.dumps(rest), group=task["account"])
        case unknown:
            raise ValueError(f"no such task: {unknown!r}")
