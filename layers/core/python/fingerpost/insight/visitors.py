"""How many visitors a day had, of a link or of the account. Exact, and no sum: a set, counted when somebody asks.

Each hit's row says who it was, by a hash that the day's salt makes and that means nothing any more when the salt is
gone: the visits of a link, and the account's list of actions. Rows that are there twice change no set, so nothing has
to be counted once. What was found is kept with the hits that the day had just before. As long as it has as many, no hit
has been counted since; and a hit's row is written before it is counted, so all of them had been seen.
"""

from collections.abc import Mapping
from datetime import date
from itertools import chain

from .. import keys
from ..actions.visits import VISIT_KEPT_DAYS
from ..clock import DAY_MS
from ..ids import first_id
from ..packed import WHO, entries
from ..ports.table import LAST, Key, Put, Table
from ..shapes import stamp, upgraded
from .periods import compact, day_start

MAX_READ = 1_000_000  # rows of hits that one request reads
AT_ONCE = 1_000


def visitors_of_days(log: Table, link: str | None, hits: Mapping[date, int], today: date) -> dict[date, int | None]:
    """Of each day with hits (how many there were before this is asked) its visitors; of a link, or the account.

    None of a day that is too much for one request, and of one whose visits are not kept any more. What was found stays
    found, so that the next request goes on. `log` is the account's own.
    """
    scope = keys.ACCOUNT_SCOPE if link is None else link.replace("/", "#", 1)
    found: dict[date, int | None] = {}
    wanted = {day: keys.visitors(scope, compact(day)) for day, number in hits.items() if number}
    kept = log.get_many(list(wanted.values()), consistent=True)
    left = MAX_READ
    for day, key in sorted(wanted.items()):
        row = upgraded(kept[key]) if key in kept else None
        if row is not None and row["n"] == hits[day]:
            found[day] = row["visitors"]
        elif hits[day] > left or (today - day).days > VISIT_KEPT_DAYS:
            found[day] = None
        else:
            left -= hits[day]
            found[day] = _kept(log, key, hits[day], len(_visitors(log, link, day)))
    return found


def _visitors(log: Table, link: str | None, day: date) -> set[str]:
    low, high = first_id(day_start(day)), first_id(day_start(day) + DAY_MS - 1) + LAST
    if link is None:
        partitions = [keys.index(keys.ACCOUNT_SCOPE, "action", "", "", shard) for shard in range(keys.PAGED_SHARDS)]
    else:
        partitions = [keys.visits(*link.split("/", 1))]
    rows = chain.from_iterable(
        entries(log, partition, low=low, high=high, limit=AT_ONCE, then=AT_ONCE) for partition in partitions
    )
    return {who for row in rows if (who := row.item.get(WHO))}


def _kept(log: Table, key: Key, hits: int, visitors: int) -> int:
    log.put_many([Put(key, {**stamp("visitors"), "n": hits, "visitors": visitors})])
    return visitors
