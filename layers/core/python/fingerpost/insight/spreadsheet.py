"""Statistics as CSV, for spreadsheets. Source: RFC 4180; "CSV Injection", OWASP."""

import csv
import io
from collections.abc import Iterable

from ..resources import Document

HEAD = ("by", "value", "hits", "share", "visitors", "country", "application", "version", "rule", "name")
MAX_ROWS = 5_000  # in one answer
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def page(rows: Iterable[tuple[str, Document]], after: str | None) -> tuple[str, str | None]:
    """The rows beyond `after`, as text with a head, and where to go on; None at the end."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEAD)
    written, last = 0, after
    for position, row in rows:
        if after is not None and position <= after:
            continue
        if written == MAX_ROWS:
            return text.getvalue(), last
        writer.writerow([_cell(row.get(name)) for name in HEAD])
        written, last = written + 1, position
    return text.getvalue(), None


def _cell(value: object) -> object:
    """What a spreadsheet would take for a formula stands behind an apostrophe: cities and names come from outside."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value
