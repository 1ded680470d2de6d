"""Logging in to the panels' server, and registering what logs in. Source: Evoko Home API document, Meteor accounts.

A login is a name with a password (its SHA-256, or in clear, which clients of old send), or a token of an earlier one.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ...access.model import Principal
from ...access.secrets import RootSecrets
from ...caller import Caller
from ...errors import Conflict, FingerpostError, Forbidden, Invalid, Unauthenticated
from ...ports.table import Tables
from .. import logins
from ..credentials import look_up
from ..keys import room_key
from ..logins import EvokoUser, LoginField
from .ejson import Moment
from .protocol import DdpError

GROUP_REFUSED = "Unable to register client group with that name!"
MAX_NAME = 200
_FIELDS: Mapping[str, LoginField] = {"username": "username", "email": "email", "id": "id"}


class Login(NamedTuple):
    user: EvokoUser
    answer: Mapping[str, Any]
    token: str  # the partition of the row that its token opens with


def log_in(tables: Tables, roots: RootSecrets, params: tuple[Any, ...], at: int) -> Login:
    """`tables` are unscoped. Raises DdpError."""
    given = params[0] if params else None
    try:
        match given:
            case {"resume": str(token)}:
                user = logins.resume(tables, token)
                row = look_up(tables, room_key("resume", token)) or {}
                return _login(user, token, row.get("ends", at + logins.RESUME_MS), "resume")
            case {"user": user_given, "password": password}:
                field, name = _named(user_given)
                user = logins.log_in(tables, roots, field, name, _digest(password), at)
                token, ends = logins.remember(tables, user, at)
                return _login(user, token, ends, "password")
            case _:
                raise DdpError(400, "Unrecognized options for login request")
    except logins.LoggedOut as error:
        raise DdpError(403, str(error)) from error
    except Unauthenticated as error:  # no such user, or a wrong password
        raise DdpError(403, str(error)) from error
    except Forbidden as error:
        raise DdpError(401, str(error)) from error
    except FingerpostError as error:  # too many tries
        raise DdpError(error.status, str(error)) from error


def register_group(caller: Caller, roots: RootSecrets, params: tuple[Any, ...]) -> Mapping[str, Any]:
    """A client group of the account that is logged in. Raises DdpError."""
    name = params[0] if params else None
    if not isinstance(name, str) or not 0 < len(name.strip()) <= MAX_NAME:
        raise DdpError(GROUP_REFUSED)
    try:
        group, token = logins.create_group(caller, roots, name)
    except (Conflict, Invalid) as error:
        raise DdpError(GROUP_REFUSED) from error
    return {"groupName": group.document["name"], "groupToken": token}


def register_user(tables: Tables, params: tuple[Any, ...], at: int, cause: str) -> Mapping[str, Any]:
    """An integration user of the group whose token is given; that token is the password. Raises DdpError."""
    token = params[0] if params else None
    refused = DdpError(401, "Error while registering dev integration user!")
    if not isinstance(token, str):
        raise refused
    try:
        account, group = logins.group_of(tables, token)
    except Unauthenticated as error:
        raise refused from error
    user = logins.register_user(caller_of(tables, account, group.id, at, cause), group)
    username = user.document["username"]
    return {
        "_id": user.id,
        "createdAt": Moment(user.document["createdAt"]),
        "services": {"password": {"bcrypt": ""}},  # there is none: the group's token is the password
        "username": username,
        "profile": {
            "name": username,
            "pin": "",
            "rfid": "",
            "type": "APIIntegration",
            "originalToken": None,
            "clientGroup": group.document["name"],
            "groupToken": token,
        },
    }


def caller_of(tables: Tables, account: str, user: str, at: int, cause: str) -> Caller:
    """Who changes something, as the audit log has them."""
    return Caller(
        principal=Principal(actor="user", account=account, id=user), tables=tables.of(account), at=at, cause=cause
    )


def _login(user: EvokoUser, token: str, ends: int, kind: str) -> Login:
    answer = {"id": user.id, "token": token, "tokenExpires": Moment(ends), "type": kind}
    return Login(user, answer, room_key("resume", token).pk)


def _named(user: Any) -> tuple[LoginField, str]:
    """Exactly one key says who it is."""
    if not isinstance(user, dict) or len(user) != 1:
        raise DdpError(400, "Match failed")
    ((key, name),) = user.items()
    if key not in _FIELDS or not isinstance(name, str):
        raise DdpError(400, "Match failed")
    return _FIELDS[key], name


def _digest(password: Any) -> str:
    match password:
        case str():
            return logins.digest_of(password)
        case {"digest": str(digest), "algorithm": "sha-256"}:
            return digest
        case _:
            raise DdpError(400, "Match failed")
