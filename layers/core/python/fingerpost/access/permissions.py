"""Permissions of roles, as clients read and set them. Source: the platform's "Role Permissions"."""

from collections.abc import Mapping
from typing import Any

from .. import scoping
from ..body import json_name, validated
from ..caller import Caller
from ..errors import Invalid, NotFound
from ..resources import Document, Stored
from .builtin import ADMIN, BASE_APP_USER, DEFAULTS, OF_BASE_APP_USER
from .model import Permission
from .role_documents import MAX_PERMISSIONS, SentOperatorPermission, SentPermission
from .roles import OF_USERS, changed, read, refuse_built_in

DEFAULT_PATHS = {each.path for each in DEFAULTS} | {"/accesses"}  # as base_app_user shows them
TREE = {
    "global_read": ("gl_resource_update", "gl_project_update"),
    "project_read": ("project_update", "project_resource_update"),
}
SCOPED = ("project_read", "project_update", "project_resource_update")
PERMISSIONS = tuple(name for parent, children in TREE.items() for name in (parent, *children))
OFF: Document = {"enabled": False, "projects": []}


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


def replace(caller: Caller, role_id: str, content: Any) -> tuple[Stored, list[Document]]:
    """The role with its permissions as sent. Of an application user's the immutable ones stay, sent or not.

    Of an operator's role the tree as it is shown, or parts of it; what is left out stays as it is. Raises Invalid.
    """
    if not isinstance(content, list):
        raise Invalid(f"The body must be an array of permissions, not {json_name(content)}")
    if len(content) > MAX_PERMISSIONS:
        raise Invalid(f"A role has at most {MAX_PERMISSIONS} permissions; there are {len(content)}")
    if read(caller, role_id).document.get("type") != OF_USERS:
        nodes = [node for each in content for node in (each, *_children(each))]
        sent = [validated(SentOperatorPermission, each) for each in nodes]
        by_name: dict[str, SentOperatorPermission] = {each.name: each for each in sent if each.name is not None}
        tree = _with_permissions(caller, role_id, by_name)
        return tree, shown_permissions(tree)
    of_users = [validated(SentPermission, each, f"[{number}]") for number, each in enumerate(content)]
    given = list(dict.fromkeys(Permission(each.path, each.access) for each in of_users))
    own = [{"path": each.path, "access": each.access} for each in given if each not in DEFAULTS]
    refuse_built_in(role_id)
    stored = changed(caller, role_id, lambda document: {**document, "permissions": own})
    return stored, [_permission(each.path, each.access, default=each in DEFAULTS) for each in given]


def _children(node: Any) -> list[Any]:
    children = node.get("children") if isinstance(node, dict) else None
    return children if isinstance(children, list) else []


def set_one(caller: Caller, role_id: str, name: str, sent: SentOperatorPermission) -> Stored:
    """Enable or disable one permission of an operator's role. Raises Invalid, NotFound."""
    if sent.name not in (None, name):
        raise Invalid(f"name: is {sent.name}, but the address says {name[:60]}")
    return _with_permissions(caller, role_id, {name: sent})


def _with_permissions(caller: Caller, role_id: str, sent: Mapping[str, SentOperatorPermission]) -> Stored:
    _check_permission(read(caller, role_id), *sent)
    refuse_built_in(role_id)
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

    return changed(caller, role_id, change)


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
