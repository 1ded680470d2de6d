"""Installs reactor scripts that were uploaded; one that is installed twice does no harm."""

import json

from fingerpost import wiring
from fingerpost.http import Event, Reply
from fingerpost.log import error
from fingerpost.reactor.installing import carry_out


def handler(event: Event, _context: object = None) -> Reply:
    """Work through SQS messages. Answers those that must come again."""
    failed = []
    for record in event["Records"]:
        try:
            carry_out(
                json.loads(record["body"]),
                wiring.tables(),
                wiring.bundles(),
                wiring.installer(),
                wiring.ready_runner,
                at=wiring.clock(),
                tries=int(record["attributes"]["ApproximateReceiveCount"]),
            )
        except Exception as failure:  # reported, tried again by the queue, parked in its dead letters after that
            error("a script was not installed", message_id=record["messageId"], error=repr(failure))
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
