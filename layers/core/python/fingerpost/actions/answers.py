"""Actions, why scans went where they went, and action types, as clients are shown them."""

from typing import Literal, NotRequired

from ..answers import Answered, Id, Position, Scopes, Values
from ..fields import Millis
from ..redirection.answers import Limit, RuleTold


class ActionType(Answered):
    """Of the platform's own types only the name."""

    name: str
    id: NotRequired[Id]
    createdAt: NotRequired[Millis]
    updatedAt: NotRequired[Millis]
    tags: NotRequired[list[str]]
    customFields: NotRequired[Values]
    scopes: NotRequired[Scopes]


class ActionContext(Answered):
    """How an action came about, as far as that is known."""

    ipAddress: NotRequired[str]
    city: NotRequired[str]
    region: NotRequired[str]
    countryCode: NotRequired[str]
    userAgent: NotRequired[str]
    referer: NotRequired[str]
    language: NotRequired[str]
    timeZone: NotRequired[str]
    query: NotRequired[str]
    userAgentName: NotRequired[str]
    userAgentVersion: NotRequired[str]
    userAgentType: NotRequired[str]
    deviceType: NotRequired[str]
    device: NotRequired[str]
    operatingSystemName: NotRequired[str]
    operatingSystemFamily: NotRequired[str]
    operatingSystemProducer: NotRequired[str]
    operatingSystemVersion: NotRequired[str]


class DelegatedBy(Answered):
    rule: int
    version: int


class Reaction(Answered):
    """Where a scan was sent, and which rule of which version decided that."""

    type: Literal["redirection"]
    redirectUrl: str
    redirectionContext: NotRequired[Values]
    rule: NotRequired[int]
    version: NotRequired[int]
    variant: NotRequired[str]
    delegatedBy: NotRequired[DelegatedBy]


class Explanation(Answered):
    """Each rule that was asked, in order; of a redirection's limit none were."""

    rules: list[RuleTold]
    says: str
    version: NotRequired[int]
    app: NotRequired[Id]
    variant: NotRequired[str]
    limit: NotRequired[Limit]


class Action(Answered):
    """`context` and `scopes` are shown on request, `explanation` to who asks why a scan went where it went."""

    id: Id
    createdAt: Millis
    timestamp: Millis
    type: str
    user: NotRequired[str]
    thng: NotRequired[str]
    product: NotRequired[str]
    collection: NotRequired[str]
    tags: NotRequired[list[str]]
    customFields: NotRequired[Values]
    identifiers: NotRequired[Values]
    createdByProject: NotRequired[Id]
    createdByApp: NotRequired[Id]
    location: NotRequired[Position]
    locationSource: Literal["sensor", "place", "geoIp", "unknown"]
    shortDomain: NotRequired[str]
    shortId: NotRequired[str]
    limit: NotRequired[Limit]
    reactions: NotRequired[list[Reaction]]
    context: NotRequired[ActionContext]
    scopes: NotRequired[Scopes]
    explanation: NotRequired[Explanation]
