"""Why a recorded scan went where it went: its facts, held against the rules of the versions that were asked."""

from collections.abc import Iterator

from .. import keys
from ..caller import Caller
from ..errors import NotFound
from ..ports.table import Item
from ..redirection.deciding import versions_of
from ..redirection.reading import Reading
from ..redirection.recorded import Recorded
from ..redirection.rulesets import CompiledRules, RuleSets, Version, live_versions
from ..redirection.telling import Asked, Teller, Told, told_by_limit
from ..redirection.versions import Owner, live_row, newest_rows
from ..resources import Document
from ..shapes import upgraded
from .model import row_of

MAX_VERSIONS_SEEN = 100  # newest ones, in search of the one that was live at the time

_sets = RuleSets()


def explanation(caller: Caller, item: Item) -> Document:
    """Each rule that was asked, in order, matched or not and why; with `delegates` what the applications' rules said.

    Things are read as they are now. Raises NotFound for an action that no rules were asked about.
    """
    scan = Recorded("", row_of(item))
    if (limit := scan.row.get("limit")) is not None:
        return {"limit": limit, "rules": [], "says": told_by_limit(limit, scan.row.get("url"))}
    if not scan.asked:
        raise NotFound("No rules were asked about this action")
    return _Scan(caller, scan).explained()


class _Scan:
    """One recorded scan, to be asked again."""

    def __init__(self, caller: Caller, scan: Recorded):
        self._caller, self._row = caller, scan.row
        self._teller = Teller(Reading(caller.tables, scan.sources(), *scan.things), self._load, self._asked)
        self._decider: str | None = scan.row.get("app")
        self._live = live_versions(caller.tables.main.get(keys.LIVE), caller.at)

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
        return self._with_variant({"version": number, "rules": told.rules, "says": says})

    def _explained_by_application(self, app: str) -> Document:
        """Of a scan that its application posted: its rules alone were asked."""
        number = self._row["rules"]
        if not number:
            return {"app": app, "version": 0, "rules": [], "says": "the application had no rules"}
        told = self._told(self._version(keys.APPLICATION_RULES + app, number), self._row.get("rule"))
        says = f"of the application's rules, {told.says()}"
        return self._with_variant({"app": app, "version": number, "rules": told.rules, "says": says})

    def _with_variant(self, told: Document) -> Document:
        """The same, with the variant that the visitor got; the row knows it, for nothing else remembers the visitor."""
        if not (variant := self._row.get("variant")):
            return told
        return {**told, "variant": variant, "says": f"{told['says']}; of its variants the visitor got {variant}"}

    def _told(self, version: Version, decided: int | None) -> Told:
        return self._teller.told(self._load(version), decided, version if version.app else None)

    def _load(self, version: Version | None) -> CompiledRules:
        return _sets.of(self._caller.tables, self._caller.principal.account, version)

    def _asked(self, compiled: CompiledRules, place: int) -> Iterator[Asked]:
        """The applications that the rule asked, up to the one that decided, each with the rules of that time."""
        row = self._row
        asked = {
            version.app: version for each in compiled.delegates[place] for version in versions_of(each, self._live)
        }
        asks_decider = row.get("byRule") == place + 1
        if asks_decider and self._decider not in asked:  # it is gone since
            asked[str(self._decider)] = Version(0, "", str(self._decider), row["project"])
        for app, live in asked.items():
            decides = asks_decider and app == self._decider
            version = self._version_of(live, row["rules"] if decides else None)
            if version is not None:
                yield Asked(version, row["rule"] if decides else None)
            if decides:
                return

    def _version_of(self, live: Version, number: int | None) -> Version | None:
        """An application's version by its number, else the one that was live at the time of the scan."""
        owner = keys.APPLICATION_RULES + live.app
        if number is not None:
            return self._version(owner, number, live)
        page = newest_rows(self._caller.tables.main, Owner(owner, live.project), limit=MAX_VERSIONS_SEEN)
        row = live_row([upgraded(each.item) for each in page.rows], self._row["ts"])
        return None if row is None else Version(row["number"], row["set"], live.app, live.project)

    def _version(self, owner: str, number: int, live: Version | None = None) -> Version:
        item = self._caller.tables.main.get(keys.rules_version(owner, number))
        if item is None:
            raise NotFound(f"Version {number} of the rules is not kept any more")
        app = owner.removeprefix(keys.APPLICATION_RULES) if owner != keys.ACCOUNT_RULES else ""
        return Version(number, upgraded(item)["set"], app, live.project if live else self._row.get("project", ""))
