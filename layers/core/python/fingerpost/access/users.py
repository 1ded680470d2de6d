"""Users of applications: created, activated, logged in and out, changed, deleted.

An e-mail address belongs to one user of an application, in whatever case it is written: a claim in the transaction that
creates the user sees to it.
"""

import hmac
from typing import Any

from .. import audit, keys
from ..caller import Caller
from ..errors import Conflict, Finding, Forbidden, Invalid, NotFound, Unauthenticated
from ..fields import merged
from ..ports.table import Absent, Put, Write
from ..resources import Document, Resources, Stored
from ..shapes import stamp
from ..sight import Sight
from .dismissal import email_claim, rows_with
from .guessing import guessing
from .holders import role_of_user
from .model import derived_key
from .passwords import is_password, password_row
from .secrets import RootSecrets
from .sessions import begin_session, end_all, new_session
from .store import ACTIVE, ANONYMOUS, APPLICATION, INACTIVE, USER
from .user_documents import NewUser, SentActivation, SentLogin, SentUser

GIVEN = ("role", "roleEra", "givenBy", "access")  # a role of the user's own (grants.py)
PRIVATE = ("scopes", *GIVEN)
CODE_LENGTH = 8
EVRYTHNG = "evrythng"  # what the platform calls its own accounts beside those of social networks


def create(caller: Caller, sent: NewUser, roots: RootSecrets) -> Document:
    """A user who cannot log in until the activation code has come back. Raises Conflict for an e-mail that is taken."""
    fields = sent.sent()
    password = fields.pop("password")
    fields.pop("oldPassword", None)
    user_id, document = begun(caller, INACTIVE, fields, roots)
    claim = Put(email_claim(caller.principal.app, fields["email"]), {**stamp("claim"), "id": user_id}, (Absent(),))
    also = [claim, password_row(user_id, password)]
    try:
        stored = Resources(caller.tables, USER).create(user_id, document, also=also)
    except Conflict as error:
        raise Conflict(f"This application has a user {fields['email']} already") from error
    code = activation_code(caller, stored, roots)
    return {
        "evrythngUser": stored.id,
        "activationCode": code,
        "status": stored.document["_status"],
        "email": stored.document["email"],
    }


def create_anonymous(caller: Caller, roots: RootSecrets) -> Document:
    """A user without a name, who can act at once."""
    user_id = caller.new_id(caller.at)
    email = f"anon-{user_id}.app-{caller.principal.app}@anon.invalid"
    _, document = begun(caller, ANONYMOUS, {"email": email}, roots, user_id)
    stored = Resources(caller.tables, USER).create(user_id, document)
    return {
        "evrythngUser": user_id,
        "status": ANONYMOUS,
        "email": stored.document["email"],
        "evrythngApiKey": begin_session(caller, user_id),
        "socialNetwork": EVRYTHNG,
    }


def begun(
    caller: Caller, status: str, fields: dict[str, Any], roots: RootSecrets, user_id: str | None = None
) -> tuple[str, Document]:
    """The id and document of a new user of the caller's application."""
    principal = caller.principal
    user_id = user_id or caller.new_id(caller.at)
    document = {
        "createdAt": caller.at,
        "updatedAt": caller.at,
        "project": principal.project,
        "app": principal.app,
        "scopes": {"projects": [principal.project], "users": [user_id]},
        "_status": status,
        "_root": roots.current,
    }
    return user_id, merged(document, fields)


def activate(caller: Caller, user_id: str, sent: SentActivation, roots: RootSecrets) -> Document:
    """Raises Invalid for a wrong code, Conflict for a user who is active already: a code works once."""
    stored = read_own(caller, user_id)
    with guessing(caller, user_id) as guess:
        known = activation_code(caller, stored, roots)
        guess.right = hmac.compare_digest(sent.activationCode.encode(), known.encode())
    if not guess.right:
        finding = Finding(field="activationCode", message="not the code that this user was given")
        raise Invalid("activationCode: this is not the code that this user was given", details=[finding])
    key, rows = new_session(caller, user_id)

    def change(document: Document) -> Document:
        if document["_status"] != INACTIVE:
            raise Conflict("This user is active already; log in with email and password")
        return {**document, "_status": ACTIVE, "_activatedAt": caller.at, "updatedAt": caller.at}

    Resources(caller.tables, USER).update(user_id, change, also=lambda _before, _after: rows)
    return {"status": ACTIVE, "evrythngUser": user_id, "evrythngApiKey": key}


def activation_code(caller: Caller, stored: Stored, roots: RootSecrets) -> str:
    """Eight letters and digits; the same each time it is asked for, and never stored."""
    secret = roots.for_purpose(f"account/{caller.principal.account}", stored.document["_root"])
    return derived_key(secret, "activation", stored.id, 1)[:CODE_LENGTH]


def log_in(caller: Caller, sent: SentLogin) -> tuple[Stored, str]:
    """The user and a new key. Raises NotFound (no such user), Unauthenticated (wrong password), Forbidden."""
    stored = find(caller, sent)
    with guessing(caller, stored.id) as guess:
        guess.right = is_password(caller.tables.main, stored.id, sent.password)
    if not guess.right:
        raise Unauthenticated("The password is wrong")
    if stored.document["_status"] != ACTIVE:
        raise Forbidden("This user is not activated yet; send the activation code first")
    return stored, begin_session(caller, stored.id)


