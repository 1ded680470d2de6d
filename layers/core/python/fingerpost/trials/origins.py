"""Where the value of a field came from, in words."""

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
_NO_SUCH = {
    "place": "no place is near, or the scan has no position",
    "project": "the account's own rules have no project",
    "application": "the account's own rules have no application",
    "user": "nobody is logged in",
}


def filled(template: Template, context: dict[str, Any], constants: dict[str, Any], sources: Sources) -> list[Any]:
    """Each field of a template once: its value, the text that stands in the URL, where it came from."""
    told = []
    for hole in dict.fromkeys(piece for piece in template.pieces if isinstance(piece, Hole)):
        if hole.field.startswith(_CONSTANT):
            name = hole.field.removeprefix(_CONSTANT)
            value, source = constants.get(name), "the rule's constants"
        else:
            name, value = hole.field, context.get(hole.field)
            source = origin(name, value, sources)
        text = fill(Template(("", hole)), context, constants)
        told.append({"field": name, "value": value, "text": text, "source": source})
    return told


def origin(name: str, value: Any, sources: Sources) -> str:
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
