"""Hits stay exact however the change feed is delivered, and however the log behind them fails."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fingerpost import keys, retry, wiring
from fingerpost.actions.folding import fold
from fingerpost.actions.model import ACTION, indexed_document
from fingerpost.actions.sums import facts_in, sums_of
from fingerpost.actions.visits import (
    MARKS_A_ROW,
    MAX_CHUNK_VISITS,
    MAX_CHUNK_WRITES,
    chunks,
    visits_newest_first,
    visits_of,
)
from fingerpost.aws.stream import stream_event
from fingerpost.clock import DAY_MS
from fingerpost.insight.periods import expanded as expanded_day
from fingerpost.insight.statistics import Found, find, question
from fingerpost.packed import expanded, rest_of
from fingerpost.ports.table import (
    LAST,
    Change,
    Key,
    Reason,
    Tables,
    Throttled,
    TransactionFailed,
    Uncertain,
)
from fingerpost.redirection.hits import Hits
from fingerpost.resources import index_rows
from fingerpost.shapes import stamp
from functions.derive import app
from tests.feeds import (
    CRAWLER,
    DOMAIN,
    PREVIEW,
    Named,
    Stream,
    action,
    expected_sums,
    expected_visitors,
    faulty,
    laned,
    removed,
    traffic,
)
from tests.stores import NOON, Crash, SettableClock, caller_of, emptied, fresh_tables, hooked, new_account, rows_of

_clock = SettableClock()


@pytest.fixture(scope="module")
def store() -> Iterator[Tables]:
    with fresh_tables(_clock) as tables:
        yield tables


@pytest.fixture
def log(store: Tables, monkeypatch: pytest.MonkeyPatch) -> "Log":
    _clock.now = NOON
    log = Log(emptied(store))
    monkeypatch.setattr(retry.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(wiring, "tables", lambda: log.tables)
    monkeypatch.setattr("fingerpost.actions.derive.FOLD_ONE_IN", 3)  # so that sums are moved amid all of it
    return log


@dataclass
class Log:
    """The store as the function under test finds it: `misbehave` may be set at any time."""

    store: Tables
    misbehave: Callable[..., Any] = lambda _name, method, args: method(*args)

    @property
    def tables(self) -> Tables:
        return hooked(self.store, self.misbehave)


def deliver(changes: Sequence[Change]) -> list[str]:
    """Call the function with a batch; the sequence numbers it wants again."""
    answer: Any = app.handler(stream_event(changes))
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


# What must be true in the end


def stored_sums(log: Log) -> dict[Named, Counter[str]]:
    """The same from the rows of sums, and from what waits to be moved into them."""
    sums: dict[Named, Counter[str]] = defaultdict(Counter)
    for row in log.store.log.walk():
        account, kind, *rest = row.key.pk.split("#")
        if kind == "h":
            name = "*" if rest[0] == "*" else "/".join(rest)
            day = row.key.sk.split("#")[1] if row.key.sk != "sum" else ""
            sums[account, name, day].update(row.item["sums"])
        elif kind == "q" and row.item["k"] == "waiting":
            for fact, number in facts_in(row.item).items():
                sums[account, fact.link, ""][fact.counts] += number
                sums[account, fact.link, fact.day].update(sums_of({fact: number}))
                sums[account, "*", fact.day].update(sums_of({fact: number}, account=True))
    return dict(sums)


def shown_sums(log: Log, names: Iterable[Named]) -> dict[Named, Counter[str]]:
    """What readers are told of days, all kinds together."""
    return {name: _found(log, name).sums for name in names if name[2]}


def shown_visitors(log: Log, names: Iterable[Named]) -> dict[Named, int | None]:
    """By those days that had hits."""
    found = {name: _found(log, name).visitors for name in names if name[2]}
    return {name: visitors for name, days in found.items() for visitors in days.values()}


def _found(log: Log, name: Named) -> Found:
    account, link, day = name
    query = {"from": expanded_day(day), "to": expanded_day(day)}
    caller = caller_of(log.store, account, _clock.now)
    return find(caller, question(caller, query, [], None if link == "*" else link))


def index_of(change: Change) -> set[Key]:
    account, _, action_id = change.key.pk.split("#")
    rows = index_rows(ACTION, action_id, indexed_document(dict(change.new or change.old or {})))
    return {listed_at(keys.owned(account, row)) for row in rows}


def id_of(change: Change) -> str:
    return change.key.pk.split("#")[2]


def listed_at(key: Key) -> Key:
    """An index row's key without the shard it is in: a page may be in another than the rows it stands for."""
    return Key(key.pk.rpartition("#")[0], key.sk) if "#x#" in key.pk else key


