"""What a request tells about a scan: where, when, with what. Standard library only; on the scan path.

Country, city, position and zone come from CloudFront's viewer headers. Source: "Add CloudFront request headers".
Where there is no CloudFront they may come from a file of addresses: geo.py.
"""

import contextlib
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..frozen import Frozen
from ..http import Event

if TYPE_CHECKING:
    from ..geo import Area

type FindArea = Callable[[str], "Area | None"]  # an address -> where it is, as far as that is known

MAX_AGENT = 512
MAX_HEADER = 100
MAX_QUERY = 256
_RAW = re.compile(r"[^!-~]")  # what a query string should have encoded
_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_WHERE = frozenset(
    f"cloudfront-viewer-{name}"
    for name in ("country", "country-region-name", "city", "latitude", "longitude", "time-zone")
)


class Facts(Frozen, kw_only=True):
    """One scan as the rules see it. Empty text and None mean unknown."""

    at: int  # milliseconds since the epoch
    address: str = ""  # in full; never stored unless the account opted in
    visitor: str = ""  # who it is, where that is known better than by address and agent: see variants.py
    variant: str = ""  # that a recorded scan got, and gets again wherever it can
    agent: str = ""
    languages: str = ""  # Accept-Language as sent
    referer: str = ""  # the host alone
    query: str = ""  # whole parameters of the short URL's query string as sent, as many as fit MAX_QUERY characters
    country: str = ""  # ISO 3166-1 alpha-2
    region: str = ""
    city: str = ""
    latitude: float | None = None
    longitude: float | None = None
    zone: str = ""  # IANA
    source: str = "unknown"  # sensor, place, geoIp, unknown

    @property
    def language(self) -> str:
        """The most preferred language tag, such as `fr-CH`; empty when none was sent."""
        return preferred_language(self.languages)


def facts_of(
    event: Event, at: int, *, query: str = "", trust_viewer: bool = True, find_area: FindArea | None = None
) -> Facts:
    """Read a request's facts from its headers; `trust_viewer` unless a client could have sent CloudFront's itself.

    `query` is the query string of a short URL; that of any other address is none of the rules' business.
    Where no header says anything of the place, `find_area` is asked for that of the address.
    """
    headers: dict[str, str] = event.get("headers") or {}
    if not trust_viewer:
        headers = {name: value for name, value in headers.items() if not name.startswith("cloudfront-")}
        event = {**event, "headers": headers}
    get = headers.get
    latitude = _degrees(get("cloudfront-viewer-latitude"), 90)
    longitude = _degrees(get("cloudfront-viewer-longitude"), 180)
    located = latitude is not None and longitude is not None
    country = get("cloudfront-viewer-country", "").upper()
    facts = Facts(
        at=at,
        address=client_address(event),
        agent=get("user-agent", "")[:MAX_AGENT],
        languages=get("accept-language", "")[:MAX_HEADER],
        referer=_host(get("referer", "")),
        query=whole_parameters(query) if query else "",
        country=country if len(country) == 2 and country.isascii() and country.isalpha() else "",
        region=_text(get("cloudfront-viewer-country-region-name", "")),
        city=_text(get("cloudfront-viewer-city", "")),
        latitude=latitude if located else None,
        longitude=longitude if located else None,
        zone=get("cloudfront-viewer-time-zone", "")[:MAX_HEADER],
        source="geoIp" if located else "unknown",
    )
    if find_area is None or not _WHERE.isdisjoint(headers) or (area := find_area(facts.address)) is None:
        return facts
    return facts.__replace__(
        country=area.country,
        region=area.region,
        city=area.city,
        latitude=area.latitude,
        longitude=area.longitude,
        zone=area.zone,
        source="unknown" if area.latitude is None else "geoIp",
    )


def client_address(event: Event) -> str:
    """The viewer's address: CloudFront's word for it (`address:port`), else the gateway's."""
    viewer: str = (event.get("headers") or {}).get("cloudfront-viewer-address", "")
    if viewer:
        return viewer.rpartition(":")[0].strip("[]")
    address: Any = event["requestContext"].get("http", {}).get("sourceIp", "")
    return address if isinstance(address, str) else ""


def truncated(address: str) -> str:
    """An address without what tells people apart: /24 of IPv4, /48 of IPv6."""
    if "." in address and ":" not in address:
        return address.rpartition(".")[0] + ".0"
    if ":" not in address:
        return ""
    head, _, _ = address.partition("::")
    groups = head.split(":")[:3] if head else []
    return ":".join(groups) + "::"


def visitor_hash(salt: str, account: str, address: str, agent: str) -> str:
    """Tells visitors of one day and account apart, and means nothing when the day's salt is gone."""
    return hashlib.blake2b(f"{salt}|{account}|{address}|{agent}".encode(), digest_size=9).hexdigest()


def whole_parameters(query: str) -> str:
    """A query string in plain ASCII, cut after the last parameter that fits MAX_QUERY characters."""
    query = _RAW.sub(lambda found: "".join([f"%{octet:02X}" for octet in found[0].encode(errors="replace")]), query)
    return query if len(query) <= MAX_QUERY else query[: MAX_QUERY + 1].rpartition("&")[0]


@lru_cache(maxsize=256)
def parameters(query: str) -> Mapping[str, str]:
    """The parameters of a query string, decoded; of several with one name the first. Source: WHATWG URL, 5.1."""
    found: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name:
            found.setdefault(_decoded(name), _decoded(value))
    return found


def _decoded(text: str) -> str:
    text = text.replace("+", " ")
    if "%" not in text:
        return text
    return _ENCODED.sub(lambda found: bytes.fromhex(found[0].replace("%", "")).decode(errors="replace"), text)


@lru_cache(maxsize=1024)
def preferred_language(accept: str) -> str:
    """The tag with the highest weight, the first of equals. Source: RFC 9110, 12.5.4."""
    best, best_weight = "", 0.0
    for part in accept.split(","):
        tag, _, parameters = part.partition(";")
        tag = tag.strip()
        if not tag or tag == "*" or not tag.replace("-", "").isalnum():
            continue
        weight = 1.0
        name, _, value = parameters.partition("=")
        if name.strip().lower() == "q":
            try:
                weight = float(value)
            except ValueError:
                continue
        if weight > best_weight:
            best, best_weight = tag, weight
    return best[:35]


def _degrees(text: str | None, bound: float) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if -bound <= value <= bound else None


def _host(referer: str) -> str:
    return referer.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2][:MAX_HEADER].lower()


@lru_cache(maxsize=4096)
def _text(value: str) -> str:
    """CloudFront sends UTF-8, which arrives as Latin-1."""
    with contextlib.suppress(UnicodeError):
        value = value.encode("latin-1").decode()
    return "".join(character for character in value[:MAX_HEADER] if character.isprintable())
