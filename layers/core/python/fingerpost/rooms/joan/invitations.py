"""The links by which somebody who was invited says yes or no: signed, so that nobody makes one up. Pure.

A link is `version.account.booking.mark.signature`; the mark is the attendee's token, so that it opens nothing any more
when the invitation is gone.
"""

import base64
import hashlib
import hmac
import re
from typing import NamedTuple

from ...access.secrets import RootSecrets
from ...errors import NotFound

PURPOSE = "rooms/joan/invitation"
_LINK = re.compile(r"(\d{1,9})\.([A-Za-z0-9]+)\.([A-Za-z0-9_]+)\.([0-9a-f]+)\.([A-Za-z0-9_-]+)", re.ASCII)


class Invitation(NamedTuple):
    account: str
    booking: str
    mark: str


def mark_of(booking: str, email: str) -> str:
    """The same for each invitation of somebody to a booking; no secret, the signature is."""
    return hashlib.sha256(f"{booking}/{email.casefold()}".encode()).hexdigest()[:16]


def signed(roots: RootSecrets, invitation: Invitation) -> str:
    return _signed(roots, roots.current, invitation)


def opened(roots: RootSecrets, link: str) -> Invitation:
    """Raises NotFound."""
    found = _LINK.fullmatch(link)
    version = int(found[1]) if found else 0
    if found is None or version not in roots.roots:
        raise NotFound("There is no such invitation")
    invitation = Invitation(found[2], found[3], found[4])
    if not hmac.compare_digest(_signed(roots, version, invitation), link):
        raise NotFound("There is no such invitation")
    return invitation


def _signed(roots: RootSecrets, version: int, invitation: Invitation) -> str:
    text = ".".join((str(version), *invitation))
    digest = hmac.digest(roots.for_purpose(PURPOSE, version), text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(digest[:18]).decode()}"
