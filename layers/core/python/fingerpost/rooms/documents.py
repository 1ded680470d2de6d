"""What operators send of rooms and what belongs to them. Source: the documents of the four room APIs, wire-facts."""

import re
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from ..catalogue.documents import Properties
from ..fields import (
    CustomFields,
    Email,
    Identifiers,
    Millis,
    Name,
    SentDocument,
    SentScopes,
    Tags,
    described,
    needing,
)
from ..redirection.documents import ShortId
from .rooms import FACILITIES, SETTINGS
from .rules import DAYS, minutes_of

MAX_MANAGERS, MAX_CUSTOM = 50, 200
_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"


def _slug(text: str) -> str:
    if _SLUG.fullmatch(text) is None:
        raise ValueError(
            f"{text[:40]!r} is no slug: small letters, digits, dots, dashes, 64 at most, such as board-room"
        )
    return text


def _zone(text: str) -> str:
    if text not in available_timezones():
        near = get_close_matches(text[:60], available_timezones(), n=1)
        raise ValueError(f"unknown time zone {text[:60]!r}" + (f"; did you mean {near[0]}?" if near else ""))
    return text


def _known(names: tuple[str, ...], what: str) -> Any:
    def check(values: dict[str, Any]) -> dict[str, Any]:
        for name in values:
            if name not in names:
                raise ValueError(f"unknown {what} {name[:40]!r}; there are {', '.join(names)}")
        return values

    return AfterValidator(check)


type Slug = Annotated[str, AfterValidator(_slug), described(pattern=f"^{_SLUG.pattern}$")]
type Zone = Annotated[str, AfterValidator(_zone)]
type Clock = Annotated[str, StringConstraints(pattern=_CLOCK)]  # minutes of a day; 24:00 ends it
type Short = Annotated[str, StringConstraints(max_length=200)]
type Works = bool | None  # working, broken, not there
type Facilities = Annotated[
    dict[str, Works], _known(FACILITIES, "equipment"), described(propertyNames={"enum": list(FACILITIES)})
]
type Custom = Annotated[dict[str, Works], Field(max_length=MAX_CUSTOM)]
type Settings = Annotated[
    dict[str, bool], _known(SETTINGS, "setting"), described(propertyNames={"enum": list(SETTINGS)})
]
type Minutes = Annotated[int, Field(ge=1, le=44_640)]
type Level = Literal["country", "city", "building", "floor"]


class SentBookingRules(SentDocument):
    """When a room can be booked, by its own clocks. What is left out is no limit."""

    opens: Clock | None = None
    closes: Clock | None = None
    days: Annotated[list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]], Field(min_length=1)] | None = None
    horizonDays: Annotated[int, Field(ge=0, le=3_650)] | None = None  # noqa: N815
    minMinutes: Minutes | None = None  # noqa: N815
    maxMinutes: Minutes | None = None  # noqa: N815
    bufferMinutes: Annotated[int, Field(ge=0, le=1_440)] | None = None  # noqa: N815

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if minutes_of(self.opens or "00:00") >= minutes_of(self.closes or "24:00"):
            raise ValueError("opens: a room opens before it closes")
        if (self.minMinutes or 0) > (self.maxMinutes or 44_640):
            raise ValueError("minMinutes: no more than maxMinutes")
        if self.days is not None:
            self.days = sorted(set(self.days), key=DAYS.index)
        return self


class SentCheckIn(SentDocument):
    """Minutes before the start from which, and after it until when, somebody has to check in."""

    opensBefore: Annotated[int, Field(ge=0, le=1_440)] = 10  # noqa: N815
    grace: Annotated[int, Field(ge=1, le=1_440)] = 10


class SentRoomAddress(SentDocument):
    building: Short | None = None
    street: Short | None = None
    postalCode: Short | None = None  # noqa: N815
    city: Short | None = None


class SentRoom(SentDocument):
    """A room as it is updated. Its thng has the same name, description and scopes."""

    name: Name | None = None
    description: str | None = None
    scopes: SentScopes | None = None
    slug: Slug | None = None
    email: Email | None = None
    capacity: Annotated[int, Field(ge=0, le=100_000)] | None = None
    timezone: Zone | None = None
    active: bool | None = None
    structure: str | None = None
    type: Short | None = None
    number: Short | None = None
    address: SentRoomAddress | None = None
    equipment: Facilities | None = None
    customEquipment: Custom | None = None  # noqa: N815
    rules: SentBookingRules | None = None
    approval: bool | None = None
    managers: Annotated[list[Email], Field(max_length=MAX_MANAGERS)] | None = None
    checkIn: SentCheckIn | None = None  # noqa: N815
    auth: Settings | None = None
    showTitles: bool | None = None  # noqa: N815


