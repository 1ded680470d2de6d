"""Publishing rules: compile what operators wrote, keep it as an immutable version, switch to it at once.

The rules of an account and of each of its applications go the same way. Of an application, the live row says also the
project and what its rules need: so a scan knows whom a delegate means, and what to read, before it has asked anybody.
"""

import json
from dataclasses import dataclass
from typing import Any

from .. import audit, keys
from ..caller import Caller
from ..errors import Conflict, Finding, Invalid, NotFound, TooLarge
from ..ids import SeededIds
from ..ports.table import (
    Absent,
    AbsentOrBelow,
    Check,
    Condition,
    Equals,
    Item,
    Key,
    Present,
    Put,
    Set,
    TransactionFailed,
    Update,
    Write,
)
from ..retry import attempts
from ..rules import nodes
from ..rules.check import check_rules
from ..rules.compile import InvalidMatch, compile_match
from ..rules.fields import REDIRECTOR
from ..rules.template import InvalidTemplate, UnknownTemplateField
from ..shapes import stamp, upgraded
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
from .rule_urls import check_hosts, read_urls, sent_urls
from .rulesets import CompiledRules, StoredRule, Version, live_versions, pack, read_chunks, unpack
from .splits import InvalidVariants, mistakes_of_variants, oddities_of_variants

