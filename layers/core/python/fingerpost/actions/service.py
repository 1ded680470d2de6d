"""Create, read and delete actions; scans among them pass the redirector."""

import json
from collections.abc import Sequence
from copy import replace
from typing import Any

from tzfpy import get_tz

from .. import audit, keys, scoping
from ..access.birthday import age_at
from ..access.store import PROJECT, USER
from ..caller import Caller
from ..catalogue.model import COLLECTION, PRODUCT, THNG
from ..catalogue.service import find_place, point_of
from ..errors import Finding, Invalid, NotFound, TooLarge
from ..ids import is_id
from ..listing import Found, Load
from ..ports.table import Absent, ConditionFailed, Delete, Item, Put, Row, TransactionFailed
from ..redirection.context import Sources
from ..redirection.deciding import decide, decide_for, reach_of, reaction_item
from ..redirection.facts import Facts
from ..redirection.reading import Reading
from ..redirection.rulesets import CompiledRules, RuleSets, Version, live_versions
from ..redirection.visit import context_item
from ..resources import MAX_DOCUMENT_BYTES, Document, Kind, Resources, Stored, index_rows
from ..shapes import stamp
from ..sight import Sight, projects_of
from . import types
from .agents import agent_fields
from .documents import SentAction
from .model import ACTION, BUILT_IN, RECORDED, SCANS, document_of, indexed_document, row_of, scopes_of
from .sums import expiry_of, kept_until

MAX_ACTIONS = 100  # in one request
MAX_REQUEST_BYTES = 3 * 1024 * 1024  # a transaction holds 4 MB

_sets = RuleSets()


def create(
    caller: Caller, action_type: str, sent: list[SentAction], facts: Facts, project: str | None, *, many: bool
) -> list[Document]:
    """Record actions, all or none. Scans come back with the reaction of the rules that apply to who posted them.

    `many` is whether an array was sent: then each comes back with its context, and errors say which one they mean.
    Raises Invalid, NotFound for an unknown type.
    """
    if not 1 <= len(sent) <= MAX_ACTIONS:
        raise Invalid(f"One request creates 1 to {MAX_ACTIONS} actions; this one has {len(sent)}")
    if caller.principal.actor != "operator":
        project = None  # the key's own says where actions go
    elif project is not None:
        Resources(caller.tables, PROJECT).read(project)
        scoping.check_right(caller, [project])
    live = caller.tables.main.get(keys.LIVE, consistent=True)
    prepared: list[tuple[str, Item]] = []
    for number, each in enumerate(sent):
        try:
            prepared.append(_prepare(caller, action_type, each, facts, project, live))
        except Invalid as error:
            if not many:
                raise
            raise _placed(error, number) from error
    if (size := sum(_size(item) for _, item in prepared)) > MAX_REQUEST_BYTES:
        raise TooLarge(
            f"These actions have {size:,} bytes; the limit of one request is {MAX_REQUEST_BYTES:,} bytes (3 MB)"
        )
    puts = [Put(keys.action(each), item, (Absent(),), expires_at=expiry_of(item)) for each, item in prepared]
    try:
        if len(puts) == 1:
            caller.tables.main.put(puts[0].key, puts[0].item, when=puts[0].when, expires_at=puts[0].expires_at)
        else:
            caller.tables.main.transact(puts)
    except ConditionFailed:
        pass  # a repeat: the action is there already, as the first request made it
    except TransactionFailed as failure:
        if not failure.conditions_only:
            raise
    return [show(action_id, item, context=many) for action_id, item in prepared]


def read(caller: Caller, action_type: str, action_id: str) -> Item:
    """An action's row. Raises NotFound also when it is of another type or out of sight."""
    item = caller.tables.main.get(keys.action(action_id), consistent=True) if is_id(action_id) else None
    if item is None or action_type not in ("all", item["type"]) or not sees(caller, item):
        raise NotFound(f"There is no action {action_id[:60]} of type {action_type[:60]}")
    return item


