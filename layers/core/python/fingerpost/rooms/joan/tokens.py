"""OAuth 2.0 client credentials: who asks for a token, and what is wrong with the request. Pure.

Source: RFC 6749, 2.3.1, 4.4 and 5.2. The Basic header wins; both ways at once are no mistake to refuse, as clients
of the product send both.
"""

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import unquote_plus

from pydantic import ValidationError

from ...errors import FingerpostError
from ...http import Event, header
from .documents import SentJoanGrant, fields_of
from .words import token_refusal

GRANT = "client_credentials"
SCOPES = ("read", "write")
NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
CHALLENGE = {"www-authenticate": 'Basic realm="api"'}


@dataclass(frozen=True, slots=True)
class Asked:
    """`secrets` are what the client's secret may be: as it stands, and percent-decoded as the RFC has it in Basic."""

    client_ids: tuple[str, ...]
    secrets: tuple[str, ...]
    scope: str


@dataclass(frozen=True, slots=True)
class Refused:
    status: int
    document: dict[str, str]
    headers: dict[str, str]


def asked(event: Event) -> Asked | Refused:
    """What a request for a token asks."""
    try:
        sent = SentJoanGrant.model_validate(fields_of(event))
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        return refused(400, "invalid_request", f"The field {field} is missing, or no text.")
    except FingerpostError as error:
        return refused(400, "invalid_request", str(error))
    basic = _basic(header(event, "authorization"))
    if basic is None and sent.client_id is None:
        return unknown_client("Send the client id and secret: by HTTP Basic, or as client_id and client_secret.")
    if sent.grant_type != GRANT:
        return refused(400, "unsupported_grant_type", f"The one grant type here is {GRANT}.")
    wanted = (sent.scope or " ".join(SCOPES)).split()
    if not wanted or not set(wanted) <= set(SCOPES):
        return refused(400, "invalid_scope", f"Scopes are {' and '.join(SCOPES)}.")
    client, secret = basic or (sent.client_id or "", sent.client_secret or "")
    scope = " ".join(each for each in SCOPES if each in wanted)
    if basic is None:
        return Asked((client,), (secret,), scope)
    return Asked(_both(client), _both(secret), scope)


def unknown_client(description: str = "There is no client with this id and secret.") -> Refused:
    return refused(401, "invalid_client", description)


def refused(status: int, error: str, description: str) -> Refused:
    headers = {**NO_STORE, **(CHALLENGE if status == 401 else {})}
    return Refused(status, dict(token_refusal(error, description)), headers)


def _basic(authorization: str) -> tuple[str, str] | None:
    scheme, _, text = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client, colon, secret = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (client, secret) if colon else None


def _both(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((text, unquote_plus(text))))
