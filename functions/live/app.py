"""WebSocket connections: who opens one with a key may watch what the key may read. Woken by the WebSocket API."""

import traceback

from fingerpost import wiring
from fingerpost.errors import FingerpostError
from fingerpost.http import Event, Reply, header
from fingerpost.live.service import Live, live
from fingerpost.log import error
from fingerpost.ports.connections import ConnectionGone
from fingerpost.rooms.doors import displays


def handler(event: Event, _context: object = None) -> Reply:
    """`$connect` is refused with the status of the error; what a message comes to is written to its connection."""
    context = event["requestContext"]
    connection_id, cause = context["connectionId"], context.get("requestId", "")
    connections = live()
    try:
        match context["routeKey"]:
            case "$connect":
                _connect(connections, event, connection_id, cause)
            case "$disconnect":
                connections.disconnect(connection_id, cause)
            case _:
                connections.message(connection_id, event.get("body") or "")
    except FingerpostError as refusal:
        return {"statusCode": refusal.status, "body": str(refusal)}
    except ConnectionGone:
        connections.disconnect(connection_id, cause)
    except Exception:
        error("unexpected", cause=cause, exception=traceback.format_exc())
        return {"statusCode": 500}
    return {"statusCode": 200}


def _connect(connections: Live, event: Event, connection_id: str, cause: str) -> None:
    """A key opens a connection, or the ticket of a display at a door."""
    door = (event.get("queryStringParameters") or {}).get(displays.DISPLAY)
    if door is not None:
        displays.connect(wiring.tables(), wiring.root_secrets(), wiring.clock, connection_id, door)
    else:
        connections.connect(connection_id, _authorization(event), cause)


def _authorization(event: Event) -> str:
    """The key: from the header, or from `?key=` of browsers, which cannot send headers here."""
    names = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    query = event.get("queryStringParameters") or {}
    return header({"headers": names}, "authorization") or query.get("key", "")
