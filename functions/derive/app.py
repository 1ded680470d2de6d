"""Reads the change feed: index rows of actions, visits, exact sums; puts limits to look at on the work queue.

One of the feed's two readers.
"""

from fingerpost import wiring
from fingerpost.actions.derive import derive
from fingerpost.aws.stream import batch_item_failures, changes
from fingerpost.http import Event, Reply
from fingerpost.redirection.exhaustion import look_at_limits


def handler(event: Event, _context: object = None) -> Reply:
    """Work through a batch of stream records. Answers those that must come again."""
    tables, batch = wiring.tables(), changes(event)
    failed = derive(tables.log, batch)
    counted = [change for change in batch if change.sequence not in failed]
    return batch_item_failures([*failed, *look_at_limits(tables, lambda: wiring.queue("work"), counted)])
