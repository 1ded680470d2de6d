"""The addresses of an application's script and its versions."""

from typing import Any

from .. import wiring
from ..edge import Answer, Edge, Request
from ..errors import Finding, Invalid
from ..listing import PageOf
from ..multipart import file_of, is_multipart
from ..paging import listed
from ..ports.table import Page
from . import scripts, shown, upload
from .addresses import REACTOR, page_of, target_of
from .answers import Script, ScriptStatus, ScriptVersion, WholeScriptVersion
from .documents import SentScript, SentScriptRollback

PAGE = ("perPage", "nextPageToken")


def register(edge: Edge) -> None:
    """Add these addresses to a function."""
    for method, path, verb, handle, says in _ROUTES:
        edge.route(method, REACTOR + path, verb=verb, of="scripts", **says)(handle)


def read_script(request: Request) -> Answer:
    """The script that was uploaded last, or made to run again. Before that it is simple and empty."""
    return Answer(document=shown.script(request.caller, target_of(request), wiring.bundles()))


def upload_script(request: Request) -> Answer:
    """Upload a script: as JSON, or the zip of a bundle. It is installed after the answer: see `status`."""
    of = target_of(request)
    if is_multipart(request.event):
        sent = upload.bundle(file_of(request.event, "file"))
    else:
        simple = request.read(SentScript)
        sent = upload.simple(simple.script, simple.manifest_text)
    scripts.upload(request.caller, of, sent, wiring.bundles(), wiring.queue("install"))
    return Answer(document=shown.script(request.caller, of, wiring.bundles()))


def read_status(request: Request) -> Answer:
    """Whether a script is being installed, or could not be; what is wrong with its filters."""
    return Answer(document=shown.status(request.caller, target_of(request)))


def list_versions(request: Request) -> Answer:
    """Every version that was uploaded, newest first."""
    caller, of = request.caller, target_of(request)

    def read(after: str | None, limit: int) -> Page:
        return scripts.newest_versions(caller.tables.main, of.app, limit=limit, after=after)

    rows, token = page_of(request, read, "scriptVersions", of.app)
    documents = shown.versions(caller, of, [row.item for row in rows.rows])
    return listed(request, PageOf(tuple(documents), token), documents)


def read_version(request: Request) -> Answer:
    """One version, with what was uploaded."""
    return Answer(document=shown.version(request.caller, target_of(request), _number(request), wiring.bundles()))


def download_version(request: Request) -> Answer:
    """What was uploaded as a version, as a zip."""
    content = shown.content(request.caller, target_of(request), _number(request), wiring.bundles())
    return Answer(content=content, content_type=scripts.ZIP)


def roll_back(request: Request) -> Answer:
    """Let a version run again that was installed before, at once."""
    of, sent = target_of(request), request.read(SentScriptRollback)
    scripts.roll_back(request.caller, of, sent.version, wiring.bundles())
    return Answer(document=shown.script(request.caller, of, wiring.bundles()))


def _number(request: Request) -> int:
    text = request.parameters["number"]
    if not text.isascii() or not text.isdigit() or len(text) > 8:
        message = f"a version is a number, not {text[:40]!r}"
        raise Invalid(message, details=[Finding(field="number", message=message)])
    return int(text)


_ROUTES: tuple[Any, ...] = (
    ("GET", "/script", "read", read_script, {"answers": Script}),
    ("PUT", "/script", "update", upload_script, {"body": SentScript, "uploads": "file", "answers": Script}),
    ("GET", "/script/status", "read", read_status, {"answers": ScriptStatus}),
    ("GET", "/script/versions", "read", list_versions, {"query": PAGE, "answers": list[ScriptVersion]}),
    ("GET", "/script/versions/{number}", "read", read_version, {"answers": WholeScriptVersion}),
    ("GET", "/script/versions/{number}/bundle", "read", download_version, {"answers": scripts.ZIP}),
    ("POST", "/script/rollback", "update", roll_back, {"body": SentScriptRollback, "answers": Script}),
)
