"""`fingerpost audit`: who changed what, when, from where."""

import json
from typing import Annotated, Any

import typer

from .command import Session
from .reading import moment_of
from .terminal import moment

MAX_VALUE = 60


def audit(
    session: Session,
    what: Annotated[str | None, typer.Option(help="rules, link, account, ...")] = None,
    resource: Annotated[str | None, typer.Option(help="One of them, by its id or name.")] = None,
    verb: Annotated[str | None, typer.Option(help="publish, update, delete, ...")] = None,
    by: Annotated[str | None, typer.Option(metavar="ID", help="Who did it.")] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="MOMENT", help="Not before.")] = None,
    to: Annotated[str | None, typer.Option(metavar="MOMENT", help="Not after.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 30,
    changes: Annotated[bool, typer.Option("--changes", "-c", help="What was before, and after.")] = False,
) -> None:
    """Every change of a rule, link, key or setting, newest first."""
    query = {
        "what": what,
        "resource": resource,
        "verb": verb,
        "by": by,
        "from": moment_of(from_, "--from"),
        "to": moment_of(to, "--to"),
    }
    documents = session.client.items("/audit", query, limit=limit)

    def for_people() -> None:
        if not changes:
            rows = [
                (
                    moment(each["timestamp"]),
                    each["verb"],
                    each["what"],
                    each["resource"],
                    _who(each),
                    each.get("address"),
                    each.get("reason"),
                )
                for each in documents
            ]
            session.terminal.table(("when", "verb", "what", "which", "by", "from", "why"), rows)
            return
        for each in documents:
            head = f"{moment(each['timestamp'])}  {each['verb']} {each['what']} {each['resource']}  by {_who(each)}"
            session.terminal.say(head, "strong")
            before, after = each.get("before") or {}, each.get("after") or {}
            for name in dict.fromkeys((*before, *after)):
                if before.get(name) != after.get(name):
                    session.terminal.say(f"  {name}: {_shown(before.get(name))} -> {_shown(after.get(name))}")

    session.terminal.answer(documents, for_people)


def _who(document: dict[str, Any]) -> str:
    by = document.get("by") or {}
    return str(by.get("email") or f"{by.get('type', '')} {by.get('id', '')}".strip())


def _shown(value: Any) -> str:
    text = "nothing" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"
