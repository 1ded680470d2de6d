"""What is wrong with declarative rules, without a server: filters, templates, targets. Pure; edge and command line."""

import json
from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import dataclass, field
from typing import Any

from ..errors import Finding, TooLarge
from ..outgoing import Outgoing
from ..redirection.hosts import may_lead_to
from ..redirection.publish import MAX_FINDINGS, refuse
from ..rules import nodes
from ..rules.check import oddities
from ..rules.compile import InvalidMatch, compile_match
from ..rules.fields import REACTOR, suggestion
from ..rules.template import InvalidTemplate, Template, UnknownTemplateField, fill, parse_template
from .fields import foreign
from .filling import fields_in, is_known, mistakes_in
from .rule_documents import STEPS, CallWebhook, CreateAction, ReactorStep, SentReactorRules, SetProperties

MAX_RULES_BYTES = 200_000  # of all rules of an application
MAX_STEP_BYTES = 20_000

type StoredRule = Mapping[str, Any]  # sent, name, event, nodes


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rules ready to be stored, and what is odd about them; with `mistakes` they are not ready."""

    rules: list[StoredRule]
    warnings: tuple[Finding, ...]
    mistakes: tuple[Finding, ...]

    def check(self) -> None:
        """Raises Invalid with a finding for each mistake."""
        refuse(self.mistakes)


@dataclass(frozen=True, slots=True)
class _Reach:
    """Where webhooks may lead."""

    hosts: str  # that the account allows; empty: any
    outgoing: Outgoing


@dataclass(slots=True)
class _Found:
    mistakes: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)


def examine(sent: SentReactorRules, allowed_hosts: str = "", outgoing: Outgoing | None = None) -> Prepared:
    """Compile every rule and find all that is wrong in any. Webhooks lead only to `allowed_hosts`, if there are any,
    and where `outgoing` does: to public addresses without one. Raises TooLarge.
    """
    reach = _Reach(allowed_hosts, outgoing or Outgoing())
    size = len(json.dumps([rule.sent() for rule in sent.rules], ensure_ascii=False).encode())
    if size > MAX_RULES_BYTES:
        raise TooLarge(f"These rules have {size:,} bytes; the limit of an application's is {MAX_RULES_BYTES:,} bytes")
    stored: list[StoredRule] = []
    found = _Found()
    first_of: dict[str, int] = {}
    for number, rule in enumerate(sent.rules):
        place, own = f"rules[{number}]", _Found()
        own.mistakes += [replace(each, field=_joined(place, each.field)) for each in rule.mistakes]
        name = None if "name" in rule.unread else rule.name
        event = None if "when" in rule.unread else rule.when
        if name and (first := first_of.setdefault(name, number)) != number:
            message = f"rules[{first}] has this name too; the log tells rules by their names"
            own.mistakes.append(Finding(field=f"{place}.name", message=message))
        compiled = _filter(rule.filter, event, place, own)
        for step_number, step in enumerate(rule.then):
            if not {"then", f"then[{step_number}]"} & rule.unread:
                _check_step(event, bool(compiled), step, f"{place}.then[{step_number}]", reach, own)
        stored.append({"sent": rule.sent(), "name": name or "", "event": event, **compiled})
        found.mistakes += [replace(each, rule=number + 1, name=name) for each in own.mistakes]
        found.warnings += [replace(each, rule=number + 1, name=name) for each in own.warnings]
        if len(found.mistakes) >= MAX_FINDINGS:
            break
    return Prepared(stored, tuple(found.warnings[:MAX_FINDINGS]), tuple(found.mistakes[:MAX_FINDINGS]))


def _joined(place: str, part: str) -> str:
    return f"{place}.{part}" if part else place


def _filter(text: str | None, event: str | None, place: str, found: _Found) -> dict[str, Any]:
    if text is None or not text.strip():
        return {}
    where = f"{place}.filter"
    try:
        node = compile_match(text, REACTOR, field=where, strict=True).node
    except InvalidMatch as error:
        found.mistakes += error.details
        return {}
    for name in sorted(nodes.fields(node)):
        if message := _foreign(name, event):
            found.mistakes.append(Finding(field=where, message=message, near=name))
    found.warnings += [replace(each.finding, field=where) for each in oddities([node], REACTOR)]
    return {"nodes": nodes.to_json(node)}


def _foreign(name: str, event: str | None) -> str | None:
    """Why a field has no value in any event of this kind."""
    if name.partition(".")[0] == "constants":
        return f"{name}: a declarative rule has no constants; write the value itself"
    return foreign(name, event)


def done_by(step: ReactorStep) -> tuple[str, Any] | None:
    """The name and the content of the one thing that a step does; None unless it is one."""
    named = [(name, content) for name in STEPS if (content := getattr(step, name)) is not None]
    return named[0] if len(named) == 1 else None


def _check_step(event: str | None, filtered: bool, step: ReactorStep, place: str, reach: _Reach, found: _Found) -> None:
    one = done_by(step)
    if one is None:
        message = "a step does one thing: exactly one of " + ", ".join(STEPS)
        found.mistakes.append(Finding(field=place, message=message, expected=STEPS))
        return
    name, content = one
    where = f"{place}.{name}"
    sent = content.model_dump(mode="json", exclude_unset=True)
    if (size := len(json.dumps(sent, ensure_ascii=False).encode())) > MAX_STEP_BYTES:
        message = f"has {size:,} bytes; the limit of a step is {MAX_STEP_BYTES:,} bytes"
        found.mistakes.append(Finding(field=where, message=message))
        return

    def texts(value: Any, part: str) -> None:
        found.mistakes.extend(mistakes_in(value, f"{where}.{part}", lambda field: _foreign(field, event)))

    match content:
        case CreateAction():
            texts(content.customFields, "customFields")
            texts(content.identifiers, "identifiers")
            texts(content.tags, "tags")
            if content.target == "thng" and event == "productPropertiesChanged":
                found.mistakes.append(_no_thng(f"{where}.target"))
        case SetProperties():
            texts(content.properties, "properties")
            if content.of == "thng" and event == "productPropertiesChanged":
                found.mistakes.append(_no_thng(f"{where}.of"))
            if not found.mistakes:
                found.warnings += _in_a_circle(event, filtered, content, where)
        case CallWebhook():
            found.mistakes += _url_mistakes(content.url, f"{where}.url", reach, event)
            texts(content.headers, "headers")
            texts(content.body, "body")
        case _:
            texts(content.body, "body")


def _no_thng(where: str) -> Finding:
    return Finding(field=where, message="when a product's properties change there is no thng", expected=("product",))


def _in_a_circle(event: str | None, filtered: bool, content: SetProperties, where: str) -> Sequence[Finding]:
    """A rule that hears every change, and makes one each time, is stopped by the limit of its chain alone."""
    own = "productPropertiesChanged" if content.of == "product" else "thngPropertiesChanged"
    if event != own or filtered or not fields_in(content.properties):
        return ()
    message = "sets properties whenever properties change, its own too; a filter keeps it from running in circles"
    return (Finding(field=where, message=message),)


def url_of(text: str, where: str = "url") -> Template:
    """A webhook's URL template. Raises InvalidTemplate."""
    return parse_template(text, known=is_known, nearest=lambda name: suggestion(REACTOR, name), document_field=where)


def _url_mistakes(text: str, where: str, reach: _Reach, event: str | None) -> Sequence[Finding]:
    try:
        template = url_of(text, where)
    except UnknownTemplateField as error:
        return [replace(each, message=f"there is no field '{(each.near or '')[:60]}'") for each in error.details]
    except InvalidTemplate as error:
        return error.details
    foreign = [message for name in sorted(template.fields) if (message := _foreign(name, event))]
    if foreign:
        return [Finding(field=where, message=message) for message in foreign]
    if message := reach.outgoing.refusal_of(fill(template, {}) or ""):
        return [Finding(field=where, message=f"nothing would be sent there: {message}", near=template.host)]
    if not may_lead_to(template.host, reach.hosts):
        allowed = tuple(reach.hosts.split(",")[:5])
        message = f"the account does not allow the host {template.host}"
        return [Finding(field=where, message=message, near=template.host, expected=allowed)]
    return []
