"""Statistics and the audit log as clients are shown them."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field, JsonValue

from ..answers import Answered, Id
from ..fields import Millis
from ..redirection.answers import Author


class AuditEntry(Answered):
    """One change. `changed` names the fields of `before` and `after` that differ; what was created had no before."""

    id: Id
    timestamp: Millis
    verb: str
    what: str
    resource: str
    by: Author
    address: str
    cause: str
    reason: NotRequired[str]
    changed: list[str]
    before: JsonValue
    after: JsonValue


class Value(Answered):
    """A value that hits are summed by. Some fields are of some kinds: `country` of a city, `visitors` of a day."""

    value: str
    hits: int
    share: float
    visitors: NotRequired[int | None]
    country: NotRequired[str]
    application: NotRequired[str]
    version: NotRequired[int]
    rule: NotRequired[int]
    name: NotRequired[str]


class Statistics(Answered):
    """Hits of some days. `robots` were answered and are no hits; `limited` went to the URL of a limit."""

    first: Annotated[str, Field(alias="from")]
    to: str
    hits: int
    robots: int
    limited: int
    visitors: int | None
    by: dict[str, list[Value]]


class Erasure(Answered):
    """Something that is being forgotten: one of `thng`, `before` and `redirection`. `erased` counts rows."""

    id: Id
    createdAt: Millis
    thng: NotRequired[str]
    before: NotRequired[str]
    redirection: NotRequired[str]
    state: Literal["running", "done"]
    erased: int
    endedAt: NotRequired[Millis]