def loads(caller: Caller, sight: Sight, *, consistent: bool = True) -> Load[tuple[str, Item]]:
    """Reads the actions that index rows lead to, (id, row) of each that `sight` and the caller see."""

    def load(rows: Sequence[Row]) -> dict[str, Found[tuple[str, Item]]]:
        ids = [row.key.sk for row in rows]
        found = caller.tables.main.get_many([keys.action(each) for each in ids], consistent=consistent)
        items = {each: item for each in ids if (item := found.get(keys.action(each))) is not None}
        return {
            each: Found((each, item), {**indexed_document(item), "timestamp": item["ts"]})
            for each, item in items.items()
            if sight.sees({"scopes": scopes_of(row_of(item))}) and sees(caller, item)
        }

    return load


def delete(caller: Caller, action_type: str, action_id: str) -> None:
    """Remove one action. Its index rows follow by the change feed; hits that it counted stay counted."""
    item = read(caller, action_type, action_id)
    caller.changes({"scopes": scopes_of(row_of(item))})
    before = {"type": item["type"], "timestamp": item["ts"]}  # not what is to be forgotten
    told = audit.entry(caller, "delete", "action", action_id, before)
    caller.tables.main.transact([Delete(keys.action(action_id)), *told])


def sees(caller: Caller, item: Item) -> bool:
    """A device sees the actions of its own thng, wherever they are."""
    if caller.principal.actor == "device":
        return bool(item.get("thng") == caller.principal.id)
    return caller.sees({"scopes": scopes_of(row_of(item))})


def show(action_id: str, item: Item, *, context: bool = False, with_scopes: bool = False) -> Document:
    agent = item.get("ua")
    fields = agent_fields(agent if isinstance(agent, str) else "") if context else None
    return document_of(action_id, item, agent=fields, with_scopes=with_scopes)


def _prepare(
    caller: Caller, action_type: str, sent: SentAction, request: Facts, project: str | None, live: Item | None
) -> tuple[str, Item]:
    name = _type_name(caller, action_type, sent)
    thng, product, collection = _targets(caller, name, sent)
    at = caller.time_of(sent.timestamp)
    kept = int(live.get(keys.RETENTION, 0)) if live else 0
    if kept and kept_until(at, kept) <= caller.at:
        raise _invalid("timestamp", f"lies further back than the {kept} days that this account keeps actions")
    facts = _located(caller, replace(request, at=at), sent)
    action_id = caller.new_id(at)
    principal = caller.principal
    target = thng or product or collection
    named = [project] if project else []
    projects = [principal.project] if principal.project else named if target else scoping.where(caller, named)
    projects += [each for each in (projects_of(target.document) if target else ()) if each not in projects]
    more = {
        field: value
        for field, value in sent.sent().items()
        if field in ("identifiers", "customFields", "tags") and value
    }
    optional: dict[str, Any] = {
        "thng": thng.id if thng else None,
        "product": product.id if product else None,
        "collection": collection.id if collection else None,
        "place": sent.location.place if sent.location else None,
        "project": principal.project,
        "app": principal.app,
        "user": principal.id if principal.actor == "user" else None,
        "device": principal.id if principal.actor == "device" else None,
        "chain": list(caller.chain) or None,
        "kept": kept or None,
        "made": caller.at if at != caller.at else None,
        "cause": caller.cause,
        "more": json.dumps(more, ensure_ascii=False) if more else None,
        **context_item(facts, whole_address=bool(live and live.get("wholeAddresses"))),
    }
    item: Item = {**stamp("action"), "type": name, "ts": at, "projects": projects}
    item.update({field: value for field, value in optional.items() if value is not None and value != ""})
    if name in SCANS:
        begun = Sources(facts=facts, action={**more, "type": name}, user=_user(caller, at))
        item.update(_reaction(caller, live, Reading(caller.tables, begun, *_ids(thng, product))))
        if (decider := item.get("project")) and decider not in projects:
            item["projects"] = [*projects, decider]
    if (size := _size(item)) > MAX_DOCUMENT_BYTES:
        raise TooLarge(f"This action has {size:,} bytes; the limit is {MAX_DOCUMENT_BYTES:,} bytes (256 KB)")
    index_rows(ACTION, action_id, indexed_document(item))  # they are written off the feed, where nobody could be told
    return action_id, item


