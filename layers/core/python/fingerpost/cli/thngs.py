"""`fingerpost thngs`: things, one at a time or from a table."""

import json
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any

import typer

from ..body import validated
from ..catalogue.documents import NewThng
from ..errors import Invalid
from ..ids import is_id
from ..redirection.documents import SentRedirection
from ..rules.template import parse_default_url
from .command import Session, command, group
from .failure import Usage
from .import_command import DryRun, ImportFile, Project, Workers, carry_out
from .importing import Row
from .reading import pairs_of
from .tables import Record, TableFile, open_table
from .terminal import moment

thngs = group("Things: make, list, show, import.")

PLAIN = ("name", "description", "product", "tags", "shortId", "defaultRedirectUrl", "shortDomain")
FAMILIES = ("identifiers", "customFields", "properties")
ALIASES = {"redirectUrl": "defaultRedirectUrl", "url": "defaultRedirectUrl", "tag": "tags"}
TYPES = ("text", "number", "boolean", "json")
LINK = ("shortId", "defaultRedirectUrl", "shortDomain")


@command(thngs, "create")
def create_thng(
    session: Session,
    name: Annotated[str, typer.Argument(help="What it is called.")],
    product: Annotated[str | None, typer.Option(metavar="ID", help="Its product.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; repeat it for more.")] = None,
    identifier: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Repeat it for more.")] = None,
    custom_field: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Repeat it for more.")] = None,
    project: Project = None,
) -> None:
    """Make one thng."""
    sent = {
        "name": name,
        "product": product,
        "tags": tag or None,
        "identifiers": pairs_of(identifier or (), "--identifier") or None,
        "customFields": pairs_of(custom_field or (), "--custom-field") or None,
    }
    body = {field: value for field, value in sent.items() if value is not None}
    _show(session, session.client.post("/thngs", body, {"project": project}))


