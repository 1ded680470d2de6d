"""What the forms of a door send. Read without complaint about what a form cannot send, and with limits."""

from typing import Annotated
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...errors import Invalid, TooLarge
from ...http import Event, body_bytes, header

FORM = "application/x-www-form-urlencoded"
MAX_BYTES, MAX_FIELDS = 8_192, 20

type Text = Annotated[str, Field(max_length=100)]


class SentAtDoor(BaseModel):
    """A form: `ticket` is the page's. Which other fields count depends on the form."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="ignore")

    ticket: Annotated[str, Field(max_length=200)] = ""
    minutes: Annotated[int, Field(ge=0, le=1_440)] = 0
    title: Text = ""
    name: Text = ""
    pin: Text = ""
    booking: Text = ""
    equipment: Text = ""
    from_: Annotated[Text, Field(alias="from")] = ""


def read(event: Event) -> SentAtDoor:
    """What is no form has no fields, and no ticket. Raises Invalid, TooLarge."""
    if header(event, "content-type").partition(";")[0].strip().lower() != FORM:
        return SentAtDoor()
    try:
        body = body_bytes(event)
        if len(body) > MAX_BYTES:
            raise TooLarge(f"A form of a door has at most {MAX_BYTES:,} bytes")
        fields = dict(reversed(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)))
        return SentAtDoor.model_validate({name: value.replace("\0", "") for name, value in fields.items()})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Invalid(f"{first['loc'][0]}: {first['msg']}") from error
    except ValueError as error:
        raise Invalid(f"A form of a door is UTF-8 text of at most {MAX_FIELDS} fields") from error
