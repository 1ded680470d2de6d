"""What the pages of a door show of a room at a moment, and what can be done there. Pure but for the tz database."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ...resources import Document
from ..local_time import day_bounds, local_of, zone_of
from ..model import HOLDING, MINUTE_MS, Booking, Room
from ..standing import CHECK_IN, FREE, SOON, Slot, Standing, known_until, opens_before, standing_of

LENGTHS = (15, 30, 60)  # minutes that somebody without a booking can have the room for
SHORTEST = 5  # minutes: when less is left, the room cannot be had
EXTENSIONS = (15, 30)
ANONYMOUS = "Booked"
WALK_IN = "Walk-in"
UNITED = {"ac": "Air conditioning", "wifi": "Wi-Fi", "minto": "Minto"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A booking as the page shows it. `when` is by the room's clocks, with the day when that is not today."""

    id: str
    when: str
    title: str
    whose: str
    waits: bool  # until somebody checks in
    tentative: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    minutes: int
    until: str  # on the room's clocks


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of equipment: `name` is what forms send."""

    name: str
    title: str
    works: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """`headline` says the state in a few words; `changes_at` is when it becomes another one by itself."""

    room: Room
    at: int
    status: str
    headline: str
    detail: str
    now: Meeting | None  # who has the room, or is awaited in it
    running: bool  # whether that has begun
    later: tuple[Meeting, ...]  # the rest of the day; of another day the next one alone
    lengths: tuple[Choice, ...]
    extensions: tuple[Choice, ...]
    equipment: tuple[Piece, ...]
    changes_at: int | None

    @property
    def clock(self) -> str:
        return local_of(self.at, zone_of(self.room.zone)).strftime("%H:%M")

    @property
    def date(self) -> str:
        return _day(local_of(self.at, zone_of(self.room.zone)))


def view_of(
    room: Room, document: Document, bookings: Sequence[Booking], custom: Mapping[str, str], at: int, mine: str = ""
) -> View:
    """`document` is the room's; `bookings` are today's and the next one, by start; `custom` are names by id.

    `mine` is by whom bookings are made that show their titles even where the room keeps them from others.
    """
    holding = [each for each in bookings if each.state in HOLDING and each.end > at]
    ended = [each for each in bookings if each.state in HOLDING and each.end <= at]
    slots = [Slot(each.start, each.end, each.id, each.release_at or 0) for each in (*ended, *holding)]
    standing = standing_of(document, slots, at)
    by_id = {each.id: each for each in holding}
    running = by_id[standing.current.booking] if standing.current else None
    awaited = by_id[standing.next.booking] if standing.status == CHECK_IN and standing.next else None
    now = running or awaited
    _, midnight = day_bounds(local_of(at, zone_of(room.zone)).date(), zone_of(room.zone))
    ahead = [each for each in holding if each.start > at and each is not now]
    today = [each for each in ahead if each.start < midnight] or ahead[:1]
    headline, detail = _words(room, standing, now, ahead, at)
    return View(
        room=room,
        at=at,
        status=standing.status,
        headline=headline,
        detail=detail,
        now=None if now is None else _meeting(room, now, at, mine),
        running=running is not None,
        later=tuple(_meeting(room, each, at, mine) for each in today),
        lengths=lengths(room, standing.until, at),
        extensions=extensions(room, running, ahead),
        equipment=tuple(_equipment(room, custom)),
        changes_at=_changes_at(document, standing, now, ahead, at),
    )


def lengths(room: Room, until: int | None, at: int) -> tuple[Choice, ...]:
    """For how long the room can be had from now on; the rest of its time when that is less than the longest."""
    if until is None:
        return ()
    start = minute(at)
    most = min((until - start) // MINUTE_MS, room.rules.max_minutes or LENGTHS[-1])
    least = max(SHORTEST, room.rules.min_minutes or 0)
    rest = [most] if least <= most < LENGTHS[-1] and most not in LENGTHS else []
    named = [each for each in LENGTHS if least <= each <= most]
    if not named and not rest and least <= most:
        rest = [least]  # the room is booked for longer than any of these
    return tuple(_choice(room, each, start) for each in sorted([*named, *rest]))


def extensions(room: Room, running: Booking | None, ahead: Sequence[Booking]) -> tuple[Choice, ...]:
    """By how much the meeting that runs can be made longer before the next one and within what the room allows."""
    if running is None or running.state == "tentative":
        return ()
    limit = ahead[0].start - room.rules.buffer_minutes * MINUTE_MS if ahead else None
    found = []
    for each in EXTENSIONS:
        end = running.end + each * MINUTE_MS
        too_long = room.rules.max_minutes and end - running.start > room.rules.max_minutes * MINUTE_MS
        if (limit is None or end <= limit) and not too_long:
            found.append(_choice(room, each, running.end))
    return tuple(found)


def minute(at: int) -> int:
    """The minute that a moment is in: who walks in has the room from its beginning."""
    return at // MINUTE_MS * MINUTE_MS


def equipment_title(name: str) -> str:
    """`videoConference` is `Video conference`."""
    return UNITED.get(name) or re.sub(r"(?<!^)([A-Z])", lambda found: f" {found[1].lower()}", name).capitalize()


def clock_of(room: Room, at: int) -> str:
    return local_of(at, zone_of(room.zone)).strftime("%H:%M")


def _words(room: Room, standing: Standing, now: Booking | None, ahead: Sequence[Booking], at: int) -> tuple[str, str]:
    """The headline, and a sentence that goes on where it ends."""
    following = f"Next meeting {_moment(room, ahead[0].start, at)}" if ahead else "Nothing else is booked"
    match standing.status:
        case "free" | "soon" if standing.until is not None:
            return _free(room, standing, standing.until, ahead, at)
        case "checkin" if now is not None:
            by = f"Check in by {clock_of(room, now.release_at)}" if now.release_at else "Check in"
            return by, f"Booked {_span(room, now, at)}; it is free again if nobody checks in"
        case "booked" if now is not None:
            asked = "It waits for approval. " if now.state == "tentative" else ""
            return f"Booked until {_moment(room, now.end, at)}", f"{asked}{following}"
        case _:
            why = "The room cannot be booked" if not room.active else "The room is closed"
            return "Not available", f"{why}. {following}" if ahead else f"{why}."


def _free(room: Room, standing: Standing, until: int, ahead: Sequence[Booking], at: int) -> tuple[str, str]:
    following = f"Next meeting {_moment(room, ahead[0].start, at)}" if ahead else "Nothing else is booked"
    if until >= known_until(at):
        return "Free", following
    if standing.status == SOON:
        headline = f"Free for {(until - at) // MINUTE_MS} min"
    else:
        headline = f"Free until {_moment(room, until, at)}"
    closes = not ahead or until < ahead[0].start - room.rules.buffer_minutes * MINUTE_MS
    return headline, f"The room closes at {clock_of(room, until)}" if closes else following


def _meeting(room: Room, booking: Booking, at: int, mine: str) -> Meeting:
    told = room.show_titles or (bool(mine) and booking.created_by == mine)
    return Meeting(
        id=booking.id,
        when=_span(room, booking, at),
        title=(booking.title or ANONYMOUS) if told else ANONYMOUS,
        whose=(booking.organizer.name or booking.organizer.email) if told else "",
        waits=booking.state == "confirmed" and booking.release_at is not None,
        tentative=booking.state == "tentative",
    )


def _equipment(room: Room, custom: Mapping[str, str]) -> list[Piece]:
    own = [(name, equipment_title(name), works) for name, works in room.facilities.items()]
    others = [(f"custom:{each}", custom.get(each, "Other equipment"), works) for each, works in room.custom.items()]
    return [Piece(name=name, title=title, works=works) for name, title, works in (*own, *others) if works is not None]


def _choice(room: Room, minutes: int, start: int) -> Choice:
    return Choice(minutes=minutes, until=clock_of(room, start + minutes * MINUTE_MS))


def _span(room: Room, booking: Booking, at: int) -> str:
    return f"{_moment(room, booking.start, at)} to {_moment(room, booking.end, booking.start)}"


def _moment(room: Room, at: int, seen_from: int) -> str:
    """The clock's time, with the day when it is another one."""
    zone = zone_of(room.zone)
    local = local_of(at, zone)
    same = local.date() == local_of(seen_from, zone).date()
    return local.strftime("%H:%M") if same else f"{_day(local)}, {local.strftime('%H:%M')}"


def _day(local: datetime) -> str:
    return f"{local.strftime('%A')} {local.day} {local.strftime('%B')}"


def _changes_at(
    document: Document, standing: Standing, now: Booking | None, ahead: Sequence[Booking], at: int
) -> int | None:
    moments = [standing.until]
    if now is not None:
        moments += [now.start, now.end, now.release_at]
    if ahead:
        moments += [ahead[0].start, ahead[0].start - opens_before(document)]
    if standing.status == FREE and standing.until is not None:
        moments.append(standing.until - 15 * MINUTE_MS)
    return min((each for each in moments if each is not None and each > at), default=None)
