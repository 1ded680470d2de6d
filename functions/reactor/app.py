"""The Reactor of an application: its script in every version, its log, its schedules."""

import json
from collections.abc import Callable
from typing import Any

from fingerpost import cursor, wiring
from fingerpost.access.model import Verb
from fingerpost.body import validated
from fingerpost.edge import Answer, Edge, Request, created, no_content
from fingerpost.errors import Finding, Invalid, NotFound, TooLarge
from fingerpost.listing import PageOf
from fingerpost.multipart import file_of, is_multipart
from fingerpost.paging import ask_of, listed, per_page_of
from fingerpost.ports.table import Page
from fingerpost.reactor import logs, schedules, scripts, shown, upload
from fingerpost.reactor.answers import LogEntry, Schedule, Script, ScriptStatus, ScriptVersion, WholeScriptVersion
from fingerpost.reactor.documents import MAX_ENTRIES, SentEntry, SentRollback, SentSchedule, SentScript
from fingerpost.reactor.scripts import Target
from fingerpost.rules.nodes import to_json

edge = Edge("reactor")
handler = edge.handler

REACTOR = "/projects/{projectId}/applications/{applicationId}/reactor"
OWN = "/applications/me/reactor"
SCRIPT, LOGS, SCHEDULES = f"{REACTOR}/script", f"{REACTOR}/logs", f"{REACTOR}/schedules"
PAGE = ("perPage", "nextPageToken")


@edge.route("GET", SCRIPT, verb="read", of="scripts", answers=Script)
def read_script(request: Request) -> Answer:
    """The script that was uploaded last, or made to run again. Before that it is simple and empty."""
    return Answer(document=shown.script(request.caller, _target(request), wiring.bundles()))


@edge.route("PUT", SCRIPT, verb="update", of="scripts", body=SentScript, uploads="file", answers=Script)
def upload_script(request: Request) -> Answer:
    """Upload a script: as JSON, or the zip of a bundle. It is installed after the answer: see `status`."""
    of = _target(request)
    if is_multipart(request.event):
        sent = upload.bundle(file_of(request.event, "file"))
    else:
        simple = request.read(SentScript)
        sent = upload.simple(simple.script, simple.manifest_text)
    scripts.upload(request.caller, of, sent, wiring.bundles(), wiring.queue("install"))
    return Answer(document=shown.script(request.caller, of, wiring.bundles()))


@edge.route("GET", f"{SCRIPT}/status", verb="read", of="scripts", answers=ScriptStatus)
def read_status(request: Request) -> Answer:
    """Whether a script is being installed, or could not be; what is wrong with its filters."""
    return Answer(document=shown.status(request.caller, _target(request)))


@edge.route("GET", f"{SCRIPT}/versions", verb="read", of="scripts", query=PAGE, answers=list[ScriptVersion])
def list_versions(request: Request) -> Answer:
    """Every version that was uploaded, newest first."""
    caller, of = request.caller, _target(request)

    def read(after: str | None, limit: int) -> Page:
        return scripts.newest_versions(caller.tables.main, of.app, limit=limit, after=after)

    rows, token = _page(request, read, "scriptVersions", of.app)
    documents = shown.versions(caller, of, [row.item for row in rows.rows])
    return listed(request, PageOf(tuple(documents), token), documents)


@edge.route("GET", f"{SCRIPT}/versions/{{number}}", verb="read", of="scripts", answers=WholeScriptVersion)
def read_version(request: Request) -> Answer:
    """One version, with what was uploaded."""
    return Answer(document=shown.version(request.caller, _target(request), _number(request), wiring.bundles()))


@edge.route("GET", f"{SCRIPT}/versions/{{number}}/bundle", verb="read", of="scripts", answers=scripts.ZIP)
def download_version(request: Request) -> Answer:
    """What was uploaded as a version, as a zip."""
    content = shown.content(request.caller, _target(request), _number(request), wiring.bundles())
    return Answer(content=content, content_type=scripts.ZIP)


@edge.route("POST", f"{SCRIPT}/rollback", verb="update", of="scripts", body=SentRollback, answers=Script)
def roll_back(request: Request) -> Answer:
    """Let a version run again that was installed before, at once."""
    of, sent = _target(request), request.read(SentRollback)
    scripts.roll_back(request.caller, of, sent.version, wiring.bundles())
    return Answer(document=shown.script(request.caller, of, wiring.bundles()))


# Logs


@edge.route(
    "GET",
    LOGS,
    verb="read",
    of="reactorLogs",
    query=("filter", "perPage", "sortOrder", "nextPageToken"),
    answers=list[LogEntry],
)
def read_logs(request: Request) -> Answer:
    """The log, newest first; filters are by `logLevel` and `timestamp`. Entries are kept for seven days."""
    of, caller = _target(request), request.caller
    account = request.principal.account
    page = logs.page(caller.tables, account, of.app, ask_of(request, "reactorLog"), _secret())
    return listed(request, page, list(page.items))


