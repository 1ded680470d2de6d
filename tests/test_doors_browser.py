"""The pages of doors in Chromium, over a running server: a phone without scripts, a display that follows the room."""

import json
import re
import statistics
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import PHONE, TABLET, Page, browser, needs_chromium
from tests.running import Server, running

pytestmark = needs_chromium
SMALLEST = (320, 640)
MINUTE = 60_000
# Of everything that shows words: how much they stand out from what is behind them. Source: WCAG 2.2, 1.4.3.
CONTRASTS = """
(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = colour.map((each) => (each /= 255) <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const [r, g, b, a = 1] = rgb(getComputedStyle(element).backgroundColor);
    if (a === 1) return [r, g, b];
    const under = element.parentElement ? behind(element.parentElement) : [255, 255, 255];
    return [r, g, b].map((each, place) => each * a + under[place] * (1 - a));
  };
  const worded = [...document.querySelectorAll("body *")].filter((each) =>
    each.checkVisibility() && [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return worded.map((each) => {
    const [a, b] = [light(rgb(getComputedStyle(each).color).slice(0, 3)), light(behind(each))].sort((x, y) => y - x);
    return [each.textContent.trim().slice(0, 40), (a + 0.05) / (b + 0.05)];
  });
})()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("doors")) as each:
        yield each


@pytest.fixture(scope="module")
def new() -> Iterator[Callable[..., Page]]:
    with browser() as opened:
        yield opened


@pytest.fixture
def room(server: Server) -> Any:
    """A room of its own, which can be had at any time."""
    sent = {
        "name": "Pier Room",
        "capacity": 6,
        "number": "2.07",
        "equipment": {"display": True, "wifi": True, "ac": False},
    }
    return server.ask("/rooms", sent)


def book(server: Server, room: Any, starts: int, minutes: int, **more: Any) -> Any:
    """`starts` is in minutes from now."""
    start = int(time.time() * 1_000) + starts * MINUTE
    return server.ask(f"/rooms/{room['id']}/bookings", {"start": start, "end": start + minutes * MINUTE, **more})


def joan(server: Server) -> Callable[[str, dict[str, Any]], Any]:
    """Sends to Joan's API."""
    demo = json.loads((server.home / ".fingerpost" / "demo.json").read_text())["joan"]
    fields = {"grant_type": "client_credentials", "client_id": demo["clientId"], "client_secret": demo["clientSecret"]}
    request = urllib.request.Request(f"{server.api}/api/token/", urllib.parse.urlencode(fields).encode())
    with urllib.request.urlopen(request) as answer:
        token = json.load(answer)["access_token"]
    return lambda path, sent: server.ask(f"/api/v1.0/{path}", sent, key=f"Bearer {token}")


def arrive(page: Page, said: str) -> None:
    """At the page that a form leads back to."""
    page.wait(f"location.search === '?said={said}' && document.readyState === 'complete'")


def check_looks(page: Page) -> None:
    """Words stand out, in light and in dark, and nothing is wider than the screen."""
    for scheme in ("light", "dark"):
        page.scheme(scheme)
        for words, contrast in page.evaluate(CONTRASTS):
            assert contrast >= 4.5, f"{words!r} in {scheme}: {contrast:.1f}"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.text
    page.scheme("light")


def test_a_scan_leads_to_the_page_and_the_keyboard_alone_books_without_a_script(server, new, room, tmp_path):
    page: Page = new(PHONE)
    page.without_scripts()
    page.open(room["shortUrl"])
    assert page.path.startswith(f"/door/{room['id']}")
    page.open(f"{server.api}/door/{room['id']}")
    check_looks(page)
    walked = []
    for _ in range(7):
        page.press("Tab")
        walked.append(page.focused)
    assert walked[:2] == ["What for? (optional)", "Your name (optional)"]
    assert [re.sub(r"\d\d:\d\d", "…", each) for each in walked[2:5]] == [f"{n} min until …" for n in (15, 30, 60)]
    assert walked[5:] == ["Report broken equipment", "Show it on a display"]
    page.open(f"{server.api}/door/{room['id']}")
    page.press("Tab")
    page.type("Harbour walk")
    page.press("Tab", 3)
    page.press("Enter")
    arrive(page, "book")
    assert "The room is yours." in page.text and "Harbour walk" in page.text
    page.picture(tmp_path / "booked.png")
    check_looks(page)
    page.press("Tab", 2)
    assert page.focused.startswith("30 min longer")
    page.press("Enter")
    arrive(page, "extend")
    page.press("Tab", 3)
    assert page.focused == "End it now"
    page.press("Enter")
    arrive(page, "end")
    assert "The meeting is over, the room is free." in page.text


def test_a_screen_reader_is_told_what_is_what(server, new, room):
    page: Page = new(PHONE)
    book(server, room, 40, 30)
    page.open(f"{server.api}/door/{room['id']}?said=end")
    roles = page.roles()
    for role, name in (
        ("heading", "Pier Room"), ("status", ""), ("region", "Now"), ("region", "Book it now"),
        ("textbox", "What for? (optional)"), ("group", "For how long?"), ("region", "Next"), ("list", ""),
        ("DisclosureTriangle", "Report broken equipment"), ("banner", ""), ("main", ""), ("contentinfo", ""),
    ):  # fmt: skip
        assert (role, name) in roles, f"{role} {name!r} is missing: {roles}"
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.evaluate("document.querySelectorAll('h1').length") == 1
    assert not [name for role, name in roles if role in ("button", "link", "textbox", "combobox") and not name]


