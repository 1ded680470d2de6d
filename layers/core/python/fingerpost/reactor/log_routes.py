"""The addresses of an application's log."""

import json
from typing import Any

from .. import wiring
from ..body import validated
from ..edge import Answer, Edge, Request, no_content
from ..errors import Invalid, TooLarge
from ..paging import ask_of, listed
from ..rules.nodes import to_json
from . import logs
from .addresses import REACTOR, secret, target_of
from .answers import LogEntry
from .documents import MAX_ENTRIES, SentEntry
from .targets import Target


def register(edge: Edge) -> None:
    """Add these addresses to a function."""
    for method, path, verb, handle, says in _ROUTES:
        edge.route(method, REACTOR + path, verb=verb, of="reactorLogs", **says)(handle)


def read_logs(request: Request) -> Answer:
    """The log, newest first; filters are by `logLevel` and `timestamp`. Entries are kept for seven days."""
    of, caller = target_of(request), request.caller
    account = request.principal.account
    page = logs.page(caller.tables, account, of.app, ask_of(request, "reactorLog"), secret())
    return listed(request, page, list(page.items))


def write_log(request: Request) -> Answer:
    """Write an entry."""
    of = target_of(request)
    (document,) = _write(request, of, [_entry(request, request.read(SentEntry))])
    return Answer(status=201, document=document)


def write_logs(request: Request) -> Answer:
    """Write up to 1,000 entries."""
    of, sent = target_of(request), request.json()
    if not isinstance(sent, list):
        raise Invalid("The body must be an array of log entries")
    if len(sent) > MAX_ENTRIES:
        raise TooLarge(f"At most {MAX_ENTRIES:,} entries are written at once; there are {len(sent):,}")
    entries = []
    for number, each in enumerate(sent):
        read = validated(SentEntry, each, field=f"[{number}]")
        entries.append(_entry(request, read, field=f"[{number}].timestamp"))
    return Answer(status=201, document=_write(request, of, entries))


def delete_logs(request: Request) -> Answer:
    """Delete the log, or what of it matches a filter. What does not go at once goes in the next moments."""
    of, node = target_of(request), ask_of(request, "reactorLog").node
    task = {
        "do": "unlog",
        "account": request.principal.account,
        "app": of.app,
        "nodes": None if node is None else to_json(node),
        "until": request.caller.at,
    }
    if (rest := logs.delete_page(task, wiring.tables())) is not None:
        wiring.queue("work").send(json.dumps(rest), group=request.principal.account)
    return no_content()


def _entry(request: Request, sent: SentEntry, field: str = "timestamp") -> logs.Entry:
    return logs.Entry(sent.logLevel, sent.message, request.caller.time_of(sent.timestamp, field))


def _write(request: Request, of: Target, entries: list[logs.Entry]) -> list[dict[str, Any]]:
    at = request.caller.at
    return logs.append(request.caller.tables, of.app, entries, now=at, run=request.caller.new_id(at))


_ROUTES: tuple[Any, ...] = (
    (
        "GET",
        "/logs",
        "read",
        read_logs,
        {"query": ("filter", "perPage", "sortOrder", "nextPageToken"), "answers": list[LogEntry]},
    ),
    ("POST", "/logs", "create", write_log, {"body": SentEntry, "answers": LogEntry, "status": 201}),
    ("POST", "/logs/bulk", "create", write_logs, {"body": list[SentEntry], "answers": list[LogEntry], "status": 201}),
    ("DELETE", "/logs", "delete", delete_logs, {"query": ("filter",), "answers": None}),
)
