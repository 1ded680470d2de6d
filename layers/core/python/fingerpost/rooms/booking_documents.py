"""Bookings as operators send them and are shown them."""

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from ..fields import Email, Moment, SentDocument
from ..resources import Document
from .model import Attendee, Booking, Person
from .slots import MAX_ATTENDEES, MAX_DESCRIPTION, MAX_TITLE

type Title = Annotated[str, StringConstraints(max_length=MAX_TITLE)]
type Description = Annotated[str, StringConstraints(max_length=MAX_DESCRIPTION)]


class SentPersonOf(SentDocument):
    """An organizer or an attendee."""

    name: Title = ""
    email: Email

    def as_person(self) -> Person:
        return Person(name=self.name, email=self.email)

    def as_attendee(self) -> Attendee:
        return Attendee(name=self.name, email=self.email)


class SentBooking(SentDocument):
    """A booking as it is changed; moments as milliseconds since the epoch or as ISO 8601 with an offset."""

    start: Moment | None = None
    end: Moment | None = None
    room: str | None = None
    title: Title | None = None
    description: Description | None = None
    organizer: SentPersonOf | None = None
    attendees: Annotated[list[SentPersonOf], Field(max_length=MAX_ATTENDEES)] | None = None


class NewBooking(SentDocument):
    """A booking of a room; `rrule` (RFC 5545) books a series, `walkIn` is by somebody who is there."""

    start: Moment
    end: Moment
    title: Title = ""
    description: Description = ""
    organizer: SentPersonOf | None = None
    attendees: Annotated[list[SentPersonOf], Field(max_length=MAX_ATTENDEES)] = Field(default_factory=list)
    rrule: Annotated[str, StringConstraints(max_length=500)] | None = None
    walkIn: bool = False  # noqa: N815

    @model_validator(mode="after")
    def _in_order(self) -> "NewBooking":
        if self.start >= self.end:
            raise ValueError("end: a booking ends after it starts")
        return self


def shown_booking(booking: Booking) -> Document:
    """What is not so is left out; of attendees the tokens of their invitations are."""
    organizer = booking.organizer
    document: Document = {
        "id": booking.id,
        "room": booking.room,
        "start": booking.start,
        "end": booking.end,
        "timezone": booking.zone,
        "title": booking.title,
        "description": booking.description,
        "organizer": {"name": organizer.name, "email": organizer.email},
        "attendees": [
            {"name": each.name, "email": each.email, "partstat": each.partstat} for each in booking.attendees
        ],
        "state": booking.state,
        "source": booking.source,
        "createdAt": booking.created_at,
        "updatedAt": booking.updated_at,
    }
    more = {
        "checkedInAt": booking.checked_in_at,
        "releaseAt": booking.release_at,
        "series": booking.series,
        "recurrenceId": booking.recurrence_id,
        "rrule": booking.rrule,
    }
    return document | {name: value for name, value in more.items() if value is not None}
