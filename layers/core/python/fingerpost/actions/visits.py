"""Visits of links: what is kept of each, and sums that count each once.

A sum is added in one transaction with the marks of the visits it counts. A mark is an id in a row of marks, which lies
where the visit's link and moment say and nowhere else, so it does not matter in which batch a record comes, beside
which others, or how often: an id that is marked is left out. Marks of a link's lane and window fill rows one after the
other. Who adds some has read all of these rows, and names the version of the last one, or that the next is absent;
full rows never change, so two who add at once meet, and one of them reads again.
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from math import ceil
from typing import Any, NamedTuple

from .. import keys, packed
from ..clock import DAY_MS
from ..log import warning
from ..ports.table import (
    Absent,
    Add,
    Change,
    Equals,
    Item,
    Key,
    Put,
    Row,
    Set,
    Table,
    Throttled,
    TransactionFailed,
    Uncertain,
    Unreachable,
    Update,
    Write,
)
from ..retry import attempts
from ..shapes import stamp, upgraded
from .agents import is_robot
from .model import owner_of, row_of

MAX_CHUNK_VISITS = 500
MAX_CHUNK_WRITES = 100
MARKS_A_ROW = 54  # so many keep a row under 1 KB, whose write costs two units in a transaction
VISIT_KEPT_MS = 400 * DAY_MS  # far longer than any replay of the feed (24 hours, and 14 days of a dead-letter queue)
ATTEMPTS = 10


class SumName(NamedTuple):
    """Which sum of which link: of one day (yyyymmdd), or of all time with an empty `day`."""

    account: str
    domain: str
    short_id: str
    day: str

    def key(self, lane: int) -> Key:
        if not self.day:
            return keys.owned(self.account, keys.hits_lane(self.domain, self.short_id, lane))
        return keys.owned(self.account, keys.hits_day(self.domain, self.short_id, self.day, lane))


@dataclass(frozen=True, slots=True)
class Counted:
    """One visit of one link: the row that backtests read, where its mark lies, and what it adds."""

    sequence: str
    row: Put
    marks: str  # partition
    sums: dict[SumName, Counter[str]]

    @property
    def action_id(self) -> str:
        return self.row.key.sk


def visits_of(change: Change) -> list[Counted]:
    """The visit that an action records; none for an action that did not come through a link."""
    assert change.new is not None
    row = row_of(change.new)
    if "link" not in row:
        return []
    account, action_id = owner_of(change.key)
    domain, _, short_id = row["link"].partition("/")
    looked = not row.get("mark") and not is_robot(row.get("ua", ""))  # else nobody looked at the answer
    counts = looked and not row.get("limit")  # else the link led nowhere: its limit was in the way
    item: Item = {**stamp("visit"), "counts": counts}
    item |= {name: row[name] for name in ("rule", "rules", "country", "url") if row.get(name)}
    key = keys.owned(account, keys.visit(domain, short_id, action_id))
    moment = datetime.fromtimestamp(row["ts"] / 1000, UTC)
    total = Counter({"n" if counts else "limited" if looked else "robots": 1})
    day = Counter(total)
    if counts:
        rule = f"r:{row.get('rules', 0)}.{row.get('rule', 0)}"
        day.update([f"h:{moment.hour:02d}", f"c:{row.get('country') or '-'}", rule])
    sums = {
        SumName(account, domain, short_id, ""): total,
        SumName(account, domain, short_id, moment.strftime("%Y%m%d")): day,
    }
    marks = keys.marks(domain, short_id, packed.window_of(action_id))
    put = Put(key, item, expires_at=row["ts"] + VISIT_KEPT_MS)
    return [Counted(change.sequence, put, f"{account}#{marks}", sums)]


def visits_newest_first(log: Table, domain: str, short_id: str, *, after: str | None = None) -> Iterator[Row]:
    """The visits of a link (sort keys are the actions' ids) out of an account's `log`, lazily."""
    partition = keys.visits(domain, short_id)
    return packed.entries(log, partition, after=after, descending=True)


def chunks(visits: Iterable[Counted]) -> list[list[Counted]]:
    """Visits in groups that one transaction can count: at most 100 rows of marks and of sums.

    Those of one link stand together, for each group adds to the sums of its links. A record that came twice in one
    batch is in one group only.
    """
    once = {visit.row.key: visit for visit in visits}
    groups: list[list[Counted]] = []
    names: set[SumName] = set()
    marks: Counter[str] = Counter()
    for visit in sorted(once.values(), key=_together):
        names_then = names | visit.sums.keys()
        marks[visit.marks] += 1
        too_many = len(names_then) + rows_of_marks(marks) > MAX_CHUNK_WRITES
        if not groups or too_many or len(groups[-1]) >= MAX_CHUNK_VISITS:
            groups.append([])
            names_then, marks = set(visit.sums), Counter([visit.marks])
        groups[-1].append(visit)
        names = names_then
    return groups


def rows_of_marks(marks: Mapping[str, int]) -> int:
    """The most rows that so many new marks in each partition can touch: the open one besides those they fill."""
    return sum(ceil(number / MARKS_A_ROW) + 1 for number in marks.values())


def _together(visit: Counted) -> tuple[str, Key]:
    lane = visit.marks.rpartition("#")[0]
    return lane, visit.row.key


def count(log: Table, visits: list[Counted]) -> list[str]:
    """Add one chunk to the sums, each visit once whatever came before. Answers the records that must come again."""
    for _ in attempts(ATTEMPTS):
        try:
            marks = {partition: _Marks(log, partition) for partition in sorted({visit.marks for visit in visits})}
            left = [visit for visit in visits if visit.action_id not in marks[visit.marks]]
            if not left:
                return []
            log.transact([*_new_marks(marks, left), *_additions(left, secrets.randbelow(keys.LANES))])
            return []
        except _Torn:
            continue
        except TransactionFailed as failure:
            if any(reason.kind == "other" for reason in failure.reasons):
                return _count_apart(log, visits, failure)
        except (Throttled, Unreachable, Uncertain) as error:  # the marks make a replay harmless
            return come_again(visits, error)
        except Exception as error:  # something is wrong with a record
            return _count_apart(log, visits, error)
    return come_again(visits, "the sums are being written by others all the time")


def _count_apart(log: Table, visits: list[Counted], error: Exception) -> list[str]:
    """Count the halves of a chunk that the store will not take, down to the record that it will not take alone."""
    if len(visits) == 1:
        return come_again(visits, error)
    middle = len(visits) // 2
    return count(log, visits[:middle]) + count(log, visits[middle:])


def come_again(records: Sequence[Any], why: object) -> list[str]:
    """The sequence numbers of what must be delivered once more. `records` have a `sequence`."""
    for record in records[:1]:
        warning("a record must come again", sequence=record.sequence, records=len(records), why=repr(why))
    return [record.sequence for record in records]


class _Torn(Exception):
    """Marks were added while they were read."""


class _Marks:
    """The marks of one partition, as one consistent read found them."""

    def __init__(self, log: Table, partition: str):
        self.partition = partition
        self.rows: list[Item] = []
        self._marked: set[str] = set()
        self._next = 0
        window = partition.rpartition("#")[2]
        position: str | None = None
        while True:
            page = log.query(partition, after=position, consistent=True)
            for row in page.rows:
                item = upgraded(row.item)
                if self.rows and self._has_room():
                    raise _Torn  # a query is not of one moment: this row was filled after it was read
                self._next = int(row.key.sk) + 1
                self.rows.append(item)
                self._marked.update(window + rest for rest in packed.rests(item["ids"]))
            if page.after is None:
                return
            position = page.after

    def __contains__(self, action_id: str) -> bool:
        return action_id in self._marked

    def with_new(self, action_ids: Sequence[str], expires_at: int) -> Iterator[Put]:
        """What to put so that these are marked, on condition that nobody else has marked any meanwhile."""
        rests = [packed.rest_of(each) for each in action_ids]
        number, text, version = self._next, "", 0
        if self.rows and self._has_room():
            number, text, version = number - 1, self.rows[-1]["ids"], self.rows[-1]["v"]
        while rests:
            room = MARKS_A_ROW - len(text) // packed.REST
            taken, rests = rests[:room], rests[room:]
            item = {**stamp("marks"), "v": version + 1, "ids": text + "".join(taken)}
            when = Equals("v", version) if version else Absent()
            yield Put(Key(self.partition, f"{number:06d}"), item, (when,), expires_at=expires_at)
            number, text, version = number + 1, "", 0

    def _has_room(self) -> bool:
        return len(self.rows[-1]["ids"]) < MARKS_A_ROW * packed.REST


def _new_marks(marks: Mapping[str, _Marks], visits: Sequence[Counted]) -> Iterator[Put]:
    by_marks = sorted(visits, key=lambda visit: visit.marks)
    for partition, members in groupby(by_marks, key=lambda visit: visit.marks):
        some = list(members)
        ends = max(visit.row.expires_at or 0 for visit in some)
        yield from marks[partition].with_new([visit.action_id for visit in some], ends)


def _additions(visits: Sequence[Counted], lane: int) -> list[Write]:
    totals: dict[SumName, Counter[str]] = defaultdict(Counter)
    for visit in visits:
        for name, amounts in visit.sums.items():
            totals[name].update(amounts)
    marks = [Set(name, value) for name, value in stamp("sum").items()]
    return [
        Update(name.key(lane), (*marks, *(Add(field, n) for field, n in amounts.items())))
        for name, amounts in totals.items()
    ]
