"""How often a link was hit. Sums are spread over lanes, added up here; standard library only."""

from .. import keys
from ..ports.table import LAST, Tables


class Hits:
    """The sums of one account's links. They follow the change feed, so they lag a scan by moments."""

    def __init__(self, tables: Tables):
        self._log = tables.log

    def total(self, domain: str, short_id: str) -> int:
        """One query of at most eight small rows."""
        page = self._log.query(keys.hits(domain, short_id), low="sum#", high="sum#" + LAST, consistent=True)
        return sum(count for row in page.rows if isinstance(count := row.item.get("n"), int))
