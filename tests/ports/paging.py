"""Reading a whole range through a port's pages."""

from fingerpost.ports.table import Table


def every_page(table: Table, pk: str, **range_: object) -> list[str]:
    """The sort keys of a whole range, read page by page."""
    found: list[str] = []
    after = None
    for _ in range(1000):
        page = table.query(pk, after=after, **range_)  # type: ignore[arg-type]
        found += [row.key.sk for row in page.rows]
        if page.after is None:
            return found
        after = page.after
    raise AssertionError("the pages have no end")
