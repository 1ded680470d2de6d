"""Schedules: events at one time, or again and again, which are given to a function of the application's script.

A schedule's row is the truth. What the scheduler knows follows it by way of the feed (`work_of`, `arm`), and what comes
of the scheduler (`fire`) is held against the row: so a schedule that was changed or deleted a moment ago does not fire.
"""

import json
from datetime import UTC, datetime
from typing import Any

from .. import audit, keys
from ..access.store import APPLICATION
from ..caller import Caller
from ..clock import moment_text
from ..errors import Conflict, Finding, Invalid, NotFound, TooLarge
from ..fields import merged
from ..ports.queue import MAX_DELAY_MS, Queue
from ..ports.scheduler import LATE_MS, Once, Scheduler, Timing
from ..ports.table import (
    LAST,
    Absent,
    Check,
    Delete,
    Equals,
    Item,
    Page,
    Present,
    Put,
    Table,
    Tables,
    TransactionFailed,
)
from ..resources import Document, Resources
from ..retry import attempts
from ..shapes import stamp, upgraded
from . import keys as own_keys
from . import logs, published
from .cron import parse
from .documents import SentSchedule
from .logs import Entry
from .runs import Run, event_id, send
from .targets import Target

MAX_SCHEDULES = 100  # of an application
FURTHEST_MS = 366 * 86_400_000 * 100
ATTEMPTS = 8
DEFAULTS: Document = {"function": "onScheduledEvent", "enabled": True}

type Task = dict[str, Any]


def create(caller: Caller, of: Target, sent: SentSchedule) -> Document:
    """Raises Invalid, TooLarge, NotFound."""
    main, schedule_id = caller.tables.main, caller.new_id(caller.at)
    document = _checked({**DEFAULTS, **merged({}, sent.sent())}, None, caller.at)
    document = {"createdAt": caller.at, "updatedAt": caller.at, **document}
    key = own_keys.schedule(of.app, schedule_id)
    if (first := main.get(key, consistent=True)) is not None:
        return shown(schedule_id, first)  # a repeat of a request that had got this far
    if main.count(own_keys.schedules(of.app), at_most=MAX_SCHEDULES) >= MAX_SCHEDULES:
        raise TooLarge(f"An application has at most {MAX_SCHEDULES} schedules")
    item = _item(of, document, 1)
    put = Put(key, item, (Absent(),))
    there = Check(keys.document(of.app), (Present(),))
    try:
        main.transact([put, there, *audit.entry(caller, "create", "schedule", schedule_id, after=document)])
    except TransactionFailed as failure:
        if failure.reasons[1].kind == "condition":
            raise NotFound(f"There is no application {of.app}") from failure
        raise
    return shown(schedule_id, item)


def read(main: Table, of: Target, schedule_id: str) -> Item:
    """The row of one schedule. Raises NotFound."""
    item = main.get(own_keys.schedule(of.app, schedule_id), consistent=True)
    if item is None:
        raise NotFound(f"There is no schedule {schedule_id[:60]}")
    return upgraded(item)


def page(main: Table, of: Target, *, limit: int, after: str | None) -> Page:
    """Rows of an application's schedules, newest first."""
    return main.query(own_keys.schedules(of.app), descending=True, limit=limit, after=after, consistent=True)


def update(caller: Caller, of: Target, schedule_id: str, sent: SentSchedule) -> Document:
    """Raises NotFound, Invalid, Conflict."""
    main, fields = caller.tables.main, sent.sent()
    for _ in attempts(ATTEMPTS):
        row = read(main, of, schedule_id)
        before = json.loads(row["doc"])
        after = _checked({**DEFAULTS, **merged(before, fields)}, before, caller.at)
        if after == before:
            return shown(schedule_id, row)
        after["updatedAt"] = max(caller.at, before["updatedAt"])
        item = _item(of, after, row["v"] + 1)
        told = audit.entry(caller, "update", "schedule", schedule_id, before, after)
        try:
            main.transact([Put(own_keys.schedule(of.app, schedule_id), item, (Equals("v", row["v"]),)), *told])
        except TransactionFailed:
            continue
        return shown(schedule_id, item)
    raise Conflict("This schedule keeps changing; send the request again")


def delete(caller: Caller, of: Target, schedule_id: str) -> None:
    """Raises NotFound, Conflict."""
    main = caller.tables.main
    for _ in attempts(ATTEMPTS):
        row = read(main, of, schedule_id)
        told = audit.entry(caller, "delete", "schedule", schedule_id, json.loads(row["doc"]))
        try:
            main.transact([Delete(own_keys.schedule(of.app, schedule_id), (Equals("v", row["v"]),)), *told])
        except TransactionFailed:
            continue
        return
    raise Conflict("This schedule keeps changing; send the request again")


def shown(schedule_id: str, row: Item) -> Document:
    return {"id": schedule_id, **json.loads(row["doc"])}


def timing_of(document: Document) -> Timing:
    """Raises Invalid for a cron expression that is none."""
    return Once(document["executeAt"]) if "executeAt" in document else parse(document["cron"])


