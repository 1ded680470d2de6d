"""Public links of meetings: a token that opens one, with a password and an end if it was made so.

The token is the whole secret: it is shown once, and lies in the store as a hash. Passwords are hashed with argon2id,
and guessing them is throttled by link.
"""

import json
import secrets
import string
from dataclasses import dataclass
from typing import Any

from ... import audit, keys
from ...access.guessing import trying
from ...access.passwords import hashed, is_of
from ...access.secrets import RootSecrets
from ...clock import DAY_MS
from ...errors import Invalid, NotFound
from ...ids import new_id
from ...ports.table import Absent, GlobalKey, Put, Tables
from ...resources import Document, Resources
from ...shapes import stamp
from .. import credentials
from ..bookings import Bookings
from ..errors import Unknown
from ..hubs import PRIVILEGES, Privilege
from ..keys import room_key
from ..kinds import HUB, HUB_MEETING
from ..local_time import zone_of
from ..model import HOUR_MS
from . import meeting
from .asking import Asked
from .calls import Call
from .meetings import SYSTEM, stored_of
from .sessions import GUESTS_MAY, guest_key
from .words import UserError

PATH = "/-/meeting"
LENGTH = 32
MAX_DAYS, MAX_HOURS = 3_650, 87_600
MAX_PASSWORD = 200
MAX_LINKS = 50  # of one meeting
_TEXT = string.ascii_letters + string.digits
# By number as the document prints them, and as the product counts; by name.
PERMISSIONS: dict[str, Privilege] = {
    **{"1": "read", "2": "read", "4": "write", "6": "admin", "8": "write", "16": "admin", "32": "owner"},
    **{each: each for each in PRIVILEGES},
}


@dataclass(frozen=True, slots=True)
class Opened:
    """What somebody with a link sees: the meeting's node, and how they are known from now on."""

    hub: str
    nid: str
    node: Document
    when: str  # for people, by the clocks of the place
    privilege: Privilege
    key: str


class Locked(UserError):
    """There is a password, and it was not said."""


def public_link(call: Call, api_url: str) -> Document:
    """A link that lets anybody in to a meeting, and where its QR code is."""
    nid, asked = call.asked.name("nid"), call.asked
    stored_of(call, nid)
    days = asked.number("days", 0, low=0, high=MAX_DAYS)
    hours = asked.number("hours", 0, low=0, high=MAX_HOURS)
    lasts = days * DAY_MS + hours * HOUR_MS
    password = asked.text("password", most=MAX_PASSWORD)
    token = "".join(secrets.choice(_TEXT) for _ in range(LENGTH))
    key = room_key("hubLink", token)
    expires_at = call.caller.at + lasts if lasts else None
    said = {
        "hub": call.hub,
        "privilege": _privilege(asked),
        "password": hashed(password) if password else "",
    }
    row = {
        **stamp("roomKey"),
        "account": call.caller.principal.account,
        "id": nid,
        "doc": json.dumps(said, separators=(",", ":")),
    }
    _keep(call, nid, Put(key, row, (Absent(),), expires_at))
    link = f"{api_url}{PATH}/{token}"
    return {"link": link, "qr": f"{link}/qr", "expires": expires_at}


def opened(
    tables: Tables, roots: RootSecrets, bookings_of: Any, token: str, at: int, *, password: str, name: str, guest: str
) -> Opened:
    """What a link leads to. `guest` is who comes again. Raises NotFound, Locked, UserError, TooManyRequests."""
    key, row = _row(tables, token)
    if row["password"]:
        if not password:
            raise Locked("PASSWORD_REQUIRED", "This link has a password; send it as `password` in a POST", 403)
        with trying(tables.of(row["account"]).main, keys.hash_of(token), at) as guess:
            guess.right = is_of(row["password"], password)
        if not guess.right:
            raise UserError("WRONG_PASSWORD", "This is not the password of the link", 403)
    own = tables.of(row["account"])
    stored = Resources(own, HUB_MEETING).read_many([row["id"]], consistent=True).get(row["id"])
    if stored is None or not Resources(own, HUB).read_many([row["hub"]], consistent=True):
        raise _no_link()
    bookings: Bookings = bookings_of(own)
    try:
        booking = bookings.by_external(SYSTEM, stored.id)
    except Unknown:
        booking = None
    when = f"{meeting.written(booking.start, zone_of(booking.zone))}, {booking.zone}" if booking else ""
    session = guest_key(roots, guest or f"guest.{new_id(at)}", name, at, link=key.pk)
    node = meeting.node(stored, booking)
    return Opened(row["hub"], stored.id, node, when or stored.document["date"], row["privilege"], session)


def check(tables: Tables, token: str) -> None:
    """Raises NotFound for a link that opens nothing."""
    _row(tables, token)


def _row(tables: Tables, token: str) -> tuple[GlobalKey, dict[str, Any]]:
    key = room_key("hubLink", token)
    row = credentials.look_up(tables, key)
    if row is None:
        raise _no_link()
    return key, row


def _no_link() -> NotFound:
    return NotFound("This link opens nothing: it is over, or its meeting was removed")


def _privilege(asked: Asked) -> Privilege:
    """What the link allows for, write when it does not say; nobody gets more than that. Raises Invalid."""
    said = asked.text("permission", GUESTS_MAY, 20).strip().lower()
    if said not in PERMISSIONS:
        raise Invalid(f"permission is 2 or read, 4 or write, not {said!r}")
    wanted = PERMISSIONS[said]
    return min(wanted, GUESTS_MAY, key=PRIVILEGES.index)


def _keep(call: Call, nid: str, put: Put) -> None:
    """With the meeting, so that who removes that removes the link."""

    def change(document: Document) -> Document:
        known = [keys.row_of(pk) for pk in document.get("_links", ())]
        standing = call.tables.main.get_many(known, consistent=True)
        links = [*(each.pk for each in known if each in standing), put.key.pk]
        if len(links) > MAX_LINKS:
            raise Invalid(f"A meeting has at most {MAX_LINKS} public links; wait until one is over")
        return {**document, "_links": links}

    told = {"hub": call.hub, "expiresAt": put.expires_at}
    Resources(call.caller.tables, HUB_MEETING).update(
        nid,
        change,
        also=lambda _before, _after: [put, *audit.entry(call.caller, "create", "hubLink", nid, after=told)],
    )