def entries_of(log: Log) -> list[Key]:
    """All index rows and visits, alone or out of pages, as often as they are there."""
    rows = (row for row in log.store.log.walk() if row.key.pk.split("#")[1] in "xv")
    return [listed_at(each.key) for row in rows for each in expanded(row)]


def assert_exact(log: Log, changes: Sequence[Change], *, replayed: frozenset[Key] = frozenset()) -> None:
    """`replayed`: actions whose records did not come in order; rows of a removed one may be left, and lead nowhere."""
    wanted, seen = expected_sums(changes), expected_visitors(changes)
    assert stored_sums(log) == wanted
    assert shown_sums(log, wanted) == {name: sums for name, sums in wanted.items() if name[2]}
    for _ in range(2):  # counted, and as it was found before
        if not (replayed and any(change.new is None for change in changes)):
            assert shown_visitors(log, wanted) == seen
    for (account, link, day), sums in wanted.items():
        if not day:
            domain, _, short_id = link.partition("/")
            assert Hits(log.store.of(account)).total(domain, short_id) == sums["n"]
    rows = set(entries_of(log))
    gone = {change.key for change in changes if change.new is None}
    for change in changes:
        if change.key not in gone:
            assert index_of(change) <= rows, "an action is missing from a list"
        elif change.key not in replayed:
            assert not index_of(change) & rows, "a deleted action is listed"
    visits = {key.sk for key in rows if "#v#" in key.pk}
    recorded = {id_of(change) for change in changes if change.new and "link" in change.new}
    erased = {id_of(change) for change in changes if change.key in gone}
    assert recorded - erased <= visits <= recorded - (set() if replayed else erased)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 80), st.integers(0, 3))
def test_hits_are_exact_however_the_feed_is_delivered(log, seed, lanes, number, poisoned):
    chance = random.Random(seed)
    emptied(log.store)
    changes = traffic(chance, [new_account(), new_account()], number)
    poison = frozenset(change.key.pk.split("#")[2] for change in chance.sample(changes, min(poisoned, len(changes))))
    log.misbehave = faulty(chance, poison)
    stream = Stream(chance, deliver)
    stream.run(laned(changes, lanes))
    parked = stream.parked
    _clock.now = NOON + 14 * DAY_MS  # as late as a dead-letter queue allows
    log.misbehave = faulty(chance)
    for _ in range(20):  # what poisoned them is fixed
        chance.shuffle(parked)
        again = Stream(chance, deliver)
        again.run([parked])
        late, parked = parked, again.parked
        for change in late:
            log.misbehave = faulty(chance)
            again.run([[change]])
    assert parked == []
    for change in chance.sample(changes, len(changes) // 4):  # operators replay more than they have to
        log.misbehave = lambda _name, method, args: method(*args)
        assert deliver([change]) == []
    log.misbehave = lambda _name, method, args: method(*args)
    assert_exact(log, changes, replayed=frozenset(change.key for change in changes))
    for account, lane in {(change.key.pk.partition("#")[0], lane) for change in changes for lane in range(4)}:
        while fold(log.store.log, account, lane):
            pass
    assert not [row for row in log.store.log.walk() if row.item["k"] == "waiting"]
    assert_exact(log, changes, replayed=frozenset(change.key for change in changes))
    _clock.now = NOON


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(1, 60))
def test_nothing_is_left_of_deleted_actions_when_records_come_in_their_order(log, seed, number):
    chance = random.Random(seed)
    emptied(log.store)
    changes = traffic(chance, [new_account()], number)
    log.misbehave = faulty(chance)
    Stream(chance, patient).run(laned(changes, 2))
    assert_exact(log, changes)


