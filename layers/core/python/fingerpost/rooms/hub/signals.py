"""What is told to the connections of a hub: `{"service": …, "data": …}`, and `signaling.message` between peers.

Only connections of the very hub are written to, whatever a client names. A signal that cannot be brought is lost, as it
is in the product: who was away looks at the room anew.
"""

import json
from collections.abc import Callable, Iterable

from ...log import warning
from ...ports.connections import ConnectionGone, Connections
from ...ports.table import Unreachable
from ...resources import Document
from .presence import Presence, Socket


class Signals:
    """`gone` is told of connections that turn out to have ended."""

    def __init__(self, presence: Presence, connections: Connections, gone: Callable[[Socket], None]):
        self._presence, self._send, self._gone = presence, connections.send, gone

    def tell(self, hub: str, sockets: Iterable[str], message: Document) -> int:
        """To how many of them it went."""
        found = self._presence.sockets(list(sockets))
        return sum(self.say(each, message) for each in found.values() if each.hub == hub)

    def say(self, socket: Socket, message: Document) -> bool:
        try:
            self._send(socket.id, json.dumps(message, ensure_ascii=False))
        except ConnectionGone:
            self._gone(socket)
            return False
        except (Unreachable, ValueError) as failure:
            warning("a signal of a hub is lost", connection=socket.id, why=repr(failure)[:200])
            return False
        return True


def signal(service: str, content: Document) -> Document:
    return {"service": service, "data": content}
