"""What became of it all: statistics of scans, erasing them, and who changed what."""

from urllib.parse import parse_qsl

from fingerpost import cursor, wiring
from fingerpost.edge import Answer, Edge, Request, link_domain_of
from fingerpost.errors import Finding, Invalid, NotFound
from fingerpost.http import accepts
from fingerpost.ids import is_id
from fingerpost.insight import audit_log, erasure, spreadsheet, statistics
from fingerpost.insight.answers import AuditEntry, Erasure, Statistics
from fingerpost.insight.names import RuleNames
from fingerpost.insight.periods import day, day_start
from fingerpost.paging import listed, next_address_of, per_page_of
from fingerpost.redirection.links import Links
from fingerpost.redirection.model import Link

edge = Edge("insight")
handler = edge.handler

AUDIT_QUERY = ("from", "to", "what", "resource", "by", "verb", "perPage", "nextPageToken")
STATISTICS_QUERY = ("from", "to", "by", "format", "nextPageToken")


@edge.route("GET", "/audit", verb="read", of="audit", query=AUDIT_QUERY, answers=list[AuditEntry])
def read_audit(request: Request) -> Answer:
    """Every change of a rule, link, key, role or setting, newest first."""
    page = audit_log.page(
        request.caller,
        audit_log.question(request.caller, request.query),
        per_page=per_page_of(request),
        token=request.query.get("nextPageToken") or None,
        secret=_secret(),
    )
    return listed(request, page, list(page.items))


@edge.route(
    "GET", "/statistics", verb="read", of="statistics", query=STATISTICS_QUERY, answers=(Statistics, "text/csv")
)
def read_statistics(request: Request) -> Answer:
    """Hits of all the account's redirections, as JSON or CSV."""
    return _answered(request, None)


@edge.route(
    "GET",
    "/redirections/{shortId}/statistics",
    verb="read",
    of="redirections",
    answers=(Statistics, "text/csv"),
    query=("shortDomain", *STATISTICS_QUERY),
)
def read_statistics_of_redirection(request: Request) -> Answer:
    """Hits of one redirection, as JSON or CSV."""
    return _answered(request, _link(request).name)


@edge.route("DELETE", "/redirections/{shortId}/statistics", verb="delete", of="statistics", answers=Erasure, status=202)
def erase_statistics_of_redirection(request: Request) -> Answer:
    """Forget the hits, visits and visitors of one redirection. Its scans stay among the actions."""
    return _begun(request, erasure.STATISTICS, _link(request).name, until=request.caller.at)


@edge.route("DELETE", "/thngs/{thngId}/scans", verb="delete", of="statistics", answers=Erasure, status=202)
def erase_scans_of_thng(request: Request) -> Answer:
    """Forget the recorded scans of one thng, which may be gone itself. Hits that they counted stay."""
    thng_id = request.parameters["thngId"]
    if not is_id(thng_id):
        raise NotFound(f"There is no thng {thng_id[:60]}")
    return _begun(request, erasure.SCANS_OF_THNG, thng_id, until=request.caller.at)


@edge.route("DELETE", "/scans", verb="delete", of="statistics", answers=Erasure, status=202, query=("before",))
def erase_scans(request: Request) -> Answer:
    """Forget all scans that were recorded before a day of UTC, and what the days before it were summed up to."""
    if not (text := request.query.get("before")):
        message = "say before which day of UTC to erase, such as 2026-11-01"
        raise Invalid(f"before: {message}", details=[Finding(field="before", message=message)])
    before = day(text, "before")
    return _begun(request, erasure.SCANS_BEFORE, before.isoformat(), until=day_start(before))


@edge.route("GET", "/erasures/{erasureId}", verb="read", of="statistics", answers=Erasure)
def read_erasure(request: Request) -> Answer:
    """How far an erasure has come."""
    return Answer(document=erasure.read(request.caller, request.parameters["erasureId"]))


def _link(request: Request) -> Link:
    """The redirection of the address, or what is left of it."""
    links = Links(wiring.tables(), request.caller)
    return links.read(link_domain_of(request), request.parameters["shortId"], also_deleted=True)


def _begun(request: Request, what: str, name: str, *, until: int) -> Answer:
    document = erasure.begin(request.caller, wiring.queue("work"), what, name, until=until)
    address = f"{wiring.settings().api_url}/erasures/{document['id']}"
    return Answer(status=202, document=document, headers={"location": address})


def _answered(request: Request, link: str | None) -> Answer:
    query = parse_qsl(request.event.get("rawQueryString", ""))
    asked = statistics.question(request.caller, request.query, [value for name, value in query if name == "by"], link)
    match request.query.get("format"):
        case None:
            as_csv = accepts(request.event, "text/csv")
        case "csv" | "json" as named:
            as_csv = named == "csv"
        case other:
            raise Invalid(f"format takes csv or json, not {other[:40]!r}")
    if not as_csv:
        return Answer(document=statistics.document(statistics.find(request.caller, asked), RuleNames(request.caller)))
    parts = (link or "", asked.first.isoformat(), asked.last.isoformat(), *asked.by)
    digest = cursor.filter_digest(request.principal.account, "statistics", *parts)
    token = request.query.get("nextPageToken")
    after = cursor.decode(_secret(), token, digest) if token else None
    found = statistics.find(request.caller, asked)
    text, further = spreadsheet.page(statistics.table(found, RuleNames(request.caller)), after)
    headers = {"content-disposition": 'attachment; filename="statistics.csv"'}
    if further is not None:
        headers |= next_address_of(request, cursor.encode(_secret(), further, digest))
    return Answer(content=text.encode(), content_type="text/csv; charset=utf-8", headers=headers)


def _secret() -> bytes:
    return wiring.root_secrets().for_purpose("cursor")
