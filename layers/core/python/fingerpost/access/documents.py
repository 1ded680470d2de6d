"""What clients send of projects and applications. Source: the platform's ProjectDocument, ApplicationDocument."""

from pydantic import JsonValue, model_validator

from ..fields import CustomFields, Millis, Name, SentDocument, SentResource


class SentProject(SentResource):
    startsAt: Millis | None = None  # noqa: N815
    endsAt: Millis | None = None  # noqa: N815
    imageUrl: str | None = None  # noqa: N815
    shortDomains: list[str] | None = None  # noqa: N815


class NewProject(SentProject):
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
    @model_validator(mode="after")
    def _has_name(self) -> "NewApplication":
        if not self.name:
            raise ValueError("name: an application needs a name")
        return self


class SentAccount(SentDocument):
    """An account as it is updated. `wholeAddresses` is ours: scans keep addresses in full, not cut to /24 or /48."""

    name: Name | None = None
    imageUrl: str | None = None  # noqa: N815
    customFields: CustomFields | None = None  # noqa: N815
    wholeAddresses: bool | None = None  # noqa: N815
