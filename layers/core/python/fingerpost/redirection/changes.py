"""Two lists of rules, and in words what became of the one in the other. Pure; standard library only.

Each change is told by predicates, values, constants and addresses. What is the same rule: pairing.py.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..clock import moment_text
from ..rules.differences import WRITTEN_DIFFERENTLY, differences
from ..rules.nodes import NEVER, Node, from_json
from .pairing import moved_rules, paired_rules
from .rulesets import StoredRule

type Kind = Literal["added", "removed", "changed", "moved"]

MAX_CHANGES = 1_000  # of one diff
MAX_WORDS = 4_000  # characters of one change
MAX_VALUE = 400  # characters of one URL, constant or match


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of one rule. Numbers count from 1; one that is added was nowhere, one that is removed is nowhere."""

    kind: Kind
    rule: int | None
    was: int | None
    name: str | None
    says: str

    def document(self) -> dict[str, Any]:
        return {"kind": self.kind, "rule": self.rule, "was": self.was, "name": self.name, "says": self.says}


def changes(before: Sequence[StoredRule], after: Sequence[StoredRule]) -> list[Change]:
    """Every rule that was added, removed, changed or moved, in the order of the rules; none when both are the same."""
    pairs = paired_rules([rule["sent"] for rule in before], [rule["sent"] for rule in after])
    moved = moved_rules(pairs)
    paired = dict(pairs)  # place after -> place before
    gone = sorted(set(range(len(before))) - set(paired.values()))
    found = [(place, 0, _removed(before[place], place)) for place in gone]
    for place, rule in enumerate(after):
        if place not in paired:
            found.append((place, 1, _added(rule, place)))
        elif (change := _changed(before[paired[place]], rule, paired[place], place, place in moved)) is not None:
            found.append((place, 1, change))
    return [change for _, _, change in sorted(found, key=lambda each: each[:2])]


def summary(found: Sequence[Change]) -> str:
    """How many of each kind: "1 rule added, 2 changed"."""
    counts = Counter(change.kind for change in found)
    words = [f"{counts[kind]} {kind}" for kind in ("added", "removed", "changed", "moved") if counts[kind]]
    if not words:
        return "nothing differs"
    first, _, rest = words[0].partition(" ")
    return ", ".join([f"{first} rule{'' if first == '1' else 's'} {rest}", *words[1:]])


def _added(rule: StoredRule, place: int) -> Change:
    says = f"{_title(rule, place)} added: {_whole(rule)}"
    return Change(kind="added", rule=place + 1, was=None, name=_name(rule), says=says[:MAX_WORDS])


def _removed(rule: StoredRule, place: int) -> Change:
    says = f"{_title(rule, place)} removed: {_whole(rule)}"
    return Change(kind="removed", rule=None, was=place + 1, name=_name(rule), says=says[:MAX_WORDS])


def _changed(before: StoredRule, after: StoredRule, was: int, place: int, moved: bool) -> Change | None:
    words = [] if _same(before["sent"], after["sent"]) else list(_words(before, after))
    if not words and not moved:
        return None
    kind: Kind = "changed" if words else "moved"
    if moved:
        words.insert(0, f"moved from {was + 1} to {place + 1}" if was != place else "moved past its neighbours")
    says = f"{_title(after, place)}: {'; '.join(words)}"
    return Change(kind=kind, rule=place + 1, was=was + 1, name=_name(after), says=says[:MAX_WORDS])


