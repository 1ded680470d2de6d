"""Two sets of rules that a request names, and what became of the one in the other, as a document."""

from typing import Any

from .changes import MAX_CHANGES, changes, summary
from .references import Referenced


def diff_document(before: Referenced, after: Referenced) -> dict[str, Any]:
    """`{from, to, changes, says}`; of more changes than 1,000 the first, and how many `more` there are."""
    found = changes(before.stored, after.stored)
    more = {"more": len(found) - MAX_CHANGES} if len(found) > MAX_CHANGES else {}
    return {
        "from": before.document(),
        "to": after.document(),
        "changes": [change.document() for change in found[:MAX_CHANGES]],
        **more,
        "says": f"from {before.title} to {after.title}: {summary(found)}",
    }
