"""`fingerpost rules drafts` and `schedule`: what is not live, or not yet."""

from typing import Annotated, Any

import typer

from .command import Session, command, group
from .failure import Refused, Usage
from .reading import Application, base_of, moment_of
from .rules import Reason, rules, who
from .terminal import moment

drafts = group("Rules in the making: list, publish, delete. `rules push --draft NAME` keeps one.")
schedule = group("What becomes live later, and when it ends. `rules push --starts-at MOMENT` plans it.")
rules.add_typer(drafts, name="drafts")
rules.add_typer(schedule, name="schedule")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the draft.")]


@command(drafts, "list")
def list_drafts(session: Session, application: Application = None) -> None:
    """All drafts."""
    documents = session.client.items(f"{base_of(application)}/drafts")

    def for_people() -> None:
        rows = [
            (
                each.get("name"),
                each["state"] if not each.get("findings") else f"{len(each['findings']):,} to correct",
                each.get("ruleCount", len(each.get("rules") or ())),
                each.get("basedOn"),
                moment(each.get("updatedAt")),
                who(each.get("by")),
                each.get("note"),
            )
            for each in documents
        ]
        columns = ("draft", "state", "rules", "based on", "changed", "by", "note")
        session.terminal.table(columns, rows, numbers=("rules", "based on"))

    session.terminal.answer(documents, for_people)


@command(drafts, "publish")
def publish_draft(
    session: Session,
    name: Name,
    reason: Reason = None,
    based_on: Annotated[int | None, typer.Option(metavar="VERSION", help="The live version you have seen.")] = None,
    starts_at: Annotated[str | None, typer.Option(metavar="MOMENT", help="Live from then on, not at once.")] = None,
    ends_at: Annotated[str | None, typer.Option(metavar="MOMENT", help="Until then; what was before is back.")] = None,
    application: Application = None,
) -> None:
    """Make a draft live. It is gone then: what was published is a version."""
    given = {
        "reason": reason,
        "basedOn": based_on,
        "startsAt": moment_of(starts_at, "--starts-at"),
        "endsAt": moment_of(ends_at, "--ends-at"),
    }
    body = {field: value for field, value in given.items() if value is not None}
    try:
        answer = session.client.post(f"{base_of(application)}/drafts/{name}/publish", body)
    except Refused as refusal:
        if refusal.status == 409:
            refusal.then = f"`fingerpost rules diff draft:{name}` shows what is different; then say --based-on VERSION"
        raise
    when = f"is live from {moment(answer['startsAt'])}" if answer.get("startsAt") else "is live"
    session.terminal.answer(answer, lambda: session.terminal.say(f"Version {answer['version']} {when}", "good"))


@command(drafts, "delete")
def delete_draft(
    session: Session,
    name: Name,
    application: Application = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Throw a draft away."""
    if not yes and not session.terminal.confirm(f"Delete the draft {name}?"):
        raise Usage("Nothing was deleted", then="Say --yes to delete it without being asked")
    session.client.delete(f"{base_of(application)}/drafts/{name}")
    session.terminal.answer({"deleted": name}, lambda: session.terminal.say(f"draft:{name} is deleted"))


@command(schedule, "list")
def list_scheduled(session: Session, application: Application = None) -> None:
    """What is planned, the nearest first."""
    planned = sorted(_planned(session, base_of(application)), key=lambda each: each["startsAt"])

    def for_people() -> None:
        rows = [
            (
                each["version"],
                moment(each["startsAt"]),
                moment(each.get("endsAt")),
                who(each.get("by")),
                each.get("reason"),
            )
            for each in planned
        ]
        session.terminal.table(("version", "from", "until", "by", "why"), rows, numbers=("version",))

    session.terminal.answer(planned, for_people)


@command(schedule, "cancel")
def cancel_scheduled(
    session: Session, version: Annotated[int, typer.Argument(metavar="VERSION")], application: Application = None
) -> None:
    """Do not make a version live after all. It stays in the history."""
    session.client.delete(f"{base_of(application)}/versions/{version}/schedule")
    says = f"Version {version} is not planned any more"
    session.terminal.answer({"cancelled": version}, lambda: session.terminal.say(says))


def _planned(session: Session, base: str) -> list[dict[str, Any]]:
    return [each for each in session.client.items(f"{base}/versions") if each["state"] == "scheduled"]
