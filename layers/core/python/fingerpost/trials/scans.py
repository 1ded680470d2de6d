"""The scans of an account that were recorded, newest first, and what rules about them have to read: each thing once."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .. import keys
from ..actions.agents import is_robot
from ..actions.model import ACTION, SCANS, row_of
from ..actions.service import loads
from ..caller import Caller
from ..listing import Ask, Lister
from ..ports.table import GlobalKey, Table, Tables
from ..redirection.context import PRODUCT, PRODUCT_PROPERTIES, Document, Needs
from ..redirection.model import Link, from_item
from ..redirection.reading import Reading, Rows, resource_of, room_keys, thing_keys
from ..redirection.recorded import Recorded
from ..rules.compile import compile_match
from ..rules.fields import LISTS
from ..rules.nodes import Node

PAGE = 1_000
MAX_ROWS = 5_000  # of things, kept at once; beyond them a thing may be read a second time
SCANS_ONLY = "type=" + ",".join(SCANS)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which scans: a filter of actions, narrowed to scans and to a time. `text` tells it from others."""

    text: str
    node: Node

    @staticmethod
    def read(filter_text: str, since: int | None, until: int | None) -> "Wanted":
        """Raises InvalidMatch, whose findings name `filter`."""
        parts = [f"timestamp{op}{at}" for op, at in ((">=", since), ("<=", until)) if at is not None]
        if filter_text.strip():
            compile_match(filter_text, LISTS["action"], field="filter", strict=True)
            parts.insert(0, f"({filter_text})")
        text = "&".join([SCANS_ONLY, *parts])
        return Wanted(text, compile_match(text, LISTS["action"], field="filter").node)


@dataclass(frozen=True, slots=True)
class Page:
    """Scans that rules were asked about and that somebody looked at; how many others were passed over."""

    scans: list[Recorded]
    robots: int  # and previews: as with hits, nobody looked at where they went
    limited: int  # a limit of their redirection was in the way, so no rules were asked
    token: str | None  # for the next page; None on the last


class Scans:
    """One caller's recorded scans. Lists follow the feed, so the latest scans may be missing for a moment."""

    def __init__(self, caller: Caller, secret: bytes, wanted: Wanted):
        self._wanted = wanted
        sight = caller.principal.sight
        self._lister: Lister[tuple[str, Any]] = Lister(
            tables=caller.tables,
            account=caller.principal.account,
            kind=ACTION,
            load=loads(caller, sight, consistent=False),
            secret=secret,
            scopes=sight.scopes,
            times=("timestamp",),
        )

    def pages(
        self, most: int, seconds: float = float("inf"), clock: Callable[[], float] = time.monotonic
    ) -> Iterator[Page]:
        """The newest ones, `most` in all, fewer when `seconds` are over before."""
        token: str | None = None
        ends = clock() + seconds
        while most > 0:
            page = self.page(token, min(PAGE, most))
            yield page
            most, token = most - len(page.scans), page.token
            if token is None or clock() >= ends:
                return

    def page(self, token: str | None, size: int = PAGE) -> Page:
        """The next ones. Raises InvalidCursor."""
        found = self._lister.page(
            Ask(per_page=size, token=token, filter_text=f"scans\0{self._wanted.text}", node=self._wanted.node)
        )
        scans = [Recorded(action_id, row_of(item)) for action_id, item in found.items]
        seen = [each for each in scans if not each.row.get("mark") and not is_robot(each.row.get("ua", ""))]
        asked = [each for each in seen if each.asked]
        limited = sum("limit" in each.row for each in seen)
        return Page(asked, len(scans) - len(seen), limited, found.token)


class Things:
    """What many scans read, in few batches."""

    def __init__(self, tables: Tables, main: Table):
        """`tables` are the account's own; `main` is not: a link's key is a global one."""
        self._tables, self._main = tables, main
        self._rows: Rows = {}
        self._parsed: dict[str, Document | None] = {}
        self._links: dict[tuple[str, str], Link | None] = {}

    def fetch(self, scans: Iterable[Recorded], needs: Needs) -> None:
        """The links of these scans, and of their things what `needs` name."""
        if len(self._rows) > MAX_ROWS:
            self._rows.clear()
            self._parsed.clear()
        scans = list(scans)
        names = {link: None for each in scans if (link := each.link) is not None and link not in self._links}
        found = self._main.get_many([keys.link(*name) for name in names])
        for name in names:
            item = found.get(_global(name))
            self._links[name] = None if item is None else from_item(*name, item)
        ids = {each.things: None for each in scans}
        self._read(key for thng, product in ids for key in thing_keys(needs, thng, product))
        self._read(key for each in scans for key in room_keys(needs, each.things[0], each.row["ts"]))
        if needs & (PRODUCT | PRODUCT_PROPERTIES):  # a thng says itself which product it has
            thngs = [resource_of(self._rows, thng) for thng, _ in ids if thng is not None]
            products = {each["product"]: None for each in thngs if each is not None and each.get("product")}
            self._read(key for product in products for key in thing_keys(needs, None, product))

    def _read(self, wanted: Iterable[Any]) -> None:
        missing = [key for key in dict.fromkeys(wanted) if key not in self._rows]
        found = self._tables.main.get_many(missing) if missing else {}
        self._rows.update((key, found.get(key)) for key in missing)

    def reading(self, scan: Recorded) -> Reading:
        return Reading(self._tables, scan.sources(), *scan.things, self._rows, self._parsed)

    def link(self, scan: Recorded) -> Link | None:
        """None of a scan without one, and of one whose link is not there at all."""
        return None if scan.link is None else self._links.get(scan.link)


def _global(name: tuple[str, str]) -> GlobalKey:
    return keys.link(*name)
