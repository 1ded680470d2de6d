"""A model of the change feed: visits, and how an event source mapping delivers their records."""

import random
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fingerpost import keys
from fingerpost.clock import DAY_MS
from fingerpost.ids import new_id
from fingerpost.packed import rest_of
from fingerpost.ports.table import Change, Item, Key, Reason, Throttled, TransactionFailed, Uncertain, Unreachable
from fingerpost.shapes import stamp
from tests.stores import NOON, Crash

DOMAIN = "tn.example"
PERSON = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1"
DESKTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
DEVICE = {PERSON: ("phone", "ios", "safari"), DESKTOP: ("desktop", "linux", "firefox")}
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
PREVIEW = "WhatsApp/2.23.20.0"
MAX_ATTEMPTS = 6


def action(account: str, at: int = NOON, link: str = "AAAA", **more: Any) -> Change:
    """The feed's record of a new action; with a link it is a visit."""
    action_id = new_id(at)
    item: Item = {**stamp("action"), "type": "implicitScans", "ts": at, "projects": ["P"], "ua": PERSON, **more}
    if link:
        item |= {"link": f"{DOMAIN}/{link}", "url": "https://museum.example/"}
    return Change(
        sequence=f"{id(item)}-{action_id}", key=keys.owned(account, keys.action(action_id)), old=None, new=item
    )


def removed(change: Change) -> Change:
    return Change(sequence=f"{change.sequence}-gone", key=change.key, old=change.new, new=None)


type Named = tuple[str, str, str]  # an account, a link or `*` for all of them, a day or nothing for all days


def distinct(changes: Sequence[Change]) -> list[Any]:
    """(account, row, day) of each visit, however often its record is there."""
    rows: list[Any] = []
    for change in {change.key: change for change in changes if change.new is not None}.values():
        item: Any = change.new
        if "link" in item:
            day = datetime.fromtimestamp(item["ts"] / 1000, UTC).strftime("%Y%m%d")
            rows.append((change.key.pk.partition("#")[0], item, day))
    return rows


def is_hit(item: Any) -> bool:
    return not item.get("mark") and item["ua"] in DEVICE and "limit" not in item


def expected_sums(changes: Sequence[Change]) -> dict[Named, Counter[str]]:
    """What distinct visits add up to."""
    sums: dict[Named, Counter[str]] = defaultdict(Counter)
    for account, item, day in distinct(changes):
        total, own, everywhere = (
            sums[name] for name in ((account, item["link"], ""), (account, item["link"], day), (account, "*", day))
        )
        if not is_hit(item):
            counts = "limited" if item["ua"] in DEVICE and not item.get("mark") else "robots"
            for each in (total, own, everywhere):
                each[counts] += 1
            continue
        total["n"] += 1
        hour = datetime.fromtimestamp(item["ts"] / 1000, UTC).hour
        country, city = item.get("country", "-"), item.get("city")
        rule = f"{item.get('rules', 0)}.{item.get('rule', 0)}"
        fields = ["n", f"h:{hour:02d}", f"c:{country}", f"y:{country}/{city}" if city else "y:-", f"r:{rule}"]
        fields += [f"{kind}:{value}" for kind, value in zip("dob", DEVICE[item["ua"]], strict=True)]
        fields += [f"v:{rule}/{item['variant']}"] if "variant" in item else []
        own.update(fields)
        everywhere.update([*fields, f"l:{item['link']}"])
    return dict(sums)


def expected_visitors(changes: Sequence[Change]) -> dict[Named, int]:
    """How many visitors each link, and each account, had on each day with hits. Nobody is known of what was deleted."""
    found: dict[Named, set[str]] = defaultdict(set)
    gone = {change.key for change in changes if change.new is None}
    for account, item, day in distinct(changes):
        for name in (item["link"], "*") if is_hit(item) else ():
            found[account, name, day] |= set()
    for account, item, day in distinct([change for change in changes if change.key not in gone]):
        if is_hit(item):
            for name in (item["link"], "*"):
                found[account, name, day] |= {item["visitor"]} if "visitor" in item else set()
    return {name: len(visitors) for name, visitors in found.items()}


