"""What Joan's clients send, field by field as Django REST framework reads it. Edge only.

A null in a field that may be left out is a field that was left out.
"""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from ...body import parse_json
from ...errors import Finding, Invalid
from ...fields import EMAIL
from ...http import Event, body_bytes, header
from ...timezones import zone_names
from .times import read_time
from .words import BLANK, NULL, REQUIRED, choice

FORM = "application/x-www-form-urlencoded"
MAX_FORM_FIELDS = 100
MAX_CHARACTERS = 1_000  # of a text
MAX_MINUTES = 31 * 24 * 60
TRUE, FALSE = ("true", "t", "1", "yes", "y", "on"), ("false", "f", "0", "no", "n", "off")


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("joan", "{message}", {"message": message})


def _char(value: Any) -> str:
    if value is None:
        raise _wrong(NULL)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _wrong("Not a valid string.")
    text = str(value).strip()
    if not text:
        raise _wrong(BLANK)
    if len(text) > MAX_CHARACTERS:
        raise _wrong(f"Ensure this field has no more than {MAX_CHARACTERS} characters.")
    if "\0" in text:
        raise _wrong("Null characters are not allowed.")
    return text


def _text(value: Any) -> str:
    return "" if isinstance(value, str) and not value.strip() else _char(value)


def _email(value: Any) -> str:
    text = _char(value)
    if EMAIL.fullmatch(text) is None:
        raise _wrong("Enter a valid email address.")
    return text


def _organizer(value: Any) -> str:
    return "" if value == "" else _email(value)


def _integer(value: Any) -> int:
    if value is None:
        raise _wrong(NULL)
    try:
        if isinstance(value, bool) or len(str(value)) > 18 or (number := float(value)) != int(number):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise _wrong("A valid integer is required.") from None
    return int(number)


def _between(low: int, high: int) -> Any:
    def check(value: Any) -> int:
        number = _integer(value)
        if number < low:
            raise _wrong(f"Ensure this value is greater than or equal to {low}.")
        if number > high:
            raise _wrong(f"Ensure this value is less than or equal to {high}.")
        return number

    return BeforeValidator(check)


def _boolean(value: Any) -> bool:
    text = str(value).lower()
    if isinstance(value, list | dict) or text not in (*TRUE, *FALSE):
        raise _wrong("Must be a valid boolean.")
    return text in TRUE


def _time(value: Any) -> datetime:
    try:
        return read_time(_char(value))
    except ValueError as error:
        raise _wrong(str(error)) from error


def _zone(value: Any) -> str:
    text = _char(value)
    if text not in zone_names():
        raise _wrong(choice(text))
    return text


