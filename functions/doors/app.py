"""Pages of rooms for whoever stands at the door: what is on, what can be done; and a display that follows."""

import re
import secrets
from typing import Any
from urllib.parse import urlsplit

from fingerpost import wiring
from fingerpost.access.model import Principal
from fingerpost.dialect import Dialect
from fingerpost.edge import Answer, Edge, Request
from fingerpost.errors import FingerpostError, Forbidden, NotFound, Unauthenticated
from fingerpost.http import Event, header
from fingerpost.ports.table import Tables
from fingerpost.redirection.qr import qr_svg
from fingerpost.rooms.doors import pages, tickets
from fingerpost.rooms.doors.documents import FORM, SentAtDoor, read
from fingerpost.rooms.doors.service import SETTING, Door, NoSuchDoor, Sent, Visitor
from fingerpost.rooms.doors.tickets import Holder

HTML = "text/html"
COOKIE = "fingerpost-door"
_COOKIE = re.compile(r"[A-Za-z0-9_-]{22}")
YEAR_SECONDS = 31_536_000
CODE_PX = 240


def who(_tables: Tables, _event: Event, _at: int) -> Principal:
    raise Unauthenticated("Nobody logs in here")


def refuse(error: FingerpostError, _event: Event) -> tuple[int, Any]:
    return error.status, pages.refused_page(str(error), error.status)


edge = Edge(
    "doors",
    Dialect(
        who=who,
        refuse=refuse,
        refusal=HTML,
        scheme=("door", {"type": "apiKey", "in": "cookie", "name": COOKIE}),
        mounts=("/door/{path+}",),
    ),
)
handler = edge.handler


@edge.route("GET", "/door/{roomId}", answers=HTML, query=("said",))
def show_room(request: Request) -> Answer:
    """A room as it stands now, and what can be done there."""
    return _page(request, said=request.query.get("said", ""))


@edge.route("GET", "/door/{roomId}/book", answers=HTML)
def show_booking_form(request: Request) -> Answer:
    """Where a scan leads while the room can be had."""
    return _page(request, only="book")


@edge.route("GET", "/door/{roomId}/check-in", answers=HTML)
def show_check_in_form(request: Request) -> Answer:
    """Where a scan leads while somebody is awaited."""
    return _page(request, only="check-in")


@edge.route("GET", "/door/{roomId}/display", answers=HTML, query=("said",))
def show_display(request: Request) -> Answer:
    """The same for a display beside the door, which changes with the room."""
    return _page(request, said=request.query.get("said", ""), on_display=True)


@edge.route("POST", "/door/{roomId}/book", body=SentAtDoor, reads=FORM, answers=None, status=303)
def book_room(request: Request) -> Answer:
    """Have the room from now on. Forms carry the ticket of the page that they are on."""
    return _done(request, "book")


@edge.route("POST", "/door/{roomId}/check-in", body=SentAtDoor, reads=FORM, answers=None, status=303)
def check_in_to_room(request: Request) -> Answer:
    return _done(request, "check-in")


@edge.route("POST", "/door/{roomId}/extend", body=SentAtDoor, reads=FORM, answers=None, status=303)
def extend_meeting(request: Request) -> Answer:
    return _done(request, "extend")


@edge.route("POST", "/door/{roomId}/end", body=SentAtDoor, reads=FORM, answers=None, status=303)
def end_meeting(request: Request) -> Answer:
    return _done(request, "end")


@edge.route("POST", "/door/{roomId}/report", body=SentAtDoor, reads=FORM, answers=None, status=303)
def report_equipment_at_door(request: Request) -> Answer:
    """Say that a piece of equipment is broken."""
    return _done(request, "report")


