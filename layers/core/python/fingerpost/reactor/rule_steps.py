"""The steps of a declarative rule for one event: what each would do, told without doing it, and doing it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .. import keys
from ..access.model import Principal
from ..actions import service as actions
from ..actions.documents import SentAction
from ..body import validated
from ..caller import Caller
from ..catalogue import updates
from ..catalogue.documents import SentProperty
from ..catalogue.model import PRODUCT, THNG
from ..errors import Invalid, TooLarge
from ..ids import SeededIds, ordered_id
from ..ports.table import Tables
from ..redirection.facts import Facts
from ..redirection.hosts import may_lead_to
from ..resources import Document, Kind
from ..rules.template import fill
from . import chain, rule_queues
from .filling import fields_in, filled
from .rule_check import done_by, url_of
from .rule_documents import (
    MAX_HEADER,
    CallWebhook,
    CreateAction,
    PutOnQueue,
    ReactorStep,
    SentReactorRule,
    SetProperties,
)
from .runs import Payload, Run, event_id
from .subjects import Asked
from .told import happened_at, subject_of
from .webhooks import MAX_CONTENT_BYTES, Webhook


class Acting:
    """One rule and one event that it acts on. `tables` are the account's own; `run` is of the whole rule."""

    def __init__(self, tables: Tables, run: Run, rule: SentReactorRule, event_type: str):
        self.tables, self.run, self.rule = tables, run, rule
        self.thng, self.product = _targets(run.payload)
        self._own = {
            "action.id": (run.payload.get("action") or {}).get("id"),
            "action.collection": (run.payload.get("action") or {}).get("collection"),
            "user.id": run.payload.get("triggerUser"),
            "event.id": run.event,
            "event.type": event_type,
            "application.id": run.app,
            "project.id": run.project,
            "rule.name": rule.name,
        }
        fields = frozenset[str]().union(*(_fields(step) for step in rule.then)) - self._own.keys()
        self._subject = subject_of(tables, run.payload, run.at)
        self._asked = self.asked(fields)

    @property
    def caller(self) -> Caller:
        """The application itself, whose doings carry the chain on."""
        run = self.run
        principal = application(run.account, run.project, run.app)
        return Caller(
            principal=principal,
            tables=self.tables,
            at=run.at,
            cause=run.cause,
            chain=(*run.chain, run.level),
        )

    def asked(self, fields: frozenset[str]) -> Asked:
        """What filters ask about the event, of `fields` alone."""
        return Asked(self._subject, self.run.project, fields)

    def seed(self, step: int) -> str:
        """What tells the doing of a step for this event from any other; steps count from 1."""
        return event_id(self.run.event, self.run.app, "rule", self.rule.name, str(step))

    def get(self, field: str) -> Any:
        """The value of a field of templates."""
        return self._own[field] if field in self._own else self._asked.get(field)

    def filled(self, value: Any) -> Any:
        return filled(value, self.get)


def application(account: str, project: str, app: str) -> Principal:
    """An application as its trusted key would have it."""
    return Principal(actor="trustedApplication", account=account, id=app, project=project, app=app)


@dataclass(frozen=True, slots=True)
class Action:
    """An action to create, as a client would send it."""

    type: str
    sent: Document

    @property
    def document(self) -> Document:
        return {"createAction": {"type": self.type, **self.sent}}


@dataclass(frozen=True, slots=True)
class Values:
    """Properties to set, from the time of the event on."""

    kind: Kind
    id: str
    properties: Mapping[str, Any]
    at: int

    @property
    def document(self) -> Document:
        return {"setProperties": {self.kind.name: self.id, "properties": dict(self.properties), "timestamp": self.at}}


@dataclass(frozen=True, slots=True)
class Message:
    """A message for a queue of the application."""

    queue: str
    body: Any

    @property
    def document(self) -> Document:
        return {"putOnQueue": {"queue": self.queue, "body": self.body}}


@dataclass(frozen=True, slots=True)
class Request:
    """A webhook, unsigned."""

    webhook: Webhook
    host: str

    @property
    def document(self) -> Document:
        sent = self.webhook
        headers = {name: value for name, value in sent.headers.items() if name != chain.HEADER}
        shown = {"url": sent.url, "method": sent.method, "headers": headers, "body": sent.content.decode()}
        return {"callWebhook": shown}


def planned(acting: Acting, number: int) -> Action | Values | Message | Request:
    """Step `number`, from 1, filled for its event. Raises Invalid when the event leaves it nothing to do."""
    one = done_by(acting.rule.then[number - 1])
    assert one is not None  # checked when it was saved
    match one[1]:
        case CreateAction() as step:
            return _action(acting, step)
        case SetProperties() as step:
            return _values(acting, step)
        case CallWebhook() as step:
            return _request(acting, step, number)
        case PutOnQueue() as step:
            body = dict(acting.run.payload) if step.body is None else acting.filled(step.body)
            _check_size(json.dumps(body), rule_queues.MAX_BODY_BYTES, "The message")
            return Message(step.queue, body)
        case other:
            raise AssertionError(other)


