"""What others published since somebody looked: the refusal that tells it."""

from datetime import UTC, datetime

from ..caller import Caller
from ..errors import Conflict, Finding, Invalid
from ..shapes import upgraded
from .rulesets import Version
from .versions import Owner, newest_rows

MAX_TOLD = 5  # versions, newest first


def check_based_on(caller: Caller, owner: Owner, based_on: int | None, current: Version | None) -> None:
    """Raises Conflict, saying who published what, when another version is live than the one that was seen.

    `based_on` 0 says that none was live; None that it does not matter. Invalid for a version that never was.
    """
    live = current.number if current else 0
    if based_on is None or based_on == live:
        return
    rows = [upgraded(row.item) for row in newest_rows(caller.tables.main, owner, limit=100).rows]
    if based_on > (rows[0]["number"] if rows else 0):
        message = f"there is no version {based_on} of these rules"
        raise Invalid(f"basedOn: {message}", details=[Finding(field="basedOn", message=message)])
    since = [row for row in rows if based_on < row["number"] <= live] or [row for row in rows if row["number"] == live]
    stories = [
        f"{row['by']} published version {row['number']} on {_moment(row['at'])}"
        + (f" ({row['reason']})" if row["reason"] else "")
        for row in since[:MAX_TOLD]
    ]
    raise Conflict(
        f"The live rules changed since version {based_on}: {'; '.join(stories) or 'none are live any more'}. "
        f"Look at what changed, then send this again with basedOn {live}"
    )


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
