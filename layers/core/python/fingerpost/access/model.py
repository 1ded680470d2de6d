"""Who is asking, and what they may do. Pure; standard library only."""

import hashlib
import hmac
import string
from dataclasses import dataclass
from typing import Literal

type Actor = Literal["operator", "trustedApplication", "application", "nobody"]
type Verb = Literal["create", "read", "update", "delete"]

KEY_LENGTH = 80
KEY_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The bearer of an API key."""

    actor: Actor
    account: str
    id: str  # the operator, or the application
    project: str | None = None  # what a key of a project sees; None: the whole account

    @property
    def app(self) -> str | None:
        return None if self.actor == "operator" else self.id


NOBODY = Principal(actor="nobody", account="", id="")  # who uses an address that needs no key

ALL: frozenset[Verb] = frozenset({"create", "read", "update", "delete"})
READ: frozenset[Verb] = frozenset({"read"})

# What each kind of key may do with each kind of resource. Source: wire-facts, "Who may do what".
PERMISSIONS: dict[Actor, dict[str, frozenset[Verb]]] = {
    "operator": {
        "access": READ,
        "accounts": frozenset({"read", "update"}),
        "projects": ALL,
        "applications": ALL,
        "secretKey": READ,
        "products": ALL,
        "thngs": ALL,
        "properties": ALL,
        "locations": ALL,
        "collections": ALL,
        "places": ALL,
        "actions": ALL,
        "actionTypes": ALL,
        "redirections": ALL,
        "redirector": ALL,
        "audit": READ,
        "statistics": frozenset({"read", "delete"}),
    },
    "trustedApplication": {
        "access": READ,
        "self": frozenset({"read", "update"}),
        "products": ALL,
        "thngs": ALL,
        "properties": ALL,
        "locations": ALL,
        "collections": ALL,
        "places": ALL,
        "actions": frozenset({"create", "read"}),
        "actionTypes": frozenset({"create", "read", "delete"}),
        "redirections": ALL,
    },
    "application": {
        "access": READ,
        "self": READ,
        "products": READ,
        "places": READ,
    },
    "nobody": {},
}


def may(actor: Actor, verb: Verb, resource: str) -> bool:
    """The one authorisation decision."""
    return verb in PERMISSIONS[actor].get(resource, frozenset())


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
