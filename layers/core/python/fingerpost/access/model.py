"""Who is asking, and what of the account they see and may change. Pure; standard library only."""

import hashlib
import hmac
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..sight import WHOLE_ACCOUNT, Sight

type Actor = Literal["operator", "trustedApplication", "application", "user", "device", "roomClient", "nobody"]
type Verb = Literal["create", "read", "update", "delete"]

KEY_LENGTH = 80
KEY_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What an operator's role allows, and in which projects; None: in the whole account."""

    reads: frozenset[str] | None = frozenset()
    resources: frozenset[str] | None = frozenset()  # may change things and what happens to them
    projects: frozenset[str] | None = frozenset()  # may change the projects themselves, their applications, their users
    roles: bool = False  # may change roles, and who is an operator


EVERYTHING = Rights(reads=None, resources=None, projects=None, roles=True)
NO_RIGHTS = Rights()


@dataclass(frozen=True, slots=True)
class Permission:
    """What an application user's role allows below a path. Source: the platform's ApplicationUserRolePermission.

    `path` as it is written: `*` is any one segment, `{user}` the user's own id, a `$` at the end "this path alone".
    `access` is letters of `crud`.
    """

    path: str
    access: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The bearer of an API key."""

    actor: Actor
    account: str
    id: str  # the operator, the application, the user, or the thng that is a device
    project: str | None = None  # what a key of a project sees; None: what the rights say
    app: str | None = None  # the application that the key belongs to, or whose user it is
    role: str = ""  # of an operator or a user: the id of what it resolved to; of a room client: its scope
    rooms: frozenset[str] | None = None  # of a room client: those that it is bound to; None: every one
    rights: Rights = NO_RIGHTS  # of an operator
    permissions: tuple[Permission, ...] = ()  # of a user or a device
    key: str = ""  # the hash by which the key is known

    @property
    def sight(self) -> Sight:
        """What it sees of the account's resources."""
        match self.actor:
            case "operator":
                return Sight(self.rights.reads)
            case "roomClient":
                return WHOLE_ACCOUNT
            case "user":
                return Sight(frozenset({self.project or ""}), self.id)
            case "device" if self.project is None:
                return Sight(frozenset(), outside=True)
            case _:
                return Sight(frozenset({self.project or ""}))

    def changes(self, document: Mapping[str, Any]) -> bool:
        """Whether it may change a resource that it sees: an operator's role may tell the two apart."""
        return self.actor != "operator" or Sight(self.rights.resources).sees(document)


NOBODY = Principal(actor="nobody", account="", id="")  # who uses an address that needs no key


def derived_key(secret: bytes, kind: str, resource_id: str, version: int) -> str:
    """An API key that can be shown again because it is never stored: 80 characters of HMAC-SHA-512 output.

    Source: the platform's keys are exactly 80 of [A-Za-z0-9].
    """
    text = f"fingerpost/api-key/{kind}/{resource_id}/{version}".encode()
    first = hmac.digest(secret, text, hashlib.sha512)
    number = int.from_bytes(first + hmac.digest(secret, first + text, hashlib.sha512))
    characters = []
    for _ in range(KEY_LENGTH):
        number, digit = divmod(number, len(KEY_ALPHABET))
        characters.append(KEY_ALPHABET[digit])
    return "".join(characters)


def is_key(text: str) -> bool:
    """Whether `text` could be an API key: ours, or one of 16 to 200 characters that an operator brought along."""
    return 16 <= len(text) <= 200 and text.isascii() and text.isprintable()
