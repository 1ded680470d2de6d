"""Links that have had all the scans they may have. Off the change feed, once the scans are counted; never in a scan.

A scan's row says that its link has such a limit (`max`), so that the feed costs nothing for links without one. Whether
the limit is reached is read from the sums and from the link as it is now: a record that comes again, or late, changes
nothing that is not so.
"""

from collections import defaultdict
from collections.abc import Sequence

from .. import keys
from ..errors import Conflict
from ..log import warning
from ..ports.table import Change, ConditionFailed, Equals, Set, Tables
from ..retry import attempts
from .hits import Hits
from .model import from_item

TRIES = 8


def mark_exhausted(tables: Tables, changes: Sequence[Change], at: int) -> list[str]:
    """Mark the links of new scans that are used up. Answers the sequence numbers of records that must come again.

    `tables` are unscoped: a link is one of the few global look-ups.
    """
    limited: dict[tuple[str, str], list[str]] = defaultdict(list)
    for change in changes:
        if change.old is None and change.new is not None and "max" in change.new:
            limited[change.key.pk.partition("#")[0], str(change.new["link"])].append(change.sequence)
    failed: list[str] = []
    for (account, name), sequences in limited.items():
        try:
            _mark(tables, account, name, at)
        except Exception as error:  # these records come again; they are counted already, and count no more
            warning("a limit must be looked at again", link=name, why=repr(error))
            failed += sequences
    return failed


def _mark(tables: Tables, account: str, name: str, at: int) -> None:
    domain, _, short_id = name.partition("/")
    key = keys.link(domain, short_id)
    for _ in attempts(TRIES):
        item = tables.main.get(key, consistent=True)
        link = None if item is None else from_item(domain, short_id, item)
        if link is None or link.limits is None or link.limits.max_scans is None or link.exhausted_at is not None:
            return
        if Hits(tables.of(account)).total(domain, short_id) < link.limits.max_scans:
            return
        try:
            changed = (Set("v", link.version + 1), Set("exhausted", at))
            tables.main.update(key, changed, when=(Equals("v", link.version),))
            return
        except ConditionFailed:
            continue
    raise Conflict(f"The link {name} keeps changing")