def _page(
    request: Request,
    *,
    status: int = 200,
    on_display: bool = False,
    sent: SentAtDoor | None = None,
    door: Door | None = None,
    **more: Any,
) -> Answer:
    door = door or _door(request)
    browser = _browser(request.event)
    fresh = browser or secrets.token_urlsafe(16)
    roots, at = wiring.root_secrets(), request.caller.at
    account, room = door.tables.account, door.room.id
    frame = pages.Frame(
        path=_path(room),
        ticket=tickets.issued(roots, Holder("form", account, room, fresh), at, secrets.token_urlsafe(12)),
        pins=frozenset(deed for deed in SETTING if door.asks_pin(deed)),
        values={"title": sent.title, "name": sent.name} if sent else None,
        **more,
    )
    view = door.look(_visitor(request, fresh))
    live = ""
    if on_display:
        settings = wiring.settings()
        ticket = tickets.issued(roots, Holder("display", account, room), at, secrets.token_urlsafe(12))
        live = f"{settings.live_url}?door={room}.{ticket}"
        code = qr_svg(settings.short_url(*(door.room.short or ("", ""))), width=CODE_PX, height=CODE_PX).decode()
        page = pages.display_page(view, frame, code=code[code.index("<svg") :], live=live)
    else:
        page = pages.room_page(view, frame)
    headers = pages.headers(live)
    if browser is None:
        secure = "; Secure" if wiring.settings().api_url.startswith("https:") else ""
        headers["set-cookie"] = f"{COOKIE}={fresh}; Path=/door/; Max-Age={YEAR_SECONDS}; HttpOnly; SameSite=Lax{secure}"
    return Answer(status=status, content=page.encode(), content_type=f"{HTML}; charset=utf-8", headers=headers)


def _done(request: Request, deed: str) -> Answer:
    """Do it and lead back to the page; what is refused is said there."""
    door, sent = _door(request), None
    try:
        _check_origin(request.event)
        sent = read(request.event)
        browser, roots = _browser(request.event) or "", wiring.root_secrets()
        holder = Holder("form", door.tables.account, door.room.id, browser)
        nonce = tickets.check(roots, sent.ticket, holder, request.caller.at)
        asked = Sent(
            minutes=sent.minutes,
            title=sent.title,
            name=sent.name,
            pin=sent.pin,
            booking=sent.booking,
            equipment=sent.equipment,
        )
        door.do(deed, asked, _visitor(request, browser), roots, nonce)
    except NoSuchDoor:
        raise
    except FingerpostError as error:
        if error.status >= 500:
            raise
        on_display = sent is not None and sent.from_ == "display"
        answer = _page(request, door=door, status=error.status, wrong=_words(error), sent=sent, on_display=on_display)
        return Answer(
            status=answer.status,
            content=answer.content,
            content_type=answer.content_type,
            headers={**error.headers, **(answer.headers or {})},
        )
    where = "/display" if sent.from_ == "display" else ""
    return Answer(
        status=303, headers={"location": f"{_path(door.room.id)}{where}?said={deed}", "cache-control": "no-store"}
    )


def _words(error: FingerpostError) -> str:
    """What went wrong, for somebody at a door."""
    if isinstance(error, NotFound):
        return "That meeting is not there any more"
    return str(error)


def _door(request: Request) -> Door:
    return Door.of(wiring.tables(), wiring.clock, request.parameters["roomId"])


def _visitor(request: Request, browser: str) -> Visitor:
    return Visitor(browser=browser, address=request.caller.address, cause=request.caller.cause)


def _path(room: str) -> str:
    return f"/door/{room}"


def _browser(event: Event) -> str | None:
    """The name that a page of ours gave to the browser."""
    for each in event.get("cookies") or ():
        name, _, value = str(each).partition("=")
        if name == COOKIE and _COOKIE.fullmatch(value):
            return value
    return None


def _check_origin(event: Event) -> None:
    """Raises Forbidden for a form on another site's page. Pages without TLS tell their origin alone."""
    origin, site = header(event, "origin"), header(event, "sec-fetch-site")
    own = (header(event, "host"), urlsplit(wiring.settings().api_url).netloc)
    if site not in ("", "same-origin", "none") or (origin and not site and urlsplit(origin).netloc not in own):
        raise Forbidden("A form of another site cannot be used here; this is the page of the room")
