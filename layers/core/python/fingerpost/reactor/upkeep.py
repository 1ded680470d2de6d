"""What goes with an application: its script and rules in every version, schedules, what of it reacts to events."""

from typing import Any

from .. import keys
from ..ports.blobs import Blobs
from ..ports.table import Table, Tables
from . import keys as own_keys
from . import published, schedules

PAGE = 50

type Task = dict[str, Any]


def unscript_page(task: Task, tables: Tables, blobs: Blobs) -> Task | None:
    """Remove some of what a deleted application's reactor left behind. Answers the task that goes on from there."""
    main, app = tables.of(task["account"]).main, task["app"]
    if main.get(keys.document(app), consistent=True) is not None:
        return None
    published.forget(main, task["project"], app)
    more = schedules.forget_page(main, app, PAGE)
    main.delete(own_keys.webhook_secret(app))
    versions = main.query(own_keys.rules_version(app, 0).pk, limit=PAGE, consistent=True)
    for row in versions.rows:
        main.delete(row.key)
    page = main.query(own_keys.script(app).pk, limit=PAGE, consistent=True)
    for row in page.rows:
        for name in (row.item.get("source"), row.item.get("bundle")):
            if name:
                blobs.delete(name)
        main.delete(row.key)
    if main.get(keys.document(task["project"]), consistent=True) is None and _is_empty(main, task["project"]):
        main.delete(keys.reactor(task["project"]))
    return task if more or versions.after is not None or page.after is not None else None


def _is_empty(main: Table, project: str) -> bool:
    now = published.read(main, project)
    return not now.scripts and not now.rules
