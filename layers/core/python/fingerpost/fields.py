"""The document fields that every resource shares, checked the same way everywhere. Pydantic; edge only."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from .rules.literals import moment_of

MAX_TAG = 60
MAX_KEY = 512
EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")


def _tag(value: str) -> str:
    if not value.strip():
        raise ValueError("a tag needs at least one character")
    if len(value) > MAX_TAG:
        raise ValueError(f"a tag has at most {MAX_TAG} characters; this one has {len(value)}")
    return value


def _unique(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _keyed(value: dict[str, Any]) -> dict[str, Any]:
    for key in value:
        if not key or len(key) > MAX_KEY:
            raise ValueError(f"a key has 1 to {MAX_KEY} characters; {key[:20]!r} has {len(key)}")
    return value


def _scalar(value: Any) -> Any:
    if not isinstance(value, str | int | float):  # a boolean is an int
        raise ValueError("an identifier is text, a number or a boolean")
    return value


def _named(value: str) -> str:
    if not value.strip():
        raise ValueError("a name needs at least one character")
    return value


def _email(value: str) -> str:
    if EMAIL.fullmatch(value) is None:
        raise ValueError(f"{value[:60]!r} is no e-mail address")
    return value


def _moment(value: Any) -> Any:
    """Milliseconds since the epoch, or an ISO date or moment as match expressions take them."""
    if not isinstance(value, str):
        return value
    if (moment := moment_of(value, last=False)) is None:
        raise ValueError("takes milliseconds since the epoch, or a moment such as 2026-11-29T12:00:00Z")
    return moment


def described(**schema: Any) -> Any:
    """What a validator of ours asks, as JSON Schema says it."""
    return Field(json_schema_extra=schema)


def needing(*names: str) -> ConfigDict:
    """Of a document whose validator asks for these fields, though its type does not."""

    def describe(schema: dict[str, Any]) -> None:
        schema["required"] = list(names)
        for name in names:
            (kind,) = (each for each in schema["properties"][name]["anyOf"] if each != {"type": "null"})
            schema["properties"][name] = kind

    return ConfigDict(json_schema_extra=describe)


_SOME_TEXT = {"minLength": 1, "pattern": r"\S"}
_SCALAR = {"type": ["string", "number", "boolean"]}
_KEYED = {"propertyNames": {"minLength": 1, "maxLength": MAX_KEY}}

type Email = Annotated[str, AfterValidator(_email), described(pattern=f"^{EMAIL.pattern}$")]
type Name = Annotated[str, AfterValidator(_named), described(**_SOME_TEXT)]
type Tag = Annotated[str, AfterValidator(_tag), described(**_SOME_TEXT, maxLength=MAX_TAG)]
type Tags = Annotated[list[Tag], AfterValidator(_unique)]
type Scalar = Annotated[Any, AfterValidator(_scalar), described(**_SCALAR)]
type Identifiers = Annotated[dict[str, Scalar], AfterValidator(_keyed), described(**_KEYED)]
type CustomFields = Annotated[dict[str, JsonValue], AfterValidator(_keyed), described(**_KEYED)]
type Millis = Annotated[int, Field(ge=0, le=253_402_300_799_999)]  # to the end of the year 9999

type Moment = Annotated[Millis, BeforeValidator(_moment)]


class SentDocument(BaseModel):
    """What a client sends. Fields that are not named here (read-only ones, later ones) are ignored, not refused."""

    model_config = ConfigDict(extra="ignore", strict=True)

    def sent(self) -> dict[str, Any]:
        """The fields that were sent, null included."""
        return self.model_dump(mode="json", exclude_unset=True)


def _one_notation(values: list[str]) -> list[str]:
    if len({value[:1] in ("+", "-") for value in values}) == 2:
        raise ValueError("either a plain list, or changes that all begin with + or -")
    return values


_PLAIN, _SIGNED = ({"items": {"pattern": pattern}} for pattern in ("^([^+-]|$)", "^[+-]"))

type Scope = Annotated[list[str], AfterValidator(_one_notation), described(anyOf=[_PLAIN, _SIGNED])]


class SentScopes(SentDocument):
    """`{"projects": [...], "users": [...]}`. A plain list replaces; `+id` and `-id` add and remove, not both kinds."""

    projects: Scope | None = None
    users: Scope | None = None


class SentResource(SentDocument):
    """What nearly every resource has."""

    name: Name | None = None
    description: str | None = None
    tags: Tags | None = None
    customFields: CustomFields | None = None  # noqa: N815 - the wire's own name
    identifiers: Identifiers | None = None
    scopes: SentScopes | None = None


def changed_list(current: list[str], sent: list[str]) -> list[str]:
    """A scope list after an update: replaced by a plain list, else with the `+` added and the `-` removed."""
    if not any(value[:1] in ("+", "-") for value in sent):
        return list(dict.fromkeys(sent))
    kept = [value for value in current if f"-{value}" not in sent]
    return list(dict.fromkeys(kept + [value[1:] for value in sent if value.startswith("+")]))


def merged(document: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    """A document after a PUT: each field that was sent is replaced whole, null removes it, the others stay."""
    result = {**document, **sent}
    return {name: value for name, value in result.items() if value is not None}
