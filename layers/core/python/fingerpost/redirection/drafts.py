"""Drafts of an owner's rules: under a name, with mistakes allowed, kept until they are published or deleted."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .. import audit, keys
from ..access.authors import authors
from ..caller import Caller
from ..errors import Conflict, Finding, FingerpostError, Invalid, NotFound, TooLarge
from ..ports.table import Absent, Condition, Delete, Equals, Item, Key, Page, Put, TransactionFailed
from ..retry import attempts
from ..shapes import stamp, upgraded
from .documents import SentApplicationRules, SentRules
from .meanwhile import check_based_on
from .publish import examined_for, store
from .release import REPEATS_SEEN, Story, release
from .rulesets import StoredRule, read_chunks, unpacked
from .versions import Owner, newest_rows, timeline
from .versions import whole_document as whole_version

ATTEMPTS = 8
MAX_DRAFTS = 100  # of one owner
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
BATCH = 100


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it is stored. Its rules are compiled when there is no mistake in any."""

    name: str
    row: Item
    rules: Sequence[StoredRule]
    template_fields: Iterable[str] = ()

    @property
    def sent(self) -> list[Any]:
        return [rule["sent"] for rule in self.rules]

    @property
    def mistakes(self) -> tuple[Finding, ...]:
        return findings_of(self.row["findings"])

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return findings_of(self.row["warnings"])


def save(
    caller: Caller,
    owner: Owner,
    name: str,
    sent: SentRules | SentApplicationRules,
    *,
    based_on: int | None = None,
    note: str | None = None,
    edit: int | None = None,
) -> dict[str, Any]:
    """Make a draft or replace it, with whatever mistakes; answers its document.

    `edit` is the one that its author saw, 0 for none; None replaces whatever is there. Raises Conflict,
    PreconditionFailed, TooLarge.
    """
    if _NAME.fullmatch(name) is None:
        message = "has 1 to 64 letters, digits, dots, - or _, and begins with a letter or digit"
        raise Invalid(
            f"The name of a draft {message}", details=[Finding(field="name", message=message, near=name[:40])]
        )
    main, key = caller.tables.main, keys.draft(owner.name, name)
    examined = examined_for(caller, owner, sent)
    stored = store(caller, examined)
    live = timeline(caller, owner).at(caller.at)
    for _ in attempts(ATTEMPTS):
        old = main.get(key, consistent=True)
        before = None if old is None else upgraded(old)
        try:
            _check_place(caller, key, name, before, edit)
        except FingerpostError:
            discard(caller, stored.set_id)
            raise
        kept = before or {"based": live.number if live else 0, "note": "", "created": caller.at, "edit": 0}
        row: Item = {
            **stamp("draft"),
            "edit": kept["edit"] + 1,
            "set": stored.set_id,
            "based": kept["based"] if based_on is None else based_on,
            "note": kept["note"] if note is None else note,
            "created": kept["created"],
            "at": caller.at,
            "by": caller.principal.id,
            "actor": caller.principal.actor,
            "count": stored.count,
            "bytes": stored.size,
            "warnings": stored.warnings,
            "findings": json.dumps([finding.document() for finding in examined.mistakes]),
        }
        unchanged: Condition = Absent() if before is None else Equals("set", before["set"])
        verb = "create" if before is None else "update"
        told = audit.entry(caller, verb, "draft", f"{owner.name}/{name}", _told(before), _told(row))
        try:
            main.transact([Put(key, row, (unchanged,)), *told])
        except TransactionFailed:
            continue
        if before is not None:
            discard(caller, before["set"])
        return whole_document(caller, Draft(name, row, examined.rules))
    discard(caller, stored.set_id)
    raise Conflict(f"The draft {name} keeps changing; send the request again")


def read(caller: Caller, owner: Owner, name: str) -> Draft:
    """A draft, whole. Raises NotFound."""
    for _ in attempts(ATTEMPTS):
        row = _row(caller, owner, name)
        chunks = read_chunks(caller.tables.main, row["set"])
        if sum(map(len, chunks)) == row["bytes"]:  # else it was replaced between the two reads
            return Draft(name, row, *unpacked(chunks))
    raise Conflict(f"The draft {name} keeps changing; send the request again")


def listed(caller: Caller, owner: Owner, *, after: str | None, limit: int) -> tuple[list[dict[str, Any]], str | None]:
    """The documents of an owner's drafts in the order of their names, and where the list goes on."""
    pk = keys.draft(owner.name, "").pk
    page: Page = caller.tables.main.query(pk, after=after, limit=limit, consistent=True)
    rows = {row.key.sk: upgraded(row.item) for row in page.rows}
    known = authors(caller.tables, rows.values())
    return [draft_document(name, row, known[row["by"]]) for name, row in rows.items()], page.after


def delete(caller: Caller, owner: Owner, name: str) -> None:
    """Raises NotFound, PreconditionFailed."""
    for _ in attempts(ATTEMPTS):
        row = _row(caller, owner, name)
        caller.match.check(_tag(row["edit"], row["created"]), f"draft {name}")
        told = audit.entry(caller, "delete", "draft", f"{owner.name}/{name}", _told(row))
        try:
            caller.tables.main.transact([_removal(owner, name, row), *told])
        except TransactionFailed:
            continue
        discard(caller, row["set"])
        return
    raise Conflict(f"The draft {name} keeps changing; send the request again")


