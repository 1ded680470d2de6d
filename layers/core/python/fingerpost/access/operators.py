"""Operators of an account: added, given a role, their keys rotated and revoked. At least one stays an admin."""

from collections.abc import Callable
from typing import Any

from .. import audit, keys
from ..caller import Caller
from ..errors import Conflict, Finding, Forbidden, Invalid, NotFound
from ..fields import merged
from ..ports.table import Absent, Condition, ConditionFailed, Delete, Equals, Put, Tables, Write
from ..resources import Document, Resources, Stored
from ..retry import attempts
from ..shapes import stamp
from .builtin import ADMIN, BUILT_IN, NONE, RIGHTS
from .documents import NewOperator, SentOperator
from .model import Principal
from .roles import OF_USERS
from .secrets import RootSecrets
from .service import on_the_machine
from .store import OPERATOR, REVOKED, ROLE, key_row

PRIVATE = ("role", "access")
ATTEMPTS = 8
MAX_SHOWN = 1_000


def create_first(
    tables: Tables, *, account: str, operator: str, key: str, email: str, at: int, derived: Document | None = None
) -> None:
    """An account's first operator, an admin, and the key by which they are known; safe to repeat with the same key.

    `derived` says which of our own keys it is. `tables` are unscoped.
    """
    row = key_row(key, Principal(actor="operator", account=account, id=operator))
    begun = {"email": email, "createdAt": at, "updatedAt": at, "role": ADMIN, "access": keys.access_of(operator)}
    document = {**begun, **(derived or {}), "_keyRow": row.key.pk}
    claim = Put(_claim(email), {**stamp("claim"), "id": operator}, (Absent(),))
    principal = Principal(actor="operator", account=account, id=operator, rights=RIGHTS[ADMIN])
    told = audit.entry(on_the_machine(tables, principal, at), "create", "operator", operator, after={"email": email})
    Resources(tables.of(account), OPERATOR).create(operator, document, also=[claim, *told])
    try:
        tables.main.put(row.key, row.item, when=(Absent(),))
    except ConditionFailed as failure:
        if failure.old is None or failure.old["id"] != operator:
            raise ValueError("this operator API key belongs to somebody else") from failure


def create(caller: Caller, sent: NewOperator, roots: RootSecrets) -> Document:
    """Raises Conflict for an e-mail that the account has an operator of, Invalid for a role that is not theirs."""
    operator, at = caller.new_id(caller.at), caller.at
    fields = sent.sent()
    role = fields.setdefault("role", NONE)
    _check_role(caller, role)
    begun = {"createdAt": at, "updatedAt": at, "access": keys.access_of(operator), "_root": roots.current, "_key": 1}
    document = merged(begun, fields)
    put = key_row(_key(caller, operator, document, roots), _principal(caller, operator))
    document["_keyRow"] = put.key.pk
    also = [
        Put(_claim(sent.email), {**stamp("claim"), "id": operator}, (Absent(),)),
        put,
        *audit.entry(caller, "create", "operator", operator, after=_audited(document)),
    ]
    try:
        stored = Resources(caller.tables, OPERATOR).create(operator, document, also=also)
    except Conflict as error:
        raise Conflict(f"This account has an operator {sent.email} already") from error
    return access_document(caller, stored, roots)


def find(caller: Caller, access_id: str) -> Stored:
    """The operator whose access has this id. Raises NotFound."""
    for stored in _with(caller, "access", access_id):
        if stored.document.get("access") == access_id:
            return stored
    raise NotFound(f"There is no access {access_id[:60]}")


def set_role(caller: Caller, access_id: str, role: str) -> Stored:
    """From the operator's next request on. Raises Conflict when nobody would be admin any more."""
    _check_role(caller, role)
    operator = find(caller, access_id).id
    return _change(caller, operator, "update", lambda document: {**document, "role": role})


def revoke(caller: Caller, access_id: str) -> None:
    """The key opens nothing from now on, and nothing is known of the operator but what the audit log says."""
    at = caller.at

    def change(document: Document) -> Document:
        return {"createdAt": document["createdAt"], "updatedAt": at, "role": NONE, REVOKED: True}

    _change(caller, find(caller, access_id).id, "revoke", change)


def rotate(caller: Caller, access_id: str, roots: RootSecrets) -> Document:
    """A new key; the one so far, also one that the operator brought along, stops working at once."""
    operator = find(caller, access_id).id

    def change(document: Document) -> Document:
        after = {**document, "_root": roots.current, "_key": document.get("_key", 0) + 1, "updatedAt": caller.at}
        key = _key(caller, operator, after, roots)
        return {**after, "_keyRow": keys.api_key(key).pk}

    def keyed(after: Document) -> list[Write]:
        return [key_row(_key(caller, operator, after, roots), _principal(caller, operator))]

    return access_document(caller, _change(caller, operator, "rotate key", change, also=keyed), roots)


def accesses(caller: Caller, roots: RootSecrets) -> list[Document]:
    """Of every operator of the account, newest first."""
    partition = keys.index(keys.ACCOUNT_SCOPE, OPERATOR.name, "", "", 0)
    rows = caller.tables.log.query(partition, limit=MAX_SHOWN, descending=True, consistent=True).rows
    found = Resources(caller.tables, OPERATOR).read_many([row.key.sk for row in rows], consistent=True)
    return [access_document(caller, each, roots) for each in found.values() if REVOKED not in each.document]


