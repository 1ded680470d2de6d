"""The ROOM service: meetings of a hub and their live rooms, for clients of that product, on the one booking core."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from fingerpost import wiring
from fingerpost.access.model import Principal, Verb
from fingerpost.dialect import Dialect
from fingerpost.edge import Answer, Edge, Request
from fingerpost.errors import FingerpostError, Forbidden, Invalid, NotFound
from fingerpost.http import Event, Reply, accepts, body_bytes, header
from fingerpost.ids import new_id
from fingerpost.ports.table import Tables
from fingerpost.redirection import qr
from fingerpost.rooms import hubs
from fingerpost.rooms.bookings import Bookings
from fingerpost.rooms.hub import links, pages
from fingerpost.rooms.hub.answers import HubRefusal, HubSaidWelcome
from fingerpost.rooms.hub.asking import Asked, ack_of, asked, canonical
from fingerpost.rooms.hub.calls import Call
from fingerpost.rooms.hub.parameters import body_of
from fingerpost.rooms.hub.services import BY_NAME, SERVICES, Service
from fingerpost.rooms.hub.sessions import (
    GUEST,
    NUMBERS,
    HubPrincipal,
    Session,
    cookie,
    guest_key,
    principal_of,
    session_of,
    session_or_none,
)
from fingerpost.rooms.hub.words import UserError, envelope, refusal
from fingerpost.rooms.hubs import Privilege
from fingerpost.rooms.page_headers import page_headers

FORM = "application/x-www-form-urlencoded"
HTML = "text/html"
REFUSED = (HubRefusal, HTML)  # for who asks for a page
HEADERS = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
VERBS: dict[Privilege, Verb] = {"read": "read", "write": "update", "admin": "create", "owner": "delete"}
QR_PX = "400"
MAX_NAME = 200


def who(tables: Tables, event: Event, at: int) -> Principal:
    """Raises Unauthenticated; Forbidden for who may not ask the service, and for a guest whom it is too much for."""
    session = session_of(tables, wiring.root_secrets(), hubs.key_of(event), at)
    service = BY_NAME.get(ack_of(event))
    wanted = service.privilege if service else None
    if wanted is not None and not session.may(wanted):
        raise Forbidden(f"This takes the privilege {wanted}")
    if session.is_guest and service is not None and not service.guests:
        raise Forbidden("Guests are let in to the live room of their meeting alone")
    return principal_of(session)


def refuse(error: FingerpostError, event: Event) -> tuple[int, Any]:
    return refusal(error, ack_of(event), wiring.clock())


edge = Edge(
    "hub",
    Dialect(
        who=who,
        refuse=refuse,
        refusal=HubRefusal,
        scheme=("hub", {"type": "apiKey", "in": "cookie", "name": hubs.COOKIE}),
        mounts=("/-/{path+}",),
    ),
)


def handler(event: Event, context: object = None) -> Reply:
    """Whatever stands between `/-/` and `svc/` is the client's own business."""
    return edge.handler({**event, "rawPath": canonical(event["rawPath"])}, context)


def _register(service: Service) -> None:
    path = f"/-/svc/room.{service.name}"

    def answer(request: Request) -> Answer:
        return _hello(request) if service.name == "hello" else _said(request, service.run(_call(request)))

    answer.__name__, answer.__doc__ = f"room_{service.name}", service.run.__doc__
    needs: dict[str, Any] = {}
    if service.privilege is not None:
        needs = {"verb": VERBS[service.privilege], "of": "hub", "keeps": service.name != "public_link"}
    rest = tuple(each for each in service.parameters if each not in service.needs)
    body = body_of(service.name, service.needs, rest)
    edge.route("POST", path, body=body, answers=service.answers, **needs)(answer)
    query = tuple(f"{each}:hub" for each in service.parameters)
    edge.route("GET", path, answers=service.answers, query=query, **needs)(answer)


for each in SERVICES:
    _register(each)


@edge.route("GET", links.PATH + "/{link}", answers=(HubSaidWelcome, HTML), also={404: REFUSED})
def open_link(request: Request) -> Answer:
    """What a public link leads to: a page, or JSON for who does not ask for HTML. The cookie is the guest's session."""
    return _opened(request, Asked({}))


@edge.route(
    "POST", links.PATH + "/{link}", body=None, answers=(HubSaidWelcome, HTML), also={403: REFUSED, 404: REFUSED}
)
def enter_link(request: Request) -> Answer:
    """Open a link with its password, and say how one is called: a form or JSON."""
    return _opened(request, _sent(request.event))