def _user(caller: Caller, at: int) -> Document | None:
    """The application user who posts a scan, as rules see one; nobody else's scans have one."""
    if caller.principal.actor != "user":
        return None
    document = Resources(caller.tables, USER).read(caller.principal.id).document
    return {**document, "id": caller.principal.id, "age": age_at(document.get("birthday"), at)}


def _ids(thng: Stored | None, product: Stored | None) -> tuple[str | None, str | None]:
    return thng.id if thng else None, product.id if product else None


def _reaction(caller: Caller, live: Item | None, reading: Reading) -> Item:
    """What the rules of who posted this scan say of it: the account's of an operator's, else its application's alone.

    No URL when no rule matches.
    """
    versions, hosts = live_versions(live, caller.at), str(live.get("allowedHosts", "")) if live else ""

    def load(version: Version | None) -> CompiledRules:
        return _sets.of(caller.tables, caller.principal.account, version)

    if caller.principal.app is None:
        compiled = load(versions.get(keys.ACCOUNT_RULES))
        decision = decide(compiled, reach_of(compiled, versions, hosts), reading, load)
        return {"rules": compiled.number} if decision is None else reaction_item(decision)
    own = versions.get(keys.APPLICATION_RULES + caller.principal.app)
    decision = decide_for(own, hosts, reading, load)
    return {"rules": own.number if own else 0} if decision is None else reaction_item(decision)


def _type_name(caller: Caller, action_type: str, sent: SentAction) -> str:
    if action_type == "all":
        if sent.type is None:
            raise _invalid("type", "needs the type of the action")
        action_type = sent.type
    elif sent.type not in (None, action_type):
        raise _invalid("type", f"is {sent.type!r}, but the address says {action_type!r}")
    if action_type in RECORDED:
        raise _invalid("type", f"{action_type} is recorded by the platform itself, when it happens to a room")
    if action_type not in BUILT_IN:
        types.find(caller, action_type)
    return action_type


def _targets(caller: Caller, name: str, sent: SentAction) -> tuple[Stored | None, Stored | None, Stored | None]:
    """The thng, the product and the collection of an action; a thng's product is filled in."""
    principal = caller.principal
    if principal.actor == "device" and sent.thng not in (None, principal.id):
        raise _invalid("thng", f"a device acts on itself, the thng {principal.id}")
    thng = _resource(caller, THNG, principal.id if principal.actor == "device" else sent.thng)
    product = _resource(caller, PRODUCT, sent.product)
    collection = _resource(caller, COLLECTION, sent.collection)
    if thng is not None:
        own = thng.document.get("product")
        if product is not None and product.id != own:
            raise _invalid("product", f"the thng {thng.id} is of {'product ' + own if own else 'no product'}")
        product = Resources(caller.tables, PRODUCT).read_many([own]).get(own) if own else None
    if thng is None and product is None and collection is None and name in BUILT_IN:
        raise _invalid("thng", f"an action of type {name} needs a target: a thng, a product or a collection")
    return thng, product, collection


def _resource(caller: Caller, kind: Kind, resource_id: str | None) -> Stored | None:
    if resource_id is None:
        return None
    stored = Resources(caller.tables, kind).read_many([resource_id], consistent=True).get(resource_id)
    if stored is None or not caller.changes(stored.document):
        raise _invalid(kind.name, f"there is no {kind.name} {resource_id[:60]}")
    return stored


def _located(caller: Caller, facts: Facts, sent: SentAction) -> Facts:
    """An action's own location, or the place it names, decides position and time zone, never the country."""
    if sent.location is None:
        return facts
    place = None if sent.location.place is None else find_place(caller, sent.location.place)
    own = sent.location.point()
    point = own or (None if place is None else point_of(place))
    source = "sensor" if own else "place"
    if point is None:
        return replace(facts, latitude=None, longitude=None, source=source)
    latitude, longitude = point
    return replace(facts, latitude=latitude, longitude=longitude, zone=get_tz(longitude, latitude), source=source)


def _size(item: Item) -> int:
    return len(json.dumps(item, ensure_ascii=False).encode())


def _placed(error: Invalid, number: int) -> Invalid:
    """The same error of one action in an array."""
    details = [replace(finding, field=f"[{number}].{finding.field}") for finding in error.details]
    return type(error)(f"[{number}].{error}", details=details)


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", details=[Finding(field=field, message=message)])
