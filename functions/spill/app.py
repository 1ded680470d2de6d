"""Records scans whose put was refused when they happened. Their ids are their own: a repeat records nothing twice."""

import json

from fingerpost import wiring
from fingerpost.actions.sums import expiry_of
from fingerpost.http import Event, Reply
from fingerpost.log import error
from fingerpost.ports.table import Absent, ConditionFailed, Key


def handler(event: Event, _context: object = None) -> Reply:
    """Work through SQS messages. Answers those that must come again."""
    failed = []
    for record in event["Records"]:
        try:
            spilled = json.loads(record["body"])
            item = spilled["item"]
            wiring.tables().main.put(Key(*spilled["key"]), item, when=(Absent(),), expires_at=expiry_of(item))
        except ConditionFailed:
            continue  # it is recorded already
        except Exception as failure:  # reported, tried again by the queue, parked in its dead letters after that
            error("a spilled scan failed", message_id=record["messageId"], error=repr(failure))
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
