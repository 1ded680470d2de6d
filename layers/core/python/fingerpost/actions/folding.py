"""Moving facts that wait into the sums: many of them in one transaction, so that a sum's row is written once for all.

A transaction deletes rows that wait, adds what they hold to the sums of their links and of the account, and takes the
lane's turn: whoever else moves facts of the lane at the same time fails on it. Facts for which the transaction has no
room wait on, together in one row; the links with most go first. A day's first row takes what comes; when it is full,
new values of the wide kinds go to slices by their hash.
"""

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_hex

from .. import keys
from ..ports.table import MAX_TRANSACTION_WRITES, Absent, Condition, Delete, Equals, Item, Key, Put, Row, Table, Write
from ..shapes import stamp, upgraded
from .sums import OTHER, WIDE, Facts, Sums, day_in, facts_in, kept_until, packed_facts, sums_of, total_key

MAX_ROWS = 24  # that wait and are moved at once
MAX_PACKED_BYTES = 100_000  # that they hold
MAX_LINKS = 40  # whose sums one transaction adds to, at most
SLICES = 4  # of each wide kind
FIRST_ROW_BYTES = 3_000  # what a day's first row may hold before new values go to slices
SLICE_BYTES = 150_000  # what a slice may hold before new values are summed as others


def fold(log: Table, account: str, lane: int) -> bool:
    """Move what waits in a lane. Answers whether more does. `log` is not scoped.

    Raises TransactionFailed when it was somebody else's turn; then nothing was done, and nothing is lost.
    """
    partition = f"{account}#{keys.waiting(lane)}"
    turn = keys.turn(partition)
    page = log.query(partition, limit=MAX_ROWS + 1, consistent=True)
    rows = list(page.rows)
    taken = rows.pop(0).item["n"] if rows and rows[0].key == turn else 0
    moved = list(_some(rows))
    if not moved:
        return False
    facts: Facts = Counter()
    for row in moved:
        facts.update(facts_in(row.item))
    plan = _Plan(log, account, lane, room=MAX_TRANSACTION_WRITES - len(moved) - 2)
    left = plan.take(facts)
    when: Condition = Equals("n", taken) if taken else Absent()
    writes: list[Write] = [Put(turn, {**stamp("turn"), "n": taken + 1}, (when,)), *(Delete(row.key) for row in moved)]
    if left:
        writes.append(waiting_put(account, lane, left))
    log.transact([*writes, *plan.puts()])
    return bool(left) or len(moved) < len(rows) or page.after is not None


def waiting_put(account: str, lane: int, facts: Facts) -> Put:
    """A new row of facts that wait."""
    key = Key(f"{account}#{keys.waiting(lane)}", token_hex(12))
    return Put(key, {**stamp("waiting"), "facts": packed_facts(facts)}, (Absent(),))


def _some(rows: Iterable[Row]) -> Iterator[Row]:
    """As many as hold no more than a row could, and the first in any case."""
    size = 0
    for row in rows:
        size += len(row.item["facts"])
        if size > MAX_PACKED_BYTES and size > len(row.item["facts"]):
            return
        yield row


@dataclass(slots=True)
class _Sum:
    """A row of sums as it was read, and what is to be added."""

    key: Key
    version: int = 0
    sums: Sums = field(default_factory=Counter)
    kept: int = 0

    @classmethod
    def of(cls, key: Key, item: Item | None) -> "_Sum":
        if item is None:
            return cls(key)
        row = upgraded(item)
        return cls(key, row["v"], Counter(row["sums"]))

    @property
    def size(self) -> int:
        return sum(len(name.encode()) + 4 for name in self.sums)

    def put(self) -> Put:
        when: Condition = Equals("v", self.version) if self.version else Absent()
        item = {**stamp("sum"), "v": self.version + 1, "sums": dict(self.sums)}
        return Put(self.key, item, (when,), expires_at=self.expires_at())

    def expires_at(self) -> int | None:
        """A day's sums expire so many days after it ends; those of all time do not."""
        if not self.kept:
            return None
        start = datetime.strptime(day_in(self.key.sk), "%Y%m%d").replace(tzinfo=UTC)
        return kept_until(int(start.timestamp() * 1000), self.kept)


