"""Writers at the same time: what the conditions of the `Table` port promise, on every adapter."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from fingerpost.ports.table import (
    Absent,
    Add,
    ConditionFailed,
    Equals,
    Key,
    Put,
    Set,
    TransactionFailed,
    Update,
)

WRITERS = 6
KEY = Key("race", "s")


def together(work: Callable[[int], object]) -> list[object]:
    """Do `work` in several threads, each with its number; their answers in order."""
    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(work, range(WRITERS)))


def test_additions_are_never_lost(table):
    def add(_):
        for _ in range(10):
            table.update(KEY, (Add("n", 1),))

    together(add)
    assert table.get(KEY, consistent=True) == {"n": WRITERS * 10}


def test_a_counter_guarded_by_its_value_counts_every_success_once(table):
    table.put(KEY, {"n": 0})

    def count(_):
        done = 0
        for _ in range(1000):
            n = table.get(KEY, consistent=True)["n"]
            try:
                table.update(KEY, (Set("n", n + 1),), when=(Equals("n", n),))
            except ConditionFailed as failed:
                assert failed.old["n"] > n
                continue
            done += 1
            if done == 5:
                break
        return done

    assert together(count) == [5] * WRITERS
    assert table.get(KEY, consistent=True) == {"n": WRITERS * 5}


def test_a_unique_claim_has_exactly_one_winner(table):
    def claim(writer):
        won = 0
        for number in range(8):
            try:
                table.put(Key("claim", f"{number}"), {"by": writer}, when=(Absent(),))
            except ConditionFailed as failed:
                assert failed.old["by"] != writer
                continue
            won += 1
        return won

    assert sum(together(claim)) == 8
    assert table.count("claim") == 8


def test_transactions_on_overlapping_rows_are_all_or_nothing(table):
    """Each takes both ends of a bridge, from its own end: one wins, and no half of a loser remains."""

    def take(writer):
        won = []
        for number in range(6):
            ends = [Key("bridge", f"{number}{end}") for end in ("a", "b")]
            if writer % 2:
                ends.reverse()
            try:
                table.transact([Put(end, {"by": writer}, (Absent(),)) for end in ends])
            except TransactionFailed as failed:
                assert any(reason.kind != "none" for reason in failed.reasons)
                continue
            won.append(number)
        return won

    winners = together(take)
    for number in range(6):
        owners = [writer for writer in range(WRITERS) if number in winners[writer]]
        ends = table.query("bridge", low=f"{number}a", high=f"{number}b", consistent=True).rows
        assert len(owners) <= 1
        assert [row.item["by"] for row in ends] == owners * 2


def test_money_moved_by_transactions_is_neither_made_nor_lost(table):
    accounts = [Key("money", f"{number}") for number in range(3)]
    table.put_many([Put(account, {"n": 100}) for account in accounts])

    def move(writer):
        source, target = accounts[writer % 3], accounts[(writer + 1) % 3]
        moved = 0
        for _ in range(5):
            try:
                table.transact([Update(source, (Add("n", -1),)), Update(target, (Add("n", 1),))])
                moved += 1
            except TransactionFailed as failed:
                assert not failed.conditions_only
        return moved

    moved = together(move)
    after = [table.get(account, consistent=True)["n"] for account in accounts]
    assert sum(after) == 300
    out = [moved[number] + moved[number + 3] for number in range(3)]
    assert after == [100 - out[number] + out[number - 1] for number in range(3)]
