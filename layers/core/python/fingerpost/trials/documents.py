"""What clients send to try rules: scans described by their facts, and what to ask about which. Pydantic; edge only."""

from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from ..fields import CustomFields, Moment, SentDocument
from ..redirection.facts import MAX_AGENT, MAX_HEADER
from ..redirection.references import SentReference
from .backtest import MAX_SCANS

MAX_RULES_TOLD = 1_000
MAX_CHECKED_SCANS = 10_000
MAX_QUERY_PARAMETERS = 50

type Text = Annotated[str, StringConstraints(max_length=MAX_HEADER)]


def _country(value: str) -> str:
    if len(value) != 2 or not (value.isascii() and value.isalpha()):
        raise ValueError("takes a two-letter country code, such as IE")
    return value.upper()


class SentScan(SentDocument):
    """A scan as its facts describe it; what is left out is unknown, and `timestamp` is now.

    It is of a short link, or of a thing. A key that nobody knows is refused: it would silently mean nothing.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    shortId: str | None = None  # noqa: N815
    shortDomain: str | None = None  # noqa: N815
    thng: str | None = None
    product: str | None = None
    collection: str | None = None
    place: str | None = None
    timestamp: Moment | None = None
    timezone: Text | None = None
    country: Annotated[str, AfterValidator(_country)] | None = None
    region: Text | None = None
    city: Text | None = None
    language: Text | None = None  # as Accept-Language has it
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    userAgent: Annotated[str, StringConstraints(max_length=MAX_AGENT)] | None = None  # noqa: N815
    referer: Text | None = None
    query: Annotated[dict[str, str], Field(max_length=MAX_QUERY_PARAMETERS)] | None = None
    visitor: Text | None = None  # any text: the same one gets the same variant every time
    customFields: CustomFields | None = None  # noqa: N815

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        unknown = [name for name in value if name not in cls.model_fields] if isinstance(value, dict) else []
        if unknown:
            near = get_close_matches(unknown[0][:60], cls.model_fields, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(cls.model_fields)}"
            raise ValueError(f"unknown fact {unknown[0][:60]!r}{meant}")
        return value

    @model_validator(mode="after")
    def _whole(self) -> "SentScan":
        if (self.latitude is None) is not (self.longitude is None):
            raise ValueError("latitude and longitude come together")
        named = [name for name in ("shortId", "thng", "product", "collection") if getattr(self, name) is not None]
        if len(named) > 1:
            raise ValueError(f"a scan is of one thing: give one of {', '.join(named)}")
        return self


class SentSimulation(SentReference):
    """A scan to ask rules about: described, or a recorded one by its action's id, whose facts `scan` may change."""

    scan: SentScan | None = None
    action: str | None = None
    firstRule: Annotated[int, Field(ge=1)] = 1  # noqa: N815
    ruleLimit: Annotated[int, Field(ge=0, le=MAX_RULES_TOLD)] = MAX_RULES_TOLD  # noqa: N815


class SentBacktest(SentReference):
    """Rules to try on recorded scans, beside the version `against`, or the live one."""

    against: Annotated[int, Field(ge=1)] | None = None
    scans: Annotated[int, Field(ge=1, le=MAX_SCANS)] = MAX_SCANS
    filter: str = ""
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    cursor: str | None = None


class SentCheck(SentReference):
    """Rules to check: with their `targets` asked for an answer, and tried on so many recorded `scans`."""

    targets: bool = False
    scans: Annotated[int, Field(ge=0, le=MAX_CHECKED_SCANS)] = 1_000
