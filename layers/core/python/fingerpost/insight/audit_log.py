"""The audit log as those who may see it read it: newest first, a page at a time. Nothing here can change it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from .. import cursor, keys
from ..access.authors import authors
from ..access.store import ACCOUNT
from ..caller import Caller
from ..clock import DAY_MS
from ..errors import Finding, Invalid
from ..listing import PageOf
from ..ports.table import LAST, Item, Key
from ..resources import Document, Resources
from ..shapes import upgraded
from .periods import moment

READ_BUDGET = 2_000  # entries that one request looks at
AT_ONCE = 100
OLDER_MS = 62 * DAY_MS  # than its account no entry is
MAX_PAGE_BYTES = 3 * 1024 * 1024  # of the documents in one answer: Lambda sends 6 MB
MAX_VALUE = 400  # characters of a value to filter by
FILTERS = {"what": "what", "verb": "verb", "by": "by"}  # a parameter, and the row's field that it has to equal


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which entries. `wanted` are fields of a row and what each has to be; times are inclusive milliseconds."""

    low: int
    high: int
    resource: str = ""
    wanted: Mapping[str, str]

    def digest(self, account: str) -> str:
        parts = (str(self.low), self.resource, *(f"{name}={value}" for name, value in sorted(self.wanted.items())))
        return cursor.filter_digest(account, "audit", *parts)


def question(caller: Caller, query: Mapping[str, str]) -> Question:
    """What a request's parameters ask for. Raises Invalid."""
    for name in (*FILTERS, "resource"):
        if len(query.get(name, "")) > MAX_VALUE:
            message = f"{name} has at most {MAX_VALUE} characters"
            raise Invalid(f"{name}: {message}", details=[Finding(field=name, message=message)])
    low = moment(query["from"], "from") if query.get("from") else 0
    high = moment(query["to"], "to", last=True) if query.get("to") else caller.at + DAY_MS
    if low > high:
        raise Invalid("from is later than to", details=[Finding(field="from", message="is later than to")])
    return Question(
        low=low,
        high=min(high, caller.at + DAY_MS),
        resource=query.get("resource", ""),
        wanted={field: query[name] for name, field in FILTERS.items() if query.get(name)},
    )


def page(caller: Caller, asked: Question, *, per_page: int, token: str | None, secret: bytes) -> PageOf[Document]:
    """Documents of up to `per_page` entries, fewer when they are large or hard to find; the token goes on from there.

    Raises InvalidCursor.
    """
    digest = asked.digest(caller.principal.account)
    after = cursor.decode(secret, token, digest) if token else None
    found: list[tuple[str, Item]] = []
    size = examined = 0
    last: str | None = None
    entries = _pointed_at(caller, asked, after) if asked.resource else _of_months(caller, asked, after)
    for position, item in entries:
        row = upgraded(item)
        more = len(row["before"] or "") + len(row["after"] or "")
        if all(row[field] == value for field, value in asked.wanted.items()):
            if len(found) == per_page or (found and size + more > MAX_PAGE_BYTES):
                break
            found.append((position, row))
            size += more
        last, examined = position, examined + 1
        if examined >= READ_BUDGET:
            break
    else:
        last = None
    return PageOf(
        tuple(_documents(caller, [row for _, row in found])), cursor.encode(secret, last, digest) if last else None
    )


def _of_months(caller: Caller, asked: Question, after: str | None) -> Iterator[tuple[str, Item]]:
    """(sort key, row), newest first, month by month, as far back as the account goes and a bit, for a demo's past."""
    begun = Resources(caller.tables, ACCOUNT).read(caller.principal.account).document["createdAt"]
    low = max(asked.low, begun - OLDER_MS)
    at = asked.high if after is None else min(asked.high, int(after[:15]))
    month = datetime.fromtimestamp(at / 1000, UTC).replace(day=1)
    last = datetime.fromtimestamp(low / 1000, UTC)
    while (month.year, month.month) >= (last.year, last.month):
        yield from _rows(caller, keys.audits(f"{month.year:04d}{month.month:02d}"), asked, low, after)
        month = month.replace(year=month.year - (month.month == 1), month=month.month - 1 or 12)


def _pointed_at(caller: Caller, asked: Question, after: str | None) -> Iterator[tuple[str, Item]]:
    pointers = _rows(caller, keys.audits_of(asked.resource), asked, asked.low, after)
    while batch := list(islice(pointers, AT_ONCE)):
        wanted = {sk: Key(keys.audits(upgraded(item)["month"]), sk) for sk, item in batch}
        rows = caller.tables.main.get_many(list(wanted.values()), consistent=True)
        yield from ((sk, rows[key]) for sk, key in wanted.items() if key in rows)


def _rows(caller: Caller, partition: str, asked: Question, low: int, after: str | None) -> Iterator[tuple[str, Item]]:
    position = after
    while True:
        read = caller.tables.main.query(
            partition,
            low=f"{low:015d}",
            high=f"{asked.high:015d}#{LAST}",
            after=position,
            descending=True,
            limit=AT_ONCE,
            consistent=True,
        )
        yield from ((row.key.sk, row.item) for row in read.rows)
        if read.after is None:
            return
        position = read.after


def _documents(caller: Caller, rows: list[Item]) -> Iterator[Document]:
    known = authors(caller.tables, rows)
    for row in rows:
        before, after = (None if row[side] is None else json.loads(row[side]) for side in ("before", "after"))
        yield {
            "id": row["id"],
            "timestamp": row["at"],
            "verb": row["verb"],
            "what": row["what"],
            "resource": row["resource"],
            "by": known[row["by"]],
            "address": row["from"],
            "cause": row["cause"],
            **({"reason": after["reason"]} if isinstance(after, dict) and after.get("reason") else {}),
            "changed": _changed(before, after),
            "before": before,
            "after": after,
        }


def _changed(before: Any, after: Any) -> list[str]:
    """The fields that differ, by name; of what was created or deleted none."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return []
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