def patient(changes: Sequence[Change]) -> list[str]:
    """A batch delivered until all of it is taken, so that nothing is ever parked."""
    for _ in range(1_000):
        try:
            if not (failed := deliver(changes)):
                return []
        except Crash:
            continue
        changes = changes[min(n for n, each in enumerate(changes) if each.sequence in failed) :]
    pytest.fail("it is never taken")


def test_invocations_at_once_with_the_same_records_count_each_once(log):
    account = new_account()
    changes = [action(account, link=link) for link in "ABC" * 40]

    def misbehave(name: str, method: Callable[..., Any], args: Sequence[Any]) -> Any:
        if name == "transact" and random.random() < 0.2:
            raise TransactionFailed([Reason("conflict") for _ in args[0]])
        return method(*args)

    log.misbehave = misbehave

    def reader(seed: int) -> None:
        chance = random.Random(seed)
        for start in range(0, len(changes), 30):
            batch = changes[start : start + 30]
            chance.shuffle(batch)
            for _ in range(100):
                failed = deliver(batch)
                batch = [each for each in batch if each.sequence in failed]
            assert batch == []

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(reader, range(4)))
    assert_exact(log, changes)


# Single cases


def test_a_visit_that_nobody_looked_at_is_recorded_and_marked_and_never_counted(log):
    account = new_account()
    unseen = [
        action(account, mark="head"),
        action(account, mark="prefetch"),
        action(account, ua=CRAWLER),
        action(account, ua=PREVIEW),
    ]
    seen = action(account, country="IE", rules=2, rule=1)
    assert deliver([*unseen, seen]) == []
    assert Hits(log.store.of(account)).total(DOMAIN, "AAAA") == 1
    visits = list(visits_newest_first(log.store.of(account).log, DOMAIN, "AAAA"))
    assert [row.item["counts"] for row in visits].count(False) == 4
    (counted,) = [row.item for row in visits if row.item["counts"]]
    assert {"rule": 1, "rules": 2, "country": "IE", "url": "https://museum.example/"}.items() <= counted.items()
    assert_exact(log, [*unseen, seen])


def test_an_action_without_a_link_is_listed_and_counts_for_no_link(log):
    account = new_account()
    change = action(account, link="", more='{"tags": ["a"], "identifiers": {"k": 1}}', thng="T" * 24)
    assert deliver([change]) == []
    assert {f"{account}#x#*#action#tags=a#{n}" for n in range(4)} & {key.pk for key in rows_of(log.store.log)}
    assert_exact(log, [change])


def test_a_deleted_action_leaves_the_lists_and_its_hit_stays(log):
    account = new_account()
    kept, gone = action(account), action(account)
    assert deliver([kept, gone, removed(gone)]) == []
    assert Hits(log.store.of(account)).total(DOMAIN, "AAAA") == 2
    assert_exact(log, [kept, gone, removed(gone)])
    assert deliver([removed(gone)]) == []
    assert_exact(log, [kept, gone, removed(gone)])


def test_a_record_that_comes_twice_in_one_batch_counts_once(log):
    change = action(new_account())
    assert deliver([change, change]) == []
    assert_exact(log, [change])


def test_a_record_that_nothing_can_be_done_with_fails_alone(log):
    account = new_account()
    changes = [action(account, link=f"L{n % 5}") for n in range(60)]
    bad = [changes[7], changes[41]]
    poison = [rest_of(change.key.pk.split("#")[2]) for change in bad]

    def misbehave(name: str, method: Callable[..., Any], args: Sequence[Any]) -> Any:
        if name == "transact" and any(each in repr(args) for each in poison):
            raise ValueError("nothing can be done with this")
        return method(*args)

    log.misbehave = misbehave
    assert sorted(deliver(changes)) == sorted(change.sequence for change in bad)
    assert stored_sums(log) == expected_sums([change for change in changes if change not in bad])
    log.misbehave = lambda _name, method, args: method(*args)
    assert deliver(bad) == []
    assert_exact(log, changes)


