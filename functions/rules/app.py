"""The rules of the account and of its applications: what is live, every version, drafts, and what is planned."""

from collections.abc import Callable
from typing import Any

from fingerpost import cursor, wiring
from fingerpost.edge import Answer, Edge, Request, created, no_content
from fingerpost.errors import Invalid
from fingerpost.listing import PageOf
from fingerpost.paging import listed, per_page_of
from fingerpost.redirection import drafts, publish, release, versions
from fingerpost.redirection.answers import Difference, Draft, Redirector, Version, WholeDraft, WholeVersion
from fingerpost.redirection.diffs import diff_document
from fingerpost.redirection.documents import SentApplicationRules, SentRules
from fingerpost.redirection.owners import owner_of, rules_route
from fingerpost.redirection.references import reference_of, resolve
from fingerpost.redirection.stories import (
    SentApplicationDraft,
    SentApplicationVersion,
    SentDiff,
    SentDraft,
    SentDraftStory,
    SentRollback,
    SentStory,
    SentVersion,
)

edge = Edge("rules")
handler = edge.handler

PAGE = ("perPage", "nextPageToken")

type Documents = list[dict[str, Any]]


@rules_route(edge, "GET", "", "read", answers=Redirector, versioned=True)
def read_rules(request: Request) -> Answer:
    """What is live now, and what is planned."""
    return _redirector(versions.read(request.caller, owner_of(request)))


@rules_route(
    edge,
    "PUT",
    "",
    "update",
    bodies=(SentRules, SentApplicationRules),
    query=("strict",),
    answers=Redirector,
    versioned=True,
)
def publish_rules(request: Request) -> Answer:
    """Publish at once, whatever is live. Unknown fields are stored with a warning, and refused with `strict`.

    Rules of an application ask nobody, and lead only where the account allows.
    """
    owner = owner_of(request)
    sent, strict = owner.read(request.json_object()), request.flag("strict")
    return _redirector(publish.publish(request.caller, owner, sent, strict=strict))


@rules_route(edge, "DELETE", "", "update", answers=None, versioned=True)
def publish_no_rules(request: Request) -> Answer:
    """Publish an empty set: a version like any other, so the rules before it come back by a rollback."""
    owner = owner_of(request)
    publish.publish(request.caller, owner, owner.read({"rules": []}))
    return no_content()


# Versions


@rules_route(edge, "GET", "/versions", "read", query=PAGE, answers=list[Version])
def list_versions(request: Request) -> Answer:
    """Every version with who, when and why, newest first."""
    owner, caller = owner_of(request), request.caller

    def page_after(after: str | None, limit: int) -> tuple[Documents, str | None]:
        return versions.listed(caller, owner, after=after, limit=limit)

    return _page(request, page_after, "versions", owner.name)


@rules_route(
    edge,
    "POST",
    "/versions",
    "update",
    bodies=(SentVersion, SentApplicationVersion),
    status=201,
    query=("strict",),
    answers=WholeVersion,
)
def publish_version(request: Request) -> Answer:
    """Publish with a reason, at once or at its own time, unless other rules are live than it is based on."""
    owner, caller = owner_of(request), request.caller
    content, strict = request.json_object(), request.flag("strict")
    story = request.read(SentStory).story(caller.at)
    document = publish.publish_version(caller, owner, owner.read(content), story, strict=strict)
    return _created(request, document)


@rules_route(edge, "GET", "/versions/{number}", "read", answers=WholeVersion)
def read_version(request: Request) -> Answer:
    """One version, with its rules."""
    owner, caller = owner_of(request), request.caller
    row = versions.read_row(caller, owner, _number(request))
    return Answer(document=versions.whole_document(caller, owner, row, versions.timeline(caller, owner)))


@rules_route(edge, "DELETE", "/versions/{number}/schedule", "update", answers=Version)
def cancel_schedule(request: Request) -> Answer:
    """Take a planned version off the plan before it begins."""
    caller = request.caller
    row, timeline = release.cancel(caller, owner_of(request), _number(request))
    (document,) = versions.version_documents(caller, timeline, [row])
    return Answer(document=document)


@rules_route(edge, "POST", "/rollback", "update", bodies=(SentRollback, SentRollback), answers=Redirector)
def roll_back(request: Request) -> Answer:
    """Make the rules of an earlier version live again, as a new version."""
    owner, caller = owner_of(request), request.caller
    sent = request.read(SentRollback)
    row, timeline = release.rollback(caller, owner, sent.version, sent.story(caller.at))
    rules = versions.sent_rules(caller, versions.version_of(owner, row))
    planned = versions.planned_in(timeline, caller.at)
    return Answer(document=versions.document(caller, owner, row, rules, planned=planned))


