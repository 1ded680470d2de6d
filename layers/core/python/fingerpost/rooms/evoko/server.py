"""The panels' server: what a message on a connection comes to. Source: Meteor, packages/ddp/DDP.md, livedata_server.js.

A connection's messages are handled one after the other. The state of a connection lies in the store between them.
"""

import json
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ... import keys, wiring
from ...access.secrets import RootSecrets
from ...clock import Clock
from ...errors import FingerpostError, NotFound
from ...log import error as log_error
from ...ports.connections import ConnectionGone, Connections
from ...ports.table import Tables
from ...rooms import logins
from ..credentials import random_text
from ..rooms import Rooms
from . import accounts, protocol
from .delivery import Delivery, Outlet, fits
from .methods import METHODS, Calling, Done
from .protocol import Call, Connect, DdpError, Ping, Pong, Refused, Sub, Unsub
from .publications import ALL, ALL_ROOMS, PUBLICATIONS, ROOMS, Reader, topics_of
from .sessions import Closed, Session, Sessions, Subscription

MAX_SUBSCRIPTIONS = 100
SESSION_LENGTH = 17
PING_AFTER_MS = 240_000  # the gateway ends a connection on which nothing was said for ten minutes

type Roots = Callable[[], RootSecrets]
type Later = Callable[[str, int], None]  # pings a connection after so many milliseconds


