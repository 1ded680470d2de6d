"""The secrets that sign an application's webhooks: derived, so that they can be shown again, and only told to who may.

A new secret signs at once; the one before signs beside it for a day, so that receivers can change over.
"""

from .. import audit
from ..access.secrets import RootSecrets
from ..caller import Caller
from ..clock import DAY_MS
from ..errors import Conflict
from ..ports.table import Absent, Equals, Item, Put, Tables, TransactionFailed
from ..resources import Document
from ..retry import attempts
from ..shapes import stamp, upgraded
from . import keys
from .webhooks import shown_secret

ATTEMPTS = 8
BOTH_MS = DAY_MS  # for which the secret before signs too


def signing(tables: Tables, app: str, roots: RootSecrets, at: int) -> list[bytes]:
    """The secrets that sign at a moment, the newest first; none before there is one. `tables` are the account's own."""
    item = tables.main.get(keys.webhook_secret(app), consistent=True)
    if item is None:
        return []
    row = upgraded(item)
    found = [_secret(tables.account, app, roots, row["version"], row["root"])]
    if row["before"] is not None and at < row["at"] + BOTH_MS:
        found.append(_secret(tables.account, app, roots, row["version"] - 1, row["before"]))
    return found


def read(caller: Caller, app: str, roots: RootSecrets) -> Document:
    """The secret, which is made when there is none yet."""
    return _document(caller, app, roots, _change(caller, app, roots, renew=False))


def renew(caller: Caller, app: str, roots: RootSecrets) -> Document:
    """Another secret from now on. Raises Conflict while the one before still signs: two are enough."""
    return _document(caller, app, roots, _change(caller, app, roots, renew=True))


def _change(caller: Caller, app: str, roots: RootSecrets, *, renew: bool) -> Item:
    main, made = caller.tables.main, caller.new_id(caller.at)
    for _ in attempts(ATTEMPTS):
        item = main.get(keys.webhook_secret(app), consistent=True)
        row = None if item is None else upgraded(item)
        if row is not None and (not renew or row["made"] == made):
            return row
        if row is not None and row["before"] is not None and caller.at < row["at"] + BOTH_MS:
            raise Conflict("The secret was renewed less than a day ago, and the one before still signs; renew it later")
        following: Item = {
            **stamp("webhookSecret"),
            "version": row["version"] + 1 if row else 1,
            "root": roots.current,
            "before": row["root"] if row else None,
            "at": caller.at,
            "made": made,
        }
        unchanged = Absent() if row is None else Equals("version", row["version"])
        verb = "create" if row is None else "renew"
        told = audit.entry(caller, verb, "webhookSecret", app, after={"version": following["version"]})
        try:
            main.transact([Put(keys.webhook_secret(app), following, (unchanged,)), *told])
        except TransactionFailed:
            continue
        return following
    raise Conflict("This secret keeps changing; send the request again")


def _document(caller: Caller, app: str, roots: RootSecrets, row: Item) -> Document:
    secret = _secret(caller.tables.account, app, roots, row["version"], row["root"])
    document: Document = {"secret": shown_secret(secret), "version": row["version"], "createdAt": row["at"]}
    until = row["at"] + BOTH_MS
    return document | ({"beforeUntil": until} if row["before"] is not None and caller.at < until else {})


def _secret(account: str, app: str, roots: RootSecrets, version: int, root: int) -> bytes:
    return roots.for_purpose(f"webhook/{account}/{app}/{version}", root)
