"""`fingerpost reactor deploy` and what comes after it: status, versions, the log."""

import time
from collections.abc import Set
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import typer

from ..clock import now_ms
from ..ports.runner import TIME_LIMIT_MS
from ..reactor.bundles import MAIN, pack
from ..reactor.manifest import MANIFEST
from ..reactor.upload import MODULES
from .client import Client, Document
from .command import Session, command
from .failure import Negative, Usage
from .reactor import LEVEL_STYLES, files_of, reactor
from .reading import moment_of, split_application
from .rules import Yes, who
from .tail import MAX_PAGES, Look, arriving
from .terminal import Terminal, moment

LOOK_SECONDS = 0.5
INSTALL_SECONDS = 300
LATE_MS = 2 * TIME_LIMIT_MS  # a run's entries are written when it ends, and are of the time before

Application = Annotated[
    str, typer.Option("--application", "-a", metavar="PROJECT/APPLICATION", help="Whose script, both by id.")
]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it runs.")]


@command(reactor, "deploy")
def deploy(
    session: Session,
    application: Application,
    script: Annotated[Path, typer.Argument(help="A script, or the folder of a bundle; main.js stands for its folder.")],
    manifest: Annotated[
        Path | None, typer.Option("--manifest", metavar="FILE", help="The package.json of a single script.")
    ] = None,
    wait: Wait = True,
) -> None:
    """Upload a script and have it installed. Ends with 1 when it cannot be; what ran before runs on then."""
    address = f"{base_of(application)}/script"
    if script.is_dir() or script.name == MAIN:
        if manifest is not None:
            raise Usage("A bundle has a package.json of its own", then=f"Put it into the folder as {MANIFEST}")
        files = ((path, content) for path, content in files_of(script) if MODULES not in PurePosixPath(path).parts)
        document = session.client.upload(address, "file", pack(files))
    else:
        ((_, content),) = files_of(script)
        sent = {"script": content.decode("utf-8", "replace"), "manifest": _text_of(manifest) if manifest else ""}
        document = session.client.put(address, sent)
    if not wait:
        session.terminal.answer(document, lambda: session.terminal.say(f"Version {document['version']} is uploaded"))
        return
    status = _installed(session, address)
    session.terminal.answer(status, lambda: _show_status(session.terminal, status))
    if "error" in status or status["version"] != document["version"]:
        raise Negative(f"Version {document['version']} does not run", code="notInstalled")


@command(reactor, "status")
def status(session: Session, application: Application) -> None:
    """Say which version runs, and what is wrong with the one that was uploaded last."""
    document = session.client.get(f"{base_of(application)}/script/status")
    session.terminal.answer(document, lambda: _show_status(session.terminal, document))
    if "error" in document:
        raise typer.Exit(Negative.exit_code)


@command(reactor, "versions")
def versions(
    session: Session,
    application: Application,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 30,
) -> None:
    """The versions that were uploaded, newest first: which runs, who uploaded it, and when."""
    documents = session.client.items(f"{base_of(application)}/script/versions", limit=limit)

    def for_people() -> None:
        rows = [
            (
                each["version"],
                "running" if each["running"] else each["state"],
                moment(each["createdAt"]),
                who(each["createdBy"]),
                each["type"],
                each["size"],
                each.get("error", "")[:60],
            )
            for each in documents
        ]
        columns = ("version", "state", "when", "by", "type", "bytes", "error")
        session.terminal.table(columns, rows, numbers=("version", "bytes"))

    session.terminal.answer(documents, for_people)


@command(reactor, "rollback")
def rollback(
    session: Session,
    application: Application,
    version: Annotated[int, typer.Argument(metavar="VERSION", min=1, help="By number.")],
    yes: Yes = False,
) -> None:
    """Let an earlier version run again, at once."""
    address = f"{base_of(application)}/script"
    running = session.client.get(f"{address}/status")["running"]
    question = f"Version {running} runs. Go back to version {version}?"
    if not yes and session.terminal.is_watched and not session.terminal.confirm(question):
        raise Negative("Nothing was changed", then="Say --yes to go back without being asked")
    document = session.client.post(f"{address}/rollback", {"version": version})
    session.terminal.answer(document, lambda: session.terminal.say(f"Version {document['version']} runs", "good"))


