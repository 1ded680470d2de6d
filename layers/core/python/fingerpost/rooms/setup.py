"""Rooms made, changed and removed: a thng with its redirection, and beside it the document that makes it a room."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from .. import audit, wiring
from ..caller import Caller
from ..catalogue import service as catalogue
from ..catalogue.documents import NewThng, SentThng
from ..catalogue.model import THNG
from ..errors import Conflict, Finding, FingerpostError, Invalid, NotFound
from ..fields import merged
from ..ports.table import Check, Delete, Present, Put, Tables, Write
from ..preconditions import ANYTHING
from ..redirection.documents import SentRedirection
from ..redirection.links import Links
from ..resources import Document, Resources, Stored
from ..shapes import stamp
from . import keys, plain
from .alike import shared
from .documents import NewRoom, SentRoom
from .kinds import ROOM, SHARED_WITH_THNG, STRUCTURE
from .rooms import CLAIMED, check_custom, claim_of, claims_of, meteor_id_of, number_of, slug_of

SHARED = ("name", "description", "scopes")  # what is sent of both
ONLY_OF_THNG = ("tags", "customFields", "identifiers", "properties")
BEGUN: Document = {
    "timezone": "UTC",
    "active": True,
    "equipment": {},
    "customEquipment": {},
    "rules": {},
    "approval": False,
    "auth": {},
}
NAMED = {"slug": "slug", "email": "e-mail address"}
TRIES = 12
COUNTED = 9  # rooms of one name whose slugs are counted; those of more end in a number of their own


def create(caller: Caller, tables: Tables, sent: NewRoom, domain: str, project: str | None) -> Stored:
    """A room, its thng unless `thng` names one, its redirection unless that one has one. `tables` are unscoped.

    Raises Invalid, Conflict for a slug or an address that another room has.
    """
    made_by = caller.new_id(caller.at)  # the same when the request is repeated
    fields = _told(sent)
    _check(caller, fields)
    given = fields.pop("thng", None)
    if given is None:
        of_thng = {name: fields[name] for name in (*SHARED_WITH_THNG, *ONLY_OF_THNG) if name in fields}
        thng_id = catalogue.create_thng(caller, NewThng.model_validate(of_thng), project)["id"]
        thng = catalogue.read(caller, THNG, thng_id)
    else:
        thng = _thng_given(caller, given, fields, made_by)
    links = Links(tables, caller)
    short_id, url = fields.pop("shortId", None), fields.pop("defaultRedirectUrl", None)
    made: tuple[str, str] | None = None
    try:
        _check_free(caller, thng.id, fields)
        try:
            if short_id is not None or url is not None:
                raise NotFound("a new one is wanted")
            link = links.oldest(thng.id, "thng")
        except NotFound:
            address = url or door_url(thng.id)
            link = links.create(
                SentRedirection(evrythngId=thng.id, shortId=short_id, defaultRedirectUrl=address), domain
            )
            made = (link.domain, link.short_id)
        own = {name: value for name, value in fields.items() if name not in (*SHARED_WITH_THNG, *ONLY_OF_THNG)}
        common = shared(thng.document)
        begun = {"createdAt": caller.at, "updatedAt": caller.at, "_madeBy": made_by, **BEGUN, **common}
        whole = merged(begun, {**own, "shortDomain": link.domain, "shortId": link.short_id})
        return _stored(caller, thng.id, whole)
    except FingerpostError:
        if given is None:  # nothing is left of it
            with suppress(FingerpostError):
                if made is not None:
                    links.delete(*made)
                catalogue.delete(caller, THNG, thng.id)
        raise


def update(caller: Caller, room_id: str, sent: SentRoom) -> Stored:
    """Raises NotFound, Invalid, Conflict, PreconditionFailed."""
    fields = _told(sent)
    _check(caller, fields)
    rooms = Resources(caller.tables, ROOM)
    before = rooms.read(room_id)
    if not caller.changes(before.document):
        raise rooms.missing(room_id[:60])
    caller.match.check(before.tag, f"room {room_id}")
    _check_free(caller, room_id, fields)
    thng = _thng_after(caller, room_id, fields)

    def change(document: Document) -> Document:
        common = {name: thng.document.get(name) for name in SHARED_WITH_THNG}
        result = {**BEGUN, **merged(document, {**fields, **common})}
        for name in CLAIMED:
            if name not in result:
                raise Invalid(f"{name}: a room needs one", details=[Finding(field=name, message="a room needs one")])
        return result if result == document else {**result, "updatedAt": max(caller.at, document["updatedAt"])}

    def also(old: Document, new: Document) -> Iterable[Write]:
        told = audit.entry(caller, "update", "room", room_id, old, new)
        return [*claims_of(room_id, old, new), _door(caller, room_id), *told]

    return rooms.update(room_id, change, also=also, sees=caller.changes, match=caller.match)


def delete(caller: Caller, room_id: str) -> None:
    """A room no more; its thng, its redirection and what was recorded of them stay. Raises NotFound."""
    Resources(caller.tables, ROOM).delete(
        room_id,
        also=lambda before: [
            *claims_of(room_id, before, {}),
            Delete(keys.door(room_id)),
            *audit.entry(caller, "delete", "room", room_id, before),
        ],
        sees=caller.changes,
        match=caller.match,
    )


def read(caller: Caller, room_id: str) -> Stored:
    """Raises NotFound."""
    return catalogue.read(caller, ROOM, room_id)


def shown(stored: Stored) -> Document:
    document = plain.shown(stored)
    document.pop("scopes", None)
    short_url = wiring.settings().short_url(document["shortDomain"], document["shortId"])
    return {**document, "shortUrl": short_url}


def door_url(room_id: str) -> str:
    """Where a scan of a room's code goes when no rule says otherwise."""
    return f"{wiring.settings().api_url}/door/{room_id}"


