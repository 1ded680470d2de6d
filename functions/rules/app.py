"""The rules of the account and of its applications: what is live, its versions, drafts and plans."""

from fingerpost.edge import Answer, Edge, Request
from fingerpost.redirection import publish, versions
from fingerpost.redirection.documents import SentApplicationRules, SentRules
from fingerpost.redirection.owners import owner_of, rules_route

edge = Edge("rules")
handler = edge.handler


@rules_route(edge, "GET", "", "read")
def read_rules(request: Request) -> Answer:
    """What is live now, and what is planned."""
    return Answer(document=versions.read(request.caller, owner_of(request)))


@rules_route(edge, "PUT", "", "update", bodies=(SentRules, SentApplicationRules), query=("strict",))
def publish_rules(request: Request) -> Answer:
    """Publish at once. Unknown fields are stored with a warning, and refused with `?strict=true`.

    Rules of an application ask nobody, and lead only where the account allows.
    """
    owner = owner_of(request)
    sent, strict = owner.read(request.json_object()), request.flag("strict")
    return Answer(document=publish.publish(request.caller, owner, sent, strict=strict))
