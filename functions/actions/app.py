"""Actions and action types."""

from dataclasses import replace

from fingerpost import wiring
from fingerpost.actions import explained, service, types
from fingerpost.actions.documents import NewActionType, SentAction, SentActionType
from fingerpost.actions.model import ACTION, ACTION_TYPE, BUILT_IN, indexed_document, row_of, scopes_of
from fingerpost.body import json_name, validated
from fingerpost.edge import Answer, Edge, Request, created, no_content
from fingerpost.errors import Invalid
from fingerpost.keys import action as action_key
from fingerpost.listing import Found
from fingerpost.paging import ask_of, listed, lister, loads, sight_of
from fingerpost.ports.table import Item
from fingerpost.redirection.facts import facts_of
from fingerpost.resources import Document
from fingerpost.rules.nodes import matches
from fingerpost.sight import WHOLE_ACCOUNT

edge = Edge("actions")
handler = edge.handler


@edge.route("POST", "/actions", verb="create", of="actionTypes")
def create_type(request: Request) -> Answer:
    document = types.create(request.caller, request.read(NewActionType), request.query.get("project"))
    return created(document, f"{wiring.settings().api_url}/actions/{document['id']}")


@edge.route("GET", "/actions", verb="read", of="actionTypes")
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


@edge.route("PUT", "/actions/{type}", verb="update", of="actionTypes")
def update_type(request: Request) -> Answer:
    return Answer(document=types.update(request.caller, request.parameters["type"], request.read(SentActionType)))


@edge.route("DELETE", "/actions/{type}", verb="delete", of="actionTypes")
def delete_type(request: Request) -> Answer:
    types.delete(request.caller, request.parameters["type"])
    return no_content()


@edge.route("POST", "/actions/{type}", verb="create", of="actions")
def create_actions(request: Request) -> Answer:
    """One action from an object; from an array (at `/actions/all`) all of them or none."""
    content = request.json()
    many = isinstance(content, list)
    if many and request.parameters["type"] != "all":
        raise Invalid("An array of actions goes to /actions/all, each with its type")
    if not many and not isinstance(content, dict):
        raise Invalid(f"The body must be an action or an array of actions, not {json_name(content)}")
    each = content if many else [content]
    sent = [validated(SentAction, one, f"[{number}]" if many else "") for number, one in enumerate(each)]
    facts = facts_of(request.event, request.caller.at, trust_viewer=not wiring.on_aws(), find_area=wiring.find_area())
    project = request.query.get("project")
    documents = service.create(request.caller, request.parameters["type"], sent, facts, project, many=many)
    if many:
        return Answer(status=201, document=documents)
    address = f"{wiring.settings().api_url}/actions/{documents[0]['type']}/{documents[0]['id']}"
    return created(documents[0], address)


@edge.route("GET", "/actions/{type}", verb="read", of="actions")
def list_actions(request: Request) -> Answer:
    name, context = request.parameters["type"], request.flag("context")
    if name != "all" and name not in BUILT_IN:
        types.find(request.caller, name)
    more = [] if name == "all" else [f'type="{name}"']
    sight = sight_of(request)
    if request.principal.actor == "device":  # of its own thng alone, but wherever they are
        more, sight = [*more, f"thng={request.principal.id}"], WHOLE_ACCOUNT
    ask = ask_of(request, "action", more="&".join(more))

    def load(rows: object) -> dict[str, Found[tuple[str, Item]]]:
        ids = [row.key.sk for row in rows]  # type: ignore[attr-defined]
        found = request.caller.tables.main.get_many([action_key(each) for each in ids], consistent=True)
        items = {each: found[action_key(each)] for each in ids if action_key(each) in found}
        return {
            each: Found((each, item), {**indexed_document(item), "timestamp": item["ts"]})
            for each, item in items.items()
            if sight.sees({"scopes": scopes_of(row_of(item))}) and service.sees(request.caller, item)
        }

    page = lister(request, ACTION, load, sight=sight, times=("timestamp",)).page(ask)
    scopes = request.flag("withScopes")
    documents = [service.show(each, item, context=context, with_scopes=scopes) for each, item in page.items]
    return listed(request, page, documents)


@edge.route("GET", "/actions/{type}/{actionId}", verb="read", of="actions")
def read_action(request: Request) -> Answer:
    """With `?context=true` what is known of how it came about, with `?explain=true` why it went where it went."""
    name, action_id = request.parameters["type"], request.parameters["actionId"]
    item = service.read(request.caller, name, action_id)
    scopes = request.flag("withScopes")
    document = service.show(action_id, item, context=request.flag("context"), with_scopes=scopes)
    if request.flag("explain"):
        document["explanation"] = explained.explanation(request.caller, item)
    return Answer(document=document)


@edge.route("DELETE", "/actions/{type}/{actionId}", verb="delete", of="actions")
def delete_action(request: Request) -> Answer:
    service.delete(request.caller, request.parameters["type"], request.parameters["actionId"])
    return no_content()
