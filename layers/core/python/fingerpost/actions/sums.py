"""Sums of visits: what each visit adds to them, and how they are read. Standard library only; on the scan path.

A visit that is counted becomes a fact in a row that waits for the sums (visits.py); from there it is moved into them
with many others (folding.py), in one transaction that removes the row, adds what it holds and says so in the lane's row
of turns. So what a sum is follows from its row and what waits, and a reader who finds that it was somebody's turn while
it read begins again.
"""

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .. import keys
from ..clock import DAY_MS
from ..ports.table import LAST, Item, Key, Row, Table, Unreachable
from ..retry import attempts
from ..shapes import upgraded

HITS, ROBOTS, LIMITED = "n", "robots", "limited"
UNKNOWN = "-"
OTHER = "\N{HORIZONTAL ELLIPSIS}"  # what is summed in place of values that no row holds any more
READ_ATTEMPTS = 10

# Kinds of values that a day's hits are summed by, each the beginning of a field's name. The first have few values.
HOUR, COUNTRY, DEVICE, SYSTEM, BROWSER = "h:", "c:", "d:", "o:", "b:"
CITY, RULE, VARIANT, LINK = "y:", "r:", "v:", "l:"
WIDE = frozenset((CITY, RULE, VARIANT, LINK))  # these can have thousands


class Fact(NamedTuple):
    """What a visit adds to. Equal ones are one fact with how many there were.

    `rule` is `<version>.<number>`, of an application's with its id and a slash before. A visit that is no hit has
    nothing beyond `counts`.
    """

    link: str  # domain/short id
    day: str  # yyyymmdd
    kept: int  # days that the day's sums are kept; 0: for good
    counts: str  # as one of HITS, ROBOTS, LIMITED
    hour: str = ""
    country: str = ""
    city: str = ""
    device: str = ""
    system: str = ""
    browser: str = ""
    rule: str = ""
    variant: str = ""

    def values(self) -> Iterator[str]:
        """The fields of a day's sums, of a link, that this is one more of; with the link itself those of an account."""
        yield self.counts
        if self.counts == HITS:
            yield HOUR + self.hour
            yield COUNTRY + (self.country or UNKNOWN)
            yield DEVICE + (self.device or UNKNOWN)
            yield SYSTEM + (self.system or UNKNOWN)
            yield BROWSER + (self.browser or UNKNOWN)
            yield CITY + (f"{self.country or UNKNOWN}/{self.city}" if self.city else UNKNOWN)
            yield RULE + self.rule
            if self.variant:
                yield f"{VARIANT}{self.rule}/{self.variant}"


type Facts = Counter[Fact]
type Sums = Counter[str]


def sums_of(facts: Mapping[Fact, int], *, account: bool = False) -> Sums:
    """What facts add to one day: of their link, or (`account`) of all links."""
    sums: Sums = Counter()
    for fact, number in facts.items():
        for field in fact.values():
            sums[field] += number
        if account and fact.counts == HITS:
            sums[LINK + fact.link] += number
    return sums


def packed_facts(facts: Mapping[Fact, int]) -> bytes:
    """Facts as a row holds them."""
    text = json.dumps([[*fact, number] for fact, number in facts.items()], ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(text.encode(), 6)


def facts_in(item: Item) -> Facts:
    """The facts of a row that waits."""
    facts: Facts = Counter()
    for *fields, number in json.loads(zlib.decompress(upgraded(item)["facts"])):
        facts[Fact(*fields)] += number
    return facts


def kept_until(at: int, days: int) -> int:
    """When what happened at a moment expires: so many days after its day of UTC ends, as all of that day does."""
    return (at // DAY_MS + 1 + days) * DAY_MS


def expiry_of(row: Mapping[str, Any]) -> int | None:
    """When an action's row expires, if its account had said so when it was recorded."""
    return kept_until(row["ts"], row["kept"]) if row.get("kept") else None


def day_in(sort_key: str) -> str:
    """The day of a row of a day's sums, yyyymmdd."""
    return sort_key.split("#")[1]


def settled[T](log: Table, lanes: Iterable[int], read: Callable[[], T]) -> tuple[T, Facts]:
    """What `read` finds in the sums, and the facts that wait in `lanes`, of one moment. `log` is an account's own.

    Raises Unreachable when others keep moving facts into the sums.
    """
    turns = [keys.turn(keys.waiting(lane)) for lane in lanes]
    for _ in attempts(READ_ATTEMPTS):
        rows = {row.key: row.item for turn in turns for row in _rows(log, turn.pk, "", LAST, 100)}
        before = {turn: rows.pop(turn) for turn in turns if turn in rows}
        found = read()
        if log.get_many(turns, consistent=True) == before:
            facts: Facts = Counter()
            for item in rows.values():
                facts.update(facts_in(item))
            return found, facts
    raise Unreachable("the sums are being written all the time")


def rows_of_days(log: Table, partition: str, first: str, last: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(day, sums) of each row of a partition from one day (yyyymmdd) to another; a day may have several."""
    for row in _rows(log, partition, f"day#{first}", f"day#{last}{LAST}", 1_000):
        yield day_in(row.key.sk), upgraded(row.item)["sums"]


def total_in(log: Table, domain: str, short_id: str) -> Sums:
    """The sums of all time that are in the rows of a link."""
    sums: Sums = Counter()
    for row in _rows(log, keys.hits(domain, short_id), "sum", f"sum{LAST}", 100):
        sums.update(upgraded(row.item)["sums"])
    return sums


def total_key(domain: str, short_id: str) -> Key:
    return Key(keys.hits(domain, short_id), "sum")


def _rows(log: Table, partition: str, low: str, high: str, at_once: int) -> Iterator[Row]:
    position: str | None = None
    while True:
        page = log.query(partition, low=low, high=high, after=position, limit=at_once, consistent=True)
        yield from page.rows
        if page.after is None:
            return
        position = page.after
