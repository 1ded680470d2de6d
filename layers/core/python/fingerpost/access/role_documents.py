"""What clients send of roles and of their permissions. Source: the platform's role documents."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ..fields import CustomFields, Name, Scope, SentDocument, needing
from .builtin import OF_BASE_APP_USER
from .model import Permission
from .paths import is_path, within

MAX_PERMISSIONS = 100
MAX_PROJECTS = 40  # a list for this role merges as many partitions, twice
MAX_SEEING_ROLES = 100
OPERATOR_PERMISSIONS = Literal[
    "global_read",
    "gl_resource_update",
    "gl_project_update",
    "project_read",
    "project_update",
    "project_resource_update",
]


def _letters(value: str) -> str:
    if not value or set(value) - set("crud") or len(set(value)) != len(value):
        raise ValueError(f"{value[:20]!r}: letters of crud, each at most once")
    return "".join(letter for letter in "crud" if letter in value)


def _path(value: str) -> str:
    if not is_path(value):
        raise ValueError(
            f"{value[:60]!r} is no path: write /thngs for it and all below, /access$ for it alone, * for any one "
            "segment, {user} for the user's own id"
        )
    return value


class SentRoleScopes(SentDocument):
    """`roles` see this role and can give it, in `projects` (none: in all)."""

    roles: Annotated[Scope, Field(max_length=MAX_SEEING_ROLES)] | None = None
    projects: Annotated[Scope, Field(max_length=MAX_SEEING_ROLES)] | None = None


class SentRole(SentDocument):
    name: Name | None = None
    description: str | None = None
    customFields: CustomFields | None = None  # noqa: N815
    scopes: SentRoleScopes | None = None


class NewRole(SentRole):
    """Without `type` the role of an operator."""

    model_config = needing("name")

    type: Literal["userInApp"] | None = None
    version: Literal[2] | None = None

    @model_validator(mode="after")
    def _has_name(self) -> Self:
        if not self.name:
            raise ValueError("name: a role needs a name")
        return self


class SentPermission(SentDocument):
    """One of an application user's role. `default` is read-only."""

    path: Annotated[str, AfterValidator(_path)]
    access: Annotated[str, AfterValidator(_letters)]

    @model_validator(mode="after")
    def _within_base(self) -> Self:
        if not within(Permission(self.path, self.access), OF_BASE_APP_USER):
            raise ValueError(f"{self.path} with {self.access} is more than base_app_user has; no role may exceed it")
        return self


class SentOperatorPermission(SentDocument):
    """One of an operator's role. `projects` are of the project-scoped ones; left out, they stay as they are."""

    name: OPERATOR_PERMISSIONS | None = None
    enabled: bool | None = None
    projects: Annotated[list[str], Field(max_length=MAX_PROJECTS)] | None = None
