"""The second process: feeds the consumers of the change feed, brings queues to their functions, keeps house.

Started by the supervisor, whose end of standard input tells it that the supervisor is gone, however it went.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fingerpost import wiring
from fingerpost.aws.stream import stream_event
from fingerpost.clock import Clock, now_ms
from fingerpost.local.deliveries import Delivery, ManyAtOnce
from fingerpost.local.events import LocalContext
from fingerpost.local.feed import SqliteFeed
from fingerpost.local.folder import FolderTaken, lock
from fingerpost.local.functions import Function, load_function
from fingerpost.local.log import log, log_failure, use_json_lines
from fingerpost.local.parked import ParkedRecords
from fingerpost.local.pump import Pump, ToEvent
from fingerpost.local.queue import SqliteQueue
from fingerpost.local.runner import close_runners
from fingerpost.local.scheduler import local_scheduler, run_scheduler
from fingerpost.local.store import Checkpointer, SqliteFile
from fingerpost.local.table import SqliteTable
from fingerpost.ports.feed import Feed

type Load = Callable[[str], Function]

CONSUMERS = ("derive", "dispatch")  # of the feed; each is also the name of its function
QUEUES = ("spill", "work", "install")
RUNS, CONSUMER_OF_RUNS = "reactor", "scripts"  # the queue of runs and its function
RUNS_AT_ONCE = 12  # of all applications; the queue lets one have three of them
RUN_HIDDEN_MS = 120_000  # longer than the lease of a run's claim
KEEP_FEED_MS, KEEP_FEED_RECORDS = 3_600_000, 10_000
KEEP_HOUSE_SECONDS = 15.0
LOOK_FOR_REPLAYS_SECONDS = 2.0
QUEUE_IDLE_SECONDS = 0.1
RUNS_IDLE_SECONDS, RUNS_MOST_IDLE_SECONDS = 0.005, 0.05
AFTER_A_FAILURE_SECONDS = 1.0
STOP_SECONDS = 8.0
INSTALLED = "bundles/*/*.bundle.zip"  # scripts that were installed
_TIME_LIMIT_MS = 60_000


def called(function: Function, clock: Clock = now_ms) -> Callable[[dict[str, Any]], Any]:
    """The function as something that takes an event only."""
    return lambda event: function.handler(
        event, LocalContext(function.name, f"{function.name}-{clock():x}", clock() + _TIME_LIMIT_MS)
    )


def run_pump(pump: Pump, stop: threading.Event) -> None:
    """Step until `stop`, at once while there is work; a failing store makes it rest, not end."""
    idle_since_replay = 0.0
    while not stop.is_set():
        try:
            pump.step()
            if idle_since_replay >= LOOK_FOR_REPLAYS_SECONDS:
                idle_since_replay = 0.0
                pump.replay()
        except Exception as error:
            log_failure("the pump stumbled", error, consumer=pump.name)
            stop.wait(AFTER_A_FAILURE_SECONDS)
        rest = pump.pace.pause_ms / 1000
        idle_since_replay += rest
        if rest:
            stop.wait(rest)


def run_delivery(delivery: Delivery, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            received = delivery.step()
        except Exception as error:
            log_failure("a queue stumbled", error, queue=delivery.name)
            stop.wait(AFTER_A_FAILURE_SECONDS)
            continue
        if not received:
            stop.wait(QUEUE_IDLE_SECONDS)


def run_many(deliveries: ManyAtOnce, stop: threading.Event) -> None:
    """An empty queue is looked at less and less often."""
    idle = RUNS_IDLE_SECONDS
    while not stop.is_set():
        try:
            found = deliveries.step(RUNS_MOST_IDLE_SECONDS)
        except Exception as error:
            log_failure("the queue of runs stumbled", error)
            stop.wait(AFTER_A_FAILURE_SECONDS)
            continue
        idle = RUNS_IDLE_SECONDS if found else min(RUNS_MOST_IDLE_SECONDS, idle * 2)
        if not found:
            stop.wait(idle)
    deliveries.close()


def run_house(tables: Sequence[SqliteTable], feed: Feed, stop: threading.Event) -> None:
    """Delete what has expired and what the feed need not keep."""
    while not stop.is_set():
        try:
            keep_house(tables, feed, stop)
        except Exception as error:
            log_failure("housekeeping stumbled", error)
        stop.wait(KEEP_HOUSE_SECONDS)


def keep_house(tables: Sequence[SqliteTable], feed: Feed, stop: threading.Event, clock: Clock = now_ms) -> None:
    """One round, in short transactions between which writers get their turn."""
    for table in tables:
        while table.sweep(clock()) and not stop.is_set():
            stop.wait(0.005)
    while feed.trim(KEEP_FEED_MS, KEEP_FEED_RECORDS) and not stop.is_set():
        stop.wait(0.005)


def ready_runner(folder: Path) -> None:
    """Have the runner ready for the first script, where there is any: what is built and started takes seconds."""
    if not any(folder.glob(INSTALLED)):
        return
    try:
        wiring.ready_runner()
    except Exception as error:  # runs say so again, each in its application's log
        log_failure("scripts cannot run", error)


def watch_supervisor(stop: threading.Event) -> None:
    """Standard input is a pipe from the supervisor: its end is the supervisor's."""
    while os.read(0, 4096):
        pass
    stop.set()


