"""Changes reach every connection that has subscribed to what they change. It all comes off the work queue.

What a connection is told is read while it is held, so that of two changes the later one stands at the end, in whichever
order their tasks come. A task that comes again finds nothing to tell.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import Any

from ... import wiring
from ...errors import Unavailable
from ...log import warning
from ...ports.connections import ConnectionGone
from ...ports.table import Tables, Unreachable
from ..model import Told
from .delivery import Delivery, Outlet
from .protocol import DdpError
from .publications import ALL, BOOKINGS, OF_KIND, OF_ROOM, PUBLICATIONS, News, Reader
from .server import Server, server
from .sessions import Closed, Session, Sessions

AT_ONCE = 10  # connections that one task tells
SPREAD = 500  # connections that one task finds for others to tell

type Task = dict[str, Any]


def hear(told: Told, _own: Tables) -> None:
    """A listener: something about a room has changed. Raises Unavailable, Unreachable."""
    about = {"account": told.account, "room": told.room, "booking": told.booking}
    _tell_watchers({"do": "panels", **about, "topics": [told.room, ALL]})


def carry_out(task: Task) -> Task | None:
    """Find who is to be told, or tell some. Raises Unavailable, Unreachable: then it is done again."""
    if "connections" in task:
        _tell(task, task["connections"])
        return None
    if "topics" not in task:
        _tell_watchers({**task, "topics": [OF_KIND[task["kind"]][0]]})
        return None
    return _spread(task)


def ping(task: Task) -> None:
    server().ping(task["connection"])


def _tell_watchers(task: Task) -> None:
    """At once when they are few."""
    sessions, few = Sessions(wiring.tables(), wiring.clock), dict[str, None]()
    for topic in task["topics"]:
        found, _ = sessions.watchers(task["account"], topic, after=None, limit=AT_ONCE + 1)
        few |= dict.fromkeys(found)
    if not few:
        return
    if len(few) <= AT_ONCE:
        _tell(task, list(few))
    else:
        _send({**task, "after": None})


def _spread(task: Task) -> Task | None:
    topic, *others = task["topics"]
    found, after = Sessions(wiring.tables(), wiring.clock).watchers(
        task["account"], topic, after=task["after"], limit=SPREAD
    )
    for some in batched(found, AT_ONCE, strict=False):
        _send({**task, "connections": some})
    if after is not None:
        return {**task, "after": after}
    return {**task, "topics": others, "after": None} if others else None


def _tell(task: Task, connections: Sequence[str]) -> None:
    """Side by side. Whom nothing can be told keeps nobody else from hearing."""
    panels = server()

    def tell(connection_id: str) -> Exception | None:
        outlet = Outlet(wiring.panels(), connection_id)
        try:
            with panels.sessions.held(connection_id) as session:
                if session.account == task["account"] and panels.still_in(session, outlet):
                    _bring(panels, session, task, outlet)
        except Closed:
            panels.sessions.unwatch(task["account"], connection_id, task["topics"])
        except ConnectionGone:
            panels.disconnect(connection_id)
        except (Unavailable, Unreachable) as error:
            return error
        return None

    if len(connections) == 1:
        failures = [tell(each) for each in connections]
    else:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="panels") as pool:
            failures = list(pool.map(tell, connections))
    for failure in failures:
        if failure is not None:
            raise failure


def _bring(panels: Server, session: Session, task: Task, outlet: Outlet) -> None:
    reader = Reader(wiring.tables().of(session.account), wiring.clock)
    delivery = Delivery(panels.sessions)
    shown = {PUBLICATIONS[each.name].collection for each in session.subscriptions.values()}
    for collection in _collections(task):
        if collection in shown:
            try:
                delivery.bring(session, _news(reader, collection, task), outlet)
            except DdpError as error:
                warning("a panel has too many documents", connection=session.id, error=str(error))


def _collections(task: Task) -> tuple[str, ...]:
    if "kind" in task:
        return OF_KIND[task["kind"]]
    return (BOOKINGS,) if task["booking"] else OF_ROOM


def _news(reader: Reader, collection: str, task: Task) -> News:
    if "kind" in task:
        return reader.whole(collection)
    return reader.booking(task["booking"]) if task["booking"] else reader.room(collection, task["room"])


def _send(task: Task) -> None:
    wiring.queue("work").send(json.dumps(task), group=task["account"])
