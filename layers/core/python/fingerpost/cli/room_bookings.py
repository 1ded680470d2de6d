"""`fingerpost rooms bookings` and what is done with them: book, approve, decline, cancel."""

from typing import Annotated, Any

import typer

from .command import Session, command
from .failure import Usage
from .reading import MOMENT_HELP, moment_of
from .rooms import Named, find_room, rooms
from .terminal import moment

Booking = Annotated[str, typer.Argument(metavar="BOOKING", help="Its id, as `rooms bookings` shows it.")]
MINUTE_MS = 60_000


@command(rooms, "bookings")
def list_bookings(
    session: Session,
    room: Named,
    since: Annotated[str | None, typer.Option("--from", help="A moment or a day of UTC; now when left out.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="A moment or a day of UTC; 30 days on.")] = None,
) -> None:
    """The bookings of a room, by their start."""
    document = find_room(session, room)
    query = {name: value for name, value in (("from", since), ("to", until)) if value}
    rows = session.client.get(f"/rooms/{document['id']}/bookings", query)
    session.terminal.answer(
        rows,
        lambda: session.terminal.table(
            ("start", "end", "title", "state", "organizer", "id"),
            [
                (
                    moment(row["start"]),
                    moment(row["end"]),
                    row["title"],
                    row["state"],
                    row["organizer"]["email"] or row["organizer"]["name"],
                    row["id"],
                )
                for row in rows
            ],
        ),
    )


@command(rooms, "book")
def book_room(
    session: Session,
    room: Named,
    start: Annotated[str, typer.Argument(help=MOMENT_HELP)],
    minutes: Annotated[int, typer.Option(min=1, help="How long.")] = 30,
    title: Annotated[str, typer.Option(help="What it is for.")] = "",
    organizer: Annotated[str | None, typer.Option(help="Whose it is: an e-mail address.")] = None,
    rrule: Annotated[str | None, typer.Option(help="Such as FREQ=WEEKLY;COUNT=8")] = None,
) -> None:
    """Book a room."""
    begins = moment_of(start, "START")
    if begins is None:
        raise Usage("START says when")
    sent: dict[str, Any] = {"start": begins, "end": begins + minutes * MINUTE_MS, "title": title}
    if organizer:
        sent["organizer"] = {"name": "", "email": organizer}
    if rrule:
        sent["rrule"] = rrule
    _told(session, session.client.post(f"/rooms/{find_room(session, room)['id']}/bookings", sent))


@command(rooms, "approve")
def approve_booking(session: Session, room: Named, booking: Booking) -> None:
    """Confirm a booking that waits for it."""
    _told(session, session.client.post(f"/rooms/{find_room(session, room)['id']}/bookings/{booking}/approve", {}))


@command(rooms, "decline")
def decline_booking(session: Session, room: Named, booking: Booking) -> None:
    """Refuse a booking that waits for approval; its slot is free again."""
    _told(session, session.client.post(f"/rooms/{find_room(session, room)['id']}/bookings/{booking}/decline", {}))


@command(rooms, "cancel")
def cancel_booking(session: Session, room: Named, booking: Booking) -> None:
    """Give the slot of a booking back; of a series all of them, when its id is named."""
    session.client.delete(f"/rooms/{find_room(session, room)['id']}/bookings/{booking}")
    session.terminal.answer({"cancelled": booking}, lambda: session.terminal.say(f"{booking} is cancelled"))


def _told(session: Session, made: dict[str, Any]) -> None:
    session.terminal.answer(
        made,
        lambda: session.terminal.facts(
            [
                ("start", moment(made["start"])),
                ("end", moment(made["end"])),
                *((name, made[name]) for name in ("title", "state", "id")),
            ]
        ),
    )
