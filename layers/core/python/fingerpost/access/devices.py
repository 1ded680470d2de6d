"""Device keys: a thng that has one speaks for itself, in one project; the same key whenever it is asked for.

A thng in several projects has a key for each of them, one in no project a key of no project. A key holds as long as the
thng is where the key is. Source: the platform's "Thngs as Devices".
"""

from typing import Any

from .. import audit, keys
from ..caller import Caller
from ..catalogue.model import THNG
from ..errors import Conflict, Invalid, NotFound
from ..ports.table import LAST, Absent, Condition, Delete, Equals, Put, Tables, TransactionFailed, Write
from ..resources import Document, Resources
from ..retry import attempts
from ..shapes import stamp, upgraded
from ..sight import ALL, projects_of
from .model import Principal
from .secrets import RootSecrets
from .store import key_row

ATTEMPTS = 8


def create(caller: Caller, thng_id: str, project: str | None, roots: RootSecrets) -> Document:
    """The key of a thng, made when there is none. Raises NotFound, Forbidden, Invalid."""
    project = _project(caller, thng_id, project)
    for _ in attempts(ATTEMPTS):
        row = _row(caller, thng_id, project)
        if row is not None and row["on"]:
            return _document(caller, thng_id, project, row, roots)
        version = 1 if row is None else row["n"] + 1
        made = {"n": version, "root": roots.current, "on": True}
        key = _document(caller, thng_id, project, made, roots)["thngApiKey"]
        principal = Principal(actor="device", account=caller.principal.account, id=thng_id, project=project)
        key_put = key_row(key, principal)
        digest = key_put.key.pk.removeprefix("key#")
        when: tuple[Condition, ...] = (Absent(),) if row is None else (Equals("n", row["n"]), Equals("on", False))
        device = Put(keys.device(thng_id, project), {**stamp("device"), **made, "key": digest}, when)
        try:
            entry = audit.entry(caller, "create", "deviceKey", thng_id, after={"project": project, "version": version})
            caller.tables.main.transact([device, key_put, *entry])
        except TransactionFailed:
            continue  # another request was faster, or is just being so
        return _document(caller, thng_id, project, made, roots)
    raise Conflict(f"The device key of the thng {thng_id} keeps changing; send the request again")


def read(caller: Caller, thng_id: str, project: str | None, roots: RootSecrets) -> Document:
    """Raises NotFound when the thng has no key."""
    project = _project(caller, thng_id, project)
    return _document(caller, thng_id, project, _valid(caller, thng_id, project), roots)


def delete(caller: Caller, thng_id: str, project: str | None) -> None:
    """The key opens nothing from now on; the next one is another. Raises NotFound."""
    project = _project(caller, thng_id, project)
    for _ in attempts(ATTEMPTS):
        row = _valid(caller, thng_id, project)
        off = Put(keys.device(thng_id, project), {**row, "on": False}, (Equals("n", row["n"]), Equals("on", True)))
        entry = audit.entry(caller, "delete", "deviceKey", thng_id, {"project": project, "version": row["n"]})
        try:
            caller.tables.main.transact([off, Delete(keys.key_of(row["key"])), *entry])
        except TransactionFailed:
            continue
        return
    raise Conflict(f"The device key of the thng {thng_id} keeps changing; send the request again")


def forget(tables: Tables, thng_id: str) -> None:
    """Remove the keys of a thng that was deleted; without it they open nothing already. `tables` are the account's."""
    pk, after = keys.document(thng_id).pk, None
    while True:
        page = tables.main.query(pk, low=keys.DEVICE, high=keys.DEVICE + LAST, after=after, limit=40, consistent=True)
        gone: list[Write] = [Delete(row.key) for row in page.rows]
        gone += [Delete(keys.key_of(row.item["key"])) for row in page.rows]
        if gone:
            tables.main.transact(gone)
        if (after := page.after) is None:
            return


def _project(caller: Caller, thng_id: str, wanted: str | None) -> str | None:
    """Which project's key of the thng is meant: the caller's own, the one named, else the thng's first."""
    thngs = Resources(caller.tables, THNG)
    stored = thngs.read(thng_id)
    if not caller.changes(stored.document):
        raise thngs.missing(thng_id[:60])
    if caller.principal.project is not None:
        return caller.principal.project
    projects = projects_of(stored.document)
    if wanted:
        if not {wanted, ALL}.isdisjoint(projects) and caller.principal.sight.sees_project(wanted):
            return wanted
        raise Invalid(f"project: the thng {thng_id} is not in project {wanted[:60]}")
    named = [each for each in projects if each != ALL and caller.principal.sight.sees_project(each)]
    if not named and projects:
        raise Invalid("project: this thng is in every project; say with ?project= which one the key is for")
    return named[0] if named else None


def _row(caller: Caller, thng_id: str, project: str | None) -> dict[str, Any] | None:
    item = caller.tables.main.get(keys.device(thng_id, project), consistent=True)
    return None if item is None else upgraded(item)


def _valid(caller: Caller, thng_id: str, project: str | None) -> dict[str, Any]:
    row = _row(caller, thng_id, project)
    if row is None or not row["on"]:
        raise NotFound(f"The thng {thng_id} has no device key")
    return row


def _document(caller: Caller, thng_id: str, project: str | None, row: dict[str, Any], roots: RootSecrets) -> Document:
    name = f"{thng_id}/{project or ''}"
    key = roots.api_key("device", caller.principal.account, name, root=row["root"], version=row["n"])
    return {"thngId": thng_id, "thngApiKey": key}
