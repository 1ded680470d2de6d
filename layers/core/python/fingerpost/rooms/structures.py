"""Where rooms are: countries, cities, buildings and floors, each in one of a level above it."""

from ..caller import Caller
from ..errors import Conflict, Finding, Invalid
from ..ports.table import Tables
from ..resources import Document, Resources, Stored
from . import plain
from .kinds import ROOM, STRUCTURE

LEVELS = ("country", "city", "building", "floor")


def create(caller: Caller, fields: Document) -> Stored:
    """Raises Invalid for a parent that is none."""
    _check_parent(caller.tables, fields["level"], fields.get("parent"))
    return plain.create(caller, STRUCTURE, fields)


def update(caller: Caller, structure: str, fields: Document) -> Stored:
    """A structure keeps its level. Raises NotFound, Invalid, PreconditionFailed."""

    def check(after: Document) -> None:
        _check_parent(caller.tables, after["level"], after.get("parent"))

    return plain.update(caller, STRUCTURE, structure, fields, needs=("name",), check=check)


def delete(caller: Caller, structure: str) -> None:
    """Raises NotFound, Conflict while anything is in it, PreconditionFailed."""
    for kind, field in ((STRUCTURE, "parent"), (ROOM, "structure")):
        for each in plain.all_of(caller.tables, kind, field, structure):
            raise Conflict(f"The {kind.name} {each.document['name'][:60]} is in it; move that first")
    plain.delete(caller, STRUCTURE, structure)


def path_of(structures: dict[str, Stored], structure: str | None) -> list[Stored]:
    """From the country down to the structure itself; what was deleted under it ends the path."""
    path: list[Stored] = []
    while structure in structures and len(path) < len(LEVELS):
        path.insert(0, structures[structure])
        structure = path[0].document.get("parent")
    return path


def _check_parent(tables: Tables, level: str, parent: str | None) -> None:
    if parent is None:
        return
    found = Resources(tables, STRUCTURE).read_many([parent], consistent=True).get(parent)
    if found is None:
        raise plain.unknown("parent", parent)
    if LEVELS.index(found.document["level"]) >= LEVELS.index(level):
        message = f"a {level} is not in a {found.document['level']}"
        raise Invalid(f"parent: {message}", details=[Finding(field="parent", message=message)])
