"""Geohashes: positions as text whose prefixes are cells, so that what is near often sorts near. Standard library only.

A character halves a cell five times, longitude first. 22 characters are 55 bits of each coordinate, finer than a float.
Source: G. Niemeyer's geohash; the alphabet is without a, i, l and o.
"""

import math
from functools import cache

from .frozen import Frozen

ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz"
LENGTH = 22  # at which a position comes back from its geohash within a nanometre
SLACK_M = 1.0  # more than a bound of distances is wrong by rounding
ROUNDING_M = 0.001  # more than a distance is wrong because a geohash rounds positions
COVER_LENGTH = 8  # of the smallest cells that a cover is made of, 38 by 19 metres
EARTH_RADIUS_M = 6_371_008.8  # mean
HALF_ROUND_M = math.pi * EARTH_RADIUS_M

_BITS = LENGTH * 5 // 2
_STEPS = 1 << _BITS
_VALUES = {character: value for value, character in enumerate(ALPHABET)}


class Point(Frozen):
    """Degrees."""

    latitude: float
    longitude: float

    def antipode(self) -> "Point":
        return Point(-self.latitude, self.longitude - 180 if self.longitude > 0 else self.longitude + 180)


class Cell(Frozen):
    """The rectangle of degrees that a geohash stands for."""

    south: float
    north: float
    west: float
    east: float


def encode(point: Point) -> str:
    """The geohash of a position, LENGTH characters. The east edge of the world belongs to the last cell."""
    latitude = min(int((point.latitude + 90) / 180 * _STEPS), _STEPS - 1)
    longitude = min(int((point.longitude + 180) / 360 * _STEPS), _STEPS - 1)
    characters = []
    for number in range(LENGTH):
        value = 0
        for bit in range(number * 5, number * 5 + 5):
            source = latitude if bit % 2 else longitude
            value = value << 1 | source >> (_BITS - 1 - bit // 2) & 1
        characters.append(ALPHABET[value])
    return "".join(characters)


def decode(geohash: str) -> Point:
    """The position that a geohash of LENGTH characters stands for. Raises KeyError for other text."""
    latitude = longitude = 0
    pairs = _pairs()
    for start in range(0, LENGTH, 2):
        east, north = pairs[geohash[start : start + 2]]
        longitude, latitude = longitude << 5 | east, latitude << 5 | north
    return Point((latitude + 0.5) / _STEPS * 180 - 90, (longitude + 0.5) / _STEPS * 360 - 180)


@cache
def _pairs() -> dict[str, tuple[int, int]]:
    """What two characters say: five bits of longitude, five of latitude."""
    every_other = [sum((value >> 2 * place & 1) << place for place in range(5)) for value in range(1024)]
    return {
        ALPHABET[value >> 5] + ALPHABET[value & 31]: (every_other[value >> 1], every_other[value])
        for value in range(1024)
    }


def cell_of(geohash: str) -> Cell:
    """The cell of a geohash of any length; the whole world for the empty one. Raises KeyError for other text."""
    bounds = ([-180.0, 180.0], [-90.0, 90.0])
    bit = 0
    for character in geohash:
        value = _VALUES[character]
        for place in (16, 8, 4, 2, 1):
            edges = bounds[bit % 2]
            edges[0 if value & place else 1] = (edges[0] + edges[1]) / 2
            bit += 1
    (west, east), (south, north) = bounds
    return Cell(south, north, west, east)


def parts(geohash: str) -> list[str]:
    """The 32 cells that a cell consists of."""
    return [geohash + character for character in ALPHABET]


def metres(one: Point, other: Point) -> float:
    """The distance over the ground, by the haversine of a round Earth."""
    latitude, other_latitude = math.radians(one.latitude), math.radians(other.latitude)
    up = math.sin((other_latitude - latitude) / 2)
    along = math.sin(math.radians(other.longitude - one.longitude) / 2)
    haversine = up * up + math.cos(latitude) * math.cos(other_latitude) * along * along
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(haversine)))


def least_metres(point: Point, cell: Cell) -> float:
    """How far the nearest position of a cell is.

    Along a parallel every step towards the point's own meridian comes nearer, so it lies on that meridian or on the
    edge that is nearer to it; on an edge, where the great circle through the point meets it at a right angle, or at a
    corner.
    """
    to_west, to_east = (cell.west - point.longitude) % 360, (cell.east - point.longitude) % 360
    if cell.east - cell.west >= 360 or to_west > to_east or not to_west:
        nearest = min(max(point.latitude, cell.south), cell.north)
        return math.radians(abs(point.latitude - nearest)) * EARTH_RADIUS_M
    edge = cell.west if to_west < 360 - to_east else cell.east
    latitude = math.radians(point.latitude)
    towards = math.cos(latitude) * math.cos(math.radians(edge - point.longitude))
    foot = math.degrees(math.atan2(math.sin(latitude), towards))
    candidates = [cell.south, cell.north]
    if cell.south < foot < cell.north:
        candidates.append(foot)
    return min(metres(point, Point(each, edge)) for each in candidates)


def most_metres(point: Point, cell: Cell) -> float:
    """How far the farthest position of a cell is: what is nearest to the point on the other side of the Earth."""
    return HALF_ROUND_M - least_metres(point.antipode(), cell)


def cover(point: Point, within_m: float, *, at_most: int = 16) -> list[str]:
    """The smallest cells, `at_most` of them, that together hold everything so near."""
    cells = [""]
    while len(cells[0]) < COVER_LENGTH:
        finer: list[str] = []
        for part in (part for cell in cells for part in parts(cell)):
            if least_metres(point, cell_of(part)) <= within_m + SLACK_M:
                finer.append(part)
                if len(finer) > at_most:
                    return cells
        cells = finer
    return cells