@edge.route("GET", links.PATH + "/{link}/qr", answers=("image/svg+xml", "image/png"), query=("w", "h"))
def draw_link(request: Request) -> Answer:
    """The link as a QR code: PNG where Accept names it, else SVG."""
    links.check(wiring.tables(), request.parameters["link"])
    width, height = (qr.check_size(request.query.get(each, QR_PX), field=each) for each in ("w", "h"))
    address = f"{wiring.settings().api_url}{links.PATH}/{request.parameters['link']}"
    if accepts(request.event, "image/png"):
        return Answer(content=qr.qr_png(address, width=width, height=height), content_type="image/png", headers=HEADERS)
    svg = qr.qr_svg(address, width=width, height=height)
    return Answer(content=svg, content_type="image/svg+xml", headers=HEADERS)


def _opened(request: Request, sent: Asked) -> Answer:
    page = accepts(request.event, HTML)
    known = hubs.key_of(request.event)
    before = _session(request)
    name = sent.text("name", most=MAX_NAME).strip() or (before.name if before and before.is_guest else "")
    try:
        found = links.opened(
            wiring.tables(),
            wiring.root_secrets(),
            lambda tables: Bookings(tables, wiring.clock),
            request.parameters["link"],
            request.caller.at,
            password=sent.text("password", most=links.MAX_PASSWORD),
            name=name,
            guest=before.id if before and known.startswith(GUEST) else "",
        )
    except NotFound:
        if page:
            return _page(pages.closed(), 404)
        raise
    except links.Locked:
        if page:
            return _page(pages.locked(wrong=False))
        raise
    except UserError as error:
        if page:
            return _page(pages.locked(wrong=True), error.as_status)
        raise
    session = {"set-cookie": _cookie(found.key)}
    if page:
        return _page(pages.welcome(found.node, found.when, name=name), headers=session)
    document = {
        "regsid": found.key,
        "hub_id": found.hub,
        "room_id": found.nid,
        "permission": NUMBERS[found.privilege],
        "meeting": found.node,
    }
    return _said(request, document, session)


def _hello(request: Request) -> Answer:
    """A member has a name already; a guest's session goes on under the new one."""
    name, session = asked(request.event).name("name").strip(), _session(request)
    if session is not None and not session.is_guest:
        return _said(request, {})
    guest = session.id if session else f"{GUEST}{new_id(request.caller.at)}"
    link = session.key if session else ""
    key = guest_key(wiring.root_secrets(), guest, name[:MAX_NAME], request.caller.at, link=link)
    return _said(request, {}, {"set-cookie": _cookie(key)})


def _call(request: Request) -> Call:
    known = request.principal.session if isinstance(request.principal, HubPrincipal) else _session(request)
    if known is None:
        account, principal = "", request.principal
    else:
        account, principal = known.account, principal_of(known)
    caller = replace(request.caller, principal=principal, tables=wiring.tables().of(account))
    return Call(
        caller=caller,
        tables=wiring.tables(),
        clock=wiring.clock,
        asked=asked(request.event),
        known=known,
        key=(request.header("idempotency-key") or None) if request.method == "POST" else None,
    )


def _session(request: Request) -> Session | None:
    return session_or_none(wiring.tables(), wiring.root_secrets(), request.event, request.caller.at)


def _said(request: Request, content: Any, headers: dict[str, str] | None = None) -> Answer:
    document = envelope(ack_of(request.event), request.caller.at, content)
    return Answer(document=document, headers={"cache-control": "no-store", **(headers or {})})


def _page(html: str, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    content_type = f"{HTML}; charset=utf-8"
    own = page_headers(pages.STYLE, referrer=HEADERS["referrer-policy"])
    return Answer(status=status, content=html.encode(), content_type=content_type, headers={**own, **(headers or {})})


def _sent(event: Event) -> Asked:
    """A form, or what a service reads. Raises Invalid, UnsupportedMedia, TooLarge."""
    if header(event, "content-type").partition(";")[0].strip().lower() != FORM:
        return asked(event)
    try:
        text = body_bytes(event).decode()
        return Asked(dict(parse_qsl(text, keep_blank_values=True, max_num_fields=20)))
    except ValueError as error:
        raise Invalid("The form could not be read as it was sent") from error


def _cookie(key: str) -> str:
    return cookie(key, secure=wiring.settings().api_url.startswith("https:"))
