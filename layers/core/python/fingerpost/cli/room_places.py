"""`fingerpost rooms structures`, `equipment`, `devices`: where rooms are, what they have, panels at doors."""

from typing import Annotated, Any

import typer

from .command import Session, command, group
from .failure import Usage
from .room_access import named, told
from .rooms import Yes, find_room, rooms

structures = group("Countries, cities, buildings and floors; rooms are in them.")
equipment = group("Kinds of equipment of your own.")
devices = group("Panels at doors, as Joan's clients know them.")
rooms.add_typer(structures, name="structures")
rooms.add_typer(equipment, name="equipment")
rooms.add_typer(devices, name="devices")

Named = Annotated[str, typer.Argument(metavar="NAME", help="By id or name.")]
NewName = Annotated[str, typer.Argument(help="What it is called from now on.")]


@command(structures, "list")
def list_structures(session: Session) -> None:
    """Every structure, with where it is."""
    rows = session.client.items("/rooms/structures")
    names = {row["id"]: row["name"] for row in rows}
    session.terminal.answer(
        rows,
        lambda: session.terminal.table(
            ("name", "level", "in", "id"),
            [(row["name"], row["level"], names.get(row.get("parent", "")), row["id"]) for row in rows],
        ),
    )


@command(structures, "add")
def add_structure(
    session: Session,
    name: Annotated[str, typer.Argument(help="What it is called.")],
    level: Annotated[str, typer.Option(help="country, city, building or floor.")],
    parent: Annotated[str | None, typer.Option("--in", help="What it is in, by id or name.")] = None,
) -> None:
    """Make one. Rooms are put in it with `rooms set ROOM structure=ID`."""
    inside = {"parent": _structure(session, parent)["id"]} if parent else {}
    told(session, session.client.post("/rooms/structures", {"name": name, "level": level, **inside}))


@command(structures, "rename")
def rename_structure(session: Session, structure: Named, name: NewName) -> None:
    """Call it something else, for every client at once."""
    told(session, session.client.put(f"/rooms/structures/{_structure(session, structure)['id']}", {"name": name}))


@command(structures, "remove")
def remove_structure(session: Session, structure: Named, yes: Yes = False) -> None:
    """Remove one with nothing in it."""
    _remove(session, "/rooms/structures", _structure(session, structure), yes)


@command(equipment, "list")
def list_equipment(session: Session) -> None:
    """What there is besides the equipment that every system knows."""
    rows = session.client.items("/rooms/equipment")
    session.terminal.answer(
        rows, lambda: session.terminal.table(("name", "id"), [(row["name"], row["id"]) for row in rows])
    )


@command(equipment, "add")
def add_equipment(session: Session, name: Annotated[str, typer.Argument(help="What it is called.")]) -> None:
    """Make a kind. A room gets it with `rooms set ROOM customEquipment.ID=true`."""
    told(session, session.client.post("/rooms/equipment", {"name": name}))


@command(equipment, "rename")
def rename_equipment(session: Session, item: Named, name: NewName) -> None:
    """Call it something else, for every client at once."""
    told(session, session.client.put(f"/rooms/equipment/{_equipment(session, item)['id']}", {"name": name}))


@command(equipment, "remove")
def remove_equipment(session: Session, item: Named, yes: Yes = False) -> None:
    """Remove a kind."""
    _remove(session, "/rooms/equipment", _equipment(session, item), yes)


@command(devices, "list")
def list_devices(session: Session) -> None:
    """Every device, and the room that it shows."""
    rows = session.client.items("/rooms/devices")
    names = {row["id"]: row["name"] for row in session.client.items("/rooms")}
    session.terminal.answer(
        rows,
        lambda: session.terminal.table(
            ("uuid", "room", "model", "battery", "id"),
            [
                (row["uuid"], names.get(row["room"], row["room"]), row.get("model"), row.get("battery"), row["id"])
                for row in rows
            ],
        ),
    )


@command(devices, "add")
def add_device(
    session: Session,
    uuid: Annotated[str, typer.Argument(help="What it is known by.")],
    room: Annotated[str, typer.Argument(metavar="ROOM", help="By id, slug, e-mail address or name.")],
    model: Annotated[str | None, typer.Option(help="Such as joan-6.")] = None,
) -> None:
    """Hang one at a door."""
    sent = {"uuid": uuid, "room": find_room(session, room)["id"], **({"model": model} if model else {})}
    told(session, session.client.post("/rooms/devices", sent))


@command(devices, "move")
def move_device(
    session: Session,
    uuid: Annotated[str, typer.Argument(metavar="DEVICE", help="By uuid or id.")],
    room: Annotated[str, typer.Argument(metavar="ROOM", help="By id, slug, e-mail address or name.")],
) -> None:
    """Let it show another room."""
    found = _device(session, uuid)
    told(session, session.client.put(f"/rooms/devices/{found['id']}", {"room": find_room(session, room)["id"]}))


@command(devices, "remove")
def remove_device(
    session: Session, uuid: Annotated[str, typer.Argument(metavar="DEVICE", help="By uuid or id.")], yes: Yes = False
) -> None:
    """Take it down."""
    _remove(session, "/rooms/devices", _device(session, uuid), yes, called="uuid")


def _structure(session: Session, given: str) -> dict[str, Any]:
    return named(
        session, "/rooms/structures", given, "name", "There is no structure", "fingerpost rooms structures list"
    )


def _equipment(session: Session, given: str) -> dict[str, Any]:
    return named(session, "/rooms/equipment", given, "name", "There is no equipment", "fingerpost rooms equipment list")


def _device(session: Session, given: str) -> dict[str, Any]:
    for row in session.client.items("/rooms/devices"):
        if given in (row["uuid"], row["id"]):
            return dict(row)
    raise Usage(f"There is no device {given}", then="See fingerpost rooms devices list")


def _remove(session: Session, path: str, found: dict[str, Any], yes: bool, *, called: str = "name") -> None:
    name = found[called]
    if not yes and not session.terminal.confirm(f"Remove {name}?"):
        raise Usage("Nothing was changed", then="Say --yes to do it without being asked")
    session.client.delete(f"{path}/{found['id']}")
    session.terminal.answer({"removed": found["id"]}, lambda: session.terminal.say(f"{name} is removed"))
