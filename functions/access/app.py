"""Who a key is; accounts, projects, applications and their keys; and every address that nothing else serves."""

from datetime import timedelta
from typing import Any

from fingerpost import wiring
from fingerpost.access import accounts, operators, service
from fingerpost.access.answers import (
    Access,
    Account,
    Application,
    Domain,
    Operator,
    OperatorAccess,
    Project,
    Rates,
    SecretKey,
    Time,
)
from fingerpost.access.documents import (
    NewApplication,
    NewOperator,
    NewProject,
    SentAccess,
    SentAccount,
    SentApplication,
    SentOperator,
    SentProject,
    SentShortDomain,
)
from fingerpost.access.rates import rates_document
from fingerpost.access.store import APPLICATION, PROJECT
from fingerpost.edge import Answer, Edge, Request, created, no_content, shown
from fingerpost.error_page import error_page
from fingerpost.insight import erasure
from fingerpost.insight.periods import day_of, day_start
from fingerpost.listing import test_of
from fingerpost.openapi import LIST
from fingerpost.openapi_page import description, openapi_page
from fingerpost.paging import ask_of, listed, lister, loads
from fingerpost.redirection.domains import Hosts, ShortDomains
from fingerpost.resources import Resources, Stored, tag_of
from fingerpost.sight import WHOLE_ACCOUNT
from fingerpost.timezones import time_in, zone_named

ACCESS_PATH = "/accounts/{accountId}/accesses/{accessId}"
SHORT_DOMAINS = "/accounts/{accountId}/shortDomains"
APPLICATIONS = "/projects/{projectId}/applications"
APPLICATION_PATH = f"{APPLICATIONS}/{{applicationId}}"

edge = Edge("access")
handler = edge.handler


@edge.route("GET", "/errors", answers="text/html")
def explain_errors(_request: Request) -> Answer:
    return Answer(content=error_page().encode(), content_type="text/html; charset=utf-8")


@edge.route("GET", "/openapi.json", answers=dict[str, Any])
def describe(_request: Request) -> Answer:
    """This description of the API, as OpenAPI 3.1."""
    document = {**description(), "servers": [{"url": wiring.settings().api_url}]}
    return Answer(document=document, headers={"cache-control": "public, max-age=300"})


@edge.route("GET", "/docs", answers="text/html")
def show_description(_request: Request) -> Answer:
    """The same, as a page to read."""
    return Answer(content=openapi_page(description()).encode(), content_type="text/html; charset=utf-8")


@edge.route("GET", "/time", query=("tz",), answers=Time)
def read_time(request: Request) -> Answer:
    """What time it is; with `tz` also in that time zone, and when its offset changes next."""
    at, name = request.caller.at, request.query.get("tz")
    document = {"timestamp": at} if name is None else time_in(at, zone_named(name))
    return Answer(document=document, headers={"cache-control": "no-store"})


@edge.route("GET", "/access", verb="read", of="access", answers=Access)
def read_access(request: Request) -> Answer:
    return Answer(document=service.access_document(request.principal))


@edge.route("GET", "/rateLimits", verb="read", of="access", answers=list[Rates])
def read_rate_limits(request: Request) -> Answer:
    """How many requests this key may still send in this minute."""
    assert request.standing is not None
    return Answer(document=rates_document(request.principal.actor, request.standing))


@edge.route("GET", "/accounts", verb="read", of="accounts", answers=list[Account], query=LIST[:-1], counted=True)
def list_accounts(request: Request) -> Answer:
    """The one account of an operator's key."""
    account = accounts.shown(accounts.read(request.caller, request.principal.account))
    node = ask_of(request, "account").node
    documents = [account] if node is None or test_of(node)(account) else []
    return Answer(document=documents, headers={"x-result-count": str(len(documents))})


@edge.route("GET", "/accounts/{accountId}", verb="read", of="accounts", answers=Account, versioned=True)
def read_account(request: Request) -> Answer:
    return shown(accounts.read(request.caller, request.parameters["accountId"]), accounts.shown)


@edge.route(
    "PUT", "/accounts/{accountId}", verb="update", of="accounts", body=SentAccount, answers=Account, versioned=True
)
def update_account(request: Request) -> Answer:
    """Change it. `retentionDays` counts for what is recorded from then on; what is older than it is erased."""
    sent = request.read(SentAccount)
    stored = accounts.update(request.caller, request.parameters["accountId"], sent)
    if sent.retentionDays is not None:
        before = day_of(request.caller.at) - timedelta(sent.retentionDays)
        erasure.begin(
            request.caller, wiring.queue("work"), erasure.SCANS_BEFORE, before.isoformat(), until=day_start(before)
        )
    return shown(stored, accounts.shown)


@edge.route("GET", SHORT_DOMAINS, verb="read", of="accounts", answers=list[str])
def list_short_domains(request: Request) -> Answer:
    return Answer(document=_domains(request).listed(request.parameters["accountId"]))


