"""API keys and accounts as rows."""

from typing import Any

from .. import keys
from ..errors import Forbidden, Unauthenticated
from ..ports.table import Absent, Delete, Put, Table, Tables
from ..resources import Kind, Resources
from ..shapes import stamp, upgraded
from .model import Actor, Principal, is_key

ACCOUNT = Kind("account", "accounts", indexed=())
OPERATOR = Kind("operator", "operators", indexed=())
PROJECT = Kind("project", "projects")
APPLICATION = Kind("application", "applications", indexed=("project", "tags"))


def key_row(key: str, principal: Principal) -> Put:
    """The row by which `key` is known. Its hash is the only trace of the key."""
    item = {
        **stamp("key"),
        "actor": principal.actor,
        "account": principal.account,
        "id": principal.id,
        "project": principal.project,
    }
    return Put(keys.api_key(key), item, (Absent(),))


def key_removal(key: str) -> Delete:
    return Delete(keys.api_key(key))


def authenticate(main: Table, authorization: str) -> Principal:
    """Who sends this Authorization header: the bare key, or a word and the key. One consistent read, never cached.

    Raises Unauthenticated (no key at all), Forbidden (unknown or revoked).
    """
    words = authorization.split()
    if not words:
        raise Unauthenticated("This address needs an API key: send it as the Authorization header")
    if not is_key(words[-1]):
        raise Forbidden("The Authorization header does not hold an API key")
    item = main.get(keys.api_key(words[-1]), consistent=True)
    if item is None:
        raise Forbidden("This API key is unknown or was revoked")
    row: dict[str, Any] = upgraded(item)
    actor: Actor = row["actor"]
    return Principal(actor=actor, account=row["account"], id=row["id"], project=row["project"])


def account_document(tables: Tables, account: str) -> dict[str, Any]:
    """The account's own document. `tables` are the account's. Raises NotFound."""
    return Resources(tables, ACCOUNT).read(account).document
