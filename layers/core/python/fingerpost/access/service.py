"""Accounts, projects and applications with their keys."""

from typing import Any

from .. import audit, keys
from ..caller import Caller
from ..errors import Finding, Invalid
from ..fields import merged
from ..ports.table import Absent, ConditionFailed, Remove, Set, Tables, Update, Write
from ..resources import Document, Resources, Stored
from ..shapes import stamp
from .documents import NewApplication, NewProject, SentApplication, SentProject
from .model import Actor, Principal
from .secrets import RootSecrets
from .store import ACCOUNT, APPLICATION, OPERATOR, PROJECT, key_removal, key_row

PRIVATE = ("scopes", "_root", "_key")
APPLICATION_DEFAULTS: dict[str, Any] = {"socialNetworks": {}, "defaultRole": "base_app_user"}
DELETE_BATCH = 100


def access_document(principal: Principal) -> Document:
    """Who the key is. Source: wire-facts, `GET /access`."""
    actor = {"operator": "operator", "trustedApplication": "app", "application": "app"}[principal.actor]
    document: Document = {"account": principal.account, "actor": {"id": principal.id, "type": actor}}
    return document if principal.project is None else {**document, "project": principal.project}


def create_account(tables: Tables, *, account: str, name: str, domain: str, at: int, **more: Any) -> None:
    """An account's own document, unless it is there. `tables` are unscoped."""
    document = {"name": name, "createdAt": at, "updatedAt": at, "shortDomains": [domain], "tfaRequired": False, **more}
    Resources(tables.of(account), ACCOUNT).create(account, document)


def create_operator(tables: Tables, *, account: str, operator: str, key: str, email: str, at: int) -> None:
    """An operator of the account and the key by which they are known; safe to repeat with the same key."""
    principal = Principal(actor="operator", account=account, id=operator)
    row = key_row(key, principal)
    document = {"email": email, "createdAt": at, "updatedAt": at, "_keyRow": row.key.pk}
    told = audit.entry(on_the_machine(tables, principal, at), "create", "operator", operator, after={"email": email})
    Resources(tables.of(account), OPERATOR).create(operator, document, also=told)
    try:
        tables.main.put(row.key, row.item, when=(Absent(),))
    except ConditionFailed as failure:
        if failure.old is None or failure.old["id"] != operator:
            raise ValueError("this operator API key belongs to somebody else") from failure


def on_the_machine(tables: Tables, principal: Principal, at: int) -> Caller:
    """Whoever runs the installation, in an operator's name: for what no request asks for. `tables` are unscoped."""
    return Caller(principal=principal, tables=tables.of(principal.account), at=at, cause="installation")


def set_account(tables: Tables, account: str, **changes: Any) -> None:
    """Change fields of the account's own document. `tables` are unscoped."""
    Resources(tables.of(account), ACCOUNT).update(account, lambda document: {**document, **changes})


# Projects


def create_project(caller: Caller, sent: NewProject) -> Document:
    project_id, at = caller.new_id(caller.at), caller.at
    fields = sent.sent()
    fields.pop("scopes", None)
    domains = _short_domains(caller)
    _check_domains(fields.get("shortDomains"), domains)
    document = merged({"createdAt": at, "updatedAt": at, "shortDomains": domains}, fields)
    told = audit.entry(caller, "create", "project", project_id, after=document)
    stored = Resources(caller.tables, PROJECT).create(project_id, document, also=told)
    return shown(stored)


def update_project(caller: Caller, project_id: str, sent: SentProject) -> Document:
    fields = sent.sent()
    fields.pop("scopes", None)
    _check_domains(fields.get("shortDomains"), _short_domains(caller))
    stored = Resources(caller.tables, PROJECT).update(
        project_id,
        _change(caller, fields, "project"),
        also=lambda before, after: audit.entry(caller, "update", "project", project_id, before, after),
    )
    return shown(stored)


def delete_project(caller: Caller, project_id: str, secrets: RootSecrets) -> None:
    """Its applications and their keys go first, so that nothing of a deleted project still opens a door."""
    projects, applications = Resources(caller.tables, PROJECT), Resources(caller.tables, APPLICATION)
    projects.read(project_id)
    partition = keys.index(keys.ACCOUNT_SCOPE, APPLICATION.name, "project", project_id, 0)
    while rows := caller.tables.log.query(partition, limit=DELETE_BATCH, consistent=True).rows:
        found = applications.read_many([row.key.sk for row in rows], consistent=True)
        for row in rows:
            if row.key.sk in found:
                delete_application(caller, project_id, row.key.sk, secrets)
            else:
                applications.sweep(row.key, row.item, None)
    projects.delete(project_id, also=lambda before: audit.entry(caller, "delete", "project", project_id, before))


