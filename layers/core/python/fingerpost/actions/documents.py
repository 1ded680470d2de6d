"""What clients send of actions and action types. Source: the platform's ActionDocument, ActionTypeDocument."""

import re
from typing import Annotated

from pydantic import AfterValidator

from ..catalogue.documents import SentLocation
from ..fields import CustomFields, Identifiers, Millis, SentDocument, SentScopes, Tags, described

_CUSTOM = re.compile(r"_[A-Za-z0-9_.:-]{1,99}")


def _custom_name(value: str) -> str:
    if _CUSTOM.fullmatch(value) is None:
        raise ValueError("the name of a custom action type begins with _, then 1 to 99 letters, digits or _ . : -")
    return value


class SentAction(SentDocument):
    """An action. Read-only marks bind updates: what took place may be told when it is created."""

    type: str | None = None
    thng: str | None = None
    product: str | None = None
    collection: str | None = None
    timestamp: Millis | None = None
    location: SentLocation | None = None
    identifiers: Identifiers | None = None
    customFields: CustomFields | None = None  # noqa: N815
    tags: Tags | None = None


class SentActionType(SentDocument):
    tags: Tags | None = None
    customFields: CustomFields | None = None  # noqa: N815
    scopes: SentScopes | None = None


class NewActionType(SentActionType):
    name: Annotated[str, AfterValidator(_custom_name), described(pattern=f"^{_CUSTOM.pattern}$")]
