"""Where places are, and which is the closest. Standard library only; on the scan path.

Every place with a position has a row in each of its scopes, written in the transaction that writes the place. Its sort
key is the position's geohash, so the places of a cell are one range; it holds what rules and templates may ask of a
place, unless that is too much.
"""

import heapq
import json
import math
from collections.abc import Iterator, Mapping
from itertools import count, islice
from typing import Any

from .. import keys, wiring
from ..frozen import Frozen
from ..geohash import (
    LENGTH,
    ROUNDING_M,
    SLACK_M,
    Point,
    cell_of,
    cover,
    decode,
    encode,
    least_metres,
    metres,
    most_metres,
    parts,
)
from ..ports.table import LAST, AccountTable, Item, Key, Row, Table, Tables
from ..shapes import stamp, upgraded
from ..sight import projects_of, users_of

type Document = dict[str, Any]
type Vector = tuple[float, float, float]

CARRIED = ("name", "tags", "identifiers", "customFields")  # what a position row tells of its place
MAX_CARRIED_BYTES = 700  # so that the places of an account fit into one page
KEPT_MS = 60_000
MAX_KEPT_PLACES = 1_000  # of one account; the index is asked about those of a larger one
MAX_KEPT_IN_ALL = 10_000
MAX_KEPT_ANSWERS = 1_000
PAGE = 50  # rows of a cell; one that has more is taken apart

_numbers = count()


class Found(Frozen):
    """A place that was found: how far it is, in metres, and its position row."""

    distance: float
    row: Row

    @property
    def id(self) -> str:
        return id_of(self.row)


def position_rows(place_id: str, document: Mapping[str, Any], scopes: tuple[str, ...]) -> dict[Key, Item]:
    """The rows of a place in its scopes; none for one without a position."""
    latitude, longitude = document.get("latitude"), document.get("longitude")
    if latitude is None or longitude is None:
        return {}
    carried = {name: document[name] for name in CARRIED if document.get(name)}
    projects = projects_of(document) if users_of(document) is None else ()  # rules know no place of some users alone
    text = json.dumps(carried, ensure_ascii=False, separators=(",", ":"))
    item: Item = {**stamp("position"), "projects": ",".join(projects)}
    if len(text.encode()) <= MAX_CARRIED_BYTES:
        item["carries"] = text
    geohash = encode(Point(latitude, longitude))
    return {keys.position(scope, geohash, place_id): item for scope in scopes}


def id_of(row: Row) -> str:
    return row.key.sk.rpartition("#")[2]


def point_of(row: Row) -> Point:
    return decode(row.key.sk[:LENGTH])


def nearest(
    main: Table,
    scopes: tuple[str, ...],
    point: Point,
    *,
    within_m: float = math.inf,
    after: tuple[float, str] | None = None,
    consistent: bool = False,
) -> Iterator[Found]:
    """Places by distance, then by sort key, beyond `after` (a distance in metres and a sort key).

    The nearest cell is read next; when it has more than a page, its parts take its place. So what is read follows from
    what is taken from the iterator, and from the length of the circle that `after` draws, not from how many places
    there are.
    """
    heap: list[tuple[float, str, int, Found | _Range]] = []

    def push(distance: float, tie: str, each: "Found | _Range") -> None:
        heapq.heappush(heap, (distance, tie, next(_numbers), each))

    def push_cell(scope: str, prefix: str) -> None:
        cell = cell_of(prefix)
        least = least_metres(point, cell) - SLACK_M
        if least <= within_m and (after is None or most_metres(point, cell) + SLACK_M >= after[0]):
            push(least, "", _Range(scope, prefix))

    for prefix in cover(point, within_m):
        for scope in scopes:
            push_cell(scope, prefix)
    while heap:
        distance, _, _, each = heapq.heappop(heap)
        if isinstance(each, Found):
            yield each
            continue
        page = main.query(
            keys.positions(each.scope),
            low=each.prefix,
            high=each.prefix + LAST,
            after=each.after,
            limit=PAGE,
            consistent=consistent,
        )
        if page.after is not None and len(each.prefix) < LENGTH:
            for child in parts(each.prefix):
                push_cell(each.scope, child)
            continue
        for row in page.rows:
            distance = metres(point, point_of(row))
            if distance <= within_m + ROUNDING_M and (after is None or (distance, row.key.sk) > after):
                push(distance, row.key.sk, Found(distance, row))
        if page.after is not None:  # the same position as that of the last row
            push(distance, page.after, _Range(each.scope, each.prefix, page.after))


