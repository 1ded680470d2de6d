"""The pages of a door as HTML: for a phone, and for a display beside it. Pure.

They work without a script; a display has one, by which it follows the room. Nothing is loaded from anywhere else, and
the policy that goes out with them says so to the browser.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from ..page_headers import page_headers, source_of
from .view import Choice, Meeting, View

HERE = Path(__file__).parent
STYLE = HERE.joinpath("door.css").read_text(encoding="utf-8")
SCRIPT = HERE.joinpath("display.js").read_text(encoding="utf-8")
SAID: Mapping[str, str] = {
    "book": "The room is yours.",
    "check-in": "You are checked in.",
    "extend": "The meeting is longer now.",
    "end": "The meeting is over, the room is free.",
    "report": "Thank you, it is reported as broken.",
}
NOTHING: Mapping[str, str] = {
    "book": "The room cannot be booked just now.",
    "check-in": "Nobody is awaited just now.",
}
LOOK_MS = 300_000  # how often a display looks by itself
SOON_MS = 60_000  # the same while minutes are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a page has beside the room: where it is, its ticket, which deeds ask for a PIN, what it has to say."""

    path: str  # such as `/door/U2Ew…`
    ticket: str
    pins: Collection[str] = ()
    said: str = ""  # a deed that was done
    wrong: str = ""  # why one was not
    only: str = ""  # the deed that the page is for, where it is for one alone
    values: Mapping[str, str] | None = None  # what was sent, so that nobody types it again


def headers(live_url: str = "") -> dict[str, str]:
    """Of every page; `live_url` is where its script may connect."""
    more = [f"script-src {source_of(SCRIPT)}", f"connect-src 'self' {live_url.partition('?')[0]}"] if live_url else []
    return page_headers(STYLE, *more, referrer="same-origin")


def room_page(view: View, frame: Frame) -> str:
    """For somebody with a phone: what is now, what can be done, what is next."""
    offered = [each for each in (_book(view, frame), _check_in(view, frame), _running(view, frame)) if each]
    rest = [_later(view), _equipment(view, frame)]
    other = f'<a href="{frame.path}/display">Show it on a display</a>'
    if frame.only:
        form = {"book": _book, "check-in": _check_in}[frame.only](view, frame)
        offered, rest = [form or f"<p>{NOTHING[frame.only]}</p>"], []
        other = f'<a href="{frame.path}">All about this room</a>'
    body = f"""<header>
<h1 dir="auto">{escape(view.room.name)}</h1>
<p class="quiet">{escape(_facts(view))}</p>
</header>
<main>
{_notices(frame)}
<section class="state" aria-label="Now">
<p class="headline">{escape(view.headline)}</p>
{_now(view)}<p>{escape(view.detail)}</p>
</section>
{_lines([*offered, *rest])}
</main>
<footer class="quiet"><p>{view.clock} on {view.date}, {escape(view.room.zone)}</p><p>{other}</p></footer>"""
    return _page(f"{view.room.name}: {view.headline}", view.status, body)


def display_page(view: View, frame: Frame, *, code: str, live: str) -> str:
    """For a display at the door: to be read from afar. `code` is the SVG of the room's code."""
    again = LOOK_MS if view.changes_at is None else min(LOOK_MS, view.changes_at - view.at + 50)
    again = min(again, SOON_MS) if view.status == "soon" else again
    code = code.replace("<svg", '<svg role="img" aria-label="QR code of this room"', 1)
    body = f"""<p id="said" class="unseen" role="status"></p>
<main>
<div class="top">
<div><h1 dir="auto">{escape(view.room.name)}</h1><p>{escape(_facts(view))}</p></div>
<div class="day"><p class="clock" data-zone="{escape(view.room.zone)}">{view.clock}</p><p>{view.date}</p></div>
</div>
{_notices(frame)}
<section class="middle" aria-label="Now">
<p class="headline">{escape(view.headline)}</p>
{_now(view)}<p class="detail">{escape(view.detail)}</p>
{_acts(view, frame)}
</section>
<div class="bottom">
{_later(view, most=3)}
<div class="code"><p>Scan to book,<br>check in or report</p>{code}</div>
</div>
<p class="lost" role="alert">No connection. What is shown may be out of date.</p>
</main>
<script>{SCRIPT}</script>"""
    more = f' data-here="{frame.path}/display" data-again="{again}" data-live="{escape(live)}"'
    head = f'<noscript><meta http-equiv="refresh" content="30;url={frame.path}/display"></noscript>'
    return _page(f"{view.room.name}: {view.headline}", f"display {view.status}", body, more=more, head=head)


