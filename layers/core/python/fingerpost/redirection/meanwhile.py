"""What others published since somebody looked, in words: the refusal that tells it."""

from collections.abc import Mapping
from typing import Any

from ..access.authors import authors
from ..caller import Caller
from ..clock import moment_text
from ..errors import Conflict, Finding, Invalid
from ..ports.table import Item
from ..shapes import upgraded
from .changes import Change, changes
from .rulesets import StoredRule, Version
from .versions import Owner, newest_rows, read_row, stored_rules, version_of

MAX_TOLD = 5  # versions, and changes, in the message
MAX_DETAILS = 50  # changes beside it


def check_based_on(caller: Caller, owner: Owner, based_on: int | None, current: Version | None) -> None:
    """Raises Conflict, saying who published what, when another version is live than the one that was seen.

    `based_on` 0 says that none was live; None that it does not matter. Invalid for a version that never was.
    """
    live = current.number if current else 0
    if based_on is None or based_on == live:
        return
    rows = [upgraded(row.item) for row in newest_rows(caller.tables.main, owner, limit=MAX_DETAILS).rows]
    if based_on > (rows[0]["number"] if rows else 0):
        message = f"there is no version {based_on} of these rules"
        raise Invalid(f"basedOn: {message}", details=[Finding(field="basedOn", message=message)])
    since = [row for row in rows if based_on < row["number"] <= live]
    if not since and current is not None:  # an older one is live again
        since = [read_row(caller, owner, live)]
    known = authors(caller.tables, since[:MAX_TOLD])
    stories = [story_of(row, known[row["by"]]) for row in since[:MAX_TOLD]]
    found = changes(_rules(caller, owner, based_on), stored_rules(caller, current) if current else [])
    raise Conflict(
        f"The live rules changed since version {based_on}: {', and '.join(stories) or 'none are live any more'}"
        f"{changes_told(found)}. Nothing was published. Look at it, then send yours again with basedOn {live}",
        details=[detail_of(change) for change in found[:MAX_DETAILS]],
    )


def check_match(caller: Caller, current: Version | None) -> None:
    """Raises PreconditionFailed when the request names other rules than those that are live."""
    caller.match.check(str(current.number if current else 0), "set of live rules")


def story_of(row: Item, by: Mapping[str, Any]) -> str:
    """Who published a version, and when."""
    reason = f" ({row['reason']})" if row["reason"] else ""
    who = by.get("email", by["id"])
    return f"{who} published version {row['number']} on {moment_text(row['at'])}{reason}"


def _rules(caller: Caller, owner: Owner, number: int) -> list[StoredRule]:
    return stored_rules(caller, version_of(owner, read_row(caller, owner, number))) if number else []


def changes_told(found: list[Change]) -> str:
    """The first changes in words, to stand behind who made them."""
    more = f"; and {len(found) - MAX_TOLD} more changes" if len(found) > MAX_TOLD else ""
    return f": {'; '.join(change.says for change in found[:MAX_TOLD])}{more}" if found else ""


def detail_of(change: Change) -> Finding:
    """A change as one of an error's details."""
    number = change.rule or change.was or 1
    return Finding(field=f"rules[{number - 1}]", message=change.says, rule=number, name=change.name)
