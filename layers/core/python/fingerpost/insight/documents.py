"""What clients are shown. Pydantic, for the description of the API."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class Actor(BaseModel):
    """Who did something; `email` of an operator who is still there."""

    id: str
    type: str
    email: str | None = None


class AuditEntry(BaseModel):
    """One change. `changed` names the fields of `before` and `after` that differ; what was created had no before."""

    id: str
    timestamp: int
    verb: str
    what: str
    resource: str
    by: Actor
    address: str
    cause: str
    reason: str | None = None
    changed: list[str]
    before: JsonValue
    after: JsonValue


class Value(BaseModel):
    """A value that hits are summed by. Some fields are of some kinds: `country` of a city, `visitors` of a day."""

    value: str
    hits: int
    share: float
    visitors: int | None = None
    country: str | None = None
    application: str | None = None
    version: int | None = None
    rule: int | None = None
    name: str | None = None


class Statistics(BaseModel):
    """Hits of some days. `robots` were answered and are no hits; `limited` went to the URL of a limit."""

    model_config = ConfigDict(populate_by_name=True)

    first: str = Field(alias="from")
    to: str
    hits: int
    robots: int
    limited: int
    visitors: int | None
    by: dict[str, list[Value]]


class Erasure(BaseModel):
    """Something that is being forgotten: one of `thng`, `before` and `redirection`. `erased` counts rows."""

    id: str
    createdAt: int  # noqa: N815 - the wire's own name
    thng: str | None = None
    before: str | None = None
    redirection: str | None = None
    state: Literal["running", "done"]
    erased: int
    endedAt: int | None = None  # noqa: N815
