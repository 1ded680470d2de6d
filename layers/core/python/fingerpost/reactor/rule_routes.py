"""The addresses of an application's declarative rules, of the secret of its webhooks, and of its queues."""

import re
from collections.abc import Callable
from typing import Any

from .. import cursor, wiring
from ..access.model import Verb
from ..edge import Answer, Edge, Request, no_content
from ..errors import Invalid
from ..listing import PageOf
from ..paging import listed, per_page_of
from ..resources import Document
from . import rule_queues, rule_service, rule_trial, rule_versions, webhook_secrets
from .addresses import OWN, REACTOR, secret, target_of
from .rule_answers import (
    CheckedReactorRules,
    ReactorRules,
    ReactorRulesDifference,
    ReactorRulesVersion,
    ReactorSimulation,
    RuleMessage,
    WebhookSecret,
    WholeReactorRulesVersion,
)
from .rule_documents import (
    NAME_OF_QUEUE,
    QUEUE_NAME,
    SentReactorComparison,
    SentReactorRollback,
    SentReactorSimulation,
    SentReactorVersion,
)
from .rule_versions import Side, Story
from .targets import Target

PAGE = ("perPage", "nextPageToken")
RULES, SECRETS, QUEUES = "reactorRules", "webhookSecrets", "reactorQueues"

type Handle = Callable[[Request], Answer]


def register(edge: Edge) -> None:
    """Add these addresses to a function."""
    for method, path, verb, of, handle, says in _ROUTES:
        for base in (REACTOR, OWN) if of == QUEUES else (REACTOR,):
            edge.route(method, base + path, verb=verb, of=of, **says)(handle)


# Rules


def read_reactor_rules(request: Request) -> Answer:
    """The declarative rules that act now."""
    return _rules(rule_versions.document(rule_versions.newest(request.caller.tables.main, target_of(request).app)))


def publish_reactor_rules(request: Request) -> Answer:
    """Save declarative rules, which act from now on; refused with everything that is wrong with them.

    With `basedOn` also when others were saved since that version.
    """
    of, sent = target_of(request), request.read(SentReactorVersion)
    story = Story(reason=sent.reason or "", based_on=sent.basedOn)
    return _rules(rule_service.publish(request.caller, of, sent, story))


def check_reactor_rules(request: Request) -> Answer:
    """What is wrong with declarative rules, without saving them: also what only the account knows."""
    prepared = rule_service.examined(request.caller, target_of(request), request.read(SentReactorComparison).rules)
    return Answer(document=rule_service.check_document(prepared))


def simulate_reactor_rules(request: Request) -> Answer:
    """Which rules would act on an event and why, and what each of their steps would do. Nothing is done."""
    of, sent = target_of(request), request.read(SentReactorSimulation)
    if sent.rules is None:
        rules = rule_service.rules_of(request.caller, of)
    else:
        prepared = rule_service.examined(request.caller, of, sent.rules)
        prepared.check()
        rules = prepared.rules
    return Answer(document=rule_trial.simulate(request.caller, of, sent, rules))


def list_reactor_rules_versions(request: Request) -> Answer:
    """Every version with who, when and why, newest first."""
    of, caller = target_of(request), request.caller
    digest = cursor.filter_digest(request.principal.account, "reactorRules", of.app)
    token, limit = request.query.get("nextPageToken"), per_page_of(request)
    after = cursor.decode(secret(), token, digest) if token else None
    documents, further = rule_versions.listed(caller, of, after=after, limit=limit)
    page = PageOf(tuple(documents), cursor.encode(secret(), further, digest) if further else None)
    return listed(request, page, documents)


def read_reactor_rules_version(request: Request) -> Answer:
    """One version, with its rules."""
    of, caller = target_of(request), request.caller
    row = rule_versions.read_row(caller.tables.main, of.app, _number(request.parameters["number"]))
    return Answer(document=rule_versions.whole_document(caller, of, row))


def roll_back_reactor_rules(request: Request) -> Answer:
    """Make the rules of an earlier version act again, as a new version."""
    sent = request.read(SentReactorRollback)
    story = Story(reason=sent.reason or "", based_on=sent.basedOn)
    row = rule_versions.roll_back(request.caller, target_of(request), sent.version, story)
    return Answer(document=rule_versions.document(row))


def diff_reactor_rules(request: Request) -> Answer:
    """What became of one version in another, rule by rule, in words."""
    of = target_of(request)
    if "to" not in request.query:
        raise Invalid("to: say which version to compare with, as in ?from=3&to=live")
    before, after = (_side(request, of, request.query.get(name, "live"), name) for name in ("from", "to"))
    return Answer(document=rule_versions.difference_document(before, after))


