"""What clients send of an application's declarative rules. Pydantic; edge and command line only."""

import re
import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PrivateAttr,
    ValidationError,
)

from ..body import invalid_document, json_name
from ..catalogue.documents import Properties
from ..errors import Finding
from ..fields import CustomFields, Identifiers, Millis, SentDocument, described
from ..redirection.stories import SentReason
from .webhooks import OURS, RESERVED

MAX_RULES = 100  # of one application
MAX_STEPS = 10  # of one rule
MAX_NAME = 64
MAX_HEADERS = 20
MAX_HEADER = 1_024  # characters of one, before and after it is filled
QUEUE_NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"
NAME_OF_QUEUE = "1 to 64 lower case letters, digits, - or _"

type When = Literal["actionCreated", "thngPropertiesChanged", "productPropertiesChanged"]
FUNCTIONS: dict[str, str] = {  # of an event -> the function of scripts that is called with its document
    "actionCreated": "onActionCreated",
    "thngPropertiesChanged": "onThngPropertiesChanged",
    "productPropertiesChanged": "onProductPropertiesChanged",
}
EVENTS = {function: event for event, function in FUNCTIONS.items()}

type Target = Literal["thng", "product", "none"]


def _tags(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _rule_name(value: str) -> str:
    if any(unicodedata.category(each) in ("Cc", "Cs") for each in value):
        raise ValueError("a rule's name has no line breaks and no other control characters")
    return value


def _queue_name(value: str) -> str:
    if re.fullmatch(QUEUE_NAME, value) is None:
        raise ValueError(f"a queue's name has {NAME_OF_QUEUE}; {value[:80]!r} has not")
    return value


def _header_names(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        lower = name.lower()
        if not name or not all(each.isascii() and (each.isalnum() or each in "!#$%&'*+-.^_`|~") for each in name):
            raise ValueError(f"{name[:60]!r} is no name of a header")
        if lower in RESERVED or lower.startswith(OURS):
            raise ValueError(f"the header {name} is ours to set")
        if len(value) > MAX_HEADER:
            raise ValueError(f"the header {name} has {len(value):,} characters; the limit is {MAX_HEADER:,}")
        if not value.isprintable() or not value.isascii():
            raise ValueError(f"the header {name} holds what may not stand in one")
    return headers


class _Closed(BaseModel):
    """A part of a rule. A key that is not known is refused: a step that nobody carries out does harm."""

    model_config = ConfigDict(extra="forbid", strict=True)


class CreateAction(_Closed):
    """Create an action, of the event's thng unless `target` says otherwise, else of its product."""

    type: Annotated[str, Field(min_length=1, max_length=100)]
    target: Target | None = None
    customFields: CustomFields | None = None  # noqa: N815 - the wire's own name
    identifiers: Identifiers | None = None
    tags: Annotated[list[str], Field(max_length=100), AfterValidator(_tags)] | None = None


class SetProperties(_Closed):
    """Set properties of the event's thng, else of its product; `of` says which."""

    properties: Annotated[Properties, Field(min_length=1, max_length=25)]
    of: Literal["thng", "product"] | None = None


class CallWebhook(_Closed):
    """Send a signed request. Without a `body` it has the event document."""

    url: str
    method: Literal["POST", "PUT", "PATCH", "DELETE"] = "POST"
    headers: Annotated[dict[str, str], Field(max_length=MAX_HEADERS), AfterValidator(_header_names)] | None = None
    body: JsonValue = None


class PutOnQueue(_Closed):
    """Put a message on a queue of the application. Without a `body` it has the event document."""

    queue: Annotated[str, AfterValidator(_queue_name), described(pattern=QUEUE_NAME)]
    body: JsonValue = None


class ReactorStep(_Closed):
    """One thing to do: exactly one of these."""

    createAction: CreateAction | None = None  # noqa: N815
    setProperties: SetProperties | None = None  # noqa: N815
    callWebhook: CallWebhook | None = None  # noqa: N815
    putOnQueue: PutOnQueue | None = None  # noqa: N815


STEPS = tuple(ReactorStep.model_fields)


class SentReactorRule(_Closed):
    """One rule: its name, when it acts, and what it does then, in this order.

    What cannot be read is left out, and told in `mistakes`: so one wrong key hides no other mistake of its rule.
    """

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME, pattern=r"\S"), AfterValidator(_rule_name)]
    when: When
    filter: str | None = None
    then: Annotated[list[ReactorStep], Field(min_length=1, max_length=MAX_STEPS)]
    enabled: bool = True

    _mistakes: tuple[Finding, ...] = PrivateAttr(())
    _raw: Any = PrivateAttr(None)
    _unread: frozenset[str] = PrivateAttr(frozenset())

    @classmethod
    def read(cls, value: Any) -> Self:
        """A rule from what a client sent, whatever it is."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict):
            mistake = Finding(field="", message=f"a rule is an object, not {json_name(value)}")
            return cls._without({"name", "when", "then"}, {}, value, (mistake,))
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            wrong = {_part(each["loc"]) for each in error.errors(include_url=False)}
            return cls._without(wrong, value, value, tuple(map(_told, invalid_document(error).details)))

    @classmethod
    def _without(cls, wrong: set[str], value: dict[str, Any], raw: Any, mistakes: tuple[Finding, ...]) -> Self:
        readable = {name: each for name, each in value.items() if name not in wrong}
        if isinstance(steps := readable.get("then"), list):
            readable["then"] = [{} if f"then[{number}]" in wrong else step for number, step in enumerate(steps)]
        rule = cls.model_validate({"name": "-", "when": "actionCreated", "then": [{}], **readable})
        rule._mistakes, rule._raw = mistakes, raw
        rule._unread = frozenset(wrong)
        return rule

    @property
    def unread(self) -> frozenset[str]:
        """What stands in for what could not be read: fields, and steps as `then[2]`."""
        return self._unread

    @property
    def mistakes(self) -> tuple[Finding, ...]:
        """What could not be read; the fields are relative to the rule."""
        return self._mistakes

    def sent(self) -> Any:
        """The rule as it came: an object, unless that is the mistake."""
        return self._raw if self._mistakes else self.model_dump(mode="json", exclude_unset=True)


class SentReactorRules(SentDocument):
    rules: Annotated[
        list[Annotated[SentReactorRule, BeforeValidator(SentReactorRule.read)]], Field(max_length=MAX_RULES)
    ]


class SentReactorVersion(SentReason, SentReactorRules):
    """The rules, why they change, and the version that their author saw live."""


def _part(path: Sequence[int | str]) -> str:
    """The field of a rule in which a mistake is, or its step."""
    match path:
        case ["then", int(number), *_]:
            return f"then[{number}]"
        case [name, *_]:
            return str(name)
    raise ValueError(path)


def _told(finding: Finding) -> Finding:
    """A mistake in words that help: of a key that nobody knows, the one that was meant."""
    path, _, name = finding.field.rpartition(".")
    if finding.message != "Extra inputs are not permitted":
        return finding
    known = _known_below(path)
    return Finding(
        field=finding.field,
        message=f"unknown key {name[:60]!r}; there are {', '.join(known)}",
        expected=known,
        suggestion=next(iter(get_close_matches(name[:60], known, n=1)), None),
    )


def _known_below(path: str) -> tuple[str, ...]:
    part = path.rpartition(".")[2]
    for name, field in ReactorStep.model_fields.items():
        if part == name:
            kind: Any = next(each for each in field.annotation.__args__ if each is not type(None))  # type: ignore[union-attr]
            return tuple(kind.model_fields)
    return STEPS if part.startswith("then[") else tuple(SentReactorRule.model_fields)


# What a client asks about rules


class SentReactorRollback(SentReason):
    version: Annotated[int, Field(ge=1)]


class _Open(BaseModel):
    """A part of an event's document, which may say more than is read of it."""

    model_config = ConfigDict(extra="allow", strict=True)


