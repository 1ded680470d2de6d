"""Roles of operators and of application users: their documents, their permissions, and what those come to."""

from collections.abc import Iterable, Mapping
from typing import Any

from .. import audit, scoping
from ..caller import Caller
from ..errors import Conflict, Finding, Forbidden, Invalid
from ..fields import changed_list, merged
from ..ids import hex_id
from ..resources import Document, Resources, Stored
from .builtin import ADMIN, BASE_APP_USER, BUILT_IN, DEFAULTS, NONE
from .holders import is_held
from .model import Permission, Rights
from .role_documents import NewRole, SentRole
from .store import ROLE

OF_USERS = "userInApp"
PRIVATE = ("scopes", "seenBy", "permissions")
BUILT_IN_DOCUMENTS: dict[str, Document] = {
    ADMIN: {"name": ADMIN},
    NONE: {"name": NONE},
    BASE_APP_USER: {"version": 2, "type": OF_USERS, "name": BASE_APP_USER},
}
EMPTY_SCOPES: dict[str, list[str]] = {"roles": [], "projects": []}


def rights_of(permissions: Mapping[str, Mapping[str, Any]]) -> Rights:
    """What an operator's role comes to. A permission counts where its parent does: nobody changes what they do not see.

    `permissions` are `{"enabled": ..., "projects": [...]}` by name, as far as they were ever set.
    """
    enabled = {name: each for name, each in permissions.items() if each["enabled"]}
    reads = None if "global_read" in enabled else frozenset(enabled.get("project_read", {}).get("projects", ()))

    def changing(everywhere: str, in_projects: str) -> frozenset[str] | None:
        if reads is None and everywhere in enabled:
            return None
        projects = frozenset(enabled.get(in_projects, {}).get("projects", ()))
        return projects if reads is None else projects & reads

    return Rights(
        reads=reads,
        resources=changing("gl_resource_update", "project_resource_update"),
        projects=changing("gl_project_update", "project_update"),
    )


def permissions_of(document: Document) -> tuple[Permission, ...]:
    """What an application user's role comes to: its own permissions, and those that nobody can take away."""
    return (*DEFAULTS, *(Permission(each["path"], each["access"]) for each in document.get("permissions", ())))


# Documents


def create(caller: Caller, sent: NewRole) -> Stored:
    """Raises Conflict for the name of a built-in role."""
    fields = sent.sent()
    _check_name(fields)
    scopes, type_ = fields.pop("scopes", None), fields.pop("type", None)
    fields.pop("version", None)
    of_users = {"version": 2, "type": OF_USERS, "permissions": []} if type_ else {"permissions": {}}
    begun = {"createdAt": caller.at, "updatedAt": caller.at, **of_users}
    document = _scoped(caller, merged(begun, fields), scopes)
    role_id = hex_id(caller.new_id(caller.at))
    also = audit.entry(caller, "create", "role", role_id, after=document)
    return Resources(caller.tables, ROLE).create(role_id, document, also=also)


def read(caller: Caller, role_id: str) -> Stored:
    """A role, built-in ones included, as far as an application user's own role lets them see it. Raises NotFound."""
    roles = Resources(caller.tables, ROLE)
    if role_id in BUILT_IN_DOCUMENTS:
        stored = Stored(id=role_id, version=0, document=BUILT_IN_DOCUMENTS[role_id])
    else:
        stored = roles.read(role_id)
    if not sees(caller, stored.document):
        raise roles.missing(role_id[:60])
    return stored


def sees(caller: Caller, role: Mapping[str, Any]) -> bool:
    """A user sees, and can give, the roles that name the user's own role in their `scopes`. `role` is a document."""
    principal = caller.principal
    if principal.actor == "operator":
        return True
    projects = role.get("scopes", EMPTY_SCOPES)["projects"]
    here = not projects or not {principal.project, "all"}.isdisjoint(projects)
    return here and principal.role in role.get("seenBy", ())


def update(caller: Caller, role_id: str, sent: SentRole) -> Stored:
    refuse_built_in(role_id)
    fields = sent.sent()
    _check_name(fields)
    scopes = fields.pop("scopes", None)

    def change(document: Document) -> Document:
        result = _scoped(caller, merged(document, fields), scopes)
        if not result.get("name"):
            raise Invalid("name: a role needs a name")
        return result

    return changed(caller, role_id, change)


def delete(caller: Caller, role_id: str) -> None:
    """Operators who had it have `none` from now on. Raises Conflict while application users have it."""
    refuse_built_in(role_id)
    if is_held(caller.tables, role_id):
        raise Conflict("Application users have this role, or get it in an application; give them another one first")
    also = lambda before: audit.entry(caller, "delete", "role", role_id, before)  # noqa: E731
    Resources(caller.tables, ROLE).delete(role_id, also=also, match=caller.match)


def shown(stored: Stored, *, with_scopes: bool = False) -> Document:
    """Operators' roles show no times. Source: the platform's samples."""
    hidden = PRIVATE if stored.document.get("type") else (*PRIVATE, "createdAt", "updatedAt")
    document = {"id": stored.id, **{name: value for name, value in stored.document.items() if name not in hidden}}
    if with_scopes and stored.version:
        document["scopes"] = stored.document.get("scopes", EMPTY_SCOPES)
    return document


def changed(caller: Caller, role_id: str, change: Any) -> Stored:
    def dated(document: Document) -> Document:
        result: Document = change(document)
        return result if result == document else {**result, "updatedAt": max(caller.at, document["updatedAt"])}

    return Resources(caller.tables, ROLE).update(
        role_id,
        dated,
        also=lambda before, after: audit.entry(caller, "update", "role", role_id, before, after),
        match=caller.match,
    )


def _scoped(caller: Caller, document: Document, sent: Mapping[str, list[str] | None] | None) -> Document:
    """The document with its scopes after an update; `seenBy` is `scopes.roles` for the index. Raises Invalid."""
    before = document.get("scopes", EMPTY_SCOPES)
    scopes = {
        name: before[name] if (change := (sent or {}).get(name)) is None else changed_list(before[name], change)
        for name in EMPTY_SCOPES
    }
    scoping.check(caller, [each for each in scopes["projects"] if each not in before["projects"]])
    _check_roles(caller, [each for each in scopes["roles"] if each not in before["roles"]])
    return {**document, "scopes": scopes, "seenBy": scopes["roles"]}


def _check_roles(caller: Caller, wanted: Iterable[str]) -> None:
    custom = [each for each in wanted if each not in BUILT_IN]
    known = Resources(caller.tables, ROLE).read_many(custom) if custom else {}
    for each in custom:
        if each not in known:
            finding = Finding(field="scopes.roles", message=f"unknown role {each[:60]}")
            raise Invalid(f"There is no role {each[:60]}", details=[finding])


def _check_name(fields: Mapping[str, Any]) -> None:
    if fields.get("name") in BUILT_IN:
        raise Conflict(f"{fields['name']} is a built-in role; choose another name")


def refuse_built_in(role_id: str) -> None:
    if role_id in BUILT_IN:
        raise Forbidden(f"{role_id} is a built-in role and cannot be changed")
