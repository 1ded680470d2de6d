"""Any sequence of operations, compared with a dictionary, on every adapter."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from fingerpost.ports.table import (
    LAST,
    Absent,
    AbsentOrBelow,
    Add,
    AtMost,
    Check,
    Condition,
    ConditionFailed,
    Delete,
    Equals,
    Item,
    Key,
    Present,
    Put,
    Remove,
    Set,
    Tables,
    TransactionFailed,
    Update,
)
from tests.ports.conftest import SettableClock

SORT_KEYS = ["a", "a\0", "ab", "b", "\u00e9", "\uffee", "\U0001f9ed"]
FIELDS = ["n", "t"]
PHASES = (Phase.explicit, Phase.generate)
SHRINKS = ("sqlite",)  # where a failure is made small in seconds; elsewhere it takes minutes

keys = st.builds(Key, st.sampled_from(["p", "q"]), st.sampled_from(SORT_KEYS))
numbers = st.integers(-3, 3) | st.sampled_from([0.5, 1.5, -0.25])
texts = st.sampled_from(["", "a", "\uffee", "\U0001f9ed"])
leaves = st.none() | st.booleans() | numbers | texts | st.binary(max_size=2)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("k"), inner), max_leaves=3
)
items = st.dictionaries(st.sampled_from(FIELDS), values)
fields = st.sampled_from(FIELDS)
condition = (
    st.just(Absent())
    | st.just(Present())
    | st.builds(Equals, fields, st.booleans() | numbers | texts)
    | st.builds(AtMost, fields, numbers | texts)
    | st.builds(AbsentOrBelow, fields, numbers | texts)
)
conditions = st.just(()) | st.tuples(condition) | st.tuples(condition, condition)
change = st.builds(Set, fields, values) | st.builds(Remove, fields) | st.builds(Add, fields, numbers)
changes = st.lists(change, max_size=2, unique_by=lambda one: one.field).map(tuple)
lifetimes = st.none() | st.integers(-1, 3)  # seconds
ranges = st.fixed_dictionaries(
    {"descending": st.booleans(), "limit": st.integers(1, 8)},
    optional={
        "low": st.sampled_from(["", *SORT_KEYS]),
        "high": st.sampled_from([LAST, *SORT_KEYS, "a" + LAST]),
        "after": st.sampled_from(["", *SORT_KEYS, "aa", "z"]),
    },
)
writes = st.one_of(
    st.builds(Put, keys, items, conditions),
    st.builds(Update, keys, changes, conditions),
    st.builds(Delete, keys, conditions),
    st.builds(Check, keys, st.tuples(condition)),
)


class NotANumber(Exception):
    """The model was asked to add to something else."""


def comparable(found: object, bound: object) -> bool:
    kinds = [
        str if isinstance(one, str) else None if isinstance(one, bool | bytes) else float for one in (found, bound)
    ]
    return kinds[0] is kinds[1] is not None and isinstance(found, str | int | float)


def holds(condition: Condition, row: Item | None) -> bool:
    match condition:
        case Absent():
            return row is None
        case Present():
            return row is not None
        case Equals(field, value):
            return row is not None and field in row and row[field] == value and same_kind(row[field], value)
        case AtMost(field, value):
            return row is not None and field in row and comparable(row[field], value) and row[field] <= value
        case AbsentOrBelow(field, value):
            return row is None or field not in row or (comparable(row[field], value) and row[field] < value)


def same_kind(one: object, other: object) -> bool:
    return isinstance(one, bool) is isinstance(other, bool)


def after_changes(row: Item | None, made: tuple[Any, ...]) -> Item:
    new = dict(row or {})
    for change in made:
        match change:
            case Set(field, value):
                new[field] = value
            case Remove(field):
                new.pop(field, None)
            case Add(field, amount):
                found = new.get(field, 0)
                if isinstance(found, bool) or not isinstance(found, int | float):
                    raise NotANumber
                new[field] = found + amount
    return new


class TableMachine(RuleBasedStateMachine):
    """`rows` is what the table should hold: item and the millisecond it expires at."""

    def __init__(self, empty_tables: Callable[[], Tables], clock: SettableClock):
        super().__init__()
        self.table, self.clock = empty_tables().main, clock
        self.rows: dict[Key, tuple[Item, int | None]] = {}

    def found(self, key: Key) -> Item | None:
        item, expires = self.rows.get(key, (None, None))
        return None if expires is not None and expires <= self.clock.now else item

    def expiry(self, key: Key) -> int | None:
        return self.rows[key][1] if self.found(key) is not None else None

    @rule(seconds=st.integers(1, 2))
    def time_passes(self, seconds):
        self.clock.now += seconds * 1000

    @rule(key=keys, item=items, when=conditions, lifetime=lifetimes)
    def put(self, key, item, when, lifetime):
        expires = None if lifetime is None else self.clock.now + lifetime * 1000
        old = self.found(key)
        try:
            answered = self.table.put(key, item, when=when, expires_at=expires)
        except ConditionFailed as failed:
            assert not all(holds(condition, old) for condition in when)
            assert failed.old == old
        else:
            assert all(holds(condition, old) for condition in when)
            assert answered == old
            self.rows[key] = item, expires

    @rule(key=keys, made=changes, when=conditions)
    def update(self, key, made, when):
        old = self.found(key)
        try:
            answered = self.table.update(key, made, when=when)
        except ConditionFailed as failed:
            assert not all(holds(condition, old) for condition in when)
            assert failed.old == old
        except ValueError:
            try:
                after_changes(old, made)
            except NotANumber:
                return
            raise
        else:
            assert all(holds(condition, old) for condition in when)
            new = after_changes(old, made)
            assert answered == (old, new)
            self.rows[key] = new, self.expiry(key)

    @rule(key=keys, when=conditions)
    def delete(self, key, when):
        old = self.found(key)
        try:
            answered = self.table.delete(key, when=when)
        except ConditionFailed as failed:
            assert not all(holds(condition, old) for condition in when)
            assert failed.old == old
        else:
            assert all(holds(condition, old) for condition in when)
            assert answered == old
            self.rows.pop(key, None)

    @rule(made=st.lists(st.builds(Put, keys, items), max_size=4, unique_by=lambda put: put.key))
    def put_many(self, made):
        self.table.put_many(made)
        self.rows |= {put.key: (put.item, None) for put in made}

    @rule(made=st.lists(writes, max_size=4, unique_by=lambda write: write.key))
    def transact(self, made):
        kinds, after = [], dict(self.rows)
        for write in made:
            old = self.found(write.key)
            kind = "none"
            if not all(holds(condition, old) for condition in write.when):
                kind = "condition"
            match write:
                case Put(key, item):
                    after[key] = item, None
                case Update(key, done):
                    try:
                        after[key] = after_changes(old, done), self.expiry(key)
                    except NotANumber:
                        kind = "other" if kind == "none" else kind
                case Delete(key):
                    after.pop(key, None)
            kinds.append((kind, old if kind == "condition" else None))
        try:
            self.table.transact(made)
        except TransactionFailed as failed:
            assert [(reason.kind, reason.old) for reason in failed.reasons] == kinds
            assert any(kind != "none" for kind, _ in kinds)
        else:
            assert all(kind == "none" for kind, _ in kinds)
            self.rows = after

    @rule(pk=st.sampled_from(["p", "q"]), range_=ranges)
    def query(self, pk, range_):
        low, high, descending = range_.get("low", ""), range_.get("high", LAST), range_["descending"]
        living = sorted(key.sk for key in self.rows if key.pk == pk and self.found(key) is not None)
        inside = [sk for sk in living if low <= sk <= high]
        assert self.table.count(pk, low=low, high=high) == len(inside)
        after = range_.get("after")
        if after is not None:
            inside = [sk for sk in inside if (sk < after if descending else sk > after)]
        read: list[str] = []
        for _ in range(len(SORT_KEYS) + 2):
            page = self.table.query(pk, low=low, high=high, descending=descending, limit=range_["limit"], after=after)
            assert len(page.rows) <= range_["limit"]
            assert all(row.item == self.found(row.key) for row in page.rows)
            read += [row.key.sk for row in page.rows]
            after = page.after
            if after is None:
                break
        assert read == (inside[::-1] if descending else inside)

    @invariant()
    def every_row_is_as_it_should_be(self):
        every = [Key(pk, sk) for pk in ("p", "q") for sk in SORT_KEYS]
        living = {key: item for key in every if (item := self.found(key)) is not None}
        assert self.table.get_many(every) == living


def test_any_sequence_of_operations_does_what_a_dictionary_would(empty_tables, clock, adapter):
    run_state_machine_as_test(
        lambda: TableMachine(empty_tables, clock),
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(*PHASES, Phase.shrink) if adapter in SHRINKS else PHASES,
        ),
    )
