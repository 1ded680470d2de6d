"""Who logs in to the panels' server with a name and a password, and stays logged in with a token.

Three kinds of user: the one of a group (`defaultDevIntegrationUser`, whose password is the group's token), integration
users of a group, who have the same password, and people, of whom only admins may. Clients send the SHA-256 of a
password. A group's token is found by an HMAC of that, whatever the account; a person's password by an argon2 hash of
it, tried for each of the few who have the name.
"""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from .. import audit, keys
from ..access import passwords
from ..access.guessing import trying
from ..access.secrets import RootSecrets
from ..caller import Caller
from ..errors import Conflict, Forbidden, Unauthenticated
from ..ports.table import Absent, Delete, GlobalKey, Put, Tables, Write
from ..resources import Document, Kind, Resources, Stored
from ..shapes import stamp
from .credentials import CHARACTERS, create, look_up, public, random_text, secret_of
from .keys import ddp_name, ddp_names, room_key, room_key_of
from .kinds import EVOKO_GROUP, EVOKO_USER, PERSON

DEFAULT_USER = "defaultDevIntegrationUser"
RESUME_MS = 90 * 86_400_000
TOKEN_LENGTH = 43  # of a group's token and of a resume token
MAX_NAMESAKES = 8
OF_KIND: Mapping[str, Kind] = {"default": EVOKO_GROUP, "integration": EVOKO_USER, "admin": PERSON}

type LoginField = Literal["username", "email", "id"]
type UserKind = Literal["default", "integration", "admin"]


class NoSuchUser(Unauthenticated):
    """Nobody has this name."""


class WrongPassword(Unauthenticated):
    """Somebody has this name, and another password."""


class NotAuthorized(Forbidden):
    """A person who may not use the panels' API."""


class LoggedOut(Unauthenticated):
    """A token that is over, unknown, or of somebody who is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvokoUser:
    """Who is logged in. `group` is the client group; people have none."""

    account: str
    id: str
    kind: UserKind
    username: str
    name: str
    group: str | None = None


# Groups and their users


def create_group(caller: Caller, roots: RootSecrets, name: str) -> tuple[Stored, str]:
    """A client group, and its token. Raises Conflict when the account has one of this name."""
    group = caller.new_id(caller.at)
    token = group_secret(roots, caller, group)
    claim = keys.claim("evokoGroup", name)
    opens = (room_key("evokoGroup", token), _proof(roots, digest_of(token)))
    rows: dict[GlobalKey, Document] = {key: {} for key in opens}
    document = {"name": name}
    claimed = Put(claim, {**stamp("claim"), "id": group}, (Absent(),))
    try:
        return create(caller, group, EVOKO_GROUP, document, rows, also=[claimed]), token
    except Conflict as error:
        raise Conflict(f"name: there is a client group {name[:60]!r} already") from error


def group_secret(roots: RootSecrets, caller: Caller, group: str, *, root: int | None = None) -> str:
    return secret_of(roots, caller, "evokoGroup", group, root=root)[:TOKEN_LENGTH]


def delete_group(caller: Caller, group: str) -> None:
    """Its token opens nothing from now on, nor does it let its users in."""

    def also(before: Document) -> list[Write]:
        gone: list[Write] = [Delete(keys.row_of(pk)) for pk in before["_rows"]]
        told = audit.entry(caller, "revoke", EVOKO_GROUP.name, group, public(before))
        return [*gone, Delete(keys.claim("evokoGroup", before["name"])), *told]

    Resources(caller.tables, EVOKO_GROUP).delete(group, also=also, match=caller.match)


def group_of(tables: Tables, token: str) -> tuple[str, Stored]:
    """The account and the group that a token is of. `tables` are unscoped. Raises Unauthenticated."""
    row = look_up(tables, room_key("evokoGroup", token))
    found = row and Resources(tables.of(row["account"]), EVOKO_GROUP).read_many([row["id"]], consistent=True)
    if not row or not found:
        raise Unauthenticated("This is no token of a client group")
    return row["account"], found[row["id"]]


def register_user(caller: Caller, group: Stored) -> Stored:
    """An integration user of a group; the password is the group's token."""
    user, at = caller.new_id(caller.at), caller.at
    username = f"device{random_text(CHARACTERS // 2)}"
    document = {
        "createdAt": at,
        "updatedAt": at,
        "name": username,
        "username": username,
        "group": group.id,
        "groupName": group.document["name"],
    }
    account = caller.principal.account
    told = audit.entry(caller, "create", EVOKO_USER.name, user, after=document)
    also = [*name_rows(account, user, "integration", {}, document), *told]
    return Resources(caller.tables, EVOKO_USER).create(user, document, also=also)


def delete_user(caller: Caller, user: str) -> None:
    """Raises NotFound, PreconditionFailed."""
    account = caller.principal.account
    Resources(caller.tables, EVOKO_USER).delete(
        user,
        also=lambda before: [
            *name_rows(account, user, "integration", before, {}),
            *audit.entry(caller, "delete", EVOKO_USER.name, user, before),
        ],
        match=caller.match,
    )