class _Plan:
    """Which rows of sums a transaction writes, and what with."""

    def __init__(self, log: Table, account: str, lane: int, *, room: int):
        self._log, self._account, self._room = log, account, room
        self._everywhere = f"{account}#{keys.account_hits(lane)}"
        self._known: dict[Key, _Sum] = {}
        self._written: dict[Key, _Sum] = {}

    def take(self, facts: Facts) -> Facts:
        """Plan for as many links and days as there is room, those with most first. Answers the facts that are left."""
        groups: dict[tuple[str, str], Facts] = defaultdict(Counter)
        for fact, number in facts.items():
            groups[fact.link, fact.day][fact] += number
        order = sorted(groups.values(), key=lambda group: -group.total())
        chosen, left = order[:MAX_LINKS], order[MAX_LINKS:]
        self._read({key for group in chosen for key in self._first_rows(group)})
        for group in chosen:
            if not self._add(group):
                left.append(group)
        rest: Facts = Counter()
        for group in left:
            rest.update(group)
        return rest

    def puts(self) -> list[Put]:
        return [each.put() for each in self._written.values()]

    def _first_rows(self, group: Facts) -> tuple[Key, Key, Key]:
        """The row of all time of a group's link, the first of its day, and the account's first of that day."""
        fact = next(iter(group))
        domain, _, short_id = fact.link.partition("/")
        own = keys.owned(self._account, total_key(domain, short_id))
        return own, keys.hits_day(own.pk, fact.day), keys.hits_day(self._everywhere, fact.day)

    def _add(self, group: Facts) -> bool:
        """Whether there was room for all that a group of one link and day adds."""
        fact = next(iter(group))
        total, own, everywhere = self._first_rows(group)
        of_day = sums_of(group)
        parts = [(total, Counter({name: of_day[name] for name in of_day if ":" not in name}))]
        parts += self._placed(own, of_day)
        parts += self._placed(everywhere, sums_of(group, account=True))
        wanted = {key for key, _ in parts}
        if len(self._written.keys() | wanted) > self._room:
            return False
        self._read(wanted - self._known.keys())
        kept = [each.kept for each in group]
        for key, sums in parts:
            row = self._written.setdefault(key, self._known[key])
            _add_within(row, sums)
            row.kept = 0 if key == total or 0 in kept else max(kept)
        assert fact.day == day_in(own.sk)
        return True

    def _placed(self, first: Key, sums: Sums) -> list[tuple[Key, Sums]]:
        """What goes into a day's first row, and what into its slices."""
        row = self._known[first]
        size = row.size
        here: Sums = Counter()
        slices: dict[Key, Sums] = defaultdict(Counter)
        for name, number in sums.items():
            kind = name[:2]
            if kind not in WIDE or name in row.sums or size < FIRST_ROW_BYTES:
                here[name] = number
                size += 0 if name in row.sums else len(name.encode()) + 4
            else:
                part = f"{kind[0]}{zlib.crc32(name.encode()) % SLICES}"
                slices[keys.hits_day(first.pk, day_in(first.sk), part)][name] = number
        return [(first, here), *slices.items()]

    def _read(self, wanted: Iterable[Key]) -> None:
        missing = [key for key in sorted(wanted) if key not in self._known]
        if missing:
            found = self._log.get_many(missing, consistent=True)
            self._known |= {key: _Sum.of(key, found.get(key)) for key in missing}


def _add_within(row: _Sum, sums: Sums) -> None:
    """Add to a row; what would let a slice outgrow its bound is added to the sum of others."""
    size = row.size
    for name, number in sums.items():
        if name not in row.sums and name[:2] in WIDE and size >= SLICE_BYTES:
            name = name[:2] + OTHER  # noqa: PLW2901 - it is this value from here on
        elif name not in row.sums:
            size += len(name.encode()) + 4
        row.sums[name] += number
