"""Where the value of a field came from, in words."""

from collections.abc import Callable, Mapping
from typing import Any

from ..redirection.context import Sources, zone_name
from ..rules.template import Hole, Template, fill

_OF_THE_SCAN = {
    "country": "the scan's country",
    "language": "the scan's Accept-Language",
    "location.lat": "the scan's position",
    "location.lon": "the scan's position",
    "timezone": "the scan's time zone",
    "device": "the scan's user agent",
    "os": "the scan's user agent",
    "browser": "the scan's user agent",
}
_OF_TIME = ("time", "timeOfDay", "dayOfWeek", "dayOfMonth", "month", "year")
_CONSTANT = "constants."
_BEFORE = "https://x/"
_NO_SUCH = {
    "place": "no place is near, or the scan has no position",
    "project": "the account's own rules have no project",
    "application": "the account's own rules have no application",
    "room": "the thng is no room",
    "user": "nobody is logged in",
}


def filled(
    template: Template,
    context: Mapping[str, Any],
    constants: Mapping[str, str],
    source_of: Callable[[str, Any], str],
) -> list[Any]:
    """Each field of a template once: its value, the text that stands for it in the URL, where it came from."""
    told = []
    for hole in dict.fromkeys(piece for piece in template.pieces if isinstance(piece, Hole)):
        if hole.field.startswith(_CONSTANT):
            value: Any = constants.get(hole.field.removeprefix(_CONSTANT))
            source = "the rule's constants"
        else:
            value = context.get(hole.field)
            source = source_of(hole.field, value)
        url = fill(Template((_BEFORE, hole)), context, constants) or ""
        told.append({"field": hole.field, "value": value, "text": url.removeprefix(_BEFORE), "source": source})
    return told


def of_redirection(_name: str, value: Any) -> str:
    """Of a field of a default URL."""
    return _absent("the redirection", value)


def origin(name: str, value: Any, *, sources: Sources) -> str:
    """Of a field of the context. An absent one says what it is that has none."""
    group = name.partition(".")[0]
    if name in _OF_TIME:
        return "the time of the scan" if name == "time" else f"the time of the scan in {zone_name(sources.facts.zone)}"
    if name in _OF_THE_SCAN:
        return _absent(_OF_THE_SCAN[name], value)
    if group == "query":
        return _absent("the query string of the short URL", value)
    if group == "action":
        return _absent("the action", value)
    document = getattr(sources, group, None)
    if document is None:
        return _NO_SUCH.get(group, f"there is no {group}")
    title = f"the closest place {document['id']}" if group == "place" else f"the {group} {document.get('id', '')}"
    return _absent(title, value)


def _absent(title: str, value: Any) -> str:
    return title if value is not None else f"{title}, which does not say"