def _checked(document: Document, before: Document | None, at: int) -> Document:
    """The document, if it can be carried out. Raises Invalid."""
    if "event" not in document:
        raise _wrong("event", "is needed: the object that the function gets")
    if ("executeAt" in document) == ("cron" in document):
        raise _wrong("executeAt", "and cron: a schedule has one of them, and not both")
    if before is not None and all(document.get(name) == before.get(name) for name in ("executeAt", "cron", "enabled")):
        return document
    timing = timing_of(document)
    if isinstance(timing, Once):
        if document["enabled"] and timing.at <= at:
            raise _wrong("executeAt", f"is over: it is {moment_text(at)}")
        if timing.at > at + FURTHEST_MS:
            raise _wrong("executeAt", "is more than 100 years away")
    elif timing.after(at) is None:
        raise _wrong("cron", f"{document['cron'][:60]!r} has no time in the next 40 years")
    return document


def _item(of: Target, document: Document, version: int) -> Item:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return {**stamp("schedule"), "v": version, "project": of.project, "doc": text}


def _wrong(field: str, message: str) -> Invalid:
    return Invalid(f"{field} {message}", details=[Finding(field=field, message=message)])


# What follows from a change, and from the time


def arm(task: Task, tables: Tables, scheduler: Scheduler, queue: Queue, at: int) -> None:
    """Let the scheduler know what a schedule's row says now. What became due on the way goes out at once."""
    main, key = tables.of(task["account"]).main, own_keys.schedule(task["app"], task["schedule"])
    item = main.get(key, consistent=True)
    while True:
        _tell(task, None if item is None else upgraded(item), scheduler, queue, at)
        now = main.get(key, consistent=True)
        if now == item:
            return
        item = now  # it changed meanwhile, and whoever saw that may have been faster than this


def _tell(task: Task, row: Item | None, scheduler: Scheduler, queue: Queue, at: int) -> None:
    document = {} if row is None else json.loads(row["doc"])
    if not document.get("enabled"):
        scheduler.delete(task["schedule"])
        return
    timing, fire = timing_of(document), {**task, "do": "fire"}
    if not isinstance(timing, Once) or timing.at > at:
        scheduler.put(task["schedule"], timing, fire)
    elif timing.at > document["updatedAt"]:
        queue.send(json.dumps({**fire, "due": timing.at}), group=task["account"])


def fire(task: Task, tables: Tables, work: Queue, runs: Queue, at: int) -> None:
    """A schedule is due: run its function, once however often this comes, unless it is another schedule by now."""
    own = tables.of(task["account"])
    item = own.main.get(own_keys.schedule(task["app"], task["schedule"]), consistent=True)
    application = Resources(own, APPLICATION).read_many([task["app"]], consistent=True).get(task["app"])
    if item is None or application is None:
        return
    document = json.loads(upgraded(item)["doc"])
    timing, due = timing_of(document), _due(task["due"], document)
    if not document["enabled"] or not (timing.at == due if isinstance(timing, Once) else timing.is_at(due)):
        return
    if due > at:
        body = json.dumps({**task, "due": due})
        work.send(body, group=task["account"], delay_ms=min((due - at + 999) // 1000 * 1000, MAX_DELAY_MS))
        return
    named = f"Schedule {task['schedule']}" + (f" ({document['description'][:60]})" if "description" in document else "")
    function, project = document["function"], application.document["project"]
    event = event_id(task["account"], task["schedule"], str(due))
    if missed := task.get("missed"):
        told = f"{named} missed {missed} of its times from {moment_text(due)} on: nothing ran here then"
        logs.append(own, task["app"], [Entry("warn", told, at)], run=f"{event}/missed")
        return
    if isinstance(timing, Once) and at - due > LATE_MS:
        told = f"{named} was due at {moment_text(due)} and runs {(at - due) // 1000:,} seconds late"
        logs.append(own, task["app"], [Entry("warn", told, at)], run=f"{event}/late")
    script = published.read(own.main, project).scripts.get(task["app"])
    if script is None:
        told = f"{named} was due at {moment_text(due)}, and the application has no script that could run {function}"
        logs.append(own, task["app"], [Entry("warn", told, at)], run=f"{event}/absent")
        return
    send(
        runs,
        Run(
            event=event,
            account=task["account"],
            project=project,
            app=task["app"],
            function=function,
            payload=document["event"],
            at=due,
            cause=event,
            script=script.version,
        ),
    )


def _due(told: int | str, document: Document) -> int:
    """The moment that a task is for: EventBridge tells a minute, to which the seconds of the expression belong."""
    if isinstance(told, int):
        return told
    minute = datetime.fromisoformat(told).replace(tzinfo=UTC, second=0, microsecond=0)
    return int(minute.timestamp()) * 1000 + (parse(document["cron"]).second * 1000 if "cron" in document else 0)


# When the application goes


def forget_page(main: Table, app: str, limit: int) -> bool:
    """Delete some of an application's schedules; whether there may be more."""
    found = main.query(own_keys.schedules(app), high=LAST, limit=limit, consistent=True)
    for row in found.rows:
        main.delete(row.key)
    return found.after is not None
