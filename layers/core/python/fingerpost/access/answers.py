"""Who a key is, accounts, projects and applications, as clients are shown them."""

from typing import Literal, NotRequired

from ..answers import Answered, Id, Resource, Values
from ..fields import Millis


class Actor(Answered):
    id: Id
    type: Literal["operator", "app", "userInApp", "device"]


class Access(Answered):
    """Who the key is; `project` of all but operators."""

    account: Id
    actor: Actor
    project: NotRequired[Id]


class RateLimit(Answered):
    """So many requests in a time frame of milliseconds."""

    rate: int
    timeFrame: int
    warningMaxHits: int
    blockingMaxHits: int


class RatedUrl(Answered):
    path: str
    depth: int


class Rate(Answered):
    """How many requests a key has sent in this minute, and may still send until it ends at `reset`."""

    url: RatedUrl
    access: str
    limit: RateLimit
    hits: int
    hitsRemaining: int
    reset: Millis


class Rates(Answered):
    name: str
    rateLimits: list[Rate]


class Time(Answered):
    """What time it is, and of a zone its offset in milliseconds, the time there, and when its offset changes next."""

    timestamp: Millis
    offset: NotRequired[int]
    localTime: NotRequired[str]
    nextChange: NotRequired[Millis]


class Account(Answered):
    """`wholeAddresses`: whether scans keep addresses in full. `allowedHosts`: where application rules may lead."""

    id: Id
    name: str
    createdAt: Millis
    updatedAt: Millis
    tfaRequired: bool
    customFields: Values
    wholeAddresses: bool
    imageUrl: NotRequired[str]
    allowedHosts: NotRequired[list[str]]


class Project(Resource):
    shortDomains: list[str]
    customFields: NotRequired[Values]
    identifiers: NotRequired[Values]
    imageUrl: NotRequired[str]
    startsAt: NotRequired[Millis]
    endsAt: NotRequired[Millis]


class Application(Resource):
    """`appApiKey` is the key that is not secret."""

    project: Id
    appApiKey: str
    socialNetworks: Values
    defaultRole: str
    defaultUrl: NotRequired[str]
    customFields: NotRequired[Values]
    identifiers: NotRequired[Values]


class SecretKey(Answered):
    secretApiKey: str