class NewRoom(SentRoom):
    """A room with a thng of its own, or made from one that there is: `thng` names it."""

    thng: str | None = None
    product: str | None = None
    tags: Tags | None = None
    customFields: CustomFields | None = None  # noqa: N815
    identifiers: Identifiers | None = None
    properties: Properties | None = None
    shortId: ShortId | None = None  # noqa: N815
    defaultRedirectUrl: str | None = None  # noqa: N815

    @model_validator(mode="after")
    def _has_name(self) -> "NewRoom":
        if not self.name and not self.thng:
            raise ValueError("name: a room needs a name, or a thng that has one")
        return self


class SentStructure(SentDocument):
    name: Name | None = None
    parent: str | None = None


class NewStructure(SentStructure):
    """A country, a city, a building or a floor; `parent` is of a level above it."""

    model_config = needing("name", "level")

    level: Level | None = None

    @model_validator(mode="after")
    def _whole(self) -> "NewStructure":
        for name in ("name", "level"):
            if getattr(self, name) is None:
                raise ValueError(f"{name}: a structure needs a {name}")
        return self


class SentEquipment(SentDocument):
    """A kind of equipment that the documents do not name."""

    name: Name


class SentPerson(SentDocument):
    """Somebody who uses rooms. `pin`, `rfid` and `password` are never shown again."""

    name: Name | None = None
    firstName: Short | None = None  # noqa: N815
    lastName: Short | None = None  # noqa: N815
    email: Email | None = None
    pin: Annotated[str, StringConstraints(pattern=r"^[0-9]{4,12}$")] | None = None
    rfid: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z:-]{4,64}$")] | None = None
    username: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    password: Annotated[str, StringConstraints(min_length=8, max_length=200)] | None = None
    admin: bool | None = None
    departments: Annotated[list[Short], Field(max_length=50)] | None = None


class NewPerson(SentPerson):
    model_config = needing("name")

    @model_validator(mode="after")
    def _has_name(self) -> "NewPerson":
        if not self.name:
            raise ValueError("name: a person needs a name")
        return self


class SentRoomDevice(SentDocument):
    """A panel at a door, as Joan knows it."""

    room: str | None = None
    timezone: Zone | None = None
    model: Short | None = None
    size: Short | None = None
    battery: Annotated[int, Field(ge=0, le=100)] | None = None
    wifi: Annotated[int, Field(ge=-200, le=100)] | None = None
    wifiQuality: Annotated[int, Field(ge=0, le=100)] | None = None  # noqa: N815
    interface: Short | None = None


class NewRoomDevice(SentRoomDevice):
    model_config = needing("uuid", "room")

    uuid: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,64}$")] | None = None

    @model_validator(mode="after")
    def _whole(self) -> "NewRoomDevice":
        for name in ("uuid", "room"):
            if getattr(self, name) is None:
                raise ValueError(f"{name}: a device needs a {name}")
        return self


class SentHub(SentDocument):
    """A meeting hub. Tied to a `room`, what is booked in it reserves that room."""

    name: Name | None = None
    room: str | None = None
    area: Literal["private", "share", "public"] | None = None


class NewHub(SentHub):
    model_config = needing("name")

    @model_validator(mode="after")
    def _has_name(self) -> "NewHub":
        if not self.name:
            raise ValueError("name: a hub needs a name")
        return self


class NewMember(SentDocument):
    name: Name
    email: Email
    privilege: Literal["read", "write", "admin", "owner"]


class NewJoanClient(SentDocument):
    name: Name


class NewRoomvoxToken(SentDocument):
    """`rooms` are the ids that the token is restricted to; none are all of them."""

    name: Name
    scope: Literal["read", "book", "admin"]
    rooms: Annotated[list[str], Field(max_length=1_000)] | None = None
    expiresAt: Millis | None = None  # noqa: N815


class NewEvokoGroup(SentDocument):
    name: Name
