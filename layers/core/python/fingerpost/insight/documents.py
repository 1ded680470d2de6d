"""What clients are shown. Pydantic, for the description of the API."""

from pydantic import BaseModel, JsonValue


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
