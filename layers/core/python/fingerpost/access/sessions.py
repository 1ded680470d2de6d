"""API keys of application users: random, shown once, one for each login, valid until that one is logged out."""

import secrets

from .. import keys
from ..caller import Caller
from ..ports.table import LAST, Delete, Put, Row, Tables, Write
from ..shapes import stamp
from .model import KEY_ALPHABET, KEY_LENGTH, Principal
from .store import key_row

MAX_SESSIONS = 100  # of one user; the login after that ends the oldest
BATCH = 40  # two rows each in a transaction


def new_session(caller: Caller, user: str) -> tuple[str, list[Write]]:
    """A key for a user of the caller's application, and the rows that make it valid."""
    principal = caller.principal
    key = "".join(secrets.choice(KEY_ALPHABET) for _ in range(KEY_LENGTH))
    who = Principal(actor="user", account=principal.account, id=user, project=principal.project, app=principal.app)
    row = key_row(key, who, at=caller.at)
    pointer = keys.session(user, caller.at, row.key.pk.removeprefix("key#"))
    return key, [row, Put(pointer, {**stamp("session"), "at": caller.at})]


def begin_session(caller: Caller, user: str) -> str:
    """A new key of a user who is there; the oldest ends when there are too many."""
    key, rows = new_session(caller, user)
    oldest = _pointers(caller.tables, user, MAX_SESSIONS)
    ended = oldest[: max(0, len(oldest) + 1 - MAX_SESSIONS)]
    caller.tables.main.transact([*rows, *(write for row in ended for write in _end(row))])
    return key


def end_session(caller: Caller) -> None:
    """The key that sends this request opens nothing from now on."""
    principal = caller.principal
    pointers = _pointers(caller.tables, principal.id, 2 * MAX_SESSIONS)
    own = [row for row in pointers if row.key.sk.endswith(principal.key)]
    caller.tables.main.transact([Delete(keys.key_of(principal.key)), *(Delete(row.key) for row in own)])


def end_all(tables: Tables, user: str) -> None:
    """Every key of a user. `tables` are the account's."""
    while rows := _pointers(tables, user, BATCH):
        tables.main.transact([write for row in rows for write in _end(row)])


def _pointers(tables: Tables, user: str, limit: int) -> list[Row]:
    """Oldest first."""
    low = keys.SESSION
    page = tables.main.query(keys.document(user).pk, low=low, high=low + LAST, limit=limit, consistent=True)
    return list(page.rows)


def _end(row: Row) -> list[Write]:
    return [Delete(keys.key_of(row.key.sk.rpartition("#")[2])), Delete(row.key)]
