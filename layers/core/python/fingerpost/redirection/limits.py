"""Limits of a redirection: from when, until when, how many scans. Standard library only; on the scan path.

They cost a scan nothing: the times and whether the scans are used up are on the link's own row. Scans are counted off
the change feed (exhaustion.py), so a few more than the limit may get through in the seconds that takes.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

from ..frozen import Frozen
from ..rules.template import Template, from_json, to_json

type Limit = Literal["before", "after", "exhausted"]

# What a redirection is while this limit is in its way.
STATES: Mapping[Limit | None, str] = {
    None: "active",
    "before": "notYet",
    "after": "ended",
    "exhausted": "exhausted",
}


class Limits(Frozen, kw_only=True):
    """`valid_from` is the first millisecond it leads anywhere, `valid_until` the first that it no longer does.

    `urls` are those that take over at a limit: as the operator wrote it, and taken apart.
    """

    valid_from: int | None = None
    valid_until: int | None = None
    max_scans: int | None = None
    urls: Mapping[str, tuple[str, Template]] = {}

    def met(self, at: int, *, exhausted: bool) -> Limit | None:
        """The limit that is in the way of a scan at a moment; None while there is none."""
        if self.valid_from is not None and at < self.valid_from:
            return "before"
        if self.valid_until is not None and at >= self.valid_until:
            return "after"
        return "exhausted" if exhausted else None

    def document(self) -> dict[str, Any]:
        """As operators send them, without what is not set."""
        values = {
            "validFrom": self.valid_from,
            "beforeUrl": self._text("before"),
            "validUntil": self.valid_until,
            "afterUrl": self._text("after"),
            "maxScans": self.max_scans,
            "exhaustedUrl": self._text("exhausted"),
        }
        return {name: value for name, value in values.items() if value is not None}

    def _text(self, limit: Limit) -> str | None:
        return self.urls[limit][0] if limit in self.urls else None


def to_text(limits: Limits) -> str:
    """As the link's row keeps them."""
    kept = {
        "from": limits.valid_from,
        "until": limits.valid_until,
        "max": limits.max_scans,
        "urls": {limit: [written, to_json(url)] for limit, (written, url) in limits.urls.items()} or None,
    }
    told = {name: value for name, value in kept.items() if value is not None}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def from_text(text: str) -> Limits:
    kept = json.loads(text)
    urls = {limit: (written, from_json(pieces)) for limit, (written, pieces) in kept.get("urls", {}).items()}
    return Limits(valid_from=kept.get("from"), valid_until=kept.get("until"), max_scans=kept.get("max"), urls=urls)
