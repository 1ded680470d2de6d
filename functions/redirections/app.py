"""Links and their QR codes on the short domain."""

from copy import replace

from fingerpost import cursor, wiring
from fingerpost.edge import Answer, Edge, Request, created, link_domain_of, no_content
from fingerpost.errors import Gone, Invalid
from fingerpost.http import accepts, preferred
from fingerpost.listing import Ask, PageOf
from fingerpost.paging import ask_of, listed, lister, sight_of
from fingerpost.redirection import qr
from fingerpost.redirection.answers import Redirection
from fingerpost.redirection.documents import NewRedirection, SentRedirection
from fingerpost.redirection.drawings import TYPE_OF, drawing
from fingerpost.redirection.hits import Hits
from fingerpost.redirection.links import Links, find_link
from fingerpost.redirection.listed import REDIRECTION, loads
from fingerpost.redirection.model import Link, ResourceType, redirection_document
from fingerpost.rules.nodes import Exact, Test

edge = Edge("redirections")
handler = edge.handler

MEDIA: dict[str, qr.Format] = {media: format_ for format_, media in TYPE_OF.items()}
ALIASED: dict[str, ResourceType] = {"thngs": "thng", "products": "product"}
IMAGES = tuple(MEDIA)
NAMED = ("shortDomain",)
DRAWN = (*NAMED, "w", "h")
LISTED = ("evrythngId", *NAMED, "perPage", "sortOrder", "nextPageToken", "project")
QR_CACHE = "public, max-age=86400"


@edge.route(
    "POST",
    "/redirections",
    verb="create",
    of="redirections",
    body=NewRedirection,
    answers=Redirection,
    status=201,
    also={200: IMAGES},
    query=NAMED,
    versioned=True,
)
def create_redirection(request: Request) -> Answer:
    """JSON with 201 when Accept names it; else the QR code, with 200 and the short URL in Content-Disposition."""
    link = _links(request).create(request.read(NewRedirection), link_domain_of(request))
    address = wiring.settings().short_url(link.domain, link.short_id)
    if accepts(request.event, "application/json"):
        return created(_document(request, link), address, version=link.tag)
    media = preferred(request.event, *MEDIA) or "image/png"
    image = _drawn(address, MEDIA[media], 95, 95)
    name = f'inline; {address}; filename="{link.short_id}.{MEDIA[media]}"'
    headers = {"location": address, "content-disposition": name, "cache-control": "no-store"}
    return Answer(content=image, content_type=media, headers=headers)


@edge.route(
    "GET", "/redirections", verb="read", of="redirections", query=LISTED, answers=list[Redirection], counted=True
)
def list_redirections(request: Request) -> Answer:
    """All links or those on a `shortDomain`, newest first; with `evrythngId` those of one resource, oldest first."""
    if request.query.get("filter"):
        raise Invalid("filter: redirections are listed by evrythngId or shortDomain alone; leave out the filter")
    ask = ask_of(request, "thng")
    evrythng_id = request.query.get("evrythngId")
    if not evrythng_id:
        return _all_links(request, ask)
    secret = wiring.root_secrets().for_purpose("cursor")
    digest = cursor.filter_digest(request.principal.account, "links", evrythng_id)
    after = cursor.decode(secret, ask.token, digest) if ask.token else None
    links, further = _links(request).of(evrythng_id, after=after, limit=ask.per_page)
    page = PageOf(tuple(links), cursor.encode(secret, further, digest) if further else None)
    hits = Hits(request.caller.tables).totals(links)
    return listed(request, page, [_document(request, link, hits[link.name]) for link in links])


def _all_links(request: Request, ask: Ask) -> Answer:
    domain = request.query.get("shortDomain")
    if domain:
        test = Test("shortDomain", "=", (Exact(domain, domain),))
        ask = replace(ask, node=test, filter_text=f"shortDomain={domain}")
    list_of = lister(request, REDIRECTION, loads(wiring.tables(), request.caller, sight_of(request)))
    page = list_of.page(ask)
    count = None if domain else list_of.count(ask)
    return listed(request, page, [_document(request, link) for link in page.items], count=count)


@edge.route("GET", "/redirections/{shortId}.qr", answers=IMAGES, query=DRAWN)
@edge.route("GET", "/{shortId}.qr", answers=IMAGES, query=DRAWN)
def draw(request: Request) -> Answer:
    """The QR code in the format that Accept prefers."""
    return _draw(request, MEDIA[preferred(request.event, *MEDIA) or "image/png"], vary=True)


@edge.route("GET", "/redirections/{shortId}.png", answers=TYPE_OF["png"], query=DRAWN)
@edge.route("GET", "/{shortId}.png", answers=TYPE_OF["png"], query=DRAWN)
def draw_png(request: Request) -> Answer:
    return _draw(request, "png")


@edge.route("GET", "/redirections/{shortId}.svg", answers=TYPE_OF["svg"], query=DRAWN)
@edge.route("GET", "/{shortId}.svg", answers=TYPE_OF["svg"], query=DRAWN)
def draw_svg(request: Request) -> Answer:
    return _draw(request, "svg")


