"""Scripts and their versions as documents."""

from collections.abc import Sequence
from typing import Any

from ..access.authors import authors
from ..caller import Caller
from ..errors import NotFound
from ..ports.blobs import Blobs
from ..ports.table import Item
from . import scripts
from .manifest import FRESH
from .targets import Target

type Document = dict[str, Any]


def script(caller: Caller, of: Target, blobs: Blobs) -> Document:
    """The script that is wanted; before there was one it is simple and empty."""
    now = scripts.state(caller.tables.main, of.app)
    if now is None:
        empty = {"type": "simple", "script": "", "manifest": FRESH, "version": 0}
        return {"createdAt": of.begun, "updatedAt": of.begun, **empty}
    row = scripts.read_version(caller.tables.main, of.app, now["wanted"])
    found = scripts.uploaded(row, blobs)
    return {
        "createdAt": now["created"],
        "updatedAt": now["updated"],
        "type": row["type"],
        "script": found.script,
        "manifest": found.manifest.text,
        "version": row["number"],
    }


def status(caller: Caller, of: Target) -> Document:
    now = scripts.state(caller.tables.main, of.app)
    if now is None:
        return {"updating": False, "version": 0, "running": 0, "warnings": []}
    row = scripts.read_version(caller.tables.main, of.app, now["wanted"])
    return {
        "updating": row["state"] == scripts.INSTALLING,
        **({"error": row["error"]} if row["state"] == scripts.FAILED else {}),
        "version": row["number"],
        "running": now["running"],
        "warnings": scripts.warnings_of(row),
    }


def versions(caller: Caller, of: Target, rows: Sequence[Item]) -> list[Document]:
    now = scripts.state(caller.tables.main, of.app)
    known = authors(caller.tables, rows)
    return [_version(row, known[row["by"]], running=now["running"] if now else 0) for row in rows]


def version(caller: Caller, of: Target, number: int, blobs: Blobs) -> Document:
    """Raises NotFound."""
    row = scripts.read_version(caller.tables.main, of.app, number)
    (document,) = versions(caller, of, [row])
    found = scripts.uploaded(row, blobs)
    return {
        **document,
        "script": found.script,
        "manifest": found.manifest.text,
        "functions": list(found.functions),
        "filters": {name: each.text for name, each in found.filters.by_function.items()},
        "files": {path: len(content) for path, content in sorted(found.files.items())},
    }


def content(caller: Caller, of: Target, number: int, blobs: Blobs) -> bytes:
    """What was uploaded as a version, as a zip. Raises NotFound."""
    blob = blobs.get(scripts.read_version(caller.tables.main, of.app, number)["source"])
    if blob is None:
        raise NotFound(f"What was uploaded as version {number} is gone")
    return blob.content


def _version(row: Item, by: Document, *, running: int) -> Document:
    return {
        "version": row["number"],
        "type": row["type"],
        "state": row["state"],
        "running": row["number"] == running,
        **({"error": row["error"]} if row["error"] else {}),
        "warnings": scripts.warnings_of(row),
        "createdAt": row["at"],
        "createdBy": by,
        "size": row["bytes"],
    }
