"""Redirections, rules, their versions and drafts, as clients are shown them."""

from typing import Annotated, Literal, NotRequired, TypedDict

from pydantic import ConfigDict, Field, JsonValue, with_config

from ..answers import Answered, FindingDocument, Id, Values
from ..fields import Millis

type Limit = Literal["before", "after", "exhausted"]


class Limits(Answered):
    validFrom: NotRequired[Millis]
    beforeUrl: NotRequired[str]
    validUntil: NotRequired[Millis]
    afterUrl: NotRequired[str]
    maxScans: NotRequired[int]
    exhaustedUrl: NotRequired[str]


class Redirection(Answered):
    """A short URL, with the hits that it had. `state` says whether it leads anywhere now."""

    createdAt: Millis
    updatedAt: Millis
    defaultRedirectUrl: str
    redirectUrl: str
    evrythngId: Id
    evrythngUrl: str
    shortDomain: str
    shortId: str
    type: Literal["thng", "product", "collection", "place"]
    hits: int
    state: Literal["active", "notYet", "ended", "exhausted"]
    limits: NotRequired[Limits]


# Rules


@with_config(ConfigDict(extra="allow", strict=True))
class Rule(TypedDict):
    """A rule as it was sent. A key that nobody knows is kept with it and means nothing."""

    match: NotRequired[str | None]
    name: NotRequired[str | None]
    redirectUrl: NotRequired[str | None]
    constants: NotRequired[dict[str, str] | None]
    variants: NotRequired[list[Values] | None]
    variantsUntil: NotRequired[Millis | None]
    delegates: NotRequired[JsonValue]  # of the account's rules a list; to an application it means nothing


class Planned(Answered):
    """What goes live at a moment; version 0 is none."""

    at: Millis
    version: int


class Redirector(Answered):
    """The rules that are live. Before any were published `version` and both times are 0."""

    id: Id
    createdAt: Millis
    updatedAt: Millis
    version: int
    rules: list[Rule]
    warnings: NotRequired[list[FindingDocument]]
    planned: NotRequired[list[Planned]]


class Author(Answered):
    """Who did something; `email` of an operator who is still there."""

    id: str
    type: str
    email: NotRequired[str]


class Version(Answered):
    """A version of rules: who made it, when and why, and when it is live."""

    version: int
    state: Literal["live", "scheduled", "superseded"]
    publishedAt: Millis
    by: Author
    reason: str
    ruleCount: int
    rolledBackTo: NotRequired[int]
    draft: NotRequired[str]
    startsAt: NotRequired[Millis]
    endsAt: NotRequired[Millis]
    cancelledAt: NotRequired[Millis]


class WholeVersion(Version):
    """The same with its rules, and what was odd about them."""

    rules: list[Rule]
    warnings: list[FindingDocument]


class Draft(Answered):
    """A draft of rules. `edit` counts its changes; with `findings` it cannot be published."""

    name: str
    state: Literal["draft", "checked"]
    edit: int
    basedOn: int
    note: str
    createdAt: Millis
    updatedAt: Millis
    by: Author
    ruleCount: int
    findings: list[FindingDocument]
    warnings: list[FindingDocument]


class WholeDraft(Draft):
    """The same with its rules; one with a mistake need not be an object."""

    rules: list[JsonValue]


class Side(Answered):
    """One side of a comparison: a version (0: none), a draft, or how many rules were sent."""

    version: NotRequired[int]
    draft: NotRequired[str]
    rules: NotRequired[int]


class Change(Answered):
    """What became of a rule, in words. One that was added was nowhere, one that was removed is nowhere."""

    kind: Literal["added", "removed", "changed", "moved"]
    rule: int | None
    was: int | None
    name: str | None
    says: str


class Difference(Answered):
    """Of more changes than there is room for the first, and how many `more` there are."""

    before: Annotated[Side, Field(alias="from")]
    to: Side
    changes: list[Change]
    more: NotRequired[int]
    says: str


# What rules say of a scan


class Why(Answered):
    """One part of a match expression and whether it held; `decided` is whether the whole turned on it."""

    kind: Literal["test", "allOf", "anyOf", "not"]
    held: bool
    decided: bool
    field: NotRequired[str]
    found: NotRequired[JsonValue]
    wanted: NotRequired[list[str]]
    says: NotRequired[str]
    parts: NotRequired[list["Why"]]


class RuleTold(Answered):
    """What one rule said of a scan, and what the applications said that it asked."""

    rule: int
    name: str | None
    match: str | None
    matched: bool
    says: str
    why: Why
    ledNowhere: NotRequired[str]
    delegates: NotRequired[list["DelegateTold"]]


class DelegateTold(Answered):
    app: str
    project: str
    version: int
    rules: list[RuleTold]
    says: str
