"""API keys, and the documents of those who hold them, as rows."""

from .. import keys
from ..ports.table import Absent, Delete, Put
from ..resources import Kind
from ..shapes import stamp
from .model import Principal

ACCOUNT = Kind("account", "accounts", indexed=())
OPERATOR = Kind("operator", "operators", indexed=("access", "role"))
PROJECT = Kind("project", "projects")
APPLICATION = Kind("application", "applications", indexed=("project", "tags", "defaultRole"))
USER = Kind("user", "users", indexed=("email", "firstName", "lastName", "app", "tags", "role", "givenBy"))
INACTIVE, ACTIVE, ANONYMOUS = "inactive", "active", "anonymous"  # the `_status` of a user
REVOKED = "_revoked"  # marks an operator who is none any more
ROLE = Kind("role", "roles", indexed=("type", "seenBy"))


def key_row(key: str, principal: Principal, *, at: int = 0) -> Put:
    """The row by which `key` is known. Its hash is the only trace of the key. `at` is when a user's session began."""
    item = {
        **stamp("key"),
        "actor": principal.actor,
        "account": principal.account,
        "id": principal.id,
        "project": principal.project,
        "app": principal.app,
        "at": at,
    }
    return Put(keys.api_key(key), item, (Absent(),))


def key_removal(key: str) -> Delete:
    return Delete(keys.api_key(key))
