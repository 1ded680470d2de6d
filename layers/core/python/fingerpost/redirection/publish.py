"""Publishing rules: compile what operators wrote, keep it as an immutable version, switch to it at once.

The rules of an account and of each of its applications go the same way. Of an application, the live row says also the
project and what its rules need: so a scan knows whom a delegate means, and what to read, before it has asked anybody.
"""

import json
import re
from collections.abc import Iterable, Sequence
from copy import replace
from dataclasses import dataclass
from typing import Any

from .. import keys
from ..caller import Caller
from ..errors import Finding, Invalid, TooLarge
from ..ports.table import Key, Put
from ..rules import nodes
from ..rules.check import check_rules
from ..rules.compile import InvalidMatch, compile_match
from ..rules.fields import REDIRECTOR, field_of
from ..rules.template import InvalidTemplate, UnknownTemplateField
from ..shapes import stamp
from .delegates import check_delegates
from .documents import (
    ACCOUNT_RULE_FIELDS,
    RULE_FIELDS,
    SentApplicationRule,
    SentApplicationRules,
    SentRule,
    SentRules,
    unknown_keys,
)
from .meanwhile import check_based_on, check_match
from .release import StoredSet, Story, release
from .rule_urls import forbidden_hosts, read_urls, sent_urls
from .rulesets import CompiledRules, StoredRule, pack
from .splits import InvalidVariants, mistakes_of_variants, oddities_of_variants
from .versions import Owner, document, planned_in, timeline, whole_document

MAX_RULES_BYTES = 4 * 1024 * 1024
MAX_CHUNK_BYTES = 350_000
MAX_FINDINGS = 50


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rules ready to be stored, and what is odd about them; with `mistakes` they are not ready."""

    rules: list[StoredRule]
    template_fields: frozenset[str]
    warnings: tuple[Finding, ...]
    mistakes: tuple[Finding, ...] = ()
    refusal: type[Invalid] = Invalid  # what the first mistake is

    def check(self) -> None:
        """Raises Invalid with a finding for each mistake."""
        refuse(self.mistakes, self.refusal)


def refuse(mistakes: Sequence[Finding], refusal: type[Invalid] = Invalid) -> None:
    """Raises `refusal` with the mistakes, if there are any."""
    if not mistakes:
        return
    first, more = mistakes[0], len(mistakes) - 1
    where = f" at column {first.column}" if first.column else ""
    others = f" (and {more} more)" if more else ""
    raise refusal(f"{first.field}{where}: {first.message}{others}", details=mistakes)


def prepare(sent: SentRules | SentApplicationRules, *, strict: bool = False, allowed_hosts: str = "") -> Prepared:
    """`examine`, for rules that have to be in order. Raises Invalid with a finding for each mistake, TooLarge."""
    prepared = examine(sent, strict=strict, allowed_hosts=allowed_hosts)
    prepared.check()
    return prepared


def examine(sent: SentRules | SentApplicationRules, *, strict: bool = False, allowed_hosts: str = "") -> Prepared:
    """Compile every rule and find all that is wrong in any. Unknown fields are mistakes when `strict`, else warnings.

    A rule with an unknown field never matches. `allowed_hosts` are those that the rules may lead to; without any, they
    may lead anywhere. Raises TooLarge.
    """
    size = len(json.dumps([rule.sent() for rule in sent.rules], ensure_ascii=False).encode())
    if size > MAX_RULES_BYTES:
        raise TooLarge(f"These rules have {size:,} bytes; the limit of a rule set is {MAX_RULES_BYTES:,} bytes (4 MB)")
    stored: list[StoredRule] = []
    found = _Findings()
    fields: set[str] = set()
    matches: list[nodes.Node | None] = []
    for number, rule in enumerate(sent.rules):
        place, mistakes = f"rules[{number}]", len(found.mistakes)
        compiled = _compile(rule, place, found, strict=strict)
        found.refuse(InvalidTemplate, forbidden_hosts(compiled.stored, place, allowed_hosts))
        wrong = len(found.mistakes) > mistakes
        stored.append({"sent": rule.sent()} if wrong else compiled.stored)
        fields |= compiled.template_fields
        matches.append(nodes.NEVER if wrong else compiled.node)
        if len(found.mistakes) >= MAX_FINDINGS:
            break
    if len(found.warnings) < MAX_FINDINGS:
        passing = {number for number, rule in enumerate(sent.rules) if not sent_urls(rule)}  # they only ask others
        found.warnings += check_rules(matches, REDIRECTOR, passing=passing)
    warnings, mistakes_found = (of_rules(each[:MAX_FINDINGS], sent.rules) for each in (found.warnings, found.mistakes))
    stored += [{"sent": rule.sent()} for rule in sent.rules[len(stored) :]]
    return Prepared(stored, frozenset(fields), warnings, mistakes_found, found.refusal)


def of_rules(findings: Iterable[Finding], rules: Sequence[SentApplicationRule]) -> tuple[Finding, ...]:
    """The same findings with the number and the name of the rule that each one's field names: `rules[2].match`."""
    named = []
    for finding in findings:
        place = re.match(r"rules\[([0-9]+)\]", finding.field)
        number = int(place[1]) if place else None
        name = None if number is None else rules[number].name
        named.append(finding if number is None else replace(finding, rule=number + 1, name=name))
    return tuple(named)


class _Findings:
    """What is wrong and what is odd, gathered over all rules."""

    def __init__(self) -> None:
        self.mistakes: list[Finding] = []
        self.warnings: list[Finding] = []
        self.refusal: type[Invalid] = Invalid

    def refuse(self, kind: type[Invalid], mistakes: Sequence[Finding]) -> None:
        """These mistakes, if there are any, are of this kind."""
        if mistakes and not self.mistakes:
            self.refusal = kind
        self.mistakes += mistakes


