"""What happens on a connection: a key opens it, messages watch paths, changes are told, devices come and go.

A message is JSON: `{"subscribe": "/thngs/<id>/properties/temperature"}`, `{"unsubscribe": ...}` or `{"ping": 1}`. What
is told is `{"path": ..., "changes": [...]}` with the path as it was subscribed to; what is refused is the error
document of the API, with the `path`.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from .. import wiring
from ..access.authentication import authenticate, principal_of
from ..access.decision import decide
from ..access.model import Principal
from ..body import MAX_DEPTH, json_of
from ..caller import Caller
from ..catalogue.model import PRODUCT, THNG
from ..catalogue.properties import Properties, Reading
from ..clock import Clock
from ..errors import FingerpostError, Invalid, NotFound, TooLarge, error_document
from ..log import warning
from ..ports.connections import ConnectionGone
from ..ports.connections import Connections as Open
from ..ports.table import Tables
from ..resources import Resources
from .model import Topic, told, topic_of
from .store import LONGEST_MS, Connected, Connections

CONNECTED = "~connected"
MAX_TOPICS = 100
TRIES = 5

_KINDS = {"thng": THNG, "product": PRODUCT}


class Live:
    """The connections of all accounts. `tables` are unscoped."""

    def __init__(self, tables: Tables, connections: Open, clock: Clock, api_url: str):
        self._tables, self._send, self._clock, self._api_url = tables, connections.send, clock, api_url
        self._rows = Connections(tables, clock)

    def connect(self, connection_id: str, authorization: str, cause: str) -> None:
        """Raises Unauthenticated, Forbidden."""
        principal = authenticate(self._tables, authorization)
        at = self._clock()
        connected = Connected(
            connection_id,
            principal.account,
            principal.key,
            principal.actor,
            principal.id,
            principal.project,
            (),
            1,
            at + LONGEST_MS,
        )
        self._rows.open(connected)
        if principal.actor == "device":
            self._say_connected(connected.account, connected.principal, present=True, cause=cause)

    def disconnect(self, connection_id: str, cause: str) -> None:
        """Forget a connection; safe to repeat."""
        connected = self._rows.find(connection_id)
        if connected is not None and self._rows.close(connected):
            self._say_connected(connected.account, connected.principal, present=False, cause=cause)

    def absent(self, account: str, thng_id: str, cause: str) -> None:
        """Set a device's `~connected` to what is so, when a connection of it has ended unnoticed."""
        self._say_connected(account, thng_id, present=self._rows.is_present(account, thng_id), cause=cause)

    def message(self, connection_id: str, text: str) -> None:
        """Do what a message asks for, and answer it."""
        path: str | None = None
        answer: Mapping[str, Any]
        try:
            content = _content(text)
            path = content.get("subscribe", content.get("unsubscribe"))
            answer = self._answer(connection_id, content)
        except FingerpostError as error:
            answer = error_document(error, self._api_url) | ({} if path is None else {"path": str(path)[:300]})
        self._send(connection_id, json.dumps(answer, ensure_ascii=False))

    def tell(self, account: str, resource_id: str, readings: Sequence[Reading]) -> None:
        """Tell all who watch a thing that these values of it changed. Raises Unreachable: then it is done again."""
        watching: dict[str, list[Topic]] = defaultdict(list)
        for connection_id, topic in self._rows.watchers(account, resource_id):
            watching[connection_id].append(topic)
        for connection_id, topics in watching.items():
            connected = self._rows.find(connection_id)
            if connected is None or not self._may_still(connected, topics):
                continue
            try:
                for topic in topics:
                    if changes := told(topic, list(readings)):
                        document = {"path": topic.path, "changes": changes}
                        self._send(connection_id, json.dumps(document, ensure_ascii=False))
            except ConnectionGone:
                self.disconnect(connection_id, cause="gone")

    def _answer(self, connection_id: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
        match content:
            case {"subscribe": str(path)}:
                self._change(connection_id, _topic(path), begin=True)
                return {"subscribed": path}
            case {"unsubscribe": str(path)}:
                self._change(connection_id, _topic(path), begin=False)
                return {"unsubscribed": path}
            case {"ping": _}:
                return {"pong": self._clock()}
            case _:
                raise Invalid('A message is {"subscribe": path}, {"unsubscribe": path} or {"ping": 1}')

    def _change(self, connection_id: str, topic: Topic, *, begin: bool) -> None:
        for _ in range(TRIES):
            connected = self._rows.find(connection_id)
            if connected is None:
                raise NotFound("This connection is closed")
            if begin:
                self._check(connected, topic)
                if topic in connected.topics or self._rows.watch(connected, topic):
                    return
            elif topic not in connected.topics or self._rows.unwatch(connected, topic):
                return
        raise Invalid("The subscriptions of this connection keep changing; send the message again")

    def _check(self, connected: Connected, topic: Topic) -> None:
        """Raises Forbidden, NotFound for what the key may not read, TooLarge."""
        if len(connected.topics) >= MAX_TOPICS and topic not in connected.topics:
            raise TooLarge(f"A connection watches at most {MAX_TOPICS} paths")
        principal = self._principal(connected)
        template = f"/{topic.kind}s/{{{topic.kind}Id}}/{topic.what}"
        of = "locations" if topic.what == "location" else "properties"
        decide(principal, "read", of, "GET", template, {f"{topic.kind}Id": topic.id})
        resources = Resources(self._tables.of(connected.account), _KINDS[topic.kind])
        if not principal.sight.sees(resources.read(topic.id).document):
            raise resources.missing(topic.id)

    def _principal(self, connected: Connected) -> Principal:
        """Who the connection's key is now. Raises Forbidden for one that was revoked."""
        return principal_of(self._tables, connected.bearer)

    def _may_still(self, connected: Connected, topics: Sequence[Topic]) -> bool:
        try:
            for topic in topics:
                self._check(connected, topic)
        except FingerpostError as error:
            warning("a watcher is told nothing", why=str(error), connection=connected.id)
            return False
        return True

    def _say_connected(self, account: str, thng_id: str, *, present: bool, cause: str) -> None:
        at, own = self._clock(), self._tables.of(account)
        if Resources(own, THNG).read_many([thng_id], consistent=True).get(thng_id) is None:
            return  # deleted meanwhile: it leaves nothing behind
        principal = Principal(actor="device", account=account, id=thng_id)
        caller = Caller(principal=principal, tables=own, at=at, cause=cause)
        Properties(own).record(thng_id, [Reading(CONNECTED, present, at)], caller)
        if self._rows.is_present(account, thng_id) != present:  # another one came or went
            now = Reading(CONNECTED, not present, max(at + 1, self._clock()))
            Properties(own).record(thng_id, [now], caller)


def live() -> Live:
    """The connections of this deployment."""
    return Live(wiring.tables(), wiring.connections(), wiring.clock, wiring.settings().api_url)


def _content(text: str) -> Mapping[str, Any]:
    content = json_of(text)
    if content is None:
        raise Invalid(f"A message must be JSON, at most {MAX_DEPTH} levels deep")
    if not isinstance(content, dict):
        raise Invalid("A message must be a JSON object")
    return content


def _topic(path: str) -> Topic:
    topic = topic_of(path)
    if topic is None:
        raise Invalid(
            f"{path[:200]!r} cannot be watched; these can: /thngs/<id>/properties, /thngs/<id>/properties/<key>, "
            "/thngs/<id>/location, /products/<id>/properties, /products/<id>/properties/<key>"
        )
    return topic
