"""Accounts, projects and applications with their keys."""

from dataclasses import replace
from typing import Any

from .. import audit, keys
from ..caller import Caller
from ..errors import Conflict, Finding, Invalid, NotFound
from ..fields import merged
from ..ports.table import Check, Equals, Present, Remove, Set, Tables, Update, Write
from ..preconditions import ANYTHING
from ..resources import Document, Resources, Stored
from ..retry import attempts
from ..shapes import stamp
from .authentication import CLOSED
from .builtin import BASE_APP_USER, BUILT_IN
from .documents import NewApplication, NewProject, SentApplication, SentProject
from .model import Actor, Principal
from .roles import OF_USERS
from .secrets import RootSecrets
from .store import ACCOUNT, APPLICATION, PROJECT, ROLE, key_removal, key_row

PRIVATE = ("scopes", "_root", "_key", "_roleEra", CLOSED)
APPLICATION_DEFAULTS: dict[str, Any] = {"socialNetworks": {}, "defaultRole": BASE_APP_USER}
DELETE_BATCH = 100
CREATE_ATTEMPTS = 8
ACTORS: dict[Actor, str] = {
    "operator": "operator",
    "trustedApplication": "app",
    "application": "app",
    "user": "userInApp",
    "device": "device",
}


def access_document(principal: Principal) -> Document:
    """Who the key is. Source: wire-facts, `GET /access`."""
    actor = ACTORS[principal.actor]
    document: Document = {"account": principal.account, "actor": {"id": principal.id, "type": actor}}
    return document if principal.project is None else {**document, "project": principal.project}


def create_account(tables: Tables, *, account: str, name: str, domain: str, at: int, **more: Any) -> None:
    """An account's own document, unless it is there. `tables` are unscoped."""
    document = {"name": name, "createdAt": at, "updatedAt": at, "shortDomains": [domain], "tfaRequired": False, **more}
    Resources(tables.of(account), ACCOUNT).create(account, document)


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
    document = {"shortDomains": domains, **merged({"createdAt": at, "updatedAt": at}, fields)}
    told = audit.entry(caller, "create", "project", project_id, after=document)
    stored = Resources(caller.tables, PROJECT).create(project_id, document, also=told)
    return shown(stored)


def update_project(caller: Caller, project_id: str, sent: SentProject) -> Stored:
    fields = sent.sent()
    fields.pop("scopes", None)
    domains = _short_domains(caller)
    _check_domains(fields.get("shortDomains"), domains)
    return Resources(caller.tables, PROJECT).update(
        project_id,
        _change(caller, fields, "project", {"shortDomains": domains}),
        also=lambda before, after: audit.entry(caller, "update", "project", project_id, before, after),
        match=caller.match,
    )


def delete_project(caller: Caller, project_id: str, secrets: RootSecrets) -> None:
    """Users and devices of a closed project are out at once, and it gets no new application; those there were go next.

    So nothing of a deleted project still opens a door, and a deletion that was interrupted can be sent again.
    """
    projects, applications = Resources(caller.tables, PROJECT), Resources(caller.tables, APPLICATION)
    projects.update(project_id, lambda document: {**document, CLOSED: True}, match=caller.match)
    caller = replace(caller, match=ANYTHING)
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
    """The application and the rows of both its keys, in one transaction that finds the project as it was read."""
    application_id, at = caller.new_id(caller.at), caller.at
    fields = sent.sent()
    fields.pop("scopes", None)
    begun = {"createdAt": at, "updatedAt": at, "project": project_id, "_root": secrets.current, "_key": 1}
    document = {**APPLICATION_DEFAULTS, **merged(begun, fields)}
    _check_role(caller, project_id, document["defaultRole"])
    rows: list[Write] = [
        *_key_rows(caller, application_id, document, secrets),
        *_role_stands(document["defaultRole"]),
        *audit.entry(caller, "create", "application", application_id, after=public(document)),
    ]
    applications = Resources(caller.tables, APPLICATION)
    for _ in attempts(CREATE_ATTEMPTS):
        project = Resources(caller.tables, PROJECT).read(project_id)
        if CLOSED in project.document:
            break
        try:
            unchanged = Check(keys.document(project_id), (Equals("v", project.version),))
            stored = applications.create(application_id, document, also=[*rows, unchanged])
        except Conflict:
            continue  # somebody changes the project, perhaps to delete it
        return shown_application(caller, stored, secrets)
    raise NotFound(f"There is no project {project_id[:60]}, or it keeps changing")


def read_application(caller: Caller, project_id: str, application_id: str) -> Stored:
    """Raises NotFound, also when it is an application of another project."""
    applications = Resources(caller.tables, APPLICATION)
    stored = applications.read(application_id)
    if stored.document["project"] != project_id:
        raise applications.missing(application_id)
    return stored


