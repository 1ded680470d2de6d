"""The panels' server: DDP over WebSockets. Connections open and close as events of the WebSocket API.

Their messages come from a queue that keeps their order (on AWS each would be a call of its own, and overtake another),
or right from the local server, which has one connection's events follow one another.
"""

import secrets
import traceback

from fingerpost.edge import Answer, Edge, Request
from fingerpost.http import Event, Reply
from fingerpost.log import error
from fingerpost.rooms.evoko.answers import SockJs
from fingerpost.rooms.evoko.server import server

edge = Edge("evoko")


@edge.route("GET", "/sockjs/info", answers=SockJs)
def sockjs_info(_request: Request) -> Answer:
    """What SockJS clients ask first. There is no SockJS here: they open `/websocket`."""
    return Answer(
        document={
            "websocket": True,
            "origins": ["*:*"],
            "cookie_needed": False,
            "entropy": secrets.randbits(32),
        }
    )


def handler(event: Event, context: object = None) -> Reply:
    """A request, an event of a connection, or messages of connections in their order."""
    if "Records" in event:
        return _messages(event)
    said = event["requestContext"]
    if "connectionId" not in said:
        return edge.handler(event, context)
    try:
        match said["routeKey"]:
            case "$connect":
                server().connect(said["connectionId"])
            case "$disconnect":
                server().disconnect(said["connectionId"])
            case _:
                server().message(said["connectionId"], event.get("body") or "", said["requestId"])
    except Exception:
        error("unexpected", cause=said["requestId"], exception=traceback.format_exc())
        return {"statusCode": 500}
    return {"statusCode": 200}


def _messages(event: Event) -> Reply:
    """One that fails comes again, and with it all that its connection said after it."""
    stuck: set[str] = set()
    failed = []
    for record in event["Records"]:
        connection_id, cause = (record["attributes"][name] for name in ("MessageGroupId", "MessageDeduplicationId"))
        try:
            if connection_id not in stuck:
                server().message(connection_id, record["body"], cause)
        except Exception:
            error("unexpected", cause=cause, exception=traceback.format_exc())
            stuck.add(connection_id)
        if connection_id in stuck:
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
