"""What became of scans: hits, and what they were made of, by day, of one link or of all an account has."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

from .. import keys
from ..actions.sums import (
    BROWSER,
    CITY,
    COUNTRY,
    DEVICE,
    HITS,
    HOUR,
    LIMITED,
    LINK,
    OTHER,
    ROBOTS,
    RULE,
    SYSTEM,
    UNKNOWN,
    VARIANT,
    Sums,
    rows_of_days,
    settled,
    sums_of,
)
from ..caller import Caller
from ..errors import Finding, Invalid
from ..ports.table import Table
from ..resources import Document
from .names import RuleNames
from .periods import compact, day, day_of, expanded
from .visitors import visitors_of_days

MAX_DAYS = 366  # that one request asks about
DEFAULT_DAYS = 30
MAX_VALUES = 1_000  # of one kind in a JSON answer, those with most hits; CSV has all
BY_DAY = "day"
DEFAULT = "default"  # what decided where no rule did: the default URL
KINDS = {
    "hour": HOUR,
    "country": COUNTRY,
    "city": CITY,
    "device": DEVICE,
    "os": SYSTEM,
    "browser": BROWSER,
    "rule": RULE,
    "variant": VARIANT,
    "redirection": LINK,
}
_RULE = re.compile(r"(?:(?P<app>\w{24})/)?(?P<version>\d+)\.(?P<rule>\d+)(?:/(?P<variant>.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Of which days of UTC, by what, and of one link (`domain/short id`) or of all."""

    first: date
    last: date
    by: tuple[str, ...]
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Each day's sums and its visitors; a day without visits has none."""

    asked: Question
    days: Mapping[date, Sums]
    visitors: Mapping[date, int | None]

    @property
    def sums(self) -> Sums:
        """Of all days together."""
        sums: Sums = Counter()
        for each in self.days.values():
            sums.update(each)
        return sums


def question(caller: Caller, query: Mapping[str, str], by: list[str], link: str | None = None) -> Question:
    """What a request's parameters ask for; `by` may hold lists with commas. Raises Invalid."""
    today = day_of(caller.at)
    last = day(query["to"], "to") if query.get("to") else today
    first = day(query["from"], "from") if query.get("from") else last - timedelta(DEFAULT_DAYS - 1)
    if first > last:
        raise Invalid("from is later than to", details=[Finding(field="from", message="is later than to")])
    if (last - first).days >= MAX_DAYS:
        message = f"a request asks about at most {MAX_DAYS} days; {first} to {last} are {(last - first).days + 1}"
        raise Invalid(f"from: {message}", details=[Finding(field="from", message=message)])
    known = (BY_DAY, *(name for name in KINDS if name != "redirection" or link is None))
    names = list(dict.fromkeys(part for each in by for part in each.split(",") if part))
    for name in names:
        if name not in known:
            finding = Finding(field="by", message="unknown", near=name[:40], expected=known)
            raise Invalid(f"by takes {', '.join(known)}, not {name[:40]!r}", details=[finding])
    return Question(first=first, last=last, by=tuple(names) or (BY_DAY,), link=link)


def find(caller: Caller, asked: Question) -> Found:
    """Read the sums and count the visitors."""
    log = caller.tables.log
    today = day_of(caller.at)
    days = _days(log, asked, today)
    hits = {each: sums[HITS] for each, sums in days.items()}
    return Found(asked, days, visitors_of_days(log, asked.link, hits, today))


def _days(log: Table, asked: Question, today: date) -> dict[date, Sums]:
    """Each day's sums. What waits for them does not expire, as they do, and is left out when it would have."""
    first, last = compact(asked.first), compact(asked.last)
    if asked.link is None:
        lanes = list(range(keys.COUNT_LANES))
        partitions = [keys.account_hits(lane) for lane in lanes]
    else:
        domain, _, short_id = asked.link.partition("/")
        lanes, partitions = [keys.count_lane(domain, short_id)], [keys.hits(domain, short_id)]
    rows, waiting = settled(
        log, lanes, lambda: [row for partition in partitions for row in rows_of_days(log, partition, first, last)]
    )
    days: dict[str, Sums] = {}
    for each, sums in rows:
        days.setdefault(each, Counter()).update(sums)
    for fact, number in waiting.items():
        expired = fact.kept and (today - date.fromisoformat(expanded(fact.day))).days > fact.kept
        if first <= fact.day <= last and asked.link in (None, fact.link) and not expired:
            days.setdefault(fact.day, Counter()).update(sums_of({fact: number}, account=asked.link is None))
    return {date.fromisoformat(expanded(each)): days[each] for each in sorted(days)}


