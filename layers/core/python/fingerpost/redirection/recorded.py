"""A recorded scan, so that rules can be asked about it again. Its things are read as they are now."""

from dataclasses import dataclass
from typing import Any

from .context import Sources
from .facts import Facts


@dataclass(frozen=True, slots=True)
class Recorded:
    """The row of a scan's action in its current shape (`actions.model.row_of`), and the action's id."""

    id: str
    row: dict[str, Any]

    @property
    def at(self) -> int:
        moment: int = self.row["ts"]
        return moment

    @property
    def asked(self) -> bool:
        """Whether rules were, or would have been had there been any; not of a scan that met a limit."""
        return "limit" not in self.row and ("rules" in self.row or "link" in self.row)

    @property
    def link(self) -> tuple[str, str] | None:
        """The short domain and the short ID that were scanned; None of a scan that a client posted."""
        if "link" not in self.row:
            return None
        domain, _, short_id = self.row["link"].partition("/")
        return domain, short_id

    @property
    def posted_by(self) -> str | None:
        """The application that posted this scan: its rules alone are asked. None: the account's are."""
        return self.row.get("app") if "byRule" not in self.row else None

    @property
    def things(self) -> tuple[str | None, str | None]:
        """The ids of its thng and of its product."""
        return self.row.get("thng"), self.row.get("product")

    def sources(self) -> Sources:
        """What is known of it without reading anything."""
        row = self.row
        return Sources(
            facts=facts_of_row(row), action={"type": row["type"], "customFields": row.get("customFields", {})}
        )


def facts_of_row(row: dict[str, Any]) -> Facts:
    """The inverse of `visit.context_item`; an address was cut, so the day's hash stands for who it was."""
    return Facts(
        at=row["ts"],
        visitor=row.get("visitor", ""),
        variant=row.get("variant", ""),
        agent=row.get("ua", ""),
        languages=row.get("lang", ""),
        referer=row.get("ref", ""),
        query=row.get("q", ""),
        country=row.get("country", ""),
        region=row.get("region", ""),
        city=row.get("city", ""),
        latitude=row.get("lat"),
        longitude=row.get("lon"),
        zone=row.get("zone", ""),
        source=row.get("source", "unknown"),
    )