def publish_draft(caller: Caller, owner: Owner, name: str, story: Story, *, strict: bool = False) -> dict[str, Any]:
    """Publish a draft, which goes away with it; answers the version's whole document.

    It is based on what its story says, else on the version it was begun from. Raises Invalid with all mistakes,
    Conflict when other rules are live by now, NotFound.
    """
    try:
        draft = read(caller, owner, name)
    except NotFound:
        if (row := _published_before(caller, owner, name)) is None:
            raise
        return whole_version(caller, owner, row, timeline(caller, owner))
    examined = examined_for(caller, owner, owner.read({"rules": draft.sent}), strict=strict)
    examined.check()
    story = replace(story, draft=name, based_on=draft.row["based"] if story.based_on is None else story.based_on)
    check_based_on(caller, owner, story.based_on, timeline(caller, owner).at(caller.at))  # before anything is stored
    changed = Conflict(f"The draft {name} was changed or published while this was done; look at it again")
    row, of = release(caller, owner, store(caller, examined), story, [(_removal(owner, name, draft.row), changed)])
    discard(caller, draft.row["set"])
    return whole_version(caller, owner, row, of)


def _published_before(caller: Caller, owner: Owner, name: str) -> Item | None:
    """The version that this same request made of the draft before it was repeated; its time is the first one's."""
    rows = (upgraded(row.item) for row in newest_rows(caller.tables.main, owner, limit=REPEATS_SEEN).rows)
    mine = (name, caller.at, caller.principal.id)
    return next((row for row in rows if (row["draft"], row["at"], row["by"]) == mine), None)


def draft_document(name: str, row: Item, by: dict[str, Any]) -> dict[str, Any]:
    """A draft and its story, without its rules."""
    findings = json.loads(row["findings"])
    return {
        "name": name,
        "state": "draft" if findings else "checked",
        "edit": row["edit"],
        "basedOn": row["based"],
        "note": row["note"],
        "createdAt": row["created"],
        "updatedAt": row["at"],
        "by": by,
        "ruleCount": row["count"],
        "findings": findings,
        "warnings": json.loads(row["warnings"]),
    }


def whole_document(caller: Caller, draft: Draft) -> dict[str, Any]:
    by = authors(caller.tables, [draft.row])[draft.row["by"]]
    return {**draft_document(draft.name, draft.row, by), "rules": draft.sent}


def tag_of(document: Mapping[str, Any]) -> str:
    """The version of a draft's document as entity tags have it: a draft that is made anew begins to count anew."""
    return _tag(document["edit"], document["createdAt"])


def _tag(edit: int, created: int) -> str:
    return f"{edit}.{created}"


def discard(caller: Caller, set_id: str) -> None:
    """Remove the rows of a rule set that no version and no draft names any more."""
    main, partition = caller.tables.main, keys.rules_chunks(set_id)
    while rows := main.query(partition, limit=BATCH, consistent=True).rows:
        for row in rows:
            main.delete(Key(partition, row.key.sk))


def findings_of(text: str) -> tuple[Finding, ...]:
    """Findings from their documents as JSON."""
    documents: Sequence[dict[str, Any]] = json.loads(text)
    return tuple(Finding(**{**each, "expected": tuple(each["expected"])}) for each in documents)


def _row(caller: Caller, owner: Owner, name: str) -> Item:
    item = caller.tables.main.get(keys.draft(owner.name, name), consistent=True)
    if item is None:
        raise NotFound(f"There is no draft {name[:64]} of these rules")
    return upgraded(item)


def _check_place(caller: Caller, key: Key, name: str, before: Item | None, edit: int | None) -> None:
    """Whether a draft may take the place of what is there, and whether there is room. Raises as `save` does."""
    caller.match.check(None if before is None else _tag(before["edit"], before["created"]), f"draft {name}")
    if edit is not None and edit != (before["edit"] if before else 0):
        raise _moved(caller, name, edit, before)
    if before is None and caller.tables.main.count(key.pk, at_most=MAX_DRAFTS) >= MAX_DRAFTS:
        raise TooLarge(f"At most {MAX_DRAFTS} drafts of these rules can be kept; publish or delete one")


def _removal(owner: Owner, name: str, row: Item) -> Delete:
    return Delete(keys.draft(owner.name, name), (Equals("set", row["set"]),))


def _told(row: Item | None) -> Item | None:
    """A draft as the audit log has it."""
    return None if row is None else {"edit": row["edit"], "rules": row["count"], "basedOn": row["based"]}


def _moved(caller: Caller, name: str, edit: int, before: Item | None) -> Conflict:
    if before is None:
        return Conflict(f"The draft {name} was published or deleted since its edit {edit}; send edit 0 to make it anew")
    by = authors(caller.tables, [before])[before["by"]]
    return Conflict(
        f"The draft {name} changed: you saw edit {edit}; {by.get('email', by['id'])} made edit {before['edit']} since. "
        f"Read it again, then send yours with edit {before['edit']}"
    )
