"""How long a booking takes to reach the panels: from a room API's answer to `added` on every WebSocket, and `changed`.

The server runs as `make run` starts it. The floor is what the one who books waits for: the answer itself.
"""

import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.row import Row
from tests.ddp.panels import Panel, slot
from tests.running import Server, running

PANELS = (1, 10, 50)
BOOKINGS = 12


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as home, running(Path(home)) as server:
        for number, count in enumerate(PANELS):
            yield from measured(server, count, first=60 + number * (BOOKINGS + 1), bookings=BOOKINGS)


def measured(server: Server, count: int, *, first: int, bookings: int) -> Iterator[Row]:
    """`first` is the day of the first booking, from now."""
    panels = [Panel(server) for _ in range(count)]
    room = panels[0].demo["rooms"]["main"]["id"]
    for panel in panels:
        panel.subscribe("allBookings", "ALL")
    answers: list[float] = []
    delays: dict[str, list[float]] = {"added": [], "changed": []}
    for day in range(first, first + bookings):
        start, end = slot(day)
        sent = {"start": start, "end": end, "title": "Bench"}
        made = _timed(answers, lambda sent=sent: server.ask(f"/rooms/{room}/bookings", sent))
        delays["added"].append(_heard(panels, "added"))
        path = f"/rooms/{room}/bookings/{made['id']}"
        _timed(answers, lambda path=path: server.ask(path, {"title": "Moved"}, method="PUT"))
        delays["changed"].append(_heard(panels, "changed"))
    for panel in panels:
        with contextlib.suppress(OSError):
            panel.close()
    floor = f"{statistics.median(answers) * 1e3:,.0f} ms"
    for kind, found in delays.items():
        ours = f"{statistics.median(found) * 1e3:,.0f}, {max(found) * 1e3:,.0f} ms"
        yield Row(f"a booking's `{kind}` on the last of {count} panels, median, worst", ours, floor)


def _timed(answers: list[float], ask: Callable[[], Any]) -> Any:
    began = time.perf_counter()
    answer = ask()
    answers.append(time.perf_counter() - began)
    return answer


def _heard(panels: list[Panel], kind: str) -> float:
    """Seconds until the last of them has heard."""
    began = time.perf_counter()
    for panel in panels:
        panel.until(kind)
    return time.perf_counter() - began
