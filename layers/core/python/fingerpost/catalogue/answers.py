"""Products, thngs, collections and places as clients are shown them, their properties and locations."""

from typing import NotRequired

from pydantic import JsonValue

from ..answers import Answered, Id, Position, Resource, Scopes, Values
from ..fields import Millis


class _Thing(Resource):
    customFields: Values
    identifiers: Values
    properties: Values
    collections: NotRequired[list[str]]
    activatedAt: NotRequired[Millis]


class Product(_Thing):
    """`fn` and `name` mirror each other."""

    fn: str
    brand: NotRequired[str]
    url: NotRequired[str]
    photos: NotRequired[list[str]]
    categories: NotRequired[list[str]]


class Thng(_Thing):
    """A thng with the last value of each property, and where it was last."""

    product: NotRequired[Id]
    location: NotRequired[Position]


class Collection(Resource):
    customFields: NotRequired[Values]
    identifiers: NotRequired[Values]
    collections: NotRequired[list[str]]


class Address(Answered):
    extension: NotRequired[str | None]
    street: NotRequired[str | None]
    postalCode: NotRequired[str | None]
    city: NotRequired[str | None]
    county: NotRequired[str | None]
    state: NotRequired[str | None]
    country: NotRequired[str | None]
    countryCode: NotRequired[str | None]
    district: NotRequired[str | None]
    buildingName: NotRequired[str | None]
    buildingFloor: NotRequired[str | None]
    buildingRoom: NotRequired[str | None]
    buildingZone: NotRequired[str | None]
    crossing1: NotRequired[str | None]
    crossing2: NotRequired[str | None]


class Place(Resource, Position):
    customFields: NotRequired[Values]
    identifiers: NotRequired[Values]
    icon: NotRequired[str]
    address: NotRequired[Address]


class PastValue(Answered):
    """What a property was from `timestamp` on."""

    timestamp: Millis
    createdAt: Millis
    value: JsonValue


class Property(PastValue):
    """A property and what it is since `timestamp`."""

    key: str


class Location(Position):
    """Where a thng was at `timestamp`."""

    timestamp: Millis
    createdAt: Millis
    scopes: Scopes