def refused_page(message: str, status: int) -> str:
    """Where there is no room to show."""
    title = "There is no such room" if status == 404 else "That did not work"
    body = f'<main><h1>{title}</h1><p role="alert" class="alert">{escape(message)}</p></main>'
    return _page(title, "unavailable", body)


def _page(title: str, kind: str, body: str, *, more: str = "", head: str = "") -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
{head}<style>{STYLE}</style>
</head>
<body class="{kind}"{more}>
{body}
</body>
</html>
"""


def _facts(view: View) -> str:
    room = view.room
    seats = f"{room.capacity} seat{'s' if room.capacity != 1 else ''}" if room.capacity else ""
    return " · ".join(part for part in (f"Room {room.number}" if room.number else "", seats) if part)


def _now(view: View) -> str:
    if view.now is None or not _named(view.now):
        return ""
    return f'<p class="now" dir="auto">{escape(_named(view.now))}</p>\n'


def _named(meeting: Meeting) -> str:
    """Nothing where the room keeps what its meetings are about."""
    title = "" if meeting.title == "Booked" else meeting.title
    return ", ".join(part for part in (title, meeting.whose) if part)


def _notices(frame: Frame) -> str:
    if frame.wrong:
        return f'<p class="alert" role="alert">{escape(frame.wrong)}</p>'
    return f'<p class="notice" role="status">{SAID[frame.said]}</p>' if frame.said in SAID else ""


def _book(view: View, frame: Frame) -> str:
    if not view.lengths:
        return ""
    asks = "Bookings of this room wait for approval: yours holds it until then." if view.room.approval else ""
    fields = _text("title", "What for?", "book-title", frame)
    fields += _pin("book", frame) or _text("name", "Your name", "book-name", frame)
    return f"""<section class="book" aria-labelledby="book">
<h2 id="book">Book it now</h2>
<p class="quiet">{asks}</p>
{_form("book", frame)}{fields}
<fieldset><legend>For how long?</legend><div class="buttons">{_buttons(view.lengths, "min")}</div></fieldset></form>
</section>"""


def _check_in(view: View, frame: Frame) -> str:
    if view.now is None or not view.now.waits:
        return ""
    return f"""<section aria-labelledby="check-in">
<h2 id="check-in">Is this your meeting, {escape(view.now.when)}?</h2>
{_form("check-in", frame, view.now)}{_pin("check-in", frame)}<button class="wide">Check in</button></form>
</section>"""


def _running(view: View, frame: Frame) -> str:
    if view.now is None or not view.running:
        return ""
    extend = ""
    if view.extensions:
        buttons = f'<div class="buttons">{_buttons(view.extensions, "min longer")}</div>'
        extend = f"{_form('extend', frame, view.now)}{_pin('extend', frame)}{buttons}</form>"
    return f"""<section aria-labelledby="running">
