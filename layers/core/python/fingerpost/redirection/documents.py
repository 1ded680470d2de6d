"""What clients send of redirections and rules. Source: the platform's RedirectionDocument and redirector documents."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ..fields import SentDocument

MAX_RULES = 10_000
RULE_FIELDS = ("match", "name", "redirectUrl", "constants")
ACCOUNT_RULE_FIELDS = (*RULE_FIELDS, "delegates")
RESERVED = frozenset(
    {
        "access", "accounts", "actions", "api", "apple-app-site-association", "apps", "assets", "auth", "collections",
        "console", "docs", "errors", "favicon", "health", "login", "metrics", "openapi", "places", "products", "qr",
        "redirections", "redirector", "robots", "sitemap", "static", "thngs", "well-known",
    }
)  # fmt: skip
_SHORT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def _short_id(value: str) -> str:
    if _SHORT_ID.fullmatch(value) is None:
        raise ValueError("a short ID has 1 to 64 letters, digits, - or _, and begins with a letter or digit")
    if value.lower() in RESERVED:
        raise ValueError(f"{value!r} is reserved; choose another short ID")
    return value


class SentRedirection(SentDocument):
    """A redirection as it is created or, in part, updated."""

    defaultRedirectUrl: str | None = None  # noqa: N815
    evrythngId: str | None = None  # noqa: N815
    type: Literal["thng", "product", "collection", "place"] | None = None
    shortDomain: str | None = None  # noqa: N815
    shortId: Annotated[str, AfterValidator(_short_id)] | None = None  # noqa: N815


class SentDelegate(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    app: str | None = None
    project: str | None = None


class SentApplicationRule(BaseModel):
    """One rule of an application. A key that is not known is stored as given, and warned of."""

    model_config = ConfigDict(extra="allow", strict=True)

    match: str | None = None
    name: Annotated[str, Field(max_length=256)] | None = None
    redirectUrl: str | None = None  # noqa: N815
    constants: Annotated[dict[str, str], Field(max_length=100)] | None = None

    def sent(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_unset=True)


class SentRule(SentApplicationRule):
    """One rule of the account: it may ask applications."""

    delegates: Annotated[list[SentDelegate], Field(max_length=100)] | None = None


class SentApplicationRules(SentDocument):
    rules: Annotated[list[SentApplicationRule], Field(max_length=MAX_RULES)]


class SentRules(SentDocument):
    rules: Annotated[list[SentRule], Field(max_length=MAX_RULES)]
