"""`fingerpost actions`: what happened, and what is happening now."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Set
from typing import Annotated, Any

import typer

from ..clock import now_ms
from .client import Client, Document
from .command import Session, command, group
from .failure import Unreachable
from .reading import moment_of
from .terminal import Terminal, moment

LATE_MS = 60_000  # an action may be listed some time after it happened: its phone was offline, the feed was behind
REMEMBERED = 20_000
type Look = Callable[[int, Set[str]], list[Document]]  # from a moment on, without the ids seen: newest first
MAX_PAGES = 50  # of one look; what is older than these was not seen live

actions = group("Scans and other actions: list them, or watch them arrive.")

Type = Annotated[str, typer.Option("--type", "-t", help="scans, implicitScans, checkins, ... or all.")]
Filter = Annotated[str | None, typer.Option("--filter", "-f", help="As in lists: thng=U... & context.countryCode=IE")]


@command(actions, "tail")
def tail_actions(
    session: Session,
    type_: Type = "all",
    filter_: Filter = None,
    since: Annotated[str | None, typer.Option(metavar="MOMENT", help="Begin with what happened since.")] = None,
    count: Annotated[int | None, typer.Option("--count", "-n", min=1, help="End after so many.")] = None,
    interval: Annotated[float, typer.Option(min=0.2, max=60, help="Seconds between two looks.")] = 1.0,
) -> None:
    """Show actions as they arrive, until Ctrl-C. With --json each is one line."""
    begin = moment_of(since, "--since") or now_ms()
    if not session.terminal.as_json:
        session.terminal.note("Waiting for actions; Ctrl-C ends it")
    for shown, document in enumerate(arriving(_actions_of(session.client, type_, filter_), begin, interval), 1):
        _show(session.terminal, document)
        if shown == count:
            return


@command(actions, "list")
def list_actions(
    session: Session,
    type_: Type = "all",
    filter_: Filter = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 30,
) -> None:
    """What happened, newest first."""
    query = {"filter": filter_, "context": "true"}
    documents = session.client.items(f"/actions/{type_}", query, limit=limit)

    def for_people() -> None:
        for document in documents:
            _show(session.terminal, document)

    session.terminal.answer(documents, for_people)


@command(actions, "explain")
def explain_action(session: Session, action: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Why a scan went where it went, rule by rule."""
    document = session.client.get(f"/actions/all/{action}", {"explain": "true", "context": "true"})

    def for_people() -> None:
        _show(session.terminal, document)
        session.terminal.say(document["explanation"]["says"])

    session.terminal.answer(document, for_people)


def arriving(look: Look, begin: int, interval: float, *, late_ms: int = LATE_MS) -> Iterator[Document]:
    """What `look` finds from `begin` on, each once, in the order in which it can be seen. Ends with the process."""
    seen: set[str] = set()
    order: deque[str] = deque()
    was_there = False
    while True:
        try:
            new = look(begin, seen)
            was_there = True
        except Unreachable:  # a server that was there may come back, and nothing is missed meanwhile
            if not was_there:
                raise
            new = []
        for document in reversed(new):
            seen.add(document["id"])
            order.append(document["id"])
            yield document
        while len(order) > REMEMBERED:
            seen.discard(order.popleft())
        begin = max(begin, now_ms() - late_ms) if len(order) >= REMEMBERED // 2 else begin
        time.sleep(interval)


def _actions_of(client: Client, type_: str, filter_: str | None) -> Look:
    """Looks for what is listed and was not seen, newest first: page by page, until one brings nothing new."""

    def look(begin: int, seen: Set[str]) -> list[Document]:
        found: list[Document] = []
        for number, page in enumerate(client.pages(f"/actions/{type_}", {"filter": filter_, "context": "true"}), 1):
            new = [each for each in page if each["id"] not in seen and each["timestamp"] >= begin]
            found += new
            if len(new) < len(page) or number == MAX_PAGES:
                break
        return found

    return look


def _show(terminal: Terminal, document: dict[str, Any]) -> None:
    if terminal.as_json:
        terminal.line_of_json(document)
    else:
        terminal.say(line_of(document))


def line_of(document: dict[str, Any]) -> str:
    """An action in one line: when, what, of what, from where, with which result."""
    context = document.get("context") or {}
    where = ", ".join(str(each) for each in (context.get("city"), context.get("countryCode")) if each)
    of = next((f"{kind} {document[kind]}" for kind in ("thng", "product", "collection") if kind in document), "")
    parts = [moment(document.get("timestamp")), document["type"], document.get("shortId") or of, where]
    for each in document.get("reactions") or ():
        rule = f"rule {each['rule']}" if each.get("rule") else "no rule"
        variant = f", variant {each['variant']}" if each.get("variant") else ""
        parts.append(f"{rule}{variant} -> {each.get('redirectUrl', '')}")
    return "  ".join(part for part in parts if part)
