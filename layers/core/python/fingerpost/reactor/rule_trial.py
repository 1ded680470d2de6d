"""What declarative rules would do for an event, told without doing any of it."""

from collections.abc import Sequence

from ..access.store import USER
from ..actions.service import read as read_action
from ..body import bytes_of
from ..caller import Caller
from ..catalogue.model import COLLECTION, PLACE, PRODUCT, THNG
from ..catalogue.updates import Opened
from ..errors import Finding, FingerpostError, Invalid, TooLarge
from ..resources import Document, Kind, Resources, Stored
from ..rules.explain import explain
from ..rules.nodes import fields, from_json
from ..shapes import stamp
from .model import ChangedValue, Trigger
from .payloads import properties_changed
from .rule_check import StoredRule
from .rule_documents import (
    EVENTS,
    FUNCTIONS,
    SentEvent,
    SentEventAction,
    SentReactorRule,
    SentReactorSimulation,
    SentThing,
)
from .rule_steps import Acting, Request, check_host, planned
from .runs import Payload, Run, event_id
from .subjects import ActionCreated, Asked
from .targets import Target
from .told import function_of, subject_of

MAX_TOLD_BYTES = 3 * 1024 * 1024  # of one answer: Lambda sends 6 MB

_SEEN: dict[str, Kind] = {"thng": THNG, "product": PRODUCT, "collection": COLLECTION}


def simulate(caller: Caller, of: Target, sent: SentReactorSimulation, rules: Sequence[StoredRule]) -> Document:
    """What each of the rules says of an event, and what each step of those that match would do.

    Raises Invalid for what is no event or names what the caller does not see, NotFound for an unknown action, TooLarge
    when there is more to tell than an answer holds.
    """
    payload = _payload(caller, of, sent)
    function = function_of(payload)
    told: list[Document] = []
    size = bytes_of(payload)
    for number, rule in enumerate(rules, 1):
        told.append(_told(caller, of, number, rule, payload, function))
        size += bytes_of(told[-1])
        if size > MAX_TOLD_BYTES:
            raise TooLarge(
                f"The event and what {number} of {len(rules)} rules would do have {size:,} bytes; "
                f"an answer has at most {MAX_TOLD_BYTES:,} bytes: send fewer rules, or less of an event"
            )
    acting = [each["name"] for each in told if each["matched"]]
    says = f"{len(acting)} of {len(told)} rules would act" + (f": {', '.join(acting)}" if acting else "")
    return {"event": EVENTS[function], "document": dict(payload), "rules": told, "says": says}


def _told(caller: Caller, of: Target, number: int, rule: StoredRule, payload: Payload, function: str) -> Document:
    sent = SentReactorRule.read(rule["sent"])
    document: Document = {"rule": number, "name": rule["name"], "filter": sent.filter, "matched": False, "steps": []}
    if FUNCTIONS[sent.when] != function:
        return {**document, "says": f"is for {sent.when}, not for {EVENTS[function]}"}
    if not sent.enabled:
        return {**document, "says": "is not enabled"}
    node = from_json(rule["nodes"]) if "nodes" in rule else None
    asked = fields(node) if node is not None else frozenset[str]()
    why = explain(node, Asked(subject_of(caller.tables, payload, caller.at), of.project, asked))
    document |= {"matched": why.held, "says": why.sentence(), "why": why.document()}
    if not why.held:
        return document
    run = Run(
        event=event_id("simulation", caller.cause),
        account=caller.principal.account,
        project=of.project,
        app=of.app,
        function=function,
        payload=payload,
        at=caller.at,
        cause=caller.cause,
        kind="rule",
        rule=rule["name"],
    )
    acting = Acting(caller.tables, run, sent, EVENTS[function])
    return {**document, "steps": [_step(acting, each) for each in range(1, len(sent.then) + 1)]}


def _step(acting: Acting, number: int) -> Document:
    try:
        plan = planned(acting, number)
        if isinstance(plan, Request):
            check_host(acting.tables, plan)
    except FingerpostError as error:
        return {"step": number, "says": f"would not be done: {error}"}
    return {"step": number, "does": plan.document}


# The event


def _payload(caller: Caller, of: Target, sent: SentReactorSimulation) -> Payload:
    if (sent.event is None) == (sent.action is None):
        raise _invalid("event", "send the document of an event, or the id of an action as `action`")
    if sent.event is not None:
        return _described(caller, of, sent.event)
    assert sent.action is not None
    return ActionCreated(caller.tables, sent.action, read_action(caller, "all", sent.action)).payload()


def _described(caller: Caller, of: Target, event: SentEvent) -> Payload:
    """An event's document as sent, with what it leaves to the store. Raises Invalid for what the caller cannot see."""
    if event.action is not None:
        return _of_action(caller, of, event.action)
    for kind, thing in ((THNG, event.thng), (PRODUCT, event.product)):
        if thing is not None:
            return _of_changes(caller, kind, thing, event)
    raise _invalid("event", "holds neither an action, nor a thng or a product with changes")


def _of_action(caller: Caller, of: Target, sent: SentEventAction) -> Payload:
    action = sent.model_dump(mode="json", exclude_unset=True)
    for name, kind in _SEEN.items():
        if action.get(name):
            stored = _see(caller, kind, action[name], f"event.action.{name}")
            if kind is THNG and stored.document.get("product"):
                action["product"] = stored.document["product"]
    if sent.location is not None and sent.location.place:
        _see(caller, PLACE, sent.location.place, "event.action.location.place")
    if sent.user:
        user = Resources(caller.tables, USER).read_many([sent.user]).get(sent.user)
        if user is None or user.document.get("project") != of.project:
            raise _invalid("event.action.user", f"there is no user {sent.user[:60]} of this project")
    return {"action": action, **Trigger(None, sent.user, False).document}


def _of_changes(caller: Caller, kind: Kind, thing: SentThing | str, event: SentEvent) -> Payload:
    if event.changes is None:
        raise _invalid("event.changes", 'needs what changed, as {"level": {"oldValue": 1, "newValue": 2}}')
    changes = [
        ChangedValue(key, each.oldValue, each.newValue, each.timestamp or caller.at)
        for key, each in event.changes.items()
    ]
    if isinstance(thing, str):
        opened = Opened.of(caller, kind, thing)
        now = opened.row or {**stamp("now"), "actor": "nobody", "by": "", "app": "", "cause": "", "chain": []}
        payload = dict(properties_changed(opened.stored, kind.name, now, changes, Trigger(None, None, False)))
    else:
        document = thing.model_dump(mode="json", exclude_unset=True)
        for name, of, named in (("id", kind, thing.id), ("product", PRODUCT, thing.product)):
            if named:
                _see(caller, of, named, f"event.{kind.name}.{name}")
        told = {each.key: {"oldValue": each.old, "newValue": each.new, "timestamp": each.at} for each in changes}
        payload = {"changes": told, kind.name: document, **Trigger(None, None, False).document}
    properties = payload[kind.name].get("properties") or {}
    payload[kind.name] = payload[kind.name] | {"properties": properties | {each.key: each.new for each in changes}}
    return payload


def _see(caller: Caller, kind: Kind, resource_id: str, field: str) -> Stored:
    stored = Resources(caller.tables, kind).read_many([resource_id]).get(resource_id)
    if stored is None or not caller.sees(stored.document):
        raise _invalid(field, f"there is no {kind.name} {resource_id[:60]}")
    return stored


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", details=[Finding(field=field, message=message)])
