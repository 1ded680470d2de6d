"""Making a version live: its row, the switch and the audit entry in one transaction, at once or at its own time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .. import audit, keys
from ..caller import Caller
from ..errors import Conflict, Finding, FingerpostError, Invalid, NotFound, TooLarge
from ..ports.table import (
    Absent,
    AbsentOrBelow,
    Check,
    Condition,
    Equals,
    FieldChange,
    Item,
    Present,
    Put,
    Remove,
    Set,
    TransactionFailed,
    Update,
    Write,
)
from ..retry import attempts
from ..rules import nodes
from ..shapes import stamp, upgraded
from .context import Needs
from .meanwhile import check_based_on, check_match
from .plans import begun, without
from .rulesets import CompiledRules, Stint, Timeline, read_chunks, timeline_of, unpacked
from .versions import Owner, newest_rows, read_row, version_of

ATTEMPTS = 8
MAX_REDIRECTORS = 1_000  # applications with rules: each has some 100 bytes of the live row, read every four seconds
MAX_PLANNED = 100  # stints of all owners of an account: they stand in the same row
REPEATS_SEEN = 5  # newest versions, among which a repeated request finds its own


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSet:
    """A rule set whose rows are in the store, and what its version's row says of it."""

    set_id: str
    count: int
    size: int  # bytes of its rows
    needs: Needs
    warnings: str  # as JSON
    language: int = nodes.LANGUAGE_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """When a version is to be live, and why. Milliseconds since the epoch; None: at once, and for good.

    `based_on` is the version that its author saw live, 0 before there was one; None: whichever it was.
    """

    reason: str = ""
    based_on: int | None = None
    starts: int | None = None
    ends: int | None = None
    back: int | None = None  # the version whose rules it has
    draft: str | None = None

    def check(self, now: int) -> None:
        """Raises Invalid unless its times are to come, in their order."""
        if self.starts is not None and self.starts <= now:
            message = "is over; give a later time, or leave it out to publish at once"
            raise Invalid(f"startsAt: {self.starts} {message}", details=[Finding(field="startsAt", message=message)])
        if self.ends is not None and self.ends <= (self.starts or now):
            message = "has to come after startsAt" if self.starts else "is over; give a later time"
            raise Invalid(f"endsAt: {self.ends} {message}", details=[Finding(field="endsAt", message=message)])

    @property
    def verb(self) -> str:
        """What the audit log calls it."""
        return "schedule" if self.starts is not None else "publish" if self.back is None else "rollback"


def release(
    caller: Caller,
    owner: Owner,
    stored: StoredSet,
    story: Story,
    also: Sequence[tuple[Write, FingerpostError]] = (),
) -> tuple[Item, Timeline]:
    """Make the next version of an owner's rules; answers its row and what is live when from now on.

    Of `also`, done in the same transaction, each comes with what to raise when its condition does not hold. Raises
    Conflict when the rules changed since `story.based_on`, or keep changing; Invalid, NotFound, PreconditionFailed,
    TooLarge.
    """
    main, made = caller.tables.main, caller.new_id(caller.at)
    if owner.application:  # a deleted one leaves no rules behind that would be asked
        gone = NotFound(f"There is no application {owner.application}")
        also = [*also, (Check(keys.document(owner.application), (Present(),)), gone)]
    for _ in attempts(ATTEMPTS):
        live = main.get(keys.LIVE, consistent=True)
        before = timeline_of(live, owner.name)
        newest = [upgraded(row.item) for row in newest_rows(main, owner, limit=REPEATS_SEEN).rows]
        for row in newest:
            if row["made"] == made:
                return row, before  # a repeat of a request that had got this far
        current = before.at(caller.at)
        check_based_on(caller, owner, story.based_on, current)
        check_match(caller, current)
        _check_limits(owner, live, before, story)
        row = _row(caller, newest, stored, story, made)
        version = version_of(owner, row, stored.needs)
        after = begun(before, Stint(version, story.starts or caller.at, story.ends), caller.at)
        was = None if current is None else {"version": current.number}
        writes: list[Write] = [
            Put(keys.rules_version(owner.name, version.number), row, (Absent(),)),
            _switch(owner, live, after),
            *audit.entry(caller, story.verb, "rules", owner.name, was, _told(row)),
        ]
        try:
            main.transact([*writes, *[write for write, _ in also]])
        except TransactionFailed as failure:
            for (_, error), reason in zip(also, failure.reasons[len(writes) :], strict=True):
                if reason.kind == "condition":
                    raise error from failure
            continue  # somebody else published
        return row, after
    raise Conflict("These rules keep changing; send the request again")