def find(caller: Caller, sent: SentLogin) -> Stored:
    """The user of the caller's application that a login names. Raises NotFound."""
    if sent.evrythngUser is not None:
        return read_own(caller, sent.evrythngUser)
    assert sent.email is not None
    return find_by_email(caller, sent.email)


def find_by_email(caller: Caller, email: str) -> Stored:
    """Raises NotFound."""
    claim = caller.tables.main.get(email_claim(caller.principal.app, email), consistent=True)
    if claim is None:
        raise NotFound(f"This application has no user {email[:80]}")
    return read_own(caller, str(claim["id"]))


def login_document(stored: Stored, key: str) -> Document:
    return {
        "socialNetwork": EVRYTHNG,
        "evrythngUser": stored.id,
        "evrythngApiKey": key,
        "email": stored.document["email"],
        "status": stored.document["_status"],
    }


def with_access(caller: Caller, stored: Stored, key: str) -> Document:
    """A user with the access that a login has opened."""
    application = Resources(caller.tables, APPLICATION).read(stored.document["app"])
    access = own_access(stored, role_of_user(stored.document, application.document))
    return {**shown(stored), "access": {**access, "apiKey": key}}


def own_access(stored: Stored, role: str) -> Document:
    document = stored.document
    return {
        "id": keys.access_of(stored.id),
        "project": document["project"],
        "app": document["app"],
        "user": stored.id,
        "actor": stored.id,
        "role": role,
    }


# Reading and changing


def read(caller: Caller, user_id: str) -> Stored:
    """As an operator or a user; for keys of an application, one of its own. Raises NotFound."""
    if caller.principal.actor in ("application", "trustedApplication"):
        return read_own(caller, user_id)
    users = Resources(caller.tables, USER)
    stored = users.read(user_id)
    if not caller.sees(stored.document):
        raise users.missing(user_id[:60])
    return stored


def read_own(caller: Caller, user_id: str) -> Stored:
    """A user of the caller's own application. Raises NotFound."""
    users = Resources(caller.tables, USER)
    stored = users.read(user_id)
    if stored.document["app"] != caller.principal.app:
        raise users.missing(user_id[:60])
    return stored


def update(caller: Caller, user_id: str, sent: SentUser) -> Stored:
    """Raises Forbidden for a wrong `oldPassword`; a user's own new password needs the old one."""
    _check_right(caller, read(caller, user_id))
    fields = sent.sent()
    password, old = fields.pop("password", None), fields.pop("oldPassword", None)
    also: list[Write] = []
    if password is not None:
        if caller.principal.actor == "user":
            _check_old(caller, user_id, old)
        also = [
            password_row(user_id, password),
            *audit.entry(caller, "change password", "user", user_id),
        ]

    def change(document: Document) -> Document:
        result = merged(document, fields)
        if password is None and result == document:
            return result
        # A new password, which is a row of its own, shows in the document too: an update of nothing writes nothing.
        return {**result, "updatedAt": max(caller.at, document["updatedAt"] + (password is not None))}

    users = Resources(caller.tables, USER)
    return users.update(user_id, change, also=lambda _before, _after: also, match=caller.match)


def delete(caller: Caller, user_id: str) -> None:
    """The user, the e-mail's claim and the password go at once, which ends every key; the keys' rows follow."""
    users = Resources(caller.tables, USER)
    _check_right(caller, read(caller, user_id))

    def also(before: Document) -> list[Write]:
        return [*rows_with(user_id, before), *audit.entry(caller, "delete", "user", user_id, public(before))]

    users.delete(user_id, also=also, match=caller.match)
    end_all(caller.tables, user_id)


def status(caller: Caller, user_id: str, roots: RootSecrets) -> Document:
    """Whether a user is activated, since when, and the code that does it."""
    stored = read(caller, user_id)
    document: Document = {"activated": stored.document["_status"] != INACTIVE}
    if "_activatedAt" in stored.document:
        document["activationDate"] = stored.document["_activatedAt"]
    if stored.document["_status"] == INACTIVE:
        document["activationCode"] = activation_code(caller, stored, roots)
    return document


def public(document: Document) -> Document:
    return {name: value for name, value in document.items() if name not in PRIVATE and not name.startswith("_")}


def shown(stored: Stored, *, with_scopes: bool = False) -> Document:
    document = {"id": stored.id, **public(stored.document)}
    return {**document, "scopes": stored.document["scopes"]} if with_scopes else document


def _check_right(caller: Caller, stored: Stored) -> None:
    """Raises Forbidden for an operator who may see this user, not change it."""
    if caller.principal.actor == "operator" and not Sight(caller.principal.rights.projects).sees(stored.document):
        raise Forbidden("This operator's role sees this user, but may not change it")


def _check_old(caller: Caller, user_id: str, old: str | None) -> None:
    if old is None:
        finding = Finding(field="oldPassword", message="a new password needs the old one")
        raise Invalid("oldPassword: a new password needs the old one", details=[finding])
    with guessing(caller, user_id) as guess:
        guess.right = is_password(caller.tables.main, user_id, old)
    if not guess.right:
        raise Forbidden("oldPassword: this is not the password so far")