def update_application(caller: Caller, project_id: str, application_id: str, sent: SentApplication) -> Stored:
    """A new `defaultRole` is at once the role of every user of the application."""
    fields = sent.sent()
    fields.pop("scopes", None)
    change = _change(caller, fields, "application", APPLICATION_DEFAULTS)

    def with_role(document: Document) -> Document:
        result: Document = change(document)
        if result["defaultRole"] == document["defaultRole"]:
            return result
        _check_role(caller, project_id, result["defaultRole"])
        return {**result, "_roleEra": document.get("_roleEra", 0) + 1}

    def also(before: Document, after: Document) -> list[Write]:
        stands = _role_stands(after["defaultRole"]) if after["defaultRole"] != before["defaultRole"] else []
        entry = audit.entry(caller, "update", "application", application_id, public(before), public(after))
        return [*stands, *entry]

    return Resources(caller.tables, APPLICATION).update(
        application_id,
        with_role,
        also=also,
        sees=lambda document: document["project"] == project_id,
        match=caller.match,
    )


def rotate_keys(caller: Caller, project_id: str, application_id: str, secrets: RootSecrets) -> Document:
    """Both keys are new; those so far stop working at once."""

    def change(document: Document) -> Document:
        return {**document, "_root": secrets.current, "_key": document["_key"] + 1, "updatedAt": caller.at}

    def also(before: Document, after: Document) -> list[Write]:
        old = _application_keys(caller.principal.account, application_id, before, secrets).values()
        removals: list[Write] = [key_removal(key) for key in old]
        entry = audit.entry(caller, "rotate keys", "application", application_id)
        return [*removals, *_key_rows(caller, application_id, after, secrets), *entry]

    stored = Resources(caller.tables, APPLICATION).update(
        application_id, change, also=also, sees=lambda document: document["project"] == project_id
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
        application_id, also=also, sees=lambda document: document["project"] == project_id, match=caller.match
    )


def secret_key(caller: Caller, project_id: str, application_id: str, secrets: RootSecrets) -> Document:
    """The Trusted Application API key."""
    stored = read_application(caller, project_id, application_id)
    shown_keys = _application_keys(caller.principal.account, stored.id, stored.document, secrets)
    return {"secretApiKey": shown_keys["trustedApplication"]}


def trusted_key(account: str, application: Stored, secrets: RootSecrets) -> str:
    """The same key, for what the platform itself does in the application's name."""
    return _application_keys(account, application.id, application.document, secrets)["trustedApplication"]


def public(document: Document) -> Document:
    return {name: value for name, value in document.items() if name not in PRIVATE}


def shown(stored: Stored) -> Document:
    return {"id": stored.id, **public(stored.document)}


def shown_application(caller: Caller, stored: Stored, secrets: RootSecrets) -> Document:
    shown_keys = _application_keys(caller.principal.account, stored.id, stored.document, secrets)
    return {**shown(stored), "appApiKey": shown_keys["application"]}


def _key_rows(caller: Caller, application_id: str, document: Document, secrets: RootSecrets) -> list[Write]:
    account = caller.principal.account
    return [
        key_row(
            key,
            Principal(actor=actor, account=account, id=application_id, project=document["project"], app=application_id),
        )
        for actor, key in _application_keys(account, application_id, document, secrets).items()
    ]


def _check_role(caller: Caller, project_id: str, role: str) -> None:
    """Raises Invalid for a default role that is none of users, or is not for this project."""
    if role == BASE_APP_USER:
        return
    custom = role not in BUILT_IN
    found = Resources(caller.tables, ROLE).read_many([role], consistent=True).get(role) if custom else None
    projects = [] if found is None else found.document["scopes"]["projects"]
    if (
        found is None
        or found.document.get("type") != OF_USERS
        or (projects and {project_id, "all"}.isdisjoint(projects))
    ):
        finding = Finding(field="defaultRole", message="not a role of application users in this project")
        raise Invalid(f"defaultRole: {role[:60]} is not a role of this project's application users", details=[finding])


def _role_stands(role: str) -> list[Write]:
    """That nobody deletes the role meanwhile."""
    return [] if role in BUILT_IN else [Check(keys.document(role), (Present(),))]


def _application_keys(account: str, application_id: str, document: Document, secrets: RootSecrets) -> dict[Actor, str]:
    root, version = document["_root"], document["_key"]
    return {
        "application": secrets.api_key("application", account, application_id, root=root, version=version),
        "trustedApplication": secrets.api_key("trusted", account, application_id, root=root, version=version),
    }


def _change(caller: Caller, fields: dict[str, Any], kind: str, defaults: Document) -> Any:
    """What a PUT makes of a document; null puts back what every one has."""

    def change(document: Document) -> Document:
        result = {**defaults, **merged(document, fields)}
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
