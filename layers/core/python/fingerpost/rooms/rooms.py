"""The rooms of an account: found by their id and by the names that the room APIs have for them.

A room is a thng, and a document beside it under the same id. Reads are consistent: a room that was just changed is
changed for every API at once.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import keys
from ..errors import Invalid, NotFound
from ..ids import is_id
from ..ports.table import Absent, Delete, Key, Put, Tables, Write
from ..resources import Document, Resources, Stored
from ..shapes import stamp
from ..sight import WHOLE_ACCOUNT, Sight, projects_of
from . import plain
from .kinds import EQUIPMENT, ROOM
from .model import CheckIn, Room
from .rules import booking_rules_of

FACILITIES = (
    "lights",
    "projector",
    "computer",
    "teleConference",
    "wifi",
    "whiteboard",
    "videoConference",
    "display",
    "minto",
    "ac",
    "information",
)
SETTINGS = (
    "bookMeetingSettings",
    "bookFutureMeetingSettings",
    "extendOngoingMeetingSettings",
    "extendFutureMeetingSettings",
    "endOngoingMeetingSettings",
    "endFutureMeetingSettings",
    "confirmMeetingSettings",
    "reportSettings",
)
# Which field of a document is a name that no other room of the account has, and what its claims are called.
CLAIMED = {"slug": "roomSlug", "email": "roomEmail", "joanId": "roomJoanId", "evokoId": "roomEvokoId"}
EVOKO_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz"  # Source: Meteor's Random.id
EVOKO_LENGTH = 17
FIRST_NUMBER, NUMBERS = 100_000_000, 900_000_000


class Rooms:
    """`tables` are the account's own; `sight` is which rooms there are for who asks."""

    def __init__(self, tables: Tables, sight: Sight = WHOLE_ACCOUNT):
        self._tables, self._sight = tables, sight
        self._documents = Resources(tables, ROOM)

    def get(self, room_id: str) -> Room:
        """Raises NotFound."""
        found = self.get_many([room_id])
        if room_id not in found:
            raise NotFound(f"There is no room {room_id[:60]}")
        return found[room_id]

    def get_many(self, ids: Sequence[str]) -> dict[str, Room]:
        """Those of `ids` that are rooms, by id."""
        found = self._documents.read_many([each for each in ids if is_id(each)], consistent=True)
        seen = ((each, stored) for each, stored in found.items() if self._sight.sees(stored.document))
        return {each: room_of(stored, self._tables.account) for each, stored in seen}

    def all(self) -> list[Room]:
        """Every room, oldest first."""
        stored = plain.all_of(self._tables, ROOM)
        return [room_of(each, self._tables.account) for each in stored if self._sight.sees(each.document)]

    def by_slug(self, slug: str) -> Room:
        """Raises NotFound, as all of these."""
        return self._claimed("slug", slug)

    def by_email(self, email: str) -> Room:
        return self._claimed("email", email)

    def by_joan_id(self, joan_id: int | str) -> Room:
        return self._claimed("joanId", str(joan_id))

    def by_evoko_id(self, evoko_id: str) -> Room:
        return self._claimed("evokoId", evoko_id)

    def named(self, name: str) -> Room:
        """By any name that a client of any API has for it: id, slug, e-mail, number, Evoko's id. Raises NotFound."""
        names = [claim_of(field, name) for field in CLAIMED]
        claims = self._tables.main.get_many(names, consistent=True)
        ids = [name, *(claims[each]["id"] for each in names if each in claims)]
        for room in self.get_many(ids).values():
            return room
        raise NotFound(f"There is no room {name[:60]}")

    def set_facilities(
        self,
        room_id: str,
        facilities: Mapping[str, bool | None],
        custom: Mapping[str, bool | None] | None = None,
        *,
        at: int,
        also: Iterable[Write] = (),
    ) -> tuple[Room, Room]:
        """Set which equipment works (true), is broken (false), is not there (None); answers the room before and after.

        `also` is written in the same transaction, unless nothing changes. Raises NotFound, Invalid.
        """
        for name in facilities:
            if name not in FACILITIES:
                raise Invalid(f"equipment: {name[:40]!r} is none of {', '.join(FACILITIES)}")
        check_custom(self._tables, custom or {})
        seen: list[Document] = []

        def change(document: Document) -> Document:
            seen.append(document)
            result = {
                **document,
                "equipment": {**document["equipment"], **facilities},
                "customEquipment": {**document["customEquipment"], **(custom or {})},
            }
            return result if result == document else {**result, "updatedAt": max(at, document["updatedAt"])}

        after = self._documents.update(room_id, change, also=lambda _before, _after: also, sees=self._sight.sees)
        before = Stored(id=room_id, version=after.version, document=seen[-1])
        return room_of(before, self._tables.account), room_of(after, self._tables.account)

    def _claimed(self, field: str, value: str) -> Room:
        claim = self._tables.main.get(claim_of(field, value), consistent=True)
        if claim is None:
            raise NotFound(f"There is no room {value[:60]}")
        return self.get(claim["id"])


