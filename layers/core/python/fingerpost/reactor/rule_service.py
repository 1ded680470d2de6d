"""Saving an application's declarative rules: only what is in order, with all that only the store knows."""

from copy import replace
from typing import Any

from .. import keys, wiring
from ..actions import types
from ..actions.model import BUILT_IN
from ..body import validated
from ..caller import Caller
from ..errors import Finding, NotFound
from ..resources import Document
from . import rule_versions, webhook_secrets
from .rule_check import Prepared, StoredRule, examine
from .rule_documents import CallWebhook, CreateAction, SentReactorRules
from .rule_steps import application
from .rule_versions import Story
from .targets import Target


def examined(caller: Caller, of: Target, rules: SentReactorRules | list[Any]) -> Prepared:
    """What is right and wrong with rules of this application: also where they lead, and which actions they create.

    Raises TooLarge, Invalid for a list that is none.
    """
    sent = rules if isinstance(rules, SentReactorRules) else validated(SentReactorRules, {"rules": rules})
    live = caller.tables.main.get(keys.LIVE, consistent=True)
    prepared = examine(sent, str(live.get("allowedHosts", "")) if live else "", wiring.outgoing())
    return replace(prepared, mistakes=(*prepared.mistakes, *_unknown_types(caller, of, sent)))


def publish(caller: Caller, of: Target, sent: SentReactorRules, story: Story) -> Document:
    """Save rules, which act from now on; answers their document.

    Raises Invalid with a finding for each mistake (nothing is stored) and what `rule_versions.publish` does.
    """
    prepared = examined(caller, of, sent)
    prepared.check()
    if any(isinstance(step.callWebhook, CallWebhook) for rule in sent.rules for step in rule.then):
        webhook_secrets.read(caller, of.app, wiring.root_secrets())  # there is one before the first is sent
    row = rule_versions.publish(caller, of, prepared.rules, story)
    return rule_versions.document(row, prepared.warnings)


def check_document(prepared: Prepared) -> Document:
    """Every finding with its level, as a check answers."""
    levels = (("error", prepared.mistakes), ("warning", prepared.warnings))
    findings = [
        {"rule": None, "name": None, **each.document(), "level": level, "kind": "rule"}
        for level, some in levels
        for each in some
    ]
    return {"findings": findings, "rules": len(prepared.rules)}


def rules_of(caller: Caller, of: Target) -> list[StoredRule]:
    """The rules that act; none before any were saved."""
    row = rule_versions.newest(caller.tables.main, of.app)
    return [] if row is None else rule_versions.rules_in(row)


def _unknown_types(caller: Caller, of: Target, sent: SentReactorRules) -> list[Finding]:
    """Action types that the application does not see."""
    itself = replace(caller, principal=application(caller.principal.account, of.project, of.app))
    known: dict[str, str | None] = dict.fromkeys(BUILT_IN)
    found: list[Finding] = []
    for number, rule in enumerate(sent.rules):
        for place, step in enumerate(rule.then):
            if not isinstance(step.createAction, CreateAction):
                continue
            name = step.createAction.type
            if name not in known:
                known[name] = _why_unknown(itself, name)
            if (message := known[name]) is not None:
                field = f"rules[{number}].then[{place}].createAction.type"
                found.append(Finding(field=field, message=message, near=name, rule=number + 1, name=rule.name))
    return found


def _why_unknown(caller: Caller, name: str) -> str | None:
    try:
        types.find(caller, name)
    except NotFound as error:
        return str(error)
    return None
