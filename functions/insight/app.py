"""What became of it all: statistics of scans, and who changed what."""

from urllib.parse import parse_qsl

from fingerpost import cursor, wiring
from fingerpost.edge import Answer, Edge, Request, short_domain_of
from fingerpost.errors import Invalid
from fingerpost.http import accepts
from fingerpost.insight import audit_log, spreadsheet, statistics
from fingerpost.insight.documents import AuditEntry, Statistics
from fingerpost.insight.names import RuleNames
from fingerpost.paging import listed, next_address_of, per_page_of
from fingerpost.redirection.links import Links

edge = Edge("insight")
handler = edge.handler

AUDIT_QUERY = ("from", "to", "what", "resource", "by", "verb", "perPage", "nextPageToken")
STATISTICS_QUERY = ("from", "to", "by", "format", "nextPageToken")


@edge.route("GET", "/audit", verb="read", of="audit", answers=list[AuditEntry], query=AUDIT_QUERY)
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


@edge.route("GET", "/statistics", verb="read", of="statistics", answers=Statistics, query=STATISTICS_QUERY)
def read_statistics(request: Request) -> Answer:
    """Hits of all the account's redirections, as JSON or CSV."""
    return _answered(request, None)


@edge.route(
    "GET",
    "/redirections/{shortId}/statistics",
    verb="read",
    of="redirections",
    answers=Statistics,
    query=STATISTICS_QUERY,
)
def read_statistics_of_redirection(request: Request) -> Answer:
    """Hits of one redirection, as JSON or CSV."""
    links = Links(wiring.tables(), request.caller)
    return _answered(request, links.read(short_domain_of(request.event), request.parameters["shortId"]).name)


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
