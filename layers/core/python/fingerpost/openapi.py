"""The description of the API, from the routes that the functions register. Source: OpenAPI 3.1.

Written by `make openapi` into openapi.json beside this file, which `GET /openapi.json` serves and a test holds to the
code. Documents are described by the types that routes name; `PARAMETERS` are the query parameters, each once, and
`IN_PATHS` those of addresses.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from .contract import UNSAID
from .edge import Edge, Route
from .rooms.hub.parameters import SHOWN_IN_QUERY

FILE = Path(__file__).with_name("openapi.json")
VERSION = "0.1.0"  # of the API; a test holds it to the package's
REFERENCE = "#/components/schemas/{model}"

_TEXT = {"type": "string"}
_REFERENCE = {**_TEXT, "pattern": "^(live|[1-9][0-9]{0,8}|draft:.+)$"}
_VERSION = {**_TEXT, "pattern": "^(live|[1-9][0-9]{0,8})$"}
_FLAG = {"type": "boolean", "default": False}


def _listed(low: int, high: int, default: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": low, "maximum": high, "default": default}


PARAMETERS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "filter": ("An expression of the filter language, such as `tags=red&name=Lamp*`.", _TEXT),
    "perPage": ("How many a page holds.", _listed(1, 100, 30)),
    "sortOrder": ("By creation.", {"type": "string", "enum": ["ASCENDING", "DESCENDING"], "default": "DESCENDING"}),
    "nextPageToken": ("Where a page begins; the `Link` header of the page before has it.", _TEXT),
    "ids": ("At most 100 ids, joined with commas: these documents, in this order.", _TEXT),
    "project": ("A project's id: the list is narrowed to it, what is created is put into it.", _TEXT),
    "withScopes": ("Whether documents show their `scopes`.", _FLAG),
    "context": ("Whether actions show the context they came about in.", _FLAG),
    "explain": ("Whether the answer says why a scan went where it went.", _FLAG),
    "anonymous": ("Whether the user has no name, and needs no activation.", _FLAG),
    "strict": ("Whether fields that nobody knows are refused instead of warned of.", _FLAG),
    "from:rules": ("Rules: `live` (also when left out), the number of a version, or `draft:` and a name.", _REFERENCE),
    "to:rules": ("Rules, as `from` has them.", _REFERENCE),
    "from:versions": ("A version: `live` (also when left out) or its number.", _VERSION),
    "to:versions": ("A version, as `from` has it.", _VERSION),
    "evrythngId": ("The thng, product, collection or place whose redirections are meant.", _TEXT),
    "shortDomain": ("One of the account's short domains; the one that is asked when left out.", _TEXT),
    "tz": ("A time zone by its name in the tz database, such as `Europe/Zurich`.", _TEXT),
    "w": ("Pixels wide.", _listed(1, 800, 95)),
    "h": ("Pixels high.", _listed(1, 800, 95)),
    "lat": ("Degrees north.", {"type": "number", "minimum": -90, "maximum": 90}),
    "lon": ("Degrees east.", {"type": "number", "minimum": -180, "maximum": 180}),
    "from": ("The first moment: milliseconds since the epoch, or a day of UTC such as 2026-11-01.", _TEXT),
    "to": ("The last moment, or a day of UTC, which is included.", _TEXT),
    "what": ("What kind of thing was changed, such as `rules` or `link`.", _TEXT),
    "verb": ("What was done, such as `publish` or `delete`.", _TEXT),
    "resource": ("What was changed: an id, or a link as domain and short ID.", _TEXT),
    "by": (
        "Of statistics: `day`, `hour`, `country`, `city`, `device`, `os`, `browser`, `rule`, `variant` or "
        "`redirection`, several joined with commas. Of the audit log: the id of who did it.",
        _TEXT,
    ),
    "before": ("A day of UTC such as 2026-11-01: what is older is meant.", {**_TEXT, "format": "date"}),
    "format": ("Without it the Accept header decides.", {"type": "string", "enum": ["csv", "json"]}),
    "status": ("Bookings in one of these states, joined with commas; those that count when left out.", _TEXT),
    "recurrenceId": ("Of a series the occurrence that began then by its rule: milliseconds since the epoch.", _TEXT),
    "cancelBookings": ("Cancel what runs in the room and what is ahead; otherwise such a room stays.", _FLAG),
    "from:bookings": ("The first moment, as bookings have theirs.", _TEXT),
    "to:bookings": ("The moment that is not included any more.", _TEXT),
    "from:roomvox": ("The first moment: ISO 8601, or a day; by the room's clocks where no offset is said.", _TEXT),
    "to:roomvox": ("The moment that is not included any more; 365 days after the first at most.", _TEXT),
    "from:days": ("The first day, such as 2026-11-01.", {**_TEXT, "format": "date"}),
    "to:days": ("The last day, which is included.", {**_TEXT, "format": "date"}),
    "date": ("A day of the room's clocks; today when left out.", {**_TEXT, "format": "date"}),
    "status:roomvox": (
        "Bookings of one status only.",
        {**_TEXT, "enum": ["accepted", "pending", "declined", "cancelled"]},
    ),
    "recurrenceId:roomvox": ("Of a series the occurrence that began then by its rule: ISO 8601.", _TEXT),
    "room:roomvox": ("One room, by its slug.", _TEXT),
    "active": ("Whether rooms can be booked at present.", {"type": "boolean"}),
    "type": ("Rooms of one type.", _TEXT),
    "mode": ("Of a table that is sent as text/csv: what is done.", {**_TEXT, "enum": ["create", "update"]}),
    "capacity_min": ("How many seats a room has at least.", {"type": "integer", "minimum": 0}),
    "limit:roomvox": ("How many a page holds.", _listed(0, 5_000, 5_000)),
    "limit": ("How many a page holds.", {"type": "integer", "minimum": 1, "maximum": 1_000, "default": 1_000}),
    "offset": ("How many come before the page.", {"type": "integer", "minimum": 0, "default": 0}),
    "start": ("The first moment, or day: ISO 8601. Today when left out.", _TEXT),
    "end": ("The last moment, or day: ISO 8601. Seven days after the start when left out.", _TEXT),
    "timezone": ("The zone of times without an offset, such as `Europe/Dublin`; a room's own when left out.", _TEXT),
    "said": ("What was done a moment ago, for the page to confirm.", _TEXT),
    "maxDist": ("Kilometres.", {"type": "number", "exclusiveMinimum": 0}),
    **SHOWN_IN_QUERY,
}
REQUIRED = ("to:rules", "to:versions", "before")
IN_PATHS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "shortId": (
        "What follows the short domain in a short URL.",
        {**_TEXT, "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"},
    ),
    "type": ("An action type by its name; `all` of every type.", _TEXT),
    "key": ("A property's key, in any case.", {**_TEXT, "minLength": 1, "maxLength": 128}),
    "bookingId": (
        "The id of a booking; of an occurrence of a series with when it begins.",
        {**_TEXT, "pattern": "^[A-Za-z0-9]{24}(_[0-9TZ]+)?$"},
    ),
    "slug": ("A room by its slug, or by any other name that it has for a room API.", _TEXT),
    "uid": ("A booking's UID, which is that of iCalendar; of a series, that of the whole.", _TEXT),
    "permissionName": ("A permission of operators' roles, such as `global_read`.", _TEXT),
    "roleId": ("The id of a role, or `admin`, `none`, `base_app_user`.", _TEXT),
    "number": ("The number of a version.", {"type": "integer", "minimum": 1}),
    "room": ("A room by its number, e-mail address or key.", _TEXT),
    "uuid": ("The UUID of a device.", _TEXT),
    "link": ("The last part of a public link.", _TEXT),
    "invitation": ("What the answer to an invitation names as `id`.", _TEXT),
    "queueName": ("The name of a queue.", {**_TEXT, "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"}),
    "name": ("The name of a draft.", {**_TEXT, "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}),
}
AN_ID = {**_TEXT, "pattern": "^[A-Za-z0-9]{24}$"}
_IF_MATCH = "ETags as they were answered, or `*`: of any other version, 412 and nothing is changed."
CONDITIONS = {
    "GET": ("If-None-Match", "ETags as they were answered: when there is nothing new, 304 and no document."),
    "PUT": ("If-Match", _IF_MATCH),
    "DELETE": ("If-Match", _IF_MATCH),
}
HEADERS = {
    "etag": ("ETag", {"description": "The version, for If-Match.", "schema": _TEXT}),
    "link": (
        "Link",
        {"description": "The address of the next page, percent-encoded; none on the last.", "schema": _TEXT},
    ),
    "x-result-count": ("X-Result-Count", {"description": "How many there are in all.", "schema": {"type": "integer"}}),
}
JSON = "application/json"
LIST = ("filter", "perPage", "sortOrder", "nextPageToken", "project")


def described(edges: Sequence[Edge]) -> dict[str, Any]:
    """The whole document. Raises ValueError for two routes whose handlers have one name in one function."""
    routes = [(edge, route) for edge in edges for route in edge.registered]
    schemas, definitions = _schemas([route for _, route in routes], [edge.dialect.refusal for edge in edges])
    paths: dict[str, dict[str, Any]] = {}
    names: set[str] = set()
    for edge, route in routes:
        operation = _operation(edge, route, schemas)
        if operation["operationId"] in names:
            operation["operationId"] += _camel(route.template)
        if operation["operationId"] in names:
            raise ValueError(f"two routes are called {operation['operationId']}")
        names.add(operation["operationId"])
        paths.setdefault(route.template, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fingerpost",
            "version": VERSION,
            "description": "Every physical thing gets a short URL, and rules decide where a scan goes.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": edge.name} for edge in edges],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(definitions.items())),
            "securitySchemes": {name: dict(says) for name, says in (edge.dialect.scheme for edge in edges)},
        },
    }


def as_text(document: Mapping[str, Any]) -> str:
    """The file's text: the same document is the same text."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


