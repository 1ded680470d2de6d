"""What matching costs beside the same tests written by hand in Python, in one run."""

import json
import random
from collections.abc import Callable
from functools import partial
from time import process_time_ns
from typing import Any

from bench.row import Row
from fingerpost.rules.nodes import (
    AllOf,
    Between,
    Context,
    Exact,
    Node,
    Prefix,
    Test,
    from_json,
    number_of,
    predicate,
    to_json,
)
from fingerpost.rules.ruleset import RuleSet
from fingerpost.rules.template import fill
from fingerpost.rules.template import from_json as template_from_json

ROUNDS = 5
HOUR = 3_600_000
COUNTRIES = [first + second for first in "ABCDEFG" for second in "KLMNOP"]
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
LAST_MATCHES: dict[str, Any] = {  # only the last rule of `rules_and_lambdas` matches this one
    "country": COUNTRIES[0],
    "dayOfWeek": "mon",
    "timeOfDay": 9 * HOUR + 1,
    "thng.tags": ["tag0", "outlet"],
    "thng.name": "Smart product 1",
    "thng.customFields.size": 41,
    "product.identifiers.upc": "1",
}


def rows() -> list[Row]:
    """Microseconds, the floor of the same run, and how many times the floor it is."""
    measured: list[Row] = []
    for count in (10, 100, 1_000, 10_000):
        budget = 0.1 if count == 1_000 else None
        rules, by_hand = rules_and_lambdas(count)
        ruleset = RuleSet.build(rules)
        events = [event(random.Random(number)) for number in range(200)]
        for context in (*events, LAST_MATCHES):
            assert ruleset.first_match(context) == first_by_hand(by_hand, context)
        value, floor = fastest(
            partial(ruleset.first_match, LAST_MATCHES),
            partial(first_by_hand, by_hand, LAST_MATCHES),
            times=max(100_000 // count, 10),
        )
        measured.append(_row(f"first match of {count:,} rules, the last one matches, us", value, floor, budget))
        value, floor = fastest(
            partial(_for_each, ruleset.first_match, events),
            partial(_for_each, partial(first_by_hand, by_hand), events),
            times=max(2_000 // count, 1),
        )
        measured.append(_row(f"first match of {count:,} rules, average event, us", value / 200, floor / 200, None))
    return [*measured, *predicate_rows(), *load_rows(10_000), fill_row()]


def predicate_rows() -> list[Row]:
    """One predicate against the same test as a lambda."""
    tests: list[tuple[str, Node, Callable[[Context], bool]]] = [
        ("text equals", _text("country", COUNTRIES[0]), lambda c: c.get("country") == COUNTRIES[0]),
        (
            "two tests",
            AllOf((_text("country", COUNTRIES[0]), _range("timeOfDay", 9 * HOUR, 17 * HOUR))),
            lambda c: c.get("country") == COUNTRIES[0] and 9 * HOUR <= c.get("timeOfDay", -1) <= 17 * HOUR,
        ),
        (
            "prefix",
            Test("thng.name", "=", (Prefix("Smart"),)),
            lambda c: c.get("thng.name", "").startswith("Smart"),
        ),
    ]
    measured = []
    for name, node, by_hand in tests:
        compiled = predicate(node)
        assert compiled(LAST_MATCHES) is by_hand(LAST_MATCHES) is True
        value, floor = fastest(partial(compiled, LAST_MATCHES), partial(by_hand, LAST_MATCHES), times=20_000)
        measured.append(_row(f"one predicate, {name}, us", value, floor, 1.2))
    return measured


def load_rows(count: int) -> list[Row]:
    """What a cold start adds to parsing the JSON, a rule: making the set, making it and asking once, making nodes."""
    rules, _ = rules_and_lambdas(count)
    text = json.dumps([to_json(rule) for rule in rules])
    documents = json.loads(text)

    def load_and_ask() -> None:
        RuleSet.load(documents).first_match(LAST_MATCHES)

    return [
        _row(f"{name} of {count:,} rules, us/rule", value / count, floor / count, None)
        for name, work in (
            ("load", lambda: RuleSet.load(documents)),
            ("load and first scan", load_and_ask),
            ("nodes from JSON", lambda: [from_json(document) for document in documents]),
        )
        for value, floor in [fastest(work, lambda: json.loads(text), times=1)]
    ]


def fill_row() -> Row:
    """A URL template against an f-string that encodes nothing."""
    template = template_from_json(["https://example.com/", ["thng.name", "path"], "?c=", ["country", "query"]])
    value, floor = fastest(
        lambda: fill(template, LAST_MATCHES),
        lambda: f"https://example.com/{LAST_MATCHES['thng.name']}?c={LAST_MATCHES['country']}",
        times=50_000,
    )
    return _row("fill a URL template, us", value, floor, None)


def fastest(work: Callable[[], object], floor: Callable[[], object], *, times: int) -> tuple[float, float]:
    """The least CPU microseconds of one call of each, over rounds in which they take turns."""
    least = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for place, call in enumerate((work, floor)):
            start = process_time_ns()
            for _ in range(times):
                call()
            least[place] = min(least[place], (process_time_ns() - start) / times / 1_000)
    return least[0], least[1]


def rules_and_lambdas(count: int) -> tuple[list[Node], list[Callable[[Context], bool]]]:
    """Rules of two or three tests as operators write them, and the same by hand. The last matches LAST_MATCHES only."""
    chance = random.Random(count)
    made = [_rule(chance, number) for number in range(count - 1)]
    last = (
        AllOf((Test("thng.tags", "=", (Exact("outlet", "outlet"),)), _range("timeOfDay", 9 * HOUR, 17 * HOUR))),
        lambda c: "outlet" in c.get("thng.tags", ()) and 9 * HOUR <= c.get("timeOfDay", -1) <= 17 * HOUR,
    )
    return [rule for rule, _ in (*made, last)], [by_hand for _, by_hand in (*made, last)]


def _rule(chance: random.Random, number: int) -> tuple[Node, Callable[[Context], bool]]:
    country, tag, day = chance.choice(COUNTRIES[1:]), f"tag{chance.randrange(1, 200)}", chance.choice(DAYS[1:])
    hour, size, name = chance.randrange(24), chance.randrange(40), f"Name {number}"
    low, high = hour * HOUR, (hour + 8) * HOUR - 1
    match number % 5:
        case 0:
            return (
                AllOf((_text("country", country), _text("thng.tags", tag))),
                lambda c: c.get("country") == country and tag in c.get("thng.tags", ()),
            )
        case 1:
            return (
                AllOf((_range("timeOfDay", low, high), _text("dayOfWeek", day, "sun"), _text("country", country))),
                lambda c: (
                    low <= c.get("timeOfDay", -1) <= high
                    and c.get("dayOfWeek") in (day, "sun")
                    and c.get("country") == country
                ),
            )
        case 2:
            return (
                AllOf((_open("product.identifiers.upc", f"{number:05}"), _text("country", country))),
                lambda c: c.get("product.identifiers.upc") == f"{number:05}" and c.get("country") == country,
            )
        case 3:
            return (
                AllOf((Test("thng.name", "=", (Prefix(name),)), _text("dayOfWeek", day))),
                lambda c: c.get("thng.name", "").startswith(name) and c.get("dayOfWeek") == day,
            )
        case _:
            return (
                AllOf((_open("thng.customFields.size", str(size)), _text("country", country))),
                lambda c: c.get("thng.customFields.size") == size and c.get("country") == country,
            )


def event(chance: random.Random) -> dict[str, Any]:
    return {
        "country": chance.choice(COUNTRIES),
        "dayOfWeek": chance.choice(DAYS),
        "timeOfDay": chance.randrange(24 * HOUR),
        "thng.tags": [f"tag{chance.randrange(200)}" for _ in range(3)],
        "thng.name": f"Name {chance.randrange(2_000)}",
        "thng.customFields.size": chance.randrange(42),
        "product.identifiers.upc": f"{chance.randrange(2_000):05}",
    }


def first_by_hand(by_hand: list[Callable[[Context], bool]], context: Context) -> int | None:
    for number, each in enumerate(by_hand):
        if each(context):
            return number
    return None


def _for_each(choose: Callable[[Context], int | None], contexts: list[dict[str, Any]]) -> None:
    for context in contexts:
        choose(context)


def _text(field: str, *texts: str) -> Node:
    return Test(field, "=", tuple(Exact(text, text) for text in texts))


def _open(field: str, text: str) -> Node:
    return Test(field, "=", (Exact(text, text, number_of(text)),))


def _range(field: str, low: int, high: int) -> Node:
    return Test(field, "=", (Between(low, high),))


def _row(name: str, value: float, floor: float, budget: float | None) -> Row:
    what, _, unit = name.rpartition(", ")
    return Row(what, f"{value:.2f} {unit}", f"{floor:.2f} {unit}", value / floor, budget)
