"""`fingerpost stats`: hits and visitors, by whatever they are counted, drawn in the terminal."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer

from .command import Session
from .failure import Usage
from .reading import day_of
from .redirections import link_named
from .terminal import Terminal, as_text, written

type By = Literal["day", "hour", "country", "city", "device", "os", "browser", "rule", "variant", "redirection"]

BYS: tuple[str, ...] = get_args(By.__value__)
OVER_TIME = ("day", "hour")
PLOT_LINES = 14
MAX_PLOT_COLUMNS = 100
BAR = 30  # characters of a whole bar in a table
SHOWN = 15


def stats(
    session: Session,
    short_id: Annotated[str | None, typer.Argument(metavar="SHORT_ID", help="Of one link; of all when absent.")] = None,
    by: Annotated[list[str] | None, typer.Option(help=f"{', '.join(BYS)}; repeat it, or separate with commas.")] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="DAY", help="The first day (UTC), or 7d.")] = None,
    to: Annotated[str | None, typer.Option(metavar="DAY", help="The last day (UTC).")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write them as CSV; - for here.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Values shown of each kind.")] = SHOWN,
) -> None:
    """Hits, robots and visitors of the last 30 days: drawn by day, in tables by country, device and rule."""
    kinds = _kinds(by or [])
    link = link_named(short_id) if short_id else None
    address = f"{link.address}/statistics" if link else "/statistics"
    query = {
        **(link.query if link else {}),
        "by": ",".join(kinds),
        "from": day_of(from_, "--from"),
        "to": day_of(to, "--to"),
    }
    if csv is not None:
        _export(session, address, query, csv)
        return
    document = session.client.get(address, query)

    def for_people() -> None:
        terminal = session.terminal
        terminal.say(f"{short_id or 'All links'}, {document['from']} to {document['to']} (days in UTC)", "strong")
        people = document.get("visitors")
        by_whom = "" if people is None else f" by {people:,} visitors (counted day by day)"
        terminal.say(
            f"{document['hits']:,} hits{by_whom}; "
            f"apart from these {document['robots']:,} by robots, {document['limited']:,} past a limit"
        )
        for kind in kinds:
            values = document["by"].get(kind) or []
            if kind in OVER_TIME:
                _plot(terminal, kind, values)
            else:
                _table(terminal, kind, values, limit)

    session.terminal.answer(document, for_people)


def _kinds(given: list[str]) -> list[str]:
    kinds = [kind.strip() for each in given for kind in each.split(",") if kind.strip()]
    for kind in kinds:
        if kind not in BYS:
            raise Usage(f"--by: there are no statistics by {kind!r}", then=f"Write some of {', '.join(BYS)}")
    return list(dict.fromkeys(kinds)) or ["day", "country", "device", "rule"]


def _export(session: Session, address: str, query: dict[str, Any], file: Path) -> None:
    """All pages of the table, one after the other. Each begins with the names of the columns."""
    reply = session.client.ask("GET", address, {**query, "format": "csv"}, headers={"accept": "text/csv"})
    content = reply.content
    while (further := reply.next_page) is not None:
        reply = session.client.ask("GET", further, headers={"accept": "text/csv"})
        content += reply.content.partition(b"\r\n")[2]
    if str(file) == "-":
        session.terminal.raw(content.decode())
        return
    try:
        written(file, content)
    except OSError as error:
        raise Usage(f"{file} cannot be written: {error.strerror}") from error
    lines = content.count(b"\n")
    session.terminal.answer(
        {"file": str(file), "lines": lines}, lambda: session.terminal.say(f"{file}: {lines:,} lines")
    )


def _plot(terminal: Terminal, kind: str, values: list[dict[str, Any]]) -> None:
    """Bars over time, oldest first."""
    if not values:
        return
    import plotext  # noqa: PLC0415  0.15 s that only a plot should cost

    ordered = sorted(values, key=lambda each: str(each["value"]))
    figure = plotext.figure
    figure.clear()
    figure.plot_size(min(terminal.width, MAX_PLOT_COLUMNS), PLOT_LINES)
    labels = [str(each["value"])[5:] if kind == "day" else str(each["value"]) for each in ordered]
    figure.draw(figure.bar(labels, [each["hits"] for each in ordered]))
    terminal.say(f"hits by {kind}", "strong")
    terminal.raw(figure.build().string(colorless=True).rstrip() + "\n")


def _table(terminal: Terminal, kind: str, values: list[dict[str, Any]], limit: int) -> None:
    if not values:
        return
    most = max(each["hits"] for each in values) or 1
    rows = [
        (_named(kind, each), each["hits"], f"{each.get('share', 0):.1%}", as_text(bar(each["hits"] / most), "good"))
        for each in values[:limit]
    ]
    terminal.table((kind, "hits", "share", ""), rows, numbers=("hits", "share"))
    if len(values) > limit:
        terminal.note(f"and {len(values) - limit:,} more; --limit shows them")


def bar(share: float) -> str:
    """A bar of eighths of a character, BAR characters for all."""
    eighths = round(max(0.0, min(share, 1.0)) * BAR * 8)
    return "█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8] if eighths % 8 else "")


def _named(kind: str, each: dict[str, Any]) -> str:
    value = each["value"]
    match kind:
        case "rule" if each.get("rule") is None:
            return "no rule" if value == "default" else str(value)
        case "rule":
            app = f" of {each['application']}" if each.get("application") else ""
            return f"{each['rule']} {each.get('name') or ''} (version {each.get('version')}{app})".replace("  ", " ")
        case "city" if each.get("country"):
            return f"{value}, {each['country']}"
    return str(value) or "unknown"