def check_custom(tables: Tables, custom: Mapping[str, Any]) -> None:
    """Raises Invalid for a piece of equipment of its own that the account does not have."""
    known = Resources(tables, EQUIPMENT).read_many([each for each in custom if is_id(each)]) if custom else {}
    for each in custom:
        if each not in known:
            raise plain.unknown("customEquipment", each)


def claim_of(field: str, value: str) -> Key:
    """The row that keeps a room's name from others; of an e-mail address case does not count."""
    return keys.claim(CLAIMED[field], value.casefold() if field == "email" else value)


def claims_of(room_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Write]:
    """What a change of a room's names writes and removes; an empty document has none."""
    old, new = ({claim_of(field, str(each[field])) for field in CLAIMED if field in each} for each in (before, after))
    gone: list[Write] = [Delete(key) for key in sorted(old - new)]
    return gone + [Put(key, {**stamp("claim"), "id": room_id}, (Absent(),)) for key in sorted(new - old)]


def number_of(room_id: str, attempt: int = 0) -> int:
    """A number for clients that know rooms or people by numbers: nine digits that follow from the id."""
    return FIRST_NUMBER + int.from_bytes(_digest("number", room_id, attempt)) % NUMBERS


def meteor_id_of(resource_id: str) -> str:
    """An id as Meteor makes them, which follows from ours."""
    number, characters = int.from_bytes(_digest("meteor", resource_id, 0)), []
    for _ in range(EVOKO_LENGTH):
        number, digit = divmod(number, len(EVOKO_ALPHABET))
        characters.append(EVOKO_ALPHABET[digit])
    return "".join(characters)


def slug_of(name: str) -> str:
    """A name as it stands in an address: `Café № 2` is `cafe-no-2`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "room"


def room_of(stored: Stored, account: str) -> Room:
    """A stored document as the core and the APIs see it."""
    document = stored.document
    check_in, rules = document.get("checkIn"), document["rules"]
    return Room(
        id=stored.id,
        account=account,
        name=document["name"],
        slug=document["slug"],
        email=document["email"],
        capacity=document.get("capacity", 0),
        zone=document["timezone"],
        active=document["active"],
        structure=document.get("structure"),
        facilities={name: document["equipment"].get(name) for name in FACILITIES},
        custom=document["customEquipment"],
        rules=booking_rules_of(rules),
        approval=document["approval"],
        check_in=check_in and CheckIn(opens_before_min=check_in["opensBefore"], grace_min=check_in["grace"]),
        auth={name: document["auth"].get(name, False) for name in SETTINGS},
        show_titles=document.get("showTitles", False),
        joan_id=document["joanId"],
        evoko_id=document["evokoId"],
        short=(document["shortDomain"], document["shortId"]),
        managers=tuple(document.get("managers", ())),
        kind=document.get("type", ""),
        number=document.get("number", ""),
        description=document.get("description", ""),
        address=document.get("address", {}),
        product=document.get("product"),
        projects=projects_of(document),
    )


def _digest(purpose: str, resource_id: str, attempt: int) -> bytes:
    return hashlib.sha256(f"{purpose}/{resource_id}/{attempt}".encode()).digest()
