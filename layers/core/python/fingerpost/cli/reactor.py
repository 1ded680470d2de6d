"""`fingerpost reactor`: a script tried on this machine, before it is anywhere else."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import wiring
from ..ports.runner import MEMORY_MB, TIME_LIMIT_MS, NoRunner, RunRequest, RunResult
from ..reactor.bundles import MAIN, MAX_FILES, MAX_UNPACKED_BYTES, pack
from ..reactor.rehearsal import Asked, Rehearsal, rehearsing
from .command import Session, command, group
from .failure import Negative, Usage

reactor = group("Reactor scripts.")

GOOD = ("done", "returned")
_APP = {"id": "U0000000applicationOfAuthor", "project": "U000000000projectOfAuthor", "name": "An author's application"}
LEVEL_STYLES = {"error": "error", "warn": "warning", "debug": "quiet", "trace": "quiet"}
_LEFT_OUT = (".git", ".hg", ".svn")


@command(reactor, "run")
def run(
    session: Session,
    script: Annotated[Path, typer.Argument(help="A script, or the folder of a bundle; main.js stands for its folder.")],
    event: Annotated[Path, typer.Option("--event", "-e", help="The event document that it is given, as JSON.")],
    function: Annotated[
        str, typer.Option("--function", "-f", help="Which function; without it, the one that the event is for.")
    ] = "",
    time_limit_ms: Annotated[int, typer.Option("--time-limit", min=1, help="In milliseconds.")] = TIME_LIMIT_MS,
    memory_mb: Annotated[int, typer.Option("--memory", min=16, max=4096, help="In megabytes.")] = MEMORY_MB,
) -> None:
    """Run a reactor script here, without a server, and show its log, its requests and how it ended.

    It runs in isolation, as it would on a server. Requests of the SDK are answered by a stand-in that keeps what is
    created and checks nothing; requests to other hosts leave this machine.
    """
    payload = event_in(event)
    name = function or function_for(payload)
    content = pack(files_of(script))
    try:
        runner = wiring.runner_here(lambda _: content)
    except NoRunner as error:
        raise Usage(str(error), then="Install it, and try again") from error
    with rehearsing(_APP, payload) as rehearsal:
        result = runner.run(
            RunRequest(
                bundle="tried",
                tenant=_APP["id"],
                function=name,
                payload=payload,
                api_url=rehearsal.url,
                api_key="key-of-the-trusted-application",
                app=_APP,
                header="tried",
                time_limit_ms=time_limit_ms,
                memory_mb=memory_mb,
            )
        )
    session.terminal.answer(_document(name, result, rehearsal), partial(_show, session, name, result, rehearsal))
    if result.outcome not in GOOD:
        raise Negative(f"{name} came to no good end: {result.outcome}", code=result.outcome)


def function_for(payload: dict[str, Any]) -> str:
    """The function that is called with an event of this shape."""
    match payload:
        case {"action": dict()}:
            return "onActionCreated"
        case {"changes": dict(), "thng": dict()}:
            return "onThngPropertiesChanged"
        case {"changes": dict(), "product": dict()}:
            return "onProductPropertiesChanged"
        case _:
            return "onScheduledEvent"


def event_in(path: Path) -> dict[str, Any]:
    """The event document in a file. Raises Usage."""
    try:
        document = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise Usage(f"{path} cannot be read: {error.strerror}", then="Name a file with the event") from error
    except ValueError as error:
        raise Usage(f"{path} is no JSON: {error}", then="Correct the file there") from error
    if not isinstance(document, dict):
        raise Usage(f"{path} holds no object", then='Write the event as the function gets it: {"action": {...}}')
    return document


def files_of(script: Path) -> Iterator[tuple[str, bytes]]:
    """A bundle's files by path. Raises Usage."""
    folder = script.parent if script.name == MAIN else script
    try:
        if not folder.is_dir():
            yield MAIN, script.read_bytes()
            return
        if not (folder / MAIN).is_file():
            raise Usage(f"{folder} holds no {MAIN}", then=f"A bundle begins with {MAIN}")
        size = 0
        for count, path in enumerate(_below(folder), 1):
            content = path.read_bytes()
            size += len(content)
            if count > MAX_FILES or size > MAX_UNPACKED_BYTES:
                raise Usage(f"{folder} is too much for a bundle: {MAX_FILES:,} files, {MAX_UNPACKED_BYTES:,} bytes")
            yield path.relative_to(folder).as_posix(), content
    except OSError as error:
        raise Usage(f"{script} cannot be read: {error.strerror}", then="Name a script or a folder") from error


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not set(_LEFT_OUT) & set(path.relative_to(folder).parts):
            yield path


def _document(function: str, result: RunResult, rehearsal: Rehearsal) -> dict[str, Any]:
    return {
        "function": function,
        "outcome": result.outcome,
        "ms": result.ms,
        "logs": [{"logLevel": each.level, "message": each.message, "timestamp": each.at} for each in result.logs],
        "requests": [
            {"method": each.method, "path": each.path, "query": dict(each.query), "body": each.body,
             "status": each.status} for each in rehearsal.asked
        ],
    }  # fmt: skip


def _show(session: Session, function: str, result: RunResult, rehearsal: Rehearsal) -> None:
    terminal = session.terminal
    for line in result.logs:
        terminal.say(f"{line.level:<5}  {line.message}", LEVEL_STYLES.get(line.level, ""))
    if rehearsal.asked:
        terminal.say()
        terminal.table(("request", "body", "answer"), [_row(each) for each in rehearsal.asked])
        terminal.say()
    style = "good" if result.outcome in GOOD else "error"
    terminal.say(f"{function}: {result.outcome} after {result.ms:,} ms", style)
    if result.outcome == "unavailable":
        terminal.say(result.detail)


def _row(asked: Asked) -> tuple[str, str, int]:
    query = "&".join(f"{name}={value}" for name, value in asked.query.items())
    body = "" if asked.body is None else json.dumps(asked.body, ensure_ascii=False)
    return f"{asked.method} {asked.path}{'?' if query else ''}{query}", body, asked.status
