"""The description of the API, from the routes that the functions register. Source: OpenAPI 3.1.

Written by `make openapi` into openapi.json beside this file, which `GET /openapi.json` serves and a test holds to the
code. Documents are described by the pydantic models that routes name; `PARAMETERS` are the query parameters, each once.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from .edge import Edge, Route

FILE = Path(__file__).with_name("openapi.json")
VERSION = "0.1.0"  # of the API; a test holds it to the package's
REFERENCE = "#/components/schemas/{model}"

_TEXT = {"type": "string"}
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
    "from:rules": ("Rules: `live` (also when left out), the number of a version, or `draft:` and a name.", _TEXT),
    "to:rules": ("Rules, as `from` has them.", _TEXT),
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
    "before": ("A day of UTC such as 2026-11-01: what is older is meant.", _TEXT),
    "format": ("Without it the Accept header decides.", {"type": "string", "enum": ["csv", "json"]}),
    "maxDist": ("Kilometres.", {"type": "number", "exclusiveMinimum": 0}),
}
LIST = ("filter", "perPage", "sortOrder", "nextPageToken", "project")


class FindingDocument(BaseModel):
    """One thing wrong with one field."""

    field: str
    message: str
    column: int | None
    near: str | None
    expected: list[str]
    suggestion: str | None
    rule: int = 0  # of a finding in rules: which one, counted from 1, and its name
    name: str | None = None


class ErrorDocument(BaseModel):
    """The one document of everything that is refused."""

    model_config = ConfigDict(extra="forbid")

    status: int
    errors: list[str]
    code: str
    moreInfo: str  # noqa: N815 - the wire's own name
    details: list[FindingDocument] | None = None


def described(edges: Sequence[Edge]) -> dict[str, Any]:
    """The whole document. Raises ValueError for two routes whose handlers have one name in one function."""
    routes = [(edge, route) for edge in edges for route in edge.registered]
    schemas, definitions = _schemas([route for _, route in routes])
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
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "Authorization"}},
        },
    }


def as_text(document: Mapping[str, Any]) -> str:
    """The file's text: the same document is the same text."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


type _Schemas = Mapping[tuple[int, str], Mapping[str, Any]]


def _schemas(routes: Sequence[Route]) -> tuple[_Schemas, dict[str, Any]]:
    """The schema of each document that a route names, and the components they refer to."""
    inputs: dict[tuple[int, str], tuple[Any, Any, TypeAdapter[Any]]] = {}
    for type_, mode in [(ErrorDocument, "serialization"), *_documents(routes)]:
        inputs.setdefault((id(type_), mode), ((id(type_), mode), mode, TypeAdapter(type_)))
    found, shared = TypeAdapter.json_schemas(list(inputs.values()), ref_template=REFERENCE)
    return {key: schema for (key, _), schema in found.items()}, shared.get("$defs", {})


def _documents(routes: Sequence[Route]) -> list[tuple[Any, str]]:
    named = [(route.says.body, "validation") for route in routes]
    named += [(route.says.answers, "serialization") for route in routes]
    return [(type_, mode) for type_, mode in named if type_ is not None]


def _operation(edge: Edge, route: Route, schemas: _Schemas) -> dict[str, Any]:
    says = route.says
    summary, _, more = (route.handle.__doc__ or "").strip().partition("\n\n")
    operation: dict[str, Any] = {"operationId": _name(route), "tags": [edge.name], "summary": _line(summary)}
    if not summary:
        operation["summary"] = _name(route, " ").capitalize()
    if more:
        operation["description"] = _line(more)
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _TEXT}
        for name in re.findall(r"{(\w+)}", route.template)
    ]
    for name in says.query:
        description, schema = PARAMETERS[name]
        shown = name.partition(":")[0]  # `from:rules` is a `from` of its own
        parameters.append({"name": shown, "in": "query", "description": description, "schema": schema})
    if parameters:
        operation["parameters"] = parameters
    if says.body is not None:
        content = {"application/json": {"schema": schemas[id(says.body), "validation"]}}
        operation["requestBody"] = {"required": True, "content": content}
    answer: dict[str, Any] = {"description": "Done"}
    if says.answers is not None:
        schema = schemas[id(says.answers), "serialization"]
        answer["content"] = {"application/json": {"schema": schema}}
    refused = {"application/json": {"schema": schemas[id(ErrorDocument), "serialization"]}}
    operation["responses"] = {
        str(says.status): answer,
        "default": {"description": "Refused: the document says why", "content": refused},
    }
    operation["security"] = [{"key": []}] if route.permission else []
    return operation


def _name(route: Route, between: str = "") -> str:
    """The handler's name: `read_thng` is `readThng`."""
    first, *rest = getattr(route.handle, "__name__", "answer").strip("_").split("_")
    return between.join([first, *(word if between else word.capitalize() for word in rest)])


def _camel(template: str) -> str:
    return "".join(word[0].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", template))


def _line(text: str) -> str:
    return " ".join(text.split())
