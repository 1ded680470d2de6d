"""Connections as rows, on both engines: one thing at a time happens to each, and nothing of it is lost."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from fingerpost.errors import Unavailable
from fingerpost.rooms.evoko import sessions as module
from fingerpost.rooms.evoko.merging import Document, Sent, sent_of
from fingerpost.rooms.evoko.sessions import HOLD_MS, LANES, Closed, Session, Sessions, Subscription, lane_of
from fingerpost.rooms.logins import EvokoUser
from tests.ports.conftest import adapter, clock, empty_tables, engine, folder, tables  # noqa: F401
from tests.stores import SettableClock

USER = EvokoUser(account="A", id="U1", kind="integration", username="device1", name="device1", group="U2")
FIKA = sent_of(Document("room", {"name": "Fika", "seats": 4}))


@pytest.fixture
def standing(clock) -> SettableClock:  # noqa: F811
    return SettableClock(clock.now)


@pytest.fixture
def sessions(tables, standing) -> Sessions:  # noqa: F811
    made = Sessions(tables, standing)
    made.begin("c1")
    return made


def test_what_is_made_of_a_connection_while_it_is_held_is_kept(sessions: Sessions):
    with sessions.held("c1") as session:
        assert (session.open, session.user, session.subscriptions) == (False, None, {})
        session.open, session.user, session.token = True, USER, "roomKey#5e"
        session.subscriptions["s"] = Subscription("allRooms", "ALL", "*")
    with sessions.held("c1") as again:
        assert (again.open, again.user, again.token, again.account) == (True, USER, "roomKey#5e", "A")
        assert again.subscriptions == {"s": Subscription("allRooms", "ALL", "*")}


def test_what_failed_leaves_a_connection_as_it_was_and_free(sessions: Sessions):
    with pytest.raises(ZeroDivisionError), sessions.held("c1") as session:
        session.open = True
        raise ZeroDivisionError
    with sessions.held("c1") as session:
        assert session.open is False


def test_of_many_who_work_on_a_connection_at_once_nobody_undoes_what_another_did(sessions: Sessions):
    def subscribe(number: int) -> None:
        with sessions.held("c1") as session:
            session.subscriptions[f"s{number}"] = Subscription("users", "")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(subscribe, range(16)))
    with sessions.held("c1") as session:
        assert len(session.subscriptions) == 16


def test_who_waits_in_vain_is_told_and_a_holder_that_died_holds_for_its_time_only(
    sessions: Sessions, standing: SettableClock, monkeypatch
):
    monkeypatch.setattr(module, "PATIENCE", 2)
    with sessions.held("c1") as session:
        with pytest.raises(Unavailable), sessions.held("c1"):
            pass
        standing.now += HOLD_MS
        with sessions.held("c1") as taken:
            taken.open = True
        session.user = USER  # too late: it is not the holder any more
    with sessions.held("c1") as session:
        assert (session.open, session.user) == (True, None)


def test_a_connection_that_is_closed_is_not_brought_back(sessions: Sessions):
    held, closed = Event(), Event()

    def work() -> None:
        with sessions.held("c1") as session:
            session.open = True
            held.set()
            assert closed.wait(30)

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        assert held.wait(30)
        assert sessions.end("c1") is not None
        closed.set()
        working.result()
    assert sessions.end("c1") is None
    with pytest.raises(Closed), sessions.held("c1"):
        pass


def test_documents_are_kept_by_lane_and_end_with_their_connection(sessions: Sessions):
    with sessions.held("c1") as session:
        sessions.keep(session, "rooms", {3: {"x": FIKA}, 15: {"y": FIKA, "z": FIKA}})
        sessions.keep(session, "bookings", {3: {"b": FIKA}})
    has = sessions.has("c1", "rooms", range(LANES))
    assert has.keys() == set(range(LANES))
    assert (has[3], has[15], has[0]) == ({"x": FIKA}, {"y": FIKA, "z": FIKA}, {})
    assert isinstance(has[3]["x"], Sent)
    assert sessions.has("c1", "bookings", [3]) == {3: {"b": FIKA}}
    sessions.end("c1")
    assert sessions.has("c1", "rooms", [3]) == {3: {}}


def test_all_occurrences_of_a_series_lie_in_one_lane():
    assert len({lane_of("U2DTQ8000spE1YfR3pChrdbd" + each) for each in ("", "_20260302T090000Z", "_1")}) == 1


def test_watchers_are_an_account_s_own_and_listed_page_by_page(sessions: Sessions):
    for number in range(5):
        session = Session(f"c{number}", ends=10**14, user=USER)
        sessions.watch(session, ["*", "room"])
    found, after = sessions.watchers("A", "*", after=None, limit=3)
    more, end = sessions.watchers("A", "*", after=after, limit=3)
    assert ([*found, *more], end) == ([f"c{number}" for number in range(5)], None)
    assert sessions.watchers("B", "*", after=None, limit=3) == ([], None)
    sessions.unwatch("A", "c0", ["*", "other"])
    assert sessions.watchers("A", "*", after=None, limit=1)[0] == ["c1"]
    assert sessions.watchers("A", "room", after=None, limit=1)[0] == ["c0"]


def test_a_connection_is_pinged_by_one_task_at_a_time(sessions: Sessions, standing: SettableClock):
    assert [sessions.due_for_ping("c1") for _ in range(2)] == [True, False]
    standing.now += module.PING_EVERY_MS
    assert [sessions.due_for_ping(each) for each in ("c1", "c1", "gone")] == [True, False, False]


def test_everything_ends_soon_after_a_connection_can_last(sessions: Sessions, clock):  # noqa: F811
    clock.now += module.LONGEST_MS + 1_000
    with pytest.raises(Closed), sessions.held("c1"):
        pass
