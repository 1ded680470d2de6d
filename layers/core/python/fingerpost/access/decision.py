"""The one authorisation decision: may this principal do this, at this address? Pure; standard library only.

Every route names a verb and a kind of resource. The kind of key has to allow it (`MAY`); then an operator's role has
to, a user's role or a device's own permissions have to allow the path. What is seen of the resource itself is decided
where it is read (sight.py).
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from ..errors import Forbidden, NotFound
from .model import Actor, Principal, Rights, Verb
from .paths import permitted

ALL: frozenset[Verb] = frozenset({"create", "read", "update", "delete"})
READ: frozenset[Verb] = frozenset({"read"})
CREATE: frozenset[Verb] = frozenset({"create"})

type Area = Literal["self", "account", "rules", "project", "resource"]


class OfOperator(NamedTuple):
    """What operators may do with a kind, and where their role has to allow it.

    `self`: every operator, whatever the role. `account`: reading, for who reads anything; changing, for who may change
    roles. `project`: the projects and what belongs to them. `resource`: things, and what happens to them. `rules`: an
    application's as its project; what concerns the whole account as resources of all of it. To read a `secret` takes
    the right to change it.
    """

    verbs: frozenset[Verb]
    area: Area
    secret: bool = False


OPERATOR: Mapping[str, OfOperator] = {
    "access": OfOperator(READ, "self"),
    "operators": OfOperator(frozenset({"read", "update"}), "self"),
    "accounts": OfOperator(frozenset({"read", "update"}), "account"),
    "accesses": OfOperator(ALL, "account"),
    "roles": OfOperator(ALL, "account"),
    "projects": OfOperator(ALL, "project"),
    "applications": OfOperator(ALL, "project"),
    "secretKey": OfOperator(READ, "project", secret=True),
    "users": OfOperator(frozenset({"read", "update", "delete"}), "project"),
    "userStatus": OfOperator(READ, "project"),
    "deviceKeys": OfOperator(ALL, "resource", secret=True),
    "products": OfOperator(ALL, "resource"),
    "thngs": OfOperator(ALL, "resource"),
    "properties": OfOperator(ALL, "resource"),
    "locations": OfOperator(ALL, "resource"),
    "collections": OfOperator(ALL, "resource"),
    "places": OfOperator(ALL, "resource"),
    "actions": OfOperator(ALL, "resource"),
    "actionTypes": OfOperator(ALL, "resource"),
    "redirections": OfOperator(ALL, "resource"),
    "redirector": OfOperator(ALL, "rules"),
    "scripts": OfOperator(frozenset({"read", "update"}), "project"),
    "reactorLogs": OfOperator(frozenset({"create", "read", "delete"}), "project"),
    "schedules": OfOperator(ALL, "project"),
    "rooms": OfOperator(ALL, "resource"),
    "bookings": OfOperator(ALL, "resource"),
    "roomSettings": OfOperator(ALL, "rules"),
    "roomCredentials": OfOperator(ALL, "account"),
    "reactorRules": OfOperator(frozenset({"read", "update"}), "rules"),
    "webhookSecrets": OfOperator(frozenset({"read", "create"}), "rules", secret=True),
    "reactorQueues": OfOperator(frozenset({"read", "delete"}), "project"),
    "audit": OfOperator(READ, "rules"),
    "statistics": OfOperator(frozenset({"read", "delete"}), "rules"),
}

# What each other kind of key may do with each kind of resource. Source: wire-facts, "Who may do what"; users as
# base_app_user, which no role exceeds.
MAY: Mapping[Actor, Mapping[str, frozenset[Verb]]] = {
    "trustedApplication": {
        "access": READ,
        "self": frozenset({"read", "update"}),
        "signIn": CREATE,
        "users": READ,
        "userStatus": READ,
        "deviceKeys": ALL,
        "products": ALL,
        "thngs": ALL,
        "properties": ALL,
        "locations": ALL,
        "collections": ALL,
        "places": ALL,
        "actions": frozenset({"create", "read"}),
        "actionTypes": frozenset({"create", "read", "delete"}),
        "redirections": ALL,
        "reactorLogs": CREATE,
        "reactorQueues": frozenset({"read", "delete"}),
        "schedules": ALL,
    },
    "application": {
        "access": READ,
        "self": READ,
        "signIn": CREATE,
        "userStatus": READ,
        "products": READ,
        "places": READ,
    },
    "user": {
        "access": READ,
        "userAccesses": frozenset({"create", "read", "delete"}),
        "logout": CREATE,
        "roles": READ,
        "users": frozenset({"read", "update"}),
        "userStatus": READ,
        "deviceKeys": frozenset({"create", "read", "delete"}),
        "products": frozenset({"create", "read", "update"}),
        "thngs": frozenset({"create", "read", "update"}),
        "properties": frozenset({"create", "read", "update"}),
        "locations": frozenset({"create", "read", "update"}),
        "collections": ALL,
        "places": READ,
        "actions": frozenset({"create", "read"}),
        "actionTypes": READ,
    },
    "device": {
        "access": READ,
        "thngs": frozenset({"read", "update"}),
        "properties": frozenset({"create", "read", "update"}),
        "locations": frozenset({"create", "read", "update"}),
        "actions": frozenset({"create", "read"}),
    },
    "roomClient": {"joan": ALL, "roomvox": ALL, "hub": ALL},
    "nobody": {},
}

_NAMES: Mapping[Actor, str] = {
    "operator": "An Operator key",
    "trustedApplication": "A Trusted Application key",
    "application": "An Application key",
    "user": "An Application User key",
    "device": "A Device key",
    "roomClient": "A client of a room API",
    "nobody": "Nobody",
}


def decide(
    principal: Principal, verb: Verb, kind: str, method: str, template: str, parameters: Mapping[str, str]
) -> None:
    """Raises Forbidden; NotFound when the address names a project that the principal does not see.

    `method` and `template` are the route's, `parameters` the values in it.
    """
    if principal.actor == "operator":
        _decide_for_operator(principal.rights, verb, kind, parameters.get("projectId"))
        return
    if verb not in MAY[principal.actor].get(kind, frozenset()):
        raise Forbidden(f"{_NAMES[principal.actor]} may not {verb} {kind}")
    if principal.actor in ("user", "device"):
        path = template.format_map(parameters)
        if not permitted(principal.permissions, method, template, parameters, own=principal.id):
            role = f"the role {principal.role}" if principal.actor == "user" else "a device"
            raise Forbidden(f"{_NAMES[principal.actor]} of {role} may not {method} {path[:200]}")


def _decide_for_operator(rights: Rights, verb: Verb, kind: str, project: str | None) -> None:
    verbs, area, secret = OPERATOR.get(kind, OfOperator(frozenset(), "self"))
    if verb not in verbs:
        raise Forbidden(f"An Operator key may not {verb} {kind}")
    if project is not None and rights.reads is not None and rights.reads and project not in rights.reads:
        raise NotFound(f"There is no project {project[:60]}")
    changing = verb != "read" or secret
    everywhere = kind == "projects" and verb in ("create", "delete")
    if not _allows(rights, area, changing=changing, everywhere=everywhere, project=project):
        raise Forbidden(f"This operator's role does not allow to {verb} {kind}" + (" here" if project else ""))


def _allows(rights: Rights, area: Area, *, changing: bool, everywhere: bool, project: str | None) -> bool:
    """`everywhere`: a right in some projects is not enough."""
    match area:
        case "self":
            return True
        case "account":
            return rights.roles if changing else rights.reads != frozenset()
        case "rules" if project is None:
            scope, everywhere = (rights.resources if changing else rights.reads), True
        case "resource":
            scope = rights.resources if changing else rights.reads
        case _:
            scope = rights.projects if changing else rights.reads
    if scope is None or everywhere:
        return scope is None
    return project in scope if project is not None else bool(scope)