def rollback(caller: Caller, owner: Owner, number: int, story: Story) -> tuple[Item, Timeline]:
    """Make a version with the rules of an earlier one, as they were compiled. Raises NotFound, Conflict."""
    row = read_row(caller, owner, number)
    rules, fields = unpacked(read_chunks(caller.tables.main, row["set"]))
    stored = StoredSet(
        set_id=row["set"],
        count=row["count"],
        size=row["bytes"],
        needs=CompiledRules(number, rules, fields, delegating=False).all_needs,
        warnings=row["warnings"],
        language=row["language"],
    )
    return release(caller, owner, stored, replace(story, back=number))


def cancel(caller: Caller, owner: Owner, number: int) -> tuple[Item, Timeline]:
    """Take a scheduled version off the timeline before it begins; answers its row and the timeline.

    Raises NotFound when it has no schedule, Conflict when it is live already.
    """
    main = caller.tables.main
    for _ in attempts(ATTEMPTS):
        row = read_row(caller, owner, number)
        live = main.get(keys.LIVE, consistent=True)
        before = timeline_of(live, owner.name)
        if row["cancelled"] is not None:
            return row, before
        stint = next((each for each in before.stints if each.version.number == number), None)
        if stint is None:
            raise NotFound(f"Version {number} of these rules has no schedule")
        if stint.starts <= caller.at:
            raise Conflict(
                f"Version {number} is live already. To end it now, roll back to the version before it; "
                f"to keep it for good, roll back to version {number} itself"
            )
        after = without(before, number, caller.at)
        story = {"version": number, "startsAt": stint.starts}
        writes: list[Write] = [
            Update(
                keys.rules_version(owner.name, number), (Set("cancelled", caller.at),), (Equals("set", row["set"]),)
            ),
            _switch(owner, live, after),
            *audit.entry(caller, "cancel", "rules", owner.name, story | ({"endsAt": stint.ends} if stint.ends else {})),
        ]
        try:
            main.transact(writes)
        except TransactionFailed:
            continue
        return {**row, "cancelled": caller.at}, after
    raise Conflict("These rules keep changing; send the request again")


def _row(caller: Caller, newest: list[Item], stored: StoredSet, story: Story, made: str) -> Item:
    return {
        **stamp("rules"),
        "number": newest[0]["number"] + 1 if newest else 1,
        "set": stored.set_id,
        "created": newest[0]["created"] if newest else caller.at,
        "at": caller.at,
        "by": caller.principal.id,
        "actor": caller.principal.actor,
        "cause": caller.cause,
        "made": made,
        "count": stored.count,
        "bytes": stored.size,
        "language": stored.language,
        "warnings": stored.warnings,
        "reason": story.reason,
        "starts": story.starts,
        "ends": story.ends,
        "back": story.back,
        "draft": story.draft,
        "cancelled": None,
    }


def _told(row: Item) -> Item:
    """A version as the audit log has it."""
    names = {"reason": "reason", "starts": "startsAt", "ends": "endsAt", "back": "rolledBackTo", "draft": "draft"}
    optional = {document: row[name] for name, document in names.items() if row[name]}
    return {"version": row["number"], "rules": row["count"], **optional}


def _check_limits(owner: Owner, live: Item | None, before: Timeline, story: Story) -> None:
    planned = {name[5:]: text for name, text in (live or {}).items() if name.startswith("then:")}
    owners = {name[5:] for name in (live or {}) if name.startswith("live:")} | planned.keys()
    applications = [name for name in owners if name.startswith(keys.APPLICATION_RULES)]
    if owner.application and owner.name not in owners and len(applications) >= MAX_REDIRECTORS:
        raise TooLarge(f"At most {MAX_REDIRECTORS:,} applications of an account can have rules of their own")
    if story.starts is None and story.ends is None:
        return
    if sum(text.count(";") + 1 for text in planned.values()) >= MAX_PLANNED:
        raise TooLarge(
            f"At most {MAX_PLANNED} versions of an account can wait for their time or have an end; "
            "cancel the schedule of one that is no longer wanted"
        )


def _switch(owner: Owner, live: Item | None, after: Timeline) -> Update:
    """The live row's next state, unless one of its two attributes of the owner has changed meanwhile."""
    marks: list[FieldChange] = [Set(name, value) for name, value in stamp("live").items()]
    unchanged: list[Condition] = []
    texts = {
        f"live:{owner.name}": after.base.text if after.base else "",
        f"then:{owner.name}": ";".join(stint.text for stint in after.stints),
    }
    for field, text in texts.items():
        was = (live or {}).get(field)
        unchanged.append(AbsentOrBelow(field, "") if was is None else Equals(field, was))
        if text:
            marks.append(Set(field, text))
        elif was is not None:
            marks.append(Remove(field))
    return Update(keys.LIVE, tuple(marks), tuple(unchanged))
