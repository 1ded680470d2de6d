"""The addresses of an application's schedules: below the application, and below the one that asks."""

from typing import Any

from ..edge import Answer, Edge, Request, created, no_content
from ..listing import PageOf
from ..paging import listed
from ..ports.table import Page
from . import schedules
from .addresses import OWN, REACTOR, page_of, target_of
from .answers import Schedule
from .documents import SentSchedule

PAGE = ("perPage", "nextPageToken")


def register(edge: Edge) -> None:
    """Add these addresses to a function."""
    for method, path, verb, handle, says in _ROUTES:
        for base in (REACTOR, OWN):
            edge.route(method, f"{base}/schedules{path}", verb=verb, of="schedules", **says)(handle)


def list_schedules(request: Request) -> Answer:
    """The schedules of an application, newest first."""
    of = target_of(request)

    def read(after: str | None, limit: int) -> Page:
        return schedules.page(request.caller.tables.main, of, limit=limit, after=after)

    rows, token = page_of(request, read, "schedules", of.app)
    documents = [schedules.shown(row.key.sk, row.item) for row in rows.rows]
    return listed(request, PageOf(tuple(documents), token), documents)


def create_schedule(request: Request) -> Answer:
    """Have a function run at one time (`executeAt`), or again and again (`cron`, in Quartz's form, UTC)."""
    of = target_of(request)
    document = schedules.create(request.caller, of, request.read(SentSchedule))
    return created(document, f"{request.path.rstrip('/')}/{document['id']}")


def read_schedule(request: Request) -> Answer:
    of, schedule_id = target_of(request), request.parameters["scheduleId"]
    return Answer(document=schedules.shown(schedule_id, schedules.read(request.caller.tables.main, of, schedule_id)))


def update_schedule(request: Request) -> Answer:
    """Change what is sent; null takes a field away."""
    of, sent = target_of(request), request.read(SentSchedule)
    return Answer(document=schedules.update(request.caller, of, request.parameters["scheduleId"], sent))


def delete_schedule(request: Request) -> Answer:
    schedules.delete(request.caller, target_of(request), request.parameters["scheduleId"])
    return no_content()


_ROUTES: tuple[Any, ...] = (
    ("GET", "", "read", list_schedules, {"query": PAGE, "answers": list[Schedule]}),
    ("POST", "", "create", create_schedule, {"body": SentSchedule, "answers": Schedule, "status": 201}),
    ("GET", "/{scheduleId}", "read", read_schedule, {"answers": Schedule}),
    ("PUT", "/{scheduleId}", "update", update_schedule, {"body": SentSchedule, "answers": Schedule}),
    ("DELETE", "/{scheduleId}", "delete", delete_schedule, {"answers": None}),
)
