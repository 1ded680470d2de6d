"""The URLs of a rule as they are saved: its own and those of its variants."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import Finding
from ..rules.fields import REDIRECTOR, field_of, suggestion
from ..rules.template import InvalidTemplate, Template, UnknownTemplateField, from_json, parse_template, to_json
from .documents import SentApplicationRule
from .hosts import may_lead_to
from .rulesets import StoredRule

MAX_HOSTS_TOLD = 5  # in one finding: a draft keeps fifty of them in its row


@dataclass(frozen=True, slots=True)
class RuleUrls:
    """What was read of a rule's URLs, by the field each stands in; `unknown` are fields that no scan has."""

    templates: Mapping[str, Template]
    mistakes: tuple[Finding, ...]
    unknown: tuple[Finding, ...]

    @property
    def fields(self) -> frozenset[str]:
        """The context fields that they read."""
        return frozenset[str]().union(*(template.fields for template in self.templates.values()))

    def stored(self, rule: SentApplicationRule) -> dict[str, Any]:
        """As a stored rule has them: `template`; `variants`, `[name, weight, template]` each; `until` they are used.

        Nothing when one of them could not be read.
        """
        if self.mistakes or self.unknown:
            return {}
        stored: dict[str, Any] = {}
        if "redirectUrl" in self.templates:
            stored["template"] = to_json(self.templates["redirectUrl"])
        if rule.variants:
            stored["variants"] = [
                [variant.name, variant.weight, to_json(self.templates[_variant_field(number)])]
                for number, variant in enumerate(rule.variants)
            ]
        if rule.variants and rule.variantsUntil is not None:
            stored["until"] = rule.variantsUntil
        return stored


def sent_urls(rule: SentApplicationRule) -> dict[str, str]:
    """Every URL of a rule by its field; a rule without any can only ask others."""
    urls = {"redirectUrl": rule.redirectUrl} if rule.redirectUrl else {}
    return urls | {_variant_field(number): each.redirectUrl for number, each in enumerate(rule.variants or ())}


def read_urls(
    rule: SentApplicationRule,
    place: str,
    known: Callable[[str], bool] = lambda name: field_of(REDIRECTOR, name) is not None,
) -> RuleUrls:
    """Read all of a rule's URLs. `place` is where the rule stands, `known` says whether a name is a context field."""
    templates: dict[str, Template] = {}
    mistakes: list[Finding] = []
    unknown: list[Finding] = []
    for field, text in sent_urls(rule).items():
        try:
            templates[field] = parse_template(
                text,
                known=known,
                constants=rule.constants or {},
                nearest=lambda name: suggestion(REDIRECTOR, name),
                document_field=f"{place}.{field}",
            )
        except UnknownTemplateField as error:
            unknown += error.details
        except InvalidTemplate as error:
            mistakes += error.details
    return RuleUrls(templates, tuple(mistakes), tuple(unknown))


def forbidden_hosts(stored: StoredRule, place: str, allowed_hosts: str) -> list[Finding]:
    """A finding for each URL of a stored rule that leads to a host that the account has not allowed."""
    urls = {"redirectUrl": stored["template"]} if "template" in stored else {}
    urls |= {_variant_field(number): pieces for number, (*_, pieces) in enumerate(stored.get("variants", ()))}
    hosts = tuple(allowed_hosts.split(","))
    some, more = hosts[:MAX_HOSTS_TOLD], len(hosts) - MAX_HOSTS_TOLD
    told = ", ".join(some) + (f" and {more} more" if more > 0 else "")
    return [
        Finding(
            field=f"{place}.{field}",
            message=f"the account does not allow application rules to lead to {host}; it allows {told}",
            expected=some,
        )
        for field, pieces in urls.items()
        if not may_lead_to(host := from_json(pieces).host, allowed_hosts)
    ]


def _variant_field(number: int) -> str:
    return f"variants[{number}].redirectUrl"