def name_rows(account: str, user: str, kind: UserKind, before: Document, after: Document) -> list[Write]:
    """What a change of whoever can log in writes and removes, so that they are found by their names."""
    old, new = (set(_logins(user, each)) for each in (before, after))
    row = {**stamp("ddpName"), "account": account, "id": user, "kind": kind}
    gone: list[Write] = [Delete(ddp_name(each, account, user)) for each in sorted(old - new)]
    return gone + [Put(ddp_name(each, account, user), row) for each in sorted(new - old)]


def _logins(user: str, document: Document) -> Iterator[str]:
    """The names somebody can log in under: integration users, and people who have a password."""
    if document and ("group" in document or "_password" in document):
        yield f"id:{user}"
        for field in ("username", "email"):
            if field in document:
                yield f"{field}:{document[field].casefold()}"


# Logging in


def log_in(tables: Tables, roots: RootSecrets, field: LoginField, name: str, digest: str, at: int) -> EvokoUser:
    """`tables` are unscoped; `digest` is the SHA-256 of a password in hex.

    Raises NoSuchUser, WrongPassword, NotAuthorized, TooManyRequests, Unavailable.
    """
    digest = digest.lower()
    if field == "username" and name.casefold() == DEFAULT_USER.casefold():
        for version in roots.roots:
            if (row := look_up(tables, _proof(roots, digest, version))) is not None:
                return _standing(tables, row["account"], row["id"], "default", WrongPassword("Incorrect password"))
        raise WrongPassword("Incorrect password")
    login = f"{field}:{name if field == 'id' else name.casefold()}"
    namesakes = tables.main.query(ddp_names(login), limit=MAX_NAMESAKES, consistent=True).rows
    if not namesakes:
        raise NoSuchUser("User not found")
    for each in namesakes:
        account, user, kind = (str(each.item[field]) for field in ("account", "id", "kind"))
        with trying(tables.of(account).main, user, at) as guess:
            guess.right = _is_password(tables, roots, account, user, kind, digest)
        if guess.right:
            return _standing(tables, account, user, kind, NoSuchUser("User not found"))
    raise WrongPassword("Incorrect password")


def remember(tables: Tables, user: EvokoUser, at: int) -> tuple[str, int]:
    """A token to log in with again, and until when. `tables` are unscoped."""
    token, ends = random_text(TOKEN_LENGTH), at + RESUME_MS
    kept = f'{{"kind":"{user.kind}","ends":{ends}}}'
    row = {**stamp("roomKey"), "account": user.account, "id": user.id, "doc": kept}
    tables.main.put(room_key("resume", token), row, when=(Absent(),), expires_at=ends)
    return token, ends


def resume(tables: Tables, token: str) -> EvokoUser:
    """Whose token it is, if they are still there. Raises LoggedOut, NotAuthorized."""
    gone = LoggedOut("You've been logged out by the server. Please log in again.")
    row = look_up(tables, room_key("resume", token))
    if row is None:
        raise gone
    return _standing(tables, row["account"], row["id"], row["kind"], gone)


def forget(tables: Tables, token: str) -> None:
    """The token opens nothing from now on."""
    tables.main.delete(room_key("resume", token))


def still_in(tables: Tables, user: EvokoUser) -> EvokoUser:
    """Somebody who is logged in, as they are now. Raises LoggedOut, NotAuthorized."""
    return _standing(tables, user.account, user.id, user.kind, LoggedOut("You've been logged out by the server"))


def digest_of(password: str) -> str:
    """What the panels' clients send instead of a password."""
    return sha256(password.encode()).hexdigest()


def _standing(tables: Tables, account: str, user: str, kind: str, gone: Unauthenticated) -> EvokoUser:
    own = tables.of(account)
    found = Resources(own, OF_KIND[kind]).read_many([user], consistent=True).get(user)
    if found is None:
        raise gone
    document = found.document
    match kind:
        case "default":
            return EvokoUser(
                account=account, id=user, kind="default", username=DEFAULT_USER, name=DEFAULT_USER, group=user
            )
        case "integration":
            if document["group"] not in Resources(own, EVOKO_GROUP).read_many([document["group"]], consistent=True):
                raise gone
            named = {name: document[name] for name in ("username", "name", "group")}
            return EvokoUser(account=account, id=user, kind="integration", **named)
        case _ if "_password" not in document:
            raise gone
        case _ if not document.get("admin"):
            raise NotAuthorized("User is not authorized!")
    username = document.get("username") or document["email"]
    return EvokoUser(account=account, id=user, kind="admin", username=username, name=document["name"])


def _is_password(tables: Tables, roots: RootSecrets, account: str, user: str, kind: str, digest: str) -> bool:
    own = tables.of(account)
    found = Resources(own, OF_KIND[kind]).read_many([user], consistent=True).get(user)
    if found is None:
        return False
    if kind == "admin":
        hash_: Any = found.document.get("_password")
        return hash_ is not None and passwords.is_of(hash_, digest)
    group = Resources(own, EVOKO_GROUP).read_many([found.document["group"]], consistent=True)
    proofs = [_proof(roots, digest, version).pk for version in roots.roots]
    return any(proof in each.document["_rows"] for each in group.values() for proof in proofs)


def _proof(roots: RootSecrets, digest: str, version: int | None = None) -> GlobalKey:
    """Where a group is found by the digest of its token, which has 256 bits: nothing slow is needed."""
    secret = roots.for_purpose("rooms/login", version)
    return room_key_of(hmac.digest(secret, digest.encode(errors="surrogatepass"), "sha256").hex())
