"""`Table.transact` over TransactWriteItems: all or nothing, repeated safely under one ClientRequestToken."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..ports.table import (
    MAX_TRANSACTION_WRITES,
    Add,
    Check,
    Delete,
    ItemTooLarge,
    Put,
    Reason,
    TransactionFailed,
    Update,
    Write,
)
from ..retry import attempts
from .expressions import (
    GONE,
    Placeholders,
    check_changes,
    condition_on_row,
    condition_on_update,
    from_nothing,
    hold_on_no_row,
    update_expression,
)
from .marshal import TypedItem
from .rows import bare, check_key, conditional, is_expired, speaks_of_size, stored, typed_key
from .transport import Document, Refused

if TYPE_CHECKING:
    from .table import DynamoTable

ROUNDS = 8

# Source: the API's list of CancellationReason codes.
KINDS = {
    "None": "none",
    "ConditionalCheckFailed": "condition",
    "TransactionConflict": "conflict",
    "ProvisionedThroughputExceeded": "throttled",
    "ThrottlingError": "throttled",
}
PASSING = ("none", "conflict", "throttled")  # worth another try


def transact(table: "DynamoTable", writes: Sequence[Write], now_s: Callable[[], int]) -> None:
    """An update of an expired row is sent as a put of what it makes from nothing, once DynamoDB has shown that row."""
    _check(writes)
    if not writes:
        return
    over_expired: frozenset[int] = frozenset()
    payload, at = None, 0
    reasons: list[Reason] = []
    adds = any(isinstance(change, Add) for write in writes if isinstance(write, Update) for change in write.changes)
    for _ in attempts(ROUNDS, base_ms=25, cap_ms=500):
        if payload is None:
            at = now_s()
            payload = {
                "ClientRequestToken": os.urandom(16).hex(),
                "TransactItems": [
                    _entry(table.name, write, at, over_expired=index in over_expired)
                    for index, write in enumerate(writes)
                ],
            }
        found = _attempt(table, payload, uncertain=adds)
        if found is None:
            return
        turned = {
            index
            for index, (write, cancelled) in enumerate(zip(writes, found, strict=True))
            if _turns(write, cancelled, at, over_expired=index in over_expired)
        }
        reasons = [
            Reason("none") if index in turned else _reason(cancelled, at) for index, cancelled in enumerate(found)
        ]
        if any(reason.kind not in PASSING for reason in reasons):
            _raise_too_large(found)
            raise TransactionFailed(reasons)
        if turned:
            over_expired ^= turned
            payload = None
            reasons = [Reason("conflict") if index in turned else reason for index, reason in enumerate(reasons)]
    raise TransactionFailed(reasons)


def _check(writes: Sequence[Write]) -> None:
    if len(writes) > MAX_TRANSACTION_WRITES:
        raise ValueError(f"a transaction has at most {MAX_TRANSACTION_WRITES} writes, not {len(writes)}")
    if len({write.key for write in writes}) != len(writes):
        raise ValueError("a transaction writes a row once")
    for write in writes:
        check_key(write.key)
        if isinstance(write, Update):
            check_changes(write.changes)
        if isinstance(write, Check) and not write.when:
            raise ValueError("a check needs a condition")


def _attempt(table: "DynamoTable", payload: Document, *, uncertain: bool) -> list[Document] | None:
    """None when done, else DynamoDB's reasons."""
    try:
        table.call("TransactWriteItems", payload, named=False, uncertain=uncertain)
    except Refused as refusal:
        if refusal.code != "TransactionCanceledException":
            raise
        found: list[Document] = refusal.document["CancellationReasons"]
        return found
    return None


def _entry(table_name: str, write: Write, now_s: int, *, over_expired: bool) -> Document:
    places = Placeholders(now_s)
    entry: dict[str, Any] = {"TableName": table_name}
    match write:
        case Put(key, item, when, expires_at):
            entry["Item"] = stored(key, item, expires_at)
            return {"Put": entry | _when(when, places)}
        case Update(key, changes, _) if over_expired:
            entry["Item"] = stored(key, from_nothing(changes), None)
            return {"Put": entry | conditional(GONE, places)}
        case Update(key, changes, when):
            entry["Key"] = typed_key(key)
            entry["UpdateExpression"] = update_expression(changes, places, None)
            return {"Update": entry | conditional(condition_on_update(when, places), places)}
        case Delete(key, when):
            return {"Delete": entry | {"Key": typed_key(key)} | _when(when, places)}
        case Check(key, when):
            return {"ConditionCheck": entry | {"Key": typed_key(key)} | _when(when, places)}


def _when(when: tuple[Any, ...], places: Placeholders) -> Document:
    return conditional(condition_on_row(when, places), places) if when else {}


def _turns(write: Write, cancelled: Document, now_s: int, *, over_expired: bool) -> bool:
    """Whether this write failed only because the row expired (or lives again) and can be sent in its other form."""
    if not isinstance(write, Update) or cancelled.get("Code") != "ConditionalCheckFailed":
        return False
    if over_expired:
        return True
    found: TypedItem | None = cancelled.get("Item")
    return bool(found) and is_expired(found or {}, now_s) and hold_on_no_row(write.when)


def _reason(cancelled: Document, now_s: int) -> Reason:
    kind = KINDS.get(cancelled.get("Code") or "None", "other")
    found: TypedItem | None = cancelled.get("Item")
    if not found or is_expired(found, now_s):
        return Reason(kind)
    return Reason(kind, bare(found))


def _raise_too_large(found: list[Document]) -> None:
    for cancelled in found:
        if cancelled.get("Code") == "ValidationError" and speaks_of_size(cancelled.get("Message") or ""):
            raise ItemTooLarge(cancelled["Message"])
