"""A table of rooms as a file: CSV with commas, semicolons or tabs, as programs of all kinds write it. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ...errors import Invalid
from ...resources import Document
from ...separated import separator_of
from ..model import Room
from ..sheet import COLUMNS, EXCHANGE, columns_of

MAX_BYTES = 5 * 1024 * 1024
SAMPLE = {
    "name": "Harbour Room",
    "email": "harbour-room@example.com",
    "capacity": "8",
    "roomNumber": "0.12",
    "roomType": "meeting-room",
    "building": "Harbour Museum",
    "street": "1 Pier Road",
    "postalCode": "D01 X2Y3",
    "city": "Dublin",
    "facilities": "wifi,projector,whiteboard",
    "description": "By the water",
    "autoAccept": "true",
    "active": "true",
}
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Line:
    """A record, which begins at line `number` of the file; `cells` are by our columns."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]  # as the file names them
    format: Literal["roomvox", "ms365"]
    lines: tuple[Line, ...]


def read(content: bytes) -> Table:
    """Raises Invalid."""
    text = _text(content)
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator_of(first))
    try:
        header = [name.strip() for name in next(reader, [])]
        columns = columns_of(header)
        if "name" not in columns:
            raise Invalid("The first line of the file names its columns, one of them name or DisplayName")
        places = {ours: header.index(theirs) for ours, theirs in columns.items()}
        lines = tuple(_lines(reader, places))
    except csv.Error as error:
        raise Invalid(f"Line {reader.line_num} is no CSV: {error}") from error
    plain = {name.casefold().replace(" ", "") for name in header}
    return Table(tuple(header), "ms365" if plain & (EXCHANGE.keys() - {"postalcode", "tags"}) else "roomvox", lines)


def _lines(reader: Any, places: dict[str, int]) -> Iterator[Line]:
    line = reader.line_num + 1
    for cells in reader:
        named = {ours: _plain(cells[place]) for ours, place in places.items() if place < len(cells)}
        if any(cell.strip() for cell in cells):
            yield Line(line, named)
        line = reader.line_num + 1


def _text(content: bytes) -> str:
    if b"\x00" in content:
        raise Invalid("The file is no text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")  # as older spreadsheets write it


def written(rooms: Iterable[Room]) -> str:
    """The table of rooms, in the columns that are read."""
    return _csv(_cells(room) for room in rooms)


def sample() -> str:
    """One line to fill in others by."""
    return _csv([[SAMPLE[name] for name in COLUMNS]])


def _csv(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([_guarded(cell) for cell in row] for row in rows)
    return text.getvalue()


def _cells(room: Room) -> list[str]:
    values: Document = {
        "name": room.name,
        "email": room.email,
        "capacity": str(room.capacity or ""),
        "roomNumber": room.number,
        "roomType": room.kind,
        **room.address,
        "facilities": ",".join(name for name, works in room.facilities.items() if works),
        "description": room.description,
        "autoAccept": str(not room.approval).lower(),
        "active": str(room.active).lower(),
    }
    return [values.get(name, "") for name in COLUMNS]


def _guarded(cell: str) -> str:
    """What a spreadsheet would take for a formula stands behind an apostrophe, which reading takes away again."""
    return f"'{cell}" if cell.lstrip("'").startswith(_FORMULAS) else cell


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULAS) else cell