@edge.route("GET", "/redirections/{shortId}.pdf", answers=TYPE_OF["pdf"], query=DRAWN)
@edge.route("GET", "/{shortId}.pdf", answers=TYPE_OF["pdf"], query=DRAWN)
def draw_pdf(request: Request) -> Answer:
    return _draw(request, "pdf")


@edge.route(
    "GET", "/redirections/{shortId}", verb="read", of="redirections", query=NAMED, answers=Redirection, versioned=True
)
def read_redirection(request: Request) -> Answer:
    link = _links(request).read(link_domain_of(request), request.parameters["shortId"])
    return _shown(request, link)


@edge.route(
    "PUT",
    "/redirections/{shortId}",
    verb="update",
    of="redirections",
    query=NAMED,
    body=SentRedirection,
    answers=Redirection,
    versioned=True,
)
def update_redirection(request: Request) -> Answer:
    sent = request.read(SentRedirection)
    link = _links(request).update(link_domain_of(request), request.parameters["shortId"], sent)
    return _shown(request, link)


@edge.route(
    "DELETE", "/redirections/{shortId}", verb="delete", of="redirections", query=NAMED, answers=None, versioned=True
)
def delete_redirection(request: Request) -> Answer:
    _links(request).delete(link_domain_of(request), request.parameters["shortId"])
    return no_content()


def _alias(plural: str, type_: ResourceType) -> None:
    """`/thngs/{id}/redirector`: the oldest redirection of a thing, always as JSON, whatever Accept says."""
    parameter = f"{type_}Id"
    template = f"/{plural}/{{{parameter}}}/redirector"

    @edge.route("GET", template, verb="read", of="redirections", answers=Redirection, versioned=True)
    def read_oldest(request: Request) -> Answer:
        return _shown(request, _oldest(request))

    @edge.route(
        "POST",
        template,
        verb="create",
        of="redirections",
        body=NewRedirection,
        answers=Redirection,
        status=201,
        query=NAMED,
        versioned=True,
    )
    def add(request: Request) -> Answer:
        """One more, beside those that there are."""
        sent = request.read(NewRedirection)
        resource_id = request.parameters[parameter]
        if sent.evrythngId not in (None, resource_id):
            raise Invalid(f"evrythngId: is {sent.evrythngId}, but the address says {resource_id}")
        wanted = sent.model_copy(update={"evrythngId": resource_id, "type": sent.type or type_})
        links = _links(request)
        links.check_thing(resource_id, type_)
        link = links.create(wanted, link_domain_of(request))
        address = wiring.settings().short_url(link.domain, link.short_id)
        return created(_document(request, link), address, version=link.tag)

    @edge.route(
        "PUT",
        template,
        verb="update",
        of="redirections",
        body=SentRedirection,
        answers=Redirection,
        status=201,
        versioned=True,
    )
    def update_oldest(request: Request) -> Answer:
        """201, as the platform answers here."""
        sent, oldest = request.read(SentRedirection), _oldest(request)
        link = _links(request).update(oldest.domain, oldest.short_id, sent)
        return _shown(request, link, status=201)

    @edge.route("DELETE", template, verb="delete", of="redirections", answers=None, versioned=True)
    def delete_oldest(request: Request) -> Answer:
        oldest = _oldest(request)
        _links(request).delete(oldest.domain, oldest.short_id)
        return no_content()

    def _oldest(request: Request) -> Link:
        return _links(request).oldest(request.parameters[parameter], type_)


for plural, type_ in ALIASED.items():
    _alias(plural, type_)


def _draw(request: Request, format_: qr.Format, *, vary: bool = False) -> Answer:
    width = qr.check_size(request.query.get("w", "95"), field="w")
    height = qr.check_size(request.query.get("h", "95"), field="h")
    domain = link_domain_of(request)
    link = find_link(wiring.tables().main.get, domain, request.parameters["shortId"])
    if link.deleted_at is not None:
        raise Gone(f"The link {link.name} was deleted")
    address = wiring.settings().short_url(link.domain, link.short_id)
    tag = qr.qr_etag(address, width=width, height=height, format=format_)
    headers = {"etag": tag, "cache-control": QR_CACHE}
    if vary:
        headers["vary"] = "accept"
    seen = {each.strip().removeprefix("W/") for each in request.header("if-none-match").split(",")}
    if not seen.isdisjoint({tag, "*"}):
        return Answer(status=304, headers=headers)
    image = _drawn(address, format_, width, height)
    return Answer(content=image, content_type=TYPE_OF[format_], headers=headers)


def _drawn(address: str, format_: qr.Format, width: int, height: int) -> bytes:
    return drawing(wiring.drawings(), address, format=format_, width=width, height=height)


def _links(request: Request) -> Links:
    return Links(wiring.tables(), request.caller)


def _shown(request: Request, link: Link, *, status: int = 200) -> Answer:
    return Answer(status=status, document=_document(request, link), version=link.tag)


def _document(request: Request, link: Link, hits: int | None = None) -> dict[str, object]:
    if hits is None:
        hits = Hits(request.caller.tables).total(link.domain, link.short_id)
    return redirection_document(link, hits, wiring.settings().api_url, request.caller.at)
