"""What clients send of products, thngs and their locations. Source: the platform's ProductDocument, ThngDocument."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, JsonValue, model_validator

from ..fields import Millis, Name, SentDocument, SentResource

MAX_PROPERTY_KEY = 128


def _lower(values: dict[str, Any]) -> dict[str, Any]:
    for key in values:
        if not key or len(key) > MAX_PROPERTY_KEY:
            raise ValueError(f"a property key has 1 to {MAX_PROPERTY_KEY} characters; {key[:20]!r} has {len(key)}")
        if key.startswith("~"):
            raise ValueError(f"properties that begin with ~ are set by the platform alone: {key[:40]!r}")
    return {key.lower(): value for key, value in values.items()}


type Properties = Annotated[dict[str, JsonValue], AfterValidator(_lower)]


class SentPoint(SentDocument):
    """A GeoJSON point: longitude, then latitude."""

    type: Literal["Point"] = "Point"
    coordinates: Annotated[list[float], Field(min_length=2, max_length=3)]


class SentLocation(SentDocument):
    """A location by `position`, by `latitude` and `longitude`, or by `place`."""

    position: SentPoint | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    place: str | None = None
    timestamp: Millis | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> "SentLocation":
        if self.position is not None:
            longitude, latitude = self.position.coordinates[:2]
            if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
                raise ValueError("position.coordinates: longitude from -180 to 180, then latitude from -90 to 90")
        elif self.place is None and (self.latitude is None or self.longitude is None):
            raise ValueError("needs position, or latitude and longitude, or place")
        return self

    def point(self) -> tuple[float, float] | None:
        """(latitude, longitude) in degrees; None when only a place is named."""
        if self.position is not None:
            longitude, latitude = self.position.coordinates[:2]
            return latitude, longitude
        if self.latitude is None or self.longitude is None:
            return None
        return self.latitude, self.longitude


class SentProduct(SentResource):
    """A product as it is created or, in part, updated. `fn` and `name` mirror each other."""

    fn: Name | None = None
    brand: str | None = None
    url: str | None = None
    photos: list[str] | None = None
    categories: list[str] | None = None


class NewProduct(SentProduct):
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
    properties: Properties | None = None
    location: SentLocation | None = None
    collections: list[str] | None = None
    activatedAt: Millis | None = None  # noqa: N815

    @model_validator(mode="after")
    def _has_name(self) -> "NewThng":
        if not self.name:
            raise ValueError("name: a thng needs a name")
        return self
