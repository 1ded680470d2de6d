"""Roles that users give each other: a supervisor's role sees some roles, and gives those and no others.

A user has one role. What was given counts until it is taken back, another one is given, or the application changes its
default, which is then everybody's at once.
"""

from .. import audit, keys
from ..caller import Caller
from ..errors import Finding, Invalid, NotFound
from ..ids import hex_id
from ..ports.table import Check, Present
from ..resources import Document, Resources, Stored
from .holders import role_of_user
from .roles import read as read_role
from .store import APPLICATION, USER
from .user_documents import SentGrant
from .users import GIVEN, find_by_email, own_access

MAX_SHOWN = 100


def give(caller: Caller, sent: SentGrant) -> Document:
    """Raises NotFound for a user of another application, Invalid for a role that the giver's own does not see."""
    stored = find_by_email(caller, sent.email)
    try:
        role = read_role(caller, sent.role)
    except NotFound as error:
        finding = Finding(field="role", message="not a role that yours can give")
        raise Invalid(f"role: {sent.role[:60]} is not a role that yours can give", details=[finding]) from error
    application = _application(caller)
    given = {
        "role": role.id,
        "roleEra": application.document.get("_roleEra", 0),
        "givenBy": caller.principal.id,
        "access": hex_id(caller.new_id(caller.at)),
    }
    stands = [Check(keys.document(role.id), (Present(),))] if role.version else []
    after = Resources(caller.tables, USER).update(
        stored.id,
        lambda document: {**document, **given},
        also=lambda before, after: [
            *stands,
            *audit.entry(caller, "give role", "user", stored.id, _given(before), _given(after)),
        ],
    )
    return _shown(after)


def take_back(caller: Caller, access_id: str) -> None:
    """By who gave the role or who was given it. Raises NotFound."""
    found = [each for each in _accesses(caller) if each.document["access"] == access_id]
    if not found:
        raise NotFound(f"You have no access {access_id[:60]}")

    def change(document: Document) -> Document:
        if document.get("access") != access_id:  # another one was given meanwhile
            return document
        return {name: value for name, value in document.items() if name not in GIVEN}

    user_id = found[0].id
    Resources(caller.tables, USER).update(
        user_id,
        change,
        also=lambda before, after: audit.entry(caller, "take role", "user", user_id, _given(before), _given(after)),
    )


def accesses(caller: Caller) -> list[Document]:
    """The user's own access, then what was given: to the user, and by the user; at most 100."""
    own = Resources(caller.tables, USER).read(caller.principal.id)
    return [own_access(own, caller.principal.role), *(_shown(each) for each in _accesses(caller))]


def _accesses(caller: Caller) -> list[Stored]:
    users, user_id = Resources(caller.tables, USER), caller.principal.id
    partition = keys.index(keys.ACCOUNT_SCOPE, USER.name, "givenBy", user_id, 0)
    rows = caller.tables.log.query(partition, limit=MAX_SHOWN, descending=True, consistent=True).rows
    found = users.read_many(list(dict.fromkeys([user_id, *(row.key.sk for row in rows)])), consistent=True)
    application = _application(caller)
    return [
        each
        for each in found.values()
        if "access" in each.document
        and user_id in (each.id, each.document["givenBy"])
        and role_of_user(each.document, application.document) == each.document["role"]
    ]


def _application(caller: Caller) -> Stored:
    assert caller.principal.app is not None
    return Resources(caller.tables, APPLICATION).read(caller.principal.app)


def _given(document: Document) -> Document:
    return {name: document[name] for name in GIVEN if name in document}


def _shown(stored: Stored) -> Document:
    document = stored.document
    return {
        "id": document["access"],
        "project": document["project"],
        "app": document["app"],
        "user": stored.id,
        "actor": document["givenBy"],
        "role": document["role"],
        "customFields": {"email": document["email"]},
    }
