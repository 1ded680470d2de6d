"""What hangs off the change feed: index rows of actions, visits, and sums that stay exact.

Index rows and visits are puts with keys of their own, harmless to repeat; those of a batch that lie close together go
into pages (packed.py). Then the visits are counted (visits.py), each once, however often and with whatever its record
comes. So duplicates, replays, bisected batches and concurrent readers all leave the same sums. Now and then what was
counted is moved into the sums (folding.py).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import randbelow

from .. import keys
from ..log import error, warning
from ..packed import packed, remove
from ..ports.table import Change, Item, Key, Put, Table, Throttled, TransactionFailed, Uncertain, Unreachable
from ..resources import index_rows
from ..shapes import stamp
from .folding import fold
from .model import ACTION, indexed_document, owner_of, row_of
from .sums import expiry_of
from .visits import Counted, chunks, come_again, count, visits_of, who_of

FOLD_ONE_IN = 16  # so many rows wait in a lane, on average, until they are moved into the sums together
MAX_FOLDS = 8  # at once
ACCOUNT_LIST = keys.index(keys.ACCOUNT_SCOPE, ACTION.name, "", "", 0).rpartition("#")[0]


@dataclass(frozen=True, slots=True)
class Derived:
    """What follows from one new action."""

    sequence: str
    rows: list[Put]
    visits: list[Counted]


def derive(log: Table, changes: Sequence[Change]) -> list[str]:
    """Write what follows from a batch of changes. Answers the sequence numbers of records that must come again."""
    failed: list[str] = []
    by_account: dict[str, list[Derived]] = defaultdict(list)
    for change in changes:
        if _is_new_action(change):
            try:
                account, _ = owner_of(change.key)
                by_account[account].append(_derived(change))
            except Exception as error:  # one record's trouble must not hold back the others; it comes again
                failed += come_again([change], error)
    stored: list[Derived] = []
    for some in by_account.values():
        stored += _stored(log, some, failed)
    for chunk in chunks(visit for each in stored for visit in each.visits):
        failed += count(log, chunk)
        for account, lane in sorted({(visit.account, visit.lane) for visit in chunk}):
            if randbelow(FOLD_ONE_IN) == 0:
                _fold(log, account, lane)
    for change in changes:
        if _is_removed_action(change):
            try:
                _unlist(log, change)
            except Exception as error:
                failed += come_again([change], error)
    return failed


def _derived(change: Change) -> Derived:
    assert change.new is not None
    visits = visits_of(change)
    index = [_index_put(key, change.new) for key in _listed(change.key, change.new)]
    return Derived(change.sequence, [*index, *(visit.row for visit in visits)], visits)


def _index_put(key: Key, item: Item) -> Put:
    """An index row. In the list of all actions of the account that of a link's visit tells who it was."""
    who = who_of(row_of(item)) if "link" in item and _is_of_account(key) else {}
    marks = stamp("listed") if who else stamp("index")
    return Put(key, {**marks, "v": 1, **who}, expires_at=expiry_of(item))


def _is_of_account(key: Key) -> bool:
    partition = key.pk.partition("#")[2]
    return partition.rpartition("#")[0] == ACCOUNT_LIST


def _fold(log: Table, account: str, lane: int) -> None:
    """What is not moved now is moved another time; it is in no sum twice, and missing in none."""
    try:
        for _ in range(MAX_FOLDS):
            if not fold(log, account, lane):
                return
    except (Throttled, Unreachable, Uncertain, TransactionFailed) as refused:
        warning("sums wait", account=account, lane=lane, why=repr(refused))
    except Exception as failure:  # nothing is lost, but somebody has to look
        error("sums cannot be moved", account=account, lane=lane, error=repr(failure))


def _stored(log: Table, some: list[Derived], failed: list[str]) -> list[Derived]:
    """Write the rows of one account's records. Answers those that are written; the others are added to `failed`."""
    try:
        log.put_many(packed((put for each in some for put in each.rows), keys.page_partition))
    except (Throttled, Unreachable, Uncertain) as error:
        failed += come_again(some, error)
        return []
    except Exception as error:  # something is wrong with a record: halve until it is alone
        if len(some) == 1:
            failed += come_again(some, error)
            return []
        middle = len(some) // 2
        return _stored(log, some[:middle], failed) + _stored(log, some[middle:], failed)
    return some


def _listed(key: Key, item: Item) -> list[Key]:
    account, action_id = owner_of(key)
    return [keys.owned(account, row) for row in index_rows(ACTION, action_id, indexed_document(item))]


def _unlist(log: Table, change: Change) -> None:
    """Take it out of the lists, out of the visits, and out of the days' visitors. What it was counted as stays."""
    assert change.old is not None
    for key in _listed(change.key, change.old):
        remove(log, key, keys.page_partition)
    for visit in visits_of(change):
        remove(log, visit.row.key, keys.page_partition)
        for key in visit.visitors:
            log.delete(key)


def _is_new_action(change: Change) -> bool:
    return change.old is None and change.new is not None and change.new.get("k") == "action"


def _is_removed_action(change: Change) -> bool:
    """What has expired has rows that expire with it."""
    gone = change.new is None and change.old is not None and not change.expired
    return gone and change.old is not None and change.old.get("k") == "action"
