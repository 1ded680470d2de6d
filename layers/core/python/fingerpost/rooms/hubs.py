"""Meeting hubs: who belongs to one and what they may do there, told by the key that they send. Source: ROOM service."""

from contextlib import suppress
from dataclasses import dataclass, replace
from http.cookies import CookieError, SimpleCookie
from typing import Literal

from ..access.secrets import RootSecrets
from ..caller import Caller
from ..errors import NotFound, Unauthenticated
from ..http import Event, header
from ..ports.table import Check, Present, Tables, Write
from ..preconditions import ANYTHING
from ..resources import Document, Resources, Stored
from . import credentials, plain
from .keys import room_key
from .kinds import HUB, HUB_MEMBER, ROOM

type Privilege = Literal["read", "write", "admin", "owner"]

PRIVILEGES: tuple[Privilege, ...] = ("read", "write", "admin", "owner")  # each holds those before it
COOKIE = "regsid"
SELECTED = "x-param-keysel"  # names the header, after x-param-, that holds the key
KEY_LENGTH = 40
AREA = "private"  # of a hub that does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class HubMember:
    """Somebody in a hub. `room` is the id of the room that the hub is tied to."""

    account: str
    hub: str
    hub_name: str
    area: str
    room: str | None
    id: str
    name: str
    email: str
    privilege: Privilege

    def may(self, wanted: Privilege) -> bool:
        return PRIVILEGES.index(self.privilege) >= PRIVILEGES.index(wanted)


def key_of(event: Event) -> str:
    """The key that a request carries: in the cookie `regsid`, or in the header that `x-param-keysel` names."""
    if selected := header(event, SELECTED):
        return header(event, f"x-param-{selected.lower()}")
    for text in [*(event.get("cookies") or ()), header(event, "cookie")]:
        try:
            found = SimpleCookie(text).get(COOKIE)
        except CookieError:
            continue
        if found is not None:
            return found.value
    return ""


def member_of(tables: Tables, key: str) -> HubMember:
    """Whose key it is. `tables` are unscoped. Raises Unauthenticated: unknown, revoked, or of a hub that is gone."""
    row = credentials.look_up(tables, room_key("hub", key)) if key else None
    found = row and Resources(tables.of(row["account"]), HUB).read_many([row["hub"]], consistent=True)
    if not row or not found:
        raise Unauthenticated("This needs the key of a member of the hub")
    hub = found[row["hub"]].document
    return HubMember(
        account=row["account"],
        hub=row["hub"],
        hub_name=hub["name"],
        area=hub["area"],
        room=hub.get("room"),
        id=row["id"],
        name=row["name"],
        email=row["email"],
        privilege=row["privilege"],
    )


def members_of(tables: Tables, hub: str) -> list[Stored]:
    """Everybody in a hub, oldest first. `tables` are the account's."""
    return plain.all_of(tables, HUB_MEMBER, "hub", hub)


def add_member(
    caller: Caller, roots: RootSecrets, hub: str, *, name: str, email: str, privilege: Privilege
) -> tuple[Stored, str]:
    """Somebody in the hub, and their key, which nobody is shown again. Raises NotFound."""
    Resources(caller.tables, HUB).read(hub)
    member = caller.new_id(caller.at)
    key = member_secret(roots, caller, member)
    document: Document = {"name": name, "email": email, "hub": hub, "privilege": privilege}
    stands: list[Write] = [Check(HUB.key(hub), (Present(),))]
    rows = {room_key("hub", key): document}
    return credentials.create(caller, member, HUB_MEMBER, document, rows, also=stands), key


def member_secret(roots: RootSecrets, caller: Caller, member: str, *, root: int | None = None) -> str:
    return credentials.secret_of(roots, caller, "hub", member, root=root)[:KEY_LENGTH]


def remove_member(caller: Caller, hub: str, member: str) -> None:
    """Their key opens nothing from now on. Raises NotFound."""
    members = Resources(caller.tables, HUB_MEMBER)
    if members.read(member).document["hub"] != hub:
        raise members.missing(member[:60])
    credentials.revoke(caller, HUB_MEMBER, member)


def create(caller: Caller, fields: Document) -> Stored:
    """Raises Invalid for a room that is none."""
    _check_room(caller.tables, fields)
    return plain.create(caller, HUB, {"area": AREA, **fields})


def update(caller: Caller, hub: str, fields: Document) -> Stored:
    """Raises NotFound, Invalid, PreconditionFailed."""
    if "area" in fields:
        fields = {**fields, "area": fields["area"] or AREA}
    return plain.update(
        caller, HUB, hub, fields, needs=("name",), check=lambda after: _check_room(caller.tables, after)
    )


def delete(caller: Caller, hub: str) -> None:
    """The hub goes first, and with it what its members' keys open. Raises NotFound, PreconditionFailed."""
    plain.delete(caller, HUB, hub)
    members = replace(caller, match=ANYTHING)
    for each in members_of(caller.tables, hub):
        with suppress(NotFound):  # somebody else removes them just now
            credentials.revoke(members, HUB_MEMBER, each.id)


def _check_room(tables: Tables, fields: Document) -> None:
    room = fields.get("room")
    if room is not None and room not in Resources(tables, ROOM).read_many([room], consistent=True):
        raise plain.unknown("room", room)
