"""Request bodies: JSON with bounds, documents with a finding for each field that is wrong."""

import json
from typing import Any, NoReturn

from pydantic import BaseModel, ValidationError

from .errors import Finding, Invalid, TooLarge, UnsupportedMedia
from .http import Event, body_bytes, header

MAX_BODY_BYTES = 6 * 1024 * 1024  # what a Lambda function can be sent
MAX_DEPTH = 100
JSON_TYPES = ("application/json", "application/x-www-form-urlencoded", "")  # curl says form when it is told nothing


def parse_json(event: Event) -> Any:
    """The body as JSON. Raises Invalid with line and column, UnsupportedMedia, TooLarge."""
    media = header(event, "content-type").partition(";")[0].strip().lower()
    if media not in JSON_TYPES and not media.endswith("+json"):
        raise UnsupportedMedia(f"This address reads application/json, not {media[:80]}")
    try:
        body = body_bytes(event)
    except ValueError as error:  # no base64, or half a surrogate pair
        raise Invalid("The body could not be read as it was sent") from error
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(f"The body has {len(body):,} bytes; the limit is {MAX_BODY_BYTES:,} bytes (6 MB)")
    if not body.strip():
        raise Invalid("The body is empty; send a JSON document")
    try:
        content = json.loads(body, parse_constant=_refuse_constant)
        body.decode()
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode()  # 1e400 is read as infinity
    except json.JSONDecodeError as error:
        raise Invalid(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            details=[
                Finding(
                    field="body",
                    column=error.colno,
                    message=error.msg,
                    near=error.doc[max(error.pos - 20, 0) : error.pos + 20],
                )
            ],
        ) from error
    except RecursionError as error:
        raise Invalid(f"The body is nested too deeply; the limit is {MAX_DEPTH} levels") from error
    except UnicodeError as error:
        raise Invalid("The body is not valid UTF-8 text") from error
    except ValueError as error:
        raise Invalid(f"The body is not JSON: {error}") from error
    if depth(content) > MAX_DEPTH:
        raise Invalid(f"The body is nested too deeply; the limit is {MAX_DEPTH} levels")
    return content


def json_of(text: str) -> Any:
    """A text that is not a body of a request, as JSON; None for what is none that we take."""
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    return content if depth(content) <= MAX_DEPTH else None


def depth(content: Any) -> int:
    """How many containers deep a JSON value is; walks level by level, so that depth cannot exhaust the stack."""
    levels, level = 0, [content]
    while level := [each for each in level if isinstance(each, dict | list)]:
        levels += 1
        level = [member for each in level for member in (each.values() if isinstance(each, dict) else each)]
    return levels


def json_name(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def validated[M: BaseModel](model: type[M], content: Any, field: str = "") -> M:
    """`content` as a `model`. Raises Invalid with a finding for each field, its name prefixed by `field`."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise invalid_document(error, field) from error


def invalid_document(error: ValidationError, field: str = "") -> Invalid:
    findings = []
    for each in error.errors(include_url=False):
        name = field
        for part in each["loc"]:
            name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else str(part)
        message = each["msg"].removeprefix("Value error, ")
        if each["type"] == "model_type":
            message = "Input should be a valid dictionary"  # pydantic's own goes on with the name of our class
        findings.append(Finding(field=name or "body", message=message))
    first = findings[0]
    return Invalid(f"{first.field}: {first.message}", details=findings)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def bytes_of(document: Any) -> int:
    """How many bytes a document has in an answer, where a control character takes six."""
    return len(json.dumps(document, ensure_ascii=False).encode(errors="replace"))
