"""`fingerpost reactor schedules`: when functions of a script run without an event."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from .command import Session, command, group
from .failure import Usage
from .reactor import event_in, reactor
from .reactor_scripts import Application, base_of
from .reading import moment_of
from .terminal import Terminal, moment

schedules = group("Schedules: functions of a script that run at one time, or again and again.")
reactor.add_typer(schedules, name="schedules")

Id = Annotated[str, typer.Argument(metavar="ID", help="Of the schedule.")]


@command(schedules, "list")
def list_schedules(session: Session, application: Application) -> None:
    """The schedules of an application, newest first."""
    documents = session.client.items(_address(application))

    def for_people() -> None:
        columns = ("id", "when", "function", "event", "enabled", "description")
        session.terminal.table(columns, [_row(each) for each in documents])

    session.terminal.answer(documents, for_people)


@command(schedules, "add")
def add(
    session: Session,
    application: Application,
    cron: Annotated[str | None, typer.Option(help="Quartz's form, in UTC: '0 45 14 * * ?' is 14:45 every day.")] = None,
    at: Annotated[str | None, typer.Option(metavar="MOMENT", help="Once: +2h, or a date and time.")] = None,
    event: Annotated[Path | None, typer.Option("--event", "-e", help="What the function is given, as JSON.")] = None,
    function: Annotated[str, typer.Option("--function", "-f", help="An exported function.")] = "onScheduledEvent",
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Do not run it yet.")] = False,
) -> None:
    """Have a function run at one time, or again and again."""
    if (cron is None) == (at is None):
        raise Usage("When?", then="Say --cron '0 45 14 * * ?', or --at +2h")
    sent: dict[str, Any] = {
        "event": event_in(event) if event else {},
        "function": function,
        "enabled": not disabled,
        **({"cron": cron} if cron else {"executeAt": moment_of(at, "--at")}),
        **({"description": description} if description else {}),
    }
    _show(session.terminal, session.client.post(_address(application), sent))


@command(schedules, "enable")
def enable(session: Session, application: Application, schedule: Id) -> None:
    """Let a schedule run."""
    _show(session.terminal, session.client.put(f"{_address(application)}/{schedule}", {"enabled": True}))


@command(schedules, "disable")
def disable(session: Session, application: Application, schedule: Id) -> None:
    """Keep a schedule, and do not run it."""
    _show(session.terminal, session.client.put(f"{_address(application)}/{schedule}", {"enabled": False}))


@command(schedules, "delete")
def delete(session: Session, application: Application, schedule: Id) -> None:
    """Delete a schedule."""
    session.client.delete(f"{_address(application)}/{schedule}")
    session.terminal.answer({"deleted": schedule}, lambda: session.terminal.say(f"{schedule} is deleted"))


def _address(application: str) -> str:
    return f"{base_of(application)}/schedules"


def _show(terminal: Terminal, document: dict[str, Any]) -> None:
    when = _when(document)
    state = "" if document["enabled"] else ", but is disabled"
    terminal.answer(
        document, lambda: terminal.say(f"{document['id']} runs {document['function']} {when}{state}", "good")
    )


def _when(document: dict[str, Any]) -> str:
    return f"by {document['cron']} (UTC)" if "cron" in document else f"at {moment(document['executeAt'])}"


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    event = json.dumps(each["event"], ensure_ascii=False)
    enabled = "yes" if each["enabled"] else "no"
    return each["id"], _when(each), each["function"], event[:40], enabled, each.get("description", "")
