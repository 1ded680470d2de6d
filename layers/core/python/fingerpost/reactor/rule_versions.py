"""An application's declarative rules as they are kept: every version with who made it, when and why; the newest acts.

A version is one immutable row. What dispatch needs of the newest stands in the project's row of all that reacts
(published.py): of each rule that is enabled its event and its filter.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .. import audit, keys
from ..access.authors import authors
from ..caller import Caller
from ..errors import Conflict, Finding, FingerpostError, Invalid, NotFound
from ..ports.table import Absent, Check, Item, Page, Present, Put, Table, Write
from ..redirection.changes import Change, changes, summary
from ..redirection.meanwhile import MAX_DETAILS, MAX_TOLD, changes_told, detail_of, story_of
from ..resources import Document
from ..retry import attempts
from ..rules import nodes
from ..shapes import stamp, upgraded
from . import keys as own_keys
from . import published
from .rule_check import StoredRule
from .targets import Target

ATTEMPTS = 8
REPEATS_SEEN = 5  # newest versions, among which a repeated request finds its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Why a version is made. `based_on` is the one that its author saw, 0 before there was one; None: whichever."""

    reason: str = ""
    based_on: int | None = None
    back: int | None = None  # the version whose rules it has

    @property
    def verb(self) -> str:
        return "publish" if self.back is None else "rollback"


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: a version, 0 before there was one; None: rules that were sent."""

    version: int | None
    rules: Sequence[StoredRule]

    @property
    def title(self) -> str:
        return "the rules sent" if self.version is None else f"version {self.version}" if self.version else "no rules"

    def document(self) -> Document:
        return {"rules": len(self.rules)} if self.version is None else {"version": self.version}


class _Overtaken(Conflict):
    """Another version was published between a look at the newest and the next."""


def newest(main: Table, app: str) -> Item | None:
    """The row of the version that acts; None before there is one. `main` is the account's own table."""
    rows = _newest_rows(main, app, limit=1).rows
    return upgraded(rows[0].item) if rows else None


def rules_in(row: Item) -> list[StoredRule]:
    """The rules of a version's row."""
    stored: list[StoredRule] = json.loads(zlib.decompress(row["z"]))
    return stored


def read_row(main: Table, app: str, number: int) -> Item:
    """The row of one version. Raises NotFound."""
    item = main.get(own_keys.rules_version(app, number), consistent=True)
    if item is None:
        raise NotFound(f"There is no version {number} of these rules")
    return upgraded(item)


def publish(
    caller: Caller,
    of: Target,
    rules: Sequence[StoredRule],
    story: Story,
    also: Sequence[tuple[Write, FingerpostError]] = (),
) -> Item:
    """Make the next version, which acts from now on; answers its row. `also` is done in the same transaction.

    Raises Conflict when the rules changed since the version that the story is based on, or keep changing;
    PreconditionFailed, NotFound for an application that was just deleted, TooLarge.
    """
    main, made = caller.tables.main, caller.new_id(caller.at)
    gone = NotFound(f"There is no application {of.app}")
    for _ in attempts(ATTEMPTS):
        rows = [upgraded(row.item) for row in _newest_rows(main, of.app, limit=REPEATS_SEEN).rows]
        for row in rows:
            if row["made"] == made:
                return row  # a repeat of a request that had got this far
        current = rows[0] if rows else None
        _check_based_on(caller, of, story.based_on, current)
        caller.match.check(str(current["number"] if current else 0), "set of rules")
        row = _row(caller, current, rules, story, made)
        told = {"version": row["number"], "rules": row["count"]}
        told |= {name: value for name, value in (("reason", story.reason), ("rolledBackTo", story.back)) if value}
        before = None if current is None else {"version": current["number"]}
        overtaken = _Overtaken("These rules keep changing; send the request again")
        writes: list[tuple[Write, FingerpostError]] = [
            (Put(own_keys.rules_version(of.app, row["number"]), row, (Absent(),)), overtaken),
            (Check(keys.document(of.app), (Present(),)), gone),
            *[(each, overtaken) for each in audit.entry(caller, story.verb, "reactorRules", of.app, before, told)],
            *also,
        ]
        try:
            published.set_rules(main, of.project, of.app, conditions_of(row["number"], rules), writes)
        except _Overtaken:
            continue
        return row
    raise Conflict("These rules keep changing; send the request again")


def roll_back(caller: Caller, of: Target, number: int, story: Story) -> Item:
    """Make a version with the rules of an earlier one, as they were. Raises NotFound and what `publish` does."""
    rules = rules_in(read_row(caller.tables.main, of.app, number))
    return publish(caller, of, rules, Story(reason=story.reason, based_on=story.based_on, back=number))


def conditions_of(version: int, rules: Sequence[StoredRule]) -> list[dict[str, Any]]:
    """What dispatch needs of the rules that are enabled: `version name event`, and `nodes` of a rule with a filter."""
    return [
        {"version": version, **{name: rule[name] for name in ("name", "event", "nodes") if name in rule}}
        for rule in rules
        if rule["sent"].get("enabled", True)
    ]


