"""The versions of an owner's rules as rows and as documents: every one is kept, with who made it, when and why."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .. import keys
from ..access.authors import authors
from ..body import validated
from ..caller import Caller
from ..errors import Finding, NotFound
from ..ids import SeededIds
from ..ports.table import Item, Page, Table
from ..shapes import upgraded
from .documents import SentApplicationRules, SentRules
from .rulesets import StoredRule, Timeline, Version, read_chunks, timeline_of, unpacked


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose rules: the account's, or those of an application in `project`."""

    name: str  # as keys and the live row have it
    project: str = ""

    @property
    def application(self) -> str:
        """Its id; empty for the account."""
        return self.name.removeprefix(keys.APPLICATION_RULES) if self.name != keys.ACCOUNT_RULES else ""

    @property
    def model(self) -> type[SentRules] | type[SentApplicationRules]:
        """The document in which its rules are sent."""
        return SentApplicationRules if self.application else SentRules

    def read(self, content: Any) -> SentRules | SentApplicationRules:
        """Its rules from a body. Mistakes within a rule are kept for later. Raises Invalid when it holds no rules."""
        return validated(self.model, content)


ACCOUNT = Owner(keys.ACCOUNT_RULES)


def timeline(caller: Caller, owner: Owner) -> Timeline:
    """What of an owner's rules is live when, read now."""
    return timeline_of(caller.tables.main.get(keys.LIVE, consistent=True), owner.name)


def phases(of: Timeline, after: int) -> list[tuple[int, Version | None]]:
    """The moments beyond `after` at which another version goes live, and which; None when it is none at all."""
    ends = [each.ends for each in of.stints if each.ends is not None]
    moments = sorted({moment for moment in (*[each.starts for each in of.stints], *ends) if moment > after})
    changes: list[tuple[int, Version | None]] = []
    before = of.at(after)
    for moment in moments:
        if (version := of.at(moment)) != before:
            changes.append((moment, version))
            before = version
    return changes


def read_row(caller: Caller, owner: Owner, number: int) -> Item:
    """The row of one version. Raises NotFound."""
    item = caller.tables.main.get(keys.rules_version(owner.name, number), consistent=True)
    if item is None:
        raise NotFound(f"There is no version {number} of these rules")
    return upgraded(item)


def newest_rows(main: Table, owner: Owner, *, limit: int, after: str | None = None) -> Page:
    """Version rows, newest first. `main` is the account's own table."""
    partition = keys.rules_version(owner.name, 0).pk
    return main.query(partition, low="v#", descending=True, limit=limit, after=after, consistent=True)


def live_row(rows: Iterable[Item], at: int) -> Item | None:
    """Of version rows, the one that was live at a moment, as far as they tell; None when none was."""
    begun = [
        (row["at"] if row["starts"] is None else row["starts"], row["number"], row)
        for row in rows
        if row["cancelled"] is None and (row["ends"] is None or at < row["ends"])
    ]
    return max([each for each in begun if each[0] <= at], key=lambda each: each[:2], default=(0, 0, None))[2]


def stored_rules(caller: Caller, version: Version) -> list[StoredRule]:
    """The rules of a version, read now."""
    return unpacked(read_chunks(caller.tables.main, version.set_id))[0]


def version_of(owner: Owner, row: Item, needs: int = 0) -> Version:
    """The version that a row describes."""
    return Version(row["number"], row["set"], owner.application, owner.project, needs)


def read(caller: Caller, owner: Owner) -> dict[str, Any]:
    """The document of an owner's live rules; before any was published it has none."""
    of = timeline(caller, owner)
    current = of.at(caller.at)
    if current is None:
        empty = {"id": _id(caller, owner), "createdAt": 0, "updatedAt": 0, "version": 0, "rules": []}
        return empty | planned_in(of, caller.at)
    row = read_row(caller, owner, current.number)
    return document(caller, owner, row, sent_rules(caller, current), planned=planned_in(of, caller.at))


def sent_rules(caller: Caller, version: Version) -> list[Any]:
    """The rules of a version as they were sent."""
    return [rule["sent"] for rule in stored_rules(caller, version)]


def document(
    caller: Caller,
    owner: Owner,
    row: Item,
    rules: list[Any],
    warnings: Sequence[Finding] = (),
    planned: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The platform's redirector document, with the version that it is and what is planned."""
    result: dict[str, Any] = {
        "id": _id(caller, owner),
        "createdAt": row["created"],
        "updatedAt": row["at"],
        "version": row["number"],
        "rules": rules,
    }
    if warnings:
        result["warnings"] = [finding.document() for finding in warnings]
    return result | (planned or {})


def version_documents(caller: Caller, of: Timeline, rows: Sequence[Item]) -> list[dict[str, Any]]:
    """Versions and their stories, without their rules."""
    known = authors(caller.tables, rows)
    return [_version_document(of, row, caller.at, known[row["by"]]) for row in rows]


def _version_document(of: Timeline, row: Item, at: int, by: dict[str, Any]) -> dict[str, Any]:
    number = row["number"]
    current = of.at(at)
    coming = {version.number for _, version in phases(of, at) if version is not None}
    state = "superseded"
    if current is not None and current.number == number:
        state = "live"
    elif number in coming:
        state = "scheduled"
    result = {
        "version": number,
        "state": state,
        "publishedAt": row["at"],
        "by": by,
        "reason": row["reason"],
        "ruleCount": row["count"],
        "rolledBackTo": row["back"],
        "draft": row["draft"],
        "startsAt": row["starts"],
        "endsAt": row["ends"],
        "cancelledAt": row["cancelled"],
    }
    optional = ("rolledBackTo", "draft", "startsAt", "endsAt", "cancelledAt")
    return {name: value for name, value in result.items() if value is not None or name not in optional}


def whole_document(caller: Caller, owner: Owner, row: Item, of: Timeline) -> dict[str, Any]:
    """One version with its rules and what was odd about them."""
    rules = sent_rules(caller, version_of(owner, row))
    (story,) = version_documents(caller, of, [row])
    return {**story, "rules": rules, "warnings": json.loads(row["warnings"])}


def listed(caller: Caller, owner: Owner, *, after: str | None, limit: int) -> tuple[list[dict[str, Any]], str | None]:
    """The documents of an owner's versions, newest first, and where the list goes on."""
    of = timeline(caller, owner)
    page = newest_rows(caller.tables.main, owner, limit=limit, after=after)
    return version_documents(caller, of, [upgraded(row.item) for row in page.rows]), page.after


def planned_in(of: Timeline, at: int) -> dict[str, Any]:
    """`planned`: what goes live later, for the document of what is live now; nothing when nothing is planned."""
    coming = phases(of, at)
    if not coming:
        return {}
    return {"planned": [{"at": moment, "version": version.number if version else 0} for moment, version in coming]}


def _id(caller: Caller, owner: Owner) -> str:
    """A redirector exists as soon as its owner does, so its id follows from them."""
    return SeededIds(f"redirector/{caller.principal.account}/{owner.name}").new_id(0)