@dataclass(frozen=True, slots=True)
class _CompiledRule:
    stored: StoredRule
    node: nodes.Node | None
    template_fields: frozenset[str]


def _compile(rule: SentApplicationRule, place: str, found: _Findings, *, strict: bool) -> _CompiledRule:
    known = ACCOUNT_RULE_FIELDS if isinstance(rule, SentRule) else RULE_FIELDS
    found.mistakes += [replace(each, field=f"{place}.{each.field}" if each.field else place) for each in rule.mistakes]
    found.warnings += unknown_keys(place, rule.model_extra or {}, known) + oddities_of_variants(rule, place)
    unread = {each.field.partition(".")[0].partition("[")[0] for each in rule.mistakes}
    if "variants" not in unread:
        found.refuse(InvalidVariants, mistakes_of_variants(rule, place))
    node: nodes.Node | None = None
    if rule.match is not None and rule.match.strip():
        try:
            compiled = compile_match(rule.match, REDIRECTOR, field=f"{place}.match", strict=strict)
        except InvalidMatch as error:
            found.refuse(type(error), error.details)
        else:
            found.warnings += compiled.warnings
            node = compiled.node
    urls = read_urls(rule, place, lambda name: "constants" in unread or field_of(REDIRECTOR, name) is not None)
    found.refuse(InvalidTemplate, urls.mistakes)
    if urls.unknown and strict:
        found.refuse(UnknownTemplateField, urls.unknown)
    elif urls.unknown:
        found.warnings += urls.unknown
        node = nodes.NEVER
    asks = isinstance(rule, SentRule) and rule.delegates
    if not sent_urls(rule) and not asks and unread.isdisjoint(("", "redirectUrl", "variants", "delegates")):
        message = "a rule needs a redirectUrl" + (" (or delegates)" if isinstance(rule, SentRule) else "")
        finding = Finding(field=f"{place}.redirectUrl", message=message, expected=("an absolute http(s) URL",))
        found.refuse(InvalidTemplate, [finding])
    stored: dict[str, Any] = {"sent": rule.sent()}
    if rule.name:
        stored["name"] = rule.name
    if node is not None:
        stored["nodes"] = nodes.to_json(node)
    if rule.constants:
        stored["constants"] = rule.constants
    return _CompiledRule(stored | urls.stored(rule), node, urls.fields)


def publish(
    caller: Caller,
    owner: Owner,
    sent: SentRules | SentApplicationRules,
    *,
    strict: bool = False,
) -> dict[str, Any]:
    """Make the next version of an owner's rules, and switch to it in one transaction; answers the redirector document.

    Raises Invalid with a finding for each mistake (nothing is stored), NotFound for an application that was just
    deleted, Conflict when others publish all the time, PreconditionFailed, TooLarge.
    """
    examined = examined_for(caller, owner, sent, strict=strict)
    examined.check()
    if caller.match.asks:
        check_match(caller, timeline(caller, owner).at(caller.at))  # before anything is stored
    row, of = release(caller, owner, store(caller, examined), Story())
    sent_rules = [rule["sent"] for rule in examined.rules]
    return document(caller, owner, row, sent_rules, examined.warnings, planned_in(of, caller.at))


def publish_version(
    caller: Caller, owner: Owner, sent: SentRules | SentApplicationRules, story: Story, *, strict: bool = False
) -> dict[str, Any]:
    """The same at the time and for the reason of `story`; answers the version's whole document.

    Raises Conflict also when the rules changed since the version that the story is based on.
    """
    examined = examined_for(caller, owner, sent, strict=strict)
    examined.check()
    check_based_on(caller, owner, story.based_on, timeline(caller, owner).at(caller.at))  # before anything is stored
    row, of = release(caller, owner, store(caller, examined), story)
    return whole_document(caller, owner, row, of)


def examined_for(
    caller: Caller, owner: Owner, sent: SentRules | SentApplicationRules, *, strict: bool = False
) -> Prepared:
    """What is right and wrong with rules when this owner publishes them: also whom they ask and where they lead."""
    hosts = ""
    if owner.application and (live := caller.tables.main.get(keys.LIVE, consistent=True)) is not None:
        hosts = str(live.get("allowedHosts", ""))
    examined = examine(sent, strict=strict, allowed_hosts=hosts)
    if not isinstance(sent, SentRules) or not (odd := of_rules(check_delegates(caller, sent), sent.rules)):
        return examined
    if strict:
        return replace(examined, mistakes=(*examined.mistakes, *odd)[:MAX_FINDINGS])
    return replace(examined, warnings=(*examined.warnings, *odd)[:MAX_FINDINGS])


def store(caller: Caller, prepared: Prepared) -> StoredSet:
    """Write the rows of a rule set; no version names it yet."""
    set_id = caller.new_id(caller.at)
    packed = pack(prepared.rules, prepared.template_fields)
    chunks = [packed[start : start + MAX_CHUNK_BYTES] for start in range(0, len(packed), MAX_CHUNK_BYTES)]
    caller.tables.main.put_many(
        [
            Put(Key(keys.rules_chunks(set_id), f"{number:04d}"), {**stamp("chunk"), "z": chunk})
            for number, chunk in enumerate(chunks)
        ]
    )
    needs = 0
    if not prepared.mistakes:
        needs = CompiledRules(0, prepared.rules, prepared.template_fields, delegating=False).all_needs
    return StoredSet(
        set_id=set_id,
        count=len(prepared.rules),
        size=len(packed),
        needs=needs,
        warnings=json.dumps([finding.document() for finding in prepared.warnings]),
    )
