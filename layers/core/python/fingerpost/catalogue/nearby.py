"""Lists of places by their distance from a point, in pages. At the edge of management requests only."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from .. import keys
from ..caller import Caller
from ..cursor import decode, encode, filter_digest
from ..errors import Finding, Invalid
from ..geohash import Point
from ..listing import BATCH, READ_BUDGET, Ask, PageOf, test_of
from ..resources import Resources, Stored
from ..sight import Sight
from .model import PLACE
from .places import Found, nearest, position_rows

PARAMETERS = ("lat", "lon", "maxDist")


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Places of one caller around a point. `within_m` is infinite when no maximum was named."""

    caller: Caller
    sight: Sight
    point: Point
    within_m: float
    secret: bytes

    def page(self, ask: Ask) -> PageOf[Stored]:
        """One page, nearest first. Raises InvalidCursor for a token of another list."""
        digest = self._digest(ask)
        after = _position(decode(self.secret, ask.token, digest)) if ask.token else None
        items: list[Stored] = []
        last = after
        for place, found in self._seen(ask, after):
            if place is not None:
                if len(items) == ask.per_page:
                    return PageOf(tuple(items), self._token(last, digest))
                items.append(place)
                last = found
            else:
                return PageOf(tuple(items), self._token(found, digest))
        return PageOf(tuple(items), None)

    def count(self, ask: Ask) -> int:
        """How many there are, as far as one read budget of 2,000 places goes."""
        if ask.node is None:
            return sum(1 for _ in islice(self._nearest(None), READ_BUDGET))
        return sum(place is not None for place, _ in self._seen(ask, None))

    def _seen(self, ask: Ask, after: tuple[float, str] | None) -> Iterator[tuple[Stored | None, tuple[float, str]]]:
        """Places that the filter wants, each with its distance and sort key; None where the read budget ends."""
        test = None if ask.node is None else test_of(ask.node)
        places = Resources(self.caller.tables, PLACE)
        rest, examined = self._nearest(after), 0
        size = min(READ_BUDGET, BATCH if test is not None else ask.per_page + 1)
        while batch := list(islice(rest, size)):
            stored = places.read_many([each.id for each in batch], consistent=True)
            for found in batch:
                place = stored.get(found.id)
                if place is None or not self.sight.sees(place.document) or not _stands_there(place, found):
                    continue
                if test is None or test({**place.document, "id": place.id}):
                    yield place, (found.distance, found.row.key.sk)
            examined += len(batch)
            if examined >= READ_BUDGET:
                yield None, (batch[-1].distance, batch[-1].row.key.sk)
                return
            size = min(BATCH, READ_BUDGET - examined)

    def _nearest(self, after: tuple[float, str] | None) -> Iterator[Found]:
        return nearest(
            self.caller.tables.main,
            self.sight.scopes,
            self.point,
            within_m=self.within_m,
            after=after,
            consistent=True,
        )

    def _digest(self, ask: Ask) -> str:
        where = (repr(each) for each in (self.point.latitude, self.point.longitude, self.within_m))
        account, scopes = self.caller.principal.account, "+".join(self.sight.scopes)
        return filter_digest(account, scopes, "near", *where, ask.filter_text)

    def _token(self, position: tuple[float, str] | None, digest: str) -> str:
        assert position is not None, "a page that goes on has shown or passed something"
        return encode(self.secret, f"{position[0]!r} {position[1]}", digest)


def _position(text: str) -> tuple[float, str]:
    distance, _, sort_key = text.partition(" ")
    return float(distance), sort_key


def _stands_there(place: Stored, found: Found) -> bool:
    """Whether the place is still where its row was read: it may have moved between the two reads."""
    rows = position_rows(place.id, place.document, (keys.ACCOUNT_SCOPE,))
    return any(key.sk == found.row.key.sk for key in rows)


def point_asked_for(query: Mapping[str, str]) -> tuple[Point, float] | None:
    """`lat`, `lon` and `maxDist` (in kilometres; everything when left out) as a point and metres.

    None when the request names none of them. Raises Invalid.
    """
    if not any(name in query for name in PARAMETERS):
        return None
    for name in ("lat", "lon"):
        if name not in query:
            raise _invalid(name, "lat and lon come together, maxDist with them")
    latitude, longitude = _number(query, "lat", -90, 90), _number(query, "lon", -180, 180)
    within_m = _number(query, "maxDist", 0, math.inf) * 1_000 if "maxDist" in query else math.inf
    return Point(latitude, longitude), within_m


def _number(query: Mapping[str, str], name: str, low: float, high: float) -> float:
    text = query[name]
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if not (low <= value <= high and math.isfinite(value)):
        bounds = f"from {low} to {high}" if math.isfinite(high) else f"of {low} or more"
        raise _invalid(name, f"takes a number {bounds}, not {text[:40]!r}")
    return value


def _invalid(name: str, message: str) -> Invalid:
    return Invalid(f"{name}: {message}", details=[Finding(field=name, message=message)])
