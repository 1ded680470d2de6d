"""Why a recorded scan went where it went: its facts, held against the rules of the versions that were asked."""

from dataclasses import dataclass
from typing import Any

from .. import keys
from ..caller import Caller
from ..errors import NotFound
from ..ports.table import Item
from ..redirection.context import Sources, context_of
from ..redirection.deciding import versions_of
from ..redirection.facts import Facts
from ..redirection.reading import Reading
from ..redirection.rulesets import CompiledRules, RuleSets, Version, live_versions
from ..resources import Document
from ..rules.explain import explain
from ..rules.nodes import from_json
from ..rules.ruleset import with_constants
from ..shapes import upgraded
from .model import row_of

MAX_RULES_SHOWN = 100  # of one owner, before the one that decided
MAX_APPLICATIONS_SHOWN = 20
MAX_VERSIONS_SEEN = 100  # newest ones, in search of the one that was live at the time

_sets = RuleSets()


def explanation(caller: Caller, item: Item) -> Document:
    """Each rule that was asked, in order, matched or not and why; with `delegates` what the applications' rules said.

    Things are read as they are now. Raises NotFound for an action that no rules were asked about.
    """
    row = row_of(item)
    if "rules" not in row and "link" not in row:
        raise NotFound("No rules were asked about this action")
    return _Scan(caller, row).explained()


@dataclass(frozen=True, slots=True)
class _Told:
    """What one owner's rules said. `decided` is the rule that yielded the URL, or asked who did."""

    rules: list[Document]
    decided: int | None

    def says(self) -> str:
        """Of the rule that decided."""
        if self.decided is None:
            return "no rule matched"
        last = self.rules[-1]
        if last["matched"]:
            return f"rule {self.decided} {last['says']}"
        return f"rule {self.decided} decided; as things are now it {last['says']}"


class _Scan:
    """One recorded scan, to be asked again."""

    def __init__(self, caller: Caller, row: dict[str, Any]):
        self._caller, self._row = caller, row
        action = {"type": row["type"], "customFields": row.get("customFields", {})}
        begun = Sources(facts=_facts(row), action=action)
        self._reading = Reading(caller.tables, begun, row.get("thng"), row.get("product"))
        self._decider: str | None = row.get("app")
        self._live = live_versions(caller.tables.main.get(keys.LIVE))
        self._shown = 0  # applications

    def explained(self) -> Document:
        row = self._row
        to_default = "; it went to the default URL" if "link" in row else ""
        if self._decider is not None and "byRule" not in row:
            return self._explained_by_application(self._decider)
        number, decided = row.get("byRules", row.get("rules", 0)), row.get("byRule", row.get("rule"))
        if not number:
            return {"version": 0, "rules": [], "says": f"no rules were published{to_default}"}
        told = self._told(self._version(keys.ACCOUNT_RULES, number), decided)
        says = told.says() + (to_default if decided is None else "")
        if "byRule" in row:
            says += f", and asked the application {self._decider}: its {told.rules[-1]['delegates'][-1]['says']}"
        return {"version": number, "rules": told.rules, "says": says}

    def _explained_by_application(self, app: str) -> Document:
        """Of a scan that its application posted: its rules alone were asked."""
        number = self._row["rules"]
        if not number:
            return {"app": app, "version": 0, "rules": [], "says": "the application had no rules"}
        told = self._told(self._version(keys.APPLICATION_RULES + app, number), self._row.get("rule"))
        return {
            "app": app,
            "version": number,
            "rules": told.rules,
            "says": f"of the application's rules, {told.says()}",
        }

    def _told(self, version: Version, decided: int | None) -> _Told:
        """The rules up to the one that decided, the last hundred of them."""
        compiled = _sets.of(self._caller.tables, self._caller.principal.account, version)
        sources = self._reading.sources(compiled.needs, version if version.app else None)
        context = context_of(compiled.fields, sources)
        last = decided or len(compiled.rules)
        rules = []
        for place in range(max(0, last - MAX_RULES_SHOWN), last):
            told = _rule_told(compiled, place, context)
            if place in compiled.delegates and (told["matched"] or place + 1 == decided):
                told["delegates"] = self._delegates_told(compiled, place)
            rules.append(told)
        return _Told(rules, decided)

    def _delegates_told(self, compiled: CompiledRules, place: int) -> list[Document]:
        """What each application said that the rule asked, up to the one that decided."""
        row, told = self._row, []
        asked = {
            version.app: version for each in compiled.delegates[place] for version in versions_of(each, self._live)
        }
        asks_decider = row.get("byRule") == place + 1
        if asks_decider and self._decider not in asked:  # it is gone since
            asked[str(self._decider)] = Version(0, "", str(self._decider), row["project"])
        for app, live in asked.items():
            decides = asks_decider and app == self._decider
            version = self._version_of(live, row["rules"] if decides else None)
            if version is None or (self._shown >= MAX_APPLICATIONS_SHOWN and not decides):
                continue
            self._shown += 1
            answer = self._told(version, row["rule"] if decides else None)
            told.append(
                {
                    "app": app,
                    "project": version.project,
                    "version": version.number,
                    "rules": answer.rules,
                    "says": answer.says(),
                }
            )
            if decides:
                break
        return told

    def _version_of(self, live: Version, number: int | None) -> Version | None:
        """An application's version by its number, else the one that was live at the time of the scan."""
        owner = keys.APPLICATION_RULES + live.app
        if number is not None:
            return self._version(owner, number, live)
        partition = keys.rules_version(owner, 0).pk
        page = self._caller.tables.main.query(partition, low="v#", descending=True, limit=MAX_VERSIONS_SEEN)
        for each in page.rows:
            row = upgraded(each.item)
            if row["at"] <= self._row["ts"]:
                return Version(row["number"], row["set"], live.app, live.project)
        return None

    def _version(self, owner: str, number: int, live: Version | None = None) -> Version:
        item = self._caller.tables.main.get(keys.rules_version(owner, number))
        if item is None:
            raise NotFound(f"Version {number} of the rules is not kept any more")
        app = owner.removeprefix(keys.APPLICATION_RULES) if owner != keys.ACCOUNT_RULES else ""
        return Version(number, upgraded(item)["set"], app, live.project if live else self._row.get("project", ""))


def _rule_told(compiled: CompiledRules, place: int, context: dict[str, Any]) -> Document:
    rule = compiled.rules[place]
    node = None if rule.get("nodes") is None else from_json(rule["nodes"])
    if node is not None and rule.get("constants"):
        node = with_constants(node, rule["constants"])
    told = explain(node, context)
    return {
        "rule": place + 1,
        "name": rule.get("name"),
        "match": rule["sent"].get("match"),
        "matched": told.held,
        "says": told.sentence(),
        "why": told.document(),
    }


def _facts(row: dict[str, Any]) -> Facts:
    return Facts(
        at=row["ts"],
        agent=row.get("ua", ""),
        languages=row.get("lang", ""),
        referer=row.get("ref", ""),
        query=row.get("q", ""),
        country=row.get("country", ""),
        region=row.get("region", ""),
        city=row.get("city", ""),
        latitude=row.get("lat"),
        longitude=row.get("lon"),
        zone=row.get("zone", ""),
        source=row.get("source", "unknown"),
    )
