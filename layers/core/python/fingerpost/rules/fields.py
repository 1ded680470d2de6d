"""Which fields each door of the rule language knows, and their types. Standard library only.

A door is a place where expressions are written: redirector rules, reactor filters, the list of one resource.
A field whose name ends in `.*` stands for a family: `thng.customFields.*` is every custom field of the thng, and
whatever follows the family's dot is one key.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from ..ports.runner import LEVELS
from ..redirection.devices import BROWSERS, DEVICES, SYSTEMS
from ..rooms.standing import STATUSES

type FieldType = Literal[
    "text",
    "number",
    "integer",
    "time",  # milliseconds since the epoch
    "timeOfDay",  # milliseconds since local midnight
    "dayOfWeek",  # mon to sun
    "country",  # ISO 3166-1 alpha-2, upper case
    "language",  # primary subtag, lower case
    "choice",  # one of the field's `choices`, lower case
    "tags",  # array of text
    "open",  # goes by the type of the stored value
]

_MAX_SUGGESTED_LENGTH = 100  # difflib is quadratic; nobody mistypes a longer name


@dataclass(frozen=True, slots=True)
class Field:
    """`low` and `high` bound what `=` may ask for; None is no bound. `choices` are all that a choice can be, which
    have an order, the least first, when they are `ranked`.
    """

    name: str
    type: FieldType
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    ranked: bool = False

    @property
    def is_family(self) -> bool:
        return self.name.endswith(".*")


@dataclass(frozen=True, slots=True)
class Door:
    """`allows_like` is whether `~` and `!~` may be used. `title` stands in messages: "redirector rules"."""

    name: str
    title: str
    fields: Mapping[str, Field]
    allows_like: bool = True


def field_of(door: Door, name: str) -> Field | None:
    """The field that `name` names at this door, or the family it belongs to; None when it knows neither."""
    known = door.fields.get(name)
    if known is not None:
        return known
    dot = name.find(".")
    while 0 <= dot < len(name) - 1:
        family = door.fields.get(name[: dot + 1] + "*")
        if family is not None:
            return family
        dot = name.find(".", dot + 1)
    return None


def suggestion(door: Door, name: str) -> str | None:
    """The known name nearest to one that is not, with the key of a family kept; None when nothing is near."""
    if len(name) > _MAX_SUGGESTED_LENGTH:
        return None
    from difflib import get_close_matches  # noqa: PLC0415  2 ms that only a mistake should cost

    segments = name.split(".")
    candidates: list[str] = []
    for known in door.fields:
        if known.endswith(".*"):
            depth = known.count(".")
            key = ".".join(segments[depth:])
            candidates.append(known[:-1] + key if key else known)
        else:
            candidates.append(known)
    return next(iter(get_close_matches(name, candidates)), None)


def _table(*groups: Iterable[Field]) -> Mapping[str, Field]:
    return MappingProxyType({field.name: field for group in groups for field in group})


def _group(prefix: str, **types: FieldType) -> list[Field]:
    """Fields of one group; the keyword `customFields` with type `open` is the family `customFields.*`."""
    return [Field(f"{prefix}{name}{'.*' if type_ == 'open' else ''}", type_) for name, type_ in types.items()]


def _resource(prefix: str) -> list[Field]:
    return _group(
        prefix,
        id="text",
        name="text",
        description="text",
        identifiers="open",
        customFields="open",
        properties="open",
        tags="tags",
    )


def _booking(prefix: str, more: str) -> list[Field]:
    times = _group(prefix, id="text", start="time", end="time", minutes="integer")
    return [*times, Field(prefix + more, "integer"), Field(f"{prefix}awaitsCheckIn", "open")]


_ROOM = [
    *_group("room.", id="text", name="text", description="text", slug="text", email="text", type="text"),
    *_group("room.", number="text", structure="text", timezone="text", capacity="integer"),
    Field("room.status", "choice", choices=STATUSES),
    Field("room.freeMinutes", "integer"),
    *(Field(f"room.{name}", "open") for name in ("active", "approval")),
    *_group("room.", equipment="open", customEquipment="open"),
    *_booking("room.currentBooking.", "minutesLeft"),
    *_booking("room.nextBooking.", "inMinutes"),
]

_EVENT = [
    *_resource("thng."),
    *_resource("product."),
    *_group("user.", gender="text", age="integer", locale="text", customFields="open"),
    Field("time", "time"),
    Field("timeOfDay", "timeOfDay"),
    Field("dayOfWeek", "dayOfWeek"),
    Field("dayOfMonth", "integer", 1, 31),
    Field("month", "integer", 1, 12),
    Field("year", "integer"),
    Field("timezone", "text"),
    *_group("action.", type="text", customFields="open"),
    Field("location.lat", "number", -90, 90),
    Field("location.lon", "number", -180, 180),
    Field("country", "country"),
    *_group("place.", id="text", tags="tags", customFields="open", distance="number"),
    *_ROOM,
    *_group("", constants="open", query="open"),
    Field("language", "language"),
    Field("device", "choice", choices=DEVICES),
    Field("os", "choice", choices=SYSTEMS),
    Field("browser", "choice", choices=BROWSERS),
]

REDIRECTOR = Door(
    "redirector",
    "redirector rules",
    _table(
        _EVENT,
        _group(
            "project.", id="text", name="text", description="text", customFields="open", identifiers="open", tags="tags"
        ),
        _group("application.", id="text", name="text", description="text", customFields="open", tags="tags"),
    ),
    allows_like=False,
)

REACTOR = Door(
    "reactor",
    "reactor filters",
    _table(_EVENT, _group("", propertyChangeOld="open", propertyChangeNew="open")),
)


def _list(resource: str, title: str, *fields: Field, **types: FieldType) -> Door:
    return Door(resource, title, _table(_group("", **types), fields))


# Source: the platform's filterable fields, wire facts section 5.
LISTS: Mapping[str, Door] = MappingProxyType(
    {
        door.name: door
        for door in (
            _list(
                "thng",
                "lists of thngs",
                name="text",
                tags="tags",
                identifiers="open",
                product="text",
                collections="tags",
                createdAt="time",
            ),
            _list("product", "lists of products", name="text", tags="tags", identifiers="open"),
            _list(
                "collection", "lists of collections", name="text", tags="tags", identifiers="open", collections="tags"
            ),
            _list("place", "lists of places", name="text", tags="tags", identifiers="open"),
            _list("project", "lists of projects", name="text", tags="tags", identifiers="open"),
            _list("application", "lists of applications", name="text", project="text"),
            _list("role", "lists of roles", name="text", type="text"),
            _list("user", "lists of users", email="text", firstName="text", lastName="text"),
            _list(
                "action",
                "lists of actions",
                Field("context.city", "text"),
                Field("context.countryCode", "country"),
                type="text",
                thng="text",
                product="text",
                collection="text",
                user="text",
                tags="tags",
                identifiers="open",
                timestamp="time",
            ),
            _list("actionType", "lists of action types", name="text"),
            _list(
                "batch",
                "lists of batches",
                name="text",
                tags="tags",
                identifiers="open",
                products="tags",
                createdAt="time",
            ),
            _list("file", "lists of files", name="text", tags="tags"),
            _list("property", "histories of properties", timestamp="time"),
            _list("location", "histories of locations", timestamp="time"),
            _list("task", "lists of tasks", batch="text", status="text", type="text"),
            _list(
                "reactorLog",
                "reactor logs",
                Field("logLevel", "choice", choices=LEVELS, ranked=True),
                app="text",
                timestamp="time",
            ),
            _list(
                "room",
                "lists of rooms",
                name="text",
                slug="text",
                email="text",
                structure="text",
                type="text",
                capacity="number",
                createdAt="time",
            ),
            _list("structure", "lists of structures", name="text", level="text", parent="text"),
            _list("equipment", "lists of equipment", name="text"),
            _list("person", "lists of people", name="text", email="text", username="text"),
            _list("roomDevice", "lists of devices", room="text"),
            _list("hub", "lists of hubs", name="text", room="text"),
            _list("account", "lists of accounts", name="text"),
            _list("scan", "identifications", method="text", type="text", value="text", score="number"),
        )
    }
)

DOORS: Mapping[str, Door] = MappingProxyType({door.name: door for door in (REDIRECTOR, REACTOR, *LISTS.values())})
