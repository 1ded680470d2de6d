"""Why a recorded scan went where it went: its facts, held against the rules of the version that decided."""

from typing import Any

from .. import keys
from ..caller import Caller
from ..errors import NotFound
from ..ports.table import Item
from ..redirection.context import Sources, context_of
from ..redirection.facts import Facts
from ..redirection.rulesets import RuleSets, Version
from ..redirection.visit import keys_of, resource_of
from ..resources import Document
from ..rules.explain import explain
from ..rules.nodes import from_json
from ..rules.ruleset import with_constants
from ..shapes import upgraded
from .model import row_of

MAX_RULES_SHOWN = 100  # before the one that decided

_sets = RuleSets()


def explanation(caller: Caller, item: Item) -> Document:
    """Each rule that was asked, in order, matched or not and why. Things are read as they are now.

    Raises NotFound for an action that no rules were asked about.
    """
    row = row_of(item)
    if "rules" not in row and "link" not in row:
        raise NotFound("No rules were asked about this action")
    number = row.get("rules", 0)
    if not number:
        where = "; it went to the default URL" if "link" in row else ""
        return {"version": 0, "rules": [], "says": f"no rules were published{where}"}
    version_row = caller.tables.main.get(keys.rules_version(keys.ACCOUNT_RULES, number))
    if version_row is None:
        raise NotFound(f"Version {number} of the rules is not kept any more")
    version = Version(number, upgraded(version_row)["set"])
    compiled = _sets.of(caller.tables, caller.principal.account, version)
    context = context_of(compiled.fields, _sources(caller, row))
    decided = row.get("rule")
    last = decided or len(compiled.rules)
    first = max(0, last - MAX_RULES_SHOWN)
    asked = []
    for place in range(first, last):
        rule = compiled.rules[place]
        node = None if rule.get("nodes") is None else from_json(rule["nodes"])
        if node is not None and rule.get("constants"):
            node = with_constants(node, rule["constants"])
        told = explain(node, context)
        asked.append(
            {
                "rule": place + 1,
                "name": rule.get("name"),
                "match": rule["sent"].get("match"),
                "matched": told.held,
                "says": told.sentence(),
                "why": told.document(),
            }
        )
    if decided is None:
        verdict = "no rule matched" + ("; it went to the default URL" if "link" in row else "")
    elif asked[-1]["matched"]:
        verdict = f"rule {decided} {asked[-1]['says']}"
    else:
        verdict = f"rule {decided} decided; as things are now it {asked[-1]['says']}"
    return {"version": number, "rules": asked, "says": verdict}


def _sources(caller: Caller, row: dict[str, Any]) -> Sources:
    facts = Facts(
        at=row["ts"],
        agent=row.get("ua", ""),
        languages=row.get("lang", ""),
        referer=row.get("ref", ""),
        country=row.get("country", ""),
        region=row.get("region", ""),
        city=row.get("city", ""),
        latitude=row.get("lat"),
        longitude=row.get("lon"),
        zone=row.get("zone", ""),
        source=row.get("source", "unknown"),
    )
    thng, product = row.get("thng"), row.get("product")
    wanted = [key for each in (thng, product) if each for key in keys_of(each, True)]
    rows = caller.tables.main.get_many(wanted)
    action = {"type": row["type"], "customFields": row.get("customFields", {})}
    return Sources(facts=facts, action=action, thng=resource_of(rows, thng), product=resource_of(rows, product))
