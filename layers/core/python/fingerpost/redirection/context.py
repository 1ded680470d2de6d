"""The redirection context: the value of each field that rules and templates name. On the scan path.

The context is a plain dictionary of the fields asked for, no more: a field that is absent is not in it.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any

from ..frozen import Frozen
from .devices import device_of
from .facts import Facts, parameters

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FAMILIES = ("customFields", "identifiers", "properties")
type Document = Mapping[str, Any]
type Context = dict[str, Any]
NOTHING: Document = {}


class Sources(Frozen, kw_only=True):
    """Where values come from. A resource is a document with its `id`, and `properties` when they were read.

    `project` and `application` are those of the application whose rules are asked; the account's own rules have none.
    `place` is the one closest to the scan, with its `distance` in metres. `room` is what the thng is
    besides, its fields as rooms/standing.py has them. There are no users yet, so `user` is empty.
    """

    facts: Facts
    action: Document = NOTHING
    thng: Document | None = None
    product: Document | None = None
    project: Document | None = None
    application: Document | None = None
    place: Document | None = None
    room: Document | None = None
    user: Document | None = None


# What has to be read for a set of fields: a sum of these. They are kept in live rows, so none changes its meaning.
THNG, PRODUCT, THNG_PROPERTIES, PRODUCT_PROPERTIES, PROJECT, APPLICATION, PLACE, ROOM = (1 << bit for bit in range(8))
THINGS = THNG | PRODUCT | THNG_PROPERTIES | PRODUCT_PROPERTIES

type Needs = int

_NEEDED_BY: dict[str, Needs] = {
    "thng": THNG,
    "product": PRODUCT,
    "project": PROJECT,
    "application": APPLICATION,
    "place": PLACE,
    "room": ROOM,
}


def needs_of(fields: Iterable[str]) -> Needs:
    """What `fields` make necessary to read."""
    needs = 0
    for name in fields:
        group, _, rest = name.partition(".")
        needs |= _NEEDED_BY.get(group, 0)
        if rest.startswith("properties."):
            needs |= THNG_PROPERTIES if group == "thng" else PRODUCT_PROPERTIES if group == "product" else 0
    return needs


def context_of(fields: Iterable[str], sources: Sources) -> Context:
    """The values of `fields`; what has no value is left out."""
    values: Context = {}
    moment: Moment | None = None
    for name in fields:
        group, _, rest = name.partition(".")
        value: Any
        match group:
            case "country" | "language" | "location" | "time" | "timezone" | "device" | "os" | "browser" | "query":
                value = of_facts(sources.facts, name)
            case "timeOfDay" | "dayOfWeek" | "dayOfMonth" | "month" | "year":
                moment = moment or Moment(sources.facts.at, sources.facts.zone)
                value = moment.field(group)
            case "thng" | "product" | "action" | "project" | "application" | "place" | "room" | "user":
                value = of_document(getattr(sources, group), rest)
            case _:
                value = None
        if value is not None:
            values[name] = value
    return values


_OF_FACTS: Mapping[str, Callable[[Facts], Any]] = {
    "country": lambda facts: facts.country or None,
    "language": lambda facts: facts.language.partition("-")[0].lower() or None,
    "location.lat": lambda facts: facts.latitude,
    "location.lon": lambda facts: facts.longitude,
    "time": lambda facts: facts.at,
    "timezone": lambda facts: zone_name(facts.zone),
    "device": lambda facts: device_of(facts.agent).device or None,
    "os": lambda facts: device_of(facts.agent).os or None,
    "browser": lambda facts: device_of(facts.agent).browser or None,
}


def of_facts(facts: Facts, name: str) -> Any:
    """A field that the request itself tells. Its query string is taken apart when a parameter is asked for."""
    told = _OF_FACTS.get(name)
    return parameters(facts.query).get(name.removeprefix("query.")) if told is None else told(facts)


def of_document(document: Document | None, path: str) -> Any:
    """A field of a document. After customFields, identifiers, properties all the rest is one key, else a path."""
    if document is None:
        return None
    group, _, key = path.partition(".")
    if not key or group not in FAMILIES:
        return document.get(path)
    family = document.get(group)
    if not isinstance(family, Mapping):
        return None
    if key in family or "." not in key:
        return family.get(key)
    value: Any = family
    for step in key.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value


class Moment:
    """A time in its zone; in UTC where it would be of the year 10000 there."""

    def __init__(self, at: int, zone_text: str):
        try:
            self._local = datetime.fromtimestamp(at / 1000, zone(zone_text))
        except OverflowError:
            self._local = datetime.fromtimestamp(at / 1000, UTC)

    def field(self, name: str) -> int | str:
        """`timeOfDay` in milliseconds since midnight, `dayOfWeek` as mon to sun, the others as numbers."""
        local = self._local
        match name:
            case "timeOfDay":
                return ((local.hour * 60 + local.minute) * 60 + local.second) * 1000 + local.microsecond // 1000
            case "dayOfWeek":
                return DAYS[local.weekday()]
            case "dayOfMonth":
                return local.day
            case "month":
                return local.month
            case _:
                return local.year


@lru_cache(maxsize=1024)
def _zone(name: str) -> tzinfo | None:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - 8 ms that a scan without local time should not cost

    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, a folder, or no name of a zone at all
        return None


def zone(name: str) -> tzinfo:
    """A time zone by its IANA name; UTC for one that is unknown."""
    return (_zone(name) if name else None) or UTC


def zone_name(name: str) -> str:
    return name if name and _zone(name) is not None else "UTC"
