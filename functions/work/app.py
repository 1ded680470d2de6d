"""Carries out tasks from the work queue; a task done twice does no harm."""

import json

from fingerpost import wiring
from fingerpost.http import Event, Reply
from fingerpost.log import error
from fingerpost.work import perform


def handler(event: Event, _context: object = None) -> Reply:
    """Work through SQS messages. Answers those that must come again."""
    failed = []
    for record in event["Records"]:
        try:
            perform(json.loads(record["body"]), wiring.tables(), wiring.queue("work"), wiring.clock())
        except Exception as failure:  # reported, tried again by the queue, parked in its dead letters after that
            error("a task failed", message_id=record["messageId"], error=repr(failure))
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