def _same(one: Any, other: Any) -> bool:
    """As documents: told apart where Python's `==` would not, as 1 and true are; the order of keys means nothing."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _words(before: StoredRule, after: StoredRule) -> Iterator[str]:
    was, now = before["sent"], after["sent"]
    if not isinstance(was, dict) or not isinstance(now, dict):
        yield f"is {_short(now)} instead of {_short(was)}"
        return
    for key in dict.fromkeys(["name", "match", "redirectUrl", "constants", "delegates", *was, *now]):
        if _same_entry(key, was, now):
            continue
        match key:
            case "name" | "redirectUrl" | "constants" | "delegates" | "variants" if not was.get(key) and not now.get(
                key
            ):
                yield f"{key} is empty in another way"
            case "match":
                yield from _match_words(before, after)
            case "redirectUrl":
                yield _url_words(was.get(key), now.get(key))
            case "name":
                yield _name_words(was.get(key), now.get(key))
            case "delegates":
                yield from _delegate_words(was.get(key), now.get(key))
            case "constants":
                yield from _entries("constant", was.get(key), now.get(key))
            case "variants":
                yield from _entries("variant", _by_name(was.get(key)), _by_name(now.get(key)))
            case "variantsUntil":
                yield _end_words(was.get(key), now.get(key))
            case _:
                yield _value_words(key, was, now)


def _name_words(was: Any, now: Any) -> str:
    if was and now:
        return f"was named {_short(was)}"
    return "has a name now" if now else f"has no name any more, was named {_short(was)}"


def _match_words(before: StoredRule, after: StoredRule) -> Iterator[str]:
    was, now = before["sent"].get("match"), after["sent"].get("match")
    nodes, other_nodes = _node(before), _node(after)
    if nodes is NEVER or other_nodes is NEVER:  # a mistake or an unknown field: the text is all there is
        yield f"asks {_short(now)} instead of {_short(was)}" if was and now else _one_sided(was, now)
        return
    yield from differences(nodes, other_nodes) or [WRITTEN_DIFFERENTLY]


def _one_sided(was: Any, now: Any) -> str:
    return f"now asks {_short(now)}" if now else f"no longer asks {_short(was)}"


def _node(rule: StoredRule) -> Node | None:
    """The compiled match; None for a rule that always matches, NEVER for one whose match has no tree."""
    match = rule["sent"].get("match")
    if match is None or (isinstance(match, str) and not match.strip()):
        return None
    node = from_json(rule["nodes"]) if "nodes" in rule else NEVER
    return NEVER if node == NEVER else node


def _url_words(was: Any, now: Any) -> str:
    if not now:
        return f"leads nowhere itself (led to {_short(was)})"
    return f"leads to {_short(now)} instead of {_short(was)}" if was else f"leads to {_short(now)}"


def _delegate_words(was: Any, now: Any) -> Iterator[str]:
    before, after = (side if isinstance(side, list) else [] for side in (was, now))
    added = [each for each in after if each not in before]
    removed = [each for each in before if each not in after]
    for each in added:
        yield f"asks {_delegate(each)} too"
    for each in removed:
        yield f"no longer asks {_delegate(each)}"
    if not added and not removed:
        yield "asks the same applications in another way"


def _delegate(delegate: Any) -> str:
    if not isinstance(delegate, dict):
        return _short(delegate)
    app, project = delegate.get("app"), delegate.get("project")
    words = [f"the application {app}"] if app else ["every application"] if project else ["nobody"]
    return " of ".join([*words, *([f"the project {project}"] if project else [])])[:MAX_VALUE]


def _end_words(was: Any, now: Any) -> str:
    """Of the end of a split test, in milliseconds since the epoch."""
    one, other = (moment_text(each) if type(each) is int and 0 <= each < 10**14 else each for each in (was, now))
    if now is None:
        return f"its variants have no end any more, was {_short(one)}"
    return f"its variants end on {_short(other)}" + (f" instead of {_short(one)}" if was is not None else "")


def _by_name(entries: Any) -> Any:
    """A list of named objects as one object; as it is when it is no such list."""
    if isinstance(entries, list) and all(
        isinstance(each, dict) and isinstance(each.get("name"), str) for each in entries
    ):
        named = {each["name"]: {name: value for name, value in each.items() if name != "name"} for each in entries}
        return named if len(named) == len(entries) else entries
    return entries


def _entries(what: str, was: Any, now: Any) -> Iterator[str]:
    """Of objects with named entries."""
    if not all(side is None or isinstance(side, dict) for side in (was, now)):
        yield f"{what}s {_short(now)} instead of {_short(was)}"
        return
    before, after = was or {}, now or {}
    changed = [name for name in dict.fromkeys([*before, *after]) if not _same_entry(name, before, after)]
    for name in changed:
        one, other, title = before.get(name), after.get(name), f"{what} {name[:60]}"
        if name not in before:
            yield f"{title} added: {_short(other)}"
        elif name not in after:
            yield f"{title} removed"
        elif isinstance(one, dict) and isinstance(other, dict):
            keys = [key for key in dict.fromkeys([*one, *other]) if not _same_entry(key, one, other)]
            yield from (f"{title}: {_value_words(key, one, other)}" for key in keys)
        else:
            yield f"{title}: {_short(other)} instead of {_short(one)}"
    if not changed:
        yield f"{what}s in another order"


def _same_entry(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return (name in before) == (name in after) and _same(before.get(name), after.get(name))


def _value_words(key: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    name = key[:60]
    if key not in now:
        return f"{name} removed"
    return f"{name} {_short(now[key])} instead of {_short(was[key])}" if key in was else f"{name} {_short(now[key])}"


def _whole(rule: StoredRule) -> str:
    sent = rule["sent"]
    if not isinstance(sent, dict):
        return _short(sent)
    match, url = sent.get("match"), sent.get("redirectUrl")
    words = [f"asks {_short(match)}" if match else "always matches"]
    delegates = sent.get("delegates")
    words += [f"asks {_delegate(each)}" for each in (delegates if isinstance(delegates, list) else ())]
    return ", ".join([*words, f"leads to {_short(url)}"] if url else words)


def _title(rule: StoredRule, place: int) -> str:
    name = _name(rule)
    return f"rule {place + 1} *{name}*" if name else f"rule {place + 1}"


def _name(rule: StoredRule) -> str | None:
    sent = rule["sent"]
    name = sent.get("name") if isinstance(sent, dict) else None
    return name if isinstance(name, str) and name else None


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE else text[:MAX_VALUE] + "…"
