"""The messages of DDP, the protocol of Meteor's servers: what a client sends, and what it is answered. Pure.

Source: Meteor, packages/ddp/DDP.md and packages/ddp-server/livedata_server.js.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ...frozen import Frozen
from .ejson import Malformed, decoded, encoded

type Message = dict[str, Any]
type Fields = Mapping[str, Any]

VERSION = "1"
VERSIONS = frozenset({"1", "pre2", "pre1"})
MAX_ID = 200


class Refused(Exception):
    """A message of the protocol itself that cannot be taken: `answer` says why."""

    def __init__(self, reason: str, offending: Any = None):
        super().__init__(reason)
        self.answer: Message = {"msg": "error", "reason": reason}
        if offending is not None:
            self.answer["offendingMessage"] = offending


class DdpError(Exception):
    """What a method or a subscription fails with. `code` is a number as of HTTP, or a text that says it all."""

    def __init__(self, code: int | str, reason: str | None = None, details: str | None = None):
        super().__init__(reason or str(code))
        self.code, self.reason, self.details = code, reason, details

    @property
    def document(self) -> Message:
        """As Meteor's errors look."""
        document: Message = {"isClientSafe": True, "error": self.code}
        if self.reason is not None:
            document["reason"] = self.reason
        if self.details is not None:
            document["details"] = self.details
        message = f"[{self.code}]" if self.reason is None else f"{self.reason} [{self.code}]"
        return {**document, "message": message, "errorType": "Meteor.Error"}


class Connect(Frozen):
    """`version` is the best one that both sides speak, None when there is none."""

    version: str | None


class Ping(Frozen):
    id: str | None


class Pong(Frozen):
    """The client is there; nothing follows."""


class Sub(Frozen):
    id: str
    name: str
    params: tuple[Any, ...]


class Unsub(Frozen):
    id: str


class Call(Frozen):
    id: str
    method: str
    params: tuple[Any, ...]


type Received = Connect | Ping | Pong | Sub | Unsub | Call


def received(text: str) -> tuple[Received, Message]:
    """What a text says, and the message as it was sent. Raises Refused."""
    try:
        message = decoded(text)
    except Malformed as error:
        raise Refused("Parse error") from error
    if not isinstance(message, dict) or not isinstance(message.get("msg"), str):
        raise Refused("Bad request", message)
    return _taken(message), message


def _taken(message: Message) -> Received:
    match message["msg"]:
        case "connect":
            return Connect(_version(message))
        case "ping":
            given = message.get("id")
            return Ping(given if isinstance(given, str) else None)
        case "pong":
            return Pong()
        case "method":
            return _call(message)
        case "sub":
            return _sub(message)
        case "unsub":
            if not _is_id(message.get("id")):
                raise Refused("Malformed subscription", message)
            return Unsub(message["id"])
        case _:
            raise Refused("Bad request", message)


def _version(message: Message) -> str | None:
    """By the client's order of preference. Clients are in use that send the version as a number."""
    supported = message.get("support", ())
    wanted = [message.get("version"), *(supported if isinstance(supported, list) else ())]
    texts = [str(each) for each in wanted if isinstance(each, str | int) and not isinstance(each, bool)]
    return next((each for each in texts if each in VERSIONS), None)


def _call(message: Message) -> Call:
    params = message.get("params", [])
    if not _is_id(message.get("id")) or not isinstance(message.get("method"), str) or not isinstance(params, list):
        raise Refused("Malformed method invocation", message)
    return Call(message["id"], message["method"], tuple(params))


def _sub(message: Message) -> Sub:
    params = message.get("params", [])
    if not _is_id(message.get("id")) or not isinstance(message.get("name"), str) or not isinstance(params, list):
        raise Refused("Malformed subscription", message)
    return Sub(message["id"], message["name"], tuple(params))


def _is_id(given: Any) -> bool:
    return isinstance(given, str) and 0 < len(given) <= MAX_ID


# What the server says


def connected(session: str) -> Message:
    return {"msg": "connected", "session": session}


def failed() -> Message:
    return {"msg": "failed", "version": VERSION}


def pong(ping_id: str | None) -> Message:
    return {"msg": "pong"} if ping_id is None else {"msg": "pong", "id": ping_id}


def ping() -> Message:
    return {"msg": "ping"}


def result(call_id: str, value: Any) -> Message:
    """Without a `result` when the method answers nothing."""
    return {"msg": "result", "id": call_id} if value is None else {"msg": "result", "id": call_id, "result": value}


def failure(call_id: str, error: DdpError) -> Message:
    return {"msg": "result", "id": call_id, "error": error.document}


def updated(call_ids: Sequence[str]) -> Message:
    return {"msg": "updated", "methods": list(call_ids)}


def ready(sub_ids: Sequence[str]) -> Message:
    return {"msg": "ready", "subs": list(sub_ids)}


def nosub(sub_id: str, error: DdpError | None = None) -> Message:
    message: Message = {"msg": "nosub", "id": sub_id}
    return message if error is None else {**message, "error": error.document}


def added(collection: str, document_id: str, fields: Fields) -> Message:
    return {"msg": "added", "collection": collection, "id": document_id, "fields": dict(fields)}


def changed(collection: str, document_id: str, fields: Fields, cleared: Sequence[str]) -> Message:
    message: Message = {"msg": "changed", "collection": collection, "id": document_id}
    if fields:
        message["fields"] = dict(fields)
    return {**message, "cleared": list(cleared)} if cleared else message


def removed(collection: str, document_id: str) -> Message:
    return {"msg": "removed", "collection": collection, "id": document_id}


def text_of(message: Message) -> str:
    return encoded(message)
