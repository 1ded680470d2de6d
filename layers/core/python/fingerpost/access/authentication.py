"""Who sends a request: from its API key to a principal with a role. Consistent reads, never cached.

A changed role, a deleted user, application or thng, a closed project count from the next request on.
"""

import hashlib
from typing import Any

from .. import keys
from ..catalogue.model import THNG
from ..errors import Forbidden, Unauthenticated
from ..ports.table import Tables
from ..resources import Resources, from_item
from ..shapes import upgraded
from ..sight import ALL, projects_of
from .builtin import BASE_APP_USER, DEFAULTS, NONE, OF_BASE_APP_USER, OF_DEVICE, RIGHTS
from .holders import role_of_user
from .model import NO_RIGHTS, Principal, Rights, is_key
from .roles import OF_USERS, permissions_of, rights_of
from .store import APPLICATION, OPERATOR, PROJECT, REVOKED, ROLE, USER

CLOSED = "_closed"  # marks a project that is being deleted
GONE = "This API key is unknown or was revoked"


def authenticate(tables: Tables, authorization: str) -> Principal:
    """Who sends this Authorization header: the bare key, or a word and the key. `tables` are unscoped.

    Raises Unauthenticated (no key at all), Forbidden (unknown or revoked).
    """
    words = authorization.split()
    if not words:
        raise Unauthenticated("This address needs an API key: send it as the Authorization header")
    if not is_key(words[-1]):
        raise Forbidden("The Authorization header does not hold an API key")
    return principal_of(tables, hashlib.sha256(words[-1].encode()).hexdigest())


def principal_of(tables: Tables, digest: str) -> Principal:
    """Who the key with this SHA-256 is. Raises Forbidden (unknown or revoked)."""
    item = tables.main.get(keys.bearer(digest), consistent=True)
    if item is None:
        raise Forbidden(GONE)
    row: dict[str, Any] = upgraded(item)
    fields = {name: row[name] for name in ("actor", "account", "id", "project", "app")}
    fields["key"] = digest
    own = tables.of(row["account"])
    match row["actor"]:
        case "operator":
            role, rights = _of_operator(own, row["id"])
            return Principal(**fields, role=role, rights=rights)
        case "user":
            return _user(own, row, fields)
        case "device":
            return _device(own, row, fields)
        case _:
            return Principal(**fields)


def _of_operator(tables: Tables, operator: str) -> tuple[str, Rights]:
    stored = Resources(tables, OPERATOR).read_many([operator], consistent=True).get(operator)
    if stored is None or REVOKED in stored.document:
        raise Forbidden(GONE)
    role = stored.document["role"]
    if role in RIGHTS:
        return role, RIGHTS[role]
    found = Resources(tables, ROLE).read_many([role], consistent=True).get(role)
    if found is None or found.document.get("type") == OF_USERS:
        return NONE, NO_RIGHTS
    return role, rights_of(found.document["permissions"])


def _user(tables: Tables, row: dict[str, Any], fields: dict[str, Any]) -> Principal:
    wanted = {USER: row["id"], APPLICATION: row["app"], PROJECT: row["project"]}
    rows = tables.main.get_many([keys.document(each) for each in wanted.values()], consistent=True)
    user, application, project = (from_item(kind, each, rows.get(keys.document(each))) for kind, each in wanted.items())
    if user is None or application is None or project is None or CLOSED in project.document:
        raise Forbidden(GONE)
    role = role_of_user(user.document, application.document)
    if role == BASE_APP_USER:
        return Principal(**fields, role=role, permissions=OF_BASE_APP_USER)
    found = Resources(tables, ROLE).read_many([role], consistent=True).get(role)
    if found is None or found.document.get("type") != OF_USERS:
        return Principal(**fields, role=NONE, permissions=DEFAULTS)
    return Principal(**fields, role=role, permissions=permissions_of(found.document))


def _device(tables: Tables, row: dict[str, Any], fields: dict[str, Any]) -> Principal:
    """A device's key is of the thng in one project, or in none; it holds as long as the thng is there."""
    thng, project = keys.document(row["id"]), row["project"]
    wanted = [thng] if project is None else [thng, keys.document(project)]
    rows = tables.main.get_many(wanted, consistent=True)
    stored = from_item(THNG, row["id"], rows.get(thng))
    if stored is None:
        raise Forbidden(GONE)
    projects = projects_of(stored.document)
    if project is None:
        holds = not projects
    else:
        closed = from_item(PROJECT, project, rows.get(keys.document(project)))
        holds = closed is not None and CLOSED not in closed.document and not {project, ALL}.isdisjoint(projects)
    if not holds:
        raise Forbidden("This device key is of another project; the thng is not in it any more")
    return Principal(**fields, permissions=OF_DEVICE)
