"""What somebody at a door sees and does, without a login: their room is found by its id, what they do is bounded.

Who may do what is the room's to say, as at a panel: where its `auth` asks for a PIN, one is needed here, too.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...access.guessing import trying
from ...access.rates import Rates, digest_of
from ...access.secrets import RootSecrets
from ...clock import DAY_MS, Clock
from ...errors import Conflict, Forbidden, Invalid, NotFound, TooManyRequests
from ...ids import is_id
from ...ports.table import Tables
from ...resources import Document, Resources, Stored
from .. import credentials, faults, keys, people
from ..bookings import Bookings
from ..errors import Taken
from ..kinds import EQUIPMENT, ROOM
from ..local_time import day_bounds, local_of, zone_of
from ..model import MINUTE_MS, Booking, By, Person, Room
from ..rooms import room_of
from . import view
from .view import View, view_of

MAX_TEXT = 100  # characters of a title or a name
PER_MINUTE, PER_MINUTE_OF_ROOM = 10, 40  # changes from one address, and of one room from all
SETTING = {
    "book": "bookMeetingSettings",
    "check-in": "confirmMeetingSettings",
    "extend": "extendOngoingMeetingSettings",
    "end": "endOngoingMeetingSettings",
    "report": "reportSettings",
}
rates = Rates()


class NoSuchDoor(NotFound):
    """There is no room at this address."""


class WrongPin(Forbidden):
    """The room asks for a PIN, and nobody has this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who stands at the door, as far as a browser tells."""

    browser: str  # a name that the page gave it; empty when it has none
    address: str
    cause: str

    @property
    def by(self) -> By:
        """With a digest of the browser's name: what is kept of it opens no form."""
        client = hashlib.sha256(self.browser.encode()).hexdigest()[:16] if self.browser else ""
        return By(source="door", client=client, cause=self.cause)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a form sends."""

    minutes: int = 0
    title: str = ""
    name: str = ""
    pin: str = ""
    booking: str = ""
    equipment: str = ""


class Door:
    """One room's door. `tables` are the account's own."""

    def __init__(self, tables: Tables, clock: Clock, stored: Stored):
        self.tables, self._clock = tables, clock
        self.document: Document = stored.document
        self.room: Room = room_of(stored, tables.account)
        self._bookings = Bookings(tables, clock)

    @classmethod
    def of(cls, tables: Tables, clock: Clock, room_id: str) -> "Door":
        """`tables` are unscoped. Raises NoSuchDoor."""
        row = credentials.look_up(tables, keys.door(room_id)) if is_id(room_id) else None
        if row is not None:
            own = tables.of(row["account"])
            found = Resources(own, ROOM).read_many([room_id], consistent=True).get(room_id)
            if found is not None:
                return cls(own, clock, found)
        raise NoSuchDoor("There is no room at this address")

    def look(self, visitor: Visitor | None = None) -> View:
        """The room as it stands now."""
        at = self._clock()
        bookings = self._bookings_of_today(at)
        custom = list(self.room.custom)
        named = Resources(self.tables, EQUIPMENT).read_many(custom) if custom else {}
        names = {each.id: str(each.document["name"]) for each in named.values()}
        return view_of(self.room, self.document, bookings, names, at, str(visitor.by) if visitor else "")

    def asks_pin(self, deed: str) -> bool:
        return self.room.auth.get(SETTING[deed], False)

    def do(self, deed: str, sent: Sent, visitor: Visitor, roots: RootSecrets, nonce: str) -> None:
        """Raises TooManyRequests, WrongPin, Taken, NotAllowed, Invalid, Unknown, Unavailable."""
        self._count(visitor)
        person = self._person(deed, sent.pin, roots)
        by = visitor.by if person is None else replace(visitor.by, user=person.id)
        match deed:
            case "book":
                self._book(sent, by, person, nonce)
            case "check-in":
                self._bookings.check_in(self._meant(sent).id, by=by)
            case "extend":
                booking = self._meant(sent)
                if sent.minutes not in view.EXTENSIONS:
                    raise Invalid("A meeting is made longer by 15 or 30 minutes")
                self._bookings.change(booking.id, end=booking.end + sent.minutes * MINUTE_MS, by=by)
            case "end":
                self._bookings.finish(self._meant(sent).id, by=by)
            case _:
                self._report(sent, by)

    def _book(self, sent: Sent, by: By, person: Stored | None, nonce: str) -> None:
        at = self._clock()
        if sent.minutes not in {each.minutes for each in self.look().lengths}:
            running = self._bookings.running(self.room.id, at)
            if running is not None and running.created_by == str(by):
                return  # the same form once more
            if running is not None:
                raise Taken(running.start, running.end)
            raise Invalid("The room cannot be had for that long any more; choose again")
        start = view.minute(at)
        name = person.document["name"] if person else sent.name
        organizer = Person(
            name=name or "",
            email=(person.document.get("email") or "") if person else "",
            user=person.id if person else "",
        )
        self._bookings.book(
            self.room,
            start,
            start + sent.minutes * MINUTE_MS,
            by=by,
            title=sent.title or view.WALK_IN,
            organizer=organizer,
            walk_in=True,
            key=nonce,
        )

    def _report(self, sent: Sent, by: By) -> None:
        known = {each.name: each for each in self.look().equipment}
        if sent.equipment not in known:
            raise Invalid("Choose what is broken")
        if known[sent.equipment].works:
            own, custom = _split(sent.equipment)
            faults.report(self.tables, self._clock, self.room.id, own, custom, by=by)

    def _meant(self, sent: Sent) -> Booking:
        """The booking that a form is about. Raises Unknown; Conflict for one that is in another room by now."""
        booking = self._bookings.get(sent.booking)
        if booking.room != self.room.id:
            raise Conflict("This meeting is in another room")
        return booking

    def _count(self, visitor: Visitor) -> None:
        at = self._clock()
        for whose, limit in ((f"{self.room.id}/{visitor.address}", PER_MINUTE), (self.room.id, PER_MINUTE_OF_ROOM)):
            standing = rates.hit(self.tables.log, digest_of(f"door/{whose}"), limit, at)
            if standing.exceeded:
                seconds = standing.headers(at)["x-ratelimit-reset"]
                message = f"That was too often; try again in {seconds} seconds"
                raise TooManyRequests(message, headers={"retry-after": seconds})

    def _person(self, deed: str, pin: str, roots: RootSecrets) -> Stored | None:
        """Whose PIN it is, where the room asks for one. Wrong ones are counted by room, apart from its panel's."""
        if not self.asks_pin(deed):
            return None
        if not pin:
            raise WrongPin("This room asks for your PIN")
        try:
            with trying(self.tables.main, f"door-{self.room.id}", self._clock()) as guess:
                person = people.by_pin(self.tables, roots, pin)
                guess.right = True
        except NotFound as error:
            raise WrongPin("Nobody has this PIN") from error
        except TooManyRequests as error:
            seconds = error.headers["retry-after"]
            message = f"There were too many wrong PINs at this door; try again in {seconds} seconds"
            raise TooManyRequests(message, headers=error.headers) from error
        return person

    def _bookings_of_today(self, at: int) -> list[Booking]:
        """Those that the page shows: of the room's day and the next UTC day, else the first after these."""
        zone = zone_of(self.room.zone)
        start, midnight = day_bounds(local_of(at, zone).date(), zone)
        end = max(midnight, (at // DAY_MS + 2) * DAY_MS)
        found = self._bookings.of_room(self.room.id, start - DAY_MS // 2, end)
        if not any(each.start > at and each.holds for each in found):
            following = self._bookings.next(self.room.id, at)
            found += [following] if following else []
        return found


def _split(name: str) -> tuple[Mapping[str, bool], Mapping[str, bool]]:
    kind, _, custom = name.partition(":")
    return ({}, {custom: False}) if custom else ({kind: False}, {})
