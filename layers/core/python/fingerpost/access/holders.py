"""Who has a role: applications give theirs to every user, users can be given one of their own."""

from collections.abc import Iterator, Mapping
from typing import Any

from .. import keys
from ..ports.table import Tables
from ..resources import Kind, Resources, Stored
from .builtin import NONE
from .store import APPLICATION, USER

BATCH = 100


def role_of_user(user: Mapping[str, Any], application: Mapping[str, Any]) -> str:
    """The id of a user's role: the one given, unless the application changed its default since; else the default.

    Source: a changed `defaultRole` is at once the role of all the application's users.
    """
    if "role" in user and user.get("roleEra") == application.get("_roleEra", 0):
        return str(user["role"])
    return str(application.get("defaultRole", NONE))


def is_held(tables: Tables, role_id: str) -> bool:
    """Whether an application has the role as its default, or a user has been given it. `tables` are the account's."""
    applications = Resources(tables, APPLICATION)
    for found in _with(tables, APPLICATION, "defaultRole", role_id):
        if any(each.document.get("defaultRole") == role_id for each in found):
            return True
    for users in _with(tables, USER, "role", role_id):
        known = applications.read_many([each.document["app"] for each in users], consistent=True)
        for user in users:
            application = known.get(user.document["app"])
            if application is not None and role_of_user(user.document, application.document) == role_id:
                return True
    return False


def _with(tables: Tables, kind: Kind, field: str, value: str) -> Iterator[list[Stored]]:
    """The documents that an index leads to, page by page."""
    partition, after = keys.index(keys.ACCOUNT_SCOPE, kind.name, field, value, 0), None
    while True:
        page = tables.log.query(partition, after=after, limit=BATCH, consistent=True)
        yield list(Resources(tables, kind).read_many([row.key.sk for row in page.rows], consistent=True).values())
        if (after := page.after) is None:
            return