def _door(caller: Caller, room_id: str) -> Put:
    """What the room's page is found by: its address names no account."""
    return Put(
        keys.door(room_id), {**stamp("roomKey"), "account": caller.principal.account, "id": room_id, "doc": "{}"}
    )


def _told(sent: SentRoom) -> dict[str, Any]:
    """What was sent: of a group of fields those that say something, of a check-in all of them."""
    fields = sent.sent()
    for name in ("rules", "address"):
        if fields.get(name) is not None:
            fields[name] = {each: value for each, value in fields[name].items() if value is not None}
    if sent.checkIn is not None:
        fields["checkIn"] = sent.checkIn.model_dump(mode="json")
    return fields


def _stored(caller: Caller, room_id: str, document: Document) -> Stored:
    """The room with names for every API: those that were sent, else the first ones that are free."""
    evoko_id, slug = meteor_id_of(room_id), document.get("slug") or slug_of(document["name"])
    host = document["shortDomain"].partition(":")[0]
    for attempt in range(TRIES):
        number = number_of(room_id, attempt)
        ends = "" if attempt == 0 else f"-{attempt + 1 if attempt < COUNTED else number}"
        named = slug + ends
        names = {"slug": document.get("slug") or named, "joanId": number, "evokoId": evoko_id}
        whole = {**document, **names, "email": document.get("email") or f"{named}@rooms.{host}"}
        told = audit.entry(caller, "create", "room", room_id, after=whole)
        also: list[Write] = [*claims_of(room_id, {}, whole), *told]
        also += [Check(THNG.key(room_id), (Present(),)), _door(caller, room_id)]
        try:
            stored = Resources(caller.tables, ROOM).create(room_id, whole, also=also)
        except Conflict:
            _check_free(caller, room_id, document)
            continue
        if stored.document["_madeBy"] != document["_madeBy"]:
            raise Conflict(f"The thng {room_id} is a room already")
        return stored
    raise Conflict("Others are making rooms of this name just now; send the request again")


def _thng_given(caller: Caller, thng_id: str, fields: dict[str, Any], made_by: str) -> Stored:
    """The thng that becomes a room. Raises NotFound, Conflict when it is one already."""
    catalogue.read_to_change(caller, THNG, thng_id)
    room = Resources(caller.tables, ROOM).read_many([thng_id], consistent=True).get(thng_id)
    if room is not None and room.document["_madeBy"] != made_by:
        raise Conflict(f"The thng {thng_id} is a room already")
    return _thng_after(caller, thng_id, fields)


def _thng_after(caller: Caller, thng_id: str, fields: dict[str, Any]) -> Stored:
    """A room's thng, with what was sent of both changed; that is taken out of `fields`."""
    of_thng = {name: fields.pop(name) for name in SHARED if name in fields}
    if not of_thng:
        return catalogue.read(caller, THNG, thng_id)
    return catalogue.update_thng(replace(caller, match=ANYTHING), thng_id, SentThng.model_validate(of_thng))


def _check(caller: Caller, fields: dict[str, Any]) -> None:
    """Raises Invalid for a structure or custom equipment that the account does not have."""
    structure = fields.get("structure")
    if structure is not None and structure not in Resources(caller.tables, STRUCTURE).read_many([structure]):
        raise plain.unknown("structure", structure)
    check_custom(caller.tables, fields.get("customEquipment") or {})


def _check_free(caller: Caller, room_id: str | None, fields: dict[str, Any]) -> None:
    """Raises Conflict for a name that another room has; a race is caught by the claim itself."""
    for field, title in NAMED.items():
        if (value := fields.get(field)) is None:
            continue
        claim = caller.tables.main.get(claim_of(field, value), consistent=True)
        if claim is not None and claim["id"] != room_id:
            finding = Finding(field=field, message="another room has it")
            raise Conflict(f"{field}: another room has the {title} {value[:60]}; choose another", details=[finding])
