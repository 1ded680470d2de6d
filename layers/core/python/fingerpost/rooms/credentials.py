"""What opens the REST room APIs: Joan's clients and their tokens, RoomVox tokens. Shown once, kept as hashes.

Secrets follow from the root secret and the id of their credential, so that a repeated request answers the same one.
Whoever presents one is looked up consistently each time, never from a cache: what was revoked opens nothing from the
next request on.
"""

import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from .. import audit, keys
from ..access.secrets import RootSecrets
from ..caller import Caller
from ..errors import Unauthenticated
from ..ports.table import Absent, ConditionFailed, Delete, GlobalKey, Present, Put, Set, Tables, Write
from ..resources import Document, Kind, Resources, Stored
from ..shapes import stamp, upgraded
from .keys import room_key
from .kinds import JOAN_CLIENT, ROOMVOX_TOKEN

type Scope = Literal["read", "book", "admin"]

SCOPES: tuple[Scope, ...] = ("read", "book", "admin")  # each holds those before it
JOAN_SECONDS = 36_000  # of a Joan token
JOAN_SCOPE = "read write"
ROOMVOX = "rvx_"
PREFIX_LENGTH = 8  # of a RoomVox token: what logs and lists show
CHARACTERS = 40
USED_EVERY_MS = 300_000  # how exactly it is known when a token was last used
_TEXT = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class JoanClient:
    """An application at Joan's portal. `scope` is a token's."""

    account: str
    id: str
    name: str
    scope: str = JOAN_SCOPE


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomvoxToken:
    """`rooms` are the ids that it is restricted to; None is every room of the account. `prefix` may be in logs."""

    account: str
    id: str
    name: str
    scope: Scope
    rooms: frozenset[str] | None
    prefix: str

    def may(self, wanted: Scope) -> bool:
        return SCOPES.index(self.scope) >= SCOPES.index(wanted)

    def reaches(self, room: str) -> bool:
        return self.rooms is None or room in self.rooms


def random_text(length: int = CHARACTERS) -> str:
    """Letters and digits, six bits each."""
    return "".join(secrets.choice(_TEXT) for _ in range(length))


# Joan


def create_joan_client(caller: Caller, roots: RootSecrets, name: str) -> tuple[Stored, str]:
    """The client, and its secret, which nobody is shown again."""
    credential = caller.new_id(caller.at)
    client, secret = joan_secrets(roots, caller, credential)
    row = {"secret": sha256(secret.encode()).hexdigest()}
    document = {"name": name, "clientId": client}
    rows = {room_key("joanClient", client): row}
    return create(caller, credential, JOAN_CLIENT, document, rows), secret


def joan_secrets(roots: RootSecrets, caller: Caller, credential_id: str, *, root: int | None = None) -> tuple[str, str]:
    """A client's id, and its secret."""
    client = secret_of(roots, caller, "joanClientId", credential_id, root=root)[:CHARACTERS]
    return client, secret_of(roots, caller, "joanClientSecret", credential_id, root=root)


def joan_client(tables: Tables, client_id: str, secret: str) -> JoanClient:
    """`tables` are unscoped. Raises Unauthenticated."""
    row = look_up(tables, room_key("joanClient", client_id))
    given = sha256(secret.encode(errors="surrogatepass")).hexdigest()
    if row is None or not hmac.compare_digest(row["secret"], given):
        raise Unauthenticated("invalid_client")
    return JoanClient(account=row["account"], id=row["id"], name=row["name"])


def issue_joan_token(tables: Tables, client: JoanClient, at: int) -> str:
    """A bearer token for JOAN_SECONDS, of the client's scope. `tables` are unscoped."""
    token = random_text(CHARACTERS)
    told = {"name": client.name, "scope": client.scope}
    row = {**stamp("roomKey"), "account": client.account, "id": client.id, "doc": _text(told)}
    tables.main.put(room_key("joanToken", token), row, when=(Absent(),), expires_at=at + JOAN_SECONDS * 1_000)
    return token


def joan_bearer(tables: Tables, token: str) -> JoanClient:
    """Whose token it is. Raises Unauthenticated: unknown, over, or of a client that is gone."""
    row = look_up(tables, room_key("joanToken", token))
    if row is None or row["id"] not in Resources(tables.of(row["account"]), JOAN_CLIENT).read_many(
        [row["id"]], consistent=True
    ):
        raise Unauthenticated("Authentication credentials were not provided.")
    return JoanClient(account=row["account"], id=row["id"], name=row["name"], scope=row.get("scope", JOAN_SCOPE))


# RoomVox


