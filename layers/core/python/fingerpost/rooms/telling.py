"""Who hears of a committed change of a room: panels, hubs, door pages. It comes by the feed and the work queue.

A listener is told at least once, in no promised order, and reads anew what it shows. One that fails keeps nobody else
from hearing; the task comes again, for all of them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..log import error
from ..ports.table import Tables
from . import arrivals
from .doors import displays
from .evoko import telling as panels
from .hub import hearing
from .model import Told

type Listener = Callable[[Told, Tables], None]  # (what happened, the account's own tables)

LISTENERS: Sequence[Listener] = (arrivals.expect, displays.hear, panels.hear, hearing.hear)


def tell(task: Mapping[str, Any], tables: Tables) -> None:
    """Carry out a task: pass it on to everybody. `tables` are unscoped. Raises what a listener has raised."""
    told = Told(task["account"], task["room"], task["booking"], task["event"])
    own = tables.of(told.account)
    failures: list[Exception] = []
    for listener in LISTENERS:
        try:
            listener(told, own)
        except Exception as failure:
            error("a listener of rooms failed", listener=listener.__qualname__, room=told.room, error=repr(failure))
            failures.append(failure)
    if failures:
        raise ExceptionGroup("listeners of rooms failed", failures)
