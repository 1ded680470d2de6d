"""Rules as they are named in a request: the live version, a version by its number, a draft, or rules sent along."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, JsonValue, model_validator

from ..caller import Caller
from ..errors import Finding, Invalid
from ..fields import SentDocument
from . import drafts
from .publish import examined_for, refuse
from .rulesets import CompiledRules, RuleSets, StoredRule, Version
from .versions import Owner, read_row, timeline, version_of

LIVE = "live"
DRAFT = "draft:"

_sets = RuleSets()  # of published versions, which never change


class SentReference(SentDocument):
    """At most one of `version`, `draft` and `rules`; with none it is the live version."""

    version: Annotated[int, Field(ge=1)] | None = None
    draft: str | None = None
    rules: list[JsonValue] | None = None

    @model_validator(mode="after")
    def _only_one(self) -> "SentReference":
        if sum(each is not None for each in (self.version, self.draft, self.rules)) > 1:
            raise ValueError("give one of version, draft and rules, or none for the live version")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Referenced:
    """What a reference stands for. With `mistakes` the rules can be looked at, not asked."""

    owner: Owner
    title: str  # "version 7", "the draft summer", "the rules sent", "no rules"
    version: Version  # number 0, without a set, unless it is a published one
    draft: str | None = None
    stored: Sequence[StoredRule] = ()
    template_fields: Iterable[str] = ()
    mistakes: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    published: CompiledRules | None = None
    inline: bool = False  # sent along with the request

    @property
    def sent(self) -> list[Any]:
        """The rules as they were sent; one with a mistake need not be an object."""
        return [rule["sent"] for rule in self.stored]

    def document(self) -> dict[str, Any]:
        """The reference itself: `version` (0: none), `draft`, or for rules that were sent how many."""
        if self.draft is not None:
            return {"draft": self.draft}
        return {"rules": len(self.stored)} if self.inline else {"version": self.version.number}

    def compiled(self) -> CompiledRules:
        """The rules, ready to decide. Raises Invalid with a finding for each mistake."""
        refuse(self.mistakes)
        if self.published is not None:
            return self.published
        delegating = not self.owner.application
        return CompiledRules(self.version.number, self.stored, self.template_fields, delegating=delegating)


def reference_of(text: str, field: str) -> SentReference:
    """A reference as a query string has it: `live`, `7`, `draft:summer`. Raises Invalid, which names `field`."""
    if text == LIVE:
        return SentReference()
    if text.startswith(DRAFT) and len(text) > len(DRAFT):
        return SentReference(draft=text.removeprefix(DRAFT))
    if text.isascii() and text.isdigit() and int(text[:10]) >= 1:
        return SentReference(version=int(text[:10]))
    message = f"takes live, the number of a version, or draft:<name>, not {text[:40]!r}"
    expected = ("live", "7", "draft:summer")
    raise Invalid(f"{field}: {message}", details=[Finding(field=field, message=message, expected=expected)])


def resolve(caller: Caller, owner: Owner, reference: SentReference) -> Referenced:
    """The rules that a reference stands for, for this owner. Raises NotFound, Invalid, TooLarge."""
    if reference.rules is not None:
        return _sent(caller, owner, reference.rules)
    if reference.draft is not None:
        return _draft(caller, owner, reference.draft)
    if reference.version is not None:
        return version(caller, owner, reference.version)
    current = timeline(caller, owner).at(caller.at)
    if current is not None:
        return version(caller, owner, current.number)
    return Referenced(owner=owner, title="no rules", version=_unpublished(owner))


def version(caller: Caller, owner: Owner, number: int) -> Referenced:
    """A published version. Raises NotFound."""
    row = read_row(caller, owner, number)
    found = version_of(owner, row)
    compiled = _sets.of(caller.tables, caller.principal.account, found)
    return Referenced(
        owner=owner,
        title=f"version {number}",
        version=found,
        stored=compiled.rules,
        warnings=drafts.findings_of(row["warnings"]),
        published=compiled,
    )


def _draft(caller: Caller, owner: Owner, name: str) -> Referenced:
    draft = drafts.read(caller, owner, name)
    return Referenced(
        owner=owner,
        title=f"the draft {name}",
        version=_unpublished(owner),
        draft=name,
        stored=draft.rules,
        template_fields=draft.template_fields,
        mistakes=draft.mistakes,
        warnings=draft.warnings,
    )


def _sent(caller: Caller, owner: Owner, rules: list[Any]) -> Referenced:
    examined = examined_for(caller, owner, owner.read({"rules": rules}))
    return Referenced(
        owner=owner,
        title="the rules sent",
        version=_unpublished(owner),
        stored=examined.rules,
        template_fields=examined.template_fields,
        mistakes=examined.mistakes,
        warnings=examined.warnings,
        inline=True,
    )


def _unpublished(owner: Owner) -> Version:
    return Version(0, "", owner.application, owner.project)
