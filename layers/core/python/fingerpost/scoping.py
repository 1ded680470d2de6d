"""Scopes of resources: which projects see them, and how a request changes that."""

from typing import Any

from .access.store import PROJECT
from .caller import Caller
from .errors import Finding, Forbidden, Invalid
from .fields import changed_list
from .resources import Document, Resources

EVERYBODY = ["all"]


def initial(caller: Caller, sent: dict[str, Any] | None, project: str | None) -> dict[str, list[str]]:
    """The scopes of a new resource: the key's own project, `?project=`, and what the document names.

    An operator who may change one project only need not name it. Raises Invalid for a project that the account does not
    have, Forbidden for one that the operator may not change.
    """
    own = caller.principal.project
    named = [project] if project else []
    projects = [own] if own else where(caller, named + changed_list([], (sent or {}).get("projects") or []))
    users = changed_list([], (sent or {}).get("users") or EVERYBODY) or EVERYBODY
    scopes = {"projects": list(dict.fromkeys(projects)), "users": users}
    check(caller, scopes["projects"])
    if own is None:
        check_right(caller, scopes["projects"])
    return scopes


def where(caller: Caller, named: list[str]) -> list[str]:
    """The projects that an operator puts something new into, who named these. Raises Invalid when it has to be said."""
    limits = caller.principal.rights.resources
    if named or limits is None:
        return named
    if len(limits) != 1:
        raise Invalid("This operator's role is for some projects; say with ?project= which one this goes into")
    return list(limits)


def changed(caller: Caller, document: Document, sent: dict[str, Any] | None) -> dict[str, list[str]]:
    """The scopes after an update. A list that was not sent stays; a key of a project changes which users, not where."""
    current: dict[str, list[str]] = document.get("scopes", {})
    result = {name: current.get(name, default) for name, default in (("projects", []), ("users", EVERYBODY))}
    if not sent:
        return current
    allowed = ("projects", "users") if caller.principal.project is None else ("users",)
    for name in allowed:
        if sent.get(name) is not None:
            result[name] = changed_list(result[name], sent[name])
    before, after = set(current.get("projects", ())), set(result["projects"])
    check(caller, sorted(after - before))
    if caller.principal.project is None:
        check_right(caller, sorted(before ^ after))
    return result


def check_right(caller: Caller, projects: list[str]) -> None:
    """Raises Forbidden unless the operator's role allows to put things into each of the projects, or take them out."""
    limits = caller.principal.rights.resources
    for project in projects:
        if limits is not None and project not in limits:
            raise Forbidden(f"This operator's role does not reach to project {project[:60]}")


def check(caller: Caller, projects: list[str]) -> None:
    """Raises Invalid unless the account has each of the projects. Those a document names already may be gone."""
    wanted = [project for project in projects if project != "all"]
    known = Resources(caller.tables, PROJECT).read_many(wanted) if wanted else {}
    for project in wanted:
        if project not in known:
            raise Invalid(
                f"There is no project {project[:60]}",
                details=[Finding(field="scopes.projects", message=f"unknown project {project[:60]}")],
            )
