"""The closest place of a position: against looking at every place, and what it reads."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import fingerpost
from fingerpost import keys, wiring
from fingerpost.catalogue import places
from fingerpost.catalogue.places import closest, nearest, position_rows
from fingerpost.geohash import Point, metres
from fingerpost.ports.table import Put, Tables
from fingerpost.sight import scopes_of
from tests.stores import SettableClock, counting, emptied, fresh_tables, hooked, new_account

CLOCK = SettableClock()
LONDON = Point(51.5303183, -0.0882956)
# Clusters at the awkward ends of the Earth, and anywhere.
AWKWARD = st.sampled_from([(0.0, 180.0), (0.0, -180.0), (90.0, 0.0), (-90.0, 77.0), (45.0, 0.0), (89.99, 179.99)])
NEAR = st.tuples(st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))


def moved(base: tuple[float, float], by: tuple[float, float]) -> Point:
    longitude = base[1] + by[1]
    longitude = longitude - 360 if longitude > 180 else longitude + 360 if longitude < -180 else longitude
    return Point(max(-90.0, min(90.0, base[0] + by[0])), longitude)


ANYWHERE = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))
POINTS = st.one_of(st.builds(moved, AWKWARD, NEAR), ANYWHERE)


@pytest.fixture(scope="module")
def store():
    with pytest.MonkeyPatch.context() as monkeypatch, fresh_tables(CLOCK) as tables:
        monkeypatch.setattr(wiring, "clock", CLOCK)
        yield tables


def stand(tables: Tables, points: list[Point], projects: tuple[str, ...] = (), **more: Any) -> list[str]:
    """Put a place at each position; their ids."""
    puts = []
    for number, point in enumerate(points):
        document = {
            "latitude": point.latitude,
            "longitude": point.longitude,
            "scopes": {"projects": list(projects)},
            **more,
        }
        puts += [Put(*each) for each in position_rows(f"U{number:04}", document, scopes_of(document)).items()]
    tables.main.put_many(puts)
    return [f"U{number:04}" for number in range(len(points))]


@given(st.lists(POINTS, max_size=60), POINTS, st.floats(0, 20_100_000))
@example([Point(0.0, 180.0), Point(0.0, -179.999), Point(0.0, 179.998)], Point(0.0, -180.0), 500.0)
@example([LONDON] * 7, LONDON, 0.0)
@settings(max_examples=60, deadline=None)
def test_places_come_nearest_first_as_far_as_was_asked_wherever_on_earth(store, points, origin, within_m):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(places, "PAGE", 3)  # so that cells are taken apart
        tables = emptied(store).of(new_account())
        ids = stand(tables, points)
        found = list(nearest(tables.main, ("*",), origin, within_m=within_m))
        distances = [each.distance for each in found]
        assert distances == sorted(distances)
        near = {each: metres(origin, point) for each, point in zip(ids, points, strict=True)}
        assert {each.id for each in found if abs(near[each.id] - within_m) > 0.002} == {
            each for each, distance in near.items() if distance < within_m - 0.002
        }
        assert all(each.distance == pytest.approx(near[each.id], abs=0.01) for each in found)


@given(st.lists(POINTS, max_size=40), POINTS, st.integers(1, 9))
@example([LONDON] * 11, Point(51.0, 0.0), 4)
@settings(max_examples=40, deadline=None)
def test_pages_that_begin_where_the_last_one_ended_are_the_whole(store, points, origin, size):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(places, "PAGE", 3)
        tables = emptied(store).of(new_account())
        stand(tables, points)
        whole = [each.id for each in nearest(tables.main, ("*",), origin)]
        paged: list[str] = []
        after = None
        while len(paged) < len(whole):
            page = [
                each for each, _ in zip(nearest(tables.main, ("*",), origin, after=after), range(size), strict=False)
            ]
            paged += [each.id for each in page]
            after = (page[-1].distance, page[-1].row.key.sk)
        assert paged == whole


@pytest.mark.parametrize("kept", [1_000, 0], ids=["kept in memory", "by the index"])
@given(points=st.lists(POINTS, min_size=1, max_size=40), origin=POINTS)
@settings(max_examples=40, deadline=None)
def test_the_closest_is_the_closest_of_all(store, kept, points, origin):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(places, "MAX_KEPT_PLACES", kept)
        monkeypatch.setattr(places, "PAGE", 3)
        tables = emptied(store).of(new_account())
        stand(tables, points)
        found = closest(tables, origin.latitude, origin.longitude, None)
        assert found is not None
        assert found["distance"] == pytest.approx(min(metres(origin, point) for point in points), abs=0.2)


@pytest.mark.parametrize("kept", [1_000, 0], ids=["kept in memory", "by the index"])
def test_a_project_is_told_of_the_closest_place_that_it_sees(store, kept, monkeypatch):
    monkeypatch.setattr(places, "MAX_KEPT_PLACES", kept)
    tables = emptied(store).of(new_account())
    rows = []
    for name, latitude, projects in [("near", 51.5, []), ("own", 52.0, ["P1"]), ("shared", 53.0, ["all"])]:
        document = {"latitude": latitude, "longitude": 0, "scopes": {"projects": projects}}
        rows += [Put(*each) for each in position_rows(name, document, scopes_of(document)).items()]
    tables.main.put_many(rows)

    def told(project: str | None) -> Any:
        found = closest(tables, 51.5, 0.0, project)
        return found and found["id"]

    assert [told(None), told("P1"), told("P2")] == ["near", "own", "shared"]


def test_it_tells_what_rules_may_ask_of_a_place(store):
    tables = emptied(store).of(new_account())
    stand(tables, [Point(0, 1)], name="Pier", tags=["sea"], customFields={"floor": 2}, identifiers={"code": 7})
    assert closest(tables, 0, 0, None) == {
        "id": "U0000",
        "name": "Pier",
        "tags": ["sea"],
        "customFields": {"floor": 2},
        "identifiers": {"code": 7},
        "distance": pytest.approx(111_195.08, abs=0.1),
    }


def test_no_place_is_no_answer(store):
    assert closest(emptied(store).of(new_account()), 51.5, 0, None) is None


def test_what_a_place_has_too_much_of_is_read_from_its_document(store):
    account = new_account()
    tables = emptied(store).of(account)
    stand(tables, [LONDON], customFields={"text": "x" * 1_000})
    assert closest(tables, 51, 0, None) is None, "a position of a place that is gone"
    document = '{"tags":["a"],"customFields":{"b":1},"latitude":1}'
    tables.main.put(keys.document("U0000"), {"k": "place", "sv": 1, "v": 1, "doc": document})
    CLOCK.now += places.KEPT_MS
    found = closest(tables, 51, 0, None)
    assert found is not None and (found["tags"], found["customFields"]) == (["a"], {"b": 1})


def test_an_accounts_places_are_read_once_a_minute_by_one_query(store):
    calls: Counter[str] = Counter()
    account = new_account()
    stand(emptied(store).of(account), [Point(number / 10, number / 7) for number in range(200)])
    for longitude in range(5):
        tables = hooked(store, counting(calls)).of(account)
        assert closest(tables, 10, longitude, None) is not None
    assert calls == {"query": 1}
    CLOCK.now += places.KEPT_MS
    closest(tables, 10, 0, None)
    assert calls == {"query": 2}


def test_of_more_places_than_are_kept_a_few_cells_are_read_and_the_answer_is_kept(store, monkeypatch):
    monkeypatch.setattr(places, "MAX_KEPT_PLACES", 100)
    calls: Counter[str] = Counter()
    account = new_account()
    stand(emptied(store).of(account), [Point(50 + number % 60 / 100, number / 6_000) for number in range(1_200)])
    tables = hooked(store, counting(calls)).of(account)
    closest(tables, 50.3, 0.1, None)
    assert calls["query"] <= 12
    before = calls["query"]
    closest(tables, 50.3, 0.1, None)
    assert calls["query"] == before


def test_so_many_places_are_kept_of_all_accounts_and_those_asked_about_last(store, monkeypatch):
    monkeypatch.setattr(places, "MAX_KEPT_IN_ALL", 12)
    emptied(store)
    accounts = [new_account() for _ in range(5)]
    for account in accounts:
        stand(store.of(account), [LONDON] * 3)
        assert closest(store.of(account), 51, 0, None) is not None
    calls: Counter[str] = Counter()
    for account in reversed(accounts):
        closest(hooked(store, counting(calls)).of(account), 51, 0, None)
    assert calls == {"query": 2}


def test_the_redirect_can_ask_without_importing_what_it_has_no_use_for():
    probe = (
        "import sys, fingerpost.catalogue.places; "
        "print(sorted({'pydantic', 'dataclasses', 'inspect', 'boto3', 'urllib.request'} & sys.modules.keys()))"
    )
    code = str(Path(fingerpost.__file__).parents[1])
    ran = subprocess.run(
        [sys.executable, "-c", probe], check=True, env={"PYTHONPATH": code}, capture_output=True, text=True
    )
    assert ran.stdout.strip() == "[]", ran.stderr