<h2 id="running">The meeting that is on</h2>
{extend}
{_form("end", frame, view.now)}{_pin("end", frame)}<button class="wide plain">End it now</button></form>
</section>"""


def _acts(view: View, frame: Frame) -> str:
    """What can be done at a display: only what asks for nothing to be typed."""
    offered: list[tuple[str, str]] = [("book", _buttons(view.lengths, "min", "Book"))]
    if view.now is not None and view.now.waits:
        offered.append(("check-in", '<button id="check-in-now">Check in</button>'))
    if view.running:
        offered.append(("extend", _buttons(view.extensions, "min longer", "Stay")))
        offered.append(("end", '<button id="end-now" class="plain">End it now</button>'))
    forms = [
        f"{_form(deed, frame, view.now, on_display=True)}{buttons}</form>"
        for deed, buttons in offered
        if buttons and deed not in frame.pins
    ]
    return f'<div class="acts">{"".join(forms)}</div>' if forms else ""


def _buttons(choices: Iterable[Choice], unit: str, verb: str = "") -> str:
    """One for each length; with a `verb` as a display has them, which keeps the one that has the focus by its id."""
    named = ((f"{verb.lower()}-{each.minutes}" if verb else "", each) for each in choices)
    return "".join(
        f'<button{f' id="{name}"' if name else ""} name="minutes" value="{each.minutes}">'
        f"{f'{verb} ' if verb else ''}{each.minutes} {unit} <small>until {each.until}</small></button>"
        for name, each in named
    )


def _later(view: View, most: int | None = None) -> str:
    if not view.later:
        return ""
    items = "".join(f"<li>{_line(each)}</li>" for each in view.later[:most])
    more = len(view.later) - len(view.later[:most])
    rest = f"<li>and {more} more</li>" if more else ""
    return f'<section aria-labelledby="later"><h2 id="later">Next</h2><ol>{items}{rest}</ol></section>'


def _line(meeting: Meeting) -> str:
    waits = " (waits for approval)" if meeting.tentative else ""
    title = escape(_named(meeting) or meeting.title)
    return f'<span class="when">{escape(meeting.when)}</span> <span class="title" dir="auto">{title}</span>{waits}'


def _equipment(view: View, frame: Frame) -> str:
    broken = [each for each in view.equipment if not each.works]
    working = [each for each in view.equipment if each.works]
    listed = "".join(f'<li dir="auto">{escape(each.title)} is broken</li>' for each in broken)
    out = (
        f'<section aria-labelledby="broken"><h2 id="broken">Out of order</h2><ul>{listed}</ul></section>'
        if broken
        else ""
    )
    if not working:
        return out
    options = "".join(f'<option value="{escape(each.name)}">{escape(each.title)}</option>' for each in working)
    return f"""{out}<details><summary>Report broken equipment</summary>
{_form("report", frame)}<label for="equipment">What is broken?</label>
<select id="equipment" name="equipment" required><option value="">Choose</option>{options}</select>
{_pin("report", frame)}<button class="wide plain">Report it</button></form></details>"""


def _form(deed: str, frame: Frame, meeting: Meeting | None = None, *, on_display: bool = False) -> str:
    hidden = {"ticket": frame.ticket, "booking": meeting.id if meeting else "", "from": "display" if on_display else ""}
    fields = "".join(
        f'<input type="hidden" name="{n}" value="{escape(value)}">' for n, value in hidden.items() if value
    )
    return f'<form method="post" action="{frame.path}/{deed}">{fields}'


def _text(name: str, label: str, element: str, frame: Frame) -> str:
    value = escape((frame.values or {}).get(name, ""))
    complete = "name" if name == "name" else "off"
    return (
        f'<label for="{element}">{label} <span class="optional">(optional)</span></label>'
        f'<input id="{element}" name="{name}" value="{value}" maxlength="100" autocomplete="{complete}" dir="auto">'
    )


def _pin(deed: str, frame: Frame) -> str:
    if deed not in frame.pins:
        return ""
    element = f'id="pin-{deed}" name="pin" type="password" inputmode="numeric" maxlength="20" autocomplete="off"'
    return f'<label for="pin-{deed}">Your PIN</label><input {element} required>'


def _lines(parts: Iterable[str]) -> str:
    return "\n".join(part for part in parts if part)
