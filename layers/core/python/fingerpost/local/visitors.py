"""The museum's visitors of two weeks: the same ones in every fresh store, so that rules can be tried on their scans."""

import random
from typing import NamedTuple

from ..clock import DAY_MS
from ..ids import SeededIds
from ..ports.table import Tables
from ..redirection.facts import Facts
from ..redirection.visit import Visits

SCANS = 300
DAYS = 14
HOUR_MS = DAY_MS // 24
QUIET_MS = HOUR_MS  # the last hour before the store began has no scans, so that one's own is the newest
VISITORS = 190  # some come back


class Home(NamedTuple):
    """Where a visitor's network seems to be, and what their browser asks for."""

    country: str
    region: str
    city: str
    latitude: float
    longitude: float
    zone: str
    languages: str


HOMES = (
    (30, Home("IE", "Leinster", "Dublin", 53.35, -6.26, "Europe/Dublin", "en-IE,en;q=0.9")),
    (14, Home("IE", "Munster", "Cork", 51.9, -8.47, "Europe/Dublin", "en-IE,en;q=0.9")),
    (8, Home("IE", "Connacht", "Galway", 53.27, -9.05, "Europe/Dublin", "ga-IE,en-IE;q=0.8,en;q=0.6")),
    (4, Home("IE", "Leinster", "Dublin", 53.35, -6.26, "Europe/Dublin", "fr-FR,fr;q=0.9,en;q=0.5")),
    (9, Home("GB", "England", "London", 51.51, -0.13, "Europe/London", "en-GB,en;q=0.9")),
    (6, Home("GB", "Northern Ireland", "Belfast", 54.6, -5.93, "Europe/London", "en-GB,en;q=0.9")),
    (9, Home("FR", "Île-de-France", "Paris", 48.86, 2.35, "Europe/Paris", "fr-FR,fr;q=0.9,en;q=0.5")),
    (4, Home("FR", "Bretagne", "Rennes", 48.11, -1.68, "Europe/Paris", "fr-FR,fr;q=0.9")),
    (3, Home("BE", "Bruxelles", "Brussels", 50.85, 4.35, "Europe/Brussels", "fr-BE,fr;q=0.9,nl;q=0.7")),
    (6, Home("DE", "Berlin", "Berlin", 52.52, 13.4, "Europe/Berlin", "de-DE,de;q=0.9,en;q=0.6")),
    (5, Home("US", "New York", "New York", 40.71, -74.01, "America/New_York", "en-US,en;q=0.9")),
    (2, Home("JP", "Tokyo", "Tokyo", 35.68, 139.69, "Asia/Tokyo", "ja-JP,ja;q=0.9,en;q=0.4")),
)
AGENTS = (
    (
        40,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.5 Mobile/15E148 Safari/604.1",
    ),
    (
        30,
        "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/137.0.0.0 Mobile Safari/537.36",
    ),
    (
        12,
        "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) "
        "SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
    ),
    (
        8,
        "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/17.5 Mobile/15E148 Safari/604.1",
    ),
    (
        6,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/137.0.0.0 Safari/537.36 Edg/137.0.0.0",
    ),
    (4, "Mozilla/5.0 (X11; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0"),
)
HOURS = (
    1,
    1,
    0,
    0,
    0,
    0,
    0,
    1,
    3,
    6,
    24,
    30,
    28,
    22,
    26,
    30,
    24,
    9,
    5,
    4,
    3,
    2,
    2,
    1,
)  # of the day, in Dublin's winter
WEEKDAYS = (6, 14, 15, 16, 17, 30, 28)  # it is closed on Mondays, and people scan what they see from the street
SHORT_IDS = ((5, "TURF1891"), (3, "HARE1922"), (2, "GULL2003"))
QUERIES = ((8, ""), (1, "utm_source=poster"), (1, "utm_source=leaflet&utm_medium=print"))


def scan_all(tables: Tables, domain: str, until: int, ids: SeededIds) -> None:
    """Let them come, in order of time, before the moment `until`. Each scan is decided and recorded as any other is.

    Doing it again records nothing twice. `tables` are unscoped.
    """
    visits = Visits(tables, tables.main, _refuse_to_spill, ids.new_id)
    for short_id, facts in scans(until):
        visits.visit(domain, short_id, facts, cause="demo")


def scans(until: int) -> list[tuple[str, Facts]]:
    """What is scanned, and by whom, oldest first."""
    chance = random.Random(1891)  # noqa: S311 - nobody must not guess who visits the demo
    visitors = [
        (_one_of(chance, HOMES), _one_of(chance, AGENTS), f"203.0.113.{number}") for number in range(1, VISITORS + 1)
    ]
    found: list[tuple[str, Facts]] = []
    while len(found) < SCANS:
        at = _moment(chance, until)
        home, agent, address = chance.choice(visitors)
        facts = Facts(
            at=at,
            address=address,
            agent=agent,
            languages=home.languages,
            query=_one_of(chance, QUERIES),
            country=home.country,
            region=home.region,
            city=home.city,
            latitude=home.latitude,
            longitude=home.longitude,
            zone=home.zone,
            source="geoIp",
        )
        short_id = _one_of(chance, SHORT_IDS)
        if at < until - QUIET_MS:
            found.append((short_id, facts))
    return sorted(found, key=lambda each: each[1].at)


def _moment(chance: random.Random, until: int) -> int:
    """In the two weeks before `until`, more of them at weekends and while the museum is open."""
    today = until // DAY_MS
    days = range(today - DAYS + 1, today + 1)
    day = chance.choices(days, [WEEKDAYS[(each + 3) % 7] for each in days])[0]  # day 0 was a Thursday
    hour = chance.choices(range(24), HOURS)[0]
    return day * DAY_MS + hour * HOUR_MS + chance.randrange(HOUR_MS)


def _one_of[T](chance: random.Random, weighted: tuple[tuple[int, T], ...]) -> T:
    return chance.choices([each for _, each in weighted], [weight for weight, _ in weighted])[0]


def _refuse_to_spill(_message: str) -> None:
    raise RuntimeError("a store that has just begun has no spill queue")
