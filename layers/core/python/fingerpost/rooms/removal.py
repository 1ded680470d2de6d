"""A room that is a room no more, with what is booked in it: refused while something is, or all of that is cancelled."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .. import audit
from ..caller import Caller
from ..clock import Clock
from ..errors import Conflict, Unavailable
from ..preconditions import ANYTHING
from ..resources import Document, Resources
from . import setup
from .bookings import Bookings
from .kinds import ROOM
from .model import Booking, By, Room
from .rooms import Rooms

MAX_CANCELLED = 500  # bookings that one request cancels


@dataclass(frozen=True, slots=True)
class _Known:
    """Rooms, among them one as it was: what is booked there is cancelled also when the room is gone."""

    rooms: Rooms
    gone: Mapping[str, Room]

    def get(self, room_id: str) -> Room:
        return self.gone[room_id] if room_id in self.gone else self.rooms.get(room_id)


def remove(caller: Caller, clock: Clock, room_id: str, *, by: By, cancelling: bool = False) -> None:
    """With `cancelling` what runs and what is ahead is cancelled, each with its event; what is over stays as it was.

    The room is closed first, so that nothing is booked meanwhile. What came in at the last moment is cancelled in any
    case; once the room is gone, nothing is booked there (commits.py). Raises NotFound, PreconditionFailed, Conflict
    when something is booked, Unavailable when there is more than one request cancels.
    """
    rooms = Resources(caller.tables, ROOM)
    before = rooms.read(room_id)
    if not caller.changes(before.document):
        raise rooms.missing(room_id[:60])
    caller.match.check(before.tag, f"room {room_id}")
    caller = replace(caller, match=ANYTHING)
    room = Rooms(caller.tables).get(room_id)
    bookings = Bookings(caller.tables, clock, _Known(Rooms(caller.tables), {room_id: room}))
    if not cancelling:
        _must_be_free(room_id, bookings.ahead(room_id, limit=MAX_CANCELLED))
    elif ahead := bookings.ahead(room_id, limit=MAX_CANCELLED):
        _close(caller, room_id)
        _cancel(bookings, ahead, by)
        if len(ahead) == MAX_CANCELLED and bookings.ahead(room_id, limit=1):
            raise Unavailable(
                f"The room is closed and {MAX_CANCELLED} of its bookings are cancelled; there are more. "
                "Send the request again",
                headers={"retry-after": "1"},
            )
    setup.delete(caller, room_id)
    _cancel(bookings, bookings.ahead(room_id, limit=MAX_CANCELLED), by)


def _must_be_free(room_id: str, ahead: list[Booking]) -> None:
    if ahead:
        count = f"{MAX_CANCELLED} or more" if len(ahead) == MAX_CANCELLED else str(len(ahead))
        raise Conflict(
            f"Bookings of this room that run or are ahead: {count}. Cancel them or move them; "
            f"an operator's DELETE /rooms/{room_id}?cancelBookings=true cancels them all"
        )


def _close(caller: Caller, room_id: str) -> None:
    def change(document: Document) -> Document:
        return {**document, "active": False, "updatedAt": max(caller.at, document["updatedAt"])}

    Resources(caller.tables, ROOM).update(
        room_id, change, also=lambda old, new: audit.entry(caller, "update", ROOM.name, room_id, old, new)
    )


def _cancel(bookings: Bookings, ahead: list[Booking], by: By) -> None:
    """One by one: of a series some may be over, or in another room."""
    for each in ahead:
        bookings.cancel(each.id, by=by)
