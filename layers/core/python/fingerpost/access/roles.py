"""Roles of operators and of application users: their documents, their permissions, and what those come to."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import audit, scoping
from ..caller import Caller
from ..errors import Conflict, Finding, Forbidden, Invalid, NotFound
from ..fields import changed_list, merged
from ..ids import hex_id
from ..resources import Document, Resources, Stored
from .builtin import ADMIN, BASE_APP_USER, BUILT_IN, DEFAULTS, NONE, OF_BASE_APP_USER
from .holders import is_held
from .model import Permission, Rights
from .role_documents import NewRole, SentOperatorPermission, SentPermission, SentRole
from .store import ROLE

OF_USERS = "userInApp"
PRIVATE = ("scopes", "seenBy", "permissions")
DEFAULT_PATHS = {each.path for each in DEFAULTS} | {"/accesses"}  # as base_app_user shows them
TREE = {"global_read": ("gl_resource_update", "gl_project_update"), "project_read": ("project_update", "project_resource_update")}
SCOPED = ("project_read", "project_update", "project_resource_update")
PERMISSIONS = tuple(name for parent, children in TREE.items() for name in (parent, *children))
BUILT_IN_DOCUMENTS: dict[str, Document] = {
    ADMIN: {"name": ADMIN},
    NONE: {"name": NONE},
    BASE_APP_USER: {"version": 2, "type": OF_USERS, "name": BASE_APP_USER},
}
OFF: Document = {"enabled": False, "projects": []}
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


def create(caller: Caller, sent: NewRole) -> Document:
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
    return shown(Resources(caller.tables, ROLE).create(role_id, document, also=also))


def read(caller: Caller, role_id: str) -> Stored:
    """A role, built-in ones included, as far as an application user's own role lets them see it. Raises NotFound."""
    roles = Resources(caller.tables, ROLE)
    if role_id in BUILT_IN_DOCUMENTS:
        stored = Stored(id=role_id, version=0, document=BUILT_IN_DOCUMENTS[role_id])
    else:
        stored = roles.read(role_id)
    if not sees(caller, stored):
        raise roles.missing(role_id[:60])
    return stored


def sees(caller: Caller, role: Stored) -> bool:
    """A user sees, and can give, the roles that name the user's own role in their `scopes`."""
    principal = caller.principal
    if principal.actor == "operator":
        return True
    projects = role.document.get("scopes", EMPTY_SCOPES)["projects"]
    here = not projects or not {principal.project, "all"}.isdisjoint(projects)
    return here and principal.role in role.document.get("seenBy", ())


def update(caller: Caller, role_id: str, sent: SentRole) -> Document:
    _refuse_built_in(role_id)
    fields = sent.sent()
    _check_name(fields)
    scopes = fields.pop("scopes", None)

    def change(document: Document) -> Document:
        result = _scoped(caller, merged(document, fields), scopes)
        if not result.get("name"):
            raise Invalid("name: a role needs a name")
        return result

    return shown(_changed(caller, role_id, change))


def delete(caller: Caller, role_id: str) -> None:
    """Operators who had it have `none` from now on. Raises Conflict while application users have it."""
    _refuse_built_in(role_id)
    if is_held(caller.tables, role_id):
        raise Conflict("Application users have this role, or get it in an application; give them another one first")
    also = lambda before: audit.entry(caller, "delete", "role", role_id, before)  # noqa: E731
    Resources(caller.tables, ROLE).delete(role_id, also=also)


def shown(stored: Stored, *, with_scopes: bool = False) -> Document:
    """Operators' roles show no times. Source: the platform's samples."""
    hidden = PRIVATE if stored.document.get("type") else (*PRIVATE, "createdAt", "updatedAt")
    document = {"id": stored.id, **{name: value for name, value in stored.document.items() if name not in hidden}}
    if with_scopes and stored.version:
        document["scopes"] = stored.document.get("scopes", EMPTY_SCOPES)
    return document


# Permissions


