"""What RoomVox's clients send: in the words of the document or in those of the product. Pydantic; edge only."""

from typing import Annotated, Literal

from pydantic import ConfigDict, StringConstraints

from ...fields import SentDocument

MAX_TEXT = 8_000
type RoomvoxText = Annotated[str, StringConstraints(max_length=MAX_TEXT)]


class SentRoomvoxBooking(SentDocument):
    """A booking: `summary` (or `title`), `start` and `end` are needed. `rrule` (RFC 5545) books a series."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    summary: RoomvoxText | None = None
    title: RoomvoxText | None = None
    start: RoomvoxText | None = None
    end: RoomvoxText | None = None
    organizerEmail: RoomvoxText | None = None  # noqa: N815
    organizer: RoomvoxText | None = None
    description: RoomvoxText | None = None
    rrule: RoomvoxText | None = None


class SentRoomvoxImport(SentDocument):
    """A file that was put elsewhere, by its upload's name. Other files are sent as a form, or as text/csv."""

    upload: RoomvoxText
    mode: Literal["create", "update"] = "create"
