"""What is wrong with a rule set, as far as its text tells: no store, no network. The command line asks here offline."""

import re
from collections.abc import Iterator
from typing import Any

from ...errors import Finding
from ...redirection.documents import SentApplicationRules, SentRules
from ...redirection.publish import Prepared, examine, of_rules
from ...redirection.rule_urls import sent_urls
from ...rules.check import oddities
from ...rules.fields import REDIRECTOR
from ...rules.nodes import NEVER, Node, from_json
from ...rules.overlap import overlaps
from .findings import Checked, about_set

DEFAULT_OF_LINKS = "no rule matches every scan; those that no rule wants go to the default URL of their redirection"
NO_DEFAULT = "no rule matches every scan; for those that no rule wants this application has no answer"


def check_set(sent: SentRules | SentApplicationRules, *, allowed_hosts: str = "") -> list[Checked]:
    """Everything that compiling finds, and rules never reached, that contradict themselves, that overlap; no default.

    Raises TooLarge.
    """
    return list(checked(sent, examine(sent, allowed_hosts=allowed_hosts)))


def checked(sent: SentRules | SentApplicationRules, examined: Prepared) -> Iterator[Checked]:
    """The same of a set that was compiled already."""
    yield from (Checked("error", _kind(each), each) for each in examined.mistakes)
    wrong = {each.rule for each in examined.mistakes}
    rules = examined.rules
    matches: list[Node | None] = [
        NEVER if number in wrong else from_json(rule["nodes"]) if rule.get("nodes") is not None else None
        for number, rule in enumerate(rules, 1)
    ]
    passing = {place for place, rule in enumerate(sent.rules) if not sent_urls(rule)}
    found = [*oddities(matches, REDIRECTOR, passing=passing)]
    known = {(each.finding.field, each.finding.message) for each in found}
    yield from (
        Checked("warning", _kind(each), each) for each in examined.warnings if (each.field, each.message) not in known
    )
    found += overlaps(matches, [_target(rule) for rule in rules])
    for odd, finding in zip(found, of_rules([each.finding for each in found], sent.rules), strict=True):
        yield Checked("note" if odd.kind == "overlap" else "warning", odd.kind, finding)
    if not any(sent_urls(rule) and not (rule.match or "").strip() for rule in sent.rules):
        application = isinstance(sent, SentApplicationRules)
        message = NO_DEFAULT if application else DEFAULT_OF_LINKS
        yield Checked("warning" if application else "note", "missingDefault", about_set(message))


def _kind(finding: Finding) -> str:
    """Of what compiling finds: which part of the rule it is about."""
    part = re.sub(r"^rules\[[0-9]+\]\.?", "", finding.field)
    return part.partition("[")[0].partition(".")[0] or "rule"


def _target(rule: Any) -> str:
    """Where it leads: rules that lead to the same place may overlap."""
    sent = rule["sent"] if isinstance(rule["sent"], dict) else {}
    return repr([sent.get(each) for each in ("redirectUrl", "constants", "delegates", "variants")])
