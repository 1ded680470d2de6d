"""One call of a service: who asks, what for, in which hub, and what it is carried out with."""

from dataclasses import dataclass
from functools import cached_property

from ... import wiring
from ...caller import Caller
from ...clock import Clock
from ...errors import Forbidden
from ...ports.connections import Connections
from ...ports.table import Tables
from ..bookings import Bookings
from ..model import By
from .asking import Asked
from .presence import Presence
from .sessions import Session, hub_of
from .signals import Signals
from .sockets import Departures
from .words import PERMISSION_DENIED


@dataclass(frozen=True, kw_only=True)
class Call:
    """`caller` and its tables are the account's; `tables` are unscoped. Without a session nobody is known."""

    caller: Caller
    tables: Tables
    clock: Clock
    asked: Asked
    known: Session | None
    key: str | None = None  # of a request that may come again

    @property
    def session(self) -> Session:
        """Raises Forbidden."""
        if self.known is None:
            raise Forbidden(PERMISSION_DENIED)
        return self.known

    @cached_property
    def hub(self) -> str:
        """Raises Mandatory; Forbidden for another hub than the session's."""
        hub = hub_of(self.asked, self.known)
        if self.asked.has("hub_id") and self.asked.text("hub_id") != hub:
            raise Forbidden("This key is of another hub")
        return hub

    @cached_property
    def connections(self) -> Connections:
        return wiring.connections()

    @cached_property
    def presence(self) -> Presence:
        return Presence(self.tables, self.clock)

    @cached_property
    def signals(self) -> Signals:
        return Departures(self.presence, self.connections).signals

    @cached_property
    def bookings(self) -> Bookings:
        return Bookings(self.caller.tables, self.clock)

    @property
    def by(self) -> By:
        return By.of(self.caller, "hub", self.session.id)
