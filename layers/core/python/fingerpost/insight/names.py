"""What rules were called in the versions that decided, for statistics that know them by number."""

from .. import keys
from ..caller import Caller
from ..redirection.rulesets import read_chunks, unpacked
from ..shapes import upgraded

MAX_VERSIONS = 20  # that one answer reads; rules of further ones go without their names


class RuleNames:
    """The names of an account's rules and of its applications', read when they are asked for."""

    def __init__(self, caller: Caller):
        self._main = caller.tables.main
        self._known: dict[tuple[str, int], list[str]] = {}

    def of(self, application: str | None, version: int, number: int) -> str:
        """The name of a rule (counted from 1); empty when it has none, or its version is not read."""
        owner = keys.APPLICATION_RULES + application if application else keys.ACCOUNT_RULES
        names = self._known.get((owner, version))
        if names is None:
            if len(self._known) >= MAX_VERSIONS:
                return ""
            names = self._known[owner, version] = self._names(owner, version)
        return names[number - 1] if 0 < number <= len(names) else ""

    def _names(self, owner: str, version: int) -> list[str]:
        row = self._main.get(keys.rules_version(owner, version))
        if row is None:
            return []
        rules, _ = unpacked(read_chunks(self._main, upgraded(row)["set"]))
        return [rule.get("name") or "" for rule in rules]
