"""What clients send of products, thngs, their properties and locations, of collections and places.

Source: the platform's ProductDocument, ThngDocument, PropertyDocument, LocationDocument, CollectionDocument,
PlaceDocument and AddressDocument.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, model_validator

from ..fields import Millis, Name, SentDocument, SentResource, described, needing
from .properties import SYSTEM

MAX_PROPERTY_KEY = 128


def property_key(text: str) -> str:
    """A property's key as it is kept, which is in lower case. Raises ValueError."""
    key = text.lower()
    if not 1 <= len(key) <= MAX_PROPERTY_KEY:
        raise ValueError(f"a property key has 1 to {MAX_PROPERTY_KEY} characters; {text[:20]!r} has {len(key)}")
    return key


def own_key(text: str) -> str:
    """The key of a property that clients may set. Raises ValueError."""
    if text.startswith(SYSTEM):
        raise ValueError(f"properties that begin with {SYSTEM} are set by the platform alone: {text[:40]!r}")
    return property_key(text)


def _own_keys(values: dict[str, Any]) -> dict[str, Any]:
    return {own_key(key): value for key, value in values.items()}


_KEY = {"minLength": 1, "maxLength": MAX_PROPERTY_KEY, "pattern": f"^[^{SYSTEM}]"}

type Properties = Annotated[
    dict[str, JsonValue],
    AfterValidator(_own_keys),
    described(propertyNames=_KEY),
]


class SentProperty(SentDocument):
    """One value of one property. A `key` may be missing where the address has it."""

    key: Annotated[str, AfterValidator(own_key), described(**_KEY)] | None = None
    value: JsonValue
    timestamp: Millis | None = None


# Those that a new thng or collection is in from the beginning; more have addresses for that.
type Collections = Annotated[
    list[str], Field(max_length=100), AfterValidator(lambda ids: list(dict.fromkeys(ids)) or None)
]


class SentPoint(SentDocument):
    """A GeoJSON point: longitude, then latitude."""

    type: Literal["Point"] = "Point"
    coordinates: Annotated[list[float], Field(min_length=2, max_length=3)]


class SentPosition(SentDocument):
    """A position as `position` or as `latitude` and `longitude`."""

    position: SentPoint | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None

    @model_validator(mode="after")
    def _on_earth(self) -> Self:
        if self.position is not None:
            longitude, latitude = self.position.coordinates[:2]
            if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
                raise ValueError("position.coordinates: longitude from -180 to 180, then latitude from -90 to 90")
        return self

    def point(self) -> tuple[float, float] | None:
        """(latitude, longitude) in degrees; None when neither form is whole."""
        if self.position is not None:
            longitude, latitude = self.position.coordinates[:2]
            return latitude, longitude
        if self.latitude is None or self.longitude is None:
            return None
        return self.latitude, self.longitude


class SentLocation(SentPosition):
    """A location by its position or by `place`."""

    place: str | None = None
    timestamp: Millis | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.place is None and self.point() is None:
            raise ValueError("needs position, or latitude and longitude, or place")
        return self


class SentProduct(SentResource):
    """A product as it is created or, in part, updated. `fn` and `name` mirror each other."""

    fn: Name | None = None
    brand: str | None = None
    url: str | None = None
    photos: list[str] | None = None
    categories: list[str] | None = None


class NewProduct(SentProduct):
    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["name"]}, {"required": ["fn"]}]})

    properties: Properties | None = None
    activatedAt: Millis | None = None  # noqa: N815

    @model_validator(mode="after")
    def _has_name(self) -> "NewProduct":
        if not (self.name or self.fn):
            raise ValueError("name: a product needs a name (or fn)")
        return self


class SentThng(SentResource):
    """A thng as it is updated: properties, location and collections have addresses of their own."""

    product: str | None = None


class NewThng(SentThng):
    model_config = needing("name")

    properties: Properties | None = None
    location: SentLocation | None = None
    collections: Collections | None = None
    activatedAt: Millis | None = None  # noqa: N815

    @model_validator(mode="after")
    def _has_name(self) -> "NewThng":
        if not self.name:
            raise ValueError("name: a thng needs a name")
        return self


class SentCollection(SentResource):
    """A collection as it is updated: its members, and the collections it is in, have addresses of their own."""


class NewCollection(SentCollection):
    model_config = needing("name")

    collections: Collections | None = None

    @model_validator(mode="after")
    def _has_name(self) -> "NewCollection":
        if not self.name:
            raise ValueError("name: a collection needs a name")
        return self


class SentAddress(SentDocument):
    """A street address. It says nothing of the position, nor the position of it."""

    extension: str | None = None
    street: str | None = None
    postalCode: str | None = None  # noqa: N815
    city: str | None = None
    county: str | None = None
    state: str | None = None
    country: str | None = None
    countryCode: str | None = None  # noqa: N815
    district: str | None = None
    buildingName: str | None = None  # noqa: N815
    buildingFloor: str | None = None  # noqa: N815
    buildingRoom: str | None = None  # noqa: N815
    buildingZone: str | None = None  # noqa: N815
    crossing1: str | None = None
    crossing2: str | None = None


class SentPlace(SentResource, SentPosition):
    """A place as it is updated. It need not have a position; then nothing is near it."""

    icon: str | None = None
    address: SentAddress | None = None


class NewPlace(SentPlace):
    model_config = needing("name")

    @model_validator(mode="after")
    def _has_name(self) -> "NewPlace":
        if not self.name:
            raise ValueError("name: a place needs a name")
        return self
