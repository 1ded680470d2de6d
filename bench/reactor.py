"""Reactor scripts on a local server: a burst of changes past a filter, and events beside hostile scripts of another.

A script listens to one of a hundred properties, and all of them change on a hundred thngs. Its log says which changes
it was told of, and how long after they were made.
"""

import http.client
import json
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles

from bench.row import Row

THNGS, KEYS = 100, 100
LISTENED = "k42"
WRITERS = 8
EVENTS = 20  # of the application beside which another does its worst
DEEDS = ("reject", "exit", "fork", "array", "loop")  # of tests/scripts/hostile; the last never comes to an end
DONE_AT_ONCE = 12  # as many as go on at once in all, and more than one application may have
LATER = 10  # times as long as alone is what an event may take beside them: the machine's processors are taken too


def rows() -> Iterator[Row]:
    from tests.reacting import Application
    from tests.running import running

    with tempfile.TemporaryDirectory(prefix="fingerpost-bench-") as folder, running(Path(folder)) as server:
        server.ask("/actions", {"name": "_Deed", "scopes": {"projects": ["all"], "users": ["all"]}})
        yield from _burst(burst := Application(server, "Burst"))
        yield _filtering(burst)
        yield from _beside(Application(server, "Quiet"), Application(server, "Hostile"))


def _burst(app) -> Iterator[Row]:  # type: ignore[no-untyped-def] - tests are not typed
    app.publish("listener")
    things = [app.thng(name=f"Thng {number}") for number in range(THNGS)]
    changes = [(thng, f"k{key}", f"{thng}/{key}") for key in range(KEYS) for thng in things]
    random.Random(1).shuffle(changes)
    started = time.perf_counter()
    with ThreadPoolExecutor(WRITERS) as pool:
        for done in [pool.submit(_write, app, changes[writer::WRITERS]) for writer in range(WRITERS)]:
            done.result()
    written = time.perf_counter() - started
    app.logged(THNGS)
    seconds = time.perf_counter() - started
    time.sleep(1)  # for what may come twice
    told = [message.split() for message in _told(app)]
    began = sum(level == "trace" for level, _ in app.whole_log())
    expected = {f"{thng}/{LISTENED[1:]}" for thng in things}
    lost, twice = expected - {each[1] for each in told}, len(told) - len(expected)
    what = f"reactor burst: {len(changes):,} changes, {THNGS} of them listened to"
    if lost or twice or began != THNGS:
        raise RuntimeError(f"{what}: {len(lost)} lost, {twice} twice, {began} runs")
    delays = quantiles([int(each[2]) for each in told], n=100)
    yield Row(
        f"{what}, to the last line of the log", f"{len(changes) / seconds:,.0f}/s", f"{len(changes) / written:,.0f}/s"
    )
    yield Row("the same, runs begun (what the filter let pass): none lost, none twice", f"{began}", f"{len(changes):,}")
    yield Row(
        "the same, from change to script, median and 99th percentile", f"{delays[49]:,.0f} ms", f"{delays[98]:,.0f} ms"
    )


def _filtering(app) -> Row:  # type: ignore[no-untyped-def]
    """The same changes once more through all that dispatch does but sending, beside reading them off the feed alone."""
    from fingerpost.local.feed import local_feed
    from fingerpost.local.pump import BATCH
    from fingerpost.reactor.dispatching import Batch, CompiledSets
    from fingerpost.reactor.events import events_of

    rates, sets = [], CompiledSets()
    for consumer in ("reading", "filtering"):
        feed, changes, runs = local_feed(app.folder), 0, 0
        started = time.perf_counter()
        while batch := feed.read(consumer, BATCH):
            if consumer == "filtering":
                events = dict(events_of(batch, app.tables))
                reacting = Batch(events.values(), app.tables, sets)
                runs += sum(1 for event in events.values() for _ in reacting.runs_of(event))
            feed.commit(consumer, batch[-1].sequence)
            changes += len(batch)
        rates.append(changes / (time.perf_counter() - started))
        feed.close()
    if runs != THNGS:
        raise RuntimeError(f"{runs} runs of {THNGS}")
    what = "changes that dispatch decides on, beside reading them alone"
    return Row(what, f"{rates[1]:,.0f}/s", f"{rates[0]:,.0f}/s", rates[1] / rates[0])


def _beside(quiet, hostile) -> Iterator[Row]:  # type: ignore[no-untyped-def]
    quiet.publish("prompt")
    hostile.publish("hostile", folder=str(hostile.folder))
    thng, other = quiet.thng(), hostile.thng()
    alone = _delays(quiet, thng)
    for deed in DEEDS:
        for _ in range(DONE_AT_ONCE):
            hostile.act("_Deed", other, deed=deed)
        hostile.begun()
        beside = _delays(quiet, thng)
        what = f"from action to script, median of {EVENTS}, beside another application's {deed}"
        yield Row(what, f"{median(beside):,.0f} ms", f"{median(alone):,.0f} ms", median(beside) / median(alone), LATER)
        yield Row("the same, the longest of them", f"{max(beside):,.0f} ms", f"{max(alone):,.0f} ms")


def _delays(app, thng: str) -> list[int]:  # type: ignore[no-untyped-def]
    before = len(_told(app))
    for number in range(1, EVENTS + 1):
        app.act("scans", thng)
        app.soon(lambda: len(_told(app)) >= before + number, "an event is not told of")  # noqa: B023 - called at once
    return [int(each) for each in _told(app)[before:]]


def _told(app) -> list[str]:  # type: ignore[no-untyped-def]
    """What the application's own script has logged."""
    return [message for level, message in app.whole_log() if level == "info"]


def _write(app, changes: Sequence[tuple[str, str, str]]) -> None:  # type: ignore[no-untyped-def]
    """Make changes one by one over a kept connection."""
    connection = http.client.HTTPConnection("127.0.0.1", app.server.api_port)
    headers = {"authorization": app.key, "content-type": "application/json"}
    for thng, key, value in changes:
        body = json.dumps([{"value": value}])
        connection.request("PUT", f"/thngs/{thng}/properties/{key}", body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"PUT of a property: {answer.status}")
    connection.close()
