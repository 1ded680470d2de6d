"""A link that has had all its scans is marked, however the feed is delivered; one that has not never is."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fingerpost import keys, retry, wiring
from fingerpost.aws.stream import stream_event
from fingerpost.ports.table import Change, Tables, Throttled, Unreachable
from fingerpost.redirection.hits import Hits
from fingerpost.redirection.limits import Limits
from fingerpost.redirection.model import Link, from_item, to_item
from fingerpost.rules.template import Template
from fingerpost.work import perform
from functions.derive import app
from tests.feeds import CRAWLER, DOMAIN, PERSON, Stream, action, faulty, laned
from tests.stores import NOON, Crash, SettableClock, emptied, fresh_tables, hooked, new_account

URL = "https://museum.example/"
_clock = SettableClock()


@pytest.fixture(scope="module")
def store() -> Iterator[Tables]:
    with fresh_tables(_clock) as tables:
        yield tables


def link_of(store: Tables, short_id: str) -> Link:
    item = store.main.get(keys.link(DOMAIN, short_id))
    assert item is not None
    return from_item(DOMAIN, short_id, item)


def put_link(store: Tables, account: str, short_id: str, most: int) -> None:
    link = Link(
        account=account,
        domain=DOMAIN,
        short_id=short_id,
        type="thng",
        evrythng_id="T" * 24,
        url_text=URL,
        url=Template((URL,)),
        created_at=NOON,
        updated_at=NOON,
        limits=Limits(max_scans=most),
    )
    store.main.put(keys.link(DOMAIN, short_id), to_item(link))


def scans(chance: random.Random, account: str, number: int, most: int) -> list[Change]:
    """Visits of three links, robots among them, each saying that its link has a limit."""
    agents = [PERSON, PERSON, CRAWLER]
    return [
        action(account, NOON + chance.randrange(4_000), chance.choice("AAABC"), max=most, ua=chance.choice(agents))
        for _ in range(number)
    ]


@dataclass
class WorkQueue:
    """Takes messages, refuses some, and takes some whose sender never hears so."""

    chance: random.Random
    messages: list[str] = field(default_factory=list)

    def send(self, body: str, **_named: Any) -> None:
        luck = self.chance.random()
        if luck > 0.1:
            self.messages.append(body)
        if luck < 0.2:
            raise OSError("the queue does not answer")


def unreliable(chance: random.Random) -> Callable[..., Any]:
    """As a faulty log is; and updates of links that are refused, or whose answer is lost."""
    faults = faulty(chance)

    def misbehave(name: str, method: Callable[..., Any], args: Sequence[Any]) -> Any:
        if name == "update" and (luck := chance.random()) < 0.3:
            if luck < 0.15:
                method(*args)
                raise Unreachable
            raise Throttled
        return faults(name, method, args)

    return misbehave


def work_through(chance: random.Random, store: Tables, queue: WorkQueue) -> None:
    """Each message until it is done, some once more after that, in any order."""
    while queue.messages:
        body = queue.messages.pop(chance.randrange(len(queue.messages)))
        try:
            perform(json.loads(body), hooked(store, unreliable(chance)), queue, NOON)  # type: ignore[arg-type]
        except (Crash, Throttled, Unreachable):
            queue.messages.append(body)
            continue
        if chance.random() < 0.2:
            queue.messages.append(body)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(1, 60), st.integers(1, 20))
def test_a_link_is_marked_exactly_when_its_hits_reach_its_limit(store, monkeypatch, seed, lanes, number, most):
    chance, account = random.Random(seed), new_account()
    emptied(store)
    for short_id in "ABC":
        put_link(store, account, short_id, most)
    changes = scans(chance, account, number, most)
    queue = WorkQueue(chance)
    monkeypatch.setattr(retry.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(wiring, "queue", lambda _name: queue)

    def deliver(batch: Sequence[Change]) -> list[str]:
        monkeypatch.setattr(wiring, "tables", lambda: hooked(store, unreliable(chance)))
        answer: Any = app.handler(stream_event(batch))
        if chance.random() < 0.3:
            work_through(chance, store, queue)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    waiting = Stream(chance, deliver)
    waiting.run(laned(changes, lanes))
    while waiting.parked:  # an operator replays what was given up on
        again = Stream(chance, deliver)
        again.run([waiting.parked])
        waiting = again
    work_through(chance, store, queue)
    hits = {short_id: Hits(store.of(account)).total(DOMAIN, short_id) for short_id in "ABC"}
    assert sum(hits.values()) == sum(change.new is not None and change.new["ua"] == PERSON for change in changes)
    assert {each: link_of(store, each).exhausted_at is not None for each in "ABC"} == {
        each: hits[each] >= most for each in "ABC"
    }
    marked = {each: link_of(store, each) for each in "ABC"}
    monkeypatch.setattr(wiring, "tables", lambda: store)
    for change in chance.sample(changes, len(changes)):  # and replays more than there was need for
        while app.handler(stream_event([change])) != {"batchItemFailures": []}:
            pass
    work_through(chance, store, queue)
    assert {each: link_of(store, each) for each in "ABC"} == marked
