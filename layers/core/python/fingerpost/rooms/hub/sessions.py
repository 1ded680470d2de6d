"""Who asks the ROOM service: a member of a hub, by a key, or a guest, by a signed cookie. Guests leave no row.

A guest has come by the public link of one meeting, and may do in that one's live room what the link allows for as long
as the link stands; or has said a name alone, and may do nothing.
"""

import base64
import hmac
import json
from dataclasses import dataclass
from typing import Any

from ... import keys
from ...access.model import Principal
from ...access.secrets import RootSecrets
from ...errors import Unauthenticated
from ...http import Event
from ...ports.table import Tables
from ...resources import Resources
from .. import credentials, hubs
from ..hubs import PRIVILEGES, Privilege
from ..keys import room_key
from ..kinds import HUB
from .asking import Asked

GUEST = "guest."
GUEST_MS = 86_400_000
PURPOSE = "rooms/hub/guest"
MAX_COOKIE = 2_000
GUESTS_MAY: Privilege = "write"  # at most, whatever a link says
NUMBERS: dict[Privilege, int] = {"read": 2, "write": 4, "admin": 6, "owner": 32}  # as answers have them


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody in a hub. `meeting` is the one that a guest was let in to; a guest without one has no privilege."""

    account: str
    hub: str
    hub_name: str = ""
    area: str = hubs.AREA
    room: str | None = None  # the room that the hub is tied to
    id: str
    name: str
    email: str = ""
    privilege: Privilege | None = None
    meeting: str | None = None
    key: str = ""  # the row of the member's key, or of the link that a guest came by: without it nothing is open

    @property
    def is_guest(self) -> bool:
        return self.id.startswith(GUEST)

    def may(self, wanted: Privilege) -> bool:
        return self.privilege is not None and PRIVILEGES.index(self.privilege) >= PRIVILEGES.index(wanted)

    def enters(self, room: str) -> bool:
        """Whether a live room is theirs to enter at all."""
        return self.privilege is not None and (not self.is_guest or room == self.meeting)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubPrincipal(Principal):
    """A principal that keeps its session, so that no request looks it up twice."""

    session: Session


def principal_of(session: Session) -> HubPrincipal:
    return HubPrincipal(
        actor="roomClient",
        account=session.account,
        id=session.id,
        key=session.key,
        role=session.privilege or "",
        session=session,
    )


def session_of(tables: Tables, roots: RootSecrets, key: str, at: int) -> Session:
    """`tables` are unscoped. Raises Unauthenticated."""
    if key.startswith(GUEST):
        return _guest(tables, roots, key, at)
    member = hubs.member_of(tables, key)
    return Session(
        account=member.account,
        hub=member.hub,
        hub_name=member.hub_name,
        area=member.area,
        room=member.room,
        id=member.id,
        name=member.name,
        email=member.email,
        privilege=member.privilege,
        key=room_key("hub", key).pk,
    )


def session_or_none(tables: Tables, roots: RootSecrets, event: Event, at: int) -> Session | None:
    """For the services that anybody may ask; a key that opens nothing is none."""
    key = hubs.key_of(event)
    try:
        return session_of(tables, roots, key, at) if key else None
    except Unauthenticated:
        return None


def guest_key(roots: RootSecrets, guest: str, name: str, at: int, *, link: str = "") -> str:
    """The cookie of a guest: who they are, how they came and until when, signed."""
    said = json.dumps([guest, name, link, at + GUEST_MS], ensure_ascii=False, separators=(",", ":"))
    text = base64.urlsafe_b64encode(said.encode()).decode()
    return f"{GUEST}{roots.current}.{text}.{_signature(roots, roots.current, text)}"


def cookie(key: str, *, secure: bool) -> str:
    """A Set-Cookie header that makes it the session."""
    flags = "; Secure" if secure else ""
    return f"{hubs.COOKIE}={key}; Path=/; Max-Age={GUEST_MS // 1000}; HttpOnly; SameSite=Lax{flags}"


def _guest(tables: Tables, roots: RootSecrets, key: str, at: int) -> Session:
    guest, name, link, until = _opened(roots, key)
    if until <= at:
        raise Unauthenticated("This session is over")
    anybody = Session(account="", hub="", id=guest, name=name)
    if not link:
        return anybody
    row = credentials.look_up(tables, keys.row_of(link))
    if row is None:
        raise Unauthenticated("The link that this session came by opens nothing any more")
    found = Resources(tables.of(row["account"]), HUB).read_many([row["hub"]], consistent=True).get(row["hub"])
    if found is None:
        raise Unauthenticated("The hub of this link is gone")
    return Session(
        account=row["account"],
        hub=row["hub"],
        hub_name=found.document["name"],
        area=found.document["area"],
        room=found.document.get("room"),
        id=guest,
        name=name,
        privilege=row["privilege"],
        meeting=row["id"],
        key=link,
    )


def _opened(roots: RootSecrets, key: str) -> tuple[str, str, str, int]:
    """Raises Unauthenticated."""
    _, _, rest = key.partition(GUEST)
    version, _, signed = rest.partition(".")
    text, _, signature = signed.partition(".")
    known = version.isascii() and version.isdigit() and len(version) < 10 and int(version) in roots.roots
    right = known and hmac.compare_digest(_signature(roots, int(version), text).encode(), signature.encode())
    if not right or len(key) > MAX_COOKIE:
        raise Unauthenticated("This is no session")
    said: list[Any] = json.loads(base64.urlsafe_b64decode(text))
    return said[0], said[1], said[2], said[3]


def _signature(roots: RootSecrets, version: int, text: str) -> str:
    digest = hmac.digest(roots.for_purpose(PURPOSE, version), text.encode(errors="replace"), "sha256")
    return base64.urlsafe_b64encode(digest[:18]).decode()


def hub_of(asked: Asked, session: Session | None) -> str:
    """The hub that a request is about: the session's, else the one that it names. Raises Mandatory, Invalid."""
    return session.hub if session is not None and session.hub else asked.name("hub_id")
