"""A scan that never took place, as the row that its action would have: so it is asked about like a recorded one."""

from typing import Any
from urllib.parse import urlencode

from tzfpy import get_tz

from ..access.store import ACCOUNT
from ..actions.model import row_of
from ..actions.service import read as read_action
from ..caller import Caller
from ..catalogue.model import COLLECTION, PRODUCT, THNG
from ..catalogue.service import find_place, point_of
from ..errors import Finding, Gone, Invalid, NotFound
from ..ports.table import Tables
from ..redirection.links import Links
from ..redirection.model import Link
from ..redirection.recorded import Recorded
from ..resources import Kind, Resources
from .documents import SentScan

OF_THINGS = ("link", "thng", "product", "collection", "place")
OF_DECISIONS = ("url", "rules", "rule", "app", "project", "seen", "byRule", "byRules", "limit")
FACTS = {  # of a sent scan -> of a row
    "timestamp": "ts",
    "timezone": "zone",
    "country": "country",
    "region": "region",
    "city": "city",
    "language": "lang",
    "latitude": "lat",
    "longitude": "lon",
    "userAgent": "ua",
    "referer": "ref",
    "visitor": "visitor",
    "customFields": "customFields",
}
THINGS: dict[str, Kind] = {"thng": THNG, "product": PRODUCT, "collection": COLLECTION}


class Described:
    """A scan to simulate and the link that it is of, if any."""

    def __init__(self, caller: Caller, tables: Tables, sent: SentScan | None, action: str | None, domain: str):
        """`tables` are unscoped. Raises Invalid with a finding, NotFound for an unknown action."""
        self._caller, self._links = caller, Links(tables, caller)
        self._row: dict[str, Any] = {"ts": caller.at, "type": "scans"}
        self.link: Link | None = None
        if action is not None:
            recorded = row_of(read_action(caller, "all", action))
            self._row = {name: value for name, value in recorded.items() if name not in OF_DECISIONS}
            if "link" in recorded:
                linked, _, short_id = recorded["link"].partition("/")
                self.link = self._find_link(short_id, linked, field="action")
        if sent is not None:
            self._apply(sent, domain)

    def scan(self, application: str = "") -> Recorded:
        """The scan; as the `application` would have posted it, when its own rules are to be asked."""
        return Recorded("", {**self._row, "rules": 0, **({"app": application} if application else {})})

    def _apply(self, sent: SentScan, domain: str) -> None:
        row = self._row
        for name, kept in FACTS.items():
            if (value := getattr(sent, name)) is not None:
                row[kept] = value
        if sent.visitor is not None:
            row.pop("variant", None)
        if sent.query is not None:
            row["q"] = urlencode(sent.query)
        if sent.shortId is not None:
            self._take_link(sent.shortId, sent.shortDomain or self._domain(domain))
        for name, kind in THINGS.items():
            if (resource_id := getattr(sent, name)) is not None:
                self._take_thing(name, kind, resource_id)
        self._locate(sent)

    def _take_link(self, short_id: str, domain: str) -> None:
        link = self.link = self._find_link(short_id, domain, field="scan.shortId")
        self._forget_things()
        self._row |= {"type": "implicitScans", "link": link.name, link.type: link.evrythng_id}
        if link.type != "product" and link.product is not None:
            self._row["product"] = link.product

    def _take_thing(self, name: str, kind: Kind, resource_id: str) -> None:
        found = Resources(self._caller.tables, kind).read_many([resource_id], consistent=True).get(resource_id)
        if found is None or not self._caller.sees(found.document):
            raise _invalid(f"scan.{name}", f"there is no {name} {resource_id[:60]}")
        self._forget_things()
        self.link = None
        self._row |= {"type": "scans", name: resource_id}

    def _forget_things(self) -> None:
        for name in OF_THINGS:
            self._row.pop(name, None)

    def _find_link(self, short_id: str, domain: str, *, field: str) -> Link:
        try:
            return self._links.read(domain, short_id)
        except (NotFound, Gone) as error:
            raise _invalid(field, str(error)) from error

    def _domain(self, asked: str) -> str:
        """The domain that the request came to, when it is the account's, else the account's first."""
        own: list[str] = (
            Resources(self._caller.tables, ACCOUNT).read(self._caller.principal.account).document["shortDomains"]
        )
        return asked if asked in own or not own else own[0]

    def _locate(self, sent: SentScan) -> None:
        """A position, the scan's own or that of its place, decides the time zone unless one was sent."""
        point = None if sent.latitude is None or sent.longitude is None else (sent.latitude, sent.longitude)
        source = "sensor"
        if sent.place is not None:
            try:
                place = find_place(self._caller, sent.place)
            except (NotFound, Invalid) as error:
                raise _invalid("scan.place", f"there is no place {sent.place[:60]}") from error
            self._row["place"] = sent.place
            found = point_of(place)
            if point is None and found is not None:
                point, source = (found[0], found[1]), "place"
        if point is None:
            return
        self._row |= {"lat": point[0], "lon": point[1], "source": source}
        if sent.timezone is None:
            self._row["zone"] = get_tz(point[1], point[0])


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", details=[Finding(field=field, message=message)])
