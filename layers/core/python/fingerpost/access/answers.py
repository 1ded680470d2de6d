"""Who a key is, accounts and their operators, projects, applications and their users, as clients are shown them."""

from typing import Literal, NotRequired

from ..answers import Answered, Id, Resource, Scopes, Values
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
    retentionDays: NotRequired[int]


class Domain(Answered):
    """A short domain of an account."""

    id: Id
    accountId: Id
    domain: str
    createdAt: Millis
    updatedAt: Millis


class OperatorAccess(Answered):
    """Who operates an account, by which role; the key is shown to the operator and to who may change roles."""

    id: Id
    account: Id
    operator: Id
    role: str
    apiKey: NotRequired[str]


class Operator(Answered):
    id: Id
    email: str
    createdAt: Millis
    updatedAt: Millis
    firstName: NotRequired[str]
    lastName: NotRequired[str]
    customFields: NotRequired[Values]


class RoleScopes(Answered):
    """`roles` see the role and can give it, in `projects` (none: in all)."""

    roles: list[str]
    projects: list[str]


class Role(Answered):
    """A role of operators, or with a `type` of application users."""

    id: str
    name: str
    type: NotRequired[Literal["userInApp"]]
    version: NotRequired[int]
    createdAt: NotRequired[Millis]
    updatedAt: NotRequired[Millis]
    description: NotRequired[str]
    customFields: NotRequired[Values]
    scopes: NotRequired[RoleScopes]


class Permission(Answered):
    """What application users may do at a path, in letters of crud; one that is a `default` cannot be taken away."""

    path: str
    access: str
    default: NotRequired[bool]


class OperatorPermission(Answered):
    """What operators may do; `children` count where their parent does, `projects` say where."""

    name: str
    enabled: bool
    projectScoped: bool
    projects: NotRequired[list[str]]
    children: NotRequired[list["OperatorPermission"]]


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


# Users and devices


class Birthday(Answered):
    day: NotRequired[int | None]
    month: NotRequired[int | None]
    year: NotRequired[int | None]


class User(Answered):
    id: Id
    createdAt: Millis
    updatedAt: Millis
    project: Id
    app: Id
    email: NotRequired[str]
    firstName: NotRequired[str]
    lastName: NotRequired[str]
    birthday: NotRequired[Birthday]
    gender: NotRequired[Literal["male", "female"]]
    timezone: NotRequired[str]
    locale: NotRequired[str]
    photo: NotRequired[str]
    customFields: NotRequired[Values]
    tags: NotRequired[list[str]]
    scopes: NotRequired[Scopes]


class UserAccess(Answered):
    """The role that a user has, and who gave it; `apiKey` where a login has just opened it."""

    id: Id
    project: Id
    app: Id
    user: Id
    actor: Id
    role: str
    apiKey: NotRequired[str]
    customFields: NotRequired[Values]


class SignedIn(User):
    access: UserAccess


class Login(Answered):
    """A user, and a key of theirs as soon as they are active; until then the code that activates them."""

    evrythngUser: Id
    status: NotRequired[Literal["inactive", "active", "anonymous"]]
    email: NotRequired[str]
    evrythngApiKey: NotRequired[str]
    activationCode: NotRequired[str]
    socialNetwork: NotRequired[str]


class SocialToken(Answered):
    token: str
    expires: NotRequired[int | str | None]


class SocialLogin(Answered):
    """A user who has signed in by a social network, and a key of theirs."""

    evrythngUser: Id
    evrythngApiKey: str
    socialNetwork: str
    socialNetworkId: str
    appId: str
    access: SocialToken


class Logout(Answered):
    logout: Literal["ok"]


class UserStatus(Answered):
    """Whether a user is activated, since when, and until then the code that does it."""

    activated: bool
    activationDate: NotRequired[Millis]
    activationCode: NotRequired[str]


class DeviceKey(Answered):
    thngId: Id
    thngApiKey: str
