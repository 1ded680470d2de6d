"""What is in collections: thngs, and other collections. Each member's document names the collections it is in.

So a membership is listed, filtered and shown as every other field is, in each scope, and no document grows with the
number of members. A collection is never in itself, however indirectly: what it would be put into, and all that is above
that, stays as it was read until the transaction that puts it there is done.
"""

from collections.abc import Callable, Sequence
from typing import Any

from .. import keys
from ..body import json_name
from ..caller import Caller
from ..errors import Finding, Invalid, NotFound, TooLarge
from ..ids import is_id
from ..ports.table import MAX_TRANSACTION_WRITES, Check, Equals, Tables
from ..resources import Document, Kind, Resources, Stored
from ..together import Together
from .model import COLLECTION, THNG, without
from .service import read_to_change

MAX_THNGS = 10_000  # put into a collection by one request
MAX_CHILDREN = 100
MAX_REMOVED = 500  # taken out of one by a request that names none
MAX_ABOVE = MAX_TRANSACTION_WRITES - 2  # collections that one is in, directly or not


def add_thngs(caller: Caller, collection_id: str, content: Any) -> Stored:
    """Put thngs into a collection, in which some may be already. Answers the collection. Raises Invalid, NotFound."""
    collection = read_to_change(caller, COLLECTION, collection_id)
    ids = _sent_ids(content, MAX_THNGS, THNG)
    _found(caller, THNG, ids)
    Together(caller.tables, THNG).update_many(ids, _joining(collection_id, caller.at))
    return collection


def add_collections(caller: Caller, collection_id: str, content: Any) -> Stored:
    """Put collections into another. Answers that. Raises Invalid for one that has it in itself, NotFound."""
    collection = read_to_change(caller, COLLECTION, collection_id)
    ids = _sent_ids(content, MAX_CHILDREN, COLLECTION)
    _found(caller, COLLECTION, ids)
    above = _above(caller.tables, collection_id)
    for number, each in enumerate(ids):
        if each in above:
            raise _invalid(f"[{number}]", f"the collection {each} cannot be in {collection_id}, which is in it")
    for each in ids:
        Resources(caller.tables, COLLECTION).update(
            each,
            _joining(collection_id, caller.at),
            also=lambda _before, _after, child=each: _unless_above(caller.tables, child, collection_id),  # type: ignore[misc]
            sees=caller.changes,
        )
    return collection


def remove(caller: Caller, kind: Kind, collection_id: str, member_id: str) -> None:
    """Take one member out. Raises NotFound when it is not in there."""
    read_to_change(caller, COLLECTION, collection_id)

    def change(document: Document) -> Document:
        if collection_id not in document.get("collections", ()):
            raise NotFound(f"The {kind.name} {member_id} is not in the collection {collection_id}")
        return _leaving(collection_id, caller.at)(document)

    Resources(caller.tables, kind).update(member_id, change, sees=caller.changes)


def remove_all(caller: Caller, kind: Kind, collection_id: str, ids: Sequence[str]) -> None:
    """Take these members out; those that have left meanwhile are out."""
    Together(caller.tables, kind).update_many(ids, _leaving(collection_id, caller.at))


def _joining(collection_id: str, at: int) -> Callable[[Document], Document]:
    def change(document: Document) -> Document:
        known = document.get("collections", [])
        if collection_id in known:
            return document
        return {**document, "collections": [*known, collection_id], "updatedAt": max(at, document["updatedAt"])}

    return change


def _leaving(collection_id: str, at: int) -> Callable[[Document], Document]:
    def change(document: Document) -> Document:
        rest = without(document, "collections", collection_id)
        return rest if rest == document else {**rest, "updatedAt": max(at, document["updatedAt"])}

    return change


def _unless_above(tables: Tables, child_id: str, collection_id: str) -> list[Check]:
    """That all above a collection stays as it is now. Raises Invalid when `child_id` is there, NotFound."""
    above = _above(tables, collection_id)
    if child_id in above:
        raise Invalid(f"The collection {child_id} cannot be in {collection_id}, which is in it")
    return [Check(keys.document(each.id), (Equals("v", each.version),)) for each in above.values()]


def _above(tables: Tables, collection_id: str) -> dict[str, Stored]:
    """A collection, and all that it is in, directly or not. Raises NotFound, TooLarge."""
    collections = Resources(tables, COLLECTION)
    found = {collection_id: collections.read(collection_id)}
    level = list(found.values())
    while wanted := {each for stored in level for each in stored.document.get("collections", ())} - found.keys():
        if len(found) + len(wanted) > MAX_ABOVE:
            raise TooLarge(f"A collection can be in at most {MAX_ABOVE} others, directly and indirectly")
        level = list(collections.read_many(sorted(wanted), consistent=True).values())
        found |= {each.id: each for each in level}
    return found


def _sent_ids(content: Any, most: int, kind: Kind) -> list[str]:
    """An array of ids. Raises Invalid, TooLarge."""
    if not isinstance(content, list):
        raise Invalid(f"The body must be an array of ids of {kind.plural}, not {json_name(content)}")
    if len(content) > most:
        raise TooLarge(f"One request puts at most {most:,} {kind.plural} into a collection; these are {len(content):,}")
    for number, each in enumerate(content):
        if not isinstance(each, str) or not is_id(each):
            raise _invalid(f"[{number}]", f"is no id of a {kind.name}")
    return content


def _found(caller: Caller, kind: Kind, ids: Sequence[str]) -> None:
    """Raises Invalid unless the caller sees each of them, Forbidden for one that may not be changed."""
    found = Resources(caller.tables, kind).read_many(ids, consistent=True)
    for number, each in enumerate(ids):
        if each not in found or not caller.changes(found[each].document):
            raise _invalid(f"[{number}]", f"there is no {kind.name} {each}")


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", details=[Finding(field=field, message=message)])
