"""Links that have had all the scans they may have. Off the change feed, once the scans are counted; never in a scan.

A scan's row says how many its link may have (`max`), so that the feed costs nothing for links without such a limit.
When the sums have come so far, a task is put on the work queue, and that looks at the link and its sums as they are
now. So a record that comes again, or late, marks nothing that is not so.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence

from .. import keys
from ..errors import Conflict
from ..log import warning
from ..ports.queue import Queue
from ..ports.table import Change, ConditionFailed, Equals, Set, Tables
from ..retry import attempts
from .hits import Hits
from .model import from_item

TRIES = 8


def look_at_limits(tables: Tables, queue: Callable[[], Queue], changes: Sequence[Change]) -> list[str]:
    """Put a task on the queue for each link of these counted scans that may be used up.

    Answers the sequence numbers of records that must come again. `tables` are unscoped; most batches need no `queue`.
    """
    limited: dict[tuple[str, str], list[Change]] = defaultdict(list)
    for change in changes:
        if change.old is None and change.new is not None and "max" in change.new:
            limited[change.key.pk.partition("#")[0], str(change.new["link"])].append(change)
    failed: list[str] = []
    for (account, name), some in limited.items():
        try:
            domain, _, short_id = name.partition("/")
            most = min(each.new["max"] for each in some if each.new is not None)
            if Hits(tables.of(account)).total(domain, short_id) >= most:
                queue().send(json.dumps({"do": "exhaust", "account": account, "link": name}), group=account)
        except Exception as error:  # these records come again; they are counted already, and count no more
            warning("a limit must be looked at again", link=name, why=repr(error))
            failed += [each.sequence for each in some]
    return failed


def mark_exhausted(tables: Tables, account: str, name: str, at: int) -> None:
    """Mark a link whose scans are used up, if they are. `tables` are unscoped: a link is one of the global look-ups."""
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