class SentChange(_Open):
    oldValue: JsonValue = None  # noqa: N815
    newValue: JsonValue = None  # noqa: N815
    timestamp: Millis | None = None


class SentPosition(_Open):
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    place: str | None = None


class SentScope(_Open):
    projects: list[str] | None = None


class SentEventAction(_Open):
    type: str
    id: str | None = None
    timestamp: Millis | None = None
    thng: str | None = None
    product: str | None = None
    collection: str | None = None
    user: str | None = None
    tags: list[str] | None = None
    customFields: dict[str, JsonValue] | None = None  # noqa: N815
    identifiers: dict[str, JsonValue] | None = None
    location: SentPosition | None = None
    context: dict[str, str | None] | None = None
    scopes: SentScope | None = None


class SentThing(_Open):
    id: str | None = None
    name: str | None = None
    description: str | None = None
    product: str | None = None
    tags: list[str] | None = None
    customFields: dict[str, JsonValue] | None = None  # noqa: N815
    identifiers: dict[str, JsonValue] | None = None
    properties: dict[str, JsonValue] | None = None


class SentEvent(_Open):
    """An event's document. Of changed properties, the thng or product may be named by its id alone."""

    action: SentEventAction | None = None
    thng: SentThing | str | None = None
    product: SentThing | str | None = None
    changes: Annotated[dict[str, SentChange], Field(min_length=1, max_length=100)] | None = None


class SentReactorSimulation(SentDocument):
    """An event to try rules with: its document, or the id of an action. Without `rules`, those that act."""

    event: SentEvent | None = None
    action: str | None = None
    rules: list[JsonValue] | None = None


class SentReactorComparison(SentDocument):
    """Rules to compare with those that act."""

    rules: list[JsonValue]
