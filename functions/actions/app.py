"""Actions and action types."""

from dataclasses import replace
from typing import Any

from fingerpost import wiring
from fingerpost.actions import explained, service, types
from fingerpost.actions.answers import Action, ActionType
from fingerpost.actions.documents import NewActionType, SentAction, SentActionType
from fingerpost.actions.model import ACTION, ACTION_TYPE, BUILT_IN, RECORDED
from fingerpost.body import json_name, validated
from fingerpost.catalogue import service as catalogue
from fingerpost.catalogue.model import COLLECTION, PRODUCT, THNG
from fingerpost.edge import Answer, Edge, Request, created, no_content, shown
from fingerpost.errors import Finding, Invalid, NotFound
from fingerpost.openapi import LIST
from fingerpost.paging import ask_of, listed, lister, loads, sight_of
from fingerpost.redirection.facts import facts_of
from fingerpost.resources import Document, tag_of
from fingerpost.rules.nodes import matches
from fingerpost.sight import WHOLE_ACCOUNT

edge = Edge("actions")
handler = edge.handler


@edge.route(
    "POST",
    "/actions",
    verb="create",
    of="actionTypes",
    body=NewActionType,
    answers=ActionType,
    status=201,
    query=("project",),
    versioned=True,
)
def create_type(request: Request) -> Answer:
    document = types.create(request.caller, request.read(NewActionType), request.query.get("project"))
    return created(document, f"{wiring.settings().api_url}/actions/{document['id']}", version=tag_of(document["id"]))


@edge.route("GET", "/actions", verb="read", of="actionTypes", answers=list[ActionType], query=(*LIST, "withScopes"))
def list_types(request: Request) -> Answer:
    """The built-in types first, then the account's own, newest first."""
    ask = ask_of(request, "actionType")
    built_in: list[Document] = []
    if ask.token is None:
        named: list[Document] = [{"name": name} for name in BUILT_IN]
        built_in = [each for each in named if ask.node is None or matches(ask.node, each)]
    load = loads(request.caller, ACTION_TYPE, sight_of(request).sees)
    page = lister(request, ACTION_TYPE, load).page(replace(ask, per_page=max(1, ask.per_page - len(built_in))))
    documents = [types.shown(each, with_scopes=request.flag("withScopes")) for each in page.items]
    return listed(request, page, built_in + documents)


@edge.route(
    "PUT", "/actions/{type}", verb="update", of="actionTypes", body=SentActionType, answers=ActionType, versioned=True
)
def update_type(request: Request) -> Answer:
    return shown(types.update(request.caller, request.parameters["type"], request.read(SentActionType)), types.shown)


@edge.route("DELETE", "/actions/{type}", verb="delete", of="actionTypes", answers=None, versioned=True)
def delete_type(request: Request) -> Answer:
    types.delete(request.caller, request.parameters["type"])
    return no_content()


@edge.route(
    "POST",
    "/actions/{type}",
    verb="create",
    of="actions",
    body=SentAction | list[SentAction],
    answers=Action | list[Action],
    status=201,
    query=("project",),
)
@edge.route(
    "POST",
    "/thngs/{thngId}/actions/{type}",
    verb="create",
    of="actions",
    body=SentAction | list[SentAction],
    answers=Action | list[Action],
    status=201,
    query=("project",),
)
@edge.route(
    "POST",
    "/products/{productId}/actions/{type}",
    verb="create",
    of="actions",
    body=SentAction | list[SentAction],
    answers=Action | list[Action],
    status=201,
    query=("project",),
)
@edge.route(
    "POST",
    "/collections/{collectionId}/actions/{type}",
    verb="create",
    of="actions",
    body=SentAction | list[SentAction],
    answers=Action | list[Action],
    status=201,
    query=("project",),
)
def create_actions(request: Request) -> Answer:
    """One action from an object; from an array (at type `all`) all of them or none.

    At the address of a thing it is about that thing.
    """
    target = _target(request)
    content = request.json()
    many = isinstance(content, list)
    if many and request.parameters["type"] != "all":
        raise Invalid("An array of actions goes to /actions/all, each with its type")
    if not many and not isinstance(content, dict):
        raise Invalid(f"The body must be an action or an array of actions, not {json_name(content)}")
    each = [_about(target, one, number if many else None) for number, one in enumerate(content if many else [content])]
    sent = [validated(SentAction, one, f"[{number}]" if many else "") for number, one in enumerate(each)]
    facts = facts_of(request.event, request.caller.at, trust_viewer=not wiring.on_aws(), find_area=wiring.find_area())
    project = request.query.get("project")
    documents = service.create(request.caller, request.parameters["type"], sent, facts, project, many=many)
    if many:
        return Answer(status=201, document=documents)
    address = f"{wiring.settings().api_url}/actions/{documents[0]['type']}/{documents[0]['id']}"
    return created(documents[0], address)


