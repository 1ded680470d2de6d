"""`python -m fingerpost.local`: the server in this process, the worker in another that is kept alive."""

import asyncio
import contextlib
import importlib
import importlib.util
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import uvloop

from fingerpost.local.config import BadSetting, Settings, settings_from
from fingerpost.local.connections import taking_messages
from fingerpost.local.folder import FolderTaken, lock, open_folder
from fingerpost.local.functions import EDGES, Function, load_function
from fingerpost.local.gateway import Gateway, GatewaySettings
from fingerpost.local.held import HeldAnswers
from fingerpost.local.log import log, log_failure, use_json_lines
from fingerpost.local.server import PortTaken, listen, serve
from fingerpost.local.store import SqliteStore
from fingerpost.local.table import SqliteTable
from fingerpost.local.websockets import Sockets

STEADY_SECONDS = 10.0  # a worker that lasted this long is started again at once
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
STOP_SECONDS = 10.0
WORKER = (sys.executable, "-m", "fingerpost.local.worker")


class Worker:
    """The worker process, started again whenever it ends by itself."""

    def __init__(self, command: Sequence[str] = WORKER):
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """None while there is no process."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def start(self) -> None:
        self._watch = asyncio.create_task(self._keep_alive())

    async def _keep_alive(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping:
            started = time.monotonic()
            self._process = await asyncio.create_subprocess_exec(*self._command, stdin=asyncio.subprocess.PIPE)
            code = await self._process.wait()
            if self._stopping:
                return
            pause = FIRST_PAUSE if time.monotonic() - started > STEADY_SECONDS else min(LONGEST_PAUSE, pause * 2)
            log("error", "the worker ended by itself and is started again", code=code, in_seconds=pause)
            await asyncio.sleep(pause)

    async def stop(self) -> None:
        """SIGTERM, ten seconds, then SIGKILL: everything it does is repeatable."""
        self._stopping = True
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
            except TimeoutError:
                log("error", "the worker did not stop in time and is killed")
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch


class Files(NamedTuple):
    main: SqliteStore
    log: SqliteStore


@dataclass(frozen=True, slots=True)
class Platform:
    """What the server is made of. `prepare` runs before the first request, `banner` when `/health` says ok."""

    load: Callable[[str], Function]
    prepare: Callable[[Settings], None]
    banner: Callable[[Settings], None]
    worker: Sequence[str] = WORKER


async def run(settings: Settings, platform: Platform, sockets: Sequence[socket.socket], files: Files) -> None:
    """Serve until told to stop; then finish, commit, stop the worker, write the logs back."""
    edges = [platform.load(name) for name in EDGES]
    by_name = {function.name: function for function in edges}
    redirect = platform.load("redirect")
    _quiet_functions(access_log=settings.access_log)
    files.main.hold()  # this thread's writes, those of the redirect, commit once a turn
    held = HeldAnswers(files.main)
    serving = False

    def started() -> None:
        nonlocal serving
        serving = True
        platform.banner(settings)

    sockets_of_paths = Sockets({"/ws": platform.load("live"), "/websocket": by_name["evoko"]})
    gateway = Gateway(
        GatewaySettings(
            short_port=settings.short_port,
            short_domain=settings.short_domain,
            api_url=settings.api_url,
            access_log=settings.access_log,
        ),
        redirect=redirect,
        redirections=by_name["redirections"],
        edges=edges,
        default=by_name["access"],
        held=held,
        ready=lambda: serving,
        sockets=sockets_of_paths,
    )
    worker = Worker(platform.worker)
    worker.start()
    try:
        async with taking_messages(settings.data_dir, sockets_of_paths.deliver):
            await serve(gateway, settings, sockets, started=started)
    finally:
        sockets_of_paths.close()
        serving = False
        held.flush()
        await worker.stop()
        for file in files:
            file.checkpoint()
            if gateway.idle and sockets_of_paths.idle:  # else a handler past its time limit still reads
                file.close()


def open_files() -> Files:
    """The files of both tables, through the one place that wires adapters."""
    from fingerpost import wiring  # noqa: PLC0415 - reads the environment that `main` has set

    tables = wiring.tables()
    assert isinstance(tables.main, SqliteTable) and isinstance(tables.log, SqliteTable)
    return Files(tables.main.store, tables.log.store)


def main(platform: Platform | None = None) -> int:
    """Returns the exit status: 0 after a stop, 2 for what the user can put right (said on stderr), 1 for the rest."""
    platform = platform or Platform(load_function, _demo("prepare", _nothing), _demo("banner", _addresses))
    try:
        settings = settings_from(os.environ)
        os.environ.update(settings.environment())
        open_folder(settings.data_dir)
        folder_lock = lock(settings.data_dir, "server")
        sockets = listen(settings.host, settings.api_port, "FINGERPOST_API_PORT")
        sockets += listen(settings.host, settings.short_port, "FINGERPOST_SHORT_PORT")
    except (BadSetting, FolderTaken, PortTaken) as error:
        sys.stderr.write(f"fingerpost: {error}\n")
        return 2
    use_json_lines()
    try:
        files = open_files()
        platform.prepare(settings)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings, platform, sockets, files))
    except KeyboardInterrupt:  # before the server listens to signals
        return 130
    except Exception as error:
        log_failure("the server cannot run", error)
        return 1
    finally:
        folder_lock.close()
    return 0


def _demo(name: str, otherwise: Callable[[Settings], None]) -> Callable[[Settings], None]:
    """A function of the demo, imported when it is called: it reads the environment that `main` sets."""

    def call(settings: Settings) -> None:
        if importlib.util.find_spec("fingerpost.local.demo") is None:
            otherwise(settings)
        else:
            getattr(importlib.import_module("fingerpost.local.demo"), name, otherwise)(settings)

    return call


def _nothing(_settings: Settings) -> None:
    """No demo: the folder stays as it is."""


def _addresses(settings: Settings) -> None:
    scheme = "https" if settings.tls else "http"
    sys.stdout.write(f"API          {settings.api_url}\nshort domain {scheme}://{settings.short_domain}\n")
    sys.stdout.write(f"data         {settings.data_dir}\nstop with Ctrl-C\n")
    sys.stdout.flush()


def _quiet_functions(*, access_log: bool) -> None:
    """The functions log every answer at INFO on stdout, as Lambda wants it; here that is the access log, on stderr."""
    logger = logging.getLogger("fingerpost")
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(sys.stderr)
    if not access_log:
        logger.setLevel(logging.WARNING)
