"""The account that a fresh store begins with, and its operator's key. Safe to repeat: it goes on where it stopped."""

from contextlib import suppress
from dataclasses import dataclass

from .. import audit, keys
from ..caller import Caller
from ..clock import Clock
from ..ids import new_id
from ..ports.table import Absent, ConditionFailed, Delete, Item, Put, Tables, Write
from ..redirection.domains import claim
from ..resources import Document, Resources
from ..shapes import stamp
from . import operators, service
from .model import EVERYTHING, Principal
from .secrets import RootSecrets
from .store import ACCOUNT, OPERATOR, REVOKED


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
    for earlier in domains:
        if earlier != domain:
            _keep_domain(tables, claim(account, earlier, clock()))
    derived = None
    if key is None:
        derived = _derived(tables, account, operator, row["root"])
        key = roots.api_key("operator", account, operator, root=derived["_root"], version=derived["_key"])
    operators.create_first(
        tables, account=account, operator=operator, key=key, email=row["email"], at=at, derived=derived
    )
    principal = Principal(actor="operator", account=account, id=operator, rights=EVERYTHING)
    _keep_only(service.on_the_machine(tables, principal, clock()), key, derived)
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


def _keep_domain(tables: Tables, claimed: Put) -> None:
    """What was the deployment's own domain stays this account's."""
    with suppress(ConditionFailed):  # it has been claimed already
        tables.main.put(claimed.key, claimed.item, when=claimed.when)


def _derived(tables: Tables, account: str, operator: str, root: int) -> Document:
    """Which of our own keys the operator has: the first, or the one that it was rotated to."""
    known = Resources(tables.of(account), OPERATOR).read_many([operator], consistent=True).get(operator)
    document = {} if known is None else known.document
    return {"_root": document.get("_root", root), "_key": document.get("_key", 1)}


def _keep_only(caller: Caller, key: str, derived: Document | None) -> None:
    """Revoke the key that the operator had before, if it was another."""
    known = keys.api_key(key).pk

    def remember(document: Document) -> Document:
        if REVOKED in document:
            return document
        rest = {name: value for name, value in document.items() if name not in ("_root", "_key")}
        access = {"access": keys.access_of(caller.principal.id)}  # operators from before there were roles have none
        return {**access, **rest, **(derived or {}), "_keyRow": known}

    def also(before: Document, _after: Document) -> list[Write]:
        if before.get("_keyRow", known) == known:
            return []
        return [Delete(keys.row_of(before["_keyRow"])), *audit.entry(caller, "replace", "key", caller.principal.id)]

    Resources(caller.tables, OPERATOR).update(caller.principal.id, remember, also=also)
