"""Rooms made and changed from a table: what would come of each line, and doing it."""

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ValidationError

from ...body import invalid_document
from ...caller import Caller
from ...errors import FingerpostError, NotFound, TooLarge
from ...ports.blobs import Blobs
from ...ports.table import Tables
from ...resources import Document
from .. import setup
from ..documents import NewRoom, SentRoom
from ..model import Room
from ..rooms import Rooms
from ..sheet import document_of
from .answers import Upload
from .table import MAX_BYTES, Line, Table
from .words import TooLargeHere

type Mode = Literal["create", "update"]
type Reaches = Callable[[Room], bool]

CARRIED_BYTES = 4 * 1024 * 1024  # of a file that a request carries where a Lambda function reads it
SHOWN_LINES = 5_000  # of a preview
UPLOAD_SECONDS = 900
CSV = "text/csv"
FOREIGN = "Token does not have access to this room"
_UPLOAD = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Step:
    """What a line asks for: a new room, or a change of `room`; not both when there are `errors`."""

    line: Line
    document: Document
    room: Room | None
    errors: tuple[str, ...]

    @property
    def name(self) -> str:
        return str(self.document.get("name", ""))


@dataclass(slots=True)
class Known:
    """The rooms that lines can be about: a line's is the one with its e-mail address, else with its name."""

    by_email: dict[str, Room] = field(default_factory=dict)
    by_name: dict[str, Room] = field(default_factory=dict)

    def add(self, room: Room) -> None:
        self.by_email[room.email.casefold()] = room
        self.by_name.setdefault(room.name.casefold(), room)

    def find(self, document: Document) -> Room | None:
        by_email = self.by_email.get(document.get("email", "").casefold())
        return by_email or self.by_name.get(document.get("name", "").casefold())


class Import:
    """One token's import. `reaches` says for which rooms, `anew` whether for new ones; `tables` are unscoped."""

    def __init__(self, caller: Caller, tables: Tables, domain: str, reaches: Reaches, *, anew: bool):
        self._caller, self._tables, self._domain = caller, tables, domain
        self._reaches, self._anew = reaches, anew
        self._known = Known()
        for room in Rooms(caller.tables).all():
            self._known.add(room)

    def preview(self, table: Table) -> Document:
        """What would come of the first lines, and how many there are."""
        return {
            "columns": list(table.columns),
            "rows": [self._row(self._step(line)) for line in table.lines[:SHOWN_LINES]],
            "total": len(table.lines),
            "detected_format": table.format,
        }

    def carry_out(self, table: Table, mode: Mode, goes_on: Callable[[], bool]) -> Document:
        """Line by line while `goes_on`; what remains is done when the same file is sent again."""
        done = {"created": 0, "updated": 0, "skipped": 0}
        errors: list[Document] = []
        remaining = 0
        for number, line in enumerate(table.lines):
            if not goes_on():
                remaining = len(table.lines) - number
                break
            step = self._step(line)
            mistakes = list(step.errors)
            if not mistakes:
                try:
                    done[self._done(step, mode)] += 1
                except FingerpostError as error:
                    mistakes.append(str(error))
            if mistakes:
                errors.append({"line": line.number, "name": step.name, "errors": mistakes})
        return {**done, "errors": errors, "remaining": remaining}

    def _done(self, step: Step, mode: Mode) -> str:
        """What became of the line. Raises what making or changing a room raises."""
        if step.room is None:
            made = setup.create(self._caller, self._tables, NewRoom.model_validate(step.document), self._domain, None)
            self._known.add(Rooms(self._caller.tables).get(made.id))
            return "created"
        changes = changes_of(step.room, step.document)
        if mode == "create" or not changes:
            return "skipped"
        setup.update(self._caller, step.room.id, SentRoom.model_validate(changes))
        return "updated"

    def _step(self, line: Line) -> Step:
        document, mistakes = document_of(line.cells)
        room = self._known.find(document)
        if not mistakes:
            try:
                NewRoom.model_validate(document)
            except ValidationError as error:
                mistakes = [f"{each.field}: {each.message}" for each in invalid_document(error).details]
        if not (self._anew if room is None else self._reaches(room)):
            mistakes = [*mistakes, FOREIGN]
        return Step(line, document, room, tuple(mistakes))

    def _row(self, step: Step) -> Document:
        seen = step.room is not None and self._reaches(step.room)
        return {
            "line": step.line.number,
            "data": {name: cell for name, cell in step.line.cells.items() if cell},
            "action": "create" if step.room is None else "update",
            "matchedId": step.room.slug if step.room is not None and seen else None,
            "matchedName": step.room.name if step.room is not None and seen else None,
            "errors": list(step.errors),
        }


def changes_of(room: Room, document: Document) -> dict[str, Any]:
    """What of a line is not so already. Equipment that it does not name stays as it is."""
    before: dict[str, Any] = {
        "name": room.name,
        "email": room.email,
        "description": room.description,
        "number": room.number,
        "type": room.kind,
        "capacity": room.capacity,
        "address": dict(room.address),
        "approval": room.approval,
        "active": room.active,
        "equipment": dict(room.facilities),
    }
    after = dict(document)
    for name in ("equipment", "address"):
        if name in after:
            after[name] = {**before[name], **after[name]}
    return {name: value for name, value in after.items() if value != before[name]}


# Files that no request carries


def upload_for(blobs: Blobs, account: str) -> Upload | None:
    """Where a file can be put; None where requests carry every file that is read."""
    name = secrets.token_hex(16)
    url = blobs.upload_address(_blob(account, name), content_type=CSV, seconds=UPLOAD_SECONDS)
    if url is None:
        return None
    return {"url": url, "method": "PUT", "contentType": CSV, "name": name, "expiresIn": UPLOAD_SECONDS}


def uploaded(blobs: Blobs, account: str, name: str) -> bytes:
    """What was put there. Raises NotFound, TooLarge."""
    facts = blobs.head(_blob(account, name)) if _UPLOAD.fullmatch(name) else None
    if facts is None:
        raise NotFound("Upload not found")
    check_size(facts.size)
    blob = blobs.get(_blob(account, name))
    if blob is None:
        raise NotFound("Upload not found")
    return blob.content


def forget(blobs: Blobs, account: str, name: str) -> None:
    blobs.delete(_blob(account, name))


def check_size(size: int) -> None:
    """Raises TooLarge."""
    if size > MAX_BYTES:
        raise TooLarge(f"File too large. Maximum size is 5 MB ({MAX_BYTES:,} bytes)")


def check_carried(size: int, blobs: Blobs, account: str) -> None:
    """Raises TooLarge; where a file has to be put elsewhere, naming the address."""
    check_size(size)
    if size > CARRIED_BYTES and (upload := upload_for(blobs, account)) is not None:
        raise TooLargeHere(
            f"A request carries {CARRIED_BYTES:,} bytes of a file here; put it to upload.url, then send upload.name",
            upload,
        )


def _blob(account: str, name: str) -> str:
    """Names of blobs are lower case; nobody finds another account's."""
    return f"uploads/{hashlib.sha256(account.encode()).hexdigest()[:24]}/{name}"