@dataclass
class Stream:
    """Delivers records as an event source mapping does, and may deliver any batch twice."""

    chance: random.Random
    deliver: Callable[[Sequence[Change]], list[str]]
    parked: list[Change] = field(default_factory=list)

    def run(self, lanes: Sequence[Sequence[Change]]) -> None:
        positions = [0] * len(lanes)
        while left := [lane for lane, records in enumerate(lanes) if positions[lane] < len(records)]:
            lane = self.chance.choice(left)  # invocations of different lanes come in any order
            size = self.chance.choice([1, 3, 10, 100])
            batch = lanes[lane][positions[lane] : positions[lane] + size]
            self._work_through(batch)
            positions[lane] += len(batch)
            if self.chance.random() < 0.2:  # a lease moved: the batch comes once more
                self._work_through(batch)

    def _work_through(self, batch: Sequence[Change]) -> None:
        attempts = 0
        while batch:
            failed = self._invoke(batch)
            if failed is None:  # the function failed: bisect
                attempts += 1
                if len(batch) > 1:
                    middle = len(batch) // 2
                    self._work_through(batch[:middle])
                    batch = batch[middle:]
                    continue
                first = 0
            elif failed:
                first = min(next(n for n, each in enumerate(batch) if each.sequence == name) for name in failed)
                attempts = attempts + 1 if first == 0 else 1
            else:
                return
            batch = batch[first:]
            if attempts >= MAX_ATTEMPTS:
                self.parked.append(batch[0])
                batch, attempts = batch[1:], 0

    def _invoke(self, batch: Sequence[Change]) -> list[str] | None:
        """None: it failed, timed out, or its answer was lost, perhaps after all was done."""
        try:
            failed = self.deliver(batch)
        except Crash:
            return None
        return None if self.chance.random() < 0.1 else failed


def faulty(chance: random.Random, poison: frozenset[str] = frozenset()) -> Callable[..., Any]:
    """A log that is throttled, meets conflicts, loses answers after it wrote, and never takes a poisoned record."""
    rests = [rest_of(each) for each in poison]  # in pages and marks an id stands without its window

    def misbehave(name: str, method: Callable[..., Any], args: Sequence[Any]) -> Any:
        if poison and any(each in repr(args) for each in rests):
            raise ValueError("nothing can be done with this")
        match name, chance.random():
            case _, luck if luck < 0.02:
                raise Crash
            case "transact", luck if luck < 0.10:
                raise Throttled
            case "transact", luck if luck < 0.25:
                kinds = [chance.choice(["none", "conflict", "throttled"]) for _ in args[0]]
                raise TransactionFailed([Reason(kind) for kind in kinds])
            case "transact", luck if luck < 0.35:
                method(*args)
                raise Uncertain
            case "put_many", luck if luck < 0.10:
                method(args[0][: len(args[0]) // 2])
                raise Throttled
            case "put_many", luck if luck < 0.15:
                method(*args)
                raise Unreachable
            case "delete" | "put" | "query", luck if luck < 0.05:
                raise Throttled
            case "delete" | "put", luck if luck < 0.08:
                method(*args)
                raise Unreachable
            case _:
                return method(*args)

    return misbehave


def traffic(chance: random.Random, accounts: Sequence[str], number: int) -> list[Change]:
    """Visits of a hot link and of others over some days, scans without a link, and deletions, as the feed has them.

    Some come in bursts, so that a batch has company for some of its records and none for others.
    """
    bursts = [NOON + chance.randrange(3 * DAY_MS) for _ in range(3)]
    changes: list[Change] = []
    for _ in range(number):
        more: dict[str, Any] = {"ua": chance.choice([PERSON] * 5 + [DESKTOP, CRAWLER, PREVIEW])}
        more["visitor"] = f"{chance.randrange(number):018x}"  # some come again
        if chance.random() < 0.5:
            more |= {"country": chance.choice(["IE", "GB"]), "rules": 3, "rule": chance.randrange(1, 4)}
        if chance.random() < 0.3:
            more |= {"city": chance.choice(["Cork", "Leeds", "Val-d\u2019Or"]), "variant": chance.choice(["A", "B"])}
        if chance.random() < 0.1:
            more["limit"] = chance.choice(["before", "after", "exhausted"])
        if chance.random() < 0.2:
            more["mark"] = chance.choice(["head", "prefetch"])
        link = chance.choice(["HOT"] * 6 + ["B", "C", "D", "", ""])
        at = chance.choice([NOON + chance.randrange(3 * DAY_MS), chance.choice(bursts) + chance.randrange(4_000)])
        changes.append(action(chance.choice(accounts), at, link, **more))
        if chance.random() < 0.1:
            changes.append(removed(chance.choice([each for each in changes if each.new is not None])))
    gone: set[Key] = set()
    return [each for each in changes if each.new is not None or not (each.key in gone or gone.add(each.key))]


def laned(changes: Sequence[Change], number: int) -> list[list[Change]]:
    """Shards times parallelisation factor: a key's records stay in one lane, in order."""
    lanes: list[list[Change]] = [[] for _ in range(number)]
    for change in changes:
        lanes[zlib.crc32(change.key.pk.encode()) % number].append(change)
    return lanes