@command(reactor, "logs")
def logs(
    session: Session,
    application: Application,
    level: Annotated[str | None, typer.Option(help="Of these levels only, such as error,warn or '>=warn'.")] = None,
    since: Annotated[str | None, typer.Option(metavar="MOMENT", help="What was written since, such as 2h.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="At most so many.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show entries as they come, until Ctrl-C.")] = False,
    interval: Annotated[float, typer.Option(min=0.2, max=60, help="Seconds between two looks.")] = 1.0,
) -> None:
    """What scripts and rules have logged, oldest first. With --json and --follow each is one line."""
    address, begin = f"{base_of(application)}/logs", moment_of(since, "--since")
    if not follow:

        def for_people() -> None:
            for each in documents:
                _show_entry(session.terminal, each)

        documents = session.client.items(address, {"filter": _filter(level, begin)}, limit=limit or 100)[::-1]
        session.terminal.answer(documents, for_people)
        return
    if not session.terminal.as_json:
        session.terminal.note("Waiting for entries; Ctrl-C ends it")
    look = _entries_of(session.client, address, level)
    for number, document in enumerate(arriving(look, begin or now_ms(), interval, late_ms=LATE_MS), 1):
        _show_entry(session.terminal, document)
        if number == limit:
            return


def base_of(application: str) -> str:
    """The address of an application's reactor. Raises Usage."""
    project, app = split_application(application)
    return f"/projects/{project}/applications/{app}/reactor"


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Usage(f"{path} cannot be read: {error}", then=f"Name a {MANIFEST}") from error


def _installed(session: Session, address: str) -> Document:
    """The status once nothing is being installed any more."""
    waited = 0.0
    while True:
        found: Document = session.client.get(f"{address}/status")
        if not found["updating"]:
            return found
        if waited > INSTALL_SECONDS:
            raise Negative("It is still being installed", then="`fingerpost reactor status` says when it runs")
        time.sleep(LOOK_SECONDS)
        waited += LOOK_SECONDS


def _show_status(terminal: Terminal, found: Document) -> None:
    if found["updating"]:
        terminal.say(f"Version {found['version']} is being installed")
    if "error" in found:
        terminal.say(f"Version {found['version']} could not be installed: {found['error']}", "error")
    terminal.say(f"Version {found['running']} runs" if found["running"] else "No script runs", "good")
    for warning in found["warnings"]:
        terminal.say(f"  {warning['field']}: {warning['message']}", "warning")


def _filter(level: str | None, begin: int | None) -> str | None:
    parts = [f"logLevel{level if level[0] in '<>!' else f'={level}'}"] if level else []
    return "&".join([*parts, *([f"timestamp>={begin}"] if begin is not None else [])]) or None


def _entries_of(client: Client, address: str, level: str | None) -> Look:
    """Looks for what is in the log and was not seen, also where it is of a while ago."""

    def look(begin: int, seen: Set[str]) -> list[Document]:
        since = max(begin, now_ms() - LATE_MS) if seen else begin
        found: list[Document] = []
        for number, page in enumerate(client.pages(address, {"filter": _filter(level, since)}), 1):
            found += [each for each in page if each["id"] not in seen]
            if number == MAX_PAGES:
                break
        return found

    return look


def _show_entry(terminal: Terminal, entry: dict[str, Any]) -> None:
    if terminal.as_json:
        terminal.line_of_json(entry)
    else:
        level = entry["logLevel"]
        terminal.say(f"{moment(entry['timestamp'])}  {level:<5}  {entry['message']}", LEVEL_STYLES.get(level, ""))
