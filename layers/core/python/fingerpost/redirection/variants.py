"""Split tests: which of a rule's variants a visitor gets. Standard library only; on the scan path.

Nothing is kept of it. The choice follows from who asks and for which rule, so it is the same at every scan, on every
machine, in every version of the rules, as long as the rule keeps its name and the variants their weights.
"""

import hashlib
from collections.abc import Sequence

from .facts import Facts


def visitor_of(facts: Facts) -> str:
    """Who a split test takes this scan for: its `visitor` where one is known, else the address with the agent."""
    return facts.visitor or f"{facts.address}|{facts.agent}"


def chosen(weights: Sequence[int], account: str, rule: str, visitor: str) -> int:
    """The place of the variant that a visitor gets; each has the share of its weight. `rule` tells rules apart."""
    digest = hashlib.blake2b(f"{account}|{rule}|{visitor}".encode(), digest_size=8).digest()
    point = int.from_bytes(digest) % sum(weights)
    place = 0
    while point >= weights[place]:
        point -= weights[place]
        place += 1
    return place
