"""The tasks of the work queue: what goes on after an answer, or follows from a change (following.py)."""

import json
from collections.abc import Callable, Mapping

from . import wiring
from .access.dismissal import dismiss_page
from .catalogue import bulk
from .catalogue.erase import Erasing
from .catalogue.properties import Reading
from .insight import erasure
from .live.service import live
from .ports.queue import Queue
from .ports.table import Tables
from .reactor import runs, schedules
from .reactor.logs import delete_page
from .reactor.upkeep import unscript_page
from .redirection.exhaustion import mark_exhausted
from .redirection.upkeep import Task, refresh_hints, unlink_page
from .rooms import alike, arrivals, telling
from .rooms.evoko import telling as panels

type CarryOut = Callable[[Task, Tables, int], Task | None]  # (task, unscoped tables, now) -> the task that goes on

WHERE = ("part", "shard", "after")  # how far a task has come
SECOND_LOOK_MS = 120_000  # longer than any request: what was being created while its product went is there by then
LOOK_TWICE = ("unlink", "disband", "dismiss", "unscript")


def perform(task: Task, tables: Tables, queue: Queue, at: int) -> None:
    """Carry out one task; doing it again does no harm. `tables` are unscoped. Raises ValueError for an unknown one."""
    if (carry_out := TASKS.get(task["do"])) is None:
        raise ValueError(f"no such task: {task['do']!r}")
    if (rest := carry_out(task, tables, at)) is not None:
        queue.send(json.dumps(rest), group=task["account"])
    elif task["do"] in LOOK_TWICE and not task.get("again"):
        second = {name: each for name, each in task.items() if name not in WHERE} | {"again": True}
        queue.send(json.dumps(second), group=task["account"], delay_ms=SECOND_LOOK_MS)


def _hint(task: Task, tables: Tables, _at: int) -> None:
    refresh_hints(tables, task["account"], task["id"])
    alike.make_alike(tables, task["account"], task["id"])


def _erase(task: Task, tables: Tables, at: int) -> Task | None:
    rest, _ = Erasing(tables.of(task["account"])).carry_out(task, at)
    return rest


def _exhaust(task: Task, tables: Tables, at: int) -> None:
    mark_exhausted(tables, task["account"], task["link"], at)


def _tell(task: Task, _tables: Tables, _at: int) -> None:
    live().tell(task["account"], task["id"], [Reading(*each) for each in task["readings"]])


def _absent(task: Task, _tables: Tables, _at: int) -> None:
    live().absent(task["account"], task["id"], "expired")


def _arm(task: Task, tables: Tables, at: int) -> None:
    schedules.arm(task, tables, wiring.scheduler(), wiring.queue("work"), at)


def _fire(task: Task, tables: Tables, at: int) -> None:
    schedules.fire(task, tables, wiring.queue("work"), wiring.queue(runs.QUEUE), at)


def _run(task: Task, _tables: Tables, _at: int) -> None:
    runs.send_now(wiring.queue(runs.QUEUE), task)


TASKS: Mapping[str, CarryOut] = {
    "hint": _hint,
    "alikeRoom": lambda task, tables, _at: alike.make_alike(tables, task["account"], task["id"]),
    "unlink": unlink_page,
    "disband": unlink_page,
    "dismiss": lambda task, tables, _at: dismiss_page(tables, task),
    "erase": _erase,
    "forget": lambda task, tables, at: erasure.carry_out(tables, task, at),
    "exhaust": _exhaust,
    "change": lambda task, tables, _at: bulk.carry_out(tables, task),
    "arm": _arm,
    "fire": _fire,
    "unscript": lambda task, tables, _at: unscript_page(task, tables, wiring.bundles()),
    "unlog": lambda task, tables, _at: delete_page(task, tables),
    "tell": _tell,
    "absent": _absent,
    "run": _run,
    "room": lambda task, tables, _at: telling.tell(task, tables),
    "panels": lambda task, _tables, _at: panels.carry_out(task),
    "panelPing": lambda task, _tables, _at: panels.ping(task),
    "sweep": lambda task, tables, _at: arrivals.sweep(task, tables),
}
