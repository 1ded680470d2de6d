"""What clients send of projects and applications. Source: the platform's ProjectDocument, ApplicationDocument."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue, model_validator

from ..fields import CustomFields, Email, Millis, Name, SentDocument, SentResource, needing

MAX_HOSTS = 100
MAX_RETENTION_DAYS = 3_650
_HOST = re.compile(r"(\*\.)?(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"({_LABEL}\.)+(?![0-9]+(:|$)){_LABEL}(:[0-9]{{1,5}})?")  # no address: its end is no number


def _ascii(value: str) -> str:
    """A host as URLs have it: ASCII (IDNA), in lower case."""
    try:
        host = value if value.isascii() else value.encode("idna").decode()
    except UnicodeError as error:
        raise ValueError(f"{value[:60]!r} is not clear as a host: write it in its ASCII form (xn--)") from error
    return host.lower().removesuffix(".")


def _host(value: str) -> str:
    host = _ascii(value)
    if len(host) > 253 or _HOST.fullmatch(host) is None:
        raise ValueError(
            f"{value[:60]!r} is no host: write shop.example, or *.shop.example for every host below it, "
            "without scheme, port or path"
        )
    return host


def _domain(value: str) -> str:
    domain = _ascii(value)
    if len(domain) > 253 or _DOMAIN.fullmatch(domain) is None:
        raise ValueError(f"{value[:60]!r} is no short domain: write go.example, without scheme or path")
    return domain


class SentShortDomain(SentDocument):
    """A host that is to be one of the account's short domains."""

    shortDomain: Annotated[str, AfterValidator(_domain)]  # noqa: N815


class SentProject(SentResource):
    startsAt: Millis | None = None  # noqa: N815
    endsAt: Millis | None = None  # noqa: N815
    imageUrl: str | None = None  # noqa: N815
    shortDomains: list[str] | None = None  # noqa: N815


class NewProject(SentProject):
    model_config = needing("name")

    @model_validator(mode="after")
    def _has_name(self) -> "NewProject":
        if not self.name:
            raise ValueError("name: a project needs a name")
        return self


class SentApplication(SentResource):
    socialNetworks: dict[str, JsonValue] | None = None  # noqa: N815
    defaultUrl: str | None = None  # noqa: N815
    defaultRole: str | None = None  # noqa: N815


class NewApplication(SentApplication):
    model_config = needing("name")

    @model_validator(mode="after")
    def _has_name(self) -> "NewApplication":
        if not self.name:
            raise ValueError("name: an application needs a name")
        return self


class SentOperator(SentDocument):
    """What an operator may change of themselves."""

    firstName: Annotated[str, Field(max_length=200)] | None = None  # noqa: N815
    lastName: Annotated[str, Field(max_length=200)] | None = None  # noqa: N815
    customFields: CustomFields | None = None  # noqa: N815


class NewOperator(SentOperator):
    """Somebody who is to work with the account; until a role is given, without any right."""

    email: Email
    role: str = "none"


class SentAccess(SentDocument):
    role: str


class SentAccount(SentDocument):
    """An account as it is updated. Three fields are ours.

    `wholeAddresses`: scans keep addresses in full, not cut to /24 or /48. `allowedHosts`: where application rules may
    lead; without hosts in it, anywhere. `retentionDays`: how long actions and statistics are kept; null: for good.
    """

    name: Name | None = None
    imageUrl: str | None = None  # noqa: N815
    customFields: CustomFields | None = None  # noqa: N815
    wholeAddresses: bool | None = None  # noqa: N815
    retentionDays: Annotated[int, Field(ge=1, le=MAX_RETENTION_DAYS)] | None = None  # noqa: N815
    allowedHosts: Annotated[list[Annotated[str, AfterValidator(_host)]], Field(max_length=MAX_HOSTS)] | None = None  # noqa: N815
