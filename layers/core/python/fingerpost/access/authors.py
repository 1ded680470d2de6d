"""Who wrote rows that keep it: versions of rules, drafts, entries of the audit log."""

from collections.abc import Iterable, Mapping
from typing import Any

from ..ports.table import Tables
from ..resources import Resources
from .store import OPERATOR


def authors(tables: Tables, rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """`{id, type, email}` of each row's `by` and `actor`, by id; an email only of an operator who is still there.

    One batch for all rows. `tables` are the account's own.
    """
    actors = {row["by"]: row["actor"] for row in rows}
    operators = Resources(tables, OPERATOR).read_many([each for each, actor in actors.items() if actor == "operator"])
    found = {each: {"id": each, "type": actor} for each, actor in actors.items()}
    for each, operator in operators.items():
        found[each]["email"] = operator.document["email"]
    return found