MAX_RULES_BYTES = 4 * 1024 * 1024
MAX_CHUNK_BYTES = 350_000
MAX_FINDINGS = 50
PUBLISH_ATTEMPTS = 8
MAX_REDIRECTORS = 1_000  # applications with rules: each has some 100 bytes of the live row, read every four seconds


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rules ready to be stored, and what is odd about them."""

    rules: list[StoredRule]
    template_fields: frozenset[str]
    warnings: tuple[Finding, ...]


def prepare(sent: SentRules | SentApplicationRules, *, strict: bool = False, allowed_hosts: str = "") -> Prepared:
    """Compile every rule. Unknown fields are warnings, and such a rule never matches, unless `strict`.

    `allowed_hosts` are those that the rules may lead to; without any, they may lead anywhere.
    Raises Invalid with a finding for each thing that is wrong, TooLarge.
    """
    size = len(json.dumps([rule.sent() for rule in sent.rules], ensure_ascii=False).encode())
    if size > MAX_RULES_BYTES:
        raise TooLarge(f"These rules have {size:,} bytes; the limit of a rule set is {MAX_RULES_BYTES:,} bytes (4 MB)")
    stored: list[StoredRule] = []
    problems: list[Finding] = []
    first_kind: type[Invalid] = Invalid
    warnings: list[Finding] = []
    fields: set[str] = set()
    matches: list[nodes.Node | None] = []
    for number, rule in enumerate(sent.rules):
        place = f"rules[{number}]"
        try:
            compiled, odd = _compile(rule, place, strict=strict)
            check_hosts(compiled.stored, place, allowed_hosts)
        except (InvalidMatch, InvalidTemplate, InvalidVariants) as error:
            first_kind = first_kind if problems else type(error)
            problems += error.details
            if len(problems) >= MAX_FINDINGS:
                break
            continue
        warnings += odd
        stored.append(compiled.stored)
        fields |= compiled.template_fields
        matches.append(compiled.node)
    if problems:
        first = problems[0]
        where = f" at column {first.column}" if first.column else ""
        raise first_kind(f"{first.field}{where}: {first.message}", details=problems[:MAX_FINDINGS])
    if len(warnings) < MAX_FINDINGS:
        passing = {number for number, rule in enumerate(sent.rules) if not sent_urls(rule)}  # they only ask others
        warnings += check_rules(matches, REDIRECTOR, passing=passing)
    return Prepared(stored, frozenset(fields), tuple(warnings[:MAX_FINDINGS]))


@dataclass(frozen=True, slots=True)
class _CompiledRule:
    stored: StoredRule
    node: nodes.Node | None
    template_fields: frozenset[str]


def _compile(rule: SentApplicationRule, place: str, *, strict: bool) -> tuple[_CompiledRule, list[Finding]]:
    known = ACCOUNT_RULE_FIELDS if isinstance(rule, SentRule) else RULE_FIELDS
    if wrong := mistakes_of_variants(rule, place):
        raise InvalidVariants(wrong[0].message, details=wrong)
    warnings = unknown_keys(place, rule.model_extra or {}, known) + oddities_of_variants(rule, place)
    node: nodes.Node | None = None
    if rule.match is not None and rule.match.strip():
        compiled = compile_match(rule.match, REDIRECTOR, field=f"{place}.match", strict=strict)
        warnings += compiled.warnings
        node = compiled.node
    urls = read_urls(rule, place)
    if urls.mistakes:
        raise InvalidTemplate(urls.mistakes[0].message, details=urls.mistakes)
    if urls.unknown and strict:
        raise UnknownTemplateField(urls.unknown[0].message, details=urls.unknown)
    if urls.unknown:
        warnings += urls.unknown
        node = nodes.NEVER
    if not sent_urls(rule) and not (isinstance(rule, SentRule) and rule.delegates):
        message = "a rule needs a redirectUrl" + (" (or delegates)" if isinstance(rule, SentRule) else "")
        finding = Finding(field=f"{place}.redirectUrl", message=message, expected=("an absolute http(s) URL",))
        raise InvalidTemplate(message, details=[finding])
    stored: dict[str, Any] = {"sent": rule.sent()}
    if rule.name:
        stored["name"] = rule.name
    if node is not None:
        stored["nodes"] = nodes.to_json(node)
    if rule.constants:
        stored["constants"] = rule.constants
    return _CompiledRule(stored | urls.stored(rule), node, urls.fields), warnings


def publish(
    caller: Caller,
    owner: str,
    sent: SentRules | SentApplicationRules,
    *,
    project: str = "",
    strict: bool = False,
) -> dict[str, Any]:
    """Make the next version of an owner's rules and switch to it in one transaction. Answers its document.

    The owner is `account`, or `app:<id>` of an application in `project`. Raises Invalid (nothing is stored), NotFound
    for an application that was just deleted, Conflict when others publish all the time, TooLarge.
    """
    main, set_id = caller.tables.main, caller.new_id(caller.at)
    application = owner.removeprefix(keys.APPLICATION_RULES) if owner != keys.ACCOUNT_RULES else ""
    live = main.get(keys.LIVE, consistent=True) if application else None
    hosts = str(live.get("allowedHosts", "")) if live else ""
    prepared = prepare(sent, strict=strict, allowed_hosts=hosts)
    warnings = prepared.warnings
    if isinstance(sent, SentRules):
        odd = check_delegates(caller, sent)
        if odd and strict:
            raise Invalid(f"{odd[0].field}: {odd[0].message}", details=odd[:MAX_FINDINGS])
        warnings = (*warnings, *odd)[:MAX_FINDINGS]
    packed = pack(prepared.rules, prepared.template_fields)
    for_good = [packed[start : start + MAX_CHUNK_BYTES] for start in range(0, len(packed), MAX_CHUNK_BYTES)]
    main.put_many(
        [
            Put(Key(keys.rules_chunks(set_id), f"{number:04d}"), {**stamp("chunk"), "z": chunk})
            for number, chunk in enumerate(for_good)
        ]
    )
    needs = CompiledRules(0, prepared.rules, prepared.template_fields, delegating=False).all_needs
    for _ in attempts(PUBLISH_ATTEMPTS):
        versions = live_versions(main.get(keys.LIVE, consistent=True))
        current = versions.get(owner)
        if current is not None and current.set_id == set_id:
            return read(caller, owner)  # a repeat of a request that had got this far
        if application and current is None and sum(bool(each.app) for each in versions.values()) >= MAX_REDIRECTORS:
            raise TooLarge(f"At most {MAX_REDIRECTORS:,} applications of an account can have rules of their own")
        number = (current.number if current else 0) + 1
        version = Version(number, set_id, application, project, needs)
        created_at = caller.at if current is None else _version_row(caller, owner, current)["created"]
        row: Item = {
            **stamp("rules"),
            "number": version.number,
            "set": set_id,
            "created": created_at,
            "at": caller.at,
            "by": caller.principal.id,
            "cause": caller.cause,
            "count": len(prepared.rules),
            "bytes": len(packed),
            "language": nodes.LANGUAGE_VERSION,
            "warnings": json.dumps([finding.document() for finding in warnings]),
        }
        field = f"live:{owner}"
        unchanged: Condition = AbsentOrBelow(field, "") if current is None else Equals(field, current.text)
        marks = [Set(name, value) for name, value in stamp("live").items()]
        before = None if current is None else {"version": current.number}
        after = {"version": version.number, "rules": len(prepared.rules)}
        writes: list[Write] = [
            Put(keys.rules_version(owner, version.number), row, (Absent(),)),
            Update(keys.LIVE, (*marks, Set(field, version.text)), (unchanged,)),
            *audit.entry(caller, "publish", "rules", owner, before, after),
        ]
        if application:  # a deleted one leaves no rules behind that would be asked
            writes.append(Check(keys.document(application), (Present(),)))
        try:
            main.transact(writes)
        except TransactionFailed as failure:
            if application and failure.reasons[-1].kind == "condition":
                raise NotFound(f"There is no application {application}") from failure
            continue  # somebody else published; theirs is superseded by ours
        return document(caller, owner, row, [rule["sent"] for rule in prepared.rules], warnings)
    raise Conflict("These rules keep changing; send the request again")


def read(caller: Caller, owner: str) -> dict[str, Any]:
    """The document of an owner's live rules; before any was published it has none."""
    current = live_versions(caller.tables.main.get(keys.LIVE, consistent=True)).get(owner)
    if current is None:
        return {"id": _id(caller, owner), "createdAt": 0, "updatedAt": 0, "version": 0, "rules": []}
    compiled = unpack(current.number, read_chunks(caller.tables.main, current.set_id), delegating=False)
    row = _version_row(caller, owner, current)
    return document(caller, owner, row, [rule["sent"] for rule in compiled.rules])


def document(
    caller: Caller, owner: str, row: Item, rules: list[dict[str, Any]], warnings: tuple[Finding, ...] = ()
) -> dict[str, Any]:
    """The platform's redirector document, with the version that it is."""
    result: dict[str, Any] = {
        "id": _id(caller, owner),
        "createdAt": row["created"],
        "updatedAt": row["at"],
        "version": row["number"],
        "rules": rules,
    }
    if warnings:
        result["warnings"] = [finding.document() for finding in warnings]
    return result


def _version_row(caller: Caller, owner: str, version: Version) -> Item:
    item = caller.tables.main.get(keys.rules_version(owner, version.number), consistent=True)
    if item is None:
        raise Invalid(f"Version {version.number} of these rules is missing")
    return upgraded(item)


def _id(caller: Caller, owner: str) -> str:
    """A redirector exists as soon as its owner does, so its id follows from them."""
    return SeededIds(f"redirector/{caller.principal.account}/{owner}").new_id(0)
