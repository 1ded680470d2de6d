"""Visits of links: what is kept of each, and that each is counted once.

What visits add to the sums is put, as a row that waits (sums.py), in one transaction with the marks of those visits.
A mark is an id in a row of marks, which lies where the visit's link and moment say and nowhere else, so it does not
matter in which batch a record comes, beside which others, or how often: an id that is marked is left out. Marks of a
lane and window fill rows one after the other. Who adds some has read all of these rows, and names the version of the
last one, or that the next is absent; full rows never change, so two who add at once meet, and one of them reads again.

Visitors are no sum but a set, which a repeat does not change: each hit's row says who it was (insight/visitors.py).
"""

import base64
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from math import ceil
from typing import Any

from .. import keys, packed
from ..log import warning
from ..ports.table import (
    Absent,
    Change,
    Equals,
    Item,
    Key,
    Put,
    Row,
    Table,
    Throttled,
    TransactionFailed,
    Uncertain,
    Unreachable,
)
from ..redirection.devices import device_of
from ..retry import attempts
from ..shapes import stamp, upgraded
from .agents import is_robot
from .folding import waiting_put
from .model import owner_of, row_of
from .sums import HITS, LIMITED, ROBOTS, Fact, Facts, kept_until

MAX_CHUNK_VISITS = 400
MAX_CHUNK_WRITES = 100
MARKS_A_ROW = 54  # so many keep a row under 1 KB, whose write costs two units in a transaction
VISIT_KEPT_DAYS = 400  # far longer than any replay of the feed (24 hours, and 14 days of a dead-letter queue)
ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Counted:
    """One visit of one link: the row that backtests read, where its mark lies, and what it adds."""

    sequence: str
    row: Put
    marks: str  # partition
    account: str
    lane: int
    fact: Fact

    @property
    def action_id(self) -> str:
        return self.row.key.sk

    @property
    def visitors(self) -> list[Key]:
        """Where it is kept how many visitors its day had: its link, and the account."""
        scopes = (self.fact.link.replace("/", "#", 1), keys.ACCOUNT_SCOPE)
        return [keys.owned(self.account, keys.visitors(scope, self.fact.day)) for scope in scopes]


def visits_of(change: Change) -> list[Counted]:
    """The visit that an action recorded, which has come or gone; none for one that did not come through a link."""
    action = change.new or change.old
    assert action is not None
    row = row_of(action)
    if "link" not in row:
        return []
    account, action_id = owner_of(change.key)
    domain, _, short_id = row["link"].partition("/")
    fact = fact_of(row)
    item: Item = {**stamp("visit"), "counts": fact.counts == HITS}
    item |= {name: row[name] for name in ("rule", "rules", "country", "url") if row.get(name)}
    item |= who_of(row)
    key = keys.owned(account, keys.visit(domain, short_id, action_id))
    marks = keys.marks(domain, short_id, packed.window_of(action_id))
    put = Put(key, item, expires_at=kept_until(row["ts"], fact.kept or VISIT_KEPT_DAYS))
    return [Counted(change.sequence, put, f"{account}#{marks}", account, keys.count_lane(domain, short_id), fact)]


def fact_of(row: Mapping[str, Any]) -> Fact:
    """What an action that came through a link adds to the sums."""
    moment = datetime.fromtimestamp(row["ts"] / 1000, UTC)
    counts = counts_as(row)
    fact = Fact(link=row["link"], day=moment.strftime("%Y%m%d"), kept=row.get("kept", 0), counts=counts)
    if counts != HITS:
        return fact
    device = device_of(row.get("ua", ""))
    rule = f"{row.get('rules', 0)}.{row.get('rule', 0)}"
    return fact._replace(
        hour=f"{moment.hour:02d}",
        country=row.get("country", ""),
        city=row.get("city", ""),
        device=device.device,
        system=device.os,
        browser=device.browser,
        rule=f"{row['app']}/{rule}" if row.get("app") else rule,
        variant=row.get("variant", ""),
    )


def counts_as(row: Mapping[str, Any]) -> str:
    """As what an action's row is counted: nobody looks at what a robot fetches, and a limit's URL is no hit."""
    if row.get("mark") or is_robot(row.get("ua", "")):
        return ROBOTS
    return LIMITED if row.get("limit") else HITS


def who_of(row: Mapping[str, Any]) -> Item:
    """The field that tells a hit's visitor from others of that day: as long for everybody, whatever the row has."""
    visitor = row.get("visitor")
    if not visitor or counts_as(row) != HITS:
        return {}
    digest = hashlib.blake2b(visitor.encode(), digest_size=9).digest()
    return {packed.WHO: base64.urlsafe_b64encode(digest).decode()}


def visits_newest_first(log: Table, domain: str, short_id: str, *, after: str | None = None) -> Iterator[Row]:
    """The visits of a link (sort keys are the actions' ids) out of an account's `log`, lazily."""
    partition = keys.visits(domain, short_id)
    return packed.entries(log, partition, after=after, descending=True)


def chunks(visits: Iterable[Counted]) -> list[list[Counted]]:
    """Visits in groups that one transaction can count: at most 100 rows of marks and of facts.

    Those of one lane stand together, for each group has a row of facts in each of its lanes. A record that came twice
    in one batch is in one group only.
    """
    once = {visit.row.key: visit for visit in visits}
    groups: list[list[Counted]] = []
    lanes: set[tuple[str, int]] = set()
    marks: Counter[str] = Counter()
    for visit in sorted(once.values(), key=_together):
        marks[visit.marks] += 1
        lanes.add((visit.account, visit.lane))
        too_many = len(lanes) + rows_of_marks(marks) > MAX_CHUNK_WRITES
        if not groups or too_many or len(groups[-1]) >= MAX_CHUNK_VISITS:
            groups.append([])
            lanes, marks = {(visit.account, visit.lane)}, Counter([visit.marks])
        groups[-1].append(visit)
    return groups


def rows_of_marks(marks: Mapping[str, int]) -> int:
    """The most rows that so many new marks in each partition can touch: the open one besides those they fill."""
    return sum(ceil(number / MARKS_A_ROW) + 1 for number in marks.values())


def _together(visit: Counted) -> tuple[str, Key]:
    return visit.marks, visit.row.key


def count(log: Table, visits: list[Counted]) -> list[str]:
    """Add one chunk to the sums, each visit once whatever came before. Answers the records that must come again."""
    for _ in attempts(ATTEMPTS):
        try:
            marks = {partition: _Marks(log, partition) for partition in sorted({visit.marks for visit in visits})}
            left = [visit for visit in visits if visit.action_id not in marks[visit.marks]]
            if not left:
                return []
            log.transact([*_new_marks(marks, left), *_waiting(left)])
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


def _waiting(visits: Sequence[Counted]) -> Iterator[Put]:
    """A row of facts for each lane."""
    by_lane: dict[tuple[str, int], Facts] = defaultdict(Counter)
    for visit in visits:
        by_lane[visit.account, visit.lane][visit.fact] += 1
    for (account, lane), facts in by_lane.items():
        yield waiting_put(account, lane, facts)