def compare_reactor_rules(request: Request) -> Answer:
    """What would become of the rules that act when these were saved."""
    of = target_of(request)
    prepared = rule_service.examined(request.caller, of, request.read(SentReactorComparison).rules)
    live = _side(request, of, "live", "from")
    return Answer(document=rule_versions.difference_document(live, Side(None, prepared.rules)))


# What signs webhooks


def read_webhook_secret(request: Request) -> Answer:
    """The secret that signs the application's webhooks, as Standard Webhooks has it."""
    return Answer(document=webhook_secrets.read(request.caller, target_of(request).app, wiring.root_secrets()))


def renew_webhook_secret(request: Request) -> Answer:
    """Another secret from now on. The one before signs beside it for a day."""
    document = webhook_secrets.renew(request.caller, target_of(request).app, wiring.root_secrets())
    return Answer(status=201, document=document)


# Queues


def list_rule_messages(request: Request) -> Answer:
    """The messages that rules put on a queue, oldest first; each stays until it is deleted, two weeks at the most."""
    of, queue = target_of(request), _queue(request)
    page = rule_queues.page(
        request.caller.tables,
        of.app,
        queue,
        token=request.query.get("nextPageToken"),
        limit=per_page_of(request),
        secret=secret(),
    )
    return listed(request, page, list(page.items))


def delete_rule_message(request: Request) -> Answer:
    """The message is done with."""
    of, queue = target_of(request), _queue(request)
    rule_queues.delete(request.caller.tables, of.app, queue, request.parameters["messageId"])
    return no_content()


def _rules(document: Document) -> Answer:
    return Answer(document=document, version=str(document["version"]))


def _side(request: Request, of: Target, text: str, name: str) -> Side:
    main = request.caller.tables.main
    row = rule_versions.newest(main, of.app) if text == "live" else None
    if text != "live":
        row = rule_versions.read_row(main, of.app, _number(text, f"{name}: "))
    return Side(0, []) if row is None else Side(row["number"], rule_versions.rules_in(row))


def _number(text: str, what: str = "") -> int:
    if not text.isascii() or not text.isdigit():
        raise Invalid(f"{what}A version has a number; {text[:40]!r} is none")
    return int(text[:10])


def _queue(request: Request) -> str:
    name = request.parameters["queueName"]
    if re.fullmatch(QUEUE_NAME, name) is None:
        raise Invalid(f"A queue's name has {NAME_OF_QUEUE}; {name[:80]!r} has not")
    return name


_VERSIONED: dict[str, Any] = {"answers": ReactorRules, "versioned": True}
_ROUTES: tuple[tuple[str, str, Verb, str, Handle, dict[str, Any]], ...] = (
    ("GET", "/rules", "read", RULES, read_reactor_rules, _VERSIONED),
    ("PUT", "/rules", "update", RULES, publish_reactor_rules, {**_VERSIONED, "body": SentReactorVersion}),
    (
        "POST",
        "/rules/check",
        "read",
        RULES,
        check_reactor_rules,
        {"body": SentReactorComparison, "answers": CheckedReactorRules},
    ),
    (
        "POST",
        "/rules/simulate",
        "read",
        RULES,
        simulate_reactor_rules,
        {"body": SentReactorSimulation, "answers": ReactorSimulation},
    ),
    (
        "GET",
        "/rules/versions",
        "read",
        RULES,
        list_reactor_rules_versions,
        {"answers": list[ReactorRulesVersion], "query": PAGE},
    ),
    (
        "GET",
        "/rules/versions/{number}",
        "read",
        RULES,
        read_reactor_rules_version,
        {"answers": WholeReactorRulesVersion},
    ),
    (
        "POST",
        "/rules/rollback",
        "update",
        RULES,
        roll_back_reactor_rules,
        {"body": SentReactorRollback, "answers": ReactorRules},
    ),
    (
        "GET",
        "/rules/diff",
        "read",
        RULES,
        diff_reactor_rules,
        {"answers": ReactorRulesDifference, "query": ("from:versions", "to:versions")},
    ),
    (
        "POST",
        "/rules/diff",
        "read",
        RULES,
        compare_reactor_rules,
        {"body": SentReactorComparison, "answers": ReactorRulesDifference},
    ),
    ("GET", "/webhookSecret", "read", SECRETS, read_webhook_secret, {"answers": WebhookSecret}),
    (
        "POST",
        "/webhookSecret",
        "create",
        SECRETS,
        renew_webhook_secret,
        {"body": None, "answers": WebhookSecret, "status": 201, "keeps": False},
    ),
    (
        "GET",
        "/queues/{queueName}/messages",
        "read",
        QUEUES,
        list_rule_messages,
        {"answers": list[RuleMessage], "query": PAGE},
    ),
    ("DELETE", "/queues/{queueName}/messages/{messageId}", "delete", QUEUES, delete_rule_message, {"answers": None}),
)
