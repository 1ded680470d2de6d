"""What clients send of redirections and rules. Source: the platform's RedirectionDocument and redirector documents."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationError

from ..body import invalid_document, json_name
from ..errors import Finding
from ..fields import Millis, SentDocument, described, needing

MAX_RULES = 10_000
MAX_VARIANTS = 10
MAX_VARIANT_NAME = 64
MAX_WEIGHT = 1_000
MAX_SCANS = 1_000_000_000
VARIANT_FIELDS = ("name", "weight", "redirectUrl")
RULE_FIELDS = ("match", "name", "redirectUrl", "constants", "variants", "variantsUntil")
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


type ShortId = Annotated[str, AfterValidator(_short_id), described(pattern=f"^{_SHORT_ID.pattern}$")]


class SentLimits(BaseModel):
    """Limits of a redirection, in whole or in part. What is not known is refused: a limit nobody keeps does harm."""

    model_config = ConfigDict(extra="forbid", strict=True)

    validFrom: Millis | None = None  # noqa: N815
    beforeUrl: str | None = None  # noqa: N815
    validUntil: Millis | None = None  # noqa: N815
    afterUrl: str | None = None  # noqa: N815
    maxScans: Annotated[int, Field(ge=1, le=MAX_SCANS)] | None = None  # noqa: N815
    exhaustedUrl: str | None = None  # noqa: N815

    def sent(self) -> dict[str, Any]:
        """The fields that were sent, null included."""
        return self.model_dump(mode="json", exclude_unset=True)


class SentRedirection(SentDocument):
    """A redirection as it is created or, in part, updated."""

    defaultRedirectUrl: Annotated[str, described(pattern="^[Hh][Tt]{2}[Pp][Ss]?://")] | None = None  # noqa: N815
    evrythngId: str | None = None  # noqa: N815
    type: Literal["thng", "product", "collection", "place"] | None = None
    shortDomain: str | None = None  # noqa: N815
    shortId: ShortId | None = None  # noqa: N815
    limits: SentLimits | None = None


class NewRedirection(SentRedirection):
    """One that is created. `evrythngId` may be in the address."""

    model_config = needing("defaultRedirectUrl")


class SentDelegate(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    app: str | None = None
    project: str | None = None


class SentVariant(BaseModel):
    """One of the URLs of a split test. How many there may be and what they may be called: splits.py."""

    model_config = ConfigDict(extra="allow", strict=True)

    name: str
    weight: int
    redirectUrl: str  # noqa: N815


class SentApplicationRule(BaseModel):
    """One rule of an application. A key that is not known is stored as given, and warned of.

    What cannot be read is left out, and told in `mistakes`: so one wrong key hides no other mistake of its rule.
    """

    model_config = ConfigDict(extra="allow", strict=True)

    match: str | None = None
    name: Annotated[str, Field(max_length=256)] | None = None
    redirectUrl: str | None = None  # noqa: N815
    constants: Annotated[dict[str, str], Field(max_length=100)] | None = None
    variants: list[SentVariant] | None = None
    variantsUntil: Millis | None = None  # noqa: N815

    _mistakes: tuple[Finding, ...] = PrivateAttr(())
    _raw: Any = PrivateAttr(None)

    @classmethod
    def read(cls, value: Any) -> Self:
        """A rule from what a client sent, whatever it is."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict):
            return cls()._with_mistakes(
                value, (Finding(field="", message=f"a rule is an object, not {json_name(value)}"),)
            )
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            wrong = {str(each["loc"][0]) for each in error.errors(include_url=False)}
            readable = cls.model_validate({name: each for name, each in value.items() if name not in wrong})
            return readable._with_mistakes(value, invalid_document(error).details)

    def _with_mistakes(self, raw: Any, mistakes: tuple[Finding, ...]) -> Self:
        self._raw, self._mistakes = raw, mistakes
        return self

    @property
    def mistakes(self) -> tuple[Finding, ...]:
        """What could not be read; the fields are relative to the rule."""
        return self._mistakes

    def sent(self) -> Any:
        """The rule as it came: an object, unless that is the mistake."""
        return self._raw if self._mistakes else self.model_dump(mode="json", exclude_unset=True)


class SentRule(SentApplicationRule):
    """One rule of the account: it may ask applications."""

    delegates: Annotated[list[SentDelegate], Field(max_length=100)] | None = None


class SentApplicationRules(SentDocument):
    rules: Annotated[
        list[Annotated[SentApplicationRule, BeforeValidator(SentApplicationRule.read)]], Field(max_length=MAX_RULES)
    ]


class SentRules(SentDocument):
    rules: Annotated[list[Annotated[SentRule, BeforeValidator(SentRule.read)]], Field(max_length=MAX_RULES)]


def unknown_keys(place: str, extra: Mapping[str, Any], known: Iterable[str]) -> list[Finding]:
    """A warning for each key of a rule, or of a part of one, that is kept and means nothing."""
    return [
        Finding(
            field=f"{place}.{name}",
            message=f"unknown key {name[:60]!r}; it is kept but means nothing",
            suggestion=next(iter(get_close_matches(name[:60], known, n=1)), None),
        )
        for name, value in extra.items()
        if name != "delegates" or value  # clients send an empty list also where nobody can be asked
    ]