# Documents


def document(row: Item | None, warnings: Sequence[Finding] = ()) -> Document:
    """The rules that act. Before any were published version and times are 0."""
    if row is None:
        return {"version": 0, "createdAt": 0, "updatedAt": 0, "rules": []}
    shown: Document = {"version": row["number"], "createdAt": row["created"], "updatedAt": row["at"]}
    shown["rules"] = [rule["sent"] for rule in rules_in(row)]
    return shown | ({"warnings": [each.document() for each in warnings]} if warnings else {})


def version_documents(caller: Caller, of: Target, rows: Sequence[Item]) -> list[Document]:
    """Versions and their stories, without their rules."""
    known = authors(caller.tables, rows)
    live = newest(caller.tables.main, of.app)
    return [
        {
            "version": row["number"],
            "state": "live" if live is not None and live["number"] == row["number"] else "superseded",
            "publishedAt": row["at"],
            "by": known[row["by"]],
            "reason": row["reason"],
            "ruleCount": row["count"],
            **({"rolledBackTo": row["back"]} if row["back"] else {}),
        }
        for row in rows
    ]


def whole_document(caller: Caller, of: Target, row: Item) -> Document:
    """One version with its rules."""
    (story,) = version_documents(caller, of, [row])
    return {**story, "rules": [rule["sent"] for rule in rules_in(row)]}


def listed(caller: Caller, of: Target, *, after: str | None, limit: int) -> tuple[list[Document], str | None]:
    """The documents of versions, newest first, and where the list goes on."""
    page = _newest_rows(caller.tables.main, of.app, limit=limit, after=after)
    return version_documents(caller, of, [upgraded(row.item) for row in page.rows]), page.after


def difference(before: Sequence[StoredRule], after: Sequence[StoredRule]) -> list[Change]:
    """What became of one set of rules in another, rule by rule, in words."""
    return changes([_flat(rule) for rule in before], [_flat(rule) for rule in after])


def difference_document(before: Side, after: Side) -> Document:
    """The same as a document, with what was compared."""
    found = difference(before.rules, after.rules)
    return {
        "from": before.document(),
        "to": after.document(),
        "changes": [each.document() for each in found],
        "says": f"from {before.title} to {after.title}: {summary(found)}",
    }


def _flat(rule: StoredRule) -> StoredRule:
    """A rule as the words of redirector rules are found for: its filter is what it asks, each step a key."""
    sent = rule["sent"]
    if not isinstance(sent, dict):
        return rule
    flat = {name: value for name, value in sent.items() if name not in ("filter", "then")}
    if sent.get("filter"):
        flat["match"] = sent["filter"]
    steps = sent.get("then")
    flat |= {f"step {number}": step for number, step in enumerate(steps if isinstance(steps, list) else (), 1)}
    return {**rule, "sent": flat}


def _check_based_on(caller: Caller, of: Target, based_on: int | None, current: Item | None) -> None:
    live = current["number"] if current else 0
    if based_on is None or based_on == live:
        return
    if based_on > live:
        message = f"there is no version {based_on} of these rules"
        raise Invalid(f"basedOn: {message}", details=[Finding(field="basedOn", message=message)])
    main = caller.tables.main
    page = _newest_rows(main, of.app, limit=MAX_TOLD)
    since = [row for row in (upgraded(each.item) for each in page.rows) if row["number"] > based_on]
    known = authors(caller.tables, since)
    seen = rules_in(read_row(main, of.app, based_on)) if based_on else []
    found = difference(seen, rules_in(current) if current else [])
    raise Conflict(
        f"The rules changed since version {based_on}: "
        f"{', and '.join(story_of(row, known[row['by']]) for row in since)}{changes_told(found)}. "
        f"Nothing was published. Look at it, then send yours again with basedOn {live}",
        details=[detail_of(change) for change in found[:MAX_DETAILS]],
    )


def _newest_rows(main: Table, app: str, *, limit: int, after: str | None = None) -> Page:
    partition = own_keys.rules_version(app, 0).pk
    return main.query(partition, low="v#", descending=True, limit=limit, after=after, consistent=True)


def _row(caller: Caller, current: Item | None, rules: Sequence[StoredRule], story: Story, made: str) -> Item:
    text = json.dumps(list(rules), ensure_ascii=False, separators=(",", ":"))
    return {
        **stamp("reactorRules"),
        "number": current["number"] + 1 if current else 1,
        "created": current["created"] if current else caller.at,
        "at": caller.at,
        "by": caller.principal.id,
        "actor": caller.principal.actor,
        "cause": caller.cause,
        "made": made,
        "count": len(rules),
        "language": nodes.LANGUAGE_VERSION,
        "reason": story.reason,
        "back": story.back,
        "z": zlib.compress(text.encode(), 6),
    }
