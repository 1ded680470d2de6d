"""Action types: the platform's own, and those that operators define."""

from typing import Any

from .. import audit, keys, scoping
from ..caller import Caller
from ..errors import Conflict, Forbidden, NotFound
from ..fields import merged
from ..ports.table import Absent, Delete, Put
from ..resources import Document, Resources, Stored
from ..shapes import stamp
from .documents import NewActionType, SentActionType
from .model import ACTION_TYPE, BUILT_IN, RECORDED


def create(caller: Caller, sent: NewActionType, project: str | None) -> Document:
    """Raises Conflict when the account, or the platform itself, has a type of this name."""
    if sent.name in RECORDED:
        raise Conflict(f"The platform itself records {sent.name}; name yours otherwise")
    type_id, at = caller.new_id(caller.at), caller.at
    fields = sent.sent()
    scopes = scoping.initial(caller, fields.pop("scopes", None), project)
    document = merged({"createdAt": at, "updatedAt": at, "scopes": scopes}, fields)
    claim = Put(keys.claim("actionType", sent.name), {**stamp("claim"), "id": type_id}, (Absent(),))
    told = audit.entry(caller, "create", "actionType", sent.name, after=document)
    try:
        stored = Resources(caller.tables, ACTION_TYPE).create(type_id, document, also=[claim, *told])
    except Conflict as error:
        raise Conflict(f"There is an action type {sent.name} already") from error
    return shown(stored)


def find(caller: Caller, name: str) -> Stored:
    """A custom action type by its name. Raises NotFound, also when it is out of the key's sight."""
    claim = caller.tables.main.get(keys.claim("actionType", name), consistent=True)
    if claim is not None:
        type_id = str(claim["id"])
        stored = Resources(caller.tables, ACTION_TYPE).read_many([type_id], consistent=True).get(type_id)
        if stored is not None and caller.sees(stored.document):
            return stored
    known = ", ".join(BUILT_IN)
    raise NotFound(
        f"There is no action type {name[:100]!r}. The built-in ones are {known}; create others with POST /actions"
    )


def update(caller: Caller, name: str, sent: SentActionType) -> Stored:
    _refuse_built_in(name, "changed")
    fields = sent.sent()
    scopes = fields.pop("scopes", None)

    def change(document: Document) -> Document:
        result: dict[str, Any] = merged(document, fields)
        result["scopes"] = scoping.changed(caller, document, scopes)
        return result if result == document else {**result, "updatedAt": max(caller.at, document["updatedAt"])}

    return Resources(caller.tables, ACTION_TYPE).update(
        find(caller, name).id,
        change,
        also=lambda before, after: audit.entry(caller, "update", "actionType", name, before, after),
        sees=caller.changes,
        match=caller.match,
    )


def delete(caller: Caller, name: str) -> None:
    _refuse_built_in(name, "deleted")
    claim = Delete(keys.claim("actionType", name))
    Resources(caller.tables, ACTION_TYPE).delete(
        find(caller, name).id,
        also=lambda before: [claim, *audit.entry(caller, "delete", "actionType", name, before)],
        sees=caller.changes,
        match=caller.match,
    )


def shown(stored: Stored, *, with_scopes: bool = False) -> Document:
    document = {"id": stored.id, **stored.document}
    return document if with_scopes else {name: value for name, value in document.items() if name != "scopes"}


def _refuse_built_in(name: str, done: str) -> None:
    if name in BUILT_IN:
        raise Forbidden(f"{name} is a built-in action type and cannot be {done}")
