"""A booking and its slot: what it holds, what moving it means, how much it may say. Pure but for the tz database."""

from collections.abc import Iterable
from copy import replace

from ..errors import Invalid
from .model import Booking, Room, release_moment
from .rules import check_interval, check_rules

MAX_TITLE, MAX_DESCRIPTION, MAX_NAME = 500, 8_000, 320
MAX_ATTENDEES, MAX_EXTERNAL = 200, 5


def slot_of(booking: Booking) -> tuple[str, int, int, bool, int | None]:
    return booking.room, booking.start, booking.end, booking.holds, booking.release_at


def moved_to(before: Booking, after: Booking, target: Room, now: int) -> Booking:
    """A booking in its new slot: what of the rules, of approval and of check-in applies there."""
    check_interval(after.start, after.end)
    check_rules(target, after.start, after.end, now)
    inside = before.room == after.room and before.start <= after.start and after.end <= before.end
    if target.approval and not inside and (after.state == "confirmed" or not _goes_on(before, after, now)):
        after = replace(after, state="tentative", checked_in_at=None, release_at=None)
    if not target.approval and after.state == "tentative":
        after = replace(after, state="confirmed")
    if after.state == "confirmed" and (before.room != after.room or before.start != after.start or not inside):
        return awaiting(after, now, target)
    return after


def _goes_on(before: Booking, after: Booking, now: int) -> bool:
    """Whether it is a meeting that runs, and stays where and since when it was."""
    return (before.room, before.start) == (after.room, after.start) and before.start <= now < before.end


def awaiting(booking: Booking, now: int, room: Room) -> Booking:
    """The same with the moment until which somebody has to come, if the room wants that."""
    if booking.state != "confirmed":
        return replace(booking, release_at=None)
    return replace(booking, release_at=release_moment(room.check_in, booking.start, booking.end, now))


def check_texts(booking: Booking) -> None:
    """Raises Invalid."""
    if len(booking.attendees) > MAX_ATTENDEES:
        raise Invalid(f"A booking has at most {MAX_ATTENDEES} attendees; this one has {len(booking.attendees)}")
    if len(booking.external) > MAX_EXTERNAL:
        raise Invalid(f"A booking has ids in at most {MAX_EXTERNAL} other systems")
    for name, most, text in _texts(booking):
        if len(text) > most:
            raise Invalid(f"The {name} of a booking has at most {most:,} characters; this one has {len(text):,}")


def _texts(booking: Booking) -> Iterable[tuple[str, int, str]]:
    yield "title", MAX_TITLE, booking.title
    yield "description", MAX_DESCRIPTION, booking.description
    for text in (booking.organizer.name, booking.organizer.email, booking.organizer.user):
        yield "organizer", MAX_NAME, text
    for each in booking.attendees:
        for text in (each.name, each.email, each.token):
            yield "attendees", MAX_NAME, text
    for text in (*booking.external, *booking.external.values()):
        yield "external ids", MAX_NAME, text
