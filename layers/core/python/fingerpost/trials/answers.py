"""What trials of rules find, as clients are shown it."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field, JsonValue

from ..answers import Answered, CheckFinding, FindingDocument, Id, Values
from ..fields import Millis
from ..redirection.answers import Limit, RuleTold


class Hole(Answered):
    """One field of a URL: its value, the text that stands for it, and where it came from."""

    field: str
    value: JsonValue
    text: str
    source: str


class DecidingApplication(Answered):
    id: str
    project: str
    version: int
    rule: int
    name: str | None


class Simulation(Answered):
    """Where a scan would go, and what every rule says of it. `nextRule` is the first that was left out."""

    version: NotRequired[int]
    draft: NotRequired[str]
    redirectUrl: str | None
    decidedBy: Literal["rule", "variant", "application", "default", "limit", "nothing"]
    limit: NotRequired[Limit]
    rule: int | None
    name: str | None
    says: str
    template: list[Hole]
    application: NotRequired[DecidingApplication]
    variant: NotRequired[str]
    rules: list[RuleTold]
    ruleCount: int
    context: Values
    nextRule: NotRequired[int]
    warnings: NotRequired[list[FindingDocument]]


class ResponsibleRules(Answered):
    before: Annotated[int | None, Field(alias="from")]
    before_name: Annotated[str | None, Field(alias="fromName")]
    to: int | None
    toName: str | None
    scans: int


class Example(Answered):
    action: Id
    timestamp: Millis
    before: Annotated[str | None, Field(alias="from")]
    to: str | None


class Moved(Answered):
    """Scans that would go from one URL to another, and the rules that decided before and after."""

    before: Annotated[str | None, Field(alias="from")]
    to: str | None
    scans: int
    rules: list[ResponsibleRules]
    examples: list[Example]


class RuleCompared(Answered):
    """How many scans a rule decided before and after; `was` is its number in the older set."""

    rule: int | None
    was: int | None
    name: str | None
    before: int
    after: int


class OtherGroups(Answered):
    groups: int
    scans: int


class Backtest(Answered):
    """What would change for recorded scans. A `cursor` is there when there are more to ask about."""

    version: NotRequired[int]
    draft: NotRequired[str]
    against: int
    scans: int
    changed: int
    unchanged: int
    groups: list[Moved]
    otherGroups: NotRequired[OtherGroups]
    rules: list[RuleCompared]
    since: Millis | None
    until: Millis | None
    recordedElsewhere: int
    says: str
    robots: int
    limited: int
    cursor: NotRequired[str]


class Check(Answered):
    """What is wrong or odd, and how many recorded `scans` showed it: none were asked when rules have mistakes."""

    findings: list[CheckFinding]
    says: str
    scans: NotRequired[int]
    since: NotRequired[Millis | None]
