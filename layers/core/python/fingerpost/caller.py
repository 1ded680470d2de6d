"""What a service knows about the request it works for. Frozen; no HTTP in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .access.model import Principal
from .clock import DAY_MS
from .errors import Finding, Forbidden, Invalid
from .ids import NewId, new_id, new_short_id
from .ports.table import Tables
from .preconditions import ANYTHING, Match

MAX_AHEAD_MS = DAY_MS  # how far the clock of a client or a device may be ahead of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One request's principal, its account's tables, its time, its cause, and where its new ids come from."""

    principal: Principal
    tables: Tables  # the account's own
    at: int  # milliseconds since the epoch
    cause: str  # goes from the request to every row, event and log line that follows from it
    address: str = ""
    chain: tuple[str, ...] = ()  # the reactor runs that led to it, oldest first; kept with what the request writes
    match: Match = ANYTHING  # what the request takes for granted of the document that it changes
    new_id: NewId = field(default=new_id)
    new_short_id: Callable[[], str] = field(default=new_short_id)

    def sees(self, document: Mapping[str, Any]) -> bool:
        """Whether the key sees a resource."""
        return self.principal.sight.sees(document)

    def changes(self, document: Mapping[str, Any]) -> bool:
        """Whether the key may change a resource; False for what it does not see. Raises Forbidden for what it sees."""
        if not self.sees(document):
            return False
        if not self.principal.changes(document):
            raise Forbidden("This operator's role sees this, but may not change it")
        return True

    def time_of(self, timestamp: int | None, field: str = "timestamp") -> int:
        """When what a request tells of took place: now where it gives no `timestamp`. Raises Invalid for `field`."""
        if timestamp is None:
            return self.at
        if timestamp > self.at + MAX_AHEAD_MS:
            message = "lies more than a day ahead"
            raise Invalid(f"{field}: {message}", details=[Finding(field=field, message=message)])
        return timestamp
