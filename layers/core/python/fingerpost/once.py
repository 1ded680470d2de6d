"""Requests with an Idempotency-Key: the same key gives the same effect and the same answer for seven days.

The seed of every new id is stored before the first effect, so a repeat after a crash, or beside the first request,
rewrites the same rows instead of making others.
"""

import hashlib
import json
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from . import keys
from .caller import Caller
from .clock import DAY_MS
from .errors import Conflict, Invalid
from .ids import SeededIds
from .ports.table import Absent, ConditionFailed, Equals, Item, Set
from .shapes import stamp, upgraded

KEPT_MS = 7 * DAY_MS
MAX_KEPT_ANSWER_BYTES = 300_000


@dataclass(frozen=True, slots=True)
class Begun:
    """A request that may go on: `caller` makes the ids of its seed. `answer` is the first one's, when it is known."""

    caller: Caller
    keep: Callable[[str], None]
    answer: str | None = None


def begin(caller: Caller, key: str, request: bytes) -> Begun:
    """Claim `key` for the request with these bytes. Raises Conflict when it was used with others, Invalid."""
    if not 1 <= len(key) <= 255:
        raise Invalid("An Idempotency-Key has 1 to 255 characters")
    row_key = keys.idempotency(caller.principal.id, key)
    digest = hashlib.sha256(request).hexdigest()
    row: Item = {**stamp("answer"), "seed": secrets.token_hex(16), "at": caller.at, "digest": digest}
    try:
        caller.tables.main.put(row_key, row, when=(Absent(),), expires_at=caller.at + KEPT_MS)
    except ConditionFailed as failure:
        if failure.old is None or (row := upgraded(failure.old))["digest"] != digest:
            raise Conflict("This Idempotency-Key was used with another request; use a new key") from failure
    seed, at, answer = row["seed"], row["at"], row.get("answer")
    assert isinstance(seed, str) and isinstance(at, int) and (answer is None or isinstance(answer, str))
    ids = SeededIds(seed)

    def keep(text: str) -> None:
        if len(text.encode()) <= MAX_KEPT_ANSWER_BYTES:
            # The row may have expired under the request; an update from nothing would leave it without seed and end.
            with suppress(ConditionFailed):
                caller.tables.main.update(row_key, (Set("answer", text),), when=(Equals("seed", seed),))

    seeded = replace(caller, at=at, new_id=ids.new_id, new_short_id=ids.new_short_id)
    return Begun(seeded, keep, answer)


def packed(status: int, document: object, headers: object) -> str:
    """An answer as it is kept."""
    return json.dumps({"status": status, "document": document, "headers": headers})
