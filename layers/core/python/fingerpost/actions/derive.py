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
from typing import Any

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
    TransactionFailed,
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


@dataclass(frozen=True, slots=True)
class Counted:
    """One visit of one link, as it is counted."""

    sequence: str
    account: str
    domain: str
    short_id: str
    action_id: str
    row: dict[str, Any]
    counts: bool  # neither a robot's nor a HEAD request's

    def marker(self) -> Put:
        """The visit's row: what backtests read, and the proof that it was counted."""
        item: Item = {**stamp("visit"), "counts": self.counts}
        item |= {name: self.row[name] for name in ("rule", "rules", "country", "url") if self.row.get(name)}
        key = keys.owned(self.account, keys.visit(self.domain, self.short_id, self.action_id))
        return Put(key, item, (Absent(),), expires_at=self.row["ts"] + VISIT_KEPT_MS)

    def sums(self) -> list[tuple[str, str, Counter[str]]]:
        """(account, which sum, what to add to it)."""
        moment = datetime.fromtimestamp(self.row["ts"] / 1000, UTC)
        total = Counter({"n" if self.counts else "robots": 1})
        day = Counter(total)
        if self.counts:
            day[f"h:{moment.hour:02d}"] += 1
            day[f"c:{self.row.get('country') or '-'}"] += 1
            day[f"r:{self.row.get('rules', 0)}.{self.row.get('rule', 0)}"] += 1
        return [(self.account, "", total), (self.account, moment.strftime("%Y%m%d"), day)]


def derive(log: Table, changes: Sequence[Change]) -> list[str]:
    """Write what follows from a batch of changes. Answers the sequence numbers of records that must come again."""
    actions = [change for change in changes if _is_new_action(change)]
    failed: list[str] = []
    ready: list[Change] = []
    for change in actions:
        try:
            log.put_many(index_puts(change))
            ready.append(change)
        except Exception as error:  # one record's trouble must not hold back the others; it is reported and comes again
            _complain(change, error)
            failed.append(change.sequence)
    for change in changes:
        if _is_removed_action(change):
            failed += _unlist(log, change)
    for chunk in chunks([visit for change in ready if (visit := visit_of(change)) is not None]):
        failed += count(log, chunk)
    return failed


def index_puts(change: Change) -> list[Put]:
    """The index rows of one action."""
    assert change.new is not None
    return [Put(key, {**stamp("index"), "v": 1}) for key in _listed(change.key, change.new)]


def _listed(key: Key, item: Item) -> list[Key]:
    account, action_id = _owner(key)
    return [keys.owned(account, row) for row in index_rows(ACTION, action_id, indexed_document(item))]


def _unlist(log: Table, change: Change) -> list[str]:
    assert change.old is not None
    try:
        for key in _listed(change.key, change.old):
            log.delete(key)
    except Exception as error:  # as above
        _complain(change, error)
        return [change.sequence]
    return []


def visit_of(change: Change) -> Counted | None:
    """The visit that an action records; None for any action that did not come through a link."""
    assert change.new is not None
    row = row_of(change.new)
    if "link" not in row:
        return None
    account, action_id = _owner(change.key)
    domain, _, short_id = row["link"].partition("/")
    counts = not row.get("mark") and not is_robot(row.get("ua", ""))
    return Counted(change.sequence, account, domain, short_id, action_id, row, counts)


def chunks(visits: Iterable[Counted]) -> list[list[Counted]]:
    """Visits in groups that one transaction can count: at most 48 of them, at most 100 rows with their sums.

    A record that came twice in one batch is in one group only: no transaction may touch a row twice.
    """
    once = {(visit.account, visit.action_id): visit for visit in visits}
    groups: list[list[Counted]] = []
    sums: set[tuple[str, str, str, str]] = set()
    for visit in once.values():
        touched = {(account, visit.domain, visit.short_id, which) for account, which, _ in visit.sums()}
        room = MAX_CHUNK_WRITES - len(groups[-1]) - 1 - len(sums | touched) if groups else -1
        if room < 0 or len(groups[-1]) >= MAX_CHUNK_VISITS:
            groups.append([])
            sums = set()
        groups[-1].append(visit)
        sums |= touched
    return groups


def count(log: Table, visits: list[Counted]) -> list[str]:
    """Add one chunk to the sums, each visit once whatever came before. Answers the records that must come again."""
    left = visits
    for _ in attempts(ATTEMPTS):
        if not left:
            return []
        lane = secrets.randbelow(keys.LANES)
        try:
            log.transact([*(visit.marker() for visit in left), *_additions(left, lane)])
            return []
        except TransactionFailed as failure:
            counted = {
                number for number, reason in enumerate(failure.reasons[: len(left)]) if reason.kind == "condition"
            }
            left = [visit for number, visit in enumerate(left) if number not in counted]
        except Exception as error:  # throttled beyond patience, or no answer: the markers make a replay harmless
            _complain(left[0], error)
            return [visit.sequence for visit in left]
    return [visit.sequence for visit in left]


def _additions(visits: Sequence[Counted], lane: int) -> list[Write]:
    totals: dict[tuple[str, str, str, str], Counter[str]] = {}
    for visit in visits:
        for account, which, amounts in visit.sums():
            totals.setdefault((account, visit.domain, visit.short_id, which), Counter()).update(amounts)
    writes: list[Write] = []
    for (account, domain, short_id, day), amounts in totals.items():
        key: Key = keys.hits_day(domain, short_id, day, lane) if day else keys.hits_lane(domain, short_id, lane)
        marks = [Set(name, value) for name, value in stamp("sum").items()]
        writes.append(Update(keys.owned(account, key), (*marks, *(Add(name, n) for name, n in amounts.items()))))
    return writes


def _is_new_action(change: Change) -> bool:
    return change.old is None and change.new is not None and change.new.get("k") == "action"


def _is_removed_action(change: Change) -> bool:
    return change.new is None and change.old is not None and change.old.get("k") == "action"


def _owner(key: Key) -> tuple[str, str]:
    """The account and the id in an action's physical key, `<account>#a#<id>`."""
    account, _, action_id = key.pk.split("#", 2)
    return account, action_id


def _complain(about: Change | Counted, error: Exception) -> None:
    warning("a record must come again", sequence=about.sequence, error=repr(error))
