"""DynamoDB's stream events, as Lambda receives them, to and from the port's changes.

Source: Lambda Developer Guide, "Using AWS Lambda with Amazon DynamoDB"; view type NEW_AND_OLD_IMAGES.
"""

from collections.abc import Iterable
from typing import Any

from ..ports.table import Change, Item, Key
from .marshal import TypedItem, to_typed_item
from .rows import bare, is_expired, key_of, typed_key

type Event = dict[str, Any]

EXPIRY = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def changes(event: Event) -> list[Change]:
    """The changes in the event's order.

    A row that was written over after its time was up shows no old image, as if it had been absent. A removal of such a
    row is an expiry, whoever removed it.
    """
    return [_change(record) for record in event["Records"]]


def _change(record: dict[str, Any]) -> Change:
    stream = record["dynamodb"]
    old: TypedItem | None = stream.get("OldImage")
    new: TypedItem | None = stream.get("NewImage")
    at = round(float(stream.get("ApproximateCreationDateTime", 0)) * 1000)
    overdue = old is not None and is_expired(old, at // 1000)
    return Change(
        sequence=stream["SequenceNumber"],
        key=key_of(stream["Keys"]),
        old=None if old is None or (overdue and new is not None) else bare(old),
        new=None if new is None else bare(new),
        at=at,
        expired=record["eventName"] == "REMOVE" and (overdue or _by_expiry(record)),
    )


def _by_expiry(record: dict[str, Any]) -> bool:
    identity = record.get("userIdentity") or {}
    return all(identity.get(name) == value for name, value in EXPIRY.items())


def stream_event(changed: Iterable[Change], *, source_arn: str = "") -> Event:
    """The inverse of `changes`: what the local pump hands to the same handlers."""
    return {"Records": [_record(change, source_arn) for change in changed]}


def _record(change: Change, source_arn: str) -> dict[str, Any]:
    keys = typed_key(change.key)
    stream: dict[str, Any] = {
        "ApproximateCreationDateTime": change.at / 1000,
        "Keys": keys,
        "SequenceNumber": change.sequence,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    if change.old is not None:
        stream["OldImage"] = _image(change.key, change.old)
    if change.new is not None:
        stream["NewImage"] = _image(change.key, change.new)
    record = {
        "eventID": change.sequence,
        "eventName": "REMOVE" if change.new is None else "INSERT" if change.old is None else "MODIFY",
        "eventSource": "aws:dynamodb",
        "eventSourceARN": source_arn,
        "eventVersion": "1.1",
        "dynamodb": stream,
    }
    if change.expired:
        record["userIdentity"] = EXPIRY
    return record


def _image(key: Key, item: Item) -> TypedItem:
    return to_typed_item(item) | typed_key(key)


def batch_item_failures(sequences: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """What a handler answers under ReportBatchItemFailures. A stream goes on from the first of them, in its order."""
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in sequences]}
