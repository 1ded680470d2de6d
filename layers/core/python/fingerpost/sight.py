"""What a key sees: scopes of resources, and the index partitions that a list of them merges. Standard library only.

A resource names in `scopes` the projects that see it (`all`: each) and the application users in them (`all`, or no such
list: each). Who sees a project without being a user of it sees what its users see. Nobody but the account itself sees
what is in no project.
"""

from collections.abc import Mapping
from typing import Any

from . import keys
from .frozen import Frozen

ALL = "all"


def projects_of(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The projects in whose scope the document is; `all` for every project."""
    return tuple(document.get("scopes", {}).get("projects", ()))


def users_of(document: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The application users who see the document; None for every user of its projects."""
    users = document.get("scopes", {}).get("users")
    return None if users is None or ALL in users else tuple(users)


def scopes_of(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The scopes under which the document is listed (see keys.py): once in all that one reader merges."""
    projects, users = projects_of(document), users_of(document)
    names = [keys.EVERY_PROJECT] if ALL in projects else [keys.project_scope(each) for each in projects]
    if users is None:
        return (keys.ACCOUNT_SCOPE, *names)
    named = [scope for name in names for scope in (keys.users_scope(name), *(keys.user_scope(name, u) for u in users))]
    return (keys.ACCOUNT_SCOPE, *dict.fromkeys(named))


class Sight(Frozen):
    """`projects` None: the whole account. `user` None: whichever users are named. `outside`: what is in no project."""

    projects: frozenset[str] | None = None
    user: str | None = None
    outside: bool = False

    def sees(self, document: Mapping[str, Any]) -> bool:
        if self.projects is None:
            return True
        projects = projects_of(document)
        if self.outside and not projects:
            return True
        if ALL not in projects and self.projects.isdisjoint(projects):
            return False
        users = users_of(document)
        return self.user is None or users is None or self.user in users

    def sees_project(self, project: str) -> bool:
        return self.projects is None or project in self.projects

    def within(self, project: str) -> "Sight":
        """The part of it that one project is."""
        return Sight(frozenset({project}), self.user)

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that a list for this sight merges; no document is in two of them but by its projects."""
        if self.projects is None:
            return (keys.ACCOUNT_SCOPE,)
        names = [*(keys.project_scope(each) for each in sorted(self.projects)), keys.EVERY_PROJECT]
        if self.user is None:
            return tuple(scope for name in names for scope in (name, keys.users_scope(name)))
        return tuple(scope for name in names for scope in (name, keys.user_scope(name, self.user)))


WHOLE_ACCOUNT = Sight()