@edge.route("POST", SHORT_DOMAINS, verb="update", of="accounts", body=SentShortDomain, status=201, answers=list[str])
def take_short_domain(request: Request) -> Answer:
    """Make a host that leads to this deployment one of the account's short domains, and no other account's."""
    domain = request.read(SentShortDomain).shortDomain
    return Answer(status=201, document=_domains(request).take(request.parameters["accountId"], domain))


@edge.route("DELETE", f"{SHORT_DOMAINS}/{{shortDomain}}", verb="update", of="accounts", answers=None)
def give_short_domain_back(request: Request) -> Answer:
    """Refused while redirections are on it, and when a project has no other; other projects let go of it."""
    parameters = request.parameters
    _domains(request).give_back(parameters["accountId"], parameters["shortDomain"].lower())
    return no_content()


@edge.route("GET", "/accounts/{accountId}/domains", verb="read", of="accounts", answers=list[Domain])
def list_domains(request: Request) -> Answer:
    """The same, each as a document."""
    return Answer(document=_domains(request).documents(request.parameters["accountId"]))


@edge.route("GET", "/accounts/{accountId}/accesses", verb="read", of="accesses", answers=list[OperatorAccess])
def list_accesses(request: Request) -> Answer:
    """Who operates the account, newest first; keys are shown to their own operator and to admins."""
    _account(request)
    return Answer(document=operators.accesses(request.caller, wiring.root_secrets()))


@edge.route(
    "POST",
    "/accounts/{accountId}/accesses",
    verb="create",
    of="accesses",
    keeps=False,
    body=NewOperator,
    status=201,
    answers=OperatorAccess,
    versioned=True,
)
def create_access(request: Request) -> Answer:
    """A new operator of the account, with a key, and without a right until a role says otherwise."""
    account = _account(request)
    document = operators.create(request.caller, request.read(NewOperator), wiring.root_secrets())
    return created(
        document,
        f"{wiring.settings().api_url}/accounts/{account}/accesses/{document['id']}",
        version=tag_of(document["operator"]),
    )


@edge.route("GET", ACCESS_PATH, verb="read", of="accesses", answers=OperatorAccess, versioned=True)
def read_access_of_operator(request: Request) -> Answer:
    _account(request)
    stored = operators.find(request.caller, request.parameters["accessId"])
    return _access(request, stored)


@edge.route("PUT", ACCESS_PATH, verb="update", of="accesses", body=SentAccess, answers=OperatorAccess, versioned=True)
def set_role_of_operator(request: Request) -> Answer:
    """Give an operator another role, from the next request on. At least one stays an admin."""
    _account(request)
    role, access_id = request.read(SentAccess).role, request.parameters["accessId"]
    return _access(request, operators.set_role(request.caller, access_id, role))


@edge.route("DELETE", ACCESS_PATH, verb="delete", of="accesses", answers=None, versioned=True)
def revoke_access(request: Request) -> Answer:
    """The operator's key stops working, and with it the operator. At least one admin stays."""
    _account(request)
    operators.revoke(request.caller, request.parameters["accessId"])
    return no_content()


@edge.route(
    "POST",
    f"{ACCESS_PATH}/keys",
    verb="update",
    of="accesses",
    keeps=False,
    status=201,
    body=None,
    answers=OperatorAccess,
)
def rotate_key_of_operator(request: Request) -> Answer:
    """A new key for an operator; the one so far stops working at once."""
    _account(request)
    document = operators.rotate(request.caller, request.parameters["accessId"], wiring.root_secrets())
    return Answer(status=201, document=document)


@edge.route("GET", "/operators/{operatorId}", verb="read", of="operators", answers=Operator, versioned=True)
def read_operator(request: Request) -> Answer:
    return shown(operators.read(request.caller, request.parameters["operatorId"]), operators.shown)


@edge.route(
    "PUT", "/operators/{operatorId}", verb="update", of="operators", body=SentOperator, answers=Operator, versioned=True
)
def update_operator(request: Request) -> Answer:
    sent = request.read(SentOperator)
    return shown(operators.update(request.caller, request.parameters["operatorId"], sent), operators.shown)


@edge.route(
    "POST", "/projects", verb="create", of="projects", body=NewProject, answers=Project, status=201, versioned=True
)
def create_project(request: Request) -> Answer:
    document = service.create_project(request.caller, request.read(NewProject))
    return created(document, f"{wiring.settings().api_url}/projects/{document['id']}", version=tag_of(document["id"]))


@edge.route("GET", "/projects", verb="read", of="projects", answers=list[Project], query=LIST[:-1], counted=True)
def list_projects(request: Request) -> Answer:
    sight = request.principal.sight
    load = loads(request.caller, PROJECT, lambda document: sight.sees_project(document["id"]))
    ask, list_of = ask_of(request, "project"), lister(request, PROJECT, load, sight=WHOLE_ACCOUNT)
    page = list_of.page(ask)
    return listed(request, page, [service.shown(each) for each in page.items], count=list_of.count(ask))


