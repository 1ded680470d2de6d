"""What happened that reactor functions are told of, out of changes of the feed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .. import keys
from ..actions.model import owner_of
from ..catalogue.model import PRODUCT, THNG
from ..catalogue.properties import LOCATION
from ..ports.table import Change, Item, Key, Tables
from ..resources import Kind, from_item
from ..shapes import upgraded
from ..sight import projects_of
from .chain import Chain
from .model import ChangedValue
from .runs import event_id
from .subjects import ActionCreated, PropertiesChanged, Subject

type Function = Literal["onActionCreated", "onThngPropertiesChanged", "onProductPropertiesChanged"]

ON_ACTION: Function = "onActionCreated"
ON_PROPERTIES: Mapping[str, Function] = {
    THNG.name: "onThngPropertiesChanged",
    PRODUCT.name: "onProductPropertiesChanged",
}
ON_SCHEDULE = "onScheduledEvent"
FILTERED = (ON_ACTION, *ON_PROPERTIES.values())  # functions that a filter can be for
HANDLERS = (*FILTERED, ON_SCHEDULE)  # every script may have each of them
_LOCATION = f"v:{LOCATION}"
_THINGS: Mapping[str, Kind] = {THNG.name: THNG, PRODUCT.name: PRODUCT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. `id` is the same whenever its change is read again."""

    id: str
    account: str
    function: Function
    projects: tuple[str, ...]  # whose functions are told; `all` for every project of the account
    at: int  # milliseconds since the epoch
    cause: str
    chain: Chain  # the runs that led to it
    subject: Subject


def events_of(changes: Sequence[Change], tables: Tables) -> Iterator[tuple[int, Event]]:
    """Each event with the number of its change, in order. `tables` are unscoped.

    Rows of all things whose properties changed are read together. Raises Throttled, Unreachable.
    """
    changed = {number: values for number, change in enumerate(changes) if (values := changed_values(change))}
    documents = _documents(tables, [changes[number].key for number in changed])
    for number, change in enumerate(changes):
        if is_new_action(change):
            yield number, _of_action(change, tables)
        elif number in changed and (item := documents.get(_document_key(change.key))) is not None:
            yield from ((number, event) for event in _of_properties(change, tables, item, changed[number]))


def is_new_action(change: Change) -> bool:
    return change.old is None and change.new is not None and change.new.get("k") == "action"


def changed_values(change: Change) -> tuple[ChangedValue, ...]:
    """The properties that one change gave another value; not those that a thing began with, nor its location."""
    if change.new is None or change.new.get("k") != "now" or (change.old is None and change.new.get("begun")):
        return ()
    old, new = change.old or {}, change.new
    found = []
    for name, text in new.items():
        if name.startswith("v:") and name != _LOCATION and text != old.get(name):  # most have the very same text
            before, after = json.loads(str(old[name])) if name in old else None, json.loads(str(text))
            if name not in old or not _same(before, after):
                found.append(ChangedValue(name[2:], before, after, int(new[f"t:{name[2:]}"])))
    return tuple(found)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are one in JSON, where true is not 1."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _of_action(change: Change, tables: Tables) -> Event:
    assert change.new is not None
    account, action_id = owner_of(change.key)
    subject = ActionCreated(tables.of(account), action_id, change.new)
    row = upgraded(change.new)
    return Event(
        id=event_id(account, action_id),
        account=account,
        function=ON_ACTION,
        projects=tuple(row.get("projects", ())),
        at=row["made"] if "made" in row else row["ts"],
        cause=row.get("cause", ""),
        chain=tuple(row.get("chain", ())),
        subject=subject,
    )


def _of_properties(change: Change, tables: Tables, item: Item, changes: Sequence[ChangedValue]) -> Iterator[Event]:
    """One event, of a thng or a product."""
    assert change.new is not None
    account, resource_id = _owner(change.key)
    if (kind := _THINGS.get(str(item["k"]))) is None:
        return
    stored = from_item(kind, resource_id, item)
    assert stored is not None
    row = upgraded(change.new)
    yield Event(
        id=event_id(account, resource_id, change.sequence),
        account=account,
        function=ON_PROPERTIES[kind.name],
        projects=projects_of(stored.document),
        at=change.at,
        cause=row["cause"],
        chain=tuple(row["chain"]),
        subject=PropertiesChanged(tables.of(account), stored, kind.name, item, change.new, changes),
    )


def _documents(tables: Tables, changed: Sequence[Key]) -> dict[Key, Item]:
    """The documents beside rows of values, by physical key."""
    wanted = list(dict.fromkeys(_document_key(key) for key in changed))
    return tables.main.get_many(wanted, consistent=True) if wanted else {}


def _document_key(now: Key) -> Key:
    account, resource_id = _owner(now)
    return keys.owned(account, keys.document(resource_id))


def _owner(now: Key) -> tuple[str, str]:
    """The account and the id in the physical key of a row of values, `<account>#t#<id>`."""
    account, _, resource_id = now.pk.split("#", 2)
    return account, resource_id