def _amenities(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise _wrong(f'Expected a list of items but got type "{type(value).__name__}".')
    return [_char(each) for each in value]


def _status(value: Any) -> str:
    text = _char(value)
    if text not in ("active", "inactive"):
        raise _wrong(choice(text))
    return text


_STRING, _WHOLE = {"type": "string"}, {"type": "integer"}

type CharField = Annotated[str, BeforeValidator(_char), WithJsonSchema({**_STRING, "minLength": 1})]
type BlankCharField = Annotated[str, BeforeValidator(_text), WithJsonSchema(_STRING)]
type EmailField = Annotated[str, BeforeValidator(_email), WithJsonSchema({**_STRING, "format": "email"})]
type OrganizerField = Annotated[str, BeforeValidator(_organizer), WithJsonSchema({**_STRING, "format": "email"})]
type MinutesField = Annotated[int, _between(1, MAX_MINUTES), WithJsonSchema({**_WHOLE, "minimum": 1})]
type LifetimeField = Annotated[int, _between(0, 2**31 - 1), WithJsonSchema({**_WHOLE, "minimum": 0})]
type CapacityField = Annotated[int, _between(0, 100_000), WithJsonSchema({**_WHOLE, "minimum": 0, "maximum": 100_000})]
type BooleanField = Annotated[bool, BeforeValidator(_boolean), WithJsonSchema({"type": "boolean"})]
type DateTimeField = Annotated[datetime, BeforeValidator(_time), WithJsonSchema({**_STRING, "format": "date-time"})]
type ZoneField = Annotated[str, BeforeValidator(_zone), WithJsonSchema(_STRING)]
type AmenitiesField = Annotated[
    list[str], BeforeValidator(_amenities), WithJsonSchema({"type": "array", "items": _STRING})
]
type StatusField = Annotated[str, BeforeValidator(_status), WithJsonSchema({"enum": ["active", "inactive"]})]


class Sent(BaseModel):
    model_config = ConfigDict(extra="ignore")


class SentJoanBooking(Sent):
    """`source` is a room, or the device at its door."""

    source: CharField
    start: DateTimeField
    end: DateTimeField
    timezone: ZoneField | None = None
    organizer: OrganizerField | None = None
    title: BlankCharField | None = None
    auto_confirm: BooleanField | None = None


class SentJoanTermination(Sent):
    """`finish` shortens the event, else it is cancelled."""

    event_id: CharField
    room_id: CharField
    timezone: ZoneField
    finish: BooleanField | None = None


class SentJoanCheckIn(Sent):
    """`lifetime` is read and checked; nothing follows from it, for the document does not say what it means."""

    event_id: CharField
    room_id: CharField
    lifetime: LifetimeField


class SentJoanExtension(Sent):
    event_id: CharField
    room_id: CharField
    extend_until: DateTimeField


class SentJoanMove(Sent):
    event_id: CharField
    old_calendar_id: CharField
    new_calendar_id: CharField
    new_calendar_name: CharField


class SentJoanInvitation(Sent):
    event_id: CharField
    event_name: CharField
    room_id: CharField
    room_name: CharField
    email: EmailField


class SentJoanSearch(Sent):
    """Now and for half an hour where it says nothing else."""

    eventStart: DateTimeField | None = None  # noqa: N815
    duration: MinutesField | None = None
    timezone: ZoneField | None = None


class SentJoanChange(Sent):
    """A room, of which what is sent is changed."""

    name: CharField | None = None
    email: EmailField | None = None
    capacity: CapacityField | None = None
    status: StatusField | None = None
    amenities: AmenitiesField | None = None
    timezone: ZoneField | None = None


class SentJoanRoom(SentJoanChange):
    name: CharField


class SentJoanGrant(BaseModel):
    """A request for a token. Client id and secret are in it, or in the Authorization header (Basic)."""

    grant_type: str
    client_id: str | None = None
    client_secret: str | None = None
    scope: str | None = None


def read[M: BaseModel](model: type[M], event: Event) -> M:
    """The body, JSON or a form. Raises Invalid with a finding for each field, in the words of the API."""
    content = fields_of(event)
    optional = {name for name, each in model.model_fields.items() if not each.is_required()}
    sent = {name: value for name, value in content.items() if value is not None or name not in optional}
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        findings = [
            Finding(field=str(each["loc"][0]), message=REQUIRED if each["type"] == "missing" else each["msg"])
            for each in error.errors(include_url=False)
        ]
        raise Invalid(f"{findings[0].field}: {findings[0].message}", details=findings) from error


def fields_of(event: Event) -> dict[str, Any]:
    """A body's fields; none when there is no body. Raises Invalid, UnsupportedMedia, TooLarge."""
    try:
        body = body_bytes(event).strip()
    except ValueError as error:
        raise _unreadable("the body could not be read as it was sent") from error
    if not body:
        return {}
    if header(event, "content-type").partition(";")[0].strip().lower() == FORM and not body.startswith(b"{"):
        return form_of(body)
    content = parse_json(event)
    if not isinstance(content, dict):
        message = f"Invalid data. Expected a dictionary, but got {type(content).__name__}."
        raise Invalid(message, details=[Finding(field="non_field_errors", message=message)])
    return content


def form_of(body: bytes) -> dict[str, Any]:
    """A form's fields, the first of each name. Raises Invalid."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS)
    except ValueError as error:  # not UTF-8, or too many
        raise _unreadable(f"a form is UTF-8 text of at most {MAX_FORM_FIELDS} fields") from error
    fields: dict[str, Any] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields


def _unreadable(message: str) -> Invalid:
    return Invalid(f"Parse error - {message}", details=[Finding(field="body", message=message)])
