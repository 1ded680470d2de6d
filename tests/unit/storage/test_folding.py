"""What waits is moved into the sums; nothing is lost, doubled or seen in two places: by many at once, torn, crashed."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fingerpost import keys
from fingerpost.actions import folding
from fingerpost.actions.folding import fold, waiting_put
from fingerpost.actions.sums import Fact, rows_of_days, settled, sums_of, total_in
from fingerpost.clock import DAY_MS
from fingerpost.ports.table import MAX_TRANSACTION_WRITES, Table, Tables, TransactionFailed, Unreachable, item_size
from fingerpost.redirection.hits import Hits
from tests.stores import NOON, Crash, crashing, emptied, hooked, interleavings, new_account

DOMAIN = "tn.example"
DAYS = ("20260314", "20260315")


def links_of(lane: int, number: int) -> list[str]:
    """So many links of one lane."""
    found: list[str] = []
    n = 0
    while len(found) < number:
        if keys.count_lane(DOMAIN, f"L{n}") == lane:
            found.append(f"{DOMAIN}/L{n}")
        n += 1
    return found


LANE = 2
LINK, OTHER_LINK = links_of(LANE, 2)


def hit(link: str = LINK, day: str = DAYS[0], **more: Any) -> Fact:
    base = Fact(link=link, day=day, kept=0, counts="n", hour="12", rule="3.1")
    return base._replace(**more)


def let_wait(log: Table, account: str, facts: Counter[Fact]) -> None:
    put = waiting_put(account, LANE, facts)
    log.put(put.key, put.item, when=put.when)


def fold_all(log: Table, account: str) -> None:
    while fold(log, account, LANE):
        pass


def sums_in(store: Tables, account: str, partition: str) -> Counter[str]:
    """The sums of all days that are in rows."""
    found: Counter[str] = Counter()
    for _, sums in rows_of_days(store.of(account).log, partition, "00000000", "99999999"):
        found.update(sums)
    return found


def waiting(log: Table) -> int:
    return sum(row.item["k"] == "waiting" for row in log.walk())


def total(store: Tables, account: str, link: str = LINK) -> int:
    return Hits(store.of(account)).total(*link.split("/"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(1, 120))
def test_whatever_is_moved_when_the_sums_are_the_same(store, seed, rows, links):
    chance = random.Random(seed)
    account, log = new_account(), emptied(store).log
    everything: Counter[Fact] = Counter()
    names = links_of(LANE, links)
    for _ in range(rows):
        facts = Counter(
            hit(chance.choice(names), chance.choice(DAYS), city=chance.choice(["Cork", "Leeds", ""]))
            if chance.random() < 0.9
            else Fact(link=chance.choice(names), day=DAYS[0], kept=0, counts="robots")
            for _ in range(chance.randrange(1, 40))
        )
        let_wait(log, account, facts)
        everything.update(facts)
        if chance.random() < 0.2:
            fold(log, account, LANE)
    for _ in range(2):
        assert {name: total(store, account, name) for name in names} == {
            name: sum(n for fact, n in everything.items() if fact.link == name and fact.counts == "n") for name in names
        }
        fold_all(log, account)
    assert waiting(log) == 0
    assert sums_in(store, account, keys.account_hits(LANE)) == sums_of(everything, account=True)
    for name in names:
        own = Counter({fact: n for fact, n in everything.items() if fact.link == name})
        assert sums_in(store, account, keys.hits(*name.split("/"))) == sums_of(own)


def test_two_who_move_at_once_move_once_and_nobody_sees_less_or_more(store, turns):
    for order in interleavings(4, 4):
        account, log = new_account(), emptied(store).log
        for number in range(3):
            let_wait(log, account, Counter({hit(): number + 1}))
        futures = turns.run(
            [lambda n=n, account=account: fold(turns.tables(store, n).log, account, LANE) for n in range(2)],
            order,
            check=lambda account=account: assert_total(store, account, 6),
        )
        answers = [future.exception() or future.result() for future in futures]
        assert sum(answer is False for answer in answers) >= 1
        assert all(answer is False or isinstance(answer, TransactionFailed) for answer in answers)
        assert total_in(store.of(account).log, *LINK.split("/"))["n"] == 6


def assert_total(store: Tables, account: str, number: int) -> None:
    assert total(store, account) == number


def test_who_reads_while_it_is_moved_sees_all_of_it_once(store, turns):
    for order in interleavings(4, 5):
        account, log = new_account(), emptied(store).log
        let_wait(log, account, Counter({hit(): 2, hit(city="Cork"): 3}))
        futures = turns.run(
            [
                lambda account=account: fold(turns.tables(store, 0).log, account, LANE),
                lambda account=account: total(turns.tables(store, 1), account),
            ],
            order,
        )
        assert [future.result() for future in futures] == [False, 5]


def test_who_can_never_read_undisturbed_says_so(store, monkeypatch):
    account, log = new_account(), emptied(store).log

    def read() -> int:
        let_wait(log, account, Counter({hit(): 1}))
        fold(log, account, LANE)
        return 0

    with pytest.raises(Unreachable):
        settled(store.of(account).log, [LANE], read)


@pytest.mark.parametrize("after", range(5))
def test_a_crash_while_it_is_moved_loses_and_doubles_nothing(store, after):
    account, log = new_account(), emptied(store).log
    let_wait(log, account, Counter({hit(): 2, hit(OTHER_LINK): 1}))
    try:
        fold(hooked(store, crashing(after)).log, account, LANE)
    except Crash:
        assert waiting(log) == 1
    assert (total(store, account), total(store, account, OTHER_LINK)) == (2, 1)
    fold_all(log, account)
    assert (total(store, account), total(store, account, OTHER_LINK)) == (2, 1)


def test_many_who_count_and_move_at_once_lose_nothing(store):
    account, log = new_account(), emptied(store).log

    def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(40):
            let_wait(log, account, Counter({hit(chance.choice([LINK, OTHER_LINK])): 1}))
            if chance.random() < 0.3:
                try:
                    fold(log, account, LANE)
                except TransactionFailed:
                    continue  # it was somebody else's turn

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert total(store, account) + total(store, account, OTHER_LINK) == 160
    fold_all(log, account)
    assert sums_in(store, account, keys.account_hits(LANE))["n"] == 160


def test_more_links_than_one_transaction_writes_are_moved_those_with_most_first(store):
    account, log = new_account(), emptied(store).log
    names = links_of(LANE, 130)
    sizes: list[int] = []

    def watching(name: str, method: Callable[..., Any], args: Sequence[Any]) -> Any:
        if name == "transact":
            sizes.append(len(args[0]))
        return method(*args)

    let_wait(log, account, Counter({hit(name): number + 1 for number, name in enumerate(names)}))
    watched = hooked(store, watching).log
    assert fold(watched, account, LANE)
    moved = [total_in(store.of(account).log, *name.split("/"))["n"] > 0 for name in names]
    assert moved == sorted(moved)
    assert moved[-1]
    assert waiting(log) == 1
    fold_all(watched, account)
    assert max(sizes) <= MAX_TRANSACTION_WRITES
    assert [total(store, account, name) for name in names] == list(range(1, 131))


def test_a_row_stays_small_and_thousands_of_values_go_to_slices(store):
    account, log = new_account(), emptied(store).log
    everything: Counter[Fact] = Counter()
    for start in range(0, 3_000, 300):
        facts = Counter({hit(city=f"City {n}", country="IE"): 1 + n % 3 for n in range(start, start + 300)})
        let_wait(log, account, facts)
        everything.update(facts)
        fold_all(log, account)
    let_wait(log, account, everything)  # each value once more
    fold_all(log, account)
    twice = Counter({fact: 2 * number for fact, number in everything.items()})
    partition = keys.hits(*LINK.split("/"))
    assert sums_in(store, account, partition) == sums_of(twice)
    sizes = {row.key.sk: item_size(row.key, row.item) for row in log.walk() if row.key.pk == f"{account}#{partition}"}
    assert sizes.pop("sum") < 200
    assert sizes.pop("day#20260314") < 4_000
    assert sorted(sizes) == [f"day#20260314#y{n}" for n in range(4)]
    assert max(sizes.values()) < 20_000


def test_past_its_bound_a_slice_sums_new_values_as_others_and_known_ones_go_on(store, monkeypatch):
    monkeypatch.setattr(folding, "FIRST_ROW_BYTES", 0)
    monkeypatch.setattr(folding, "SLICE_BYTES", 200)
    account, log = new_account(), emptied(store).log
    for _ in range(2):
        let_wait(log, account, Counter({hit(city=f"City {n}"): 1 for n in range(300)}))
        fold_all(log, account)
    sums = sums_in(store, account, keys.hits(*LINK.split("/")))
    cities = {name: number for name, number in sums.items() if name.startswith("y:")}
    assert sum(cities.values()) == sums["n"] == 600
    assert cities.pop("y:\N{HORIZONTAL ELLIPSIS}") > 400
    assert set(cities.values()) == {2}


def test_sums_of_a_day_expire_with_it_where_the_account_says_so_and_those_of_all_time_stay(store, clock):
    account, log = new_account(), emptied(store).log
    let_wait(log, account, Counter({hit(kept=30): 1, hit(day=DAYS[1], kept=0): 1}))
    fold_all(log, account)
    partition = keys.hits(*LINK.split("/"))
    clock.now = NOON - NOON % DAY_MS + 30 * DAY_MS - 1
    assert sums_in(store, account, partition)["n"] == 2
    clock.now += 1
    assert sums_in(store, account, partition)["n"] == 1
    assert total(store, account) == 2
