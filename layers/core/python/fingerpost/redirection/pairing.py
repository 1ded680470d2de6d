"""Which rule of one list became which of another. Pure; standard library only.

A rule is recognised by being the same, else by its name, its match or its URL where these tell it from all others,
else, without a name, by the rule before or after it. Linear in the number of rules; n log n for their order.
"""

import json
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class _Keys:
    """What a rule is known by: the whole of it, its name, its match, its URL."""

    whole: str
    name: Hashable
    match: Hashable
    url: Hashable


def _keys(sent: Any) -> _Keys:
    whole = json.dumps(sent, sort_keys=True, ensure_ascii=False)
    if not isinstance(sent, dict):
        return _Keys(whole, None, None, None)
    texts = [
        each if isinstance(each := sent.get(name), str) and each else None for name in ("name", "match", "redirectUrl")
    ]
    return _Keys(whole, *texts)


def paired_rules(was_sent: Sequence[Any], now_sent: Sequence[Any]) -> list[tuple[int, int]]:
    """(place now, place before) of each rule that is in both lists, in the order of the newer one.

    Rules are as they were sent; one that is no object is known by being the same only.
    """
    before, after = [_keys(each) for each in was_sent], [_keys(each) for each in now_sent]
    start = 0
    while start < min(len(before), len(after)) and before[start].whole == after[start].whole:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end].whole == after[-1 - end].whole:
        end += 1
    pairs = {place: place for place in range(start)}
    pairs |= {len(after) - 1 - place: len(before) - 1 - place for place in range(end)}
    was = list(range(start, len(before) - end))
    now = list(range(start, len(after) - end))

    def pair(key: Callable[[_Keys], Hashable], *, once: bool) -> None:
        """Those that agree in `key`; when `once`, only where it tells one rule of each side from all others."""
        known: dict[Hashable, deque[int]] = defaultdict(deque)
        for place in was:
            known[key(before[place])].append(place)
        several = Counter(key(after[place]) for place in now) if once else Counter()
        for place in now:
            value = key(after[place])
            if value is None or not known[value] or (once and (several[value] > 1 or len(known[value]) > 1)):
                continue
            pairs[place] = known[value].popleft()
        taken = set(pairs.values())
        was[:] = [place for place in was if place not in taken]
        now[:] = [place for place in now if place not in pairs]

    pair(lambda each: each.whole, once=False)
    pair(lambda each: each.name, once=True)
    pair(lambda each: each.match, once=True)
    pair(lambda each: each.url, once=True)
    _pair_neighbours(before, after, was, now, pairs)
    return sorted(pairs.items())


def _pair_neighbours(
    before: Sequence[_Keys], after: Sequence[_Keys], was: list[int], now: list[int], pairs: dict[int, int]
) -> None:
    """Rules without a name that follow the same rule on both sides, or are followed by the same one."""
    left = {place for place in was if before[place].name is None}
    nameless = [place for place in now if after[place].name is None]
    for step, first, first_was in ((1, 0, 0), (-1, len(after) - 1, len(before) - 1)):
        for place in nameless[::step]:
            beside = pairs.get(place - step)
            there = first_was if place == first else None if beside is None else beside + step
            if there in left and place not in pairs:
                left.remove(there)
                pairs[place] = there


def moved_rules(pairs: Sequence[tuple[int, int]]) -> set[int]:
    """The places now of the fewest rules that have to move so that all others keep their order."""
    tails: list[int] = []  # the least place before with which an order of each length can end
    ends: list[int] = []  # which pair it is
    previous: list[int] = []
    for number, (_, was) in enumerate(pairs):
        length = bisect_left(tails, was)
        previous.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [was]
        ends[length : length + 1] = [number]
    kept: set[int] = set()
    number = ends[-1] if ends else -1
    while number >= 0:
        kept.add(number)
        number = previous[number]
    return {place for number, (place, _) in enumerate(pairs) if number not in kept}
