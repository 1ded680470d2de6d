"""What hangs off the change feed: index rows of actions, visits, and sums that stay exact.

Index rows are puts with keys of their own, harmless to repeat. A sum is added in one transaction with the visit rows
it counts: a visit row that is there already says that its record was counted, and is left out of the next attempt.
So duplicates, replays, bisected batches and concurrent readers all leave the same sums.
"""

import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from .. import keys
from ..clock import DAY_MS
from ..log import warning
from ..ports.table import (
    Absent,
    Add,
    Change,
    Item,
    Key,
    Put,
    Set,
    Table,
    Throttled,
    TransactionFailed,
    Uncertain,
    Unreachable,
    Update,
    Write,
)
from ..resources import index_rows
from ..retry import attempts
from ..shapes import stamp
from .agents import is_robot
from .model import ACTION, indexed_document, row_of

MAX_CHUNK_VISITS = 48
MAX_CHUNK_WRITES = 100
VISIT_KEPT_MS = 400 * DAY_MS  # far longer than any replay of the feed (24 hours, and 14 days of a dead-letter queue)
ATTEMPTS = 8


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
    """One visit of one link, as it is counted. Its marker is what backtests read, and the proof that it was counted."""

    sequence: str
    marker: Put
    sums: dict[SumName, Counter[str]]  # what to add


def derive(log: Table, changes: Sequence[Change]) -> list[str]:
    """Write what follows from a batch of changes. Answers the sequence numbers of records that must come again."""
    failed: list[str] = []
    visits: list[Counted] = []
    for change in changes:
        try:
            if _is_new_action(change):
                log.put_many(index_puts(change))
                visits += visits_of(change)
            elif _is_removed_action(change):
                _unlist(log, change)
        except Exception as error:  # one record's trouble must not hold back the others; it is reported and comes again
            _complain(change.sequence, error)
            failed.append(change.sequence)
    for chunk in chunks(visits):
        failed += count(log, chunk)
    return failed


def index_puts(change: Change) -> list[Put]:
    """The index rows of one action."""
    assert change.new is not None
    return [Put(key, {**stamp("index"), "v": 1}) for key in _listed(change.key, change.new)]


def _listed(key: Key, item: Item) -> list[Key]:
    account, action_id = _owner(key)
    return [keys.owned(account, row) for row in index_rows(ACTION, action_id, indexed_document(item))]


def _unlist(log: Table, change: Change) -> None:
    assert change.old is not None
    for key in _listed(change.key, change.old):
        log.delete(key)


def visits_of(change: Change) -> list[Counted]:
    """The visit that an action records; none for an action that did not come through a link."""
    assert change.new is not None
    row = row_of(change.new)
    if "link" not in row:
        return []
    account, action_id = _owner(change.key)
    domain, _, short_id = row["link"].partition("/")
    counts = not row.get("mark") and not is_robot(row.get("ua", ""))  # else nobody looked at the answer
    item: Item = {**stamp("visit"), "counts": counts}
    item |= {name: row[name] for name in ("rule", "rules", "country", "url") if row.get(name)}
    key = keys.owned(account, keys.visit(domain, short_id, action_id))
    moment = datetime.fromtimestamp(row["ts"] / 1000, UTC)
    total = Counter({"n" if counts else "robots": 1})
    day = Counter(total)
    if counts:
        rule = f"r:{row.get('rules', 0)}.{row.get('rule', 0)}"
        day.update([f"h:{moment.hour:02d}", f"c:{row.get('country') or '-'}", rule])
    sums = {
        SumName(account, domain, short_id, ""): total,
        SumName(account, domain, short_id, moment.strftime("%Y%m%d")): day,
    }
    return [Counted(change.sequence, Put(key, item, (Absent(),), expires_at=row["ts"] + VISIT_KEPT_MS), sums)]


def chunks(visits: Iterable[Counted]) -> list[list[Counted]]:
    """Visits in groups that one transaction can count: at most 48 of them, at most 100 rows with their sums.

    A record that came twice in one batch is in one group only: no transaction may touch a row twice.
    """
    once = {visit.marker.key: visit for visit in visits}
    groups: list[list[Counted]] = []
    names: set[SumName] = set()
    for visit in once.values():
        rows = len(groups[-1]) + 1 + len(names | visit.sums.keys()) if groups else 0
        if not groups or rows > MAX_CHUNK_WRITES or len(groups[-1]) >= MAX_CHUNK_VISITS:
            groups.append([])
            names = set()
        groups[-1].append(visit)
        names |= visit.sums.keys()
    return groups


def count(log: Table, visits: list[Counted]) -> list[str]:
    """Add one chunk to the sums, each visit once whatever came before. Answers the records that must come again."""
    left = visits
    for _ in attempts(ATTEMPTS):
        if not left:
            return []
        try:
            log.transact([*(visit.marker for visit in left), *_additions(left, secrets.randbelow(keys.LANES))])
            return []
        except TransactionFailed as failure:
            kinds = [reason.kind for reason in failure.reasons]
            if "other" in kinds:
                return _count_apart(log, left, failure)
            left = [visit for visit, kind in zip(left, kinds, strict=False) if kind != "condition"]
        except (Throttled, Unreachable, Uncertain) as error:  # the markers make a replay harmless
            return _come_again(left, error)
        except Exception as error:  # something is wrong with a record
            return _count_apart(log, left, error)
    return _come_again(left, "the sums are being written by others all the time")


def _count_apart(log: Table, visits: list[Counted], error: Exception) -> list[str]:
    """Count the halves of a chunk that the store will not take, down to the record that it will not take alone."""
    if len(visits) == 1:
        return _come_again(visits, error)
    middle = len(visits) // 2
    return count(log, visits[:middle]) + count(log, visits[middle:])


def _come_again(visits: list[Counted], why: object) -> list[str]:
    for visit in visits[:1]:
        _complain(visit.sequence, why)
    return [visit.sequence for visit in visits]


def _additions(visits: Sequence[Counted], lane: int) -> list[Write]:
    totals: dict[SumName, Counter[str]] = {}
    for visit in visits:
        for name, amounts in visit.sums.items():
            totals.setdefault(name, Counter()).update(amounts)
    marks = [Set(name, value) for name, value in stamp("sum").items()]
    return [
        Update(name.key(lane), (*marks, *(Add(field, n) for field, n in amounts.items())))
        for name, amounts in totals.items()
    ]


def _is_new_action(change: Change) -> bool:
    return change.old is None and change.new is not None and change.new.get("k") == "action"


def _is_removed_action(change: Change) -> bool:
    return change.new is None and change.old is not None and change.old.get("k") == "action"


def _owner(key: Key) -> tuple[str, str]:
    """The account and the id in an action's physical key, `<account>#a#<id>`."""
    account, _, action_id = key.pk.split("#", 2)
    return account, action_id


def _complain(sequence: str, why: object) -> None:
    warning("a record must come again", sequence=sequence, why=repr(why))