class Server:
    """The connections of all accounts. `tables` are unscoped."""

    def __init__(self, tables: Tables, connections: Connections, clock: Clock, roots: Roots, later: Later):
        self._tables, self._connections, self._clock, self._roots = tables, connections, clock, roots
        self._ping_later = later
        self.sessions = Sessions(tables, clock)
        self._delivery = Delivery(self.sessions)

    def connect(self, connection_id: str) -> None:
        """Nothing can be said before this has returned, so the server's side begins with the client's `connect`."""
        self.sessions.begin(connection_id)

    def disconnect(self, connection_id: str) -> None:
        """Forget a connection; safe to repeat."""
        session = self.sessions.end(connection_id)
        if session is not None and session.user is not None:
            topics = {topic for each in session.subscriptions.values() for topic in topics_of(each)}
            self.sessions.unwatch(session.account, connection_id, topics)

    def message(self, connection_id: str, text: str, cause: str) -> None:
        """Do what a message asks for, and answer it. `cause` is the message's own. Raises Unavailable, Unreachable."""
        outlet = Outlet(self._connections, connection_id)
        try:
            try:
                message, sent = protocol.received(text)
                if isinstance(message, Pong):
                    return
                with self.sessions.held(connection_id) as session:
                    if not session.open and not isinstance(message, Connect):
                        raise Refused("Must connect first", sent)
                    if session.open and isinstance(message, Connect):
                        raise Refused("Already connected", sent)
                    self._take(session, message, outlet, cause)
            except Refused as refusal:
                outlet.say(refusal.answer if fits(refusal.answer) else {"msg": "error", "reason": str(refusal)})
        except Closed:
            return
        except ConnectionGone:
            self.disconnect(connection_id)

    def ping(self, connection_id: str) -> None:
        """Say something, so that the gateway sees traffic, and again later; until the connection is closed."""
        if not self.sessions.due_for_ping(connection_id):
            return
        try:
            Outlet(self._connections, connection_id).say(protocol.ping())
        except ConnectionGone:
            self.disconnect(connection_id)
        else:
            self._ping_later(connection_id, PING_AFTER_MS)

    def still_in(self, session: Session, outlet: Outlet) -> bool:
        """Whether somebody is logged in; who may no longer be is logged out."""
        if session.user is None:
            return False
        try:
            logins.still_in(self._tables, session.user)
        except (logins.LoggedOut, logins.NotAuthorized):
            self._log_out(session, outlet)
            return False
        return True

    # ---- messages

    def _take(self, session: Session, message: protocol.Received, outlet: Outlet, cause: str) -> None:
        match message:
            case Connect():
                self._open(session, message, outlet)
            case Ping():
                outlet.say(protocol.pong(message.id))
            case Sub():
                self._subscribe(session, message, outlet, cause)
            case Unsub():
                self._unsubscribe(session, message.id, outlet)
            case Call():
                self._call(session, message, outlet, cause)

    def _open(self, session: Session, message: Connect, outlet: Outlet) -> None:
        if message.version is None:
            outlet.say(protocol.failed())
            self._connections.close(session.id)
            return
        session.open = True
        outlet.say(protocol.connected(random_text(SESSION_LENGTH)))
        self._ping_later(session.id, PING_AFTER_MS)

    def _subscribe(self, session: Session, sub: Sub, outlet: Outlet, cause: str) -> None:
        if sub.id in session.subscriptions:
            return
        try:
            if sub.name not in PUBLICATIONS:
                raise DdpError(404, f"Subscription '{sub.name[:100]}' not found")
            if len(session.subscriptions) >= MAX_SUBSCRIPTIONS:
                raise DdpError(
                    413, "TooManySubscriptions", f"A connection has at most {MAX_SUBSCRIPTIONS} subscriptions"
                )
            subscription = Subscription(sub.name, _param(sub))
            self.still_in(session, outlet)
            session.subscriptions[sub.id] = subscription
            self._fill(session, sub.id, outlet)
        except ConnectionGone:
            raise
        except Exception as error:
            if sub.id in session.subscriptions:
                self._end(session, sub.id, outlet)
            outlet.say(protocol.nosub(sub.id, _said(error, cause, sub.name)))
        else:
            outlet.say(protocol.ready([sub.id]))

    def _unsubscribe(self, session: Session, sub_id: str, outlet: Outlet) -> None:
        """Answered for what never was as well: clients wait for it."""
        if sub_id in session.subscriptions:
            self._end(session, sub_id, outlet)
        outlet.say(protocol.nosub(sub_id))

    def _call(self, session: Session, call: Call, outlet: Outlet, cause: str) -> None:
        try:
            value = self._result(session, call, outlet, cause)
        except ConnectionGone:
            raise
        except Exception as error:
            outlet.say(protocol.failure(call.id, _said(error, cause, call.method)))
        else:
            outlet.say(protocol.result(call.id, value))
            if call.method == "login":
                self._refill(session, outlet)
            if isinstance(value, Done) and session.user is not None:
                reader = self._reader(session)
                news = reader.booking(value.booking) if value.booking else reader.room(ROOMS, value.room)
                self._delivery.bring(session, news, outlet)
        outlet.say(protocol.updated([call.id]))

    def _result(self, session: Session, call: Call, outlet: Outlet, cause: str) -> Any:
        at = self._clock()
        match call.method:
            case "login":
                login = accounts.log_in(self._tables, self._roots(), call.params, at)
                if session.user is not None and session.account != login.user.account:
                    self._log_out(session, outlet, forget=False)
                session.user, session.token = login.user, login.token
                return login.answer
            case "logout":
                if session.user is not None:
                    self._log_out(session, outlet)
                return None
            case "registerIntegrationUser":
                return accounts.register_user(self._tables, call.params, at, cause)
            case "registerClientGroup2x":
                user = self._user(session, outlet)
                caller = accounts.caller_of(self._tables, user.account, user.id, at, cause)
                return accounts.register_group(caller, self._roots(), call.params)
        if (method := METHODS.get(call.method)) is None:
            raise DdpError(404, f"Method '{call.method[:100]}' not found")
        user = self._user(session, outlet)
        params = call.params[0] if call.params else None
        if not isinstance(params, dict):
            raise DdpError(400, "Match failed", f"{call.method} takes one object")
        own = self._tables.of(user.account)
        return method(Calling(own=own, clock=self._clock, roots=self._roots(), user=user, cause=cause), params)

    def _user(self, session: Session, outlet: Outlet) -> logins.EvokoUser:
        if not self.still_in(session, outlet) or session.user is None:
            raise DdpError(401, "User is not authorized!")
        return session.user

    # ---- subscriptions

    def _fill(self, session: Session, sub_id: str, outlet: Outlet) -> None:
        """Bring the documents of a subscription, and be told of their changes from before they are read."""
        if session.user is None:
            return
        subscription = session.subscriptions[sub_id]
        if PUBLICATIONS[subscription.name].by_room:
            room = self._room(session.account, subscription.param)
            subscription = session.subscriptions[sub_id] = Subscription(subscription.name, subscription.param, room)
            if not room:
                return
        self.sessions.watch(session, topics_of(subscription))
        self._delivery.bring(session, self._reader(session).of(subscription), outlet)

    def _end(self, session: Session, sub_id: str, outlet: Outlet) -> None:
        gone = session.subscriptions.pop(sub_id)
        left = {topic for each in session.subscriptions.values() for topic in topics_of(each)}
        if session.user is not None:
            self.sessions.unwatch(session.account, session.id, topics_of(gone) - left)
        self._delivery.withdraw(session, PUBLICATIONS[gone.name].collection, outlet)

    def _refill(self, session: Session, outlet: Outlet) -> None:
        """Somebody has logged in: every subscription is theirs from now on."""
        for sub_id in list(session.subscriptions):
            try:
                self._fill(session, sub_id, outlet)
            except DdpError as error:
                self._end(session, sub_id, outlet)
                outlet.say(protocol.nosub(sub_id, error))

    def _log_out(self, session: Session, outlet: Outlet, *, forget: bool = True) -> None:
        """Subscriptions stay and are empty. With `forget` the token of this login opens nothing more."""
        topics = {topic for each in session.subscriptions.values() for topic in topics_of(each)}
        self.sessions.unwatch(session.account, session.id, topics)
        if forget and session.token:
            self._tables.main.delete(keys.row_of(session.token))
        kept = session.subscriptions
        session.user, session.token, session.subscriptions = None, "", {}
        for collection in {PUBLICATIONS[each.name].collection for each in kept.values()}:
            self._delivery.withdraw(session, collection, outlet)
        session.subscriptions = {each: Subscription(sub.name, sub.param) for each, sub in kept.items()}

    def _room(self, account: str, param: str) -> str:
        """The id of the room that a subscription names; empty when there is none."""
        if param.upper() == ALL_ROOMS:
            return ALL
        with suppress(NotFound):
            return Rooms(self._tables.of(account)).named(param).id
        return ""

    def _reader(self, session: Session) -> Reader:
        return Reader(self._tables.of(session.account), self._clock)


def server() -> Server:
    """The panels' server of this deployment."""
    return Server(wiring.tables(), wiring.panels(), wiring.clock, wiring.root_secrets, _ping_later)


def _ping_later(connection_id: str, delay_ms: int) -> None:
    task = {"do": "panelPing", "connection": connection_id}
    wiring.queue("work").send(json.dumps(task), group="panels", delay_ms=delay_ms)


def _said(error: Exception, cause: str, what: str) -> DdpError:
    """What a client is told of something that failed; what nobody expects goes to the log."""
    match error:
        case DdpError():
            return error
        case FingerpostError():
            return DdpError(error.status, str(error))
        case _:
            log_error("unexpected", cause=cause, what=what[:100], exception="".join(traceback.format_exception(error)))
            return DdpError(500, "Internal server error")


def _param(sub: Sub) -> str:
    """Raises DdpError where a room has to be named."""
    if not PUBLICATIONS[sub.name].by_room:
        return ""
    given = sub.params[0] if sub.params else None
    if not isinstance(given, str) or not given:
        raise DdpError(400, "Parameter roomId not specified!")
    return given[:200]
