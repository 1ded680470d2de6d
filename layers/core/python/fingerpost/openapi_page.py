"""The description of the API as a page to read: no script in it, nothing loaded from elsewhere."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

type Described = Mapping[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")


@cache
def description() -> Described:
    """What openapi.py wrote."""
    document: Described = json.loads(Path(__file__).with_name("openapi.json").read_text(encoding="utf-8"))
    return document


def openapi_page(document: Described) -> str:
    """Every operation by the function that answers it, then every document with its fields."""
    groups = [tag["name"] for tag in document["tags"]]
    operations = "\n".join(_group(document, name) for name in groups)
    contents = "".join(f'<li><a href="#{name}">{name}</a></li>' for name in [*groups, "documents"])
    schemas = document["components"]["schemas"]
    documents = "\n".join(_document(name, schemas[name]) for name in sorted(schemas))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The Fingerpost API</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 56rem; }}
nav ul {{ display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; padding: 0; }}
h2 {{ margin-top: 2.5rem; }}
details {{ border-top: 1px solid #8884; padding: .4rem 0; }}
summary {{ cursor: pointer; }}
summary code {{ overflow-wrap: anywhere; }}
.method {{ display: inline-block; min-width: 4.5rem; font-weight: 600; }}
table {{ border-collapse: collapse; width: 100%; margin: .5rem 0; }}
th, td {{ text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; font-weight: normal; }}
:target {{ background: #fff3bf; color: #000; }}
</style>
</head>
<body>
<main>
<h1>The Fingerpost API</h1>
<p>{escape(document["info"]["description"])} Send your key as the <code>Authorization</code> header.
Lists come in pages: the <code>Link</code> header has the next. What is refused is
<a href="errors">one document</a>. Programs read <a href="openapi.json">openapi.json</a>.</p>
<nav aria-label="Contents"><ul>{contents}</ul></nav>
{operations}
<h2 id="documents">documents</h2>
{documents}
</main>
</body>
</html>
"""


def _group(document: Described, name: str) -> str:
    items = [
        _operation(method, path, operations[method])
        for path, operations in document["paths"].items()
        for method in METHODS
        if method in operations and name in operations[method]["tags"]
    ]
    return f'<h2 id="{escape(name)}">{escape(name)}</h2>\n' + "\n".join(items)


def _operation(method: str, path: str, operation: Described) -> str:
    key = "" if operation["security"] else "<p>Needs no key.</p>"
    rows = [
        (f"<code>{escape(each['name'])}</code>", f"in the {each['in']}: {escape(each.get('description', 'text'))}")
        for each in operation.get("parameters", [])
    ]
    if body := operation.get("requestBody"):
        rows.append(("sends", _type(_schema_of(body))))
    rows += [
        (f"answers {status}", " or ".join(_answers(answer)) or "no document")
        for status, answer in operation["responses"].items()
        if status != "default"
    ]
    more = f"<p>{escape(operation['description'])}</p>" if "description" in operation else ""
    return (
        f'<details id="{operation["operationId"]}"><summary><span class="method">{method.upper()}</span> '
        f"<code>{escape(path)}</code> {escape(operation['summary'])}</summary>{more}{key}{_table(rows)}</details>"
    )


def _document(name: str, schema: Described) -> str:
    needed = schema.get("required", ())
    rows = [
        (f"<code>{escape(field)}</code>{' (needed)' if field in needed else ''}", _type(each))
        for field, each in schema.get("properties", {}).items()
    ]
    says = escape(" ".join(schema.get("description", "").split()))
    return f'<details id="{escape(name)}"><summary><code>{escape(name)}</code> {says}</summary>{_table(rows)}</details>'


def _table(rows: list[tuple[str, str]]) -> str:
    cells = "".join(f'<tr><th scope="row">{name}</th><td>{says}</td></tr>' for name, says in rows)
    return f"<table>{cells}</table>" if rows else ""


def _schema_of(content: Described) -> Described:
    schema: Described = next(iter(content["content"].values()))["schema"]
    return schema


def _answers(answer: Described) -> Iterator[str]:
    for media, content in answer.get("content", {}).items():
        yield _type(content["schema"]) if "schema" in content else f"<code>{escape(media)}</code>"


def _type(schema: Described) -> str:
    return " or ".join(dict.fromkeys(_types(schema)))


def _types(schema: Described) -> Iterator[str]:
    """The kinds of value that a schema takes, in words; those that refer to a document as links."""
    match schema:
        case {"$ref": str(reference)}:
            name = escape(reference.rpartition("/")[2])
            yield f'<a href="#{name}">{name}</a>'
        case {"anyOf": list(choices)} | {"oneOf": list(choices)}:
            for each in choices:
                yield from _types(each)
        case {"enum": list(values)}:
            yield ", ".join(f"<code>{escape(str(value))}</code>" for value in values)
        case {"const": value}:
            yield f"<code>{escape(str(value))}</code>"
        case {"type": "array"}:
            yield f"list of {_type(schema.get('items', {})) or 'values'}"
        case {"type": list(names)}:
            yield " or ".join(escape(str(name)) for name in names)
        case {"type": str(name)}:
            yield escape(name)
        case _:
            yield "any JSON"
