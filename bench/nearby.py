"""What `GET /places?lat&lon&maxDist` consumes on a DynamoDB engine: read units, few places in a city or many."""

import json
import math
import random
from collections.abc import Iterator
from typing import Any

from bench.row import Row

FEW, MANY = 1_000, 20_000
AT = 1_773_576_000_000  # 2026-03-15T12:00:00Z
CENTRE = (53.35, -6.26)  # latitude and longitude
SPREAD_M = 4_000  # standard deviation, north and east: dense in the middle, some 16 km across
SEARCHES = 40
PER_PAGE = 30
METRES_A_DEGREE = 111_195
SECRET = b"of the bench"
FLAT = 1.5  # twenty times the places in the same streets cost at most so many times the read units
MAX_DIST_KM = (0.1, 1, 10)


def near_rows(tables: Any) -> Iterator[Row]:
    """Mean read units of the first page, and of the tenth, around points as places are. Documents included."""
    few, many = (_Costs(tables, f"city{number}", number) for number in (FEW, MANY))
    for kilometres in MAX_DIST_KM:
        within_m = kilometres * 1_000
        yield _row(f"maxDist={kilometres}", few.page(within_m), many.page(within_m))
    yield _row("no maxDist", few.page(math.inf), many.page(math.inf))
    yield _row("tenth page", few.page(math.inf, pages=10), many.page(math.inf, pages=10))


def _row(name: str, few: tuple[float, float], many: tuple[float, float]) -> Row:
    """With how many places a page shows. The budget is for full pages: where few places are near, less is read."""
    (small, shown), (large, shown_of_many) = few, many
    what = f"GET /places, {name}: {MANY:,} places beside {FEW:,}"
    budget = FLAT if shown == shown_of_many == PER_PAGE else None
    return Row(what, f"{large:.1f} RU ({shown_of_many:.0f})", f"{small:.1f} RU ({shown:.0f})", large / small, budget)


class _Costs:
    """A city of so many places in an account of its own."""

    def __init__(self, tables: Any, account: str, number: int):
        self._tables, self._account = tables, account
        chance = random.Random(11)
        self._fill([_somewhere(chance) for _ in range(number)])
        self._searched = [_somewhere(chance) for _ in range(SEARCHES)]

    def page(self, within_m: float, *, pages: int = 1) -> tuple[float, float]:
        """Read units of the last of so many pages and how many places it shows, in the mean of all searches."""
        from fingerpost.catalogue.nearby import Near
        from fingerpost.geohash import Point
        from fingerpost.listing import Ask
        from fingerpost.sight import WHOLE_ACCOUNT
        from tests.stores import caller_of

        caller = caller_of(self._tables, self._account, AT)
        main = self._tables.main
        spent = shown = 0.0
        for where in self._searched:
            near = Near(caller=caller, sight=WHOLE_ACCOUNT, point=Point(*where), within_m=within_m, secret=SECRET)
            token = None
            for _ in range(pages - 1):
                token = near.page(Ask(per_page=PER_PAGE, token=token)).token
            before = main.consumed.read
            shown += len(near.page(Ask(per_page=PER_PAGE, token=token)).items)
            spent += float(main.consumed.read - before)
        return spent / SEARCHES, shown / SEARCHES

    def _fill(self, positions: list[tuple[float, float]]) -> None:
        """The rows that creating each place would write. They are put many at a time."""
        from fingerpost import keys
        from fingerpost.catalogue.model import PLACE
        from fingerpost.catalogue.places import position_rows
        from fingerpost.ids import new_id
        from fingerpost.ports.table import Put
        from fingerpost.resources import index_rows, scopes_of
        from fingerpost.shapes import stamp

        scoped = self._tables.of(self._account)
        index = {**stamp("index"), "v": 1, "at": AT}
        puts: list[Put] = []
        entries: list[Put] = []
        for n, (latitude, longitude) in enumerate(positions):
            place_id = new_id(AT + n * 1_000)
            document = {
                "createdAt": AT + n * 1_000,
                "updatedAt": AT + n * 1_000,
                "name": f"Shop {n}",
                "description": "A shop on the corner, open until late, with a bench in front of it." * 2,
                "tags": [f"t{n % 10}"],
                "identifiers": {"code": f"S{n}"},
                "latitude": latitude,
                "longitude": longitude,
            }
            text = json.dumps(document, separators=(",", ":"))
            puts.append(Put(keys.document(place_id), {**stamp("place"), "v": 1, "doc": text}))
            puts += [Put(*each) for each in position_rows(place_id, document, scopes_of(document)).items()]
            entries += [Put(key, index) for key in index_rows(PLACE, place_id, document)]
        scoped.main.put_many(puts)
        scoped.log.put_many(entries)


def _somewhere(chance: random.Random) -> tuple[float, float]:
    latitude = CENTRE[0] + chance.gauss(0, SPREAD_M) / METRES_A_DEGREE
    return latitude, CENTRE[1] + chance.gauss(0, SPREAD_M) / METRES_A_DEGREE / math.cos(math.radians(CENTRE[0]))