@command(thngs, "list")
def list_thngs(
    session: Session,
    filter_: Annotated[str | None, typer.Option("--filter", "-f", help="As in rules: tags=Offer & name=Lamp*")] = None,
    project: Annotated[str | None, typer.Option("--project", "-p", metavar="ID", help="Of this project only.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 100,
) -> None:
    """Your thngs, newest first."""
    documents = session.client.items("/thngs", {"filter": filter_, "project": project}, limit=limit)

    def for_people() -> None:
        rows = [
            (
                each["id"],
                each.get("name"),
                each.get("product"),
                ", ".join(each.get("tags") or ()),
                moment(each["createdAt"]),
            )
            for each in documents
        ]
        session.terminal.table(("id", "name", "product", "tags", "created"), rows)

    session.terminal.answer(documents, for_people)


@command(thngs, "show")
def show_thng(session: Session, thng: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """One thng, with all that is known of it."""
    _show(session, session.client.get(f"/thngs/{thng}"))


@command(thngs, "import")
def import_thngs(
    session: Session,
    file: ImportFile,
    rename: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN=FIELD", help="Read a column as a field; repeat it for more.")
    ] = None,
    make_products: Annotated[bool, typer.Option("--make-products", help="Make products that are not there.")] = False,
    project: Project = None,
    workers: Workers = 8,
    dry_run: DryRun = False,
) -> None:
    """Make a thng of each row of a CSV file, and a short link where the row has one.

    Columns: name, description, product (id or name), tags (separated by |), identifiers.KEY, customFields.KEY,
    properties.KEY, defaultRedirectUrl, shortId, shortDomain. A key may say its type, as in customFields.room:number.
    It can be interrupted and run again at any time: what is done stays done, and nothing is done twice.
    """
    table = open_table(file)
    columns = _columns(table, pairs_of(rename or (), "--rename"))
    product = _products(session, project, make=make_products and not dry_run)

    def rows() -> Iterator[Row]:
        for record in table.records():
            yield _row(record, columns, product)

    carry_out(session, file, rows, project=project, workers=workers, dry_run=dry_run)


def _columns(table: TableFile, renamed: dict[str, str]) -> dict[str, str]:
    """The field of each column. Raises Usage for one that means nothing."""
    unknown = set(renamed) - set(table.header)
    if unknown:
        raise Usage(
            f"--rename: {table.path} has no column {', '.join(sorted(unknown))}",
            then=f"Its columns are {', '.join(table.header)}",
        )
    columns: dict[str, str] = {}
    for name in filter(None, table.header):
        field = renamed.get(name, name)
        field = ALIASES.get(field, field)
        family, _, key = field.partition(".")
        kind = key.rpartition(":")[2] if ":" in key else "text"
        if field not in PLAIN and not (family in FAMILIES and key):
            near = get_close_matches(field, [*PLAIN, *ALIASES, *(f"{each}.{field}" for each in FAMILIES)], n=1)
            raise Usage(
                f"{table.path}: the column {name!r} means nothing",
                then=f"Say --rename '{name}={near[0] if near else 'customFields.' + name}', or take the column out",
            )
        if field in columns.values():
            raise Usage(f"{table.path}: two columns are {field}", then="Take one out, or say --rename for it")
        columns[name] = field if field in PLAIN or kind in TYPES else f"{field}:text"
    if "name" not in columns.values():
        raise Usage(f"{table.path} has no column name", then="Say --rename 'COLUMN=name' for the one that is")
    return columns


type Product = Any


def _products(session: Session, project: str | None, *, make: bool) -> Product:
    """From an id or a name to an id; None where there is none."""

    @cache
    def product(given: str) -> str | None:
        if is_id(given):
            return given
        quoted = given.replace("\\", "\\\\").replace('"', '\\"')
        found = session.client.items("/products", {"filter": f'name="{quoted}"'}, limit=2)
        if len(found) == 1:
            return str(found[0]["id"])
        if found or not make:
            return None
        return str(session.client.post("/products", {"name": given}, {"project": project})["id"])

    return product


def _row(record: Record, columns: dict[str, str], product: Product) -> Row:
    thng: dict[str, Any] = {}
    link: dict[str, Any] = {}
    problem = ""
    for column, text in record.cells.items():
        field = columns[column]
        if not text:
            continue
        try:
            if field in LINK:
                link[field] = text
            elif field == "tags":
                thng["tags"] = [each.strip() for each in text.split("|") if each.strip()]
            elif field == "product":
                thng["product"] = product(text)
                if thng["product"] is None:
                    problem = f"there is not one product {text!r}; name it by id, or say --make-products"
            elif field in PLAIN:
                thng[field] = text
            else:
                family, _, key = field.partition(".")
                name, _, kind = key.rpartition(":") if ":" in key else (key, "", "text")
                thng.setdefault(family, {})[name] = _typed(text, kind)
        except ValueError as error:
            problem = f"{column}: {error}"
    return Row(record.line, str(thng.get("name", "")), thng, link or None, problem or _wrong(thng, link))


def _typed(text: str, kind: str) -> Any:
    """Raises ValueError."""
    match kind:
        case "number":
            try:
                return int(text)
            except ValueError:
                return float(text)
        case "boolean":
            if text.lower() not in ("true", "false"):
                raise ValueError(f"{text!r} is neither true nor false")
            return text.lower() == "true"
        case "json":
            return json.loads(text)
    return text


def _wrong(thng: dict[str, Any], link: dict[str, Any]) -> str:
    """Why the server would refuse it, as far as can be seen here."""
    try:
        validated(NewThng, thng)
        if link:
            validated(SentRedirection, link)
            if "defaultRedirectUrl" not in link:
                return "a short link needs defaultRedirectUrl"
            parse_default_url(link["defaultRedirectUrl"])
    except Invalid as invalid:
        return str(invalid)
    return ""


def _show(session: Session, document: dict[str, Any]) -> None:
    def for_people() -> None:
        facts: list[tuple[str, Any]] = [
            ("id", document["id"]),
            ("name", document.get("name")),
            ("description", document.get("description")),
            ("product", document.get("product")),
            ("tags", ", ".join(document.get("tags") or ())),
        ]
        for family in FAMILIES:
            facts += [(f"{family}.{key}", _plain(value)) for key, value in (document.get(family) or {}).items()]
        session.terminal.facts([*facts, ("created", moment(document.get("createdAt")))])

    session.terminal.answer(document, for_people)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
