"""Open WebSocket connections, to which functions may write. Two adapters: API Gateway, the local server."""

from typing import Protocol

MAX_MESSAGE_BYTES = 128 * 1024  # what API Gateway carries in one


class ConnectionGone(Exception):
    """Nobody listens at this connection any more."""


class Connections(Protocol):
    def send(self, connection_id: str, text: str) -> None:
        """Write one message. Raises ConnectionGone, Unreachable, ValueError for one that is too long."""
        ...

    def close(self, connection_id: str) -> None:
        """End a connection; one that has ended already is no error. Raises Unreachable."""
        ...