def test_a_transaction_refused_for_one_record_is_done_without_it(log):
    account = new_account()
    changes = [action(account) for _ in range(10)]
    poison = rest_of(changes[3].key.pk.split("#")[2])

    def misbehave(name: str, method: Callable[..., Any], args: Sequence[Any]) -> Any:
        if name == "transact" and poison in repr(args):
            raise TransactionFailed([Reason("other" if poison in repr(write) else "none") for write in args[0]])
        return method(*args)

    log.misbehave = misbehave
    assert deliver(changes) == [changes[3].sequence]
    assert stored_sums(log) == expected_sums([change for change in changes if change is not changes[3]])


@pytest.mark.parametrize(
    "broken", [{"link": 5}, {"ts": "yesterday"}, {"ts": 10**30}, {"ua": 7}, {"sv": 99}, {"more": "{"}, {"type": 5.5}]
)
def test_a_malformed_record_holds_back_no_other(log, broken):
    account = new_account()
    before, after = action(account), action(account)
    bad = action(account, **broken) if "link" not in broken else action(account, link="")
    if "link" in broken:
        assert bad.new is not None
        bad.new["link"] = broken["link"]
    failed = deliver([before, bad, after])
    assert failed in ([], [bad.sequence])
    assert Hits(log.store.of(account)).total(DOMAIN, "AAAA") == 2 + (failed == [])
    assert index_of(before) | index_of(after) <= set(entries_of(log))


def test_one_tenants_throttling_holds_back_nobody_else(log):
    hot, other = new_account(), new_account()
    changes = [action(account) for _ in range(5) for account in (hot, other)]

    def misbehave(name: str, method: Callable[..., Any], args: Sequence[Any]) -> Any:
        if name == "put_many" and args[0][0].key.pk.startswith(f"{hot}#"):
            raise Throttled
        return method(*args)

    log.misbehave = misbehave
    assert sorted(deliver(changes)) == sorted(change.sequence for change in changes[::2])
    assert_exact(log, changes[1::2])


def test_an_answer_that_is_lost_is_asked_for_again_and_counts_nothing_twice(log):
    change = action(new_account())

    def loses(name: str, method: Callable[..., Any], args: Sequence[Any]) -> Any:
        answer = method(*args)
        if name == "transact":
            raise Uncertain
        return answer

    log.misbehave = loses
    assert deliver([change]) == [change.sequence]
    assert deliver([change]) == []
    assert_exact(log, [change])


def test_a_changed_or_unchanged_row_is_no_new_action(log):
    change = action(new_account())
    touched = Change(sequence="1", key=change.key, old=change.new, new=change.new)
    other = Change(sequence="2", key=Key("A#t#U1", "doc"), old=None, new={**stamp("thng"), "v": 1, "doc": "{}"})
    assert deliver([touched, other]) == []
    assert rows_of(log.store.log) == set()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 60), st.integers(0, 2)), max_size=150))
def test_no_chunk_is_larger_than_a_transaction_can_be(visits):
    records = [action(account, NOON + day * DAY_MS, f"L{link}") for account, link, day in visits]
    made = chunks([visit for record in records for visit in visits_of(record)])
    assert sum(len(chunk) for chunk in made) == len(records)
    for chunk in made:
        lanes = {(visit.account, visit.lane) for visit in chunk}
        assert len(chunk) <= MAX_CHUNK_VISITS
        marks = Counter(visit.marks for visit in chunk)
        rows = sum(-(-number // MARKS_A_ROW) + 1 for number in marks.values())
        assert rows + len(lanes) <= MAX_CHUNK_WRITES


def test_a_visit_row_outlives_every_replay_and_not_its_year(log):
    account = new_account()
    deliver([action(account)])
    _clock.now = NOON + 30 * DAY_MS
    assert log.store.log.count(f"{account}#v#{DOMAIN}#AAAA", high=LAST) == 1
    _clock.now = NOON + 401 * DAY_MS
    assert log.store.log.count(f"{account}#v#{DOMAIN}#AAAA", high=LAST) == 0
    _clock.now = NOON
