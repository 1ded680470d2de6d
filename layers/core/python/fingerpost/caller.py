"""What a service knows about the request it works for. Frozen; no HTTP in it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from .access.model import Principal
from .ids import NewId, new_id, new_short_id
from .ports.table import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One request's principal, its account's tables, its time, its cause, and where its new ids come from."""

    principal: Principal
    tables: Tables  # the account's own
    at: int  # milliseconds since the epoch
    cause: str  # goes from the request to every row, event and log line that follows from it
    address: str = ""
    new_id: NewId = field(default=new_id)
    new_short_id: Callable[[], str] = field(default=new_short_id)
