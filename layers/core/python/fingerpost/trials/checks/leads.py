"""Where each rule of a set leads: its own URL and those of its variants."""

from collections.abc import Iterator
from dataclasses import dataclass

from ...redirection.rulesets import CompiledRules, Target
from ...rules.template import Hole, Template
from ..in_force import as_written


@dataclass(frozen=True, slots=True)
class Lead:
    """One URL of one rule (from 1). `part` is its field in the rule."""

    rule: int
    name: str | None
    part: str
    template: Template
    url: str  # as written, constants filled in

    @property
    def is_whole(self) -> bool:
        """Whether the URL is known without a scan."""
        return not any(
            isinstance(each, Hole) and not each.field.startswith("constants.") for each in self.template.pieces
        )


def leads_of(compiled: CompiledRules) -> Iterator[Lead]:
    """In the order of the rules."""
    for place, rule in enumerate(compiled.rules):
        split = compiled.split(place)
        targets: list[tuple[str, Target | None]] = []
        if split is None or split.until is not None:  # beside variants without an end it is never used
            targets.append(("redirectUrl", compiled.target(place)))
        if split is not None:
            targets += [(_of_variant(number), each) for number, each in enumerate(split.targets)]
        for part, target in targets:
            if target is not None:
                written = as_written(target.template, rule.get("constants"))
                yield Lead(place + 1, rule.get("name"), part, target.template, written)


def part_of(compiled: CompiledRules, rule: int, variant: str) -> str:
    """The field of a rule (from 1) in which the URL of one of its variants stands, or its own."""
    split = compiled.split(rule - 1) if variant else None
    return "redirectUrl" if split is None else _of_variant(split.names.index(variant))


def _of_variant(number: int) -> str:
    return f"variants[{number}].redirectUrl"