@rules_route(edge, "GET", "/diff", "read", query=("from:rules", "to:rules"), answers=Difference)
def read_diff(request: Request) -> Answer:
    """What became of one set of rules in another, rule by rule, in words."""
    owner = owner_of(request)
    if "to" not in request.query:
        raise Invalid("to: say which rules to compare with, as in ?from=live&to=draft:summer")
    sides = [reference_of(request.query.get(name, "live"), name) for name in ("from", "to")]
    before, after = (resolve(request.caller, owner, each) for each in sides)
    return Answer(document=diff_document(before, after))


@rules_route(edge, "POST", "/diff", "read", bodies=(SentDiff, SentDiff), answers=Difference)
def compare(request: Request) -> Answer:
    """The same for rules that are sent along: `from` and `to` each name a version, a draft, or hold rules."""
    owner, sent = owner_of(request), request.read(SentDiff)
    before, after = (resolve(request.caller, owner, each) for each in (sent.from_, sent.to))
    return Answer(document=diff_document(before, after))


# Drafts


@rules_route(edge, "GET", "/drafts", "read", query=PAGE, answers=list[Draft])
def list_drafts(request: Request) -> Answer:
    """The drafts by name, without their rules."""
    owner, caller = owner_of(request), request.caller

    def page_after(after: str | None, limit: int) -> tuple[Documents, str | None]:
        return drafts.listed(caller, owner, after=after, limit=limit)

    return _page(request, page_after, "drafts", owner.name)


@rules_route(
    edge,
    "PUT",
    "/drafts/{name}",
    "update",
    bodies=(SentDraft, SentApplicationDraft),
    answers=WholeDraft,
    versioned=True,
)
def save_draft(request: Request) -> Answer:
    """Make a draft or replace it. It may hold mistakes, which its document tells."""
    owner, name = owner_of(request), request.parameters["name"]
    story, sent = request.read(SentDraftStory), owner.read(request.json_object())
    document = drafts.save(request.caller, owner, name, sent, based_on=story.basedOn, note=story.note, edit=story.edit)
    return Answer(document=document, version=drafts.tag_of(document))


@rules_route(edge, "GET", "/drafts/{name}", "read", answers=WholeDraft, versioned=True)
def read_draft(request: Request) -> Answer:
    """One draft, with its rules and what is wrong with them."""
    draft = drafts.read(request.caller, owner_of(request), request.parameters["name"])
    document = drafts.whole_document(request.caller, draft)
    return Answer(document=document, version=drafts.tag_of(document))


@rules_route(edge, "DELETE", "/drafts/{name}", "update", answers=None, versioned=True)
def delete_draft(request: Request) -> Answer:
    drafts.delete(request.caller, owner_of(request), request.parameters["name"])
    return no_content()


@rules_route(
    edge,
    "POST",
    "/drafts/{name}/publish",
    "update",
    bodies=(SentStory, SentStory),
    status=201,
    query=("strict",),
    answers=WholeVersion,
)
def publish_draft(request: Request) -> Answer:
    """Publish a draft, which goes away with it; refused with everything that is wrong with it."""
    owner, caller = owner_of(request), request.caller
    strict, story = request.flag("strict"), request.read(SentStory).story(caller.at)
    document = drafts.publish_draft(caller, owner, request.parameters["name"], story, strict=strict)
    return _created(request, document)


def _redirector(document: dict[str, Any]) -> Answer:
    return Answer(document=document, version=str(document["version"]))


def _created(request: Request, document: dict[str, Any]) -> Answer:
    base = request.path[: request.path.index("/redirector")]
    address = f"{wiring.settings().api_url}{base}/redirector/versions/{document['version']}"
    return created(document, address)


def _number(request: Request) -> int:
    text = request.parameters["number"]
    if not text.isascii() or not text.isdigit():
        raise Invalid(f"A version has a number; {text[:40]!r} is none")
    return int(text[:10])


def _page(
    request: Request, page_after: Callable[[str | None, int], tuple[Documents, str | None]], *question: str
) -> Answer:
    secret = wiring.root_secrets().for_purpose("cursor")
    digest = cursor.filter_digest(request.principal.account, *question)
    token, limit = request.query.get("nextPageToken"), per_page_of(request)
    documents, further = page_after(cursor.decode(secret, token, digest) if token else None, limit)
    page = PageOf(tuple(documents), cursor.encode(secret, further, digest) if further else None)
    return listed(request, page, documents)