def run(folder: Path, stop: threading.Event, load: Load, to_event: ToEvent) -> None:
    """Work until `stop`. There is no other worker, so what one left is taken up. Raises ImportError."""
    wiring.alone_since = wiring.clock()
    for queue in map(wiring.queue, (*QUEUES, RUNS)):
        if isinstance(queue, SqliteQueue):
            queue.take_back()
    tables = wiring.tables()
    stores = [table for table in (tables.main, tables.log) if isinstance(table, SqliteTable)]
    feed = SqliteFeed(stores[0].store.path, consumers=CONSUMERS)
    ParkedRecords(folder).request_replay()  # a new version may take what the old one could not
    checkpointer = Checkpointer([SqliteFile(path, "") for path in sorted(folder.glob("*.sqlite"))])
    checkpointer.start()
    threads: list[threading.Thread] = []

    def begin(name: str, target: Callable[[], None]) -> None:
        """At once: hits are counted while what comes after is being loaded."""
        threads.append(threading.Thread(target=target, name=name, daemon=True))
        threads[-1].start()

    for name in CONSUMERS:
        pump = Pump(name, feed, called(load(name)), to_event, ParkedRecords(folder))
        begin(name, partial(run_pump, pump, stop))
    for name in QUEUES:
        delivery = Delivery(name, wiring.queue(name), called(load(name)))
        begin(name, partial(run_delivery, delivery, stop))
    runs = Delivery(RUNS, wiring.queue(RUNS), called(load(CONSUMER_OF_RUNS)))
    at_once = ManyAtOnce(runs, at_once=RUNS_AT_ONCE, visibility_ms=RUN_HIDDEN_MS)
    begin(RUNS, partial(run_many, at_once, stop))
    begin("scheduler", partial(run_scheduler, local_scheduler(folder, wiring.queue("work")), stop))
    begin("runner", partial(ready_runner, folder))
    begin("house", partial(run_house, stores, feed, stop))
    log("info", "the worker is running", pid=os.getpid())
    stop.wait()
    for thread in threads:
        thread.join(STOP_SECONDS / len(threads))
    close_runners()
    checkpointer.stop()


def main(load: Load = load_function, to_event: ToEvent = stream_event) -> int:
    """Returns the exit status: 0 after a stop or when the supervisor is gone, 1 when it cannot work."""
    use_json_lines()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor decides
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threading.Thread(target=watch_supervisor, args=(stop,), name="supervisor", daemon=True).start()
    folder = Path(wiring.data_dir())
    try:
        held = lock(folder, "worker", wait_seconds=15.0)  # a predecessor may still be finishing
    except FolderTaken as error:
        log("error", str(error))
        return 1
    try:
        run(folder, stop, load, to_event)
    except Exception as error:
        log_failure("the worker cannot run", error)
        return 1
    finally:
        held.close()
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # a handler that does not end must not keep the process