def document(found: Found, names: RuleNames) -> Document:
    """The JSON answer. `visitors` are each day's, added up; null when a day's are not known."""
    sums, visitors = found.sums, list(found.visitors.values())
    counted = [number for number in visitors if number is not None]
    return {
        "from": found.asked.first.isoformat(),
        "to": found.asked.last.isoformat(),
        "hits": sums[HITS],
        "robots": sums[ROBOTS],
        "limited": sums[LIMITED],
        "visitors": sum(counted) if len(counted) == len(visitors) else None,
        "by": {name: list(islice(_values(found, name, sums, names), MAX_VALUES)) for name in found.asked.by},
    }


def table(found: Found, names: RuleNames) -> Iterator[tuple[str, Document]]:
    """Every value there is, with a text by which the rows of a table are in order, whatever is counted meanwhile."""
    for number, name in enumerate(found.asked.by):
        rows = [(_identity(each), each) for each in _values(found, name, found.sums, names)]
        for identity, each in sorted(rows, key=lambda row: row[0]):
            yield f"{number:02d}{identity}", {"by": name, **each}


def _identity(value: Document) -> str:
    parts = (value["value"], value.get("country", ""), value.get("application", ""), value.get("version", 0))
    return "\0".join([*map(str, parts), str(value.get("rule", 0))])


def _values(found: Found, name: str, sums: Sums, names: RuleNames) -> Iterator[Document]:
    """What hits are summed by: days and hours in order, all of them; anything else by most hits."""
    whole = sums[HITS]
    if name == BY_DAY:
        for number in range((found.asked.last - found.asked.first).days + 1):
            each = found.asked.first + timedelta(number)
            hits = found.days.get(each, Counter())[HITS]
            yield {**_value(each.isoformat(), hits, whole), "visitors": found.visitors.get(each, 0)}
        return
    kind = KINDS[name]
    values: Counter[str] = Counter()
    for field, number in sums.items():
        if field.startswith(kind):
            values[field[len(kind) :]] += number
    if kind == HOUR:
        for hour in range(24):
            yield _value(f"{hour:02d}", values[f"{hour:02d}"], whole)
    elif kind in (RULE, VARIANT):
        yield from _of_rules(values, whole, names)
    else:
        for text, hits in _most_first(values):
            yield _of_city(text, hits, whole) if kind == CITY else _value(_shown(text), hits, whole)


def _of_city(text: str, hits: int, whole: int) -> Document:
    country, _, city = text.partition("/")
    if not city:
        return _value(_shown(text), hits, whole)
    return {**_value(city, hits, whole), "country": _shown(country)}


def _of_rules(values: Counter[str], whole: int, names: RuleNames) -> Iterator[Document]:
    """By rule, or by variant of a rule. Where no rule decided, versions make no difference."""
    rules: Counter[str] = Counter()
    for text, hits in values.items():
        rules[DEFAULT if (found := _RULE.fullmatch(text)) and found["rule"] == "0" else text] += hits
    for text, hits in _most_first(rules):
        if (found := _RULE.fullmatch(text)) is None:
            yield _value(_shown(text), hits, whole)
            continue
        application, version, number = found["app"], int(found["version"]), int(found["rule"])
        name = names.of(application, version, number)
        yield {
            **_value(found["variant"] or f"{version}.{number}", hits, whole),
            **({"application": application} if application else {}),
            "version": version,
            "rule": number,
            **({"name": name} if name else {}),
        }


def _most_first(values: Counter[str]) -> list[tuple[str, int]]:
    return sorted(values.items(), key=lambda pair: (-pair[1], pair[0] == UNKNOWN, pair[0]))


def _shown(text: str) -> str:
    return {UNKNOWN: "unknown", OTHER: "other"}.get(text, text)


def _value(value: str, hits: int, whole: int) -> Document:
    return {"value": value, "hits": hits, "share": round(hits / whole, 4) if whole else 0}