def access_document(caller: Caller, stored: Stored, roots: RootSecrets) -> Document:
    """The platform's AccessDocument. The key is shown to the operator it is of, and to who may change roles."""
    document = stored.document
    role = document["role"]
    custom = role not in RIGHTS and role not in Resources(caller.tables, ROLE).read_many([role], consistent=True)
    result = {
        "id": document.get("access", keys.access_of(stored.id)),
        "account": caller.principal.account,
        "operator": stored.id,
        "role": NONE if custom else role,  # a role that is gone
    }
    mine = stored.id == caller.principal.id
    if "_key" in document and (mine or caller.principal.rights.roles):
        result["apiKey"] = _key(caller, stored.id, document, roots)
    return result


# The operator's own document


def read(caller: Caller, operator: str) -> Stored:
    """Raises Forbidden for somebody else's, unless the role reads anything at all."""
    if operator != caller.principal.id and caller.principal.rights.reads == frozenset():
        raise Forbidden("This operator's role does not allow to read other operators")
    return _read(caller, operator)


def update(caller: Caller, operator: str, sent: SentOperator) -> Stored:
    """Raises Forbidden for somebody else's, unless the role may change who is an operator."""
    if operator != caller.principal.id and not caller.principal.rights.roles:
        raise Forbidden("This operator's role does not allow to change other operators")
    _read(caller, operator)
    fields = sent.sent()

    def change(document: Document) -> Document:
        result = merged(document, fields)
        return result if result == document else {**result, "updatedAt": max(caller.at, document["updatedAt"])}

    return Resources(caller.tables, OPERATOR).update(operator, change, match=caller.match)


def shown(stored: Stored) -> Document:
    return {"id": stored.id, **_audited(stored.document, *PRIVATE)}


def _read(caller: Caller, operator: str) -> Stored:
    operators = Resources(caller.tables, OPERATOR)
    stored = operators.read(operator)
    if REVOKED in stored.document:
        raise operators.missing(operator[:60])
    return stored


def _change(
    caller: Caller,
    operator: str,
    verb: str,
    change: Callable[[Document], Document],
    also: Callable[[Document], list[Write]] = lambda _after: [],
) -> Stored:
    """Change an operator, with the rows of the key; of two who would leave no admin behind the second is refused."""

    def writes(before: Document, after: Document) -> list[Write]:
        rows: list[Write] = [*_fence(caller, operator, before, after)]
        if after.get("_keyRow") != before.get("_keyRow"):
            rows += [Delete(keys.row_of(before["_keyRow"])), *also(after)]
        if REVOKED in after:
            rows.append(Delete(_claim(before["email"])))
        return [*rows, *audit.entry(caller, verb, "operator", operator, _audited(before), _audited(after))]

    for _ in attempts(ATTEMPTS):
        try:
            return Resources(caller.tables, OPERATOR).update(operator, change, also=writes, match=caller.match)
        except LastAdmin:
            raise
        except Conflict:
            continue  # another change of an admin was faster
    raise Conflict("The operators of this account keep changing; send the request again")


class LastAdmin(Conflict):
    """The account would be left without an admin."""

    code = "lastAdmin"


def _fence(caller: Caller, operator: str, before: Document, after: Document) -> list[Write]:
    """What makes two changes of admins at once see each other. Raises LastAdmin."""
    if (before["role"] == ADMIN) == (after["role"] == ADMIN):
        return []
    row = caller.tables.main.get(keys.ADMINS, consistent=True)
    if after["role"] != ADMIN:
        others = (each for each in _with(caller, "role", ADMIN) if each.id != operator)
        if not any(each.document["role"] == ADMIN for each in others):
            raise LastAdmin("An account needs an admin; make somebody else one first")
    number = 0 if row is None else row["n"]
    when: tuple[Condition, ...] = (Absent(),) if row is None else (Equals("n", number),)
    return [Put(keys.ADMINS, {**stamp("admins"), "n": number + 1}, when)]


def _with(caller: Caller, field: str, value: str) -> list[Stored]:
    partition = keys.index(keys.ACCOUNT_SCOPE, OPERATOR.name, field, value, 0)
    rows = caller.tables.log.query(partition, limit=MAX_SHOWN, consistent=True).rows
    return list(Resources(caller.tables, OPERATOR).read_many([row.key.sk for row in rows], consistent=True).values())


def _check_role(caller: Caller, role: str) -> None:
    """Raises Invalid."""
    if role in RIGHTS:
        return
    found = None if role in BUILT_IN else Resources(caller.tables, ROLE).read_many([role], consistent=True).get(role)
    if found is None or found.document.get("type") == OF_USERS:
        finding = Finding(field="role", message="not a role of operators", expected=tuple(RIGHTS))
        raise Invalid(f"role: {role[:60]} is not a role of operators", details=[finding])


def _claim(email: str) -> Any:
    return keys.claim("operatorEmail", email.lower())


def _key(caller: Caller, operator: str, document: Document, roots: RootSecrets) -> str:
    root, version = document["_root"], document["_key"]
    return roots.api_key("operator", caller.principal.account, operator, root=root, version=version)


def _principal(caller: Caller, operator: str) -> Principal:
    return Principal(actor="operator", account=caller.principal.account, id=operator)


def _audited(document: Document, *hidden: str) -> Document:
    return {name: value for name, value in document.items() if not name.startswith("_") and name not in hidden}
