"""Documents of the account that rooms are set up with; each change has its entry in the audit log."""

from collections.abc import Callable, Iterable

from .. import audit, keys
from ..caller import Caller
from ..errors import Finding, Invalid
from ..fields import merged
from ..ports.table import Tables, Write
from ..resources import Document, Kind, Resources, Stored

PAGE = 500

type Check = Callable[[Document], None]


def anything(_document: Document) -> None:
    """Whatever it is, it will do."""


def create(
    caller: Caller, kind: Kind, fields: Document, *, also: Callable[[str], Iterable[Write]] = lambda _id: ()
) -> Stored:
    """`also` says of the new id what is written with it. Raises Conflict when a claim of that is taken."""
    resource_id, at = caller.new_id(caller.at), caller.at
    document = merged({"createdAt": at, "updatedAt": at}, fields)
    told = audit.entry(caller, "create", kind.name, resource_id, after=document)
    return Resources(caller.tables, kind).create(resource_id, document, also=[*also(resource_id), *told])


def update(
    caller: Caller, kind: Kind, resource_id: str, fields: Document, *, needs: tuple[str, ...], check: Check = anything
) -> Stored:
    """`check` sees the document after the change. Raises NotFound, PreconditionFailed, Invalid."""

    def change(document: Document) -> Document:
        result = merged(document, fields)
        for name in needs:
            if name not in result:
                raise missing(name)
        check(result)
        return result if result == document else {**result, "updatedAt": max(caller.at, document["updatedAt"])}

    return Resources(caller.tables, kind).update(
        resource_id,
        change,
        also=lambda before, after: audit.entry(caller, "update", kind.name, resource_id, before, after),
        match=caller.match,
    )


def delete(
    caller: Caller, kind: Kind, resource_id: str, *, also: Callable[[Document], Iterable[Write]] = lambda _before: ()
) -> None:
    """Raises NotFound, PreconditionFailed."""
    Resources(caller.tables, kind).delete(
        resource_id,
        also=lambda before: [*also(before), *audit.entry(caller, "delete", kind.name, resource_id, before)],
        match=caller.match,
    )


def all_of(tables: Tables, kind: Kind, field: str = "", value: str = "") -> list[Stored]:
    """Every document of a kind, or every one that has a value in an indexed field; oldest first.

    `tables` are the account's. Reads are consistent.
    """
    partition = keys.index(keys.ACCOUNT_SCOPE, kind.name, field, value, 0)
    ids: list[str] = []
    after: str | None = None
    while True:
        page = tables.log.query(partition, after=after, limit=PAGE, consistent=True)
        ids += [row.key.sk for row in page.rows]
        if (after := page.after) is None:
            break
    found = Resources(tables, kind).read_many(ids, consistent=True).values()
    return [each for each in found if not field or each.document.get(field) == value]


def shown(stored: Stored) -> Document:
    """The document with its id, without what is our own business."""
    return {"id": stored.id, **{name: each for name, each in stored.document.items() if not name.startswith("_")}}


def missing(field: str) -> Invalid:
    message = "this cannot be without it"
    return Invalid(f"{field}: {message}", details=[Finding(field=field, message=message)])


def unknown(field: str, value: str) -> Invalid:
    message = f"there is none with the id {value[:60]}"
    return Invalid(f"{field}: {message}", details=[Finding(field=field, message=message)])
