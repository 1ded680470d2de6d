"""Split tests as they are saved: what is wrong with the variants of a rule, and what is odd."""

from collections import Counter

from ..errors import Finding, Invalid
from .documents import MAX_VARIANT_NAME, MAX_VARIANTS, MAX_WEIGHT, VARIANT_FIELDS, SentApplicationRule, unknown_keys

MIN_VARIANTS = 2


class InvalidVariants(Invalid):
    """The variants of a rule are no split test; one finding for each reason."""

    code = "invalidVariants"


def mistakes_of_variants(rule: SentApplicationRule, place: str) -> list[Finding]:
    """A finding for each thing that keeps a rule's variants from being a split test. Their URLs are read elsewhere."""
    variants, until = rule.variants or [], rule.variantsUntil
    found: list[Finding] = []

    def add(field: str, message: str, *expected: str) -> None:
        found.append(Finding(field=f"{place}.{field}", message=message, expected=expected))

    if until is not None and not variants:
        add("variantsUntil", "ends a split test, but the rule has no variants", "variants")
    if until is not None and variants and not rule.redirectUrl:
        add("redirectUrl", "a rule with variantsUntil needs the redirectUrl that it has from then on", "redirectUrl")
    if variants and not MIN_VARIANTS <= len(variants) <= MAX_VARIANTS:
        add("variants", f"a split test has {MIN_VARIANTS} to {MAX_VARIANTS} variants; this one has {len(variants)}")
    seen: Counter[str] = Counter()
    for number, variant in enumerate(variants):
        field = f"variants[{number}]"
        if not variant.name.strip() or len(variant.name) > MAX_VARIANT_NAME:
            add(f"{field}.name", f"the name of a variant has 1 to {MAX_VARIANT_NAME} characters")
        elif seen[variant.name]:
            add(f"{field}.name", f"two variants are called {variant.name}; statistics could not tell them apart")
        if not 1 <= variant.weight <= MAX_WEIGHT:
            add(f"{field}.weight", f"a weight is a whole number from 1 to {MAX_WEIGHT:,}, not {variant.weight}")
        seen[variant.name] += 1
    return found


def oddities_of_variants(rule: SentApplicationRule, place: str) -> list[Finding]:
    """What means nothing beside variants, or in them."""
    found: list[Finding] = []
    if rule.variants and rule.redirectUrl and rule.variantsUntil is None:
        message = "is not used while the rule has variants and no variantsUntil, from when on it would be"
        found.append(Finding(field=f"{place}.redirectUrl", message=message, expected=("variantsUntil",)))
    for number, variant in enumerate(rule.variants or []):
        found += unknown_keys(f"{place}.variants[{number}]", variant.model_extra or {}, VARIANT_FIELDS)
    return found
