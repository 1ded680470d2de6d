"""What became of it all: who changed what."""

from fingerpost import wiring
from fingerpost.edge import Answer, Edge, Request
from fingerpost.insight import audit_log
from fingerpost.insight.documents import AuditEntry
from fingerpost.paging import listed, per_page_of

edge = Edge("insight")
handler = edge.handler

AUDIT_QUERY = ("from", "to", "what", "resource", "by", "verb", "perPage", "nextPageToken")


@edge.route("GET", "/audit", verb="read", of="audit", answers=list[AuditEntry], query=AUDIT_QUERY)
def read_audit(request: Request) -> Answer:
    """Every change of a rule, link, key, role or setting, newest first."""
    page = audit_log.page(
        request.caller,
        audit_log.question(request.caller, request.query),
        per_page=per_page_of(request),
        token=request.query.get("nextPageToken") or None,
        secret=wiring.root_secrets().for_purpose("cursor"),
    )
    return listed(request, page, list(page.items))
