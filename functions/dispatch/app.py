"""Reads the change feed and puts what has to be done about it on queues; calls nobody. The other of its two readers."""

from fingerpost import wiring
from fingerpost.aws.stream import batch_item_failures, changes
from fingerpost.following import dispatch
from fingerpost.http import Event, Reply
from fingerpost.reactor import runs


def handler(event: Event, _context: object = None) -> Reply:
    """Work through a batch of stream records. Answers those that must come again."""
    work, reactor = wiring.queue("work"), wiring.queue(runs.QUEUE)
    return batch_item_failures(dispatch(changes(event), wiring.tables(), work, reactor))
