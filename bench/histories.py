"""What properties consume on a DynamoDB engine: read units and time of a page of a history, write units of a PUT."""

from collections.abc import Callable, Iterator
from typing import Any

from bench.costs import Cost, beside, cost_of
from bench.row import Row

FEW, MANY = 1_000, 100_000
AT = 1_773_576_000_000  # 2026-03-15T12:00:00Z
PER_PAGE = 30
ROWS_AT_ONCE = 5_000
KEY = "light"
SECRET = b"of the bench"
FLAT = 1.5  # a page of the long history costs at most so many times the short one's

PAGES: dict[str, Callable[["_Costs"], Cost]] = {
    "newest first": lambda costs: costs.page(),
    "half-way down": lambda costs: costs.page(last=500),
    "tenth page": lambda costs: costs.page(pages=10),
    "oldest first": lambda costs: costs.page(ascending=True),
    "from and to": lambda costs: costs.page(400, 600),
}


def history_rows(tables: Any) -> Iterator[Row]:
    few, many = (_Costs(tables, f"history{number}", number) for number in (FEW, MANY))
    for name, ask in PAGES.items():
        what = f"GET /thngs/:id/properties/:key, {name}: {MANY:,} values beside {FEW:,}"
        yield from beside(what, ask(many), ask(few), FLAT)
    for keys in (1, 10):
        small, large = few.update(keys), many.update(keys)
        values = "1 value" if keys == 1 else f"{keys} values of as many properties"
        yield Row(f"PUT /thngs/:id/properties, {values}", f"{large:.1f} WU", f"{small:.1f} WU", large / small, FLAT)


class _Costs:
    """A thng in an account of its own, one of whose properties has had so many values, one a second."""

    def __init__(self, tables: Any, account: str, number: int):
        from fingerpost.catalogue.model import THNG
        from fingerpost.catalogue.properties import Properties, Reading, history_rows
        from fingerpost.ids import new_id
        from fingerpost.resources import Resources
        from tests.stores import caller_of

        self._tables, self._number, self._thng = tables, number, new_id(AT)
        self._caller = caller_of(tables, account, AT + number * 1_000)
        own = self._caller.tables
        Resources(own, THNG).create(self._thng, {"createdAt": AT, "updatedAt": AT, "name": "Lamp"})
        for start in range(0, number, ROWS_AT_ONCE):
            span = range(start, min(start + ROWS_AT_ONCE, number))
            own.log.put_many(history_rows(self._thng, [Reading(KEY, 20.5 + n % 9, AT + n * 1_000) for n in span]))
        Properties(own).begin(self._thng, [Reading(KEY, 20.5, AT + number * 1_000)], self._caller)

    def page(self, first: int = 0, last: int | None = None, *, pages: int = 1, **more: Any) -> Cost:
        """Of the last of so many full pages, between two shares of the history's thousandths."""
        from fingerpost.catalogue.model import THNG
        from fingerpost.catalogue.updates import Opened, Span, history
        from fingerpost.listing import Ask

        share = self._number
        span = Span(AT + first * share, AT + (1_000 if last is None else last) * share)

        def read(token: str | None) -> Any:
            opened = Opened.of(self._caller, THNG, self._thng)
            page = history(self._caller, opened, KEY, Ask(per_page=PER_PAGE, token=token, **more), span, SECRET)
            assert len(page.items) == PER_PAGE
            return page

        token = None
        for _ in range(pages - 1):
            token = read(token).token
        return cost_of(self._tables, lambda: read(token))

    def update(self, keys: int) -> float:
        """Write units of one request that sets so many properties."""
        from fingerpost.catalogue.documents import SentProperty
        from fingerpost.catalogue.model import THNG
        from fingerpost.catalogue.updates import set_properties

        before = self._tables.main.consumed.write + self._tables.log.consumed.write
        sent = [("", SentProperty(key=KEY if n == 0 else f"k{n}", value=21.5)) for n in range(keys)]
        set_properties(self._caller, THNG, self._thng, sent)
        return float(self._tables.main.consumed.write + self._tables.log.consumed.write - before)