def do(acting: Acting, number: int, plan: Action | Values | Message) -> str:
    """Do it, and say what was done; a second time it is done already. Raises Invalid, NotFound, TooLarge."""
    match plan:
        case Action():
            caller = replace(acting.caller, new_id=SeededIds(acting.seed(number)).new_id)
            sent = validated(SentAction, plan.sent)
            facts = Facts(at=caller.at)
            (made,) = actions.create(caller, plan.type, [sent], facts, None, many=False)
            return f"created the action {made['id']} of type {plan.type}"
        case Values():
            each = [
                ("", SentProperty(key=key, value=value, timestamp=plan.at)) for key, value in plan.properties.items()
            ]
            updates.set_properties(acting.caller, plan.kind, plan.id, each)
            return f"set {', '.join(plan.properties)} of {plan.kind.name} {plan.id}"
        case Message():
            message = ordered_id(acting.run.at, acting.seed(number), 0)
            rule, event = acting.rule.name, acting.run.event
            rule_queues.put(acting.tables, acting.run.app, plan.queue, message, plan.body, rule=rule, event=event)
            return f"put the message {message} on the queue {plan.queue}"


def check_host(tables: Tables, request: Request) -> None:
    """Raises Invalid for a host that the account does not allow (any more)."""
    live = tables.main.get(keys.LIVE)
    if not may_lead_to(request.host, str(live.get("allowedHosts", "")) if live else ""):
        raise Invalid(f"The account does not allow the host {request.host}")


def _action(acting: Acting, step: CreateAction) -> Action:
    sent: Document = {}
    for name in ("customFields", "identifiers"):
        if given := getattr(step, name):
            sent[name] = {key: value for key, value in acting.filled(given).items() if value is not None}
    if step.tags:
        sent["tags"] = list(_tags(acting.filled(step.tags)))
    about = step.target
    if about in (None, "thng") and acting.thng:
        sent["thng"] = acting.thng
    elif about in (None, "product") and acting.product:
        sent["product"] = acting.product
    elif about in ("thng", "product"):
        raise Invalid(f"The event has no {about}")
    return Action(step.type, sent)


def _tags(values: Iterable[Any]) -> Iterator[str]:
    """Tags as text; a list, such as the tags of a thng, is as many."""
    for each in values:
        if isinstance(each, list):
            yield from _tags(each)
        elif each not in (None, ""):
            yield each if isinstance(each, str) else json.dumps(each, ensure_ascii=False)


def _values(acting: Acting, step: SetProperties) -> Values:
    at = happened_at(acting.run.payload, acting.run.at)
    values = acting.filled(step.properties)
    properties = {key: values[key] for key, sent in step.properties.items() if values[key] is not None or sent is None}
    if not properties:
        raise Invalid("Nothing is there to set: the event has none of the fields")
    if step.of in (None, "thng") and acting.thng:
        return Values(THNG, acting.thng, properties, at)
    if step.of in (None, "product") and acting.product:
        return Values(PRODUCT, acting.product, properties, at)
    raise Invalid(f"The event has no {step.of or 'thng and no product'}")


def _request(acting: Acting, step: CallWebhook, number: int) -> Request:
    template = url_of(step.url)
    url = fill(template, {field: acting.get(field) for field in template.fields})
    if url is None:
        raise TooLarge("The URL would be longer than 8,000 characters")
    headers = {name.lower(): _header(acting.filled(value)) for name, value in (step.headers or {}).items()}
    body = dict(acting.run.payload) if step.body is None else acting.filled(step.body)
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    headers.setdefault("content-type", "text/plain; charset=utf-8" if isinstance(body, str) else "application/json")
    headers[chain.HEADER] = chain.sign(acting.run.account, acting.caller.chain)
    _check_size(text, MAX_CONTENT_BYTES, "The body")
    webhook = Webhook(
        id=acting.seed(number),
        method=step.method,
        url=url,
        headers=headers,
        content=text.encode(errors="replace"),
    )
    return Request(webhook, template.host)


def _header(value: Any) -> str:
    """A value as a header may have it: printable ASCII, not longer than 1,024 characters."""
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return "".join(each if " " <= each <= "~" else "?" for each in text[:MAX_HEADER]).strip()


def _check_size(text: str, limit: int, what: str) -> None:
    if (size := len(text.encode(errors="replace"))) > limit:
        raise TooLarge(f"{what} would have {size:,} bytes; the limit is {limit:,} bytes")


def _targets(payload: Payload) -> tuple[str | None, str | None]:
    """The thng and the product that an event is about."""
    action, thng, product = (payload.get(name) or {} for name in ("action", "thng", "product"))
    if action:
        return action.get("thng"), action.get("product")
    return thng.get("id"), product.get("id") or thng.get("product")


def _fields(step: ReactorStep) -> frozenset[str]:
    """The context fields that a step's templates name."""
    one = done_by(step)
    if one is None:
        return frozenset()
    sent = one[1].model_dump(exclude_unset=True)
    url = url_of(sent.pop("url")).fields if "url" in sent else frozenset()
    return fields_in(sent) | url
