"""The audit log: every change of a rule, link, key or role, written in the transaction that makes the change."""

import json
from datetime import UTC, datetime
from typing import Any

from . import keys
from .caller import Caller
from .ports.table import Put
from .shapes import stamp

MAX_SIDE_BYTES = 30_000  # of `before` and of `after` each; larger documents are kept by their own versions


def entry(caller: Caller, verb: str, kind: str, resource: str, before: Any = None, after: Any = None) -> list[Put]:
    """Two puts: the entry under its month, a pointer under the resource. Both belong in the change's transaction."""
    entry_id = caller.new_id(caller.at)
    month = datetime.fromtimestamp(caller.at / 1000, UTC).strftime("%Y%m")
    item = {
        **stamp("audit"),
        "id": entry_id,
        "at": caller.at,
        "verb": verb,
        "what": kind,
        "resource": resource,
        "actor": caller.principal.actor,
        "by": caller.principal.id,
        "from": caller.address,
        "cause": caller.cause,
        "before": _side(before),
        "after": _side(after),
    }
    pointer = {**stamp("auditOf"), "month": month, "at": caller.at, "id": entry_id}
    return [
        Put(keys.audit(month, caller.at, entry_id), item),
        Put(keys.audit_of(resource, caller.at, entry_id), pointer),
    ]


def _side(document: Any) -> str | None:
    if document is None:
        return None
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text if len(text.encode()) <= MAX_SIDE_BYTES else json.dumps({"tooLargeToKeep": len(text.encode())})
