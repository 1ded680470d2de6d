"""Carries out runs of reactor scripts and declarative rules from their queue, each once."""

from fingerpost import wiring
from fingerpost.http import Event, Reply
from fingerpost.log import error, warning
from fingerpost.reactor import runs
from fingerpost.reactor.consumer import Consumer
from fingerpost.reactor.declared import carry_out


def handler(event: Event, _context: object = None) -> Reply:
    """Work through SQS messages. Answers those that must come again."""
    consumer, failed = Consumer(wiring.tables(), carry_out), []
    for record in event["Records"]:
        try:
            consumer.carry_out(runs.received(record["body"]))
        except runs.PayloadGone as gone:  # the run is over, or far too old
            warning("a run is left out", message_id=record["messageId"], error=str(gone))
        except Exception as failure:  # comes again when its time is up, is parked in the dead letters after that
            error("a run failed", message_id=record["messageId"], error=repr(failure))
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
