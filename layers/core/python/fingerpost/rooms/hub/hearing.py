"""A change of a room or of a booking in it reaches the connections of the hubs that are tied to that room."""

from contextlib import suppress

from ... import wiring
from ...ports.table import Tables
from ...resources import Document
from .. import plain
from ..bookings import Bookings
from ..errors import Unknown
from ..kinds import HUB
from ..model import Told
from .meetings import SYSTEM
from .presence import Presence
from .signals import signal
from .sockets import Departures


def hear(told: Told, own: Tables) -> None:
    """A listener. Whoever of them cannot be reached misses it, as any other signal."""
    presence = Presence(wiring.tables(), wiring.clock)
    for hub in plain.all_of(own, HUB, "room", told.room):
        sockets = presence.sockets_of(hub.id)
        if not sockets:
            continue
        signals = Departures(presence, wiring.connections()).signals
        message = signal("room.changed", {"hub_id": hub.id, **_news(told, own)})
        for socket in sockets:
            signals.say(socket, message)


def _news(told: Told, own: Tables) -> Document:
    """What has happened, and when the room is taken by it; nothing of what for."""
    said: Document = {"room": told.room, "event": told.event}
    if not told.booking:
        return said
    with suppress(Unknown):
        booking = Bookings(own, wiring.clock).get(told.booking)
        nid = booking.external.get(SYSTEM)
        when = {"booking": booking.id, "start": booking.start, "end": booking.end, "state": booking.state}
        return {**said, **when, **({"nid": nid} if nid else {})}
    return said
