"""What clients send of projects and applications. Source: the platform's ProjectDocument, ApplicationDocument."""

from pydantic import JsonValue, model_validator

from ..fields import Millis, SentResource


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