@edge.route("GET", "/projects/{projectId}", verb="read", of="projects", answers=Project, versioned=True)
def read_project(request: Request) -> Answer:
    stored = Resources(request.caller.tables, PROJECT).read(request.parameters["projectId"])
    return shown(stored, service.shown)


@edge.route(
    "PUT", "/projects/{projectId}", verb="update", of="projects", body=SentProject, answers=Project, versioned=True
)
def update_project(request: Request) -> Answer:
    project_id = request.parameters["projectId"]
    return shown(service.update_project(request.caller, project_id, request.read(SentProject)), service.shown)


@edge.route("DELETE", "/projects/{projectId}", verb="delete", of="projects", answers=None, versioned=True)
def delete_project(request: Request) -> Answer:
    service.delete_project(request.caller, request.parameters["projectId"], wiring.root_secrets())
    return no_content()


@edge.route(
    "POST",
    APPLICATIONS,
    verb="create",
    of="applications",
    keeps=False,
    body=NewApplication,
    answers=Application,
    status=201,
    versioned=True,
)
def create_application(request: Request) -> Answer:
    project_id = request.parameters["projectId"]
    sent = request.read(NewApplication)
    document = service.create_application(request.caller, project_id, sent, wiring.root_secrets())
    address = f"{wiring.settings().api_url}/projects/{project_id}/applications/{document['id']}"
    return created(document, address, version=tag_of(document["id"]))


@edge.route(
    "GET", APPLICATIONS, verb="read", of="applications", answers=list[Application], query=LIST[:-1], counted=True
)
def list_applications(request: Request) -> Answer:
    project_id = request.parameters["projectId"]
    Resources(request.caller.tables, PROJECT).read(project_id)
    ask = ask_of(request, "application", more=f"project={project_id}")
    load = loads(request.caller, APPLICATION, WHOLE_ACCOUNT.sees)
    list_of = lister(request, APPLICATION, load, sight=WHOLE_ACCOUNT)
    page = list_of.page(ask)
    documents = [service.shown_application(request.caller, each, wiring.root_secrets()) for each in page.items]
    return listed(request, page, documents, count=list_of.count(ask))


@edge.route("GET", APPLICATION_PATH, verb="read", of="applications", answers=Application, versioned=True)
def read_application(request: Request) -> Answer:
    stored = service.read_application(request.caller, *_both(request))
    return _application(request, stored)


@edge.route(
    "PUT", APPLICATION_PATH, verb="update", of="applications", body=SentApplication, answers=Application, versioned=True
)
def update_application(request: Request) -> Answer:
    sent = request.read(SentApplication)
    return _application(request, service.update_application(request.caller, *_both(request), sent))


@edge.route("DELETE", APPLICATION_PATH, verb="delete", of="applications", answers=None, versioned=True)
def delete_application(request: Request) -> Answer:
    service.delete_application(request.caller, *_both(request), wiring.root_secrets())
    return no_content()


@edge.route("GET", f"{APPLICATION_PATH}/secretKey", verb="read", of="secretKey", answers=SecretKey)
def read_secret_key(request: Request) -> Answer:
    return Answer(document=service.secret_key(request.caller, *_both(request), wiring.root_secrets()))


@edge.route(
    "POST",
    f"{APPLICATION_PATH}/keys",
    verb="update",
    of="applications",
    keeps=False,
    status=201,
    body=None,
    answers=Application,
)
def rotate_keys_of_application(request: Request) -> Answer:
    """New keys for an application, of which the answer shows the one that is not secret; those so far stop working."""
    document = service.rotate_keys(request.caller, *_both(request), wiring.root_secrets())
    return Answer(status=201, document=document)


@edge.route("GET", "/applications/me", verb="read", of="self", answers=Application, versioned=True)
def read_self(request: Request) -> Answer:
    stored = Resources(request.caller.tables, APPLICATION).read(request.principal.id)
    return _application(request, stored)


@edge.route(
    "PUT", "/applications/me", verb="update", of="self", body=SentApplication, answers=Application, versioned=True
)
def update_self(request: Request) -> Answer:
    principal = request.principal
    assert principal.project is not None
    sent = request.read(SentApplication)
    stored = service.update_application(request.caller, principal.project, principal.id, sent)
    return _application(request, stored)


def _account(request: Request) -> str:
    """Raises NotFound for another account than the key's own."""
    return accounts.read(request.caller, request.parameters["accountId"]).id


def _domains(request: Request) -> ShortDomains:
    settings = wiring.settings()
    return ShortDomains(wiring.tables(), request.caller, Hosts(settings.short_domain, settings.further_domains))


def _access(request: Request, stored: Stored) -> Answer:
    return shown(stored, lambda each: operators.access_document(request.caller, each, wiring.root_secrets()))


def _application(request: Request, stored: Stored) -> Answer:
    return shown(stored, lambda each: service.shown_application(request.caller, each, wiring.root_secrets()))


def _both(request: Request) -> tuple[str, str]:
    return request.parameters["projectId"], request.parameters["applicationId"]
