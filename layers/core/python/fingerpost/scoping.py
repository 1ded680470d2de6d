"""Scopes of resources: which projects see them, and how a request changes that."""

from typing import Any

from .access.store import PROJECT
from .caller import Caller
from .errors import Finding, Invalid
from .fields import changed_list
from .resources import Document, Resources

EVERYBODY = ["all"]


def initial(caller: Caller, sent: dict[str, Any] | None, project: str | None) -> dict[str, list[str]]:
    """The scopes of a new resource: the key's own project, `?project=`, and what the document names.

    Raises Invalid for a project that the account does not have.
    """
    own = caller.principal.project
    projects = [own] if own else []
    if own is None:
        projects += [project] if project else []
        projects += changed_list([], (sent or {}).get("projects") or [])
    users = changed_list([], (sent or {}).get("users") or EVERYBODY) or EVERYBODY
    scopes = {"projects": list(dict.fromkeys(projects)), "users": users}
    check(caller, scopes["projects"])
    return scopes


def changed(caller: Caller, document: Document, sent: dict[str, Any] | None) -> dict[str, list[str]]:
    """The scopes after an update. A list that was not sent stays; a key of a project changes no scopes."""
    current: dict[str, list[str]] = document.get("scopes", {})
    if not sent or caller.principal.project is not None:
        return current
    result = {
        name: changed_list(current.get(name, []), sent[name]) if sent.get(name) is not None else current.get(name, [])
        for name in ("projects", "users")
    }
    check(caller, [project for project in result["projects"] if project not in current.get("projects", [])])
    return result


def check(caller: Caller, projects: list[str]) -> None:
    """Raises Invalid unless the account has each of the projects. Those a document names already may be gone."""
    wanted = [project for project in projects if project != "all"]
    known = Resources(caller.tables, PROJECT).read_many(wanted) if wanted else {}
    for project in wanted:
        if project not in known:
            raise Invalid(
                f"There is no project {project}",
                details=[Finding(field="scopes.projects", message=f"unknown project {project}")],
            )