def create_roomvox_token(
    caller: Caller,
    roots: RootSecrets,
    name: str,
    scope: Scope,
    *,
    rooms: list[str] | None = None,
    expires_at: int | None = None,
) -> tuple[Stored, str]:
    """The token's document, and the token, which nobody is shown again. `rooms` are ids; None is every room."""
    credential = caller.new_id(caller.at)
    token = roomvox_secret(roots, caller, credential)
    fields: Document = {"name": name, "scope": scope, "prefix": token[:PREFIX_LENGTH], "rooms": rooms or []}
    document = fields if expires_at is None else {**fields, "expiresAt": expires_at}
    rows = {room_key("roomvox", token): fields}
    ends = None if expires_at is None else expires_at // 1_000 * 1_000  # rows end by the second, this one never late
    return create(caller, credential, ROOMVOX_TOKEN, document, rows, expires_at=ends), token


def roomvox_secret(roots: RootSecrets, caller: Caller, credential_id: str, *, root: int | None = None) -> str:
    return ROOMVOX + secret_of(roots, caller, "roomvox", credential_id, root=root)[:CHARACTERS]


def roomvox_token(tables: Tables, token: str, at: int) -> RoomvoxToken:
    """Whose token it is. `tables` are unscoped. Raises Unauthenticated: unknown, over or revoked."""
    key = room_key("roomvox", token)
    row = look_up(tables, key) if token.startswith(ROOMVOX) else None
    if row is None:
        raise Unauthenticated("Invalid or expired API token")
    if at - row.get("used", 0) >= USED_EVERY_MS:
        note_use(tables, key, at)
    return RoomvoxToken(
        account=row["account"],
        id=row["id"],
        name=row["name"],
        scope=row["scope"],
        rooms=frozenset(row["rooms"]) if row["rooms"] else None,
        prefix=row["prefix"],
    )


# What they have in common


def secret_of(roots: RootSecrets, caller: Caller, purpose: str, credential_id: str, *, root: int | None = None) -> str:
    """80 letters and digits, by the version `root` of the root secret; the current one when it is left out."""
    root = roots.current if root is None else root
    return roots.api_key(purpose, caller.principal.account, credential_id, root=root, version=1)


def create(
    caller: Caller,
    credential_id: str,
    kind: Kind,
    document: Document,
    rows: Mapping[GlobalKey, Document],
    *,
    expires_at: int | None = None,
    also: Iterable[Write] = (),
) -> Stored:
    """A credential's document, and the rows by which whoever presents it is found, in one transaction."""
    kept = {"createdAt": caller.at, "updatedAt": caller.at, **document, "_rows": [key.pk for key in rows]}
    puts = [
        Put(
            key,
            {
                **stamp("roomKey"),
                "account": caller.principal.account,
                "id": credential_id,
                "doc": _text({"name": document["name"], **row}),
            },
            (Absent(),),
            expires_at,
        )
        for key, row in rows.items()
    ]
    told = audit.entry(caller, "create", kind.name, credential_id, after=public(kept))
    return Resources(caller.tables, kind).create(credential_id, kept, also=[*puts, *also, *told])


def revoke(caller: Caller, kind: Kind, credential_id: str) -> None:
    """It opens nothing from now on. Raises NotFound, PreconditionFailed."""
    Resources(caller.tables, kind).delete(
        credential_id,
        also=lambda before: [
            *(Delete(keys.row_of(pk)) for pk in before["_rows"]),
            *audit.entry(caller, "revoke", kind.name, credential_id, public(before)),
        ],
        match=caller.match,
    )


def look_up(tables: Tables, key: GlobalKey) -> dict[str, Any] | None:
    """The row of what was presented, its fields beside the account and the id it leads to."""
    item = tables.main.get(key, consistent=True)
    if item is None:
        return None
    row = upgraded(item)
    fields: dict[str, Any] = json.loads(str(row["doc"]))
    return {**fields, **{name: value for name, value in row.items() if name not in ("k", "sv", "doc")}}


def note_use(tables: Tables, key: GlobalKey, at: int) -> None:
    """Keep when a credential was last used, if it still is one."""
    try:
        tables.main.update(key, (Set("used", at),), when=(Present(),))
    except ConditionFailed:
        return  # revoked just now


def last_used(tables: Tables, stored: list[Stored]) -> dict[str, int]:
    """When each credential was last used, of those that ever were, by id. `tables` are unscoped."""
    wanted = {keys.row_of(pk): each.id for each in stored for pk in each.document["_rows"]}
    rows = tables.main.get_many(list(wanted))
    found: dict[str, int] = {}
    for key, item in rows.items():
        credential, used = wanted[keys.row_of(key.pk)], item.get("used", 0)
        assert isinstance(used, int)
        if used:
            found[credential] = max(used, found.get(credential, 0))
    return found


def public(document: Mapping[str, Any]) -> Document:
    return {name: value for name, value in document.items() if not name.startswith("_")}


def _text(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
