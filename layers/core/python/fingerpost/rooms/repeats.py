"""Requests that come twice: how one is known again, and which booking the first has made."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from ..clock import DAY_MS
from ..errors import Conflict, Invalid
from ..ports.table import Absent, Equals, Item, Put, Table
from ..shapes import stamp, upgraded
from . import keys
from .model import Booking, By

KEPT_MS = 7 * DAY_MS  # how long a request's key stands for its booking
REPEAT_MS = 60_000  # the same, for a client that knows no keys: its request, word for word
SOONEST_MS = 2_000  # whoever lost an answer waits before asking again; who asks sooner is another who wants the slot
KEYLESS = ("joan", "evoko")  # whose clients know no keys


def request_of(by: By, key: str | None, sent: Sequence[Any]) -> "Request | None":
    """None for one that can never be known again. Raises Invalid."""
    return Request(by, key, sent) if key is not None or (by.client and by.source in KEYLESS) else None


class Request:
    """The row by which a request is known again: by the key it names, else by what it says."""

    def __init__(self, by: By, key: str | None, sent: Sequence[Any]):
        """Raises Invalid."""
        if key is not None and not 1 <= len(key) <= 255:
            raise Invalid("An Idempotency-Key has 1 to 255 characters")
        self.named = key is not None
        self._digest = hashlib.sha256(json.dumps(sent).encode()).hexdigest()
        self._key = keys.booking_request(by.source, by.client, f"~{self._digest}" if key is None else f"={key}")

    def first(self, main: Table) -> Item | None:
        """The row of the first one. Raises Conflict when the key belongs to another request."""
        item = main.get(self._key, consistent=True)
        if item is None:
            return None
        row = upgraded(item)
        if row["digest"] != self._digest:
            raise Conflict("This key was used for another booking; use a new one")
        return row

    def repeats(self, first: Booking, asked: Booking) -> bool:
        """Whether this request is the one again that made `first`, and no new one. `asked` is what it would make.

        Without a key, only while the first still has the slot that is asked for: it may have been moved.
        """
        has_slot = first.room == asked.room and first.start <= asked.start and asked.end <= first.end
        holds = first.holds and (has_slot or asked.rrule is not None)
        return self.named or (holds and asked.created_at - first.created_at >= SOONEST_MS)

    def claim(self, booking_id: str, at: int, over: Item | None) -> Put:
        """`over` is the row of a first one that stands for nothing any more."""
        row = {**stamp("bookingRequest"), "id": booking_id, "digest": self._digest}
        when = (Equals("id", over["id"]),) if over else (Absent(),)
        return Put(self._key, row, when, expires_at=at + (KEPT_MS if self.named else REPEAT_MS))
