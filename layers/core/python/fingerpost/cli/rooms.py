"""`fingerpost rooms`: rooms, one at a time or from a table."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ..ids import is_id
from ..rooms.sheet import columns_of, document_of
from .command import Session, command, group
from .failure import CommandFailure, Negative, Usage
from .import_command import DryRun, ImportFile
from .tables import open_table

rooms = group("Rooms: make, list, change, import; who uses them and what opens the room APIs.")

Named = Annotated[str, typer.Argument(metavar="ROOM", help="By id, slug, e-mail address or name.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Filter = Annotated[str | None, typer.Option("--filter", "-f", help="Such as name=Harbour* & capacity>=8")]


@command(rooms, "list")
def list_rooms(session: Session, filter_: Filter = None) -> None:
    """Every room, newest first."""
    rows = session.client.items("/rooms", {"filter": filter_} if filter_ else None)
    session.terminal.answer(
        rows,
        lambda: session.terminal.table(
            ("name", "slug", "e-mail", "seats", "zone", "code", "id"),
            [
                tuple(row.get(name) for name in ("name", "slug", "email", "capacity", "timezone", "shortUrl", "id"))
                for row in rows
            ],
        ),
    )


@command(rooms, "show")
def show_room(session: Session, room: Named) -> None:
    """Everything of one room."""
    _show(session, find_room(session, room))


@command(rooms, "add")
def add_room(
    session: Session,
    name: Annotated[str | None, typer.Argument(help="What it is called; of a thng it has its name.")] = None,
    thng: Annotated[str | None, typer.Option(metavar="ID", help="The thng that becomes a room.")] = None,
    email: Annotated[str | None, typer.Option(help="Its own address.")] = None,
    slug: Annotated[str | None, typer.Option(help="Its name in addresses.")] = None,
    capacity: Annotated[int | None, typer.Option(min=0, help="Seats.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Such as Europe/Dublin; UTC when left out.")] = None,
    structure: Annotated[str | None, typer.Option(metavar="ID", help="The floor it is on.")] = None,
    manager: Annotated[list[str] | None, typer.Option(help="Who approves bookings; repeat it for more.")] = None,
    project: Annotated[str | None, typer.Option("--project", "-p", metavar="ID", help="Of its thng.")] = None,
) -> None:
    """Make a room. With a manager its bookings wait for approval."""
    sent = {
        "name": name,
        "thng": thng,
        "email": email,
        "slug": slug,
        "capacity": capacity,
        "timezone": timezone,
        "structure": structure,
        "managers": manager or None,
        "approval": True if manager else None,
    }
    body = {field: value for field, value in sent.items() if value is not None}
    _show(session, session.client.post("/rooms", body, {"project": project} if project else None))


@command(rooms, "set")
def set_room(
    session: Session,
    room: Named,
    changes: Annotated[
        list[str], typer.Argument(metavar="FIELD=VALUE...", help="capacity=8 equipment.wifi=false rules.opens=08:00")
    ],
) -> None:
    """Change fields of a room; a dot leads into a field. Values are JSON or text; null takes a field away."""
    document = find_room(session, room)
    _show(session, session.client.put(f"/rooms/{document['id']}", changed(document, changes)))


@command(rooms, "remove")
def remove_room(
    session: Session,
    room: Named,
    yes: Yes = False,
    cancel: Annotated[
        bool, typer.Option("--cancel-bookings", help="Cancel what is booked; else such a room stays.")
    ] = False,
) -> None:
    """A room no more; its thng stays, and its code."""
    document = find_room(session, room)
    if not yes and not session.terminal.confirm(f"Is {document['name']} a room no more?"):
        raise Usage("Nothing was changed", then="Say --yes to do it without being asked")
    session.client.delete(f"/rooms/{document['id']}", {"cancelBookings": "true"} if cancel else None)
    session.terminal.answer({"removed": document["id"]}, lambda: session.terminal.say(f"{document['name']} is removed"))


@command(rooms, "import")
def import_rooms(session: Session, file: ImportFile, dry_run: DryRun = False) -> None:
    """Make and change rooms from a CSV of RoomVox or Exchange; a room is known by its e-mail address, else its name."""
    results = [_imported(session, line, cells, dry_run=dry_run) for line, cells in _lines(file)]

    def for_people() -> None:
        session.terminal.table(
            ("line", "name", "what", "why"),
            [(each["line"], each["name"], each["what"], "; ".join(each["why"])) for each in results],
        )

    session.terminal.answer(results, for_people)
    if failed := [each for each in results if each["what"] == "failed"]:
        raise Negative(f"{len(failed)} of {len(results)} lines failed")


def find_room(session: Session, given: str) -> dict[str, Any]:
    """Raises Usage."""
    if is_id(given) and (found := session.client.find(f"/rooms/{given}")) is not None:
        return dict(found)
    for field in ("slug", "email", "name"):
        several = session.client.items("/rooms", {"filter": f"{field}={quoted(given)}"}, limit=2)
        if len(several) == 1:
            return dict(several[0])
        if several:
            raise Usage(f"Several rooms are called {given}", then="Name one by its slug or id: fingerpost rooms list")
    raise Usage(f"There is no room {given}", then="See those that there are: fingerpost rooms list")


def quoted(value: str) -> str:
    """A value as filters take it literally."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def changed(document: dict[str, Any], changes: list[str]) -> dict[str, Any]:
    """What to send for `field=value` and `group.field=value`: a group whole, as it will be. Raises Usage."""
    sent: dict[str, Any] = {}
    for change in changes:
        name, sign, text = change.partition("=")
        if not sign or not name:
            raise Usage(f"{change!r} is no FIELD=VALUE", then="Such as capacity=8 or equipment.wifi=false")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        field, dot, part = name.partition(".")
        if dot:
            value = {**sent.get(field, document.get(field) or {}), part: value}
        sent[field] = value
    return sent