@edge.route(
    "GET", "/actions/{type}", verb="read", of="actions", answers=list[Action], query=(*LIST, "context", "withScopes")
)
@edge.route(
    "GET",
    "/thngs/{thngId}/actions/{type}",
    verb="read",
    of="actions",
    answers=list[Action],
    query=(*LIST, "context", "withScopes"),
)
@edge.route(
    "GET",
    "/products/{productId}/actions/{type}",
    verb="read",
    of="actions",
    answers=list[Action],
    query=(*LIST, "context", "withScopes"),
)
@edge.route(
    "GET",
    "/collections/{collectionId}/actions/{type}",
    verb="read",
    of="actions",
    answers=list[Action],
    query=(*LIST, "context", "withScopes"),
)
def list_actions(request: Request) -> Answer:
    """Newest first; at the address of a thing those that are about it."""
    target = _target(request)
    name, context = request.parameters["type"], request.flag("context")
    if name not in ("all", *BUILT_IN, *RECORDED):
        types.find(request.caller, name)
    implied = [f'{target[0]}="{target[1]}"'] if target else []
    implied += [f'type="{name}"'] if name != "all" else []
    sight = sight_of(request)
    if request.principal.actor == "device":  # of its own thng alone, but wherever they are
        implied, sight = [*implied, f"thng={request.principal.id}"], WHOLE_ACCOUNT
    ask = ask_of(request, "action", more="&".join(implied))
    load = service.loads(request.caller, sight)
    page = lister(request, ACTION, load, sight=sight, times=("timestamp",)).page(ask)
    scopes = request.flag("withScopes")
    documents = [service.show(each, item, context=context, with_scopes=scopes) for each, item in page.items]
    return listed(request, page, documents)


@edge.route(
    "GET",
    "/actions/{type}/{actionId}",
    verb="read",
    of="actions",
    answers=Action,
    query=("context", "withScopes", "explain"),
)
@edge.route(
    "GET",
    "/thngs/{thngId}/actions/{type}/{actionId}",
    verb="read",
    of="actions",
    answers=Action,
    query=("context", "withScopes", "explain"),
)
@edge.route(
    "GET",
    "/products/{productId}/actions/{type}/{actionId}",
    verb="read",
    of="actions",
    answers=Action,
    query=("context", "withScopes", "explain"),
)
@edge.route(
    "GET",
    "/collections/{collectionId}/actions/{type}/{actionId}",
    verb="read",
    of="actions",
    answers=Action,
    query=("context", "withScopes", "explain"),
)
def read_action(request: Request) -> Answer:
    """With `?context=true` what is known of how it came about, with `?explain=true` why it went where it went."""
    target = _target(request)
    name, action_id = request.parameters["type"], request.parameters["actionId"]
    item = service.read(request.caller, name, action_id)
    if target is not None and item.get(target[0]) != target[1]:
        raise NotFound(f"There is no action {action_id[:60]} on the {target[0]} {target[1]}")
    scopes = request.flag("withScopes")
    document = service.show(action_id, item, context=request.flag("context"), with_scopes=scopes)
    if request.flag("explain"):
        document["explanation"] = explained.explanation(request.caller, item)
    return Answer(document=document)


@edge.route("DELETE", "/actions/{type}/{actionId}", verb="delete", of="actions", answers=None)
def delete_action(request: Request) -> Answer:
    service.delete(request.caller, request.parameters["type"], request.parameters["actionId"])
    return no_content()


def _target(request: Request) -> tuple[str, str] | None:
    """The field and the id of the thing whose address this is. Raises NotFound for one that the key does not see."""
    for kind in (THNG, PRODUCT, COLLECTION):
        if (resource_id := request.parameters.get(f"{kind.name}Id")) is not None:
            return kind.name, catalogue.read(request.caller, kind, resource_id).id
    return None


def _about(target: tuple[str, str] | None, sent: Any, number: int | None) -> Any:
    """An action as it was sent, about the thing whose address it was sent to. Raises Invalid when it names another."""
    if target is None or not isinstance(sent, dict):
        return sent
    name, resource_id = target
    if sent.get(name) not in (None, resource_id):
        field = name if number is None else f"[{number}].{name}"
        message = f"the address is that of the {name} {resource_id}"
        raise Invalid(f"{field}: {message}", details=[Finding(field=field, message=message)])
    return {**sent, name: resource_id}
