"""What clients are shown: what the answers of every context have in common. For the description of the API; edge only.

Answers are closed: what is not named here does not go out, and tests hold every answer to it. A field that may be
missing is `NotRequired`; none is null unless it says so.
"""

from typing import Annotated, Literal, NotRequired, TypedDict

from pydantic import ConfigDict, Field, JsonValue, with_config

from .fields import Millis

type Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{24}$")]
type Values = dict[str, JsonValue]


@with_config(ConfigDict(extra="forbid", strict=True))
class Answered(TypedDict):
    """Base of them all."""


class Scopes(Answered):
    projects: list[str]
    users: list[str]


class Resource(Answered):
    """What nearly every resource has. `scopes` is shown on request."""

    id: Id
    createdAt: Millis
    updatedAt: Millis
    name: str
    description: NotRequired[str]
    tags: NotRequired[list[str]]
    scopes: NotRequired[Scopes]


class Point(Answered):
    """A GeoJSON point: longitude, then latitude."""

    type: Literal["Point"]
    coordinates: Annotated[list[float], Field(min_length=2, max_length=2)]


class Position(Answered):
    """One position in all its forms, and the place that it was named by; a place without a position has only itself."""

    latitude: NotRequired[float]
    longitude: NotRequired[float]
    position: NotRequired[Point]
    place: NotRequired[str]


class _Found(Answered):
    field: str
    message: str
    column: int | None
    near: str | None
    expected: list[str]
    suggestion: str | None


class FindingDocument(_Found):
    """One thing wrong with one field. In rules also which one, counted from 1, and its name."""

    rule: NotRequired[int | None]
    name: NotRequired[str | None]


class CheckFinding(_Found):
    """One thing wrong or odd. An `error` keeps rules from being published or harms scans; a `note` is worth knowing."""

    rule: int | None
    name: str | None
    level: Literal["error", "warning", "note"]
    kind: str


class ErrorDocument(Answered):
    """The one document of everything that is refused."""

    status: int
    errors: list[str]
    code: str
    moreInfo: str
    details: NotRequired[list[FindingDocument]]
