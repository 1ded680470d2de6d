"""What a request to the ROOM service says: which service, and with which parameters.

Parameters come as a JSON body, as query values, or as one URL-encoded JSON object that is the whole query; where a name
comes twice, the body's value counts. In a query a nested value is JSON.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from ...body import json_name, json_of, parse_json
from ...errors import Invalid
from ...http import Event, body_bytes
from .words import Mandatory

SERVICES = "/-/svc/"
MAX_TEXT = 8_000
MAX_NAME = 200  # of what names something: a socket, a device, a room
TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")
_SERVICE = re.compile(r"/-/(?:.*/)?(?:svc|api)/([A-Za-z_]+\.[A-Za-z_]+)/?")


def canonical(path: str) -> str:
    """The one path of a service, which has many; any other path as it is."""
    found = _SERVICE.fullmatch(path)
    return path if found is None else SERVICES + found[1]


def ack_of(event: Event) -> str:
    """What an answer names as the service: `room.book`; `room` where there is none."""
    path = canonical(event["rawPath"])
    return path.removeprefix(SERVICES)[:80] if path.startswith(SERVICES) else "room"


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of a request. One that is null or empty text was not sent, as in the product."""

    values: Mapping[str, Any]

    def has(self, name: str) -> bool:
        return self.values.get(name) not in (None, "")

    def need(self, name: str) -> Any:
        """Raises Mandatory."""
        if not self.has(name):
            raise Mandatory(name)
        return self.values[name]

    def text(self, name: str, default: str = "", most: int = MAX_TEXT) -> str:
        """Raises Invalid."""
        return _text(name, self.values[name], most) if self.has(name) else default

    def name(self, name: str) -> str:
        """A text that names something, which must be there. Raises Mandatory, Invalid."""
        return _text(name, self.need(name), MAX_NAME)

    def number(self, name: str, default: int, *, low: int, high: int) -> int:
        """Raises Invalid."""
        return _number(name, self.values[name], low, high) if self.has(name) else default

    def flag(self, name: str, default: bool) -> bool:
        """0 or 1. Raises Invalid."""
        if not self.has(name):
            return default
        text = str(self.values[name]).strip().lower()
        if text in TRUE or text in FALSE:
            return text in TRUE
        raise Invalid(f"{name} is 0 or 1, not {text[:40]!r}")

    def object(self, name: str) -> dict[str, Any]:
        """An object, or JSON of one; empty when it is not there. Raises Invalid."""
        value = _unpacked(self.values.get(name)) if self.has(name) else {}
        if not isinstance(value, dict):
            raise Invalid(f"{name} is an object, not {json_name(value)}")
        return value

    def list(self, name: str) -> list[Any]:
        """A list, JSON of one, or a single value; empty when it is not there. Raises Invalid."""
        value = _unpacked(self.values.get(name)) if self.has(name) else []
        return value if isinstance(value, list) else [value]


def asked(event: Event) -> Asked:
    """Raises Invalid, UnsupportedMedia, TooLarge."""
    sent: dict[str, Any] = _query(event.get("rawQueryString", ""))
    try:
        has_body = bool(body_bytes(event).strip())
    except ValueError as error:
        raise Invalid("The body could not be read as it was sent") from error
    if has_body:
        content = parse_json(event)
        if not isinstance(content, dict):
            raise Invalid(f"The body must be a JSON object, not {json_name(content)}")
        sent |= content
    return Asked(sent)


def _query(raw: str) -> dict[str, Any]:
    text = unquote_plus(raw)
    if text.startswith("{"):
        content = json_of(text)
        if not isinstance(content, dict):
            raise Invalid("The query is neither a JSON object nor name=value pairs")
        return content
    values: dict[str, Any] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        values.setdefault(name, value)
    return values


def _unpacked(value: Any) -> Any:
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        content = json_of(value)
        return value if content is None else content
    return value


def _text(name: str, value: Any, most: int) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Invalid(f"{name} is text, not {json_name(value)}")
    text = str(value)
    if len(text) > most:
        raise Invalid(f"{name} has at most {most:,} characters; this has {len(text):,}")
    try:
        text.encode()
    except UnicodeError as error:
        raise Invalid(f"{name} is not valid UTF-8 text") from error
    return text.replace("\0", "")


def _number(name: str, value: Any, low: int, high: int) -> int:
    try:
        if isinstance(value, bool) or len(str(value)) > 18:
            raise ValueError
        number = float(value)
        if number != int(number):
            raise ValueError
    except (TypeError, ValueError, OverflowError) as error:
        raise Invalid(f"{name} is a whole number, not {str(value)[:40]!r}") from error
    if not low <= number <= high:
        raise Invalid(f"{name} is a number from {low:,} to {high:,}, not {int(number):,}")
    return int(number)