# Applications


def create_application(caller: Caller, project_id: str, sent: NewApplication, secrets: RootSecrets) -> Document:
    """The application and the rows of both its keys, in one transaction."""
    Resources(caller.tables, PROJECT).read(project_id)
    application_id, at = caller.new_id(caller.at), caller.at
    fields = sent.sent()
    fields.pop("scopes", None)
    begun = {"createdAt": at, "updatedAt": at, "project": project_id, "_root": secrets.current, "_key": 1}
    document = merged({**begun, **APPLICATION_DEFAULTS}, fields)
    account = caller.principal.account
    also: list[Write] = [
        key_row(key, Principal(actor=actor, account=account, id=application_id, project=project_id))
        for actor, key in _application_keys(account, application_id, document, secrets).items()
    ]
    also += audit.entry(caller, "create", "application", application_id, after=public(document))
    stored = Resources(caller.tables, APPLICATION).create(application_id, document, also=also)
    return shown_application(caller, stored, secrets)


def read_application(caller: Caller, project_id: str, application_id: str) -> Stored:
    """Raises NotFound, also when it is an application of another project."""
    applications = Resources(caller.tables, APPLICATION)
    stored = applications.read(application_id)
    if stored.document["project"] != project_id:
        raise applications.missing(application_id)
    return stored


def update_application(
    caller: Caller, project_id: str, application_id: str, sent: SentApplication, secrets: RootSecrets
) -> Document:
    fields = sent.sent()
    fields.pop("scopes", None)
    stored = Resources(caller.tables, APPLICATION).update(
        application_id,
        _change(caller, fields, "application"),
        also=lambda before, after: audit.entry(
            caller, "update", "application", application_id, public(before), public(after)
        ),
        sees=lambda document: document["project"] == project_id,
    )
    return shown_application(caller, stored, secrets)


def delete_application(caller: Caller, project_id: str, application_id: str, secrets: RootSecrets) -> None:
    """The document, both keys and its live rules go in one transaction: its keys answer 403, and no rule asks it."""
    account = caller.principal.account
    marks = [Set(name, value) for name, value in stamp("live").items()]
    rules = [Remove(f"{state}:{keys.APPLICATION_RULES}{application_id}") for state in ("live", "then")]

    def also(before: Document) -> list[Write]:
        removals = [key_removal(key) for key in _application_keys(account, application_id, before, secrets).values()]
        return [
            *removals,
            Update(keys.LIVE, (*marks, *rules)),
            *audit.entry(caller, "delete", "application", application_id, public(before)),
        ]

    Resources(caller.tables, APPLICATION).delete(
        application_id, also=also, sees=lambda document: document["project"] == project_id
    )


def secret_key(caller: Caller, project_id: str, application_id: str, secrets: RootSecrets) -> Document:
    """The Trusted Application API key."""
    stored = read_application(caller, project_id, application_id)
    shown_keys = _application_keys(caller.principal.account, stored.id, stored.document, secrets)
    return {"secretApiKey": shown_keys["trustedApplication"]}


def public(document: Document) -> Document:
    return {name: value for name, value in document.items() if name not in PRIVATE}


def shown(stored: Stored) -> Document:
    return {"id": stored.id, **public(stored.document)}


def shown_application(caller: Caller, stored: Stored, secrets: RootSecrets) -> Document:
    shown_keys = _application_keys(caller.principal.account, stored.id, stored.document, secrets)
    return {**shown(stored), "appApiKey": shown_keys["application"]}


def _application_keys(account: str, application_id: str, document: Document, secrets: RootSecrets) -> dict[Actor, str]:
    root, version = document["_root"], document["_key"]
    return {
        "application": secrets.api_key("application", account, application_id, root=root, version=version),
        "trustedApplication": secrets.api_key("trusted", account, application_id, root=root, version=version),
    }


def _change(caller: Caller, fields: dict[str, Any], kind: str) -> Any:
    def change(document: Document) -> Document:
        result = merged(document, fields)
        if not result.get("name"):
            raise Invalid(f"name: {kind} needs a name")
        return result if result == document else {**result, "updatedAt": max(caller.at, document["updatedAt"])}

    return change


def _short_domains(caller: Caller) -> list[str]:
    account = Resources(caller.tables, ACCOUNT).read(caller.principal.account)
    domains: list[str] = account.document["shortDomains"]
    return domains


def _check_domains(sent: list[str] | None, known: list[str]) -> None:
    for domain in sent or ():
        if domain not in known:
            finding = Finding(field="shortDomains", message=f"unknown domain {domain}", expected=tuple(known))
            raise Invalid(f"{domain} is not a short domain of this account", details=[finding])
