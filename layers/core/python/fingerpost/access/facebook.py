"""Users who sign in with Facebook: the token is verified against the Graph API before anybody is believed.

The token has to be one of the application's own Facebook app, or a token that some other site was given would do.
Source: Facebook Login, "Manually Build a Login Flow"; Graph API, `/app` and `/me`.
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ..caller import Caller
from ..errors import Conflict, Forbidden, Unauthenticated, Unavailable
from ..outgoing import Failed, Limits, Outgoing, Refused
from ..ports.table import Absent, Put
from ..resources import Document, Resources, Stored
from ..shapes import stamp
from .dismissal import email_claim, facebook_claim
from .secrets import RootSecrets
from .sessions import begin_session
from .store import ACTIVE, APPLICATION, USER
from .user_documents import SentSocialLogin
from .users import begun, read_own

FIELDS = "id,email,first_name,last_name,birthday,gender,locale"
LIMITS = Limits(seconds=8, content_bytes=100_000, redirects=0)


@dataclass(frozen=True, slots=True)
class Graph:
    """The Graph API. `url` is its root, without a slash at its end."""

    url: str
    outgoing: Outgoing

    def read(self, path: str, token: str) -> Document:
        """Raises Unauthenticated when the token is not accepted, Unavailable when there is no answer to go by."""
        try:
            headers = {"authorization": f"Bearer {quote(token, safe='')}", "accept": "application/json"}
            answer = self.outgoing.send("GET", self.url + path, headers=headers, limits=LIMITS)
            content = json.loads(answer.content)
        except (Refused, Failed, ValueError) as error:
            raise Unavailable("Facebook could not be asked; try again", headers={"retry-after": "5"}) from error
        if 400 <= answer.status < 500:
            raise Unauthenticated("Facebook does not accept this token")
        if answer.status != 200 or not isinstance(content, dict) or not isinstance(content.get("id"), str):
            raise Unavailable("Facebook answered something unknown; try again", headers={"retry-after": "5"})
        return content


def sign_in(caller: Caller, sent: SentSocialLogin, graph: Graph, roots: RootSecrets) -> Document:
    """The user of this Facebook account, made at the first time. Raises Forbidden for a token of another app."""
    app_id, token = _app_id(caller), sent.access.token
    if graph.read("/app", token)["id"] != app_id:
        raise Forbidden("This token is of another Facebook app than the application's")
    profile = graph.read(f"/me?fields={FIELDS}", token)
    stored = _known(caller, profile["id"]) or _new(caller, profile, roots)
    return {
        "socialNetwork": "facebook",
        "access": sent.access.sent(),
        "socialNetworkId": profile["id"],
        "appId": app_id,
        "evrythngUser": stored.id,
        "evrythngApiKey": begin_session(caller, stored.id),
    }


def _app_id(caller: Caller) -> str:
    assert caller.principal.app is not None
    networks = Resources(caller.tables, APPLICATION).read(caller.principal.app).document.get("socialNetworks", {})
    known = networks.get("facebook")
    app_id = known.get("appId") if isinstance(known, dict) else None
    if not app_id:
        raise Forbidden("This application has no socialNetworks.facebook.appId, so nobody signs in with Facebook")
    return str(app_id)


def _known(caller: Caller, facebook_id: str) -> Stored | None:
    claim = caller.tables.main.get(facebook_claim(caller.principal.app, facebook_id), consistent=True)
    return None if claim is None else read_own(caller, str(claim["id"]))


def _new(caller: Caller, profile: Document, roots: RootSecrets) -> Stored:
    """Raises Conflict when a user who logs in otherwise has the e-mail: Facebook's word does not open that account."""
    user_id, document = begun(caller, ACTIVE, _fields(profile), roots)
    document |= {"_social": profile["id"], "_activatedAt": caller.at}
    wanted = [facebook_claim(caller.principal.app, profile["id"])]
    if "email" in document:
        wanted.append(email_claim(caller.principal.app, document["email"]))
    claims = [Put(key, {**stamp("claim"), "id": user_id}, (Absent(),)) for key in wanted]
    try:
        return Resources(caller.tables, USER).create(user_id, document, also=claims)
    except Conflict as error:
        if (stored := _known(caller, profile["id"])) is not None:
            return stored  # another sign-in of the same person was faster
        raise Conflict(f"This application has a user {document['email']} who logs in otherwise") from error


def _fields(profile: Document) -> dict[str, Any]:
    names = {"email": "email", "first_name": "firstName", "last_name": "lastName", "locale": "locale"}
    fields = {ours: profile[name][:200] for name, ours in names.items() if isinstance(profile.get(name), str)}
    if profile.get("gender") in ("male", "female"):
        fields["gender"] = profile["gender"]
    if birthday := _birthday(profile.get("birthday")):
        fields["birthday"] = birthday
    return fields


def _birthday(text: object) -> dict[str, int]:
    """Facebook writes `MM/DD/YYYY`, or as much of it as the person shows."""
    parts = text.split("/") if isinstance(text, str) else []
    if not all(each.isascii() and each.isdigit() for each in parts):
        return {}
    names = {1: ("year",), 2: ("month", "day"), 3: ("month", "day", "year")}.get(len(parts), ())
    return dict(zip(names, map(int, parts), strict=False))
