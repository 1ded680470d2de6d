"""Reads the change feed: index rows of actions, visits, exact sums. One of the feed's two readers."""

from fingerpost import wiring
from fingerpost.actions.derive import derive
from fingerpost.aws.stream import batch_item_failures, changes
from fingerpost.http import Event, Reply


def handler(event: Event, _context: object = None) -> Reply:
    """Work through a batch of stream records. Answers those that must come again."""
    return batch_item_failures(derive(wiring.tables().log, changes(event)))
