"""Carrying out a declarative rule for an event that it is for.

A run is of one rule, or of one try of one of its webhooks: the event of such a run is `<event>.<step>.<try>`. What is
done is known by event, rule and step, so that an event that is read again, or a run that is repeated, creates the same
action, sets the same value, puts the same message and sends under the same `webhook-id`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .. import wiring
from ..access.store import APPLICATION
from ..body import validated
from ..errors import FingerpostError
from ..ports.runner import Level
from ..ports.table import ItemTooLarge, Tables
from ..resources import Resources
from ..rules.explain import explain
from ..rules.nodes import fields, from_json
from . import logs, rule_versions, runs, webhook_secrets, webhooks
from .logs import Entry
from .rule_check import StoredRule
from .rule_documents import EVENTS, FUNCTIONS, SentReactorRule
from .rule_steps import Acting, Request, check_host, do, planned
from .runs import Run


def carry_out(run: Run, tables: Tables, at: int) -> None:
    """Carry out one run; doing it again does no harm. `tables` are unscoped, `at` is now.

    What goes wrong with a step is told in the application's log and stops no other. Raises Throttled, Unreachable.
    """
    own = tables.of(run.account)
    event, step, attempt = _taken_apart(run.event)
    stored = _current(own, run)
    rule = None if stored is None else validated(SentReactorRule, stored["sent"])
    if stored is None or rule is None or step > len(rule.then):
        told = [Entry("debug", f"rule {run.rule}: is not there any more, or not enabled", at)]
    else:
        acting = Acting(own, replace(run, event=event), rule, EVENTS[run.function])
        told = list(_webhook(acting, step, attempt, at) if step else _steps(acting, stored.get("nodes"), at))
    logs.append(own, run.app, told, now=at, run=run.id)


def _steps(acting: Acting, nodes: list[Any] | None, at: int) -> Iterator[Entry]:
    """Every step in its order; a webhook as a run of its own, so that no receiver holds up what follows."""
    run = acting.run
    yield Entry("trace", f"rule {acting.rule.name}: {run.function}, event {run.event}{_why(acting, nodes)}", at)
    for number in range(1, len(acting.rule.then) + 1):
        try:
            match plan := planned(acting, number):
                case Request():
                    check_host(acting.tables, plan)
                    runs.send(wiring.queue(runs.QUEUE), replace(run, event=f"{run.event}.{number}.1"))
                case _:
                    yield _entry("info", acting, number, do(acting, number, plan), at)
        except (FingerpostError, ItemTooLarge) as error:
            yield _entry("error", acting, number, f"was not done: {error}", at)


def _why(acting: Acting, nodes: list[Any] | None) -> str:
    """Why the event was let pass; nothing when that is not so any more, as things have changed since."""
    node = None if nodes is None else from_json(nodes)
    found = explain(node, acting.asked(fields(node) if node is not None else frozenset()))
    return f", {found.sentence()}" if found.held else ""


def _webhook(acting: Acting, number: int, attempt: int, at: int) -> Iterator[Entry]:
    """One try of a webhook, and what follows from it: nothing, another one later, or giving up."""
    try:
        request = planned(acting, number)
        if not isinstance(request, Request):
            yield _entry("debug", acting, number, "calls no webhook any more", at)
            return
        check_host(acting.tables, request)
    except FingerpostError as error:
        yield _entry("error", acting, number, f"was not sent: {error}", at)
        return
    secrets = webhook_secrets.signing(acting.tables, acting.run.app, wiring.root_secrets(), at)
    outcome = webhooks.send(request.webhook, secrets, wiring.outgoing(), at)
    what = f"{request.webhook.method} {_without_query(request.webhook.url)} {outcome.says}"
    if outcome.kind == "delivered":
        yield _entry("info", acting, number, what, at)
    elif (wait := webhooks.wait_before(attempt, outcome)) is not None:
        again = replace(acting.run, event=f"{acting.run.event}.{number}.{attempt + 1}")
        runs.send_later(wiring.queue("work"), again, wait)
        then = f"; try {attempt + 1} of {webhooks.MAX_TRIES} in {wait / 1000:.0f} s"
        yield _entry("warn", acting, number, what + then, at)
    else:
        tries = f" after {attempt} tries" if attempt > 1 else ""
        name = f"; webhook-id {request.webhook.id}, event {acting.run.event}"
        yield _entry("error", acting, number, f"{what}; given up{tries}{name}", at)


def _current(tables: Tables, run: Run) -> StoredRule | None:
    """The rule as it is now: what was put right or taken away since the event counts for what is still to be done."""
    row = rule_versions.newest(tables.main, run.app)
    if row is None or not Resources(tables, APPLICATION).read_many([run.app], consistent=True):
        return None
    for rule in rule_versions.rules_in(row):
        if rule["name"] == run.rule and rule["sent"].get("enabled", True) and FUNCTIONS[rule["event"]] == run.function:
            return rule
    return None


def _taken_apart(event: str) -> tuple[str, int, int]:
    """An event's own name, and of which step it is which try; 0 for the whole rule."""
    name, *of_step = event.split(".")
    step, attempt = map(int, of_step) if of_step else (0, 0)
    return name, step, attempt


def _without_query(url: str) -> str:
    """What of a URL is fit for a log: keys stand in queries."""
    return url.partition("?")[0].partition("#")[0]


def _entry(level: Level, acting: Acting, step: int, message: str, at: int) -> Entry:
    return Entry(level, f"rule {acting.rule.name}, step {step}: {message}", at)
