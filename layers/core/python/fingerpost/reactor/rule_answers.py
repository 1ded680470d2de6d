"""Declarative rules, their versions, secrets and queues, as clients are shown them."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field, JsonValue

from ..answers import Answered, CheckFinding, FindingDocument, Id, Values
from ..fields import Millis
from ..redirection.answers import Author, Change, Why
from .rule_documents import When


class ReactorRule(Answered):
    """A rule as it was sent."""

    name: str
    when: When
    filter: NotRequired[str | None]
    then: list[Values]
    enabled: NotRequired[bool]


class ReactorRules(Answered):
    """The rules that act. Before any were published `version` and both times are 0."""

    version: int
    createdAt: Millis
    updatedAt: Millis
    rules: list[ReactorRule]
    warnings: NotRequired[list[FindingDocument]]


class ReactorRulesVersion(Answered):
    """A version of rules: who made it, when and why, and whether it is the one that acts."""

    version: int
    state: Literal["live", "superseded"]
    publishedAt: Millis
    by: Author
    reason: str
    ruleCount: int
    rolledBackTo: NotRequired[int]


class WholeReactorRulesVersion(ReactorRulesVersion):
    rules: list[ReactorRule]


class ComparedRules(Answered):
    """A version, 0 for none, or how many rules were sent."""

    version: NotRequired[int]
    rules: NotRequired[int]


class ReactorRulesDifference(Answered):
    before: Annotated[ComparedRules, Field(alias="from")]
    to: ComparedRules
    changes: list[Change]
    says: str


class CheckedReactorRules(Answered):
    findings: list[CheckFinding]
    rules: int


class StepTold(Answered):
    """What a step would do, or why it would do nothing."""

    step: int
    does: NotRequired[Values]
    says: NotRequired[str]


class ReactorRuleTold(Answered):
    """What one rule says of an event."""

    rule: int
    name: str
    filter: str | None
    matched: bool
    says: str
    why: NotRequired[Why]
    steps: list[StepTold]


class ReactorSimulation(Answered):
    """What rules would do for an event, whose `document` is what functions of scripts would be called with."""

    event: When
    document: dict[str, JsonValue]
    rules: list[ReactorRuleTold]
    says: str


class WebhookSecret(Answered):
    """The secret that signs webhooks; until `beforeUntil` the one before signs beside it."""

    secret: str
    version: int
    createdAt: Millis
    beforeUntil: NotRequired[Millis]


class RuleMessage(Answered):
    """A message that a rule put on a queue for an event."""

    id: Id
    createdAt: Millis
    rule: str
    event: str
    body: JsonValue
