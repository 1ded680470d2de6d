"""The account that a fresh store begins with, and its operator's key. Safe to repeat: it goes on where it stopped."""

from dataclasses import dataclass

from .. import audit, keys
from ..clock import Clock
from ..ids import new_id
from ..ports.table import Absent, ConditionFailed, Delete, GlobalKey, Item, Tables, Write
from ..resources import Document, Resources
from ..shapes import stamp
from . import service
from .model import Principal
from .secrets import RootSecrets
from .store import ACCOUNT, OPERATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAccount:
    account: str
    operator: str
    key: str  # the operator's
    at: int  # when it was made, in milliseconds since the epoch


def make_first_account(
    tables: Tables,
    roots: RootSecrets,
    *,
    name: str,
    email: str,
    domain: str,
    clock: Clock,
    key: str | None = None,
) -> FirstAccount:
    """`tables` are unscoped. Name and e-mail count the first time; a domain that is new is added.

    Without a `key` that the operator brings along they get their own. A key that was replaced is revoked.
    """
    row = _begun(tables, roots, name, email, clock())
    account, operator, at = row["account"], row["operator"], row["at"]
    service.create_account(tables, account=account, name=row["name"], domain=domain, at=at)
    domains = Resources(tables.of(account), ACCOUNT).read(account).document["shortDomains"]
    if domain not in domains:
        service.set_account(tables, account, shortDomains=[domain, *domains])
    key = key or roots.api_key("operator", account, operator, root=row["root"], version=1)
    service.create_operator(tables, account=account, operator=operator, key=key, email=row["email"], at=at)
    _keep_only(tables, Principal(actor="operator", account=account, id=operator), key, clock())
    return FirstAccount(account=account, operator=operator, key=key, at=at)


def _begun(tables: Tables, roots: RootSecrets, name: str, email: str, at: int) -> Item:
    """The row that says which account is the first; one of several at once writes it."""
    ids = {"account": new_id(at), "operator": new_id(at), "at": at, "root": roots.current}
    row: Item = {**stamp("firstAccount"), **ids, "name": name, "email": email}
    try:
        tables.main.put(keys.first_account(), row, when=(Absent(),))
    except ConditionFailed as failure:
        assert failure.old is not None
        return failure.old
    return row


def _keep_only(tables: Tables, operator: Principal, key: str, at: int) -> None:
    """Revoke the key that the operator had before, if it was another."""
    known = keys.api_key(key).pk
    caller = service.on_the_machine(tables, operator, at)

    def remember(document: Document) -> Document:
        return {**document, "_keyRow": known}

    def also(before: Document, _after: Document) -> list[Write]:
        if "_keyRow" not in before:
            return []
        revoked = Delete(GlobalKey(before["_keyRow"], keys.ONLY))
        return [revoked, *audit.entry(caller, "replace", "key", operator.id)]

    Resources(caller.tables, OPERATOR).update(operator.id, remember, also=also)
