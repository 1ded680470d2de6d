"""The six publications: which collection each fills, whose changes it follows, and its documents as they are now."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from ...clock import DAY_MS, Clock
from ...ports.table import Tables
from .. import plain
from ..errors import Unknown
from ..kinds import EQUIPMENT, EVOKO_USER, PERSON, STRUCTURE
from ..model import SHOWN, Booking, Room
from ..queries import MAX_AHEAD_DAYS, Calendar
from ..records import row_id
from ..rooms import Rooms
from . import views
from .merging import Document
from .sessions import Session, Subscription

ALL = "*"
ALL_ROOMS = "ALL"  # how clients ask for all of them
SIDE_BY_SIDE = 8
BEHIND_MS, AHEAD_MS = DAY_MS, MAX_AHEAD_DAYS * DAY_MS  # of the bookings that a subscription begins with
BOOKINGS, ROOMS, SETTINGS, STRUCTURES, USERS, CUSTOM = (
    "bookings",
    "rooms",
    "settings",
    "structures_flat",
    "users",
    "customEquipment",
)

type Documents = dict[str, Document]


class Publication(NamedTuple):
    collection: str
    by_room: bool  # whether its parameter is a room


PUBLICATIONS: Mapping[str, Publication] = {
    "allBookings": Publication(BOOKINGS, True),
    "allRooms": Publication(ROOMS, True),
    "specificSettings": Publication(SETTINGS, True),
    "structuresFlat": Publication(STRUCTURES, False),
    "users": Publication(USERS, False),
    "customEquipment": Publication(CUSTOM, False),
}
OF_ROOM = (BOOKINGS, ROOMS, SETTINGS, STRUCTURES)  # what a change of a room is seen in
OF_KIND: Mapping[str, tuple[str, ...]] = {  # what a change of another kind of document is seen in, its own first
    STRUCTURE.name: (STRUCTURES,),
    EQUIPMENT.name: (CUSTOM, ROOMS),
    PERSON.name: (USERS,),
    EVOKO_USER.name: (USERS,),
}


class News(NamedTuple):
    """Documents of a collection as they are now. `replaces` says of (id, room) what they stand in place of."""

    collection: str
    documents: Documents
    replaces: Callable[[str, str], bool]
    only: str = ""  # the one document whose lane all of it lies in


def topics_of(subscription: Subscription) -> set[str]:
    """What a subscription has to be told of."""
    publication = PUBLICATIONS[subscription.name]
    if publication.by_room:
        named = {CUSTOM} if publication.collection == ROOMS else set[str]()  # rooms say what their equipment is called
        return {subscription.room, *named} if subscription.room else set()
    return {publication.collection, ALL} if publication.collection == STRUCTURES else {publication.collection}


def covers(subscription: Subscription, collection: str, room: str) -> bool:
    """Whether a document of a collection, of a room, belongs to a subscription."""
    publication = PUBLICATIONS[subscription.name]
    if publication.collection != collection:
        return False
    return not publication.by_room or subscription.room == ALL or (subscription.room == room != "")


def covered(session: Session, collection: str, room: str) -> bool:
    return any(covers(each, collection, room) for each in session.subscriptions.values())


class Reader:
    """Reads documents of one account. `own` are its tables."""

    def __init__(self, own: Tables, clock: Clock):
        self._own, self._clock = own, clock
        self._rooms, self._calendar = Rooms(own), Calendar(own, clock)
        self._names: dict[str, str] | None = None

    def of(self, subscription: Subscription) -> News:
        """All that a subscription has now."""
        collection, by_room = PUBLICATIONS[subscription.name]
        if not by_room:
            return self.whole(collection)
        rooms = self._rooms.all() if subscription.room == ALL else self.rooms([subscription.room])
        documents = self._of_rooms(collection, rooms)
        return News(collection, documents, lambda _id, room: subscription.room in (ALL, room))

    def whole(self, collection: str) -> News:
        """A collection that no room divides, or all documents of one that rooms do."""
        return News(collection, self._whole(collection), lambda _id, _room: True)

    def booking(self, booking_id: str) -> News:
        """A booking, or a series with all of its occurrences, as it is after a change."""
        own_id = row_id(booking_id)
        try:
            found = self._calendar.record(own_id).occurrences()
        except Unknown:
            found = []
        now = self._clock()
        rooms = {each.id: each for each in self.rooms({booking.room for booking in found})}
        documents = {
            each.id: _booking(each.seen_at(now), rooms[each.room])
            for each in found
            if each.room in rooms and each.seen_at(now).state in SHOWN
        }
        return News(BOOKINGS, documents, lambda each, _room: row_id(each) == own_id, only=own_id)

    def room(self, collection: str, room_id: str) -> News:
        """What a collection has of a room that was set up, changed or removed."""
        if collection == STRUCTURES:
            return self.whole(collection)
        rooms = self.rooms([room_id])
        documents = self._of_room(collection, rooms[0]) if rooms else {}
        if rooms and collection == BOOKINGS:  # what is over stays where it is
            return News(collection, documents, lambda each, _room: each in documents)
        return News(collection, documents, lambda _id, room: room == room_id)

    def rooms(self, ids: Collection[str]) -> list[Room]:
        return list(self._rooms.get_many([each for each in ids if each]).values())

    def equipment(self) -> dict[str, str]:
        """The names of custom equipment, by id."""
        if self._names is None:
            self._names = {each.id: each.document["name"] for each in plain.all_of(self._own, EQUIPMENT)}
        return self._names

    def _of_room(self, collection: str, room: Room) -> Documents:
        match collection:
            case "rooms":
                return {room.evoko_id: Document(room.id, views.room_fields(room, self.equipment()))}
            case "settings":
                return {room.evoko_id: Document(room.id, views.settings_fields(room))}
            case _:
                now = self._clock()
                found = self._calendar.of_room(room.id, now - BEHIND_MS, now + AHEAD_MS)
                return {each.id: _booking(each, room) for each in found}

    def _of_rooms(self, collection: str, rooms: Sequence[Room]) -> Documents:
        """Side by side: a room's bookings are two reads."""
        if len(rooms) <= 1 or collection != BOOKINGS:
            found: Iterable[Documents] = [self._of_room(collection, room) for room in rooms]
        else:
            with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="rooms") as pool:
                found = list(pool.map(lambda room: self._of_room(collection, room), rooms))
        return {each: document for documents in found for each, document in documents.items()}

    def _whole(self, collection: str) -> Documents:
        fields: dict[str, dict[str, Any]]
        match collection:
            case "structures_flat":
                fields = views.structures(plain.all_of(self._own, STRUCTURE), self._rooms.all())
            case "users":
                fields = {each.id: views.person_fields(each) for each in plain.all_of(self._own, PERSON)}
                fields |= {each.id: views.integration_fields(each) for each in plain.all_of(self._own, EVOKO_USER)}
            case "customEquipment":
                fields = {each: {"name": name} for each, name in self.equipment().items()}
            case _:
                return self._of_rooms(collection, self._rooms.all())
        return {each: Document("", of) for each, of in fields.items()}


def _booking(booking: Booking, room: Room) -> Document:
    return Document(room.id, views.booking_fields(booking, room))