def closest(tables: Tables, latitude: float, longitude: float, project: str | None) -> Document | None:
    """The closest place that `project` sees (None: the whole account), with its `id` and `distance` in metres.

    `tables` are the account's own. An account's places are kept for a minute: they are one query, and for up to 1,000
    of them all that is read. It has the fields that rules may name: id, name, tags, identifiers, customFields.
    """
    assert isinstance(tables.main, AccountTable)
    at = wiring.clock()
    kept = _kept.get(tables.main.account)
    if kept is None or not 0 <= at - kept.read_at < KEPT_MS:
        kept = _keep(tables.main, at)
    question = (latitude, longitude, project)
    try:
        answer = kept.answers[question]
    except KeyError:
        if len(kept.answers) >= MAX_KEPT_ANSWERS:
            kept.answers.clear()
        answer = kept.answers[question] = _answer(tables.main, kept, Point(latitude, longitude), project)
    return None if answer is None else dict(answer)


class _Range(Frozen):
    """The rows of a cell that were not read yet."""

    scope: str
    prefix: str
    after: str | None = None


class _Sight(Frozen):
    """The places that one project sees, and where they are on a sphere of radius 1."""

    rows: list[Row]
    vectors: list[Vector]


class _Kept(Frozen):
    """The places of an account as they were a moment ago; None when there are too many to keep."""

    read_at: int
    everything: _Sight | None
    sights: dict[str, _Sight]  # by project
    answers: dict[tuple[float, float, str | None], Document | None]


_kept: dict[str, _Kept] = {}  # by account, what was read last at the end


def _keep(main: AccountTable, at: int) -> _Kept:
    page = main.query(keys.positions(keys.ACCOUNT_SCOPE), limit=MAX_KEPT_PLACES + 1)
    few = page.after is None and len(page.rows) <= MAX_KEPT_PLACES
    kept = _Kept(at, _sight(list(page.rows)) if few else None, {}, {})
    _kept.pop(main.account, None)
    _kept[main.account] = kept
    held = sum(_size(each) for each in list(_kept.values()))
    for account in list(_kept)[:-1]:  # another thread may do the same
        if held <= MAX_KEPT_IN_ALL:
            break
        held -= _size(_kept.pop(account, kept))
    return kept


def _size(kept: _Kept) -> int:
    return 1 + (len(kept.everything.rows) if kept.everything else 0)


def _sight(rows: list[Row]) -> _Sight:
    return _Sight(rows, [_vector(point_of(row)) for row in rows])


def _sight_of(kept: _Kept, everything: _Sight, project: str) -> _Sight:
    sight = kept.sights.get(project)
    if sight is None:
        seen = {project, "all"}
        rows = [row for row in everything.rows if not seen.isdisjoint(upgraded(row.item)["projects"].split(","))]
        sight = kept.sights[project] = _sight(rows)
    return sight


def _answer(main: AccountTable, kept: _Kept, point: Point, project: str | None) -> Document | None:
    if kept.everything is None:
        found = _closest_of_many(main, point, project)
        return None if found is None else _document(main, found.row, found.distance)
    sight = kept.everything if project is None else _sight_of(kept, kept.everything, project)
    if not sight.rows:
        return None
    origin, dist = _vector(point), math.dist
    distances = [dist(origin, vector) for vector in sight.vectors]
    row = sight.rows[distances.index(min(distances))]
    return _document(main, row, metres(point, point_of(row)))


def _closest_of_many(main: AccountTable, point: Point, project: str | None) -> Found | None:
    """Neighbours in the order of geohashes bound how far the closest can be; then few cells are left to read."""
    scopes = (keys.ACCOUNT_SCOPE,) if project is None else (f"p:{project}", keys.EVERY_PROJECT)
    geohash = encode(point)
    bounds = []
    for scope in scopes:
        above = main.query(keys.positions(scope), low=geohash, limit=1)
        below = main.query(keys.positions(scope), high=geohash, descending=True, limit=1)
        bounds += [metres(point, point_of(row)) for row in (*above.rows, *below.rows)]
    if not bounds:
        return None
    return next(islice(nearest(main, scopes, point, within_m=min(bounds) + SLACK_M), 1), None)


def _document(main: AccountTable, row: Row, distance: float) -> Document | None:
    place_id, item = id_of(row), upgraded(row.item)
    text = item.get("carries")
    if text is None:
        stored = main.get(keys.document(place_id))
        if stored is None:
            return None  # deleted since its position was read
        document = json.loads(upgraded(stored)["doc"])
        carried = {name: document[name] for name in CARRIED if document.get(name)}
    else:
        carried = json.loads(text)
    return {**carried, "id": place_id, "distance": distance}


def _vector(point: Point) -> Vector:
    """The position on a sphere of radius 1: straight distances sort as those over the ground do."""
    latitude, longitude = math.radians(point.latitude), math.radians(point.longitude)
    return math.cos(latitude) * math.cos(longitude), math.cos(latitude) * math.sin(longitude), math.sin(latitude)