def shown_permissions(role: Stored) -> list[Document]:
    """Of an application user's role a list, the immutable ones marked; of an operator's the tree."""
    if role.document.get("type") != OF_USERS:
        return [
            {**_node(role, name), "children": [_node(role, child) for child in children]}
            for name, children in TREE.items()
        ]
    if role.id == BASE_APP_USER:
        return [_permission(each.path, each.access, default=each.path in DEFAULT_PATHS) for each in OF_BASE_APP_USER]
    own = [_permission(each["path"], each["access"]) for each in role.document["permissions"]]
    return [_permission(each.path, each.access, default=True) for each in DEFAULTS] + own


def shown_permission(role: Stored, name: str) -> Document:
    """Raises NotFound."""
    _check_permission(role, name)
    return _node(role, name)


def replace_permissions(caller: Caller, role_id: str, sent: Sequence[SentPermission]) -> list[Document]:
    """The permissions of an application user's role as sent; the immutable ones stay whether they are sent or not."""
    _refuse_built_in(role_id)
    immutable = set(DEFAULTS)
    given = [Permission(each.path, each.access) for each in sent]
    own = [{"path": each.path, "access": each.access} for each in dict.fromkeys(given) if each not in immutable]

    def change(document: Document) -> Document:
        if document.get("type") != OF_USERS:
            raise Invalid("The permissions of an operator's role have names; set them at /roles/.../permissions/{name}")
        return {**document, "permissions": own}

    _changed(caller, role_id, change)
    return [_permission(each.path, each.access, default=each in immutable) for each in dict.fromkeys(given)]


def set_permission(caller: Caller, role_id: str, name: str, sent: SentOperatorPermission) -> Document:
    """Enable or disable one permission of an operator's role. Raises Invalid, NotFound."""
    if sent.name not in (None, name):
        raise Invalid(f"name: is {sent.name}, but the address says {name[:60]}")
    return _node(_with_permissions(caller, role_id, {name: sent}), name)


def set_permissions(caller: Caller, role_id: str, sent: Mapping[str, SentOperatorPermission]) -> list[Document]:
    """The tree of an operator's role as it is shown, or parts of it; what is left out stays as it is."""
    return shown_permissions(_with_permissions(caller, role_id, sent))


def _with_permissions(caller: Caller, role_id: str, sent: Mapping[str, SentOperatorPermission]) -> Stored:
    _check_permission(read(caller, role_id), *sent)
    _refuse_built_in(role_id)
    for each in sent.values():
        scoping.check(caller, each.projects or [])

    def change(document: Document) -> Document:
        permissions = dict(document["permissions"])
        for name, each in sent.items():
            before = permissions.get(name, OFF)
            projects = before["projects"] if each.projects is None or name not in SCOPED else each.projects
            enabled = before["enabled"] if each.enabled is None else each.enabled
            permissions[name] = {"enabled": enabled, "projects": list(dict.fromkeys(projects))}
        return {**document, "permissions": permissions}

    return _changed(caller, role_id, change)


def _check_permission(role: Stored, *names: str) -> None:
    for name in names:
        if role.document.get("type") == OF_USERS or name not in PERMISSIONS:
            raise NotFound(f"This role has no permission {name[:60]!r}; operators' roles have {', '.join(PERMISSIONS)}")


def _node(role: Stored, name: str) -> Document:
    state = {"enabled": role.id == ADMIN, "projects": []}
    state = role.document.get("permissions", {}).get(name, state)
    node: Document = {"name": name, "enabled": state["enabled"], "projectScoped": name in SCOPED}
    return {**node, "projects": state["projects"]} if name in SCOPED else node


def _permission(path: str, access: str, *, default: bool = False) -> Document:
    return {"path": path, "access": access, **({"default": True} if default else {})}


def _changed(caller: Caller, role_id: str, change: Any) -> Stored:
    def dated(document: Document) -> Document:
        result: Document = change(document)
        return result if result == document else {**result, "updatedAt": max(caller.at, document["updatedAt"])}

    return Resources(caller.tables, ROLE).update(
        role_id, dated, also=lambda before, after: audit.entry(caller, "update", "role", role_id, before, after)
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


def _refuse_built_in(role_id: str) -> None:
    if role_id in BUILT_IN:
        raise Forbidden(f"{role_id} is a built-in role and cannot be changed")
