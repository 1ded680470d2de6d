"""Who a key is; accounts, projects, applications and their keys; and every address that nothing else serves."""

from datetime import timedelta

from fingerpost import wiring
from fingerpost.access import accounts, service
from fingerpost.access.documents import NewApplication, NewProject, SentAccount, SentApplication, SentProject
from fingerpost.access.rates import rates_document
from fingerpost.access.store import APPLICATION, PROJECT
from fingerpost.edge import Answer, Edge, Request, created, no_content
from fingerpost.error_page import error_page
from fingerpost.insight import erasure
from fingerpost.insight.periods import day_of, day_start
from fingerpost.openapi_page import description, openapi_page
from fingerpost.paging import ask_of, listed, lister, loads
from fingerpost.resources import Resources
from fingerpost.timezones import time_in, zone_named

edge = Edge("access")
handler = edge.handler


@edge.route("GET", "/errors")
def explain_errors(_request: Request) -> Answer:
    return Answer(content=error_page().encode(), content_type="text/html; charset=utf-8")


@edge.route("GET", "/openapi.json")
def describe(_request: Request) -> Answer:
    """This description of the API, as OpenAPI 3.1."""
    document = {**description(), "servers": [{"url": wiring.settings().api_url}]}
    return Answer(document=document, headers={"cache-control": "public, max-age=300"})


@edge.route("GET", "/docs")
def show_description(_request: Request) -> Answer:
    """The same, as a page to read."""
    return Answer(content=openapi_page(description()).encode(), content_type="text/html; charset=utf-8")


@edge.route("GET", "/time", query=("tz",))
def read_time(request: Request) -> Answer:
    """What time it is; with `tz` also in that time zone, and when its offset changes next."""
    at, name = request.caller.at, request.query.get("tz")
    document = {"timestamp": at} if name is None else time_in(at, zone_named(name))
    return Answer(document=document, headers={"cache-control": "no-store"})


@edge.route("GET", "/access", verb="read", of="access")
def read_access(request: Request) -> Answer:
    return Answer(document=service.access_document(request.principal))


@edge.route("GET", "/rateLimits", verb="read", of="access")
def read_rate_limits(request: Request) -> Answer:
    """How many requests this key may still send in this minute."""
    assert request.standing is not None
    return Answer(document=rates_document(request.principal.actor, request.standing))


@edge.route("GET", "/accounts", verb="read", of="accounts")
def list_accounts(request: Request) -> Answer:
    """The one account of an operator's key."""
    stored = accounts.read(request.caller, request.principal.account)
    return Answer(document=[accounts.shown(stored)], headers={"x-result-count": "1"})


@edge.route("GET", "/accounts/{accountId}", verb="read", of="accounts")
def read_account(request: Request) -> Answer:
    return Answer(document=accounts.shown(accounts.read(request.caller, request.parameters["accountId"])))


@edge.route("PUT", "/accounts/{accountId}", verb="update", of="accounts")
def update_account(request: Request) -> Answer:
    """Change it. `retentionDays` counts for what is recorded from then on; what is older than it is erased."""
    sent = request.read(SentAccount)
    stored = accounts.update(request.caller, request.parameters["accountId"], sent)
    if sent.retentionDays is not None:
        before = day_of(request.caller.at) - timedelta(sent.retentionDays)
        erasure.begin(
            request.caller, wiring.queue("work"), erasure.SCANS_BEFORE, before.isoformat(), until=day_start(before)
        )
    return Answer(document=accounts.shown(stored))


@edge.route("POST", "/projects", verb="create", of="projects")
def create_project(request: Request) -> Answer:
    document = service.create_project(request.caller, request.read(NewProject))
    return created(document, f"{wiring.settings().api_url}/projects/{document['id']}")


@edge.route("GET", "/projects", verb="read", of="projects")
def list_projects(request: Request) -> Answer:
    ask, list_of = ask_of(request, "project"), lister(request, PROJECT, loads(request.caller, PROJECT, None))
    page = list_of.page(ask)
    return listed(request, page, [service.shown(each) for each in page.items], count=list_of.count(ask))


@edge.route("GET", "/projects/{projectId}", verb="read", of="projects")
def read_project(request: Request) -> Answer:
    stored = Resources(request.caller.tables, PROJECT).read(request.parameters["projectId"])
    return Answer(document=service.shown(stored))


@edge.route("PUT", "/projects/{projectId}", verb="update", of="projects")
def update_project(request: Request) -> Answer:
    project_id = request.parameters["projectId"]
    return Answer(document=service.update_project(request.caller, project_id, request.read(SentProject)))


@edge.route("DELETE", "/projects/{projectId}", verb="delete", of="projects")
def delete_project(request: Request) -> Answer:
    service.delete_project(request.caller, request.parameters["projectId"], wiring.root_secrets())
    return no_content()


@edge.route("POST", "/projects/{projectId}/applications", verb="create", of="applications")
def create_application(request: Request) -> Answer:
    project_id = request.parameters["projectId"]
    sent = request.read(NewApplication)
    document = service.create_application(request.caller, project_id, sent, wiring.root_secrets())
    address = f"{wiring.settings().api_url}/projects/{project_id}/applications/{document['id']}"
    return created(document, address)


@edge.route("GET", "/projects/{projectId}/applications", verb="read", of="applications")
def list_applications(request: Request) -> Answer:
    project_id = request.parameters["projectId"]
    Resources(request.caller.tables, PROJECT).read(project_id)
    ask = ask_of(request, "application", more=f"project={project_id}")
    list_of = lister(request, APPLICATION, loads(request.caller, APPLICATION, None))
    page = list_of.page(ask)
    documents = [service.shown_application(request.caller, each, wiring.root_secrets()) for each in page.items]
    return listed(request, page, documents, count=list_of.count(ask))


@edge.route("GET", "/projects/{projectId}/applications/{applicationId}", verb="read", of="applications")
def read_application(request: Request) -> Answer:
    stored = service.read_application(request.caller, *_both(request))
    return Answer(document=service.shown_application(request.caller, stored, wiring.root_secrets()))


@edge.route("PUT", "/projects/{projectId}/applications/{applicationId}", verb="update", of="applications")
def update_application(request: Request) -> Answer:
    sent = request.read(SentApplication)
    return Answer(document=service.update_application(request.caller, *_both(request), sent, wiring.root_secrets()))


@edge.route("DELETE", "/projects/{projectId}/applications/{applicationId}", verb="delete", of="applications")
def delete_application(request: Request) -> Answer:
    service.delete_application(request.caller, *_both(request), wiring.root_secrets())
    return no_content()


@edge.route("GET", "/projects/{projectId}/applications/{applicationId}/secretKey", verb="read", of="secretKey")
def read_secret_key(request: Request) -> Answer:
    return Answer(document=service.secret_key(request.caller, *_both(request), wiring.root_secrets()))


@edge.route("GET", "/applications/me", verb="read", of="self")
def read_self(request: Request) -> Answer:
    stored = Resources(request.caller.tables, APPLICATION).read(request.principal.id)
    return Answer(document=service.shown_application(request.caller, stored, wiring.root_secrets()))


@edge.route("PUT", "/applications/me", verb="update", of="self")
def update_self(request: Request) -> Answer:
    principal = request.principal
    assert principal.project is not None
    sent = request.read(SentApplication)
    return Answer(
        document=service.update_application(
            request.caller, principal.project, principal.id, sent, wiring.root_secrets()
        )
    )


def _both(request: Request) -> tuple[str, str]:
    return request.parameters["projectId"], request.parameters["applicationId"]
