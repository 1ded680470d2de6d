"""Reads the literals of a match expression as their field's type, when a rule is saved."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from urllib.parse import unquote_to_bytes

from ..clock import DAY_MS
from .fields import Field, FieldType
from .nodes import Anything, Between, Exact, Number, Op, Pattern, Prefix, number_of
from .patterns import ORDER
from .scanner import Unreadable, refuse_unstorable, unescaped, unquoted

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_NUMERIC: frozenset[FieldType] = frozenset({"number", "integer", "time", "timeOfDay"})
_WORDS: dict[FieldType, tuple[str, str]] = {  # what a type is called, and an example
    "number": ("a number", "42.5"),
    "integer": ("a whole number", "42"),
    "time": ("milliseconds since the epoch or an ISO date", "2018-03-01"),
    "timeOfDay": ("a time of day", "09:30"),
    "dayOfWeek": ("a day of the week", "mon"),
    "country": ("a two-letter country code", "IE"),
    "language": ("a language without a region", "en"),
}
_ALSO_CALLED = {  # what people write for a choice and no likeness of letters would find
    "mobile": "phone", "handset": "phone", "pc": "desktop", "computer": "desktop", "laptop": "desktop",
    "ipad": "tablet", "iphone": "ios", "ipados": "ios", "mac": "macos", "osx": "macos", "os x": "macos",
    "msedge": "edge", "chromium": "chrome",
    "available": "free", "vacant": "free", "busy": "booked", "occupied": "booked", "taken": "booked",
    "closed": "unavailable",
}  # fmt: skip
_MILLISECONDS = re.compile(r"-?[0-9]{1,16}")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])|24:00")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANGE = re.compile(r"((?:[^\\.]|\\.|\.(?!\.))*)\.\.(.*)", re.DOTALL)
_STARRED = re.compile(r"(?<!\\)(?:\\\\)*\*\Z")  # a star at the end that no backslash escapes
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")


class Misfit(Exception):
    """A literal that its field's type cannot read; the message says the type and an example."""

    def __init__(self, message: str, expected: tuple[str, ...] = (), suggestion: str | None = None):
        super().__init__(message)
        self.message, self.expected, self.suggestion = message, expected, suggestion


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as written. `stem` is the text before a star that ends an unquoted value, `ends` the sides of `..`."""

    text: str
    stem: str | None = None
    ends: tuple[str, str] | None = None


def bare(raw: str) -> Literal:
    halves = _RANGE.fullmatch(raw)
    return Literal(
        unescaped(raw),
        unescaped(raw[:-1]) if _STARRED.search(raw) else None,
        (unescaped(halves[1]).strip(), unescaped(halves[2]).strip()) if halves else None,
    )


def quoted(raw: str) -> Literal:
    return Literal(unquoted(raw))


def decoded_again(raw: str) -> str:
    """A value that still holds %XX decoded once more; as it is when that gives no text."""
    if _PERCENT.search(raw) is None:
        return raw
    try:
        text = unquote_to_bytes(raw).decode()
        refuse_unstorable(text)
    except (UnicodeDecodeError, Unreadable):
        return raw
    return text


def read(field: Field, name: str, op: Op, literal: Literal) -> Pattern:
    """What `literal` asks of the field `name`. Raises Misfit.

    A date is a whole day (UTC): `time=` is within it, `time>` after its end, a range includes its last day.
    """
    match op:
        case "~" | "!~" if field.type in _NUMERIC:
            raise Misfit(f"'{op}' looks into text, but {name} is {_WORDS[field.type][0]}")
        case "~" | "!~":
            return Exact(literal.text, literal.text)
        case "=" | "!=":
            return _read_equal(field, name, literal)
        case _:
            return _read_bound(field, name, op, literal.text)


def beyond(field: Field, op: Op, bounds: Sequence[Pattern]) -> tuple[Exact, ...]:
    """The choices of a ranked field that `op` finds beyond one of the bounds, which are choices too."""
    places = [field.choices.index(str(each.value)) for each in bounds if isinstance(each, Exact)]
    found = enumerate(field.choices)
    return tuple(Exact(each, each) for place, each in found if any(ORDER[op](place, bound) for bound in places))


def _read_equal(field: Field, name: str, literal: Literal) -> Pattern:
    if literal.stem == "":
        return Anything()
    if literal.stem is not None:
        return _read_prefix(field, name, literal.stem, literal.text)
    if field.type in _NUMERIC:
        if literal.ends is not None:
            low, high = literal.ends
            return Between(_number(field, name, ">=", low), _number(field, name, "<=", high))
        first, last = _number(field, name, ">=", literal.text), _number(field, name, "<=", literal.text)
        if first != last:
            return Between(first, last)
        _within(field, name, first, literal.text)
        return Exact(literal.text, first)
    if field.type == "open":
        if literal.ends is not None and None not in (span := tuple(map(number_of, literal.ends))):
            return Between(span[0], span[1])  # type: ignore[arg-type]  # mypy does not see through the test
        return Exact(literal.text, literal.text, number_of(literal.text))
    return Exact(literal.text, _word(field, name, literal.text))


def _read_bound(field: Field, name: str, op: Op, text: str) -> Pattern:
    if field.type in _NUMERIC:
        return Exact(text, _number(field, name, op, text))
    return Exact(text, _word(field, name, text), number_of(text))


def _read_prefix(field: Field, name: str, stem: str, text: str) -> Pattern:
    match field.type:
        case "dayOfWeek" if any(day.startswith(stem.lower()) for day in DAYS):
            return Prefix(stem.lower())
        case "country" if stem.isascii() and stem.isalpha() and len(stem) <= 2:
            return Prefix(stem.upper())
        case "language" if stem.isascii() and stem.isalpha():
            return Prefix(stem.lower())
        case "choice" if any(each.startswith(stem.lower()) for each in field.choices):
            return Prefix(stem.lower())
        case "text" | "tags" | "open":
            return Prefix(stem)
        case "choice":
            raise _no_choice(field, name, text)
        case _:
            raise _misfit(field, name, text)


def _word(field: Field, name: str, text: str) -> str:
    match field.type:
        case "dayOfWeek":
            if text.lower() in DAYS:
                return text.lower()
            raise _misfit(field, name, text, text.lower()[:3] if text.lower()[:3] in DAYS else None)
        case "country":
            if len(text) == 2 and text.isascii() and text.isalpha():
                return text.upper()
            raise _misfit(field, name, text)
        case "language":
            if 2 <= len(text) <= 8 and text.isascii() and text.isalpha():
                return text.lower()
            primary = re.split("[-_]", text)[0].lower()
            is_one = 2 <= len(primary) <= 3 and primary.isascii() and primary.isalpha()
            raise _misfit(field, name, text, primary if is_one else None)
        case "choice":
            if text.lower() in field.choices:
                return text.lower()
            raise _no_choice(field, name, text)
        case _:
            return text


def _number(field: Field, name: str, op: Op, text: str) -> Number:
    number: Number | None
    match field.type:
        case "number":
            number = number_of(text)
        case "integer":
            number = number_of(text)
            number = int(number) if number is not None and number == int(number) else None
        case "timeOfDay":
            number = _time_of_day(text)
        case _:
            number = moment_of(text, last=op in (">", "<="))
    if number is None:
        raise _misfit(field, name, text)
    return number


def _within(field: Field, name: str, number: Number, text: str) -> None:
    """Bounds hold for `=` only: `dayOfMonth<32` is odd but true."""
    low, high = field.low, field.high
    if (low is not None and number < low) or (high is not None and number > high):
        raise Misfit(f"{name} goes from {low:g} to {high:g}; found '{shown(text)}'", (f"{low:g} to {high:g}",))


def _time_of_day(text: str) -> int | None:
    if _MILLISECONDS.fullmatch(text):
        return int(text) if 0 <= int(text) <= DAY_MS else None
    if _CLOCK.fullmatch(text) is None:
        return None
    hours, minutes = text.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000


def moment_of(text: str, *, last: bool) -> int | None:
    """Milliseconds since the epoch; of a date its first or last one, in UTC, as is a time without an offset."""
    if _MILLISECONDS.fullmatch(text):
        return int(text)
    try:
        if _DATE.fullmatch(text):
            first = _milliseconds(datetime.fromisoformat(text).replace(tzinfo=UTC))
            return first + DAY_MS - 1 if last else first
        if _MOMENT.fullmatch(text):
            moment = datetime.fromisoformat(text)
            return _milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except ValueError:
        return None  # a month 13, an hour 25
    return None


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _misfit(field: Field, name: str, text: str, suggestion: str | None = None) -> Misfit:
    type_, example = _WORDS[field.type]
    expected = DAYS if field.type == "dayOfWeek" else (type_,)
    return Misfit(f"{name} is {type_}, such as {example}; found '{shown(text)}'", expected, suggestion)


def _no_choice(field: Field, name: str, text: str) -> Misfit:
    word = text.lower()[:60]
    called = _ALSO_CALLED.get(word)
    near = [called] if called in field.choices else get_close_matches(word, field.choices)
    message = f"{name} is one of {', '.join(field.choices)}; found '{shown(text)}'"
    return Misfit(message, field.choices, next(iter(near), None))


def shown(text: str) -> str:
    """A text short and plain enough to stand in a message."""
    plain = "".join(each if each.isprintable() else "\ufffd" for each in text[:61])
    return plain if len(text) <= 60 else plain[:60] + "…"