type _Schemas = Mapping[tuple[int, str], Mapping[str, Any]]


def _schemas(routes: Sequence[Route], refusals: Sequence[Any]) -> tuple[_Schemas, dict[str, Any]]:
    """The schema of each document that a route names, and the components they refer to."""
    inputs: dict[tuple[int, str], tuple[Any, Any, TypeAdapter[Any]]] = {}
    refused = ((each, "serialization") for each in refusals if not isinstance(each, str))
    for type_, mode in [*refused, *_documents(routes)]:
        inputs.setdefault((id(type_), mode), ((id(type_), mode), mode, TypeAdapter(type_)))
    found, shared = TypeAdapter.json_schemas(list(inputs.values()), ref_template=REFERENCE)
    return {key: schema for (key, _), schema in found.items()}, shared.get("$defs", {})


def _documents(routes: Sequence[Route]) -> list[tuple[Any, str]]:
    named = [(route.says.body, "validation") for route in routes if route.says.body not in (None, UNSAID)]
    answers = (each for route in routes for several in route.says.answered.values() for each in several)
    return named + [(each, "serialization") for each in answers if not isinstance(each, str)]


def _operation(edge: Edge, route: Route, schemas: _Schemas) -> dict[str, Any]:
    says = route.says
    summary, _, more = (route.handle.__doc__ or "").strip().partition("\n\n")
    operation: dict[str, Any] = {"operationId": _name(route), "tags": [edge.name], "summary": _line(summary)}
    if not summary:
        operation["summary"] = _name(route, " ").capitalize()
    if more:
        operation["description"] = _line(more)
    parameters = [
        {"name": name, "in": "path", "required": True, **_in_path(name)}
        for name in re.findall(r"{(\w+)}", route.template)
    ]
    for name in says.query:
        description, schema = PARAMETERS[name]
        shown = name.partition(":")[0]  # `from:rules` is a `from` of its own
        needed = {"required": True} if name in REQUIRED else {}
        parameters.append({"name": shown, "in": "query", "description": description, "schema": schema, **needed})
    if says.versioned and route.method in CONDITIONS:
        name, description = CONDITIONS[route.method]
        parameters.append({"name": name, "in": "header", "description": description, "schema": _TEXT})
    if parameters:
        operation["parameters"] = parameters
    if says.body not in (None, UNSAID):
        content = {says.reads: {"schema": schemas[id(says.body), "validation"]}}
        if says.uploads:
            content["multipart/form-data"] = {"schema": _form(says.uploads)}
        operation["requestBody"] = {"required": True, "content": content}
    answers = {str(status): _answer(each, schemas) for status, each in says.answered.items()}
    if headers := {HEADERS[each][0]: HEADERS[each][1] for each in sorted(says.headers)}:
        for status, answer in answers.items():
            if status != "204":
                answer["headers"] = headers
    if says.versioned and route.method == "GET":
        answers["304"] = {"description": "It is what If-None-Match names"}
    refused = {**_answer((edge.dialect.refusal,), schemas), "description": "Refused: the document says why"}
    operation["responses"] = {**answers, "default": refused}
    operation["security"] = [{edge.dialect.scheme[0]: []}] if route.permission else []
    return operation


def _in_path(name: str) -> dict[str, Any]:
    description, schema = IN_PATHS.get(name, (f"The id of {_article(name)}.", AN_ID))
    return {"description": description, "schema": schema}


def _article(parameter: str) -> str:
    """`thngId` is the id of a thng."""
    kind = parameter.removesuffix("Id")
    return f"{'an' if kind[0] in 'aeio' else 'a'} {kind}"


def _form(field: str) -> Mapping[str, Any]:
    file = {"type": "string", "format": "binary"}
    return {"type": "object", "properties": {field: file}, "required": [field]}


def _answer(answers: Sequence[Any], schemas: _Schemas) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for each in answers:
        if isinstance(each, str):
            content[each] = {}
        else:
            content[JSON] = {"schema": schemas[id(each), "serialization"]}
    return {"description": "Done", **({"content": content} if content else {})}


def _name(route: Route, between: str = "") -> str:
    """The handler's name: `read_thng` is `readThng`."""
    first, *rest = getattr(route.handle, "__name__", "answer").strip("_").split("_")
    return between.join([first, *(word if between else word.capitalize() for word in rest)])


def _camel(template: str) -> str:
    return "".join(word[0].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", template))


def _line(text: str) -> str:
    return " ".join(text.split())
