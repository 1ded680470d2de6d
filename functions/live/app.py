"""WebSocket connections: who opens one with a key may watch what the key may read; with a hub's, be in live rooms.

Woken by the WebSocket API.
"""

import traceback

from fingerpost import wiring
from fingerpost.errors import FingerpostError
from fingerpost.http import Event, Reply, header
from fingerpost.live.service import Live, live
from fingerpost.log import error
from fingerpost.ports.connections import ConnectionGone
from fingerpost.rooms.doors import displays
from fingerpost.rooms.hub.sockets import content_of, hub_sockets
from fingerpost.rooms.hubs import COOKIE, key_of


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
                hub_sockets().disconnect(connection_id)
            case _ if (content := content_of(event.get("body") or "")) is not None:
                hub_sockets().message(connection_id, content)
            case _:
                connections.message(connection_id, event.get("body") or "")
    except FingerpostError as refusal:
        return {"statusCode": refusal.status, "body": str(refusal)}
    except ConnectionGone:
        connections.disconnect(connection_id, cause)
        hub_sockets().disconnect(connection_id)
    except Exception:
        error("unexpected", cause=cause, exception=traceback.format_exc())
        return {"statusCode": 500}
    return {"statusCode": 200}


def _connect(connections: Live, event: Event, connection_id: str, cause: str) -> None:
    """A key opens a connection, or the ticket of a display at a door, or the key of a hub."""
    authorization, door = _authorization(event), _query(event).get(displays.DISPLAY)
    if door is not None:
        displays.connect(wiring.tables(), wiring.root_secrets(), wiring.clock, connection_id, door)
    elif not authorization and (key := _hub_key(event)):
        hub_sockets().connect(connection_id, key)
    else:
        connections.connect(connection_id, authorization, cause)


def _authorization(event: Event) -> str:
    """The key: from the header, or from `?key=` of browsers, which cannot send headers here."""
    return header(_named(event), "authorization") or _query(event).get("key", "")


def _hub_key(event: Event) -> str:
    """The key of a member of a hub, or a guest's session: as the hub's services read it, or from `?regsid=`."""
    return key_of(_named(event)) or _query(event).get(COOKIE, "")


def _named(event: Event) -> Event:
    return {"headers": {name.lower(): value for name, value in (event.get("headers") or {}).items()}}


def _query(event: Event) -> dict[str, str]:
    return event.get("queryStringParameters") or {}
