"""What events are about: their documents, and what filters ask about them. Both are read for only when asked."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from .. import keys
from ..access.birthday import age_at
from ..access.store import ANONYMOUS, USER
from ..actions.model import row_of
from ..catalogue.model import PLACE, THNG
from ..catalogue.places import closest
from ..geohash import Point, metres
from ..ports.table import Item, Tables
from ..redirection.context import Sources, context_of, needs_of, of_document
from ..redirection.facts import Facts
from ..redirection.reading import Reading, Rows
from ..resources import Document, Resources, Stored
from ..shapes import upgraded
from .model import ChangedValue, Trigger
from .payloads import action_created, properties_changed
from .runs import Payload

_CHANGED = ("propertyChangeOld", "propertyChangeNew")


class Subject(Protocol):
    """Everything here raises what reading the store does: Throttled, Unreachable."""

    reading: Reading  # of what redirector rules can ask about, too

    def payload(self) -> Payload:
        """The event's document."""
        ...

    def found(self, group: str, project: str) -> Document | None:
        """What the fields of a group that only reactor filters have are taken from, as one project sees it."""
        ...


class Asked(Mapping[str, Any]):
    """The fields of filters by name, for the functions of one project. Each is worked out once, when asked for."""

    def __init__(self, subject: Subject, project: str, fields: frozenset[str]):
        """`fields` are all that may be asked for: what some of them need read is read together."""
        self._subject, self._project = subject, project
        self._known: dict[str, Any] = {}
        subject.reading.expect(needs_of(fields), ())

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self._known:
            self._known[name] = self._value(name)
        value = self._known[name]
        return default if value is None else value

    def _value(self, name: str) -> Any:
        group, _, rest = name.partition(".")
        if group in _CHANGED:
            return of_document(self._subject.found(group, self._project), f"properties.{rest}")
        if group in ("user", "place"):
            return of_document(self._subject.found(group, self._project), rest)
        return context_of((name,), self._subject.reading.sources(needs_of((name,)))).get(name)

    def __getitem__(self, name: str) -> Any:
        if (value := self.get(name)) is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return (name for name, value in self._known.items() if value is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class ActionCreated:
    """An action. `tables` are its account's."""

    def __init__(self, tables: Tables, action_id: str, item: Item):
        self._tables, self._id, self._item = tables, action_id, item
        self._row = row = row_of(item)
        facts = Facts(
            at=row["ts"],
            agent=row.get("ua") or "",
            languages=row.get("lang") or "",
            referer=row.get("ref") or "",
            query=row.get("q") or "",
            country=row.get("country") or "",
            region=row.get("region") or "",
            city=row.get("city") or "",
            latitude=row.get("lat"),
            longitude=row.get("lon"),
            zone=row.get("zone") or "",
        )
        action: Document = {name: row[name] for name in ("type", "customFields", "tags", "identifiers") if name in row}
        self.reading = Reading(tables, Sources(facts=facts, action=action), row.get("thng"), row.get("product"))
        self._found: dict[tuple[str, str], Document | None] = {}

    def payload(self) -> Payload:
        user = self._row.get("user")
        return action_created(self._id, self._item, _trigger(self._tables, self._row.get("app"), user))

    def found(self, group: str, project: str) -> Document | None:
        """The user who acted; the place that the action names, else the closest one that the project sees."""
        if (group, project) not in self._found:
            match group:
                case "user":
                    document = self._user()
                case "place":
                    document = self._place(project)
                case _:
                    document = None
            self._found[group, project] = document
        return self._found[group, project]

    def _user(self) -> Document | None:
        user = self._row.get("user")
        stored = Resources(self._tables, USER).read_many([user]).get(user) if user else None
        if stored is None:
            return None
        return {**stored.document, "age": age_at(stored.document.get("birthday"), self._row["ts"])}

    def _place(self, project: str) -> Document | None:
        latitude, longitude, named = self._row.get("lat"), self._row.get("lon"), self._row.get("place")
        here = None if latitude is None or longitude is None else Point(latitude, longitude)
        if named and (stored := Resources(self._tables, PLACE).read_many([named]).get(named)) is not None:
            document = {**stored.document, "id": named}
            if here is not None and "latitude" in document:
                document["distance"] = metres(here, Point(document["latitude"], document["longitude"]))
            return document
        return None if here is None else closest(self._tables, here.latitude, here.longitude, project)


class PropertiesChanged:
    """Properties of a thng or a product that got other values. `now` is the row of these; `tables` its account's."""

    def __init__(
        self, tables: Tables, stored: Stored, kind: str, document: Item, now: Item, changes: Sequence[ChangedValue]
    ):
        self._tables, self._stored, self._kind, self._changes = tables, stored, kind, changes
        self._now = upgraded(now)
        thng, product = (stored.id, None) if kind == THNG.name else (None, stored.id)
        rows: Rows = {keys.document(stored.id): document, keys.current(stored.id): now}
        begun = Sources(facts=Facts(at=max(each.at for each in changes)))
        self.reading = Reading(tables, begun, thng, product, rows)

    def payload(self) -> Payload:
        user = self._now["by"] if self._now["actor"] == "user" else None
        trigger = _trigger(self._tables, self._now["app"] or None, user)
        return properties_changed(self._stored, self._kind, self._now, self._changes, trigger)

    def found(self, group: str, _project: str) -> Document | None:
        match group:
            case "propertyChangeOld":
                return {"properties": {each.key: each.old for each in self._changes}}
            case "propertyChangeNew":
                return {"properties": {each.key: each.new for each in self._changes}}
            case _:
                return None


def _trigger(tables: Tables, app: str | None, user: str | None) -> Trigger:
    """A user who is gone counts as one with a name."""
    found = Resources(tables, USER).read_many([user]).get(user) if user else None
    return Trigger(app, user, found is not None and found.document["_status"] == ANONYMOUS)