def _lines(file: Path) -> list[tuple[int, dict[str, str]]]:
    table = open_table(file)
    columns = columns_of(table.header)
    if "name" not in columns:
        raise Usage(f"{file} has no column with names", then="Its first line names the columns: name, email, capacity")
    return [
        (record.line, {ours: record.cells.get(theirs, "") for ours, theirs in columns.items()})
        for record in table.records()
    ]


def _imported(session: Session, line: int, cells: dict[str, str], *, dry_run: bool) -> dict[str, Any]:
    """What became of a line: made, changed, failed. What cannot be read of it keeps it from being carried out."""
    document, mistakes = document_of(cells)
    result: dict[str, Any] = {"line": line, "name": document.get("name"), "what": "failed", "why": mistakes}
    if mistakes:
        return result
    try:
        known = _known(session, document)
        if known is None:
            result["what"] = "would be made" if dry_run else "made"
            if not dry_run:
                result["id"] = session.client.post("/rooms", document)["id"]
        else:
            result |= {"what": "would be changed" if dry_run else "changed", "id": known["id"]}
            if "equipment" in document:
                document["equipment"] = {**known["equipment"], **document["equipment"]}
            if not dry_run:
                session.client.put(f"/rooms/{known['id']}", document)
    except CommandFailure as failure:
        result |= {"what": "failed", "why": [str(failure)]}
    return result


def _known(session: Session, document: dict[str, Any]) -> dict[str, Any] | None:
    """The room that a line is about, if there is one."""
    for field in ("email", "name"):
        if field in document:
            found = session.client.items("/rooms", {"filter": f"{field}={quoted(document[field])}"}, limit=1)
            if found:
                return dict(found[0])
    return None


def _show(session: Session, document: dict[str, Any]) -> None:
    def for_people() -> None:
        facts = {name: value for name, value in document.items() if name not in ("createdAt", "updatedAt")}
        facts["joanId"] = str(facts["joanId"])
        session.terminal.facts(
            [(name, json.dumps(each) if isinstance(each, dict | list) else each) for name, each in facts.items()]
        )

    session.terminal.answer(document, for_people)
