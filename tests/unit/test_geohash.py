"""Positions as text, and how far cells are: against known values and against plain sampling."""

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fingerpost.geohash import (
    ALPHABET,
    HALF_ROUND_M,
    Point,
    cell_of,
    cover,
    decode,
    encode,
    least_metres,
    metres,
    most_metres,
)

LATITUDES = st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, -89.9999, 0.0, 45.0, 89.9999, 90.0]))
LONGITUDES = st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, -179.9999, 0.0, 90.0, 179.9999, 180.0]))
POINTS = st.builds(Point, LATITUDES, LONGITUDES)
PREFIXES = st.text(ALPHABET, max_size=7)


ROUNDING = 1e-13  # degrees


def within(cell, point):
    across = cell.west - ROUNDING <= point.longitude <= cell.east + ROUNDING
    return across and cell.south - ROUNDING <= point.latitude <= cell.north + ROUNDING


@pytest.mark.parametrize(
    ("latitude", "longitude", "known"),
    [
        (57.64911, 10.40744, "u4pruydqqvj"),
        (42.605, -5.603, "ezs42"),
        (37.7749, -122.4194, "9q8yyk8yt"),
        (-25.382708, -49.265506, "6gkzwgjzn820"),
        (0.0, 0.0, "s0000000000000000000000"[:22]),
        (-90.0, -180.0, "0" * 22),
        (90.0, 180.0, "z" * 22),
    ],
)
def test_a_geohash_is_what_everybody_else_writes(latitude, longitude, known):
    assert encode(Point(latitude, longitude)).startswith(known)


@given(POINTS)
@settings(max_examples=150, deadline=None)
def test_a_position_comes_back_from_its_geohash_and_lies_in_every_cell_of_its_prefixes(point):
    geohash = encode(point)
    middle = decode(geohash)
    assert math.isclose(middle.latitude, point.latitude, abs_tol=ROUNDING)
    assert math.isclose(middle.longitude, point.longitude, abs_tol=ROUNDING)
    for length in range(12):
        assert within(cell_of(geohash[:length]), point)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((0, 0), (0, 1), 111_195.08),
        ((0, 179.5), (0, -179.5), 111_195.08),
        ((90, 0), (90, 123), 0),
        ((90, 0), (-90, 50), HALF_ROUND_M),
        ((48.8566, 2.3522), (51.5074, -0.1278), 343_556.5),  # Paris, London
    ],
)
def test_distances_are_those_over_a_round_earth(one, other, expected):
    assert metres(Point(*one), Point(*other)) == pytest.approx(expected, abs=0.1)


@given(POINTS, PREFIXES, st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=5, max_size=5))
@example(Point(80.0, 100.0), "z", [(1.0, 0.0)])
@example(Point(-89.0, -179.0), "b", [(0.0, 1.0)])
@settings(max_examples=300, deadline=None)
def test_no_position_of_a_cell_is_nearer_or_farther_than_its_bounds_say(point, prefix, shares):
    cell = cell_of(prefix)
    least, most = least_metres(point, cell), most_metres(point, cell)
    for up, along in [*shares, (0, 0), (0, 1), (1, 0), (1, 1)]:
        other = Point(cell.south + up * (cell.north - cell.south), cell.west + along * (cell.east - cell.west))
        assert least - 0.5 <= metres(point, other) <= most + 0.5


@given(POINTS, st.text(ALPHABET, min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_the_least_distance_is_reached_by_a_position_of_the_cell(point, prefix):
    cell = cell_of(prefix)
    least = least_metres(point, cell)
    steps = [number / 64 for number in range(65)]
    edges = [(up, along) for up in steps for along in (0, 1)] + [(up, along) for up in (0, 1) for along in steps]
    sampled = min(
        metres(point, Point(cell.south + up * (cell.north - cell.south), cell.west + along * (cell.east - cell.west)))
        for up, along in edges
    )
    size = metres(Point(cell.south, 0), Point(cell.north, 0)) + metres(Point(0, cell.west), Point(0, cell.east))
    assert (within(cell, point) and least == 0) or sampled - size / 32 <= least <= sampled + 0.5


@given(POINTS, POINTS, st.floats(0, 20_100_000))
@settings(max_examples=150, deadline=None)
def test_a_cover_holds_everything_so_near_in_a_few_cells(point, other, within_m):
    cells = cover(point, within_m)
    assert 1 <= len(cells) <= 16
    if metres(point, other) <= within_m:
        assert encode(other).startswith(tuple(cells))


def test_a_cover_of_a_short_walk_is_of_small_cells():
    assert min(len(cell) for cell in cover(Point(51.53, -0.088), 500)) >= 5
