"""What goes with a user; and the users that go with their application, by the work queue."""

from contextlib import suppress
from typing import Any

from .. import keys
from ..errors import NotFound
from ..ports.table import Delete, Key, Tables, Write
from ..resources import Document, Resources
from .sessions import end_all
from .store import USER

PAGE = 25

type Task = dict[str, Any]


def email_claim(application: str | None, email: str) -> Key:
    """What says that an e-mail, in whatever case, is that of one user of an application."""
    return keys.claim(f"email#{application}", email.lower())


def facebook_claim(application: str | None, facebook_id: str) -> Key:
    return keys.claim(f"facebook#{application}", facebook_id)


def rows_with(user_id: str, document: Document) -> list[Write]:
    """The rows that go in the transaction that deletes a user; keys follow."""
    found = [keys.password(user_id)]
    if "email" in document:
        found.append(email_claim(document["app"], document["email"]))
    if "_social" in document:
        found.append(facebook_claim(document["app"], document["_social"]))
    return [Delete(key) for key in found]


def dismiss_page(tables: Tables, task: Task) -> Task | None:
    """Delete some users of an application that is gone. Answers the task that goes on from there.

    `tables` are unscoped. The application's deletion is in the audit log, theirs is not told one by one.
    """
    own, application = tables.of(task["account"]), task["app"]
    users = Resources(own, USER)
    partition = keys.index(keys.ACCOUNT_SCOPE, USER.name, "app", application, 0)
    page = own.log.query(partition, after=task.get("after"), limit=PAGE, consistent=True)
    found = users.read_many([row.key.sk for row in page.rows], consistent=True)
    for row in page.rows:
        if row.key.sk not in found:
            continue  # deleted, or just being created
        end_all(own, row.key.sk)  # first: who is interrupted finds the user again, and nobody logs in any more
        with suppress(NotFound):  # deleted meanwhile
            users.delete(row.key.sk, also=lambda before, user_id=row.key.sk: rows_with(user_id, before))  # type: ignore[misc]
    return None if page.after is None else {**task, "after": page.after}
