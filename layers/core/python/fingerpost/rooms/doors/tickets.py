"""What a page of a door hands out: signed, short-lived, for one room and one browser. Pure.

Nobody logs in at a door. A form's ticket says that whoever sends it has had the room's page a moment ago, in the
browser that sends it: a page of another site cannot send one, nor can a ticket be kept for later or used elsewhere.
A display's ticket lets it be told that something has changed, and nothing more.

A ticket is `version.purpose.issued.nonce.signature`; room and browser are signed, too.
"""

import base64
import hashlib
import hmac
import re
from typing import Literal, NamedTuple

from ...access.secrets import RootSecrets
from ...errors import Forbidden

type Purpose = Literal["form", "display"]

LASTING_MS: dict[Purpose, int] = {"form": 30 * 60_000, "display": 3 * 3_600_000}
_TICKET = re.compile(r"(\d{1,9})\.(form|display)\.(\d{1,15})\.([A-Za-z0-9_-]{8,40})\.([A-Za-z0-9_-]{43})", re.ASCII)


class Stale(Forbidden):
    """A page of a door that was open for too long, or is another browser's."""


class Holder(NamedTuple):
    """For what and whom a ticket is. A display has no browser."""

    purpose: Purpose
    account: str
    room: str
    browser: str = ""


def issued(roots: RootSecrets, holder: Holder, at: int, nonce: str) -> str:
    return _signed(roots, roots.current, holder, str(at), nonce)


def check(roots: RootSecrets, ticket: str, holder: Holder, at: int) -> str:
    """The nonce of a ticket that is this holder's. Raises Stale."""
    found = _TICKET.fullmatch(ticket)
    version = int(found[1]) if found else 0
    if found is None or version not in roots.roots or found[2] != holder.purpose:
        raise Stale("This page cannot be used any more; here it is anew")
    if not hmac.compare_digest(_signed(roots, version, holder, found[3], found[4]), ticket):
        raise Stale("This page is another browser's, or yours takes no cookies; here it is anew")
    if not -60_000 <= at - int(found[3]) <= LASTING_MS[holder.purpose]:
        raise Stale("This page was open for too long; here it is anew")
    return found[4]


def _signed(roots: RootSecrets, version: int, holder: Holder, at: str, nonce: str) -> str:
    text = ".".join((str(version), holder.purpose, at, nonce))
    signed = "\0".join((text, holder.account, holder.room, holder.browser))
    digest = hmac.digest(roots.for_purpose("rooms/doors", version), signed.encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