@edge.route("POST", LOGS, verb="create", of="reactorLogs", body=SentEntry, answers=LogEntry, status=201)
def write_log(request: Request) -> Answer:
    """Write an entry."""
    of = _target(request)
    (document,) = _write(request, of, [request.read(SentEntry)])
    return Answer(status=201, document=document)


@edge.route(
    "POST", f"{LOGS}/bulk", verb="create", of="reactorLogs", body=list[SentEntry], answers=list[LogEntry], status=201
)
def write_logs(request: Request) -> Answer:
    """Write up to 1,000 entries."""
    of, sent = _target(request), request.json()
    if not isinstance(sent, list):
        raise Invalid("The body must be an array of log entries")
    if len(sent) > MAX_ENTRIES:
        raise TooLarge(f"At most {MAX_ENTRIES:,} entries are written at once; there are {len(sent):,}")
    entries = [validated(SentEntry, each, field=f"[{number}]") for number, each in enumerate(sent)]
    return Answer(status=201, document=_write(request, of, entries))


@edge.route("DELETE", LOGS, verb="delete", of="reactorLogs", query=("filter",), answers=None)
def delete_logs(request: Request) -> Answer:
    """Delete the log, or what of it matches a filter. What does not go at once goes in the next moments."""
    of, node = _target(request), ask_of(request, "reactorLog").node
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


# Schedules


def schedules_route(method: str, path: str, verb: Verb, **says: Any) -> Callable[..., Any]:
    """Register `path` below the schedules of an application, and below those of the application that asks."""

    def register(handle: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        for base in (SCHEDULES, f"{OWN}/schedules"):
            edge.route(method, base + path, verb=verb, of="schedules", **says)(handle)
        return handle

    return register


@schedules_route("GET", "", "read", query=PAGE, answers=list[Schedule])
def list_schedules(request: Request) -> Answer:
    """The schedules of an application, newest first."""
    of = _target(request)

    def read(after: str | None, limit: int) -> Page:
        return schedules.page(request.caller.tables.main, of, limit=limit, after=after)

    rows, token = _page(request, read, "schedules", of.app)
    documents = [schedules.shown(row.key.sk, row.item) for row in rows.rows]
    return listed(request, PageOf(tuple(documents), token), documents)


@schedules_route("POST", "", "create", body=SentSchedule, answers=Schedule, status=201)
def create_schedule(request: Request) -> Answer:
    """Have a function run at one time (`executeAt`), or again and again (`cron`, in Quartz's form, UTC)."""
    of = _target(request)
    document = schedules.create(request.caller, of, request.read(SentSchedule))
    return created(document, f"{request.path.rstrip('/')}/{document['id']}")


@schedules_route("GET", "/{scheduleId}", "read", answers=Schedule)
def read_schedule(request: Request) -> Answer:
    of, schedule_id = _target(request), request.parameters["scheduleId"]
    return Answer(document=schedules.shown(schedule_id, schedules.read(request.caller.tables.main, of, schedule_id)))


@schedules_route("PUT", "/{scheduleId}", "update", body=SentSchedule, answers=Schedule)
def update_schedule(request: Request) -> Answer:
    """Change what is sent; null takes a field away."""
    of, sent = _target(request), request.read(SentSchedule)
    return Answer(document=schedules.update(request.caller, of, request.parameters["scheduleId"], sent))


@schedules_route("DELETE", "/{scheduleId}", "delete", answers=None)
def delete_schedule(request: Request) -> Answer:
    schedules.delete(request.caller, _target(request), request.parameters["scheduleId"])
    return no_content()


def _target(request: Request) -> Target:
    """The application of the address, or the one that asks, which sees no other. Raises NotFound."""
    own = request.principal.app
    project = request.parameters.get("projectId", request.principal.project or "")
    app = request.parameters.get("applicationId", own or "")
    if request.principal.actor != "operator" and app != own:
        raise NotFound(f"There is no application {app[:60]}")
    if not app:
        raise NotFound("An Operator key is no application: name one, as in /projects/{id}/applications/{id}/reactor")
    return scripts.target(request.caller, project, app)


def _write(request: Request, of: Target, sent: list[SentEntry]) -> list[dict[str, Any]]:
    at = request.caller.at
    entries = [
        logs.Entry(each.logLevel, each.message, at if each.timestamp is None else each.timestamp) for each in sent
    ]
    return logs.append(request.caller.tables, of.app, entries, now=at, run=request.caller.new_id(at))


def _page(request: Request, read: Callable[[str | None, int], Page], what: str, app: str) -> tuple[Page, str | None]:
    digest = cursor.filter_digest(request.principal.account, what, app)
    token = request.query.get("nextPageToken")
    after = cursor.decode(_secret(), token, digest) if token else None
    page = read(after, per_page_of(request))
    return page, cursor.encode(_secret(), page.after, digest) if page.after else None


def _secret() -> bytes:
    return wiring.root_secrets().for_purpose("cursor")


def _number(request: Request) -> int:
    text = request.parameters["number"]
    if not text.isascii() or not text.isdigit() or len(text) > 8:
        message = f"a version is a number, not {text[:40]!r}"
        raise Invalid(message, details=[Finding(field="number", message=message)])
    return int(text)
