"""What is sent to a connection: messages one after the other, documents side by side."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from ...ports.connections import MAX_MESSAGE_BYTES, Connections
from . import protocol
from .merging import Document, Sent, difference
from .protocol import DdpError, Message
from .publications import News, covered
from .sessions import LANES, Session, Sessions, lane_of

SIDE_BY_SIDE = 8
MAX_DOCUMENTS = 10_000  # of a collection, on one connection


class Outlet:
    """Writes to one connection. Raises ConnectionGone, Unreachable."""

    def __init__(self, connections: Connections, connection_id: str):
        self._connections, self._id = connections, connection_id

    def say(self, *messages: Message) -> None:
        for each in messages:
            self._connections.send(self._id, protocol.text_of(each))

    def say_in_any_order(self, messages: Sequence[Message]) -> None:
        """All of them have been sent when this returns."""
        if len(messages) <= SIDE_BY_SIDE:
            return self.say(*messages)
        with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="panel") as pool:
            for _ in pool.map(self.say, messages):
                pass
        return None


class Delivery:
    """Brings connections to have the documents that they should."""

    def __init__(self, sessions: Sessions):
        self._sessions = sessions

    def bring(self, session: Session, news: News, outlet: Outlet) -> None:
        """Tell a connection, which is held, what its subscriptions cover of the news.

        Raises ConnectionGone, Unreachable; DdpError for more documents than a connection may have.
        """
        wanted = {
            each: document
            for each, document in news.documents.items()
            if covered(session, news.collection, document.room)
        }
        lanes = [lane_of(news.only)] if news.only else range(LANES)
        before = self._sessions.has(session.id, news.collection, lanes)
        messages: list[Message] = []
        changed: dict[int, Mapping[str, Sent]] = {}
        had = have = 0
        for lane, has in before.items():
            here = {each: document for each, document in wanted.items() if lane_of(each) == lane}
            scope = here.keys() | {each for each, sent in has.items() if news.replaces(each, sent.room)}
            more, after = difference(news.collection, has, here, scope)
            had, have = had + len(has), have + len(after)
            if more:
                messages += more
                changed[lane] = after
        if have > max(had, MAX_DOCUMENTS):
            raise DdpError(
                413, "TooManyDocuments", f"A connection has at most {MAX_DOCUMENTS:,} {news.collection}; name a room"
            )
        outlet.say_in_any_order(messages)
        self._sessions.keep(session, news.collection, changed)

    def withdraw(self, session: Session, collection: str, outlet: Outlet) -> None:
        """Take away what no subscription covers any more."""
        nothing: dict[str, Document] = {}
        gone = News(collection, nothing, lambda _id, room: not covered(session, collection, room))
        self.bring(session, gone, outlet)


def fits(message: Message) -> bool:
    """Whether the gateway carries it."""
    return len(protocol.text_of(message).encode(errors="surrogatepass")) <= MAX_MESSAGE_BYTES
