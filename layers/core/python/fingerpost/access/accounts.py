"""The account's own document, as its operators see and change it."""

from collections.abc import Iterable

from .. import audit, keys
from ..caller import Caller
from ..errors import Invalid, NotFound
from ..fields import merged
from ..ports.table import Remove, Set, Update, Write
from ..resources import Document, Resources, Stored
from ..shapes import stamp
from .documents import SentAccount
from .store import ACCOUNT

PRIVATE = ("shortDomains",)  # at an address of their own


def read(caller: Caller, account_id: str) -> Stored:
    """Raises NotFound for any account but the key's own."""
    if account_id != caller.principal.account:
        raise NotFound(f"There is no account {account_id[:60]}")
    return Resources(caller.tables, ACCOUNT).read(account_id)


def update(caller: Caller, account_id: str, sent: SentAccount) -> Stored:
    """Change name, image, custom fields, whether scans keep whole addresses, where application rules may lead, how
    long actions are kept.

    The last three the scan path reads beside the live rule versions, so they are written there in the same transaction.
    """
    read(caller, account_id)
    fields = sent.sent()
    if "allowedHosts" in fields:
        fields["allowedHosts"] = list(dict.fromkeys(fields["allowedHosts"] or ())) or None

    def change(document: Document) -> Document:
        result = merged(document, fields)
        if not result.get("name"):
            raise Invalid("name: an account needs a name")
        return result if result == document else {**result, "updatedAt": max(caller.at, document["updatedAt"])}

    def also(before: Document, after: Document) -> Iterable[Write]:
        marks = [Set(name, value) for name, value in stamp("live").items()]
        whole = Set("wholeAddresses", bool(after.get("wholeAddresses")))
        hosts: list[str] = after.get("allowedHosts", [])
        allowed = Set("allowedHosts", ",".join(hosts)) if hosts else Remove("allowedHosts")
        days = after.get("retentionDays")
        kept = Set(keys.RETENTION, days) if days else Remove(keys.RETENTION)
        entry = audit.entry(caller, "update", "account", account_id, before, after)
        return [Update(keys.LIVE, (*marks, whole, allowed, kept)), *entry]

    return Resources(caller.tables, ACCOUNT).update(account_id, change, also=also, match=caller.match)


def shown(stored: Stored) -> Document:
    """The platform's AccountDocument with `wholeAddresses`, and `allowedHosts` when there are any."""
    fields = {name: value for name, value in stored.document.items() if name not in PRIVATE}
    return {"id": stored.id, "customFields": {}, "wholeAddresses": False, **fields}
