"""What clients send of application users and devices. Source: the platform's ApplicationUserDocument and logins."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ..fields import CustomFields, Email, SentDocument, Tags

type Password = Annotated[str, Field(min_length=8, max_length=30)]
type ShortText = Annotated[str, Field(max_length=200)]


class Birthday(SentDocument):
    day: Annotated[int, Field(ge=1, le=31)] | None = None
    month: Annotated[int, Field(ge=1, le=12)] | None = None
    year: Annotated[int, Field(ge=1850, le=9999)] | None = None


class SentUser(SentDocument):
    """What may change. `oldPassword` goes with a user's new `password`; an operator needs none."""

    firstName: ShortText | None = None  # noqa: N815
    lastName: ShortText | None = None  # noqa: N815
    birthday: Birthday | None = None
    gender: Literal["male", "female"] | None = None
    timezone: ShortText | None = None
    locale: ShortText | None = None
    photo: Annotated[str, Field(max_length=2_000)] | None = None
    customFields: CustomFields | None = None  # noqa: N815
    tags: Tags | None = None
    password: Password | None = None
    oldPassword: ShortText | None = None  # noqa: N815


class NewUser(SentUser):
    email: Email | None = None

    @model_validator(mode="after")
    def _can_log_in(self) -> Self:
        for name in ("email", "password"):
            if getattr(self, name) is None:
                raise ValueError(f"{name}: a user needs an email and a password; for others say ?anonymous=true")
        return self


class SentActivation(SentDocument):
    activationCode: ShortText  # noqa: N815


class SentLogin(SentDocument):
    """Who, and the password; a longer one than any that is kept is just a wrong one."""

    email: ShortText | None = None
    evrythngUser: ShortText | None = None  # noqa: N815
    password: ShortText

    @model_validator(mode="after")
    def _says_who(self) -> Self:
        if (self.email is None) == (self.evrythngUser is None):
            raise ValueError("email: a login names either the email or the evrythngUser")
        return self


class SentToken(SentDocument):
    token: Annotated[str, Field(min_length=1, max_length=4_000)]
    expires: int | str | None = None


class SentSocialLogin(SentDocument):
    access: SentToken


class SentGrant(SentDocument):
    """A role for another user of the same application."""

    email: ShortText
    role: ShortText


class SentDevice(SentDocument):
    thngId: Annotated[str, Field(min_length=1, max_length=60)]  # noqa: N815
