"""How often links were hit. Standard library only; on the scan path."""

from collections.abc import Iterable

from .. import keys
from ..actions.sums import HITS, settled, total_in
from ..ports.table import Tables
from .model import Link


class Hits:
    """The sums of one account's links. They follow the change feed, so they lag a scan by moments."""

    def __init__(self, tables: Tables):
        self._log = tables.log

    def total(self, domain: str, short_id: str) -> int:
        """Three queries of a few small rows."""
        return self._totals([(domain, short_id)])[domain, short_id]

    def totals(self, links: Iterable[Link]) -> dict[str, int]:
        """By the name of the link."""
        found = self._totals([(link.domain, link.short_id) for link in links])
        return {f"{domain}/{short_id}": number for (domain, short_id), number in found.items()}

    def _totals(self, names: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
        lanes = {keys.count_lane(*name) for name in names}
        found, waiting = settled(self._log, lanes, lambda: {name: total_in(self._log, *name)[HITS] for name in names})
        for fact, number in waiting.items():
            domain, _, short_id = fact.link.partition("/")
            if fact.counts == HITS and (domain, short_id) in found:
                found[domain, short_id] += number
        return found