def test_equipment_is_reported_with_the_keyboard(server, new, room):
    page: Page = new(PHONE)
    page.without_scripts()
    page.open(f"{server.api}/door/{room['id']}")
    page.press("Tab", 6)
    page.press("Enter")  # opens it
    page.press("Tab")
    assert page.focused.startswith("What is broken?")
    page.press("ArrowDown")
    page.press("Tab")
    page.press("Enter")
    arrive(page, "report")
    assert "it is reported as broken" in page.text
    assert False in server.ask(f"/rooms/{room['id']}")["equipment"].values()


@pytest.mark.parametrize("state", ["free", "soon", "checkin", "booked", "unavailable"])
@pytest.mark.parametrize("size", [SMALLEST, PHONE, TABLET])
def test_every_state_can_be_read_at_every_size(server, new, room, state, size, tmp_path):
    path = f"/rooms/{room['id']}"
    match state:
        case "soon":
            book(server, room, 12, 60)
        case "checkin":
            server.ask(path, {"checkIn": {"opensBefore": 10, "grace": 10}}, method="PUT")
            book(server, room, 5, 60, title="A meeting with a title that is rather long for a door")
            server.ask(path, {"showTitles": True}, method="PUT")
        case "booked":
            book(server, room, -5, 60)
            book(server, room, 60, 60)
        case "unavailable":
            server.ask(path, {"active": False}, method="PUT")
    page: Page = new(size)
    for where in ("", "/display"):
        page.open(f"{server.api}/door/{room['id']}{where}")
        assert page.evaluate(f"document.body.classList.contains('{state}')"), page.text
        check_looks(page)
        page.picture(tmp_path / f"{state}-{size[0]}{where.replace('/', '-')}.png")


def test_a_booking_through_joan_shows_on_the_display_without_a_reload(server, new, room, record_property):
    page: Page = new(TABLET)
    page.open(f"{server.api}/door/{room['id']}/display")
    page.wait("socket.readyState === WebSocket.OPEN && !reading")
    page.evaluate("window.marked = true")
    assert "Free" in page.text
    ask, delays = joan(server), []
    for _ in range(5):
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3_600))
        event = ask("events/book/", {"source": room["email"], "start": start, "end": end, "title": "Board"})
        delays.append(page.wait("document.body.classList.contains('booked')"))
        assert "Booked until" in page.evaluate("document.getElementById('said').textContent")
        ask("events/cancel/", {"event_id": event["id"], "room_id": room["email"], "timezone": "UTC"})
        page.wait("document.body.classList.contains('free')")
    assert page.evaluate("window.marked") is True
    record_property("seconds", delays)
    print(*(f"{each:.3f}" for each in delays))
    print(f"from Joan's answer to the display: {statistics.median(delays):.3f} s, at most {max(delays):.3f} s")


def test_a_display_follows_its_room_after_something_was_refused_too(server, new, room):
    page: Page = new(TABLET)
    page.open(f"{server.api}/door/{room['id']}/display")
    assert ("image", "QR code of this room") in page.roles()
    submitted = "ticket.value = ''; ticket.form.requestSubmit(ticket.form.querySelector('button'))"
    page.evaluate(f"{{ const ticket = document.querySelector('[name=ticket]'); {submitted} }}")  # before it is reread
    page.wait("document.readyState === 'complete' && document.querySelector('.alert') !== null")
    assert "here it is anew" in page.text and not page.path.endswith("/display")
    book(server, room, -5, 30)
    page.wait("document.body.classList.contains('booked')")
    assert "here it is anew" not in page.text


def test_a_display_books_by_touch_and_says_when_it_is_cut_off(server, new, room):
    page: Page = new(TABLET)
    page.open(f"{server.api}/door/{room['id']}/display")
    page.wait("socket.readyState === WebSocket.OPEN && !reading")
    page.press("Tab", 2)
    assert page.focused.startswith("Book 30 min")
    book(server, room, 120, 30)
    page.wait("document.querySelector('.headline').textContent.startsWith('Free until')")
    assert page.focused.startswith("Book 30 min")  # also in what is new
    page.press("Enter")
    arrive(page, "book")
    page.wait("document.body.classList.contains('booked')")
    page.wait("socket.readyState === WebSocket.OPEN && !reading")  # it was read anew
    assert "The room is yours." in page.text
    page.evaluate("forget()")
    assert "The room is yours." not in page.text
    page.cut_off()
    page.evaluate("read()")
    page.wait("'lost' in document.body.dataset")
    assert "What is shown may be out of date." in page.text
    assert Path(page.path.partition("?")[0]).name == "display"


def test_a_display_whose_network_goes_silent_says_so_and_listens_anew_when_it_is_back(server, new, room):
    page: Page = new(TABLET)
    page.open(f"{server.api}/door/{room['id']}/display")
    page.wait("socket.readyState === WebSocket.OPEN && !reading")
    page.evaluate("window.before = socket, window.timeout = AbortSignal.timeout.bind(AbortSignal)")
    page.evaluate("AbortSignal.timeout = () => timeout(100)")
    page.silence(on=True)
    page.evaluate("void read()")
    page.wait("'lost' in document.body.dataset")
    page.silence(on=False)
    page.wait("!('lost' in document.body.dataset) && socket !== before && socket.readyState === WebSocket.OPEN")
    book(server, room, -5, 30)
    page.wait("document.body.classList.contains('booked')")
