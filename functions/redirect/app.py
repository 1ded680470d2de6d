"""GET or HEAD /{shortId} on a short domain: answer a scan with the redirect its rules choose.

The sacred path: core layer only; no pydantic, lark, qrcode, boto3, Powertools or user-agent parser is imported here.
"""

import json

from fingerpost import log, wiring
from fingerpost.errors import FingerpostError, Gone, Unavailable, error_document
from fingerpost.http import NO_STORE, Event, Reply, accepts, header, reply
from fingerpost.ports.table import Throttled, Unreachable
from fingerpost.redirection import pages
from fingerpost.redirection.facts import facts_of
from fingerpost.redirection.hits import Hits
from fingerpost.redirection.model import redirection_document
from fingerpost.redirection.visit import RETRY_AFTER, Visits

visits = Visits(wiring.tables(), wiring.recorder(), lambda body: wiring.queue("spill").send(body))
find_area = wiring.find_area()
JSON = {"content-type": "application/json", "cache-control": NO_STORE}
HTML = {"content-type": "text/html; charset=utf-8", "cache-control": NO_STORE, "x-robots-tag": "noindex"}


def handler(event: Event, _context: object = None) -> Reply:
    """Redirect with 307; with `Accept: application/json` show the redirection. Refusals are pages a person can read."""
    context = event["requestContext"]
    cause = context.get("requestId", "")
    try:
        domain = header(event, "x-fingerpost-domain") or wiring.settings().short_domain
        short_id = event["rawPath"][1:].removesuffix("/")
        facts = facts_of(event, wiring.clock(), query=event.get("rawQueryString", ""), find_area=find_area)
        if accepts(event, "application/json"):
            return _document(domain, short_id, facts.at)
        visit = visits.visit(domain, short_id, facts, mark=_mark(event), cause=cause)
        if not visit.decision.url:
            return _page(visit.decision.limit, cause)
        headers = {"location": visit.decision.url, "cache-control": NO_STORE, "x-fingerpost-cause": cause}
        return {"statusCode": 307, "headers": headers, "body": "", "isBase64Encoded": False}
    except FingerpostError as error:
        return _refusal(event, error)
    except (Throttled, Unreachable):
        return _refusal(event, Unavailable("The store is busy; try again in a moment", headers=RETRY_AFTER))
    except Exception:
        import traceback  # noqa: PLC0415 - 10 ms that only a bug should cost

        log.error("unexpected", cause=cause, exception=traceback.format_exc())
        return _refusal(event, FingerpostError(f"Something went wrong on our side; it is in the log under {cause}"))


def _document(domain: str, short_id: str, at: int) -> Reply:
    link = visits.find(domain, short_id, at)
    total = Hits(wiring.tables().of(link.account)).total(domain, short_id)
    document = redirection_document(link, total, wiring.settings().api_url, at)
    return reply(200, json.dumps(document, ensure_ascii=False), JSON)


def _mark(event: Event) -> str:
    """Whether nobody looks at the answer: a HEAD request, or a browser fetching ahead."""
    if event["requestContext"]["http"]["method"] == "HEAD":
        return "head"
    purpose = header(event, "sec-purpose") or header(event, "purpose") or header(event, "x-moz")
    return "prefetch" if "prefetch" in purpose or "preview" in purpose else ""


def _page(limit: str, cause: str) -> Reply:
    """What a person sees whose scan met a limit of the link, where no URL takes over."""
    status, page = {"before": (404, pages.NOT_YET), "after": (410, pages.ENDED)}.get(limit, (410, pages.EXHAUSTED))
    return reply(status, page, {**HTML, "x-fingerpost-cause": cause})


def _refusal(event: Event, error: FingerpostError) -> Reply:
    if accepts(event, "application/json"):
        document = error_document(error, wiring.settings().api_url)
        return reply(error.status, json.dumps(document), {**JSON, **error.headers})
    page = pages.DELETED if isinstance(error, Gone) else pages.UNKNOWN if error.status == 404 else pages.LATER
    return reply(error.status, page, {**HTML, **error.headers})
