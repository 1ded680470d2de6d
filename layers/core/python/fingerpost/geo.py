"""Where an address is, by a MaxMind DB file such as GeoLite2-City: for requests that no CloudFront has told us of.

Source: "GeoIP City binary database fields", dev.maxmind.com. Imported only where such a file is configured: wiring.py.
"""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import maxminddb

from . import log

MAX_TEXT = 100
KEPT_ADDRESSES = 4_096
_KINDS = ("City", "Country", "Enterprise")  # one of them is part of the type of every database that knows countries
_DAMAGE = (maxminddb.InvalidDatabaseError, ValueError, TypeError)  # what the library raises of a broken file


class BadDatabase(Exception):
    """The file cannot be used; the message names it, its fault and what would do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Where an address is thought to be. Empty text and None mean unknown; a position is whole or absent."""

    country: str = ""  # ISO 3166-1 alpha-2
    region: str = ""
    city: str = ""
    latitude: float | None = None
    longitude: float | None = None
    zone: str = ""  # IANA


class AreaFinder:
    """One open file, mapped into memory and shared by threads. The latest 4,096 addresses are remembered.

    It is read in pure Python, 0.1 ms a new address: the library's C extension takes 6 us, and ends the process with a
    segmentation fault at some damaged files. To renew the file, rename another one into its place and start again; the
    open one stays what it was. A file cut short in place while it is mapped takes the process with it.
    """

    def __init__(self, path: Path):
        """Raises BadDatabase."""
        try:
            path.open("rb").close()  # which tells more of what is amiss than the library does
            self._reader = maxminddb.open_database(path, maxminddb.MODE_MMAP)
            kind, self._versions = str(self._reader.metadata().database_type), self._reader.metadata().ip_version
            self._reader.get("::" if self._versions == 6 else "0.0.0.0")  # noqa: S104 - one path through the tree
        except FileNotFoundError as error:
            raise BadDatabase(f"{path} does not exist; name a MaxMind DB file (.mmdb)") from error
        except OSError as error:
            raise BadDatabase(f"{path} cannot be read: {error.strerror}") from error
        except _DAMAGE as error:
            raise BadDatabase(f"{path} is no MaxMind DB file, or only part of one: {error}") from error
        if not any(known in kind for known in _KINDS):
            raise BadDatabase(f"{path} is a database of the type {kind[:60]!r}; one of cities or countries is needed")
        self._broken = False
        self._kept = lru_cache(KEPT_ADDRESSES)(self._look_up)

    def find(self, address: str) -> Area | None:
        """What the file says of a public address; None for any other text. Damage to the file is logged, once."""
        return self._kept(address) if len(address) <= MAX_TEXT else None

    def _look_up(self, address: str) -> Area | None:
        match _parsed(address):
            case IPv4Address() as parsed if parsed.is_global:
                pass
            case IPv6Address() as parsed if parsed.is_global and self._versions == 6:
                pass
            case _:
                return None
        try:
            record = self._reader.get(parsed)
        except _DAMAGE as error:
            if not self._broken:
                self._broken = True
                log.error("the database of addresses is damaged", error=error)
            return None
        return _area(record) if isinstance(record, dict) else None


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed


def _area(record: dict[str, Any]) -> Area:
    """Providers other than MaxMind write this shape, too, and leave out what they like."""
    place, divisions = _map(record.get("location")), record.get("subdivisions")
    country = _text(_map(record.get("country")).get("iso_code")).upper()
    latitude, longitude = _degrees(place.get("latitude"), 90), _degrees(place.get("longitude"), 180)
    located = latitude is not None and longitude is not None
    return Area(
        country=country if len(country) == 2 and country.isascii() and country.isalpha() else "",
        region=_english(divisions[0]) if isinstance(divisions, list) and divisions else "",
        city=_english(record.get("city")),
        latitude=latitude if located else None,
        longitude=longitude if located else None,
        zone=_text(place.get("time_zone")),
    )


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _english(named: Any) -> str:
    """CloudFront's names are English, and a rule must not care who found the city."""
    return _text(_map(_map(named).get("names")).get("en"))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    return "".join(character for character in value[:MAX_TEXT] if character.isprintable())


def _degrees(value: Any, bound: float) -> float | None:
    """None for NaN, too, which is within no bounds."""
    return float(value) if isinstance(value, int | float) and -bound <= value <= bound else None
